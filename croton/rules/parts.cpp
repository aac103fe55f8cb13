#include "croton/rules/parts.hpp"

#include <algorithm>
#include <complex>
#include <limits>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/shape.hpp"

namespace croton::rules {

const OpRecord* record(std::string_view name) {
    const OpRecord* found = find_op(name);
    CROTON_ASSERT(found != nullptr);
    return found;
}

bool uses(Arena& arena, NodeId user, NodeId id) {
    const auto& inputs = arena.inputs(user);
    return arena.alive(user) &&
           std::any_of(inputs.begin(), inputs.end(), [&](Value v) { return v.node == id; });
}

bool sized_like(Arena& arena, Value v, NodeId whole) {
    const TensorType &a = arena.type(v), &b = arena.type({whole, 0});
    return a.dtype == b.dtype && rewrite::certainly_same(a.dims, b.dims);
}

Variable with_sizes(Variable fresh, const Dims& dims) {
    if (fresh.kind() != NodeKind::Apply) return fresh;
    Dims& own = fresh.node_pointer()->types[fresh.index()].dims;
    for (size_t i = 0; i < own.size() && own.size() == dims.size(); ++i)
        if (own[i].unknown()) own[i] = dims[i];
    return fresh;
}

Variable made_again(Arena& arena, Value v, Variables inputs) {
    Variable fresh = apply_like(arena.variable(v).node(), std::move(inputs))[v.index];
    return with_sizes(fresh, arena.type(v).dims);
}

bool all_zero(Arena& arena, Value v, Variable* like) {
    static const OpRecord *broadcast_op = record("broadcast_to"), *fill_op = record("fill"),
                          *full_like_op = record("full_like");
    if (like) *like = arena.variable(v);
    if (arena.kind(v.node) == NodeKind::Apply) {
        bool shaped = arena.op(v.node) == fill_op, full = arena.op(v.node) == full_like_op;
        if (!shaped && !full && arena.op(v.node) != broadcast_op) return false;
        if (like && full) *like = input_of(arena, v, 0);
        v = arena.inputs(v.node)[shaped || full ? 1 : 0];
    }
    const Array* zero = arena.constant(v);
    return zero && zero->size() == 1 &&
           zero->cast(DType::Complex128).item<std::complex<double>>() == 0.0;
}

// --- indices ------------------------------------------------------------------------------------

std::optional<IndexItems> constant_index(Arena& arena, NodeId id) {
    IndexItems items = parse_index(arena.attr_view(id).get<std::string>("index"));
    for (const auto& item : items)
        for (const Bound& bound : {item.start, item.stop, item.step})
            if (bound.kind == Bound::Kind::Input) return {};
    return items;
}

std::optional<IndexItems> plain_items(IndexItems items, const Dims& dims) {
    for (size_t axis = 0; axis < items.size(); ++axis) {
        auto& item = items[axis];
        Dim size = dims[axis];
        if (item.step.kind == Bound::Kind::Number && item.step.value <= 0) return {};
        for (Bound* bound : {&item.start, &item.stop}) {
            if (bound->kind != Bound::Kind::Number || bound->value >= 0) continue;
            if (!size.known()) return {};
            bound->value += size.size();
            if (bound->value >= 0) continue;
            if (item.kind == IndexItem::Kind::Integer) return {};
            bound->value = 0;
        }
        bool to_the_end = item.kind == IndexItem::Kind::Slice && size.known() &&
                          item.stop.kind == Bound::Kind::Number && item.stop.value >= size.size();
        if (to_the_end) item.stop = {};
    }
    return items;
}

int64_t begin_of(const IndexItem& item) {
    return item.start.kind == Bound::Kind::Number ? item.start.value : 0;
}
int64_t end_of(const IndexItem& item) {
    if (item.kind == IndexItem::Kind::Integer) return item.start.value + 1;
    return item.stop.kind == Bound::Kind::Number ? item.stop.value
                                                 : std::numeric_limits<int64_t>::max();
}
IndexItem slice_item(int64_t begin, int64_t end, int64_t step) {
    IndexItem item;
    if (begin != 0) item.start = {Bound::Kind::Number, begin};
    if (end != std::numeric_limits<int64_t>::max()) item.stop = {Bound::Kind::Number, end};
    if (step != 1) item.step = {Bound::Kind::Number, step};
    return item;
}

namespace {
// Where a bound lies in an axis of n elements.
Variable place(const Bound& bound, const Variable& n) {
    return bound.value < 0 ? maximum(n + bound.value, 0) : minimum(n, bound.value);
}
}  // namespace

Variable length_of(const IndexItem& item, const Variable& n) {
    if (item.whole()) return n;
    bool numbers = item.start.kind != Bound::Kind::Input && item.stop.kind != Bound::Kind::Input;
    bool single = item.step == Bound{} || item.step == Bound{Bound::Kind::Number, 1};
    if (item.kind != IndexItem::Kind::Slice || !numbers || !single) return {};
    Variable stop = item.stop == Bound{} ? n : place(item.stop, n);
    return item.start == Bound{} ? stop : maximum(stop - place(item.start, n), 0);
}

bool same_part(Arena& arena, NodeId a, size_t first_a, NodeId b, size_t first_b) {
    const auto &one = arena.inputs(a), &other = arena.inputs(b);
    return arena.attr_view(a).get<std::string>("index") ==
               arena.attr_view(b).get<std::string>("index") &&
           std::equal(one.begin() + static_cast<long>(first_a), one.end(),
                      other.begin() + static_cast<long>(first_b), other.end());
}

Variable fitted_to(const Variable& y, const Variable& part) {
    if (rewrite::certainly_same(y.type().dims, part.type().dims)) return y;
    return broadcast_like(y, part);
}

}  // namespace croton::rules
