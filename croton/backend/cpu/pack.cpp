#include "croton/backend/cpu/pack.hpp"

#include <cstdlib>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace croton::cpu {

namespace {
struct Word16 {
    uint64_t low, high;
};

template <class T>
void copy_item(char* to, const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    std::memcpy(to, &value, sizeof value);
}

// Item (i, j) of both sides, whatever the strides.
template <class T>
void copy_rows(char* to, int64_t to_row, int64_t to_item, const char* from, int64_t from_row,
               int64_t from_item, int64_t rows, int64_t items) {
    for (int64_t i = 0; i < rows; ++i, to += to_row, from += from_row) {
        char* t = to;
        const char* f = from;
        int64_t j = 0;
        for (; j + 4 <= items; j += 4, t += 4 * to_item, f += 4 * from_item) {
            copy_item<T>(t, f);
            copy_item<T>(t + to_item, f + from_item);
            copy_item<T>(t + 2 * to_item, f + 2 * from_item);
            copy_item<T>(t + 3 * to_item, f + 3 * from_item);
        }
        for (; j < items; ++j, t += to_item, f += from_item) copy_item<T>(t, f);
    }
}

// to[j][i] = from[i][j] for a square of as many items as fit a vector, dense along j and i.
template <class T>
constexpr int64_t square_side = 1;
template <class T>
void transpose_square(char* to, int64_t, const char* from, int64_t) {
    copy_item<T>(to, from);
}

#if defined(__SSE2__)
template <>
constexpr int64_t square_side<uint32_t> = 4;
template <>
void transpose_square<uint32_t>(char* to, int64_t to_row, const char* from, int64_t from_row) {
    auto load = [&](int i) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * from_row));
    };
    auto store = [&](int j, __m128i value) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + j * to_row), value);
    };
    __m128i r0 = load(0), r1 = load(1), r2 = load(2), r3 = load(3);
    __m128i low01 = _mm_unpacklo_epi32(r0, r1), high01 = _mm_unpackhi_epi32(r0, r1);
    __m128i low23 = _mm_unpacklo_epi32(r2, r3), high23 = _mm_unpackhi_epi32(r2, r3);
    store(0, _mm_unpacklo_epi64(low01, low23));
    store(1, _mm_unpackhi_epi64(low01, low23));
    store(2, _mm_unpacklo_epi64(high01, high23));
    store(3, _mm_unpackhi_epi64(high01, high23));
}

template <>
constexpr int64_t square_side<uint64_t> = 2;
template <>
void transpose_square<uint64_t>(char* to, int64_t to_row, const char* from, int64_t from_row) {
    __m128i r0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    __m128i r1 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + from_row));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi64(r0, r1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + to_row), _mm_unpackhi_epi64(r0, r1));
}
#endif

// to[j][i] = from[i][j], dense along i there and along j here.
template <class T>
void transpose(char* to, int64_t to_row, const char* from, int64_t from_row, int64_t rows,
               int64_t items) {
    constexpr int64_t side = square_side<T>, item = sizeof(T);
    int64_t whole_rows = rows / side * side, whole_items = items / side * side;
    auto square = [=](int64_t i, int64_t j) {
        transpose_square<T>(to + j * to_row + i * item, to_row, from + i * from_row + j * item,
                            from_row);
    };
    // The far side row by row: its lines, which often fall into one set of the cache, are used up
    // before they are pushed out.
    if (std::abs(to_row) > std::abs(from_row)) {
        for (int64_t j = 0; j < whole_items; j += side)
            for (int64_t i = 0; i < whole_rows; i += side) square(i, j);
    } else {
        for (int64_t i = 0; i < whole_rows; i += side)
            for (int64_t j = 0; j < whole_items; j += side) square(i, j);
    }
    copy_rows<T>(to + whole_rows * item, item, to_row, from + whole_rows * from_row, from_row, item,
                 rows - whole_rows, items);
    copy_rows<T>(to + whole_items * to_row, item, to_row, from + whole_items * item, from_row, item,
                 whole_rows, items - whole_items);
}

template <class Visit>
void with_item(int item, Visit visit) {
    switch (item) {
        case 1: return visit(uint8_t{});
        case 2: return visit(uint16_t{});
        case 4: return visit(uint32_t{});
        case 8: return visit(uint64_t{});
        default: return visit(Word16{});
    }
}
}  // namespace

void pack(void* tile, const char* source, int64_t rows, int64_t columns, int64_t row, int64_t lane,
          int item) {
    auto to = static_cast<char*>(tile);
    with_item(item, [&](auto tag) {
        using T = decltype(tag);
        if (row == item)
            transpose<T>(to, columns * item, source, lane, columns, rows);
        else
            copy_rows<T>(to, columns * item, item, source, row, lane, rows, columns);
    });
}

void unpack(const void* tile, char* target, int64_t rows, int64_t columns, int64_t row,
            int64_t lane, int item) {
    auto from = static_cast<const char*>(tile);
    with_item(item, [&](auto tag) {
        using T = decltype(tag);
        if (row == item)
            transpose<T>(target, lane, from, columns * item, rows, columns);
        else
            copy_rows<T>(target, row, lane, from, columns * item, item, rows, columns);
    });
}

}  // namespace croton::cpu
