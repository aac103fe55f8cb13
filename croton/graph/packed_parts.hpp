#pragma once
// What the writer and the reader of packed graphs have in common.
#include <cstdint>

namespace croton::packed {

constexpr int most_nesting = 32;

/// What follows in the list of a graph's nodes.
enum class Tag : uint8_t { End, Leaf, Constant, Apply, Attrs };

}  // namespace croton::packed
