#pragma once
// What is made of a product element by element, done where its blocks lie in a cache: such a kernel
// becomes part of the product's step, and the product needs no array of its own.
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Kernels that read a product which nobody else reads become its epilogue, where they are
/// elementwise over its axes and one of their results fits its memory. `updates` as for
/// plan_memory: what may be written over an argument stays a step of its own.
void attach_epilogues(runtime::Program& program, const std::vector<std::pair<int, int>>& updates);

/// Whether the kernel may run block by block over the product that is its operand `product`: the
/// kernel language's side of it.
bool can_be_epilogue(const runtime::Program& program, const runtime::KernelStep& step, int product);

}  // namespace croton::compile
