// Reductions: scalars and signs move out, reductions of reductions merge.
#include "croton/ops/reduce.hpp"

#include <algorithm>
#include <cmath>

#include "croton/kernel/kernel.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// Without elements the sum is 0, and 0 * inf would be no number: the factor is known to be finite
// (and no zero to divide by), or there are elements.
Condition safe_factor(bool divides) {
    return [divides](const Match& m) {
        if (auto c = m.number("c")) return std::isfinite(*c) && !(divides && *c == 0);
        for (int64_t axis : m.attr<Ints>("axes")) {
            Dim dim = m.type("x").dims[static_cast<size_t>(axis)];
            if (!dim.known() || dim == Dim(0)) return false;
        }
        return true;
    };
}
}  // namespace

const Rules& reduce() {
    static const Variable x = wildcard("x"), c = wildcard("c");
    static const auto over = [](const Variable& pattern) {
        return any_attrs(pattern, {"axes", "keepdims"});
    };
    static const Rules rules = {
        {"sum of negated", over(sum(-x)), -over(sum(x)), floating("x")},
        {"sum of scaled", over(sum(x * c)), over(sum(x)) * c,
         both(floating("x"), both(rank_zero("c"), both(floating("c"), safe_factor(false))))},
        {"sum of divided", over(sum(x / c)), over(sum(x)) / c,
         both(floating("x"), both(rank_zero("c"), both(floating("c"), safe_factor(true))))},
        {"max of negated", over(max(-x)), -over(min(x)), floating("x")},
        {"min of negated", over(min(-x)), -over(max(x)), floating("x")},
    };
    return rules;
}

namespace {
// Over no axes: nothing is folded.
Variables drop_empty_reductions(Arena& arena, NodeId id) {
    if (!arena.op(id)->kind<ReduceCompute>() || !arena.attr_view(id).get<Ints>("axes").empty())
        return {};
    Value from = arena.inputs(id)[0];
    if (arena.type(from).dtype != arena.type({id, 0}).dtype) return {};
    return {arena.variable(from)};
}

// sum(sum(x, a), b) is one sum over the axes of both, named as axes of x; so for the others that
// fold elements alike. (Sums change only in rounding.)
Variables merge_reductions(Arena& arena, NodeId id) {
    const OpRecord* op = arena.op(id);
    auto reduce = op->kind<ReduceCompute>();
    if (!reduce || reduce->combine == kernel::Combine::ArgMax ||
        reduce->combine == kernel::Combine::ArgMin)
        return {};
    Value inner = arena.inputs(id)[0];
    if (arena.kind(inner.node) != NodeKind::Apply || arena.op(inner.node) != op) return {};
    auto outer_attrs = arena.attr_view(id), inner_attrs = arena.attr_view(inner.node);
    bool keepdims = outer_attrs.get<bool>("keepdims");
    if (inner_attrs.get<bool>("keepdims") != keepdims) return {};
    Value source = arena.inputs(inner.node)[0];
    if (arena.type(source).dtype != arena.type({id, 0}).dtype) return {};
    Ints axes = inner_attrs.get<Ints>("axes"), left;
    for (int64_t axis = 0; axis < arena.type(source).rank(); ++axis)
        if (keepdims || std::find(axes.begin(), axes.end(), axis) == axes.end())
            left.push_back(axis);
    for (int64_t axis : outer_attrs.get<Ints>("axes"))
        if (int64_t own = left[static_cast<size_t>(axis)];
            std::find(axes.begin(), axes.end(), own) == axes.end())
            axes.push_back(own);
    std::sort(axes.begin(), axes.end());
    return {apply(*op, {arena.variable(source)}, {{"axes", axes}, {"keepdims", keepdims}})[0]};
}
}  // namespace

std::vector<NodeRule> reduce_node_rules() {
    return {{"reduction over no axes", drop_empty_reductions},
            {"reduction of reduction", merge_reductions}};
}

}  // namespace croton::rules
