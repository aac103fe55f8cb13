#pragma once
// The value of a graph by the plainest means: no rewriting, no fusion, kernels interpreted.
#include "croton/graph/variable.hpp"
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Values of `outputs` where each first of a pair takes the second's value. Shared variables that
/// are not mentioned have their current values.
std::vector<Array> evaluate(const Variables& outputs,
                            const std::vector<std::pair<Variable, Array>>& inputs = {});

/// Compiles the kernels of a program and of its branches' programs with a back end.
void generate(runtime::Program& program, const runtime::Backend& backend,
              runtime::CompileStats* stats = nullptr);

}  // namespace croton::compile
