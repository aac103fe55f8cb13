#pragma once
// Copies between strided memory: rows times items, whatever the strides on either side, by the
// widest vectors of the machine. Packing of operands and copies of arrays are both made of these.
#include <cstdint>
#include <string_view>

namespace croton {

/// Bytes from row to row and from item to item. Any sign, also 0.
struct Steps {
    int64_t row, item;
};

/// A copy of `rows` times `items` items of `size` bytes (1, 2, 4, 8 or 16).
struct BlockCopy {
    char* to;
    Steps to_steps;
    const char* from;
    Steps from_steps;
    int64_t rows, items;
    int size;
    const char* next = nullptr;  ///< where the next copy will read such rows: fetched ahead
    bool fetched = false;        ///< what is read has been asked for (fetch_rows)
};

/// to[i, j] = from[i, j]. The sides do not overlap. Between two neighbouring items that are at most
/// four items apart the memory is read too, nothing else is.
using BlockCopier = void (*)(const BlockCopy& copy);

/// The one for a level of instructions: "native" (the best of this machine), "sse2", "avx2" or
/// "avx512", which the machine must have.
BlockCopier block_copier(std::string_view level);

/// As the native one.
void copy_block(const BlockCopy& copy);

/// Asks for `rows` of `bytes` each to be brought near; nothing happens where there is no memory.
inline void fetch_rows(const char* first, int64_t row, int64_t rows, int64_t bytes) {
    for (; rows > 0; --rows, first += row)
        for (int64_t at = 0; at < bytes; at += 256) {
            __builtin_prefetch(first + at, 0, 3);
            __builtin_prefetch(first + at + 64, 0, 3);
            __builtin_prefetch(first + at + 128, 0, 3);
            __builtin_prefetch(first + at + 192, 0, 3);
        }
    asm volatile("");  // g++ takes what only asks for memory for something that does nothing
}

}  // namespace croton
