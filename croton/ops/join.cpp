// Arrays joined, cut apart, repeated and rolled.
#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/strided.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using kernel::Builder;
using kernel::Scalar;
using types::Types;

namespace {
Types concatenate_type(TypeContext& c) {
    if (c.inputs.empty()) fail(ErrorKind::Usage, "concatenate needs at least one array");
    DType dtype = types::unify(c);
    TensorType out{dtype, c.type(0).dims};
    if (out.rank() == 0)
        fail(ErrorKind::Type, "scalars cannot be concatenated; stack makes a vector of them");
    auto axis = static_cast<size_t>(take_axis(c, "axis", out.rank()));
    for (size_t k = 1; k < c.inputs.size(); ++k) {
        const auto& dims = c.type(k).dims;
        if (dims.size() != out.dims.size())
            fail(ErrorKind::Type, "concatenate: input ", k, " has ", dims.size(), " axes, not ",
                 out.rank());
        for (size_t i = 0; i < dims.size(); ++i) {
            Dim &merged = out.dims[i], next = dims[i];
            if (i == axis)
                merged = merged.known() && next.known() ? Dim(merged.size() + next.size()) : Dim();
            else if (merged.known() && next.known() && !(merged == next))
                fail(ErrorKind::Shape, "concatenate along axis ", axis, ": input ", k, " has ",
                     next.size(), " elements in axis ", i, ", input 0 has ", merged.size());
            else if (next.known() || merged.unknown())
                merged = next;
        }
    }
    return {out};
}

void concatenate_shape(const AttrView& attrs, std::span<const TensorRef> in, std::span<Sizes> out) {
    auto axis = static_cast<size_t>(attrs.get<int64_t>("axis"));
    out[0] = in[0].shape;
    for (size_t k = 1; k < in.size(); ++k) {
        for (size_t i = 0; i < out[0].size(); ++i)
            if (i != axis && in[k].shape[i] != out[0][i])
                fail(ErrorKind::Shape, "concatenate along axis ", axis, ": input ", k, " has ",
                     in[k].shape[i], " elements in axis ", i, ", input 0 has ", in[0].shape[i],
                     " (shapes ", shape_text(in[k].shape), " and ", shape_text(in[0].shape), ")");
        out[0][axis] += in[k].shape[axis];
    }
}

// The last part that begins at or before the position has it: empty parts begin where their
// successor does, or after everything.
Scalar concatenate_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                        const Node& node) {
    auto axis = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
    std::vector<Scalar> position(index.begin(), index.end());
    Scalar start = b.constant(DType::Int64, 0), zero = start, result;
    for (size_t k = 0; k < tables.size(); ++k) {
        Dim dim = node.inputs[k].type().dims[axis];
        Scalar size = dim.known() ? b.constant(DType::Int64, dim.size())
                                  : b.size(tables[k], static_cast<int>(axis));
        Scalar inside = b.maximum(b.minimum(index[axis] - start, size - 1), zero);
        if (!dim.known() || dim.size() == 0)
            inside = b.select(b.eq(size, zero), b.like(size, kernel::nowhere), inside);
        position[axis] = inside;
        Scalar value = b.load_at(tables[k], position);
        result = k == 0 ? value : b.select(b.ge(index[axis], start), value, result);
        start = start + size;
    }
    return result;
}

// One part after the other, in rows as long as they come.
void concatenate_run(ExternCall& call) {
    auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
    TensorRef part = call.outputs[0];
    for (const auto& input : call.inputs) {
        part.shape[axis] = input.shape[axis];
        write_elements(part, input.data, input.strides, Write::Set);
        part.data = static_cast<char*>(part.data) + input.shape[axis] * part.strides[axis];
    }
}

// Where the pieces of those sizes begin, and where the last one ends.
Args bounds_of(const Variable& x, const std::vector<Arg>& sizes) {
    Args bounds{constant(Array::scalar(int64_t{0}), x.site())};
    for (const auto& size : sizes) bounds.push_back(sum_of_sizes(bounds.back(), size));
    return bounds;
}
Variables pieces(const Variable& x, const Args& bounds, size_t axis) {
    Variables parts;
    for (size_t i = 0; i + 1 < bounds.size(); ++i) {
        Index index(axis, everything);
        index.push_back(Slice(bounds[i], bounds[i + 1]));
        parts.push_back(at(Arg(x, x.site()), index));
    }
    return parts;
}

Cotangents concatenate_pullback(const Pullback& p) {
    auto axis = p.attr<int64_t>("axis");
    std::vector<Arg> sizes;
    for (size_t k = 0; k < p.input_count(); ++k) sizes.push_back(size_along(p.input(k), axis));
    return pieces(p.seed(), bounds_of(p.seed(), sizes), static_cast<size_t>(axis));
}

const OpRecord concatenate_record{
    .name = "concatenate",
    .doc = "Arrays joined along an axis they have.",
    .arguments = {{"parts", Accepts::Any, true}},
    .attributes = {{"axis", int64_t{0}, false, "the axis along which the parts follow each other"}},
    .type = concatenate_type,
    .compute = IndexedCompute{concatenate_shape, concatenate_emit, concatenate_run},
    .pullback = concatenate_pullback,
    .onnx = "Concat",
};

const OpRecord roll_record{
    .name = "roll",
    .doc = "Elements moved along an axis; what leaves at one end enters at the other.",
    .arguments = {{"x"}, {"shift", Accepts::Integer}},
    .attributes = {{"axis", int64_t{0}, false, "the axis along which elements move"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            take_int_scalar(c, 1, "the shift");
            take_axis(c, "axis", c.type(0).rank());
            return Types{c.type(0)};
        },
    .compute = IndexedCompute{[](const AttrView&, std::span<const TensorRef> in,
                                 std::span<Sizes> out) { out[0] = in[0].shape; },
                              [](Builder& b, std::span<const int> tables,
                                 std::span<const Scalar> index, const Node& node) {
                                  auto axis = attrs_of(node).get<int64_t>("axis");
                                  std::vector<Scalar> position(index.begin(), index.end());
                                  auto& moved = position[static_cast<size_t>(axis)];
                                  moved = b.floor_mod(moved - load_integer(b, tables[1]),
                                                      b.size(tables[0], static_cast<int>(axis)));
                                  return b.load_at(tables[0], position);
                              }},
    .pullback =
        [](const Pullback& p) {
            return Cotangents{roll(p.seed(), neg(p.input(1)), p.attr<int64_t>("axis")), {}};
        },
};
}  // namespace

Family join_records() { return {&concatenate_record, &roll_record}; }

Variable concatenate(const Args& parts, Given<int64_t> axis) {
    return apply_one(concatenate_record, parts, {{"axis", axis}});
}

Variable stack(const Args& parts, int64_t axis) {
    if (parts.empty()) fail(ErrorKind::Usage, "stack needs at least one array");
    return composed("stack", parts[0], [&](const Variable& first) {
        Args raised;
        for (const auto& part : parts) {
            if (part.variable().rank() != first.rank())
                fail(ErrorKind::Type, "stack: array ", raised.size(), " is ",
                     part.variable().type().text(), ", array 0 is ", first.type().text(),
                     "; all must have the same number of axes");
            raised.push_back(expand_dims(part, axis));
        }
        return concatenate(raised, axis);
    });
}

Variable roll(Arg x, Arg shift, Given<int64_t> axis) {
    return apply_one(roll_record, {x, shift}, {{"axis", axis}});
}

Variable tile(Arg given, const std::vector<Arg>& repeats) {
    return composed("tile", given, [&](const Variable& x) {
        int rank = std::max(x.rank(), static_cast<int>(repeats.size()));
        Variable whole = shape_padleft(x, rank - x.rank());
        Ints order;  // (n0, n1) becomes (1, n0, 1, n1), then (r0, n0, r1, n1)
        std::vector<Arg> spread, merged;
        for (int axis = 0; axis < rank; ++axis) {
            int given = axis - (rank - static_cast<int>(repeats.size()));
            Arg times = given < 0 ? Arg(1) : repeats[static_cast<size_t>(given)];
            Variable size = size_along(whole, axis);
            order.insert(order.end(), {new_axis, axis});
            spread.insert(spread.end(), {times, size});
            merged.push_back(product_of_sizes(times, size));
        }
        return reshape(broadcast_to(dimshuffle(whole, order), ShapeArg(spread)), ShapeArg(merged));
    });
}

Variable repeat(Arg given, Arg repeats, int64_t axis) {
    return composed("repeat", given, [&](const Variable& x) {
        axis = normalize_axis(axis, x.rank(), "repeat");
        std::vector<Arg> spread, merged;
        for (int64_t i = 0; i < x.rank(); ++i) {
            Variable size = size_along(x, i);
            spread.push_back(size);
            if (i == axis) spread.push_back(repeats);
            merged.push_back(i == axis ? product_of_sizes(size, repeats) : size);
        }
        return reshape(broadcast_to(expand_dims(x, axis + 1), ShapeArg(spread)), ShapeArg(merged));
    });
}

Variables split(Arg given, const std::vector<Arg>& sizes, int64_t axis) {
    return composed("split", given, [&](const Variable& x) {
        auto along = static_cast<size_t>(normalize_axis(axis, x.rank(), "split"));
        Args bounds = bounds_of(x, sizes);
        // Pieces that are not the whole are an error when running.
        Args whole(static_cast<size_t>(x.rank()), -1);
        whole[along] = bounds.back();
        return pieces(specify_shape(x, ShapeArg(whole)), bounds, along);
    });
}

Variables split(Arg given, const Variable& sizes, int count, int64_t axis) {
    return composed("split", given, [&](const Variable& x) {
        std::vector<Arg> each;
        for (int k = 0; k < count; ++k) each.push_back(at(sizes, {k}));
        return split(x, each, axis);
    });
}

Variable flip(Arg given, Ints axes) {
    return composed("flip", given, [&](const Variable& x) {
        Index index(static_cast<size_t>(x.rank()), everything);
        for (int64_t axis : axes)
            index[static_cast<size_t>(normalize_axis(axis, x.rank(), "flip"))] =
                Slice(std::nullopt, std::nullopt, -1);
        return at(x, index);
    });
}

}  // namespace croton
