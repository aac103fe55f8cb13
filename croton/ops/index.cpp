#include "croton/ops/index.hpp"

#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index_parts.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using types::Types;

Write write_mode(const std::string& mode) {
    if (mode == "set") return Write::Set;
    if (mode == "add") return Write::Add;
    fail(ErrorKind::Value, "the mode of writing is \"set\" or \"add\", not \"", mode, "\"");
}

void take_written_value(TypeContext& c, size_t x, size_t y, const Dims& selected) {
    DType into = c.type(x).dtype, from = c.type(y).dtype;
    bool number_fits = c.inputs[y].node().weak && dtype_family(from) <= dtype_family(into);
    if (!number_fits && dtype_family(from) > dtype_family(into))
        fail(ErrorKind::Type, "cannot write ", dtype_name(from), " into an array of ",
             dtype_name(into), "; cast the array or the value first");
    types::convert(c, y, into);
    const auto& dims = c.type(y).dims;
    if (dims.size() > selected.size())
        fail(ErrorKind::Shape, "cannot write a value of ", dims.size(), " axes into a part of ",
             selected.size());
    size_t skipped = selected.size() - dims.size();
    for (size_t i = 0; i < dims.size(); ++i) {
        Dim have = dims[i], want = selected[skipped + i];
        if (have.known() && want.known() && !have.is_one() && !(have == want))
            fail(ErrorKind::Shape, "cannot write ", have.size(), " elements into ", want.size(),
                 " in axis ", i, " of the value");
    }
}

namespace {
// --- type rules ---------------------------------------------------------------------------------

// Bounds that are constants go into the text, the others become int64 scalars; one item an axis.
// `first` is the number of the input that belongs to the first '$'.
IndexItems take_index(TypeContext& c, size_t first) {
    auto& text = c.attr<std::string>("index");
    IndexItems items = parse_index(text);
    int rank = c.type(0).rank();
    if (static_cast<int>(items.size()) > rank)
        fail(ErrorKind::Index, "too many indices: ", items.size(), " for ", c.type(0).text(),
             ", which has ", rank, rank == 1 ? " axis" : " axes");
    items.resize(static_cast<size_t>(rank));
    Variables kept(c.inputs.begin(), c.inputs.begin() + static_cast<long>(first));
    size_t next = first;
    auto settle = [&](Bound& bound) {
        if (bound.kind != Bound::Kind::Input) return;
        if (next >= c.inputs.size())
            fail(ErrorKind::Usage, "the index \"", text, "\" names more bounds than there are");
        take_int_scalar(c, next, "a bound of an index");
        const Variable& input = c.inputs[next++];
        if (const Array* value = constant_value(input)) {
            bound = {Bound::Kind::Number, value->item<int64_t>()};
        } else {
            bound.value = static_cast<int64_t>(kept.size() - first);
            kept.push_back(input);
        }
    };
    for (auto& item : items) {
        if (item.kind == IndexItem::Kind::Array || item.kind == IndexItem::Kind::NewAxis)
            fail(ErrorKind::Value, c.op.name, " takes integers and slices, not '", text, "'");
        settle(item.start);
        settle(item.stop);
        settle(item.step);
        if (item.step == Bound{Bound::Kind::Number, 0})
            fail(ErrorKind::Value, "the step of a slice cannot be zero");
        if (item.step == Bound{Bound::Kind::Number, 1}) item.step = {};
        if (item.kind == IndexItem::Kind::Slice && item.step == Bound{} &&
            item.start == Bound{Bound::Kind::Number, 0})
            item.start = {};
    }
    if (next != c.inputs.size())
        fail(ErrorKind::Usage, "the index \"", text, "\" names ", next - first, " bounds, not ",
             c.inputs.size() - first);
    c.inputs = std::move(kept);
    text = index_text(items);
    return items;
}

[[noreturn]] void fail_bounds(int64_t position, size_t axis, int64_t size) {
    fail(ErrorKind::Index, "index ", position, " is out of bounds for axis ", axis, " of size ",
         size);
}

std::optional<int64_t> number_of(const Bound& bound) {
    if (bound.kind == Bound::Kind::Number) return bound.value;
    return {};
}

Dim slice_dim(const IndexItem& item, Dim size) {
    bool reversed = item.start == Bound{} && item.stop == Bound{} &&
                    item.step == Bound{Bound::Kind::Number, -1};
    if (item.whole() || reversed) return size;
    for (const Bound& bound : {item.start, item.stop, item.step})
        if (bound.kind == Bound::Kind::Input) return Dim();
    if (!size.known()) return Dim();
    int64_t step = number_of(item.step).value_or(1);
    return Dim(slice_range(number_of(item.start), number_of(item.stop), step, size.size()).length);
}

Dims selected_dims(const Dims& dims, const IndexItems& items) {
    Dims result;
    for (size_t axis = 0; axis < dims.size(); ++axis) {
        if (items[axis].kind == IndexItem::Kind::Slice) {
            result.push_back(slice_dim(items[axis], dims[axis]));
        } else if (auto at = number_of(items[axis].start); at && dims[axis].known()) {
            int64_t size = dims[axis].size();
            if (*at < -size || *at >= size) fail_bounds(*at, axis, size);
        }
    }
    return result;
}

// --- at run time --------------------------------------------------------------------------------

TensorRef select(const TensorRef& x, const IndexItems& items, std::span<const TensorRef> bounds) {
    TensorRef out{x.dtype, {}, {}, x.data};
    auto value = [&](const Bound& bound) -> std::optional<int64_t> {
        if (bound.kind == Bound::Kind::Input)
            return bounds[static_cast<size_t>(bound.value)].integer();
        return number_of(bound);
    };
    int64_t offset = 0;
    bool empty = false;
    for (size_t axis = 0; axis < items.size(); ++axis) {
        const auto& item = items[axis];
        int64_t size = x.shape[axis], stride = x.strides[axis];
        if (item.kind == IndexItem::Kind::Integer) {
            int64_t given = *value(item.start), at = given < 0 ? given + size : given;
            if (at < 0 || at >= size) fail_bounds(given, axis, size);
            offset += at * stride;
            continue;
        }
        int64_t step = value(item.step).value_or(1);
        if (step == 0) fail(ErrorKind::Value, "the step of a slice cannot be zero");
        auto range = slice_range(value(item.start), value(item.stop), step, size);
        empty |= range.length == 0;
        offset += range.length == 0 ? 0 : range.first * stride;
        out.shape.push_back(range.length);
        out.strides.push_back(range.length <= 1 ? stride : step * stride);
    }
    if (!empty) out.data = static_cast<char*>(x.data) + offset;
    return out;
}

bool subtensor_view(const AttrView& attrs, std::span<const TensorRef> in, TensorRef& out) {
    out = select(in[0], parse_index(attrs.get<std::string>("index")), in.subspan(1));
    return true;
}

void set_index_check(const AttrView& attrs, std::span<const TensorRef> inputs) {
    auto items = parse_index(attrs.get<std::string>("index"));
    TensorRef part = select(inputs[0], items, inputs.subspan(2));
    broadcast_strides(inputs[1], part.shape, "writing into a part of an array");
}

void set_index_run(ExternCall& call) {
    auto& out = call.outputs[0];
    if (out.data != call.inputs[0].data) copy_elements(out, call.inputs[0]);
    auto items = parse_index(call.attrs.get<std::string>("index"));
    TensorRef part = select(out, items, call.inputs.subspan(2));
    const auto& y = call.inputs[1];
    Sizes strides = broadcast_strides(y, part.shape, "writing into a part of an array");
    write_elements(part, y.data, strides, write_mode(call.attrs.get<std::string>("mode")));
}

void shape_of_first(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = in[0].shape;
}

// --- records ------------------------------------------------------------------------------------

Args bounds_of(const DerivativeContext& p, size_t first) {
    Args bounds;
    for (size_t i = first; i < p.input_count(); ++i) bounds.push_back(p.input(i));
    return bounds;
}

Cotangents subtensor_pullback(const Pullback& p) {
    Cotangents result(p.input_count());
    result[0] = set_index(zeros_like(p.input()), p.seed(), bounds_of(p, 1),
                          p.attr<std::string>("index"), "add");
    return result;
}

const OpRecord subtensor_record{
    .name = "subtensor",
    .doc = "Part of an array by integers and slices, a view of its memory.",
    .arguments = {{"x"}, {"bounds", Accepts::Integer, true}},
    .attributes = {{"index", std::string(), true, "one item an axis; '$' is the next bound"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            IndexItems items = take_index(c, 1);
            return Types{{c.type(0).dtype, selected_dims(c.type(0).dims, items)}};
        },
    .compute = ViewCompute{subtensor_view},
    .pullback = subtensor_pullback,
    .pushforward =
        [](const Pushforward& p) {
            if (!p.tangent()) return Variables{Variable()};
            return Variables{subtensor(p.tangent(), bounds_of(p, 1), p.attr<std::string>("index"))};
        },
    .onnx = "Slice",
};

Cotangents set_index_pullback(const Pullback& p) {
    const auto& index = p.attr<std::string>("index");
    Cotangents result(p.input_count());
    result[0] = p.seed();
    if (write_mode(p.attr<std::string>("mode")) == Write::Set)
        result[0] = set_index(p.seed(), 0, bounds_of(p, 2), index, "set");
    result[1] = sum_like(subtensor(p.seed(), bounds_of(p, 2), index), p.input(1));
    return result;
}

const OpRecord set_index_record{
    .name = "set_index",
    .doc = "The array with a part of it replaced by y, or y added to that part.",
    .arguments = {{"x"}, {"y"}, {"bounds", Accepts::Integer, true}},
    .attributes = {{"index", std::string(), true, "one item an axis; '$' is the next bound"},
                   {"mode", std::string("set"), false, "\"set\" or \"add\""}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            write_mode(c.attr<std::string>("mode"));
            IndexItems items = take_index(c, 2);
            take_written_value(c, 0, 1, selected_dims(c.type(0).dims, items));
            return Types{c.type(0)};
        },
    .compute = ExternCompute{shape_of_first, set_index_run, 0, set_index_check, 2},
    .pullback = set_index_pullback,
};

Args joined(Args first, const Args& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
}
}  // namespace

const OpRecord& subtensor_op() { return subtensor_record; }
Family basic_index_records() { return {&subtensor_record, &set_index_record}; }

Variable subtensor(Arg x, const Args& bounds, Given<std::string> index) {
    return apply_one(subtensor_record, joined({x}, bounds), {{"index", index}});
}
Variable set_index(Arg x, Arg y, const Args& bounds, Given<std::string> index,
                   Given<std::string> mode) {
    return apply_one(set_index_record, joined({x, y}, bounds), {{"index", index}, {"mode", mode}});
}

}  // namespace croton
