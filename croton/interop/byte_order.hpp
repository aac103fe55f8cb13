#pragma once
// Numbers in files: little and big endian, at any alignment, and sizes that may be lies.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace croton {

static_assert(std::endian::native == std::endian::little, "Croton runs on little-endian machines");

template <class T>
T little_at(const void* place) {
    T value;
    std::memcpy(&value, place, sizeof value);
    return value;
}

inline uint32_t big_u32_at(const void* place) {
    auto bytes = static_cast<const unsigned char*>(place);
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

template <class T>
void append_little(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Reverses the bytes of each of `count` numbers of `width` bytes.
inline void swap_bytes(void* data, size_t count, size_t width) {
    auto bytes = static_cast<char*>(data);
    for (size_t i = 0; i < count; ++i) std::reverse(bytes + i * width, bytes + (i + 1) * width);
}

/// Bytes of an array of this shape; nothing if they, or the product of the sizes other than zero,
/// do not fit an int64_t.
inline std::optional<int64_t> checked_bytes(std::span<const int64_t> shape, int64_t item_size) {
    int64_t bytes = item_size;
    bool zero = false;
    for (int64_t size : shape) {
        if (size == 0)
            zero = true;
        else if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes))
            return std::nullopt;
    }
    return zero ? 0 : bytes;
}

/// Files may hold any byte for a truth value; a C++ bool may hold 0 and 1 only.
inline void normalise_bools(void* data, size_t count) {
    auto bytes = static_cast<unsigned char*>(data);
    for (size_t i = 0; i < count; ++i) bytes[i] = bytes[i] != 0;
}

}  // namespace croton
