#include "croton/grad/stabilise.hpp"

#include <algorithm>
#include <array>

#include "croton/graph/op.hpp"
#include "croton/rewrite/engine.hpp"
#include "croton/rules/tables.hpp"

namespace croton::derivatives {

namespace {
// Without one of these no stability rule begins.
bool may_be_unstable(const Variables& outputs) {
    constexpr std::array<std::string_view, 8> names = {
        "log",  "log1p", "exp", "categorical_crossentropy", "binary_crossentropy",
        "sqrt", "cos",   "cosh"};
    auto nodes = toposort(outputs);
    return std::any_of(nodes.begin(), nodes.end(), [&](const Node* node) {
        return node->kind == NodeKind::Apply &&
               std::find(names.begin(), names.end(), node->op->name) != names.end();
    });
}

Variables rewritten(const Variables& outputs) {
    static const rewrite::RuleSet rules = [] {
        rewrite::RuleSet set{"before gradients",
                             {&rules::stability(), &rules::algebra()},
                             {&rules::constants_last()}};
        set.index = std::make_shared<const rewrite::RuleIndex>(set);
        return set;
    }();
    Variables present;  // outputs may be left out by null
    for (const auto& v : outputs)
        if (v) present.push_back(v);
    rewrite::Arena arena(present);
    rewrite::Engine engine(arena, false);
    engine.run(rules);
    if (engine.step_count() == 0) return outputs;
    Variables made = arena.extract(), result;
    size_t next = 0;
    for (const auto& v : outputs) result.push_back(v ? made[next++] : v);
    return result;
}

bool computed(const Variable& v) { return v && v.kind() == NodeKind::Apply; }
}  // namespace

Stabilised::Stabilised(const Variables& outputs, const Variables& kept) : outputs_(outputs) {
    if (outputs.empty() || !may_be_unstable(outputs)) return;
    for (const auto& v : kept) {
        if (!computed(v) || in_.contains(v)) continue;
        Variable leaf = input(v.type(), v.name(), v.site());
        in_.emplace(v, leaf);
        out_.emplace(leaf, v);
    }
    Variables open = in_.empty() ? outputs : substitute(outputs, in_);
    outputs_ = rewritten(open);
    changed_ = !(outputs_ == open);
    if (!changed_) {
        outputs_ = outputs;
        in_.clear();
    }
}

Variable Stabilised::inside(const Variable& variable) const {
    auto found = in_.find(variable);
    return found == in_.end() ? variable : found->second;
}
Variables Stabilised::inside(const Variables& variables) const {
    Variables result;
    for (const auto& v : variables) result.push_back(inside(v));
    return result;
}
Variables Stabilised::outside(const Variables& expressions) const {
    return in_.empty() ? expressions : substitute(expressions, out_);
}

}  // namespace croton::derivatives
