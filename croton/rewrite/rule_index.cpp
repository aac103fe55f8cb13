#include "croton/rewrite/rule_index.hpp"

#include <algorithm>

namespace croton::rewrite {

namespace {
std::optional<double> real_number(const Array& value) {
    if (value.size() != 1 || is_complex(value.dtype())) return std::nullopt;
    if (value.dtype() == DType::Float64) return *static_cast<const double*>(value.data());
    return value.at<double>(Sizes(value.shape().size(), 0));
}
}  // namespace

Glance::Glance(const Arena& arena, NodeId id) {
    auto inputs = arena.inputs(id);
    count = inputs.size();
    for (size_t i = 0; i < std::min(count, sides.size()); ++i) {
        sides[i].op = arena.op(inputs[i].node);
        const Array* value = arena.constant(inputs[i]);
        sides[i].constant = value != nullptr;
        if (value) sides[i].number = real_number(*value);
    }
}

GuardedRule::Need GuardedRule::need_of(const Variable& pattern) {
    Need need;
    need.op = pattern.op();
    if (const Array* value = constant_value(pattern)) {
        need.constant = true;
        need.number = real_number(*value);
    }
    return need;
}

namespace {
// Patterns are small trees.
int depth_of(const Variable& pattern) {
    int below = -1;
    for (const auto& input : pattern.node().inputs) below = std::max(below, depth_of(input));
    return 1 + below;
}
}  // namespace

GuardedRule::GuardedRule(const Rule& rule, const Rules* table)
    : rule_(&rule), table_(table), depth_(depth_of(rule.left)) {
    const Node& pattern = rule.left.node();
    count_ = pattern.inputs.size();
    swaps_ = count_ == 2 && pattern.op->facts.commutative;
    for (size_t i = 0; i < std::min(count_, needs_.size()); ++i)
        needs_[i] = need_of(pattern.inputs[i]);
}

RuleIndex::RuleIndex(const RuleSet& rules) : tables_(rules.tables), node_rules_(rules.node_rules) {
    FlatMap<const OpRecord*, size_t> counts;
    for (const Rules* table : rules.tables)
        for (const Rule& rule : *table) ++counts[rule.left.op()];
    for (const Rules* table : rules.tables)
        for (const Rule& rule : *table)
            if (const OpRecord* root = rule.left.op()) {
                auto& rows = rows_[root];
                if (rows.empty()) rows.reserve(*counts.find(root));
                rows.emplace_back(rule, table);
            }
}

const std::vector<GuardedRule>& RuleIndex::rows(const OpRecord* op) const {
    static const std::vector<GuardedRule> none;
    auto found = rows_.find(op);
    return found ? *found : none;
}

bool RuleIndex::has(const Rules* table) const {
    return std::find(tables_.begin(), tables_.end(), table) != tables_.end();
}

bool RuleIndex::has(const NodeRule* rule) const {
    return std::find(node_rules_.begin(), node_rules_.end(), rule) != node_rules_.end();
}

}  // namespace croton::rewrite
