#pragma once
// The halves of the table of stability, by the file that defines them.
#include "croton/rewrite/rule.hpp"

namespace croton::rules {

/// Logarithms, exponentials, roots and cancellation of single values (stability.cpp).
rewrite::Rules stable_functions();
/// Softmax, sums of exponentials, likelihoods and their kin (probability.cpp).
rewrite::Rules stable_probabilities();

}  // namespace croton::rules
