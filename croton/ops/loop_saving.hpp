#pragma once
// What the way back through a loop keeps of each step and what it computes again. For the sources
// of ops/ only.
#include "croton/graph/variable.hpp"

namespace croton {

/// Values of the forward body that `results`, which depend on the body's inputs and on `seeds`,
/// should read from memory: those that cost a product, host code or an inner graph to compute, as
/// few of them as leave only cheap elementwise work to be done again.
Variables values_to_save(const Variables& results, const Variables& body_inputs,
                         const Variables& seeds);

}  // namespace croton
