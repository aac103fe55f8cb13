#pragma once
// Applies rule sets to an arena until nothing changes, and keeps a record of each step.
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "croton/rewrite/rule_index.hpp"

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
    /// How often a node was looked at; a measure of work that no clock disturbs.
    size_t visit_count() const { return visits_; }

  private:
    /// What a set has to say about nodes of one op.
    struct OpRules {
        std::vector<const GuardedRule*> rows;
        std::vector<const NodeRule*> node_rules;
    };
    /// All of it, and what the set that ran before did not have.
    struct OldAndNew {
        OpRules all, added;
        int reach = 0;  ///< so far below a node of this op a change matters
    };
    const OldAndNew& rules_of(const OpRecord* op);
    bool left_out(std::string_view name) const {
        return !excluded.empty() && excluded.contains(name);
    }
    bool visit(NodeId id);
    bool apply_any(const OpRules& rules, NodeId id);
    void take(NodeId id);
    void rewrite_node(NodeId id);
    bool apply_rule(const Rule& rule, NodeId id);
    bool apply_node_rule(const NodeRule& rule, NodeId id);
    bool exhausted() const { return limit >= 0 && count_ >= limit; }
    void record(std::string_view rule, std::string where, std::string before, Value after,
                Site site);
    void touch_changed(size_t first_new);
    void touch(NodeId id);
    void enqueue(NodeId id);
    bool brings_composites(const Variable& fresh) const;
    bool keeps_type(Value old, const Variable& fresh) const;

    Arena& arena_;
    bool keep_steps_;
    int count_ = 0;
    size_t visits_ = 0;
    bool expands_ = false;
    std::vector<Step> steps_;
    std::shared_ptr<const RuleIndex> index_, old_index_;  ///< of the set that runs, and before
    FlatMap<const OpRecord*, std::unique_ptr<OldAndNew>> op_rules_;
    std::vector<NodeId> touched_;
    size_t steps_allowed_ = 0;
    std::string running_;  ///< name of the set
    std::string_view last_rule_;
    std::vector<bool> queued_;
    /// Nodes that no rule of the set applies to, and near which nothing has changed since that was
    /// found out: of the next set, only rules that are new need to see them.
    std::vector<bool> settled_;
    std::vector<NodeId> disturbed_;
    std::vector<std::pair<NodeId, int>> touching_;
};

}  // namespace croton::rewrite
