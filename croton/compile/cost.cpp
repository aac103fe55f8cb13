#include "croton/compile/cost.hpp"

#include "croton/compile/lower.hpp"

namespace croton::compile {

int cost_of_element(const Node& node) {
    return node.op->kind<ViewCompute>() ? 0 : kernel::cost_of(lower_node(node).kernel);
}

}  // namespace croton::compile
