#pragma once
// Results so far along an axis. Sums and products are accumulated in 64 bits and rounded once an
// element; bool and integers give int64 or uint64, as sum and prod do. Neighbouring elements of
// dense lines are taken eight at a time (base/recurrence.hpp), which reassociates; lines that lie
// side by side are taken together.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

/// y[i] = x[0] + ... + x[i] along the axis.
Variable cumsum(Arg x, Given<int64_t> axis);
/// y[i] = x[0] * ... * x[i] along the axis. Derivatives are exact with zeros among the elements.
Variable cumprod(Arg x, Given<int64_t> axis);
/// Of the flattened array.
Variable cumsum(Arg x);
Variable cumprod(Arg x);
/// y[i] = a[i] * y[i - 1] + b[i] along the axis, y[0] = b[0] (a[0] is not looked at). Shape error
/// unless a and b have the same sizes.
Variable linear_recurrence(Arg a, Arg b, Given<int64_t> axis = -1);

/// What h = a[i] * h + b[i] makes of the scalar `initial` in so many steps, in float32 or float64:
/// [initial, ...], one more than steps, or the last value alone. a and b are scalars or have one
/// element a step (Shape error else). Sums of neighbouring steps are reassociated where all factors
/// are at most 1 (base/recurrence.hpp).
Variable linear_steps(Arg initial, Arg a, Arg b, Arg steps, Given<bool> last = false);

}  // namespace croton
