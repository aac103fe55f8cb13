// Parts of arrays that are read: of other parts, of what is computed, joined, folded or written.
#include <algorithm>
#include <limits>

#include "croton/kernel/kernel.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
using Kind = IndexItem::Kind;
constexpr int64_t open_end = std::numeric_limits<int64_t>::max();

// A subtensor node taken apart.
struct Reading {
    Value whole;
    IndexItems items;  // one an axis of `whole`
    Variables bounds;  // what '$' stands for
};

std::optional<Reading> reading_of(Arena& arena, NodeId id) {
    static const OpRecord* subtensor_op = record("subtensor");
    if (arena.op(id) != subtensor_op) return {};
    Reading r{arena.inputs(id)[0], parse_index(arena.attr_view(id).get<std::string>("index")), {}};
    for (size_t i = 1; i < arena.inputs(id).size(); ++i)
        r.bounds.push_back(input_of(arena, {id, 0}, i));
    return r;
}

// x[items], which may leave out bounds that the reading has; x itself where nothing is cut.
Variable read(const Variable& x, IndexItems items, const Variables& bounds) {
    Args used;
    bool whole = true;
    for (auto& item : items) {
        whole &= item.whole();
        for (Bound* bound : {&item.start, &item.stop, &item.step}) {
            if (bound->kind != Bound::Kind::Input) continue;
            used.push_back(bounds[static_cast<size_t>(bound->value)]);
            bound->value = static_cast<int64_t>(used.size()) - 1;
        }
    }
    return whole ? x : subtensor(x, used, index_text(items));
}
bool drops(const IndexItem& item) { return item.kind == Kind::Integer; }

// --- of a part ----------------------------------------------------------------------------------

// What one item makes of another that was there before; nothing where that takes sizes to know.
std::optional<IndexItem> composed_item(const IndexItem& inner, const IndexItem& outer) {
    if (inner.whole()) return outer;
    if (outer.whole()) return inner;
    int64_t step = inner.step.kind == Bound::Kind::Number ? inner.step.value : 1;
    int64_t begin = begin_of(inner) + begin_of(outer) * step;
    if (drops(outer)) {
        if (begin >= end_of(inner)) return {};  // out of bounds, whatever the size
        IndexItem item;
        item.kind = Kind::Integer;
        item.start = {Bound::Kind::Number, begin};
        return item;
    }
    int64_t own = outer.step.kind == Bound::Kind::Number ? outer.step.value : 1;
    int64_t end = end_of(outer) == open_end ? open_end : begin_of(inner) + end_of(outer) * step;
    return slice_item(begin, std::min(end, end_of(inner)), step * own);
}

// x[2:][1:3] is x[3:5].
Variables read_of_read(Arena& arena, NodeId id) {
    auto outer = reading_of(arena, id);
    if (!outer || arena.kind(outer->whole.node) != NodeKind::Apply) return {};
    auto inner = reading_of(arena, outer->whole.node);
    if (!inner || !outer->bounds.empty() || !inner->bounds.empty()) return {};
    auto first = plain_items(inner->items, arena.type(inner->whole).dims);
    auto second = plain_items(outer->items, arena.type(outer->whole).dims);
    if (!first || !second) return {};
    IndexItems items;
    size_t next = 0;
    for (const auto& item : *first) {
        auto made = drops(item) ? std::optional(item) : composed_item(item, (*second)[next++]);
        if (!made) return {};
        items.push_back(*made);
    }
    Variable merged = read(arena.variable(inner->whole), items, {});
    return {with_sizes(merged, arena.type({id, 0}).dims)};
}

// --- of what is computed ------------------------------------------------------------------------

// The items for an input of an elementwise op; `cut` notes the axes that this input has whole.
std::optional<IndexItems> items_for(const Dims& own, const Dims& dims, const IndexItems& items,
                                    std::vector<bool>& cut) {
    size_t missing = dims.size() - own.size();
    IndexItems result;
    for (size_t axis = 0; axis < own.size(); ++axis) {
        IndexItem item = items[axis + missing];
        if (own[axis].certainly_equals(dims[axis + missing])) {
            cut[axis + missing] = true;
        } else if (own[axis].is_one()) {
            if (drops(item)) item.start = {Bound::Kind::Number, 0};
            if (!drops(item)) item = {};
        } else {
            return {};
        }
        result.push_back(item);
    }
    return result;
}

// f(x, y)[2:5] computes what is read only.
Variables read_of_computed(Arena& arena, NodeId id) {
    auto r = reading_of(arena, id);
    if (!r || arena.kind(r->whole.node) != NodeKind::Apply) return {};
    const OpRecord* op = arena.op(r->whole.node);
    if (!op->elementwise() || op->facts.impure || arena.use_count(r->whole.node) != 1) return {};
    const Dims& dims = arena.type(r->whole).dims;
    std::vector<bool> cut(dims.size(), false);
    Variables arguments;
    for (Value v : arena.inputs(r->whole.node)) {
        auto items = items_for(arena.type(v).dims, dims, r->items, cut);
        if (!items) return {};
        arguments.push_back(read(arena.variable(v), *items, r->bounds));
    }
    for (size_t axis = 0; axis < cut.size(); ++axis)
        if (!cut[axis] && !r->items[axis].whole()) return {};
    Variable made = apply_like(arena.variable(r->whole).node(), arguments)[0];
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// Where each axis lies once the axes that items drop are gone; -1: gone.
Ints left_axes(const IndexItems& items) {
    Ints places;
    int64_t next = 0;
    for (const auto& item : items) places.push_back(drops(item) ? -1 : next++);
    return places;
}

// x.T[2:5] is x[:, 2:5].T.
Variables read_of_dimshuffle(Arena& arena, NodeId id) {
    static const OpRecord* dimshuffle_op = record("dimshuffle");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, dimshuffle_op)) return {};
    Value x = arena.inputs(r->whole.node)[0];
    const Ints& order = arena.attr_view(r->whole.node).get<Ints>("order");
    IndexItems items(static_cast<size_t>(arena.type(x).rank()), IndexItem{});
    for (size_t axis = 0; axis < order.size(); ++axis) {
        const auto& item = r->items[axis];
        if (order[axis] >= 0) {
            items[static_cast<size_t>(order[axis])] = item;
            continue;
        }
        bool first = drops(item) && (item.start == Bound{Bound::Kind::Number, 0} ||
                                     item.start == Bound{Bound::Kind::Number, -1});
        if (!item.whole() && !first) return {};
    }
    Ints places = left_axes(items), kept;
    for (size_t axis = 0; axis < order.size(); ++axis)
        if (!drops(r->items[axis]))
            kept.push_back(order[axis] < 0 ? new_axis : places[static_cast<size_t>(order[axis])]);
    Variable made = dimshuffle(read(arena.variable(x), items, r->bounds), kept);
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// sum(x, axis 1)[2:5] folds the rows that are read only.
Variables read_of_reduction(Arena& arena, NodeId id) {
    auto r = reading_of(arena, id);
    if (!r || arena.kind(r->whole.node) != NodeKind::Apply) return {};
    const OpRecord* op = arena.op(r->whole.node);
    if (!op->kind<ReduceCompute>() || arena.use_count(r->whole.node) != 1) return {};
    auto attrs = arena.attr_view(r->whole.node);
    const Ints& axes = attrs.get<Ints>("axes");
    bool keepdims = attrs.get<bool>("keepdims");
    Value x = arena.inputs(r->whole.node)[0];
    IndexItems items;
    size_t next = 0;
    for (int64_t axis = 0; axis < arena.type(x).rank(); ++axis) {
        bool folded = std::find(axes.begin(), axes.end(), axis) != axes.end();
        if (folded && keepdims && !r->items[next++].whole()) return {};
        items.push_back(folded ? IndexItem{} : r->items[next++]);
    }
    Ints places = left_axes(items), folded;
    for (int64_t axis : axes) folded.push_back(places[static_cast<size_t>(axis)]);
    Variable part = read(arena.variable(x), items, r->bounds);
    Variable made = apply(*op, {part}, {{"axes", folded}, {"keepdims", keepdims}})[0];
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// full_like(x, c)[2:5] is full_like(x[2:5], c).
Variables read_of_full(Arena& arena, NodeId id) {
    static const OpRecord* full_like_op = record("full_like");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, full_like_op)) return {};
    Value x = arena.inputs(r->whole.node)[0];
    if (arena.type(x).dtype != arena.type({id, 0}).dtype) return {};
    Variable part = read(arena.variable(x), r->items, r->bounds);
    return {with_sizes(full_like(part, input_of(arena, r->whole, 1)), arena.type({id, 0}).dims)};
}

// A number spread over fewer places. (Positions may be out of bounds: only slices.)
Variables read_of_spread(Arena& arena, NodeId id) {
    static const OpRecord* broadcast_op = record("broadcast_to");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, broadcast_op)) return {};
    Variable value = input_of(arena, r->whole, 0), sizes = input_of(arena, r->whole, 1);
    if (value.rank() != 0) return {};
    Args lengths;
    for (size_t axis = 0; axis < r->items.size(); ++axis) {
        Variable n = subtensor(sizes, {}, std::to_string(axis));
        Variable length = length_of(r->items[axis], n);
        if (!length) return {};
        lengths.push_back(length);
    }
    return {with_sizes(full(ShapeArg(lengths), value), arena.type({id, 0}).dims)};
}

// dot(a, b)[2:5, 1:] needs rows of a and columns of b only.
Variables read_of_product(Arena& arena, NodeId id) {
    static const OpRecord* matmul_op = record("matmul");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, matmul_op) || arena.use_count(r->whole.node) != 1)
        return {};
    Value a = arena.inputs(r->whole.node)[0], b = arena.inputs(r->whole.node)[1];
    bool matrices = arena.type(a).rank() == 2 && arena.type(b).rank() == 2;
    if (!matrices || drops(r->items[0]) || drops(r->items[1])) return {};
    Variable rows = read(arena.variable(a), {r->items[0], IndexItem{}}, r->bounds);
    Variable columns = read(arena.variable(b), {IndexItem{}, r->items[1]}, r->bounds);
    return {with_sizes(matmul(rows, columns), arena.type({id, 0}).dims)};
}

// --- of what was written ------------------------------------------------------------------------

// Positions that are there in every call: reading past them cannot fail.
bool in_bounds(const IndexItems& items, const Dims& dims) {
    for (size_t axis = 0; axis < items.size(); ++axis)
        if (drops(items[axis]) &&
            !(dims[axis].known() && begin_of(items[axis]) < dims[axis].size()))
            return false;
    return true;
}

bool apart(const IndexItems& a, const IndexItems& b) {
    for (size_t axis = 0; axis < a.size(); ++axis)
        if (end_of(a[axis]) <= begin_of(b[axis]) || end_of(b[axis]) <= begin_of(a[axis]))
            return true;
    return false;
}

Variables read_of_write(Arena& arena, NodeId id) {
    static const OpRecord* set_index_op = record("set_index");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, set_index_op)) return {};
    NodeId write = r->whole.node;
    auto written = constant_index(arena, write);
    if (written) written = plain_items(*written, arena.type(r->whole).dims);
    bool safe = written && in_bounds(*written, arena.type(r->whole).dims);
    Variable base = input_of(arena, r->whole, 0), y = input_of(arena, r->whole, 1);
    if (same_part(arena, id, 1, write, 2)) {
        Variable part = read(base, r->items, r->bounds);
        part = with_sizes(part, arena.type({id, 0}).dims);
        if (arena.attr_view(write).get<std::string>("mode") == "add")
            return {part + fitted_to(y, part)};
        return safe ? Variables{fitted_to(y, part)} : Variables{};
    }
    auto items = constant_index(arena, id);
    if (items) items = plain_items(*items, arena.type(r->whole).dims);
    if (!safe || !items || !apart(*items, *written)) return {};
    return {with_sizes(read(base, r->items, r->bounds), arena.type({id, 0}).dims)};
}

// --- of what is joined --------------------------------------------------------------------------

// The part that holds all of the item, and where that begins in the whole; -1: it is not known.
int64_t part_holding(Arena& arena, Value join, size_t axis, const IndexItem& item,
                     int64_t& offset) {
    const auto& parts = arena.inputs(join.node);
    offset = 0;
    for (size_t k = 0; k < parts.size(); ++k) {
        Dim size = arena.type(parts[k]).dims[axis];
        bool last = k + 1 == parts.size();
        if (last && begin_of(item) >= offset) return static_cast<int64_t>(k);
        if (!size.known()) return -1;
        if (begin_of(item) < offset + size.size())
            return end_of(item) <= offset + size.size() ? static_cast<int64_t>(k) : -1;
        offset += size.size();
    }
    return -1;
}

// concatenate(a, b)[2:5] where all of that lies in one part; other axes are cut in each part.
Variables read_of_joined(Arena& arena, NodeId id) {
    static const OpRecord* concatenate_op = record("concatenate");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, concatenate_op)) return {};
    auto axis = static_cast<size_t>(arena.attr_view(r->whole.node).get<int64_t>("axis"));
    IndexItem& along = r->items[axis];
    if (along.whole()) {
        if (arena.use_count(r->whole.node) != 1) return {};
        Args parts;
        for (Value v : arena.inputs(r->whole.node))
            parts.push_back(read(arena.variable(v), r->items, r->bounds));
        int64_t place = left_axes(r->items)[axis];
        return {with_sizes(concatenate(parts, place), arena.type({id, 0}).dims)};
    }
    for (const Bound& bound : {along.start, along.stop, along.step})
        if (bound.kind == Bound::Kind::Input) return {};
    auto plain = plain_items({along}, {arena.type(r->whole).dims[axis]});
    if (!plain || end_of((*plain)[0]) <= begin_of((*plain)[0])) return {};
    int64_t offset = 0, k = part_holding(arena, r->whole, axis, (*plain)[0], offset);
    if (k < 0) return {};
    along = (*plain)[0];
    if (drops(along) || along.start.kind == Bound::Kind::Number) along.start.value -= offset;
    if (!drops(along) && along.stop.kind == Bound::Kind::Number) along.stop.value -= offset;
    Variable part = input_of(arena, r->whole, static_cast<size_t>(k));
    return {with_sizes(read(part, r->items, r->bounds), arena.type({id, 0}).dims)};
}

// make_vector(a, b, c)[1] is b.
Variables read_of_vector(Arena& arena, NodeId id) {
    static const OpRecord* make_vector_op = record("make_vector");
    auto r = reading_of(arena, id);
    if (!r || !made_by(arena, r->whole, make_vector_op)) return {};
    auto items = constant_index(arena, id);
    if (items) items = plain_items(*items, arena.type(r->whole).dims);
    if (!items) return {};
    const auto& item = (*items)[0];
    const auto& elements = arena.inputs(r->whole.node);
    auto count = static_cast<int64_t>(elements.size());
    auto element = [&](int64_t k) { return arena.variable(elements[static_cast<size_t>(k)]); };
    if (drops(item))
        return begin_of(item) < count ? Variables{element(begin_of(item))} : Variables{};
    int64_t step = item.step.kind == Bound::Kind::Number ? item.step.value : 1;
    Args kept;
    for (int64_t k = begin_of(item); k < std::min(count, end_of(item)); k += step)
        kept.push_back(element(k));
    return kept.empty() ? Variables{} : Variables{make_vector(kept)};
}

// take(x, i) of one position is a part of x: nothing is copied.
Variables take_of_one(Arena& arena, NodeId id) {
    static const OpRecord* take_op = record("take");
    if (arena.op(id) != take_op || arena.attr_view(id).get<std::string>("mode") != "raise")
        return {};
    const auto& inputs = arena.inputs(id);
    auto axis = static_cast<size_t>(arena.attr_view(id).get<int64_t>("axis"));
    IndexItems items(static_cast<size_t>(arena.type(inputs[0]).rank()), IndexItem{});
    Variables bounds;
    for (size_t k = 1; k < inputs.size(); ++k) {
        if (arena.type(inputs[k]).rank() != 0) return {};
        auto& item = items[axis + k - 1];
        item.kind = Kind::Integer;
        item.start = {Bound::Kind::Input, static_cast<int64_t>(bounds.size())};
        bounds.push_back(arena.variable(inputs[k]));
    }
    return {with_sizes(read(arena.variable(inputs[0]), items, bounds), arena.type({id, 0}).dims)};
}
}  // namespace

std::vector<NodeRule> reading_node_rules() {
    auto reads = about({"subtensor"});
    return {
        NodeRule{"part of a part", read_of_read, reads},
        NodeRule{"part of what is computed", read_of_computed, reads},
        NodeRule{"part of axes moved", read_of_dimshuffle, reads},
        NodeRule{"part of a reduction", read_of_reduction, reads},
        NodeRule{"part of one value", read_of_full, reads},
        NodeRule{"part of a number spread", read_of_spread, reads, below({"broadcast_to"})},
        NodeRule{"part of a product", read_of_product, reads},
        NodeRule{"part of what was written", read_of_write, reads},
        NodeRule{"part of a join", read_of_joined, reads},
        NodeRule{"element of a vector", read_of_vector, reads},
        NodeRule{"take of one position", take_of_one, about({"take"})},
    };
}

}  // namespace croton::rules
