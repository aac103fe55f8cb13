#include "croton/compile/fuse_graph.hpp"

#include <algorithm>
#include <unordered_set>

namespace croton::compile {

bool is_branch(const Node& node) {
    if (node.kind != NodeKind::Apply) return false;
    auto inner = node.op->kind<InnerCompute>();
    return inner && inner->kind == InnerCompute::Kind::IfElse;
}

// Found by walking from the outputs downwards without entering branches: the rest is lazy.
NodeSet lazy_nodes(const std::vector<Node*>& order, const Variables& outputs,
                   const Variables& stops) {
    NodeSet eager, lazy;
    if (std::none_of(order.begin(), order.end(), [](Node* node) { return is_branch(*node); }))
        return lazy;
    ValueSet stopped(stops);
    std::vector<Node*> stack;
    auto visit = [&](const Variable& v) {
        if (!stopped.contains(v) && eager.insert(v.node_pointer()))
            stack.push_back(v.node_pointer());
    };
    for (const auto& v : outputs) visit(v);
    while (!stack.empty()) {
        Node* node = stack.back();
        stack.pop_back();
        size_t used = is_branch(*node) ? 1 : node->inputs.size();
        for (size_t i = 0; i < used; ++i) visit(node->inputs[i]);
    }
    for (Node* node : order)
        if (node->kind == NodeKind::Apply && !eager.contains(node)) lazy.insert(node);
    return lazy;
}

bool is_matrix_product(const Node& node) {
    auto contract = node.kind == NodeKind::Apply ? node.op->kind<ContractCompute>() : nullptr;
    return contract && contract->kind == ContractCompute::Kind::MatMul;
}

bool is_literal(const Variable& v) {
    const Array* value = constant_value(v);
    return value && value->size() == 1;
}

bool has_kernel(const Node& node) {
    return node.op->elementwise() || node.op->kind<ReduceCompute>() ||
           node.op->kind<IndexedCompute>();
}

bool looks_through(const Node& node) {
    auto view = node.op->kind<ViewCompute>();
    return view && view->axes && node.inputs.size() == 1;
}

std::vector<int> axes_of_view(const Node& node) {
    return node.op->kind<ViewCompute>()->axes(attrs_of(node), node.inputs[0].rank());
}

bool folds_nothing(const Node& node) {
    return node.op->kind<ReduceCompute>() && attrs_of(node).get<Ints>("axes").empty();
}

FuseGraph::FuseGraph(const Variables& inputs, const Variables& outputs) : stopped_(inputs) {
    auto all = toposort(outputs, inputs);
    lazy_ = lazy_nodes(all, outputs, inputs);
    for (Node* node : all) {
        if (node->kind != NodeKind::Apply || lazy_.contains(node)) continue;
        numbers_.insert(node, static_cast<uint32_t>(size()));
        entries_.push_back({node, {}, {}});
    }
    for (int n = 0; n < size(); ++n)
        for (const auto& v : reads(node(n))) {
            int from = producer(v);
            entries_[static_cast<size_t>(n)].producers.push_back(from);
            if (from >= 0) entries_[static_cast<size_t>(from)].users.push_back(n);
        }
    for (const auto& v : outputs)
        if (int from = producer(v); from >= 0) entries_[static_cast<size_t>(from)].output = true;
}

int FuseGraph::producer(const Variable& v) const {
    if (stopped_.contains(v)) return -1;
    uint32_t found = numbers_.find(v.node_pointer());
    return found == NodeNumbers::none ? -1 : static_cast<int>(found);
}

Variables FuseGraph::reads(const Node& node) const {
    if (!is_branch(node)) return Variables(node.inputs.begin(), node.inputs.end());
    Variables result;
    std::unordered_set<Variable, VariableHash> seen;
    Variables stack(node.inputs.begin(), node.inputs.end());
    while (!stack.empty()) {
        Variable v = stack.back();
        stack.pop_back();
        if (!seen.insert(v).second) continue;
        if (!stopped_.contains(v) && lazy_.contains(v.node_pointer()))
            stack.insert(stack.end(), v.node().inputs.begin(), v.node().inputs.end());
        else
            result.push_back(v);
    }
    return result;
}

}  // namespace croton::compile
