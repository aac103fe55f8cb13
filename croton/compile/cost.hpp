#pragma once
// What computing an element costs beside keeping it, in additions: what is computed anew and what
// is kept follows from it. The figures are measured by benchmarks/costs and stand in costs.def.
#include "croton/graph/op.hpp"
#include "croton/graph/variable.hpp"
#include "croton/kernel/kernel.hpp"

namespace croton::compile {

/// An element's store and load: once it has left the caches, and in a row of working memory.
extern const int cost_of_keeping, cost_of_keeping_in_row;

/// Of an opcode on values of this dtype; loads and stores of kernels cost nothing here.
int cost_of(kernel::OpCode op, DType dtype);

/// Of one element of an elementwise, reduce or indexed node; views cost nothing.
int cost_of_element(const Node& node);

}  // namespace croton::compile
