#pragma once
// From single nodes to kernels and steps: what quick mode runs and what fusion starts from.
#include "croton/graph/op.hpp"
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// A kernel with the way its operands lie in the index space.
struct Lowered {
    kernel::Kernel kernel;
    std::vector<runtime::AxisMap> maps;  ///< per operand, as in runtime::KernelStep
    runtime::AxisMap shape_map = {};     ///< nodes with a shape function: own axis -> kernel axis
    bool splittable = false;
    bool reject_empty = false;
};

/// The kernel of one elementwise, reduce or indexed node. Internal error for other kinds.
Lowered lower_node(const Node& node);

/// The only element of an array, as a constant of a kernel.
kernel::Scalar constant_scalar(kernel::Builder& builder, const Array& value);

/// Whether folding no elements is an error: there is nothing that the result could be.
bool rejects_empty(const ReduceCompute& compute);

/// The map of an input of `rank` axes aligned at the last axes of a space of `space` axes.
runtime::AxisMap aligned_map(int rank, int space);

}  // namespace croton::compile
