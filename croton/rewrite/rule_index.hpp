#pragma once
// The rules of a set by the op at their root, each with what its inputs must be: most rows are
// turned down at a glance, before the matcher is asked.
#include <array>
#include <optional>
#include <vector>

#include "croton/base/flat_map.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::rewrite {

/// What is to be seen of the first two inputs of a node.
struct Glance {
    Glance(const Arena& arena, NodeId id);

    struct Side {
        const OpRecord* op = nullptr;  ///< null for leaves
        bool constant = false;
        std::optional<double> number;  ///< of a constant with one real element
    };
    std::array<Side, 2> sides;
    size_t count = 0;  ///< of all inputs
};

/// A row with what its pattern asks of the first two inputs.
class GuardedRule {
  public:
    GuardedRule(const Rule& rule, const Rules* table);
    const Rule& rule() const { return *rule_; }
    const Rules* table() const { return table_; }
    /// How far below the root the pattern looks.
    int depth() const { return depth_; }
    /// False only where the pattern cannot match.
    bool may_match(const Glance& node) const {
        if (node.count != count_) return false;
        return fits(node, 0, 1) || (swaps_ && fits(node, 1, 0));
    }

  private:
    struct Need {
        const OpRecord* op = nullptr;  ///< null: any, if no number is needed
        bool constant = false;
        std::optional<double> number;
        bool met_by(const Glance::Side& side) const {
            if (constant)
                return side.constant && !(number && side.number && *number != *side.number);
            return !op || op == side.op;
        }
    };
    static Need need_of(const Variable& pattern);
    bool fits(const Glance& node, size_t first, size_t second) const {
        return (count_ < 1 || needs_[0].met_by(node.sides[first])) &&
               (count_ < 2 || needs_[1].met_by(node.sides[second]));
    }

    const Rule* rule_;
    const Rules* table_;
    int depth_;
    size_t count_;
    bool swaps_;
    std::array<Need, 2> needs_;
};

/// Immutable once made: compilations of several threads share it.
class RuleIndex {
  public:
    explicit RuleIndex(const RuleSet& rules);

    /// In the order of the tables.
    const std::vector<GuardedRule>& rows(const OpRecord* op) const;
    const std::vector<const NodeRule*>& node_rules() const { return node_rules_; }
    bool has(const Rules* table) const;
    bool has(const NodeRule* rule) const;

  private:
    std::vector<const Rules*> tables_;
    FlatMap<const OpRecord*, std::vector<GuardedRule>> rows_;
    std::vector<const NodeRule*> node_rules_;
};

}  // namespace croton::rewrite
