#include "croton/backend/cpu/pack.hpp"

#include <cstdlib>
#include <cstring>

namespace croton::cpu {

namespace {
struct Word16 {
    uint64_t low, high;
};

// Calls visit(r, c) so that strided memory is walked along its smaller stride, in small squares
// where the strides differ much: each cache line is then used up while it is near.
template <class Visit>
void walk(int64_t rows, int64_t columns, int64_t row, int64_t lane, Visit visit) {
    constexpr int64_t side = 16;
    if (rows == 1 || std::abs(lane) <= std::abs(row)) {
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < columns; ++c) visit(r, c);
        return;
    }
    for (int64_t r0 = 0; r0 < rows; r0 += side)
        for (int64_t c0 = 0; c0 < columns; c0 += side) {
            int64_t r1 = r0 + side < rows ? r0 + side : rows;
            int64_t c1 = c0 + side < columns ? c0 + side : columns;
            for (int64_t c = c0; c < c1; ++c)
                for (int64_t r = r0; r < r1; ++r) visit(r, c);
        }
}

template <class T>
void pack_items(void* tile, const char* source, int64_t rows, int64_t columns, int64_t row,
                int64_t lane) {
    auto out = static_cast<T*>(tile);
    walk(rows, columns, row, lane, [=](int64_t r, int64_t c) {
        std::memcpy(&out[r * columns + c], source + r * row + c * lane, sizeof(T));
    });
}

template <class T>
void unpack_items(const void* tile, char* target, int64_t rows, int64_t columns, int64_t row,
                  int64_t lane) {
    auto in = static_cast<const T*>(tile);
    walk(rows, columns, row, lane, [=](int64_t r, int64_t c) {
        std::memcpy(target + r * row + c * lane, &in[r * columns + c], sizeof(T));
    });
}
}  // namespace

void pack(void* tile, const char* source, int64_t rows, int64_t columns, int64_t row, int64_t lane,
          int item) {
    auto with = [&](auto tag) {
        pack_items<decltype(tag)>(tile, source, rows, columns, row, lane);
    };
    switch (item) {
        case 1: return with(uint8_t{});
        case 2: return with(uint16_t{});
        case 4: return with(uint32_t{});
        case 8: return with(uint64_t{});
        default: return with(Word16{});
    }
}

void unpack(const void* tile, char* target, int64_t rows, int64_t columns, int64_t row,
            int64_t lane, int item) {
    auto with = [&](auto tag) {
        unpack_items<decltype(tag)>(tile, target, rows, columns, row, lane);
    };
    switch (item) {
        case 1: return with(uint8_t{});
        case 2: return with(uint16_t{});
        case 4: return with(uint32_t{});
        case 8: return with(uint64_t{});
        default: return with(Word16{});
    }
}

}  // namespace croton::cpu
