#pragma once
// What several families need to write records: integer arguments, hints about sizes, positions in
// tables. For the sources of ops/ only.
#include "croton/graph/op.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/ops/catalogue.hpp"

namespace croton {

/// The part of the family shape that join.cpp holds.
Family join_records();
/// The part of the family loop that loop_segments.cpp holds.
Family segment_records();
/// The part of the family arithmetic that floating.cpp holds.
Family floating_records();

// --- type rules

/// Input i must be an integer scalar (vector); it becomes int64. Type error naming `what`
/// otherwise.
void take_int_scalar(TypeContext& context, size_t i, std::string_view what);
void take_int_vector(TypeContext& context, size_t i, std::string_view what);
/// A weak number among the inputs takes its default dtype.
void settle_weak(TypeContext& context, size_t i);
/// Attribute "axis" (or another) made non-negative. Index error if there is no such axis.
int64_t take_axis(TypeContext& context, std::string_view attribute, int rank);

// --- sizes

/// Known sizes, -1 for the others: how attributes hold hints.
Ints hints_of(const TensorType& type);
Dims dims_of_hints(const Ints& hints);
/// (In shape.cpp.) What can be read off an integer vector that stands for `rank` sizes; -1 entries
/// are unknown.
Dims dims_of_vector(const Variable& shape, size_t rank);
/// The same for one integer scalar.
Dim dim_of_scalar(const Variable& size);
/// (In shape.cpp.) Whether v is what dimshuffle made.
bool is_dimshuffle(const Variable& v);
/// The sizes of x as a vector: a constant where the type knows all of them.
Variable sizes_of(const Variable& x);
/// The size of one axis as a scalar: a constant where the type knows it.
Variable size_along(const Variable& x, int64_t axis);
/// Sums and products of sizes (integer scalars), at once where both are known.
Variable sum_of_sizes(const Arg& x, const Arg& y);
Variable product_of_sizes(const Arg& x, const Arg& y);
/// A gradient of x's broadcast summed to x's own sizes; nothing to do where the types say so.
Variable sum_like(const Variable& gradient, const Variable& x);

/// All elements of an integer vector at run time.
Sizes read_sizes(const TensorRef& vector);
/// Reads a real scalar or an element of a vector at run time.
double real_at(const TensorRef& x, int64_t position = 0);
bool is_contiguous(const TensorRef& x);
/// x as an array that does not own its memory.
Array array_of(const TensorRef& x);

// --- kernels

/// The element at `position` of a table where `condition` holds, else zero. Positions may be
/// anything where it does not hold, and the table may be empty.
kernel::Scalar load_where(kernel::Builder& b, int table, kernel::Scalar condition,
                          std::span<const kernel::Scalar> position);
/// The element of a table that broadcasts to the index space `index` (aligned at the last axes).
kernel::Scalar load_broadcast(kernel::Builder& b, int table, const TensorType& type,
                              std::span<const kernel::Scalar> index);
/// The only element of a rank 0 table, as int64.
kernel::Scalar load_integer(kernel::Builder& b, int table);

}  // namespace croton
