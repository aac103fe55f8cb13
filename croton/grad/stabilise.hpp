#pragma once
// Differentiates what will run, not what was written: log(softmax(x)) has the value of
// log_softmax(x) after rewriting, but the gradient of the former is p * (s / p), which is 0 * inf
// where p underflows, whatever is rewritten later. So the stability rules come first.
#include "croton/graph/traverse.hpp"

namespace croton::derivatives {

class Stabilised {
  public:
    /// Rewrites `outputs` by the tables of stability and algebra, if there is anything that they
    /// could help. The variables in `kept` (what gradients are asked for, or known) stay what they
    /// are, computed ones as well.
    Stabilised(const Variables& outputs, const Variables& kept);

    const Variables& outputs() const { return outputs_; }
    /// Whether outputs() are others than were given.
    bool changed() const { return changed_; }
    /// What stands in outputs() for one of `kept`, and the way back.
    Variables inside(const Variables& variables) const;
    Variable inside(const Variable& variable) const;
    Variables outside(const Variables& expressions) const;

  private:
    Variables outputs_;
    Substitution in_, out_;
    bool changed_ = false;
};

}  // namespace croton::derivatives
