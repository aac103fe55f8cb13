#pragma once
// Reductions over axes. Every one takes the axes (default: all; {} means none) and keepdims, which
// leaves reduced axes in place with size 1 so that the result broadcasts against the input.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

/// Sums and products: signed integers and bool give int64, unsigned ones uint64, others keep their
/// dtype (16-bit and 32-bit floats are accumulated wider). Without elements 0 and 1.
Variable sum(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
Variable prod(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
/// Integers and bool give float64. Without elements NaN.
Variable mean(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
/// Variance and standard deviation, divided by the number of elements less ddof.
Variable var(Arg x, Axes axes = Axes::all(), Given<int64_t> ddof = 0, Given<bool> keepdims = false);
Variable std_(Arg x, Axes axes = Axes::all(), Given<int64_t> ddof = 0,
              Given<bool> keepdims = false);

/// Extremes; a NaN wins. Value error ("zero-size") without elements, when the function is called or
/// already here if the sizes are known. Every element that equals the extreme gets the gradient.
Variable max(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
Variable min(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
/// max that has a value without elements: the lowest of the dtype (-inf for floating ones).
Variable supremum(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
/// Position (int64) of the first extreme along one axis, or among several flattened in C order.
Variable argmax(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
Variable argmin(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);

/// Whether any, or every, element is nonzero. Without elements false and true.
Variable any(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);
Variable all(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);

/// log(sum(exp(x))), without overflow.
Variable logsumexp(Arg x, Axes axes = Axes::all(), Given<bool> keepdims = false);

/// Sums x to the sizes of `like`: the reverse of broadcasting `like` to x's sizes, with the axes
/// decided at run time. The elements of `like` do not matter.
Variable sum_to(Arg x, Arg like);

/// The number of elements of x along the axes: a scalar, int64.
Variable count(Arg x, Axes axes = Axes::all());

}  // namespace croton
