#pragma once
// Walking graphs. Nothing here recurses: depth is bounded by memory, not by the stack.
#include <functional>
#include <unordered_map>
#include <vector>

#include "croton/graph/variable.hpp"

namespace croton {

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
