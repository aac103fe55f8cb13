#pragma once
// Applies rule sets to an arena until nothing changes, and keeps a record of each step.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "croton/rewrite/rule.hpp"

namespace croton::rewrite {

struct Step {
    int number;  ///< from 1, over all rule sets of one compilation
    std::string_view rule;
    std::string where;  ///< file:line of the rule's row
    std::string before, after;
    Site site;  ///< the user's line
};

class Engine {
  public:
    Engine(Arena& arena, bool keep_steps) : arena_(arena), keep_steps_(keep_steps) {}

    /// At most this many steps in all; -1: no limit. For bisecting a wrong rewrite.
    int64_t limit = -1;
    /// Names of rules that are skipped.
    std::set<std::string, std::less<>> excluded;

    /// Runs the rules of one set to a fixed point. Internal error naming the busiest rule if steps
    /// grow out of all proportion to the graph (rules that undo each other).
    void run(const RuleSet& rules);
    const std::vector<Step>& steps() const { return steps_; }
    int step_count() const { return count_; }

  private:
    struct Index;
    bool visit(NodeId id, const Index& index);
    bool apply_rule(const Rule& rule, NodeId id);
    bool apply_node_rule(const NodeRule& rule, NodeId id);
    bool exhausted() const { return limit >= 0 && count_ >= limit; }
    void record(std::string_view rule, std::string where, std::string before, Value after,
                Site site);
    void touch_new(size_t first);
    void touch(NodeId id, int levels);
    bool brings_composites(const Variable& fresh) const;
    bool keeps_type(Value old, const Variable& fresh) const;

    Arena& arena_;
    bool keep_steps_;
    int count_ = 0;
    bool expands_ = false;
    std::vector<Step> steps_;
    std::vector<NodeId> queue_;
    std::vector<bool> queued_;
};

}  // namespace croton::rewrite
