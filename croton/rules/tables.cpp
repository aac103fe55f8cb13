#include "croton/rules/tables.hpp"

namespace croton::rules {

const std::vector<rewrite::NodeRule>& node_rules() {
    static const std::vector<rewrite::NodeRule> rules = {};
    return rules;
}

const std::vector<std::pair<std::string_view, const rewrite::Rules*>>& all_tables() {
    static const std::vector<std::pair<std::string_view, const rewrite::Rules*>> tables = {
        {"algebra", &algebra()}, {"stability", &stability()}, {"shape", &shape()},
        {"index", &index()},     {"reduce", &reduce()},       {"linalg", &linalg()},
    };
    return tables;
}

}  // namespace croton::rules
