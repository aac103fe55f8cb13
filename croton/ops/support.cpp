#include "croton/ops/support.hpp"

#include "croton/graph/elements.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
void take_integers(TypeContext& context, size_t i, int rank, std::string_view what) {
    const auto& type = context.type(i);
    if (!is_integer(type.dtype) || type.rank() != rank)
        fail(ErrorKind::Type, context.op.name, ": ", what, " must be an integer ",
             rank == 0 ? "scalar" : "vector", ", not ", type.text());
    types::convert(context, i, DType::Int64);
}
}  // namespace

void take_int_scalar(TypeContext& context, size_t i, std::string_view what) {
    take_integers(context, i, 0, what);
}
void take_int_vector(TypeContext& context, size_t i, std::string_view what) {
    take_integers(context, i, 1, what);
}

void settle_weak(TypeContext& context, size_t i) {
    const auto& input = context.inputs[i];
    if (input.node().weak) types::convert(context, i, promote_weak(DType::Bool, input.dtype()));
}

int64_t take_axis(TypeContext& context, std::string_view attribute, int rank) {
    auto& axis = context.attr<int64_t>(attribute);
    return axis = normalize_axis(axis, rank, context.op.name);
}

Ints hints_of(const TensorType& type) {
    Ints hints;
    for (Dim dim : type.dims) hints.push_back(dim.known() ? dim.size() : -1);
    return hints;
}

Dims dims_of_hints(const Ints& hints) {
    Dims dims;
    for (int64_t size : hints) dims.push_back(size < 0 ? Dim() : Dim(size));
    return dims;
}

Variable sizes_of(const Variable& x) {
    Ints hints = hints_of(x.type());
    for (int64_t size : hints)
        if (size < 0) return shape(x);
    auto rank = static_cast<int64_t>(hints.size());
    return constant(Array::of(hints, {rank}), x.site());
}

Variable size_along(const Variable& x, int64_t axis) {
    Dim dim = x.type().dims[static_cast<size_t>(axis)];
    return dim.known() ? constant(Array::scalar(dim.size()), x.site()) : size_of(x, axis);
}

Variable sum_of_sizes(const Arg& x, const Arg& y) {
    const Array *a = constant_value(x.variable()), *b = constant_value(y.variable());
    if (a && b) return constant(Array::scalar(a->item<int64_t>() + b->item<int64_t>()), x.site());
    if (a && a->item<int64_t>() == 0) return y.variable();
    return add(x, y);
}

Variable product_of_sizes(const Arg& x, const Arg& y) {
    const Array *a = constant_value(x.variable()), *b = constant_value(y.variable());
    if (a && b) return constant(Array::scalar(a->item<int64_t>() * b->item<int64_t>()), x.site());
    if (a && a->item<int64_t>() == 1) return y.variable();
    return mul(x, y);
}

Variable sum_like(const Variable& gradient, const Variable& x) {
    const auto &from = gradient.type().dims, &to = x.type().dims;
    bool same = from.size() == to.size();
    for (size_t i = 0; same && i < to.size(); ++i) same = from[i].certainly_equals(to[i]);
    return same ? gradient : sum_to(gradient, x);
}

Sizes read_sizes(const TensorRef& vector) {
    Sizes sizes;
    for (int64_t i = 0; i < vector.shape[0]; ++i) sizes.push_back(vector.integer(i));
    return sizes;
}

double real_at(const TensorRef& x, int64_t position) { return real_element(x, position); }

bool is_contiguous(const TensorRef& x) { return array_of(x).contiguous(); }

Array array_of(const TensorRef& x) {
    return Array::view(x.dtype, x.shape, x.strides, x.data, nullptr);
}

kernel::Scalar load_where(kernel::Builder& b, int table, kernel::Scalar condition,
                          std::span<const kernel::Scalar> position) {
    using kernel::Scalar;
    std::vector<Scalar> safe;
    for (size_t axis = 0; axis < position.size(); ++axis) {
        Scalar size = b.size(table, static_cast<int>(axis));
        Scalar zero = b.like(size, 0);
        Scalar inside = b.maximum(b.minimum(position[axis], size - 1), zero);
        safe.push_back(b.select(b.eq(size, zero), b.like(size, kernel::nowhere), inside));
    }
    Scalar value = b.load_at(table, safe);
    return b.select(condition, value, b.like(value, 0));
}

kernel::Scalar load_broadcast(kernel::Builder& b, int table, const TensorType& type,
                              std::span<const kernel::Scalar> index) {
    using kernel::Scalar;
    size_t rank = type.dims.size(), skipped = index.size() - rank;
    std::vector<Scalar> position;
    for (size_t axis = 0; axis < rank; ++axis) {
        Scalar at = index[skipped + axis], zero = b.like(at, 0);
        Dim dim = type.dims[axis];
        if (dim.is_one())
            at = zero;
        else if (!dim.known())
            at = b.select(b.eq(b.size(table, static_cast<int>(axis)), b.like(at, 1)), zero, at);
        position.push_back(at);
    }
    return b.load_at(table, position);
}

kernel::Scalar load_integer(kernel::Builder& b, int table) {
    return b.cast(b.load_at(table, {}), DType::Int64);
}

}  // namespace croton
