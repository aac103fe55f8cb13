// Parts of arrays: reading and updating them.
#include "croton/ops/index.hpp"

#include <algorithm>
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

const Rules& index() {
    static const Rules rules = {};
    return rules;
}

namespace {
// Whether the item takes all of an axis of that size, whatever it says. `stop` is what its stop is
// where that is an input.
bool takes_all(Arena& arena, const IndexItem& item, Dim size, std::optional<Value> stop) {
    static const OpRecord* size_of_op = record("size_of");
    if (item.whole()) return true;
    if (item.kind != IndexItem::Kind::Slice) return false;
    bool steps = item.step == Bound{} || item.step == Bound{Bound::Kind::Number, 1};
    bool from_front = item.start == Bound{} || item.start == Bound{Bound::Kind::Number, 0};
    if (!steps || !from_front) return false;
    if (item.stop.kind == Bound::Kind::None) return true;
    if (item.stop.kind == Bound::Kind::Number)
        return size.known() && item.stop.value >= size.size();
    if (!stop || !made_by(arena, *stop, size_of_op)) return false;
    auto axis = static_cast<size_t>(arena.attr_view(stop->node).get<int64_t>("axis"));
    return size.certainly_equals(arena.type(arena.inputs(stop->node)[0]).dims[axis]);
}

// x[:, 0:] is x.
Variables drop_full_slices(Arena& arena, NodeId id) {
    Value x = arena.inputs(id)[0];
    IndexItems items = parse_index(arena.attr_view(id).get<std::string>("index"));
    for (size_t axis = 0; axis < items.size(); ++axis) {
        const Bound& end = items[axis].stop;
        std::optional<Value> stop;
        if (end.kind == Bound::Kind::Input)
            stop = arena.inputs(id)[1 + static_cast<size_t>(end.value)];
        if (!takes_all(arena, items[axis], arena.type(x).dims[axis], stop)) return {};
    }
    return {arena.variable(x)};
}

// x[0] of an axis that has one element only drops the axis.
Variables drop_axes_of_one(Arena& arena, NodeId id) {
    Value x = arena.inputs(id)[0];
    IndexItems items = parse_index(arena.attr_view(id).get<std::string>("index"));
    Ints kept;
    for (size_t axis = 0; axis < items.size(); ++axis) {
        const auto& item = items[axis];
        bool first = item.kind == IndexItem::Kind::Integer &&
                     item.start.kind == Bound::Kind::Number &&
                     (item.start.value == 0 || item.start.value == -1);
        if (item.whole())
            kept.push_back(static_cast<int64_t>(axis));
        else if (!first || !arena.type(x).dims[axis].is_one())
            return {};
    }
    if (kept.size() == items.size()) return {};
    return {with_sizes(dimshuffle(arena.variable(x), kept), arena.type({id, 0}).dims)};
}

// x[::-1][::-1] is x.
Variables reverse_twice(Arena& arena, NodeId id) {
    static const OpRecord* subtensor_op = record("subtensor");
    Value inner = arena.inputs(id)[0];
    if (!made_by(arena, inner, subtensor_op)) return {};
    auto reversed = [](const IndexItem& item) {
        return item.kind == IndexItem::Kind::Slice && item.start == Bound{} &&
               item.stop == Bound{} && item.step == Bound{Bound::Kind::Number, -1};
    };
    IndexItems first = parse_index(arena.attr_view(inner.node).get<std::string>("index")),
               second = parse_index(arena.attr_view(id).get<std::string>("index")), both;
    if (first.size() != second.size()) return {};
    bool any = false;
    for (size_t axis = 0; axis < first.size(); ++axis) {
        bool a = reversed(first[axis]), b = reversed(second[axis]);
        if ((!a && !first[axis].whole()) || (!b && !second[axis].whole())) return {};
        IndexItem item;
        if (a != b) item.step = {Bound::Kind::Number, -1};
        both.push_back(item);
        any |= a && b;
    }
    if (!any) return {};
    bool nothing =
        std::all_of(both.begin(), both.end(), [](const IndexItem& item) { return item.whole(); });
    Variable x = input_of(arena, inner, 0);
    return {with_sizes(nothing ? x : subtensor(x, {}, index_text(both)), arena.type({id, 0}).dims)};
}

// x[rows][:, 2:5] looks up shorter rows: x[:, 2:5][rows]. Positions are still checked.
Variables part_of_lookup(Arena& arena, NodeId id) {
    static const OpRecord* take_op = record("take");
    Value lookup = arena.inputs(id)[0];
    if (!made_by(arena, lookup, take_op) || arena.use_count(lookup.node) != 1) return {};
    Value x = arena.inputs(lookup.node)[0];
    size_t positions = arena.inputs(lookup.node).size() - 1;
    auto axis = static_cast<size_t>(arena.attr_view(lookup.node).get<int64_t>("axis"));
    size_t whole = static_cast<size_t>(arena.type(x).rank());
    IndexItems items = parse_index(arena.attr_view(id).get<std::string>("index")), cut;
    size_t looked_up = items.size() - (whole - positions);  // axes that the positions make
    int64_t dropped = 0;
    for (size_t i = 0; i < items.size(); ++i) {
        bool between = i >= axis && i < axis + looked_up;
        if (between && !items[i].whole()) return {};
        if (i == axis)
            for (size_t k = 0; k < positions; ++k) cut.push_back({});
        if (between) continue;
        if (i < axis) dropped += items[i].kind == IndexItem::Kind::Integer;
        cut.push_back(items[i]);
    }
    while (cut.size() < whole) cut.push_back({});
    Args bounds, where;
    for (size_t i = 1; i < arena.inputs(id).size(); ++i)
        bounds.push_back(input_of(arena, {id, 0}, i));
    for (size_t i = 1; i <= positions; ++i) where.push_back(input_of(arena, lookup, i));
    Variable made = gather(subtensor(arena.variable(x), bounds, index_text(cut)), where,
                           static_cast<int64_t>(axis) - dropped,
                           arena.attr_view(lookup.node).get<std::string>("mode"));
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// --- what is added at positions of nothing but zeros: the gradient of a lookup -------------------

// put(zeros, y, indices, "add"), if nobody else wants the dense array.
bool scattered(Arena& arena, Value v) {
    static const OpRecord* put_op = record("put");
    if (arena.kind(v.node) != NodeKind::Apply || arena.op(v.node) != put_op ||
        arena.use_count(v.node) != 1 || arena.attr_view(v.node).get<std::string>("mode") != "add")
        return false;
    return all_zero(arena, arena.inputs(v.node)[0]);
}

// The same put with another array to add to and other values.
Variable put_again(Arena& arena, Value v, const Variable& base, const Variable& values) {
    Variables inputs{base, values};
    const auto& old = arena.inputs(v.node);
    for (size_t i = 2; i < old.size(); ++i) inputs.push_back(arena.variable(old[i]));
    return apply_like(arena.variable(v).node(), std::move(inputs))[0];
}
Variable base_of(Arena& arena, Value v) { return arena.variable(arena.inputs(v.node)[0]); }
Variable values_of(Arena& arena, Value v) { return arena.variable(arena.inputs(v.node)[1]); }

// w + put(zeros, y, i) is put(w, y, i): only the rows that are named are touched.
Variables add_in_place_of_zeros(Arena& arena, NodeId id) {
    static const OpRecord *add_op = find_op("add"), *sub_op = find_op("sub");
    bool subtracts = arena.op(id) == sub_op;
    if ((!subtracts && arena.op(id) != add_op) || arena.inputs(id).size() != 2) return {};
    if (!is_continuous(arena.type({id, 0}).dtype)) return {};
    for (size_t side = subtracts ? 1 : 0; side < 2; ++side) {
        Value put = arena.inputs(id)[side], other = arena.inputs(id)[1 - side];
        if (!scattered(arena, put) || !sized_like(arena, put, id) || !sized_like(arena, other, id))
            continue;
        Variable values = values_of(arena, put);
        return {put_again(arena, put, arena.variable(other), subtracts ? -values : values)};
    }
    return {};
}

// Scaling moves to the values: by a number that is known to be finite, since 0 * inf is no zero.
Variables scale_before_scatter(Arena& arena, NodeId id) {
    static const OpRecord *neg_op = find_op("neg"), *mul_op = find_op("mul"),
                          *div_op = find_op("div");
    const OpRecord* op = arena.op(id);
    const auto& inputs = arena.inputs(id);
    if (op == neg_op && scattered(arena, inputs[0]))
        return {
            put_again(arena, inputs[0], base_of(arena, inputs[0]), -values_of(arena, inputs[0]))};
    if ((op != mul_op && op != div_op) || inputs.size() != 2) return {};
    for (size_t side = 0; side < (op == mul_op ? 2u : 1u); ++side) {
        Value put = inputs[side], factor = inputs[1 - side];
        const Array* number = arena.constant(factor);
        if (!number || number->rank() != 0 || !is_floating(number->dtype()) ||
            !std::isfinite(number->item<double>()) || (op == div_op && number->item<double>() == 0))
            continue;
        if (!scattered(arena, put) || arena.type(put).dtype != arena.type({id, 0}).dtype) continue;
        Variable values = values_of(arena, put), by = arena.variable(factor);
        return {
            put_again(arena, put, base_of(arena, put), op == mul_op ? values * by : values / by)};
    }
    return {};
}
}  // namespace

std::vector<NodeRule> index_node_rules() {
    auto reads = about({"subtensor"});
    return {
        NodeRule{"whole slice", drop_full_slices, reads},
        NodeRule{"position of an axis of one", drop_axes_of_one, reads},
        NodeRule{"reversed twice", reverse_twice, reads, below({"subtensor"})},
        NodeRule{"part of a lookup", part_of_lookup, reads, below({"take"})},
        NodeRule{"add at positions in place of zeros", add_in_place_of_zeros, about({"add", "sub"}),
                 below({"put"})},
        NodeRule{"scale before adding at positions", scale_before_scatter,
                 about({"neg", "mul", "div"}), below({"put"})},
    };
}

}  // namespace croton::rules
