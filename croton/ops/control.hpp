#pragma once
// Choices between computations, graphs called as ops, and values that differ from their gradients.
#include <functional>

#include "croton/graph/op.hpp"

namespace croton {

/// The first or the second value, as a scalar condition says; only the chosen one is computed. Both
/// are brought to one dtype and have one rank; their sizes may differ. Gradients run through both
/// and are zero through the other one.
Variable ifelse(Arg condition, Arg then_value, Arg else_value);
/// The same for several values at once.
Variables ifelse(Arg condition, const Variables& then_values, const Variables& else_values);

// --- graphs as ops ------------------------------------------------------------------------------

/// Gradients (null: zero) with respect to `inputs`; `seeds` are the gradients with respect to
/// `outputs`, never null.
using GradientOverride = std::function<Variables(const Variables& inputs, const Variables& outputs,
                                                 const Variables& seeds)>;

/// A graph under a name, applied to arguments like an op. Its gradient is that of the graph, or the
/// override's where one is given.
class Callable {
  public:
    /// Usage error if the outputs need a variable that is neither among the inputs nor shared nor
    /// constant.
    Callable(Variables inputs, Variables outputs, std::string name = "graph",
             GradientOverride gradient = nullptr);
    /// One result an output. Arguments are cast to the inputs' dtypes where no value is lost; Type
    /// error otherwise, or if ranks differ.
    Variables call(const Args& arguments) const;
    /// The same for a graph of one output.
    Variable operator()(const Args& arguments) const;

  private:
    std::shared_ptr<const Subgraph> graph_;
};

// --- values and gradients -----------------------------------------------------------------------

/// x, through which no gradient flows: asking for it is as if x did not depend on anything.
Variable disconnected_grad(Arg x);
/// x, with a gradient of zeros: what it is made of counts as connected.
Variable zero_grad(Arg x);
/// The same under the name that says what x is taken for.
Variable consider_constant(Arg x);
/// x, with its gradient limited to [low, high].
Variable grad_clip(Arg x, Arg low, Arg high);
/// x, with its gradient multiplied.
Variable grad_scale(Arg x, Arg factor);

// --- effects ------------------------------------------------------------------------------------

/// x if every element of the condition is true; Value error with the message when running
/// otherwise.
Variable assert_(Arg x, Arg condition, std::string message);
/// x, which is written to standard output behind the message whenever it is computed.
Variable print_(Arg x, std::string message);

}  // namespace croton
