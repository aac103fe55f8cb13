#include "croton/rules/tables.hpp"

#include <algorithm>

#include "croton/ops/catalogue.hpp"
#include "croton/rules/node_rules.hpp"

namespace croton::rules {

namespace {
class OneOf {
  public:
    explicit OneOf(const std::vector<std::string_view>& names) {
        for (std::string_view name : names) {
            records_.push_back(find_op(name));
            CROTON_ASSERT(records_.back() != nullptr);
        }
    }
    bool has(const OpRecord* op) const {
        return std::find(records_.begin(), records_.end(), op) != records_.end();
    }

  private:
    std::vector<const OpRecord*> records_;
};
}  // namespace

std::function<bool(const OpRecord&)> about(const std::vector<std::string_view>& names) {
    return [ops = OneOf(names)](const OpRecord& op) { return ops.has(&op); };
}

std::function<bool(const rewrite::Arena&, rewrite::NodeId)> below(
    const std::vector<std::string_view>& names) {
    return [ops = OneOf(names)](const rewrite::Arena& arena, rewrite::NodeId id) {
        auto inputs = arena.inputs(id);
        return std::any_of(inputs.begin(), inputs.end(),
                           [&](rewrite::Value v) { return ops.has(arena.op(v.node)); });
    };
}

const std::vector<rewrite::NodeRule>& node_rules() {
    static const std::vector<rewrite::NodeRule> rules = [] {
        std::vector<rewrite::NodeRule> all{constants_last()};
        for (auto* family :
             {shape_node_rules, size_node_rules, view_node_rules, reduce_node_rules,
              index_node_rules, reading_node_rules, join_node_rules, update_node_rules,
              pick_node_rules, control_node_rules, chain_node_rules})
            for (auto& rule : family()) all.push_back(rule);
        return all;
    }();
    return rules;
}

const std::vector<std::pair<std::string_view, const rewrite::Rules*>>& all_tables() {
    static const std::vector<std::pair<std::string_view, const rewrite::Rules*>> tables = {
        {"algebra", &algebra()},     {"functions", &functions()}, {"logic", &logic()},
        {"stability", &stability()}, {"shape", &shape()},         {"index", &index()},
        {"reduce", &reduce()},       {"linalg", &linalg()},       {"specialise", &specialise()},
    };
    return tables;
}

}  // namespace croton::rules
