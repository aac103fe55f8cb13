#pragma once
// A graph as a program: one step a node (quick mode, and the judge that check mode and the tests
// compare with) or one step a group of fused nodes.
#include "croton/graph/op.hpp"
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Program over `inputs` (which may be any variables: what lies above them is not computed).
/// Composite ops are expanded, calls inlined, branches become programs. Equal kernels are built
/// once; the kernels are not compiled yet and memory is planned. Usage error naming a leaf that is
/// neither among the inputs nor a constant.
runtime::Program translate(const Variables& inputs, const Variables& outputs, bool fused = false,
                           std::string name = "",
                           const std::vector<std::pair<int, int>>& updates = {});

/// Whether the node stands for other ops: a composite op or a call of a graph.
bool is_composite(const Node& node);
/// What a composite node stands for, one variable an output, at the node's site. Internal error if
/// dtype or rank differ from what the node promises.
Variables expansion_of(const Node& node);
/// Every composite node replaced by what it stands for, down to kinds that have kernels or host
/// code. Nodes above `stops` are left alone.
Variables expand_all(const Variables& outputs, const Variables& stops = {});

/// Gives every value without a place its slot: a value's memory is reused after its last reader, by
/// the first value of equal type if there is one. Elementwise steps write over an input that dies
/// with them where sizes are certainly equal.
/// `updates` pairs outputs with the arguments they replace after the call: such an output may be
/// left in the argument's memory.
void plan_memory(runtime::Program& program, const std::vector<std::pair<int, int>>& updates = {});

}  // namespace croton::compile
