#pragma once
// What neural networks are made of, beside the matrix products: activations, normalised
// exponentials, losses.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

/// exp(x) / sum(exp(x)) along an axis, and its logarithm, without overflow.
Variable softmax(Arg x, Given<int64_t> axis = -1);
Variable log_softmax(Arg x, Given<int64_t> axis = -1);

/// max(x, 0).
Variable relu(Arg x);
/// x for positive x, slope * x for others.
Variable leaky_relu(Arg x, Arg slope);
/// x for positive x, alpha * (exp(x) - 1) for others.
Variable elu(Arg x, Arg alpha = 1.0);
/// elu with the two constants that keep mean 0 and variance 1.
Variable selu(Arg x);
/// x / (1 + |x|).
Variable softsign(Arg x);
/// clip(0.2 x + 0.5, 0, 1).
Variable hard_sigmoid(Arg x);

/// x[..., y[...]]: of each row (last axis) of x the element that y names; negative ones count from
/// the end. y has one axis less than x. Index error at run time if out of bounds.
Variable pick(Arg x, Arg y);
/// The reverse: zeros of x's sizes with values[...] at [..., y[...]].
Variable unpick(Arg values, Arg y, Arg x);

/// -sum(truth * log(guess)) of each row: `truth` holds probabilities of guess's sizes, or integers
/// naming the true class (one axis less).
Variable categorical_crossentropy(Arg guess, Arg truth);
/// -(truth * log(guess) + (1 - truth) * log(1 - guess)), element by element.
Variable binary_crossentropy(Arg guess, Arg truth);
/// binary_crossentropy(sigmoid(x), truth), accurate for every x.
Variable sigmoid_binary_crossentropy(Arg x, Arg truth);

}  // namespace croton
