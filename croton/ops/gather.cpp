#include <algorithm>
#include <cstring>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/index_parts.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using kernel::Builder;
using kernel::Scalar;
using types::Types;

namespace {
enum class Bounds : uint8_t { Raise, Wrap, Clip };

Bounds bounds_mode(const std::string& mode) {
    if (mode == "raise") return Bounds::Raise;
    if (mode == "wrap") return Bounds::Wrap;
    if (mode == "clip") return Bounds::Clip;
    fail(ErrorKind::Value, "the mode of take is \"raise\", \"wrap\" or \"clip\", not \"", mode,
         "\"");
}

// Checks the arrays of positions (inputs first..) and returns the broadcast of their sizes.
Dims take_positions(TypeContext& c, size_t first) {
    auto axis = static_cast<size_t>(take_axis(c, "axis", c.type(0).rank()));
    if (c.inputs.size() == first)
        fail(ErrorKind::Usage, c.op.name, " needs at least one array of positions");
    for (size_t i = first; i < c.inputs.size(); ++i) {
        if (is_bool(c.type(i).dtype))
            fail(ErrorKind::Type, c.op.name,
                 " takes positions, not bools; index with the bool "
                 "array itself, or use the rows of nonzero");
        if (!is_integer(c.type(i).dtype))
            fail(ErrorKind::Type, c.op.name, " takes integer positions, not ",
                 dtype_name(c.type(i).dtype));
        settle_weak(c, i);
    }
    if (axis + c.inputs.size() - first > c.type(0).dims.size())
        fail(ErrorKind::Index, "too many indices: ", c.inputs.size() - first,
             " arrays of positions from axis ", axis, " of ", c.type(0).text());
    return types::broadcast_inputs(c, first);
}

// The sizes with those of the indexed axes replaced by those of the positions.
template <class List>
List replaced(const List& sizes, size_t axis, size_t count, const List& positions) {
    List result;
    for (size_t i = 0; i < axis; ++i) result.push_back(sizes[i]);
    for (auto size : positions) result.push_back(size);
    for (size_t i = axis + count; i < sizes.size(); ++i) result.push_back(sizes[i]);
    return result;
}

Sizes broadcast_positions(std::span<const TensorRef> indices) {
    size_t rank = 0;
    for (const auto& index : indices) rank = std::max(rank, index.shape.size());
    Sizes result(rank, 1);
    for (const auto& index : indices) {
        size_t skipped = rank - index.shape.size();
        for (size_t i = 0; i < index.shape.size(); ++i) {
            auto& size = result[skipped + i];
            int64_t here = index.shape[i];
            if (size != here && size != 1 && here != 1)
                fail(ErrorKind::Shape, "arrays of positions of shapes ",
                     shape_text(indices[0].shape), " and ", shape_text(index.shape),
                     " do not broadcast together");
            if (size == 1) size = here;
        }
    }
    return result;
}

// A position that counts from the end made plain, if that is in bounds.
Scalar wrapped(Builder& b, Scalar at, Scalar size, Bounds mode) {
    Scalar zero = b.like(at, 0);
    if (mode == Bounds::Wrap) return b.floor_mod(at, size);
    if (mode == Bounds::Clip) return b.maximum(b.minimum(at, size - 1), zero);
    Scalar from_end = at + size;
    Scalar counts_back = b.bit_and(b.lt(at, zero), b.ge(from_end, zero));
    return b.select(counts_back, from_end, at);
}

// --- take ---------------------------------------------------------------------------------------

Types take_type(TypeContext& c) {
    settle_weak(c, 0);
    bounds_mode(c.attr<std::string>("mode"));
    Dims positions = take_positions(c, 1);
    const auto& x = c.type(0);
    auto axis = static_cast<size_t>(c.attr<int64_t>("axis"));
    return {{x.dtype, replaced(x.dims, axis, c.inputs.size() - 1, positions)}};
}

void take_shape(const AttrView& attrs, std::span<const TensorRef> in, std::span<Sizes> out) {
    auto axis = static_cast<size_t>(attrs.get<int64_t>("axis"));
    auto indices = in.subspan(1);
    out[0] = replaced(in[0].shape, axis, indices.size(), broadcast_positions(indices));
}

Scalar take_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                 const Node& node) {
    AttrView attrs = attrs_of(node);
    auto axis = static_cast<size_t>(attrs.get<int64_t>("axis"));
    Bounds mode = bounds_mode(attrs.get<std::string>("mode"));
    size_t count = tables.size() - 1, rank = node.inputs[0].type().dims.size();
    auto own = index.subspan(axis, index.size() - (rank - count));
    std::vector<Scalar> position(index.begin(), index.begin() + static_cast<long>(axis));
    for (size_t k = 0; k < count; ++k) {
        Scalar at = load_broadcast(b, tables[k + 1], node.inputs[k + 1].type(), own);
        Scalar size = b.size(tables[0], static_cast<int>(axis + k));
        position.push_back(wrapped(b, b.cast(at, DType::Int64), size, mode));
    }
    for (size_t i = axis + own.size(); i < index.size(); ++i) position.push_back(index[i]);
    return b.load_at(tables[0], position);
}

Args inputs_from(const DerivativeContext& p, size_t first) {
    Args result;
    for (size_t i = first; i < p.input_count(); ++i) result.push_back(p.input(i));
    return result;
}

// Positions as put understands them: inside of the array.
Args plain_positions(const Pullback& p, size_t first) {
    Args indices = inputs_from(p, first);
    Bounds mode = bounds_mode(p.attr<std::string>("mode"));
    if (mode == Bounds::Raise) return indices;
    for (size_t k = 0; k < indices.size(); ++k) {
        Variable size = size_along(p.input(), p.attr<int64_t>("axis") + static_cast<int64_t>(k));
        const auto& at = indices[k].variable();
        indices[k] = mode == Bounds::Wrap ? mod(at, size) : maximum(minimum(at, sub(size, 1)), 0);
    }
    return indices;
}

// An array of positions that counts up along an axis is nearly always as long as what it indexes.
std::vector<std::array<InputAxis, 2>> counted_axes(const Node& node, size_t first) {
    std::vector<std::array<InputAxis, 2>> pairs;
    auto axis = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
    for (size_t i = first; i < node.inputs.size(); ++i) {
        const Variable& v = node.inputs[i];
        if (counts_from_zero(v)) pairs.push_back({{{i, 0}, {0, axis + i - first}}});
        if (!is_dimshuffle(v) || !counts_from_zero(v.input(0))) continue;
        const auto& order = attrs_of(v.node()).get<Ints>("order");
        for (size_t at = 0; at < order.size(); ++at)
            if (order[at] == 0) pairs.push_back({{{i, at}, {0, axis + i - first}}});
    }
    return pairs;
}

const OpRecord take_record{
    .name = "take",
    .doc =
        "Elements at integer positions along an axis, or at pairs (triples, ...) of positions "
        "along several axes in a row.",
    .arguments = {{"x"}, {"indices", Accepts::Any, true}},
    .attributes = {{"axis", int64_t{0}, false, "the (first) indexed axis"},
                   {"mode", std::string("raise"), false, "out of bounds: raise, wrap or clip"}},
    .type = take_type,
    .compute = IndexedCompute{take_shape, take_emit},
    .pullback =
        [](const Pullback& p) {
            Cotangents result(p.input_count());
            result[0] = put(zeros_like(p.input()), p.seed(), plain_positions(p, 1),
                            p.attr<int64_t>("axis"), "add");
            return result;
        },
    .pushforward =
        [](const Pushforward& p) {
            if (!p.tangent()) return Variables{Variable()};
            return Variables{gather(p.tangent(), inputs_from(p, 1), p.attr<int64_t>("axis"),
                                    p.attr<std::string>("mode"))};
        },
    .onnx = "Gather",
    .likely_equal = [](const Node& node) { return counted_axes(node, 1); },
};

// --- put ----------------------------------------------------------------------------------------

Types put_type(TypeContext& c) {
    settle_weak(c, 0);
    write_mode(c.attr<std::string>("mode"));
    Dims positions = take_positions(c, 2);
    auto axis = static_cast<size_t>(c.attr<int64_t>("axis"));
    Dims selected = replaced(c.type(0).dims, axis, c.inputs.size() - 2, positions);
    take_written_value(c, 0, 1, selected);
    return {c.type(0)};
}

// Adds to the byte offset of each position what one array of positions has to say, in C order.
template <class T>
void add_offsets(std::vector<int64_t>& offsets, const TensorRef& index, const Sizes& shape,
                 size_t axis, int64_t size, int64_t stride) {
    Sizes strides = broadcast_strides(index, shape, "positions"), outer = shape;
    auto first = static_cast<const char*>(index.data);
    int64_t count = 1, step = 0;
    if (!outer.empty()) {
        count = outer.back();
        step = strides.back();
        outer.pop_back();
    }
    Walk<1> walk(outer, {&strides});
    int64_t* to = offsets.data();
    do {
        const char* from = first + walk.offsets[0];
        for (int64_t i = 0; i < count; ++i, from += step) {
            T read;
            std::memcpy(&read, from, sizeof read);
            auto given = convert_number<int64_t>(read);
            int64_t at = given < 0 ? given + size : given;
            if (at < 0 || at >= size) fail_out_of_bounds(given, axis, size);
            *to++ += at * stride;
        }
    } while (walk.next());
}

// Byte offset of every position into an array of that shape, in C order.
std::vector<int64_t> position_offsets(const TensorRef& array, size_t axis,
                                      std::span<const TensorRef> indices, const Sizes& shape) {
    std::vector<int64_t> result(static_cast<size_t>(element_count(shape)), 0);
    if (result.empty()) return result;
    for (size_t k = 0; k < indices.size(); ++k)
        visit_dtype(indices[k].dtype, [&](auto tag) {
            add_offsets<decltype(tag)>(result, indices[k], shape, axis + k, array.shape[axis + k],
                                       array.strides[axis + k]);
        });
    return result;
}

// Everything that can be wrong, found before anything is written.
struct Placed {
    Sizes positions, along, across;
    std::vector<int64_t> offsets;

    Placed(const AttrView& attrs, std::span<const TensorRef> inputs, const TensorRef& array) {
        auto indices = inputs.subspan(2);
        auto axis = static_cast<size_t>(attrs.get<int64_t>("axis"));
        positions = broadcast_positions(indices);
        offsets = position_offsets(array, axis, indices, positions);
        Sizes selected = replaced(array.shape, axis, indices.size(), positions);
        Sizes from = broadcast_strides(inputs[1], selected, "writing at positions of an array");
        for (size_t i = 0; i < from.size(); ++i)
            (i >= axis && i < axis + positions.size() ? along : across).push_back(from[i]);
    }
};

void put_check(const AttrView& attrs, std::span<const TensorRef> inputs) {
    Placed(attrs, inputs, inputs[0]);
}

// One axis of positions, the first one of the array, and a row of y a position.
int put_row_input(const AttrView& attrs, std::span<const TensorType* const> inputs) {
    int most = 0;
    for (const TensorType* index : inputs.subspan(2)) most = std::max(most, index->rank());
    const int replaced = static_cast<int>(inputs.size()) - 2;
    bool rows = attrs.get<int64_t>("axis") == 0 && most == 1 &&
                inputs[1]->rank() == inputs[0]->rank() - replaced + 1;
    return rows ? 1 : -1;
}

// A vector's elements into a new vector: what gradients of picked elements come to.
bool plain_sum(const ExternCall& call) {
    const TensorRef &out = call.outputs[0], &index = call.inputs[2];
    return call.inputs.size() == 3 && out.shape.size() == 1 && index.shape.size() == 1 &&
           (index.dtype == DType::Int64 || index.dtype == DType::Int32) &&
           out.data != call.inputs[0].data && out.strides[0] == dtype_size(out.dtype) &&
           write_mode(call.attrs.get<std::string>("mode")) == Write::Add;
}

void put_run(ExternCall& call) {
    auto& out = call.outputs[0];
    if (plain_sum(call)) {
        const TensorRef &y = call.inputs[1], &index = call.inputs[2];
        Sizes step = broadcast_strides(y, index.shape, "writing at positions of an array");
        copy_elements(out, call.inputs[0]);
        return add_elements_at(out, index, {y.data, call.source}, step[0]);
    }
    Placed placed(call.attrs, call.inputs, out);
    if (out.data != call.inputs[0].data) copy_elements(out, call.inputs[0]);
    // One part (all axes but the indexed ones) a position.
    auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
    size_t indexed = call.inputs.size() - 2;
    TensorRef part{out.dtype, replaced(out.shape, axis, indexed, Sizes{}),
                   replaced(out.strides, axis, indexed, Sizes{}), out.data};
    Array all = Array::view(out.dtype, out.shape, out.strides, out.data, nullptr);
    write_parts(part, placed.offsets, {call.inputs[1].data, call.source}, placed.positions,
                placed.along, placed.across, write_mode(call.attrs.get<std::string>("mode")),
                all.contiguous() ? all.nbytes() : 0);
}

const OpRecord put_record{
    .name = "put",
    .doc =
        "The array with y written (mode \"set\") or added (\"add\") at integer positions. "
        "Repeated positions add up; when set, the last one counts, and the gradient takes the "
        "positions as different.",
    .arguments = {{"x"}, {"y"}, {"indices", Accepts::Any, true}},
    .attributes = {{"axis", int64_t{0}, false, "the (first) indexed axis"},
                   {"mode", std::string("set"), false, "\"set\" or \"add\""}},
    .type = put_type,
    .compute = ExternCompute{[](const AttrView&, std::span<const TensorRef> in,
                                std::span<Sizes> out) { out[0] = in[0].shape; },
                             put_run, 0, put_check, 2, put_row_input},
    .pullback =
        [](const Pullback& p) {
            auto axis = p.attr<int64_t>("axis");
            Args indices = inputs_from(p, 2);
            Cotangents result(p.input_count());
            result[0] = p.seed();
            if (write_mode(p.attr<std::string>("mode")) == Write::Set)
                result[0] = put(p.seed(), 0, indices, axis, "set");
            result[1] = sum_like(gather(p.seed(), indices, axis, "raise"), p.input(1));
            return result;
        },
    .onnx = "ScatterND",
    .likely_equal = [](const Node& node) { return counted_axes(node, 2); },
};

// --- position_along -----------------------------------------------------------------------------

Types position_type(TypeContext& c) {
    settle_weak(c, 0);
    settle_weak(c, 1);
    take_axis(c, "axis", c.type(0).rank());
    return {{DType::Int64, c.type(1).dims}};
}

// The element at the position is read, whatever it is: that finds out whether there is one.
Scalar position_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                     const Node& node) {
    auto axis = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
    Scalar zero = b.constant(DType::Int64, 0);
    std::vector<Scalar> place;
    for (int i = 0; i < node.inputs[0].rank(); ++i)
        place.push_back(b.select(b.eq(b.size(tables[0], i), zero),
                                 b.constant(DType::Int64, kernel::nowhere), zero));
    Scalar at = b.cast(load_broadcast(b, tables[1], node.inputs[1].type(), index), DType::Int64);
    at = wrapped(b, at, b.size(tables[0], static_cast<int>(axis)), Bounds::Raise);
    place[axis] = at;
    b.load_at(tables[0], place);
    return at;
}

const OpRecord position_along_record{
    .name = "position_along",
    .doc = "Positions along an axis of x as they count from its front, checked to be in bounds.",
    .arguments = {{"x"}, {"indices", Accepts::Integer}},
    .attributes = {{"axis", int64_t{0}, true, "the axis that the positions are along"}},
    .type = position_type,
    .compute = IndexedCompute{[](const AttrView&, std::span<const TensorRef> in,
                                 std::span<Sizes> out) { out[0] = in[1].shape; },
                              position_emit},
    .pullback = [](const Pullback& p) { return Cotangents(p.input_count()); },
};

// --- take_along_axis ----------------------------------------------------------------------------

Types along_type(TypeContext& c) {
    settle_weak(c, 0);
    settle_weak(c, 1);
    const auto &x = c.type(0), &at = c.type(1);
    auto axis = static_cast<size_t>(take_axis(c, "axis", x.rank()));
    if (at.rank() != x.rank())
        fail(ErrorKind::Type, "take_along_axis: the positions have ", at.rank(),
             " axes, the array ", x.rank());
    TensorType out = x;
    for (size_t i = 0; i < out.dims.size(); ++i) {
        Dim have = x.dims[i], index = at.dims[i];
        if (i == axis)
            out.dims[i] = index;
        else if (have.known() && index.known() && !index.is_one() && !(have == index))
            fail(ErrorKind::Shape, "take_along_axis: the positions have ", index.size(),
                 " elements in axis ", i, ", the array ", have.size());
        else if (!have.known() && index.known() && !index.is_one())
            out.dims[i] = index;
    }
    return {out};
}

void along_shape(const AttrView& attrs, std::span<const TensorRef> in, std::span<Sizes> out) {
    auto axis = static_cast<size_t>(attrs.get<int64_t>("axis"));
    out[0] = in[0].shape;
    out[0][axis] = in[1].shape[axis];
    for (size_t i = 0; i < out[0].size(); ++i)
        if (i != axis && in[1].shape[i] != 1 && in[1].shape[i] != in[0].shape[i])
            fail(ErrorKind::Shape, "take_along_axis: positions of shape ", shape_text(in[1].shape),
                 " do not fit an array of shape ", shape_text(in[0].shape));
}

Scalar along_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                  const Node& node) {
    auto axis = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
    Scalar at = b.cast(load_broadcast(b, tables[1], node.inputs[1].type(), index), DType::Int64);
    std::vector<Scalar> position(index.begin(), index.end());
    position[axis] = wrapped(b, at, b.size(tables[0], static_cast<int>(axis)), Bounds::Raise);
    return b.load_at(tables[0], position);
}

Cotangents along_pullback(const Pullback& p) {
    const auto& x = p.input();
    auto axis = p.attr<int64_t>("axis");
    Args positions;
    for (int64_t i = 0; i < x.rank(); ++i) {
        if (i == axis) {
            positions.push_back(p.input(1));
            continue;
        }
        Ints order(static_cast<size_t>(x.rank()), new_axis);
        order[static_cast<size_t>(i)] = 0;
        positions.push_back(dimshuffle(arange(size_along(x, i)), order));
    }
    return {put(zeros_like(x), p.seed(), positions, 0, "add"), {}};
}

const OpRecord take_along_axis_record{
    .name = "take_along_axis",
    .doc =
        "One element along the axis for each element of `indices`, whose other axes run along "
        "those of x.",
    .arguments = {{"x"}, {"indices", Accepts::Integer}},
    .attributes = {{"axis", int64_t{-1}, true, "the indexed axis"}},
    .type = along_type,
    .compute = IndexedCompute{along_shape, along_emit},
    .pullback = along_pullback,
    .onnx = "GatherElements",
    .likely_equal =
        [](const Node& node) {
            std::vector<std::array<InputAxis, 2>> pairs;
            auto along = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
            for (size_t i = 0; i < node.inputs[1].type().dims.size(); ++i)
                if (i != along && !node.inputs[1].type().dims[i].is_one())
                    pairs.push_back({{{1, i}, {0, i}}});
            return pairs;
        },
};

// --- nonzero ------------------------------------------------------------------------------------

void nonzero_run(ExternCall& call) {
    Array x = array_of(call.inputs[0]).cast(DType::Bool).contiguous_copy();
    auto flags = static_cast<const bool*>(x.data());
    int64_t size = x.size(), count = std::count(flags, flags + size, true), n = 0;
    call.allocate(0, {x.rank(), count});
    auto out = static_cast<int64_t*>(call.outputs[0].data);
    for (int64_t i = 0; i < size; ++i) {
        if (!flags[i]) continue;
        int64_t rest = i;
        for (int axis = x.rank(); axis-- > 0; rest /= x.shape(axis))
            out[axis * count + n] = rest % x.shape(axis);
        ++n;
    }
}

const OpRecord nonzero_record{
    .name = "nonzero",
    .doc = "Positions of the nonzero elements in C order: one row an axis, one column an element.",
    .arguments = {{"x"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            if (c.type(0).rank() == 0)
                fail(ErrorKind::Type, "nonzero takes an array, not a scalar");
            return Types{{DType::Int64, {Dim(c.type(0).rank()), Dim()}}};
        },
    .compute = ExternCompute{nullptr, nonzero_run},
    .pullback = [](const Pullback&) { return Cotangents(1); },
    .onnx = "NonZero",
};
}  // namespace

const OpRecord& take_op() { return take_record; }
const OpRecord& take_along_axis_op() { return take_along_axis_record; }
Family gather_records() {
    return {&take_record, &put_record, &take_along_axis_record, &position_along_record,
            &nonzero_record};
}

Variable take(Arg x, Arg indices, Given<int64_t> axis, Given<std::string> mode) {
    return apply_one(take_record, {x, indices}, {{"axis", axis}, {"mode", mode}});
}

Variable gather(Arg x, const Args& indices, Given<int64_t> axis, Given<std::string> mode) {
    Args inputs{x};
    inputs.insert(inputs.end(), indices.begin(), indices.end());
    return apply_one(take_record, inputs, {{"axis", axis}, {"mode", mode}});
}

Variable put(Arg x, Arg y, const Args& indices, Given<int64_t> axis, Given<std::string> mode) {
    Args inputs{x, y};
    inputs.insert(inputs.end(), indices.begin(), indices.end());
    return apply_one(put_record, inputs, {{"axis", axis}, {"mode", mode}});
}

Variable take_along_axis(Arg x, Arg indices, Given<int64_t> axis) {
    return apply_one(take_along_axis_record, {x, indices}, {{"axis", axis}});
}

Variable position_along(Arg x, Arg indices, Given<int64_t> axis) {
    return apply_one(position_along_record, {x, indices}, {{"axis", axis}});
}

Variable nonzero(Arg x) { return apply_one(nonzero_record, {x}); }

}  // namespace croton
