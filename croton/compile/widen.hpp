#pragma once
// Values of a loop's body for all steps at once: what the same computation gives with an axis in
// front, one position a step.
#include <unordered_map>

#include "croton/graph/traverse.hpp"

namespace croton::compile {

class Widener {
  public:
    /// `plain`: values that are the same in every step, with what they are outside of the body.
    /// `stepped`: values of which all steps are at hand, stacked.
    void add_plain(const Variable& v, Variable outside) { plain_[v] = std::move(outside); }
    void add_stepped(const Variable& v, Variable stacked) { stepped_[v] = std::move(stacked); }

    /// Whether all steps of the node's results follow from those of its inputs by known rules.
    static bool can_widen(const Node& node);
    /// All steps of a value; every node between it and what was added must be one that can_widen.
    /// A value that is the same in every step comes without the axis.
    struct Wide {
        Variable value;
        bool stepped;
    };
    Wide wide(const Variable& v);

  private:
    Wide widened(const Variable& v);
    using Known = std::unordered_map<Variable, Variable, VariableHash>;
    Known plain_, stepped_;
};

}  // namespace croton::compile
