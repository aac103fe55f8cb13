#pragma once
// Small arrays as lists of scalars: what a node computes, written out element by element. For
// bodies of loops over matrices of two rows, where a call costs more than the work.
#include <optional>
#include <vector>

#include "croton/graph/traverse.hpp"

namespace croton::compile {

/// Elements of a value in C order, as scalar variables.
using Elements = std::vector<Variable>;

/// How many elements a value has, if its type says and they are few enough to be written out.
std::optional<int64_t> few_elements(const TensorType& type);

/// Whether `scalars_of` has an answer for the node.
bool has_scalars(const Node& node);
/// The elements of the node's result from those of its inputs.
Elements scalars_of(const Node& node, const std::vector<Elements>& inputs);

}  // namespace croton::compile
