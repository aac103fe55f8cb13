#include "croton/compile/reference.hpp"

#include "croton/compile/translate.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

using namespace runtime;

namespace {
void generate_inner(std::shared_ptr<const Program>& program, const Backend& backend,
                    CompileStats* stats) {
    auto compiled = std::make_shared<Program>(*program);
    generate(*compiled, backend, stats);
    program = std::move(compiled);
}
}  // namespace

void generate(Program& program, const Backend& backend, CompileStats* stats) {
    program.code = backend.compile(program.kernels, stats);
    for (auto& step : program.steps) {
        if (auto branch = std::get_if<BranchStep>(&step.kind))
            for (auto* side : {&branch->then_program, &branch->else_program})
                generate_inner(*side, backend, stats);
        if (auto loop = std::get_if<LoopStep>(&step.kind))
            generate_inner(loop->body, backend, stats);
    }
}

std::vector<Array> evaluate(const Variables& outputs,
                            const std::vector<std::pair<Variable, Array>>& inputs) {
    Variables variables;
    std::vector<Array> values;
    for (const auto& [variable, value] : inputs) {
        variables.push_back(variable);
        values.push_back(value);
    }
    for (const auto& leaf : leaves(outputs))
        if (leaf.kind() == NodeKind::Shared &&
            std::find(variables.begin(), variables.end(), leaf) == variables.end()) {
            variables.push_back(leaf);
            values.push_back(SharedVariable(leaf).get_value());
        }
    Program program = translate(variables, outputs);
    program.verify();
    generate(program, backend("interp"));
    Frame frame(program);
    return frame.run(values);
}

}  // namespace croton::compile
