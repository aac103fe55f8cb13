#include "croton/compile/cost.hpp"

#include "croton/compile/lower.hpp"

namespace croton::compile {

namespace {
int cost_of(const kernel::Instruction& i) {
    using kernel::OpCode;
    if (kernel::is_function(i.op)) return cost_of_function;
    if (i.op == OpCode::load_ || i.op == OpCode::store_) return 0;
    return i.op == OpCode::div_ || i.op == OpCode::sqrt_ ? 4 : 1;
}
}  // namespace

int cost_of_element(const Node& node) {
    if (node.op->kind<ViewCompute>()) return 0;
    int cost = 0;
    for (const auto& section : lower_node(node).kernel.sections)
        for (const auto& i : section.body) cost += cost_of(i);
    return cost;
}

}  // namespace croton::compile
