#include "croton/graph/traverse.hpp"

#include <span>

#include "croton/graph/node_numbers.hpp"
#include "croton/graph/op.hpp"

namespace croton {

std::vector<Node*> toposort(const Variables& outputs, const Variables& stops) {
    std::vector<Node*> order;
    NodeNumbers done;
    ValueSet stopped(stops);
    std::vector<std::pair<Node*, size_t>> stack;
    auto visit = [&](const Variable& v) {
        if (v && !stopped.contains(v) && done.insert(v.node_pointer(), 0))
            stack.emplace_back(v.node_pointer(), 0);
    };
    for (const auto& output : outputs) {
        visit(output);
        while (!stack.empty()) {
            auto& [node, next] = stack.back();
            if (next < node->inputs.size()) {
                visit(node->inputs[next++]);
            } else {
                order.push_back(node);
                stack.pop_back();
            }
        }
    }
    return order;
}

Variables leaves(const Variables& outputs) {
    Variables result;
    for (Node* node : toposort(outputs))
        if (node->kind != NodeKind::Apply) result.emplace_back(node, 0);
    return result;
}

Variables substitute(const Variables& outputs, const Substitution& replacements) {
    Variables stops;
    FlatMap<ValueKey, Variable> given;
    for (const auto& [from, to] : replacements) {
        stops.push_back(from);
        given.insert(from, to);
    }
    FlatMap<const Node*, Variable> rebuilt;  // output 0 of the new node
    auto image = [&](const Variable& v) -> Variable {
        if (!v) return v;
        if (auto found = given.find(v)) return *found;
        if (auto found = rebuilt.find(v.node_pointer())) return {found->node_pointer(), v.index()};
        return v;
    };
    for (Node* node : toposort(outputs, stops)) {
        if (node->kind != NodeKind::Apply) continue;
        Variables inputs;
        for (const auto& input : node->inputs) inputs.push_back(image(input));
        if (inputs == node->inputs) continue;
        // Each node keeps the line that it was made at, whoever rebuilds it.
        SiteScope scope(node->site.known() ? node->site : SiteScope::current_or({}));
        Variables made = apply_like(*node, std::move(inputs));
        Node* fresh = made[0].node_pointer();
        if (fresh->names.empty()) fresh->names = node->names;
        rebuilt.insert(node, made[0]);
    }
    Variables result;
    for (const auto& output : outputs) result.push_back(image(output));
    return result;
}

Variable substitute(const Variable& output, const Substitution& replacements) {
    return substitute(Variables{output}, replacements)[0];
}

namespace {
// A node may know more of its sizes than the rule tells: a symbol for one that is not known.
bool fits_rule(std::span<const TensorType> types, std::span<const TensorType> ruled) {
    if (types.size() != ruled.size()) return false;
    for (size_t i = 0; i < types.size(); ++i) {
        if (types[i].dtype != ruled[i].dtype || types[i].rank() != ruled[i].rank()) return false;
        for (size_t axis = 0; axis < types[i].dims.size(); ++axis) {
            Dim known = types[i].dims[axis], rule = ruled[i].dims[axis];
            if (!(known == rule) && !(rule.unknown() && known.symbolic())) return false;
        }
    }
    return true;
}
}  // namespace

void verify(const Variables& outputs) {
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply) continue;
        Variables inputs = node->inputs;
        Attrs attrs = *node->attrs;
        TypeContext context{*node->op, inputs, attrs};
        auto types = node->op->type(context);
        bool same_inputs =
            std::equal(inputs.begin(), inputs.end(), node->inputs.begin(), node->inputs.end());
        if (!same_inputs || !fits_rule(node->types, types) || !attrs.equals(*node->attrs))
            fail(ErrorKind::Internal, "node ", node->op->name, " made at ", node->site.text(),
                 " does not agree with its record's type rule");
    }
}

}  // namespace croton
