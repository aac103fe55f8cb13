#pragma once
// What compiling does to loops as wholes, before and after their surroundings are rewritten.
#include "croton/compile/pipeline.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

/// One loop in place of several that run the same body over the same values: a loop and the one
/// that its gradient added, which keeps more of each step. What a loop computes and nobody reads is
/// dropped: stacks, traces of which the last value is read, states that nothing depends on.
Variables merge_loops(const Variables& outputs);

/// All bodies rewritten as whole graphs are, inner ones of inner ones too.
Variables rewrite_bodies(const Variables& outputs, const Mode& mode, std::vector<Event>* events);

}  // namespace croton::compile
