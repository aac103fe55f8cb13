// One element picked a row: x[arange(n), classes] and take_along_axis with one position. What is
// added at such places is a comparison of positions with the picked ones, which shares the kernel
// of whoever reads it; what is read there is computed there only.
#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// Positions of take and put: along the axes `axis`, ... of the array each runs through the whole
// axis, but one (`free`), which says where.
struct Pick {
    int64_t axis = 0;
    size_t first = 0, count = 0;  // inputs of the node
    size_t free = 0;              // which of them says where
    std::vector<int> runs;        // by array of positions: its axis of the broadcast; -1: free
    int rank = 0;                 // of the broadcast
};

// The axis along which v counts up from zero, if it is a broadcast arange; -1: it is not.
int counting_axis(Arena& arena, Value v, Dim& size) {
    static const OpRecord *dimshuffle_op = record("dimshuffle"), *arange_op = record("arange");
    int axis = 0;
    if (made_by(arena, v, dimshuffle_op)) {
        const auto& order = arena.attr_view(v.node).get<Ints>("order");
        auto at = std::find(order.begin(), order.end(), 0);
        if (at == order.end()) return -1;
        axis = static_cast<int>(at - order.begin());
        v = arena.inputs(v.node)[0];
    }
    if (!made_by(arena, v, arange_op)) return -1;
    const Array* start = arena.constant(arena.inputs(v.node)[0]);
    const Array* step = arena.constant(arena.inputs(v.node)[2]);
    bool counts = start && step && is_integer(start->dtype()) && start->item<int64_t>() == 0 &&
                  step->item<int64_t>() == 1;
    size = arena.type(v).dims[0];
    return counts ? axis : -1;
}

std::optional<Pick> pick_of(Arena& arena, NodeId id, size_t first) {
    const auto& inputs = arena.inputs(id);
    Pick pick;
    pick.axis = arena.attr_view(id).get<int64_t>("axis");
    pick.first = first;
    pick.count = inputs.size() - first;
    if (pick.count < 2) return {};
    for (size_t k = 0; k < pick.count; ++k)
        pick.rank = std::max(pick.rank, arena.type(inputs[first + k]).rank());
    const Dims& array = arena.type(inputs[0]).dims;
    std::vector<bool> taken(static_cast<size_t>(pick.rank), false);
    Dims along(static_cast<size_t>(pick.rank), Dim(1));
    int others = 0;
    for (size_t k = 0; k < pick.count; ++k) {
        Dim size, whole = array[static_cast<size_t>(pick.axis) + k];
        Value v = inputs[first + k];
        int axis = counting_axis(arena, v, size);
        axis = axis < 0 ? -1 : axis + pick.rank - arena.type(v).rank();
        if (axis < 0 || !size.certainly_equals(whole) || taken[static_cast<size_t>(axis)]) {
            pick.free = k;
            pick.runs.push_back(-1);
            if (++others > 1) return {};
            continue;
        }
        taken[static_cast<size_t>(axis)] = true;
        along[static_cast<size_t>(axis)] = size;
        pick.runs.push_back(axis);
    }
    if (others != 1) return {};
    // The positions that say where have one element for each place that the others run through.
    const Dims& where = arena.type(inputs[first + pick.free]).dims;
    for (size_t i = 0; i < where.size(); ++i) {
        Dim run = along[along.size() - where.size() + i];
        if (!where[i].is_one() && !where[i].certainly_equals(run)) return {};
    }
    return pick;
}

// A value over the broadcast of the positions, with `before` axes in front and `after` axes behind,
// as one over the picked array's axes: those that were run through in their places, size 1 for the
// axis that was picked from.
Variable spread(const Pick& pick, const Variable& x, int before, int after) {
    Variable full = shape_padleft(x, before + pick.rank + after - x.rank());
    Ints order;
    for (int i = 0; i < before; ++i) order.push_back(i);
    for (int run : pick.runs) order.push_back(run < 0 ? new_axis : int64_t{before} + run);
    for (int i = 0; i < after; ++i) order.push_back(before + pick.rank + i);
    return dimshuffle(full, order);
}

// Where the picked element is: positions along the axis compared with the checked ones.
Variable picked_here(Arena& arena, NodeId id, const Pick& pick, const Variable& array) {
    int64_t axis = pick.axis + static_cast<int64_t>(pick.free);
    int after = array.rank() - static_cast<int>(pick.axis) - static_cast<int>(pick.count);
    Variable at = position_along(array, input_of(arena, {id, 0}, pick.first + pick.free), axis);
    Variable places = spread(pick, at, 0, after);
    Variable all = arange(size_of(array, axis));
    Ints order(static_cast<size_t>(array.rank() - axis), new_axis);
    order[0] = 0;
    return eq(dimshuffle(all, order), places);
}

// Whether the only reader adds the array to another, maybe scaled before: then the elements that
// are picked are all that has to be touched (rules/index.cpp).
bool becomes_write(Arena& arena, NodeId id) {
    static const OpRecord *add_op = record("add"), *sub_op = record("sub"), *neg_op = record("neg"),
                          *mul_op = record("mul"), *div_op = record("div");
    if (arena.use_count(id) != 1) return false;
    for (NodeId user : arena.users(id)) {
        if (!uses(arena, user, id) ||
            !certainly_same(arena.type({user, 0}).dims, arena.type({id, 0}).dims))
            continue;
        const OpRecord* op = arena.op(user);
        const auto& inputs = arena.inputs(user);
        if (op == add_op || (op == sub_op && inputs[1].node == id)) return true;
        bool scales = (op == mul_op || op == div_op) &&
                      (arena.constant(inputs[0]) || arena.constant(inputs[1]));
        if (op == neg_op || scales) return becomes_write(arena, user);
    }
    return false;
}

// put(zeros, y, (arange, classes), "add"): y where the position is the picked one, else zero.
Variables compare_positions(Arena& arena, NodeId id) {
    static const OpRecord* put_op = record("put");
    if (arena.op(id) != put_op || !all_zero(arena, arena.inputs(id)[0]) || becomes_write(arena, id))
        return {};
    auto pick = pick_of(arena, id, 2);
    if (!pick) return {};
    Variable zeros = input_of(arena, {id, 0}, 0), y = input_of(arena, {id, 0}, 1);
    int after = zeros.rank() - static_cast<int>(pick->axis) - static_cast<int>(pick->count);
    Variable values = spread(*pick, y, static_cast<int>(pick->axis), after);
    Variable zero = constant(Array::scalar(0).cast(zeros.dtype()));
    Variable made = where(picked_here(arena, id, *pick, zeros), values, zero);
    if (!certainly_same(made.type().dims, zeros.type().dims)) made = broadcast_like(made, zeros);
    return {made};
}

// --- sums over the picked axis ------------------------------------------------------------------

// where(positions == picked, y, 0) summed over the axis that is picked from has one term: y.
Variables sum_of_picked(Arena& arena, NodeId id) {
    static const OpRecord *sum_op = record("sum"), *where_op = record("where"),
                          *eq_op = record("eq"), *position_op = record("position_along"),
                          *dimshuffle_op = record("dimshuffle"), *arange_op = record("arange");
    if (arena.op(id) != sum_op) return {};
    Value choice = arena.inputs(id)[0];
    if (!made_by(arena, choice, where_op)) return {};
    const auto& parts = arena.inputs(choice.node);
    if (!made_by(arena, parts[0], eq_op) || !all_zero(arena, parts[2])) return {};
    auto base = [&](Value v) {
        return made_by(arena, v, dimshuffle_op) ? arena.inputs(v.node)[0] : v;
    };
    Value all = arena.inputs(parts[0].node)[0], places = arena.inputs(parts[0].node)[1];
    if (!made_by(arena, base(all), arange_op)) std::swap(all, places);
    if (!made_by(arena, base(all), arange_op) || !made_by(arena, base(places), position_op))
        return {};
    // The whole of that axis of that array, and it alone.
    const auto& axes = arena.attr_view(id).get<Ints>("axes");
    Dim size;
    int rank = arena.type(choice).rank();
    int counted = counting_axis(arena, all, size) + rank - arena.type(all).rank();
    Value array = arena.inputs(base(places).node)[0];
    auto axis = static_cast<size_t>(arena.attr_view(base(places).node).get<int64_t>("axis"));
    if (axes != Ints{counted} || !size.certainly_equals(arena.type(array).dims[axis])) return {};
    Variable y = arena.variable(parts[1]), at = arena.variable(places);
    for (const Variable& v : {y, at}) {
        int own = counted - (rank - v.rank());
        if (own >= 0 && !v.type().dims[static_cast<size_t>(own)].is_one()) return {};
    }
    if (y.dtype() != arena.type({id, 0}).dtype) return {};
    // Positions are never negative once they are checked: y, if they are.
    Variable kept = where(ge(at, 0), y, arena.variable(parts[2]));
    Dims dims = arena.type(choice).dims;
    dims[static_cast<size_t>(counted)] = Dim(1);
    if (!certainly_same(kept.type().dims, dims)) return {};
    return {arena.attr_view(id).get<bool>("keepdims") ? kept : squeeze(kept, Ints{counted})};
}

// --- what is read at the picked places ----------------------------------------------------------

// An elementwise op that nothing keeps from being computed for some elements only.
bool may_move_inside(Arena& arena, Value v) {
    return arena.kind(v.node) == NodeKind::Apply && arena.op(v.node)->elementwise() &&
           !arena.op(v.node)->facts.impure;
}

// How an input of an elementwise op lies beside its result.
enum class Fit : uint8_t { Whole, OneAlong, Scalar, Other };
Fit fit_of(const Dims& own, const Dims& dims, size_t axis) {
    if (own.empty()) return Fit::Scalar;
    if (own.size() != dims.size()) return Fit::Other;
    for (size_t i = 0; i < own.size(); ++i)
        if (i != axis && !own[i].certainly_equals(dims[i])) return Fit::Other;
    if (own[axis].certainly_equals(dims[axis])) return Fit::Whole;
    return own[axis].is_one() ? Fit::OneAlong : Fit::Other;
}

// f computed for what `picked` and `column` make of its inputs; at least one whole input must be
// read at the picked places, for that finds out whether they are in bounds.
template <class Picked, class Column>
Variables moved_inside(Arena& arena, NodeId id, Value whole, size_t axis, Picked picked,
                       Column column) {
    Variables arguments;
    bool checked = false;
    for (Value v : arena.inputs(whole.node)) {
        Variable x = arena.variable(v);
        switch (fit_of(x.type().dims, arena.type(whole).dims, axis)) {
            case Fit::Whole:
                arguments.push_back(picked(x));
                checked = true;
                break;
            case Fit::OneAlong: arguments.push_back(column(x)); break;
            case Fit::Scalar: arguments.push_back(x); break;
            case Fit::Other: return {};
        }
    }
    if (!checked) return {};
    Variable made = apply_like(arena.variable(whole).node(), arguments)[0];
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// take(f(x, y), (arange, classes)) computes f for the picked elements only.
Variables compute_picked(Arena& arena, NodeId id) {
    static const OpRecord* take_op = record("take");
    if (arena.op(id) != take_op || arena.attr_view(id).get<std::string>("mode") != "raise" ||
        !may_move_inside(arena, arena.inputs(id)[0]))
        return {};
    auto pick = pick_of(arena, id, 1);
    if (!pick) return {};
    Value whole = arena.inputs(id)[0];
    auto picked = [&](const Variable& x) {
        Variables inputs{x};
        for (size_t k = 0; k < pick->count; ++k) inputs.push_back(input_of(arena, {id, 0}, 1 + k));
        return apply_like(arena.variable({id, 0}).node(), inputs)[0];
    };
    // One element along the picked axis: only the others' places are left.
    auto column = [&](const Variable& x) {
        Ints order;
        for (int64_t i = 0; i < pick->axis; ++i) order.push_back(i);
        for (int along = 0; along < pick->rank; ++along) {
            auto run = std::find(pick->runs.begin(), pick->runs.end(), along);
            order.push_back(run == pick->runs.end() ? new_axis
                                                    : pick->axis + (run - pick->runs.begin()));
        }
        for (int64_t i = pick->axis + static_cast<int64_t>(pick->count); i < x.rank(); ++i)
            order.push_back(i);
        return dimshuffle(x, order);
    };
    auto axis = static_cast<size_t>(pick->axis) + pick->free;
    return moved_inside(arena, id, whole, axis, picked, column);
}

// The same for take_along_axis with one position.
Variables compute_picked_along(Arena& arena, NodeId id) {
    static const OpRecord* take_op = record("take_along_axis");
    if (arena.op(id) != take_op || !may_move_inside(arena, arena.inputs(id)[0])) return {};
    Value whole = arena.inputs(id)[0];
    int64_t axis = arena.attr_view(id).get<int64_t>("axis");
    Variable positions = input_of(arena, {id, 0}, 1);
    if (!positions.type().dims[static_cast<size_t>(axis)].is_one()) return {};
    return moved_inside(
        arena, id, whole, static_cast<size_t>(axis),
        [&](const Variable& x) { return take_along_axis(x, positions, axis); },
        [](const Variable& x) { return x; });
}
}  // namespace

std::vector<NodeRule> pick_node_rules() {
    return {
        NodeRule{"positions compared instead of written", compare_positions, about({"put"})},
        NodeRule{"sum over the axis that is picked from", sum_of_picked, about({"sum"}),
                 below({"where"})},
        NodeRule{"computed where it is picked", compute_picked, about({"take"})},
        NodeRule{"computed where it is picked along an axis", compute_picked_along,
                 about({"take_along_axis"})},
    };
}

}  // namespace croton::rules
