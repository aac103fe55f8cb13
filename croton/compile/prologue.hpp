#pragma once
// What host code writes into parts of an array, made where it is taken: such a kernel becomes part
// of the host code's step, and what it makes is never there as a whole.
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Kernels that make nothing but what one step of host code takes row by row
/// (ExternCompute::row_input) become its prologue, where that holds no more memory. `updates` as
/// for plan_memory: nothing is read that the step may be writing over.
void attach_prologues(runtime::Program& program, const std::vector<std::pair<int, int>>& updates);

/// Whether the kernel may run on some rows of its result at a time and cannot fail once sizes fit:
/// the kernel language's side of it.
bool can_be_prologue(const runtime::Program& program, const runtime::KernelStep& step);

/// The input that the step's host code can take row by row, or -1.
int row_input(const runtime::Program& program, const runtime::ExternStep& step);

}  // namespace croton::compile
