// Choices of which one case is computed: known ones, cases that are equal or decided already, and
// computing inside the cases.
#include "croton/ops/control.hpp"

#include <algorithm>

#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// The two lists of values of a choice.
struct Cases {
    std::vector<Value> first, second;
};
Cases cases_of(Arena& arena, NodeId id) {
    auto inputs = arena.inputs(id);
    auto half = static_cast<long>((inputs.size() - 1) / 2);
    return {{inputs.begin() + 1, inputs.begin() + 1 + half},
            {inputs.begin() + 1 + half, inputs.end()}};
}
Variables variables(Arena& arena, const std::vector<Value>& values) {
    Variables result;
    for (Value v : values) result.push_back(arena.variable(v));
    return result;
}
// The same choice, with the sizes that were known of its results.
Variables chosen_again(Arena& arena, NodeId id, const Variable& condition, const Variables& first,
                       const Variables& second) {
    Variables made = ifelse(condition, first, second);
    for (size_t i = 0; i < made.size(); ++i)
        with_sizes(made[i], arena.type({id, static_cast<uint32_t>(i)}).dims);
    return made;
}

Variables choose_known(Arena& arena, NodeId id) {
    const Array* condition = arena.constant(arena.inputs(id)[0]);
    if (!condition) return {};
    Cases cases = cases_of(arena, id);
    return variables(arena, condition->item<bool>() ? cases.first : cases.second);
}

// Values that are the same in both cases need no choice.
Variables choose_equal(Arena& arena, NodeId id) {
    Cases cases = cases_of(arena, id);
    Variables result(cases.first.size());
    for (size_t i = 0; i < result.size(); ++i)
        if (cases.first[i] == cases.second[i]) result[i] = arena.variable(cases.first[i]);
    return result;
}

Variables choose_of_negated(Arena& arena, NodeId id) {
    static const OpRecord* not_op = record("logical_not");
    Value condition = arena.inputs(id)[0];
    if (!made_by(arena, condition, not_op)) return {};
    Variable positive = input_of(arena, condition, 0);
    if (!is_bool(positive.dtype())) return {};
    Cases cases = cases_of(arena, id);
    return chosen_again(arena, id, positive, variables(arena, cases.second),
                        variables(arena, cases.first));
}

// Within a case it is known what another choice by the same condition gives.
Variables choose_decided(Arena& arena, NodeId id) {
    static const OpRecord* ifelse_op = record("ifelse");
    Value condition = arena.inputs(id)[0];
    Cases cases = cases_of(arena, id);
    bool changed = false;
    auto decided = [&](std::vector<Value>& values, bool first) {
        for (Value& v : values) {
            if (!made_by(arena, v, ifelse_op) || !(arena.inputs(v.node)[0] == condition)) continue;
            Cases inner = cases_of(arena, v.node);
            v = first ? inner.first[v.index] : inner.second[v.index];
            changed = true;
        }
    };
    decided(cases.first, true);
    decided(cases.second, false);
    if (!changed) return {};
    return chosen_again(arena, id, arena.variable(condition), variables(arena, cases.first),
                        variables(arena, cases.second));
}

// f(ifelse(c, a, b), ifelse(c, x, y)) is ifelse(c, f(a, x), f(b, y)): one choice is left, and what
// it computes is computed together.
Variables choose_last(Arena& arena, NodeId id) {
    static const OpRecord* ifelse_op = record("ifelse");
    if (arena.op(id)->facts.impure) return {};
    std::optional<Value> condition;
    Variables first, second;
    int choices = 0;
    for (size_t i = 0; i < arena.inputs(id).size(); ++i) {
        Value v = arena.inputs(id)[i];
        if (arena.kind(v.node) == NodeKind::Constant) {
            first.push_back(arena.variable(v));
            second.push_back(arena.variable(v));
            continue;
        }
        bool fits = made_by(arena, v, ifelse_op) && arena.inputs(v.node).size() == 3 &&
                    arena.use_count(v.node) == 1 &&
                    (!condition || *condition == arena.inputs(v.node)[0]);
        if (!fits) return {};
        condition = arena.inputs(v.node)[0];
        first.push_back(input_of(arena, v, 1));
        second.push_back(input_of(arena, v, 2));
        ++choices;
    }
    if (choices < 2) return {};
    const Node& node = arena.variable({id, 0}).node();
    return chosen_again(arena, id, arena.variable(*condition), apply_like(node, first),
                        apply_like(node, second));
}
}  // namespace

std::vector<NodeRule> control_node_rules() {
    auto choices = about({"ifelse"});
    return {
        NodeRule{"case known", choose_known, choices},
        NodeRule{"cases that are equal", choose_equal, choices},
        NodeRule{"cases of a negated condition", choose_of_negated, choices,
                 below({"logical_not"})},
        NodeRule{"case decided outside", choose_decided, choices, below({"ifelse"})},
        NodeRule{"choices computed together", choose_last, &OpRecord::elementwise,
                 below({"ifelse"})},
    };
}

}  // namespace croton::rules
