#pragma once
// Loops whose gradients keep states every so many steps only: an outer loop over segments, whose
// body is the loop itself over one segment, and the rest of the steps after it. For the sources of
// ops/ and compile/ only.
#include "croton/ops/loop.hpp"

namespace croton {

/// What Loop::apply gives, except that traced states have no initial value in front. `length` is
/// the length of a segment: an int64 scalar, at least 1. The loop has no `stop` and no `truncate`.
Variables apply_in_segments(const Loop& loop, const Variable& length, Site site);
/// The same, but of states and stacks alike only what the last step of each segment gives.
Variables apply_and_keep_ends(const Loop& loop, const Variable& length, Site site);

/// The same of rows that are there, one for each step that was done.
Variable ends_of_segments(const Variable& rows, const Variable& done, int64_t length);

/// The pullback of a loop with `checkpoint` or `checkpoint_bytes`.
Cotangents recomputing_pullback(const Pullback& p);

/// Lengths of segments: about the square root of the steps, and what keeps the gradient's memory
/// within so many bytes if any length does. The latter counts states and dear values of the body
/// (more than is kept in the end), and takes all steps at once where they fit.
Variable segments_by_root(const Variable& steps);
Variable segments_by_bytes(const Loop& loop, int64_t bytes);

/// Segments' values followed by those of the rest, which is empty only if all are.
Variable joined_steps(Arg segments, Arg rest);
/// `outputs` with reads of the last of joined_steps turned into reads of the rest's last.
Variables read_last_of_rest(const Variables& outputs);

/// Of a gradient with respect to a list along axis 0: if nothing but its last element (or that of
/// what lies behind the first) has a gradient, that; else null.
Variable gradient_of_last(const Variable& gradient);

}  // namespace croton
