#pragma once
// Lines of strided memory along an axis, for ops that run as host code. For the sources of ops/
// only.
#include <cstring>
#include <vector>

#include "croton/ops/strided.hpp"

namespace croton {

/// Calls row(offsets) for each line of `shape` along `axis`: a byte offset into each operand.
template <size_t N, class Row>
void for_each_line(const Sizes& shape, size_t axis, const std::array<const Sizes*, N>& strides,
                   Row row) {
    if (element_count(shape) == 0) return;
    Sizes across = shape;
    across.erase(across.begin() + axis);
    std::array<Sizes, N> steps;
    std::array<const Sizes*, N> pointers;
    for (size_t k = 0; k < N; ++k) {
        steps[k] = *strides[k];
        steps[k].erase(steps[k].begin() + axis);
        pointers[k] = &steps[k];
    }
    Walk<N> walk(across, pointers);
    do row(walk.offsets);
    while (walk.next());
}

template <class T>
T read_element(const void* data, int64_t offset) {
    T value;
    std::memcpy(&value, static_cast<const char*>(data) + offset, sizeof value);
    return value;
}
template <class T>
void write_element(void* data, int64_t offset, const T& value) {
    std::memcpy(static_cast<char*>(data) + offset, &value, sizeof value);
}

template <class T>
void read_line(const void* data, int64_t offset, int64_t step, std::vector<T>& line) {
    for (auto& value : line) {
        value = read_element<T>(data, offset);
        offset += step;
    }
}
template <class T>
void write_line(void* data, int64_t offset, int64_t step, const std::vector<T>& line) {
    for (const auto& value : line) {
        write_element(data, offset, value);
        offset += step;
    }
}

}  // namespace croton
