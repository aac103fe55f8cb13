#include "croton/rules/tables.hpp"

#include "croton/rules/node_rules.hpp"

namespace croton::rules {

const std::vector<rewrite::NodeRule>& node_rules() {
    static const std::vector<rewrite::NodeRule> rules = [] {
        std::vector<rewrite::NodeRule> all;
        for (auto* family : {shape_node_rules, reduce_node_rules, index_node_rules,
                             reading_node_rules, update_node_rules, pick_node_rules})
            for (auto& rule : family()) all.push_back(rule);
        return all;
    }();
    return rules;
}

const std::vector<std::pair<std::string_view, const rewrite::Rules*>>& all_tables() {
    static const std::vector<std::pair<std::string_view, const rewrite::Rules*>> tables = {
        {"algebra", &algebra()},     {"functions", &functions()}, {"logic", &logic()},
        {"stability", &stability()}, {"shape", &shape()},         {"index", &index()},
        {"reduce", &reduce()},       {"linalg", &linalg()},
    };
    return tables;
}

}  // namespace croton::rules
