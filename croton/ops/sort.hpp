#pragma once
// Sorting along an axis. NaNs come last, complex numbers by real, then imaginary part, as in NumPy.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

Variable sort(Arg x, Given<int64_t> axis = -1);
/// The positions (int64) that sort x; equal elements keep their order.
Variable argsort(Arg x, Given<int64_t> axis = -1);
/// The `count` largest elements along an axis, largest first, and their positions.
std::pair<Variable, Variable> topk(Arg x, Arg count, int64_t axis = -1);

}  // namespace croton
