// Views: axes that are moved, added and dropped, reshapes, broadcasts. They merge, and what is
// computed of spread values is computed before they are spread.
#include <functional>

#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
bool computed_once(Arena& arena, Value v) {
    return arena.kind(v.node) == NodeKind::Apply && arena.op(v.node)->elementwise() &&
           !arena.op(v.node)->facts.impure && arena.use_count(v.node) == 1;
}

// A product lies in order: to reshape it costs nothing.
bool product_read_once(Arena& arena, Value v) {
    return arena.kind(v.node) == NodeKind::Apply && arena.op(v.node)->kind<ContractCompute>() &&
           arena.use_count(v.node) == 1;
}

// What stands below a view that may go further down: a tree of elementwise ops over views of one op
// (below a reshape: or products) and over scalars.
class Below {
  public:
    /// `again` makes of a view of the tree's leaves, or of its whole, the view that takes its
    /// place.
    Below(Arena& arena, const OpRecord* view, const Dims& dims,
          std::function<Variable(const Variable&)> again)
        : arena_(arena), view_(view), dims_(dims), again_(std::move(again)) {}

    /// The tree with the views renewed; null if something else stands in it, or no view does.
    Variable renewed(Value top) {
        Variable made = computed_once(arena_, top) ? visit(top, 0) : Variable();
        return views_ > 0 ? made : Variable();
    }

  private:
    Variable visit(Value v, int depth) {
        if (arena_.type(v).rank() == 0) return arena_.variable(v);
        if (!certainly_same(arena_.type(v).dims, dims_)) return {};
        static const OpRecord* reshape_op = record("reshape");
        if (made_by(arena_, v, view_) || (view_ == reshape_op && product_read_once(arena_, v))) {
            ++views_;
            return again_(arena_.variable(v));
        }
        if (depth > 4 || !computed_once(arena_, v)) return {};
        Variables arguments;
        for (size_t i = 0; i < arena_.inputs(v.node).size(); ++i) {
            arguments.push_back(visit(arena_.inputs(v.node)[i], depth + 1));
            if (!arguments.back()) return {};
        }
        return apply_like(arena_.variable(v).node(), arguments)[0];
    }

    Arena& arena_;
    const OpRecord* view_;
    Dims dims_;
    std::function<Variable(const Variable&)> again_;
    int views_ = 0;
};

// The view goes down to views of its own op, which it merges with.
Variables move_inside(Arena& arena, NodeId id) {
    Value whole = arena.inputs(id)[0];
    const Dims dims = arena.type({id, 0}).dims;
    // Sizes that have names keep them: they are read off what lies deepest.
    auto again = [&](const Variable& x) {
        Variables inputs{x};
        for (size_t i = 1; i < arena.inputs(id).size(); ++i)
            inputs.push_back(input_of(arena, {id, 0}, i));
        return with_sizes(apply_like(arena.variable({id, 0}).node(), inputs)[0], dims);
    };
    Variable made = Below(arena, arena.op(id), arena.type(whole).dims, again).renewed(whole);
    return made ? Variables{with_sizes(made, dims)} : Variables{};
}

// --- reshape ------------------------------------------------------------------------------------

bool only_adds_or_drops(const Ints& order, const Dims& from) {
    int64_t last = -1;
    std::vector<bool> kept(from.size(), false);
    for (int64_t axis : order) {
        if (axis < 0) continue;
        if (axis < last) return false;
        last = axis;
        kept[static_cast<size_t>(axis)] = true;
    }
    for (size_t i = 0; i < from.size(); ++i)
        if (!kept[i] && !from[i].is_one()) return false;
    return true;
}

// Axes of size 1 that come or go do not matter to what is reshaped.
Variables reshape_of_dimshuffle(Arena& arena, NodeId id) {
    static const OpRecord* dimshuffle_op = record("dimshuffle");
    Value view = arena.inputs(id)[0];
    if (!made_by(arena, view, dimshuffle_op)) return {};
    Value x = arena.inputs(view.node)[0];
    if (!only_adds_or_drops(arena.attr_view(view.node).get<Ints>("order"), arena.type(x).dims))
        return {};
    return {made_again(arena, {id, 0}, {arena.variable(x), input_of(arena, {id, 0}, 1)})};
}

// The order that makes dims `to` of dims `from` by adding and dropping axes of size 1, if that is
// all it takes.
std::optional<Ints> order_between(const Dims& from, const Dims& to) {
    Ints order;
    size_t at = 0;
    for (Dim dim : to) {
        while (at < from.size() && from[at].is_one() && !dim.is_one()) ++at;
        if (at < from.size() && from[at].certainly_equals(dim))
            order.push_back(static_cast<int64_t>(at++));
        else if (dim.is_one())
            order.push_back(new_axis);
        else
            return {};
    }
    for (; at < from.size(); ++at)
        if (!from[at].is_one()) return {};
    return order;
}

Variables reshape_as_dimshuffle(Arena& arena, NodeId id) {
    Value x = arena.inputs(id)[0];
    auto order = order_between(arena.type(x).dims, arena.type({id, 0}).dims);
    if (!order) return {};
    return {with_sizes(dimshuffle(arena.variable(x), *order), arena.type({id, 0}).dims)};
}

// --- broadcasts ---------------------------------------------------------------------------------

bool spread(Arena& arena, Value v) {
    static const OpRecord *broadcast_op = record("broadcast_to"), *fill_op = record("fill");
    return made_by(arena, v, broadcast_op) || made_by(arena, v, fill_op);
}
size_t source_place(Arena& arena, Value v) {
    static const OpRecord* fill_op = record("fill");
    return made_by(arena, v, fill_op) ? 1 : 0;
}

// f(broadcast(x), broadcast(y)) is broadcast(f(x, y)).
Variables compute_before_spreading(Arena& arena, NodeId id) {
    static const OpRecord* fill_op = record("fill");
    const OpRecord* op = arena.op(id);
    if (op == fill_op || op->facts.impure) return {};
    const Dims& dims = arena.type({id, 0}).dims;
    Value model{};
    bool found = false;
    for (Value v : arena.inputs(id)) {
        if (arena.type(v).rank() == 0) continue;
        if (!spread(arena, v) || !certainly_same(arena.type(v).dims, dims)) return {};
        model = v;
        found = true;
    }
    if (!found) return {};
    Variables sources;
    for (size_t i = 0; i < arena.inputs(id).size(); ++i) {
        Value v = arena.inputs(id)[i];
        bool whole = arena.type(v).rank() == 0;
        Variable source = whole ? arena.variable(v) : input_of(arena, v, source_place(arena, v));
        if (source.dtype() != arena.type(v).dtype) return {};
        sources.push_back(source);
    }
    Variable value = apply_like(arena.variable({id, 0}).node(), sources)[0];
    Variables inputs{value, value};
    size_t other = 1 - source_place(arena, model);
    inputs[other] = input_of(arena, model, other);
    Variable made = apply_like(arena.variable(model).node(), inputs)[0];
    if (made.dtype() != arena.type({id, 0}).dtype) return {};
    return {with_sizes(made, dims)};
}

Variables broadcast_of_broadcast(Arena& arena, NodeId id) {
    static const OpRecord* broadcast_op = record("broadcast_to");
    Value inner = arena.inputs(id)[0];
    if (!made_by(arena, inner, broadcast_op)) return {};
    return {made_again(arena, {id, 0}, {input_of(arena, inner, 0), input_of(arena, {id, 0}, 1)})};
}
}  // namespace

std::vector<NodeRule> view_node_rules() {
    auto reshapes = about({"reshape"});
    return {
        NodeRule{"axes moved before computing", move_inside, about({"dimshuffle"})},
        NodeRule{"reshape past axes of one", reshape_of_dimshuffle, reshapes,
                 below({"dimshuffle"})},
        NodeRule{"reshape that adds or drops axes of one", reshape_as_dimshuffle, reshapes},
        NodeRule{"reshape before computing", move_inside, reshapes},
        NodeRule{"computed before it is spread", compute_before_spreading, &OpRecord::elementwise,
                 below({"broadcast_to", "fill"})},
        NodeRule{"broadcast of broadcast", broadcast_of_broadcast, about({"broadcast_to"}),
                 below({"broadcast_to"})},
    };
}

}  // namespace croton::rules
