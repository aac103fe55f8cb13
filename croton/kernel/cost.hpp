#pragma once
// What opcodes cost, in additions: how much is worth keeping, or worth waking a thread for. The
// figures are measured by benchmarks/costs and stand in costs.def.
#include "croton/kernel/kernel.hpp"

namespace croton::kernel {

/// An element's store and load: once it has left the caches, and in a row of working memory.
extern const int cost_of_keeping, cost_of_keeping_in_row;

/// Of an opcode on values of this dtype; loads and stores cost nothing here.
int cost_of(OpCode op, DType dtype);

/// Of everything that the kernel's sections compute, each once.
int cost_of(const Kernel& kernel);

}  // namespace croton::kernel
