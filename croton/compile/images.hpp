#pragma once
// A graph written anew from its inputs upwards: which new value stands for which old one.
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

class Images {
  public:
    /// What stands for v now: v itself where nothing was said of it.
    const Variable& operator()(const Variable& v) const {
        const Variable* found = images_.find(v);
        return found ? *found : v;
    }
    Variables operator()(const Variables& variables) const;
    void set(const Variable& old, Variable fresh) { images_.insert(old, std::move(fresh)); }
    /// A node's outputs, in order.
    void set(const Node* node, const Variables& fresh);
    /// The same for outputs that may have images already, with the node's names and named sizes.
    void replace(const Node* node, const Variables& fresh);
    /// Whether anything was said of the node's first output.
    bool knows(const Node* node) const { return images_.contains({node, 0}); }
    /// The node over what stands for its inputs, with its names; sizes that were named before stay
    /// named where inference does not know them. False if its inputs are what they were.
    bool carry_over(Node* node);

  private:
    FlatMap<ValueKey, Variable> images_;
};

}  // namespace croton::compile
