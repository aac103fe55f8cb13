#pragma once
// Copies of elements between any two layouts.
#include <cstddef>
#include <cstdint>
#include <span>

namespace croton {

/// to[i] = from[i] for every index i of `shape`, elements being `item` bytes (1, 2, 4, 8 or 16) and
/// strides counted in bytes. The two sides do not overlap. Axes are merged where both sides allow,
/// rows are copied whole, transposed axes by squares.
void copy_strided(std::span<const int64_t> shape, std::byte* to,
                  std::span<const int64_t> to_strides, const std::byte* from,
                  std::span<const int64_t> from_strides, int item);

}  // namespace croton
