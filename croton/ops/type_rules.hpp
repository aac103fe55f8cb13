#pragma once
// Named type rules shared by families of ops. Each checks and converts the inputs of a TypeContext
// and returns the outputs' types; sizes follow NumPy's broadcasting on hints.
#include "croton/graph/op.hpp"

namespace croton::types {

using Types = std::vector<TensorType>;

/// All inputs cast to their common dtype (weak numbers yield); output of that dtype.
Types promoted(TypeContext& context);
/// As promoted, but integers and bool become floating: true division, exp, sin, ...
Types promoted_floating(TypeContext& context);
/// As promoted, output bool: comparisons.
Types compared(TypeContext& context);
/// One input, output the same type.
Types like_first(TypeContext& context);
/// One input, output bool of the same sizes: isnan, logical_not.
Types bool_like_first(TypeContext& context);
/// One input, output of its real part's dtype: abs, real, imag.
Types real_like_first(TypeContext& context);
/// Inputs cast to bool, output bool: logical ops.
Types logical(TypeContext& context);

/// Casts weak numbers and mixed dtypes among inputs[first..] to their common dtype and returns it.
DType unify(TypeContext& context, size_t first = 0);
/// Broadcast of the sizes of inputs[first..].
Dims broadcast_inputs(const TypeContext& context, size_t first = 0);

}  // namespace croton::types
