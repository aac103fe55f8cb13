#include "croton/ops/linalg.hpp"

#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using types::Types;

namespace {
// --- matrix_product and gemm --------------------------------------------------------------------

void check_numbers(const TypeContext& c, DType dtype) {
    if (is_bool(dtype))
        fail(ErrorKind::Type, c.op.name, " is not defined for bool; cast to a number first");
}

Dims product_dims(const TypeContext& c, const TensorType& a, const TensorType& b) {
    if (a.rank() < 2 || b.rank() < 2)
        fail(ErrorKind::Type, c.op.name, " takes matrices (at least two axes), not ", a.text(),
             " and ", b.text());
    size_t ra = a.dims.size(), rb = b.dims.size();
    Dim k = a.dims[ra - 1], other = b.dims[rb - 2];
    if (k.known() && other.known() && !(k == other))
        fail(ErrorKind::Shape, "cannot multiply ", a.text(), " by ", b.text(), ": ", k.size(),
             " columns meet ", other.size(), " rows");
    Dims lead_a(a.dims.begin(), a.dims.end() - 2), lead_b(b.dims.begin(), b.dims.end() - 2);
    Dims dims = broadcast_dims(lead_a, lead_b);
    dims.push_back(a.dims[ra - 2]);
    dims.push_back(b.dims[rb - 1]);
    return dims;
}

Types product_type(TypeContext& c) {
    DType dtype = types::unify(c);
    check_numbers(c, dtype);
    return {{dtype, product_dims(c, c.type(0), c.type(1))}};
}

Sizes product_sizes(const Sizes& a, const Sizes& b) {
    size_t ra = a.size(), rb = b.size(), rank = std::max(ra, rb);
    bool fits = a[ra - 1] == b[rb - 2];
    Sizes out(rank, 1);
    for (size_t i = 0; i + 2 < rank; ++i) {
        int64_t x = i + ra < rank ? 1 : a[i + ra - rank], y = i + rb < rank ? 1 : b[i + rb - rank];
        fits &= x == y || x == 1 || y == 1;
        out[i] = x == 1 ? y : x;
    }
    if (!fits)
        fail(ErrorKind::Shape, "cannot multiply matrices of shapes ", shape_text(a), " and ",
             shape_text(b));
    out[rank - 2] = a[ra - 2];
    out[rank - 1] = b[rb - 1];
    return out;
}

void product_shape(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = product_sizes(in[0].shape, in[1].shape);
}

Cotangents product_pullback(const Pullback& p) {
    const auto &a = p.input(0), &b = p.input(1);
    Cotangents result(2);
    if (p.wanted[0]) result[0] = sum_like(matrix_product(p.seed(), matrix_transpose(b)), a);
    if (p.wanted[1]) result[1] = sum_like(matrix_product(matrix_transpose(a), p.seed()), b);
    return result;
}

const OpRecord matrix_product_record{
    .name = "matrix_product",
    .doc = "Products of matrices, which are the last two axes; leading axes broadcast.",
    .arguments = {{"a"}, {"b"}},
    .type = product_type,
    .compute = ContractCompute{product_shape, ContractCompute::Kind::MatMul},
    .pullback = product_pullback,
    .pushforward =
        [](const Pushforward& p) {
            Variable result;
            if (p.tangent(0)) result = matrix_product(p.tangent(0), p.input(1));
            if (p.tangent(1)) {
                Variable second = matrix_product(p.input(0), p.tangent(1));
                result = result ? add(result, second) : second;
            }
            return Variables{result};
        },
    .onnx = "MatMul",
};

Types gemm_type(TypeContext& c) {
    for (size_t i = 3; i < 5; ++i)
        if (c.type(i).rank() != 0)
            fail(ErrorKind::Type, "alpha and beta of gemm are scalars, not ", c.type(i).text());
    DType dtype = types::unify(c);
    check_numbers(c, dtype);
    Dims dims = product_dims(c, c.type(0), c.type(1));
    const auto& given = c.type(2).dims;
    if (given.size() != dims.size())
        fail(ErrorKind::Type, "gemm: the addend has ", given.size(), " axes, the product ",
             dims.size());
    for (size_t i = 0; i < dims.size(); ++i) {
        if (dims[i].known() && given[i].known() && !(dims[i] == given[i]))
            fail(ErrorKind::Shape, "gemm: the addend has ", given[i].size(), " elements in axis ",
                 i, ", the product ", dims[i].size());
        if (!dims[i].known() && !given[i].unknown()) dims[i] = given[i];
    }
    return {{dtype, dims}};
}

void gemm_shape(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = product_sizes(in[0].shape, in[1].shape);
    if (!(out[0] == in[2].shape))
        fail(ErrorKind::Shape, "gemm: the addend has shape ", shape_text(in[2].shape),
             ", the product ", shape_text(out[0]));
}

Cotangents gemm_pullback(const Pullback& p) {
    const auto &a = p.input(0), &b = p.input(1), &alpha = p.input(3), &beta = p.input(4);
    Cotangents result(5);
    Variable scaled = mul(alpha, p.seed());
    if (p.wanted[0]) result[0] = sum_like(matrix_product(scaled, matrix_transpose(b)), a);
    if (p.wanted[1]) result[1] = sum_like(matrix_product(matrix_transpose(a), scaled), b);
    if (p.wanted[2]) result[2] = mul(beta, p.seed());
    if (p.wanted[3]) result[3] = sum(mul(p.seed(), matrix_product(a, b)));
    if (p.wanted[4]) result[4] = sum(mul(p.seed(), p.input(2)));
    return result;
}

const OpRecord gemm_record{
    .name = "gemm",
    .doc = "beta * c + alpha * (a @ b), in one call of a library.",
    .arguments = {{"a"}, {"b"}, {"c"}, {"alpha"}, {"beta"}},
    .type = gemm_type,
    .compute = ContractCompute{gemm_shape, ContractCompute::Kind::Gemm},
    .pullback = gemm_pullback,
    .onnx = "Gemm",
};

// --- what is made of them -----------------------------------------------------------------------

// The type of a composite is that of its expansion.
template <Variable (*expand)(const Variables&, const AttrView&)>
Types expanded_type(TypeContext& c) {
    check_numbers(c, types::unify(c));
    return {expand(c.inputs, c.view()).type()};
}
template <Variable (*expand)(const Variables&, const AttrView&)>
ExpandCompute expansion() {
    return {[](const Node& node) { return Variables{expand(node.inputs, attrs_of(node))}; }};
}

Variable as_row(const Variable& x) { return expand_dims(x, 0); }
Variable as_column(const Variable& x) { return expand_dims(x, 1); }

Variable expand_matmul(const Variables& in, const AttrView&) {
    const auto &a = in[0], &b = in[1];
    if (a.rank() == 0 || b.rank() == 0)
        fail(ErrorKind::Type, "matmul takes vectors and matrices, not scalars; use mul");
    Variable product =
        matrix_product(a.rank() == 1 ? as_row(a) : a, b.rank() == 1 ? as_column(b) : b);
    Ints dropped;
    if (a.rank() == 1) dropped.push_back(product.rank() - 2);
    if (b.rank() == 1) dropped.push_back(product.rank() - 1);
    return dropped.empty() ? product : squeeze(product, dropped);
}

Variable product_of_axes(const Variable& x, const Ints& axes) {
    Variable count = constant(Array::scalar(int64_t{1}), x.site());
    for (int64_t axis : axes) count = product_of_sizes(count, size_along(x, axis));
    return count;
}

Ints other_axes(int rank, const Ints& axes) {
    Ints others;
    for (int64_t axis = 0; axis < rank; ++axis)
        if (std::find(axes.begin(), axes.end(), axis) == axes.end()) others.push_back(axis);
    return others;
}

Variable moved(const Variable& x, const Ints& first, const Ints& last) {
    Ints order = first;
    order.insert(order.end(), last.begin(), last.end());
    bool same = std::is_sorted(order.begin(), order.end());
    return same ? x : dimshuffle(x, order);
}

// Both operands as matrices, one product, and the free axes back.
Variable sum_over_axes(const Variable& a, const Variable& b, const Ints& axes_a,
                       const Ints& axes_b) {
    Ints free_a = other_axes(a.rank(), axes_a), free_b = other_axes(b.rank(), axes_b);
    Variable left = reshape(moved(a, free_a, axes_a),
                            ShapeArg{product_of_axes(a, free_a), product_of_axes(a, axes_a)});
    Variable right = reshape(moved(b, axes_b, free_b),
                             ShapeArg{product_of_axes(b, axes_b), product_of_axes(b, free_b)});
    Args sizes;
    for (int64_t axis : free_a) sizes.push_back(size_along(a, axis));
    for (int64_t axis : free_b) sizes.push_back(size_along(b, axis));
    return reshape(matrix_product(left, right), ShapeArg(sizes));
}

Variable expand_dot(const Variables& in, const AttrView& attrs) {
    const auto &a = in[0], &b = in[1];
    if (a.rank() == 0 || b.rank() == 0) return mul(a, b);
    if (a.rank() == 1 && b.rank() == 1) return cast(sum(mul(a, b)), a.dtype());
    bool plain = a.rank() <= 2 && b.rank() <= 2;
    if (plain || a.rank() == 1 || b.rank() == 1) return expand_matmul(in, attrs);
    return sum_over_axes(a, b, {a.rank() - 1}, {b.rank() - 2});
}

Types dot_type(TypeContext& c) {
    if (c.type(0).rank() == 0 || c.type(1).rank() == 0) {
        types::unify(c);
        return {expand_dot(c.inputs, c.view()).type()};
    }
    return expanded_type<expand_dot>(c);
}

const OpRecord dot_record{
    .name = "dot",
    .doc = "NumPy's dot: the last axis of a summed with the second last (or only) axis of b.",
    .arguments = {{"a"}, {"b"}},
    .type = dot_type,
    .compute = expansion<expand_dot>(),
};

const OpRecord matmul_record{
    .name = "matmul",
    .doc =
        "NumPy's @: products of matrices over broadcast leading axes; a vector stands for a row "
        "on the left and for a column on the right.",
    .arguments = {{"a"}, {"b"}},
    .type = expanded_type<expand_matmul>,
    .compute = expansion<expand_matmul>(),
};

Variable expand_tensordot(const Variables& in, const AttrView& attrs) {
    return sum_over_axes(in[0], in[1], attrs.get<Ints>("axes_a"), attrs.get<Ints>("axes_b"));
}

Types tensordot_type(TypeContext& c) {
    for (size_t i = 0; i < 2; ++i) {
        auto& axes = c.attr<Ints>(i == 0 ? "axes_a" : "axes_b");
        for (auto& axis : axes) axis = normalize_axis(axis, c.type(i).rank(), "tensordot");
        Ints sorted = axes;
        std::sort(sorted.begin(), sorted.end());
        if (auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
            fail(ErrorKind::Value, "tensordot: axis ", *twice, " is given twice");
    }
    const auto &first = c.attr<Ints>("axes_a"), &second = c.attr<Ints>("axes_b");
    if (first.size() != second.size())
        fail(ErrorKind::Value, "tensordot: ", first.size(), " axes of a and ", second.size(),
             " of b cannot be paired");
    for (size_t i = 0; i < first.size(); ++i) {
        Dim x = c.type(0).dims[static_cast<size_t>(first[i])];
        Dim y = c.type(1).dims[static_cast<size_t>(second[i])];
        if (x.known() && y.known() && !(x == y))
            fail(ErrorKind::Shape, "tensordot: axis ", first[i], " of a has ", x.size(),
                 " elements, axis ", second[i], " of b ", y.size());
    }
    return expanded_type<expand_tensordot>(c);
}

const OpRecord tensordot_record{
    .name = "tensordot",
    .doc = "Products summed over pairs of axes; the other axes of a come before those of b.",
    .arguments = {{"a"}, {"b"}},
    .attributes = {{"axes_a", Ints{}, true, "axes of a"}, {"axes_b", Ints{}, true, "axes of b"}},
    .type = tensordot_type,
    .compute = expansion<expand_tensordot>(),
};

Variable expand_outer(const Variables& in, const AttrView&) {
    return mul(as_column(ravel(in[0])), as_row(ravel(in[1])));
}

const OpRecord outer_record{
    .name = "outer",
    .doc = "All products of an element of a and an element of b, both flattened.",
    .arguments = {{"a"}, {"b"}},
    .type = expanded_type<expand_outer>,
    .compute = expansion<expand_outer>(),
};

Variable expand_batched_dot(const Variables& in, const AttrView&) {
    const auto &a = in[0], &b = in[1];
    if (a.rank() < 2 || b.rank() < 2 || a.rank() > 3 || b.rank() > 3)
        fail(ErrorKind::Type,
             "batched_dot takes batches of vectors and matrices (2 or 3 axes), not ",
             a.type().text(), " and ", b.type().text());
    Variable product = matrix_product(a.rank() == 2 ? expand_dims(a, 1) : a,
                                      b.rank() == 2 ? expand_dims(b, 2) : b);
    Ints dropped;
    if (a.rank() == 2) dropped.push_back(1);
    if (b.rank() == 2) dropped.push_back(2);
    return dropped.empty() ? product : squeeze(product, dropped);
}

const OpRecord batched_dot_record{
    .name = "batched_dot",
    .doc = "dot of each a[i] with b[i].",
    .arguments = {{"a"}, {"b"}},
    .type = expanded_type<expand_batched_dot>,
    .compute = expansion<expand_batched_dot>(),
};
}  // namespace

Variable matrix_product(Arg a, Arg b) { return apply_one(matrix_product_record, {a, b}); }
Variable gemm(Arg a, Arg b, Arg c, Arg alpha, Arg beta) {
    return apply_one(gemm_record, {a, b, c, alpha, beta});
}
Variable dot(Arg a, Arg b) { return apply_one(dot_record, {a, b}); }
Variable matmul(Arg a, Arg b) { return apply_one(matmul_record, {a, b}); }
Variable tensordot(Arg a, Arg b, Axes axes_a, Axes axes_b) {
    return apply_one(tensordot_record, {a, b}, {{"axes_a", axes_a}, {"axes_b", axes_b}});
}

Variable tensordot(Arg given, Arg second, int count) {
    return composed("tensordot", given, [&](const Variable& a) {
        const Variable& b = second;
        if (count < 0 || count > a.rank() || count > b.rank())
            fail(ErrorKind::Value, "tensordot: ", a.type().text(), " and ", b.type().text(),
                 " do not have ", count, " axes each");
        Ints last, first;
        for (int axis = 0; axis < count; ++axis) {
            last.push_back(a.rank() - count + axis);
            first.push_back(axis);
        }
        return tensordot(a, b, last, first);
    });
}

Variable outer(Arg a, Arg b) { return apply_one(outer_record, {a, b}); }
Variable batched_dot(Arg a, Arg b) { return apply_one(batched_dot_record, {a, b}); }
Variable trace(Arg given, int64_t offset) {
    return composed("trace", given,
                    [&](const Variable& x) { return sum(diagonal(x, offset), -1); });
}

namespace families {
Family linalg() {
    return {&matrix_product_record, &gemm_record,  &dot_record,        &matmul_record,
            &tensordot_record,      &outer_record, &batched_dot_record};
}
}  // namespace families

}  // namespace croton
