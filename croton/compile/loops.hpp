#pragma once
// What compiling does to loops as wholes, before and after their surroundings are rewritten.
#include <functional>
#include <optional>

#include "croton/compile/pipeline.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

/// The rows of loop_rules.hpp, in order, for loops inside of loops too: what is left is rewritten
/// as any graph. `inside`: the outputs are those of a loop's body.
Variables prepare_loops(const Variables& outputs, Rewriting& rewriting, bool inside = false);
Variables prepare_loops(const Variables& outputs, const Mode& mode, std::vector<Event>* events);

/// Loops of one step, or of a few known ones, in the place where they stand; inside of another loop
/// also longer ones of a few numbers, so that the outer one may be a kernel.
Variables unroll_loops(const Variables& outputs, bool inside);

/// What loops read from outside, rewritten: what is equal is then one node.
Variables settle_inputs(const Variables& outputs, const Mode& mode);

/// One loop in place of several that run the same body over the same values.
Variables merge_same_loops(const Variables& outputs);
/// Final states in place of traces of which only the last value is read.
Variables keep_last_values(const Variables& outputs);
/// Loops without what nobody reads of them.
Variables drop_unread(const Variables& outputs);

/// Sequences and constants that are given twice are given once.
Variables merge_equal_inputs(const Variables& outputs);
/// States that begin equal and that each step keeps equal are one.
Variables merge_equal_states(const Variables& outputs);
/// Stacks of one value are one; none beside a trace of the same.
Variables merge_equal_results(const Variables& outputs);
/// States and results that no step changes leave a loop.
Variables fix_what_stays(const Variables& outputs);

/// All bodies prepared and rewritten as whole graphs are.
Variables rewrite_bodies(const Variables& outputs, Rewriting& rewriting);

/// What does not depend on states is computed before a loop, what no state depends on after it,
/// where that makes one product of the products of all steps.
Variables move_work_out(const Variables& outputs);

/// A loop's outputs, made otherwise of the loop over what stands for its inputs now (null where
/// nobody reads them); nothing: it stays.
using LoopChange = std::function<std::optional<Variables>(const Node&, Loop)>;
/// The graph with loops changed.
Variables change_loops(const Variables& outputs, const LoopChange& change);

/// Loops of which nobody reads the last steps do not run them.
Variables shorten_loops(const Variables& outputs, bool inside);
/// Loops keep nothing of the steps before the first one that is read.
Variables keep_last_steps(const Variables& outputs, bool inside);
/// Loops of which every k-th step is read keep those only.
Variables keep_every_kth(const Variables& outputs, bool inside);
/// Of each step what all readers take of it is kept. Bodies are rewritten already.
Variables keep_parts_of_steps(const Variables& outputs);

/// Loops over one length that need nothing of each other, as one. Bodies are rewritten already:
/// only loops of one kind are joined, kernels with kernels as long as the whole is one.
Variables join_loops(const Variables& outputs);

/// Loop::apply, with a symbol for each size that is not known.
Variables applied(const Loop& loop, Site site);

/// Whether the loop's values are so few, and of sizes so well known, that it may run over their
/// elements as scalars.
bool fits_scalars(const Loop& loop);
/// Such loops written out: then they fit a kernel.
Variables write_out_elements(const Variables& outputs);

/// Loops that will be kernels stack what was read of their traces: kernels store one value a step.
Variables without_traces(const Variables& outputs);

}  // namespace croton::compile
