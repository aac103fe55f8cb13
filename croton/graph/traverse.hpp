#pragma once
// Walking graphs. Nothing here recurses: depth is bounded by memory, not by the stack.
#include <functional>
#include <unordered_map>
#include <vector>

#include "croton/base/flat_map.hpp"
#include "croton/graph/variable.hpp"

namespace croton {

/// A value as a key of flat tables: names it without holding it.
struct ValueKey {
    const Node* node = nullptr;
    uint32_t index = 0;

    ValueKey() = default;
    ValueKey(const Node* node, uint32_t index) : node(node), index(index) {}
    ValueKey(const Variable& v) : node(v.node_pointer()), index(v.index()) {}
    uint64_t flat_hash() const { return mix(reinterpret_cast<uintptr_t>(node) + index); }
    friend bool operator==(const ValueKey&, const ValueKey&) = default;
};
using NodeSet = FlatSet<const Node*>;
/// Values that are held elsewhere while the set lives.
class ValueSet : public FlatSet<ValueKey> {
  public:
    ValueSet() = default;
    explicit ValueSet(const Variables& variables) {
        for (const auto& v : variables)
            if (v) insert(v);
    }
};

using Substitution = std::unordered_map<Variable, Variable, VariableHash>;

/// Every node that `outputs` need, inputs before users, each once. Does not go above `stops`.
std::vector<Node*> toposort(const Variables& outputs, const Variables& stops = {});

/// The leaves (inputs, shared variables, constants) that `outputs` need, in order of first use.
Variables leaves(const Variables& outputs);

/// The outputs with each key replaced by its value, nodes above rebuilt (types are inferred anew,
/// sites and names stay). Nodes that no replacement touches are shared, not copied.
Variables substitute(const Variables& outputs, const Substitution& replacements);
Variable substitute(const Variable& output, const Substitution& replacements);

/// Checks what every graph must obey: applied ops have inputs and types as their records demand.
/// Internal error naming the first node that does not.
void verify(const Variables& outputs);

}  // namespace croton
