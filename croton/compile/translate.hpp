#pragma once
// A graph as a program, one step a node, without rewriting or fusion: quick mode, and the judge
// that check mode and the tests compare with.
#include "croton/graph/op.hpp"
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Program over `inputs` (which may be any variables: what lies above them is not computed).
/// Composite ops are expanded, calls inlined, branches become programs. Equal kernels are built
/// once; the kernels are not compiled yet and memory is planned. Usage error naming a leaf that is
/// neither among the inputs nor a constant.
runtime::Program translate(const Variables& inputs, const Variables& outputs,
                           std::string name = "");

/// Every composite op and call replaced by what it is made of, down to kinds that have kernels or
/// host code. Nodes of `stops` are left alone.
Variables expand_all(const Variables& outputs, const Variables& stops = {});

/// Gives every value without a place its slot: a value's memory is reused after its last reader, by
/// the first value of equal type if there is one. Elementwise steps write over an input that dies
/// with them where sizes are certainly equal.
void plan_memory(runtime::Program& program);

}  // namespace croton::compile
