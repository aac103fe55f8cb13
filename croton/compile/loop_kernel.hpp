#pragma once
// Loops that are one kernel: bodies of elementwise work on states of one shape run for all steps
// without a call a step, states in registers.
#include <optional>

#include "croton/compile/lower.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

/// Whether `loop_kernel` has an answer for a loop whose body is rewritten; it may trace states.
bool fits_kernel(const Loop& loop);

struct LoopKernel {
    Lowered lowered;
    Variables operands;  ///< what is read: of the loop's initial values, sequences and constants
    int outputs = 0;     ///< final states, then stacks, in the loop's order
    int steps_axis = 0;  ///< of the kernel
    std::string label;
};
/// The kernel of a loop that traces no state (see without_traces in loops.hpp), or nothing.
std::optional<LoopKernel> loop_kernel(const Loop& loop);

}  // namespace croton::compile
