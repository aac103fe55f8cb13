#pragma once
// Copies between strided memory and dense tiles: generated code only knows dense lanes.
#include <cstdint>

namespace croton::cpu {

/// tile[r * columns + c] = the element at source + r * row + c * lane (bytes), for items of 1, 2,
/// 4, 8 or 16 bytes.
void pack(void* tile, const char* source, int64_t rows, int64_t columns, int64_t row, int64_t lane,
          int item);
/// The other way round.
void unpack(const void* tile, char* target, int64_t rows, int64_t columns, int64_t row,
            int64_t lane, int item);

}  // namespace croton::cpu
