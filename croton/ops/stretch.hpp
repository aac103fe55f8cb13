#pragma once
// The two halves of broadcasting that reductions and gradients need, as records of the family
// reduce. For the sources of ops/ only (sum_to is declared in reduce.hpp).
#include "croton/ops/catalogue.hpp"

namespace croton {

/// A view of x with axes of size 1 put in at these (sorted, non-negative) places of the result.
Variable restore_axes(const Variable& x, const Ints& axes);

Family stretch_records();

}  // namespace croton
