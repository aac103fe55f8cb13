#pragma once
// Named type rules shared by families of ops. Each checks and converts the inputs of a TypeContext
// and returns the outputs' types; sizes follow NumPy's broadcasting on hints. Unless said otherwise
// the inputs are cast to their common dtype first: NumPy's table for arrays, and plain numbers
// yield to arrays (they become constants of the array's dtype, or raise it to the next family).
#include "croton/graph/op.hpp"

namespace croton::types {

using Types = std::vector<TensorType>;

/// Output of the common dtype.
Types promoted(TypeContext& context);
/// As promoted, without bool: sub, neg, sign. Type error on bool, saying what to use instead.
Types promoted_numbers(TypeContext& context);
/// As promoted, but bool becomes int8: pow, floor_div, mod.
Types promoted_counts(TypeContext& context);
/// As promoted, of integers and bool only: bit operations.
Types promoted_bits(TypeContext& context);
/// As promoted, but integers and bool become floating (floating_result): exp, sin, ...
Types promoted_floating(TypeContext& context);
/// As promoted, but integers and bool become floatX: true division.
Types divided(TypeContext& context);
/// Output bool of the broadcast sizes: comparisons. A plain integer that the array's dtype cannot
/// hold is compared in the wider dtype.
Types compared(TypeContext& context);
/// Inputs cast to bool, output bool: logical ops.
Types logical(TypeContext& context);
/// Output the type of input 0, whatever the others are.
Types like_first(TypeContext& context);
/// As promoted, output bool of the same sizes: isnan, signbit.
Types bool_like_first(TypeContext& context);
/// As promoted, output of its real part's dtype: abs, real, imag.
Types real_like_first(TypeContext& context);

/// The dtype that inputs[first..] have in common.
DType common_dtype(const TypeContext& context, size_t first = 0);
/// Makes input i of that dtype: plain numbers are converted at once (Value error if an integer does
/// not fit), others get a cast.
void convert(TypeContext& context, size_t i, DType dtype);
/// Converts inputs[first..] to their common dtype and returns it.
DType unify(TypeContext& context, size_t first = 0);
/// Broadcast of the sizes of inputs[first..].
Dims broadcast_inputs(const TypeContext& context, size_t first = 0);

}  // namespace croton::types
