#pragma once
// Rules that no pattern can say, by the file that defines them.
#include "croton/rewrite/rule.hpp"

namespace croton::rules {

/// For NodeRule::concerns: the rule is about these ops.
std::function<bool(const OpRecord&)> about(const std::vector<std::string_view>& names);
/// For NodeRule::when: an input comes from one of these ops.
std::function<bool(const rewrite::Arena&, rewrite::NodeId)> below(
    const std::vector<std::string_view>& names);

std::vector<rewrite::NodeRule> shape_node_rules();
std::vector<rewrite::NodeRule> size_node_rules();
std::vector<rewrite::NodeRule> view_node_rules();
std::vector<rewrite::NodeRule> reduce_node_rules();
std::vector<rewrite::NodeRule> index_node_rules();
std::vector<rewrite::NodeRule> reading_node_rules();
std::vector<rewrite::NodeRule> join_node_rules();
std::vector<rewrite::NodeRule> update_node_rules();
std::vector<rewrite::NodeRule> pick_node_rules();
std::vector<rewrite::NodeRule> control_node_rules();
std::vector<rewrite::NodeRule> chain_node_rules();

}  // namespace croton::rules
