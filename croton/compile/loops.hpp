#pragma once
// What compiling does to loops as wholes, before and after their surroundings are rewritten.
#include "croton/compile/pipeline.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

/// Everything below, in order, for loops inside of loops too: what is left is rewritten as any
/// graph.
Variables prepare_loops(const Variables& outputs, const Mode& mode, std::vector<Event>* events);

/// One loop in place of several that run the same body over the same values: a loop and the one
/// that its gradient added, which keeps more of each step. What a loop computes and nobody reads is
/// dropped: stacks, traces of which the last value is read, states that nothing depends on.
Variables merge_loops(const Variables& outputs);

/// All bodies prepared and rewritten as whole graphs are.
Variables rewrite_bodies(const Variables& outputs, const Mode& mode, std::vector<Event>* events);

/// What does not depend on states is computed before a loop, what no state depends on after it,
/// where that makes one product of the products of all steps.
Variables move_work_out(const Variables& outputs);

/// Loop::apply, with a symbol for each size that is not known.
Variables applied(const Loop& loop, Site site);

/// Loops that will be kernels stack what was read of their traces: kernels store one value a step.
Variables without_traces(const Variables& outputs);

}  // namespace croton::compile
