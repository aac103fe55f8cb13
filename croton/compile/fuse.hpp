#pragma once
// Decides which nodes share a kernel, and writes those kernels.
#include <vector>

#include "croton/compile/lower.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/graph/variable.hpp"

namespace croton::compile {

/// Nodes that run as one step. A group of one node that has no kernel (a view, a product, a host
/// call, a branch) is a step by itself.
struct Group {
    std::vector<Node*> nodes;  ///< in topological order
    std::vector<bool> copies;  ///< per node: computed here too, for this group's own use
    std::vector<runtime::AxisMap>
        maps;  ///< per node: axis of its output 0 -> axis of the group, -1: size 1
    std::vector<runtime::AxisMap>
        iterations;             ///< per node: the axes along which it reads its inputs
    Dims space;                 ///< sizes of the group's axes
    std::vector<bool> reduced;  ///< axes that a reduction of the group folds
    bool has_reduction = false;
    bool fusable = false;  ///< has a kernel: write_kernel
};

struct Fusion {
    std::vector<Group> groups;  ///< in an order of execution
};

/// Groups for everything that `outputs` need below `inputs`. With `enable` false every node is
/// alone.
Fusion fuse(const Variables& inputs, const Variables& outputs, bool enable);

/// A group's kernel and what its operands are.
struct GroupKernel {
    Lowered lowered;
    Variables operands;  ///< in the order of the kernel's operands, outputs last
    int outputs = 0;
    Node* shape_node = nullptr;  ///< the node whose shape function gives extents, if any
    std::string label;           ///< "exp, sum, log": the ops in order
};

/// `stored` are the values of the group that somebody outside needs.
GroupKernel write_kernel(const Group& group, const Variables& stored);

}  // namespace croton::compile
