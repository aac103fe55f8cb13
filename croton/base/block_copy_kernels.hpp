// Included once for each width of vectors, by a file compiled for processors that have them, which
// defines CROTON_COPY_BYTES. Nothing here may be seen by the linker under a name that another file
// has too, so nothing of the standard library is called.
#include <cstdint>
#include <utility>

#include "croton/base/block_copy.hpp"

namespace croton {

namespace {
#define CROTON_INLINE inline __attribute__((always_inline))

constexpr int vector_bytes = CROTON_COPY_BYTES;
constexpr int64_t line = 64;  // bytes that memory is read and written by

struct Word16 {
    uint64_t low, high;
};

template <class T, int bytes>
struct VectorOf {
    typedef T type __attribute__((vector_size(bytes)));
};
template <class T, int bytes = vector_bytes>
using Vector = typename VectorOf<T, bytes>::type;
template <class T, int bytes = vector_bytes>
constexpr int lanes_of = bytes / static_cast<int>(sizeof(T));

template <class V>
CROTON_INLINE V load(const char* from) {
    V value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}
template <class V>
CROTON_INLINE void store(char* to, V value) {
    __builtin_memcpy(to, &value, sizeof value);
}
template <class T>
CROTON_INLINE void copy_item(char* to, const char* from) {
    store(to, load<T>(from));
}

// --- shuffles
// -------------------------------------------------------------------------------------

// Lane i is lane index(i) of a and b laid end to end.
template <class V, class Index, std::size_t... i>
CROTON_INLINE V shuffle(V a, V b, Index, std::index_sequence<i...>) {
    return __builtin_shufflevector(a, b, Index::at(static_cast<int>(i))...);
}
template <class Index, class V>
CROTON_INLINE V shuffle(V a, V b) {
    return shuffle(a, b, Index{},
                   std::make_index_sequence<static_cast<std::size_t>(Index::lanes)>());
}

template <int count>
struct Even {  // every second lane
    static constexpr int lanes = count;
    static constexpr int at(int i) { return 2 * i; }
};
template <int count>
struct Reverse {
    static constexpr int lanes = count;
    static constexpr int at(int i) { return count - 1 - i; }
};
// Of three vectors end to end every third lane, a and b first: the lanes of b that are wanted.
template <int count, int part>
struct Third {
    static constexpr int lanes = count;
    static constexpr int at(int i) {
        if (part == 0) return 3 * i < 2 * count ? 3 * i : 0;
        return 3 * i < 2 * count ? i : 3 * i - count;
    }
};
// a and b lane by lane, in each piece of 16 bytes: its lower (upper) half.
template <int count, int in_piece, int upper>
struct Zip {
    static constexpr int lanes = count;
    static constexpr int at(int i) {
        int piece = i / in_piece * in_piece, k = i % in_piece;
        return piece + k / 2 + upper * in_piece / 2 + k % 2 * count;
    }
};
// Every second piece of 16 bytes, from the first (second) on.
template <int count, int in_piece, int odd>
struct Pieces {
    static constexpr int lanes = count;
    static constexpr int at(int i) { return (2 * (i / in_piece) + odd) * in_piece + i % in_piece; }
};

// --- rows of items with a small step
// --------------------------------------------------------------

// A vector of items that are `step` items apart; all from the first to the last are read, and up to
// step - 1 behind it.
template <class T, int step>
CROTON_INLINE Vector<T> pick(const char* from) {
    using V = Vector<T>;
    constexpr int lanes = lanes_of<T>;
    if constexpr (step == 1) {
        return load<V>(from);
    } else if constexpr (step == 3) {
        V a = load<V>(from), b = load<V>(from + vector_bytes), c = load<V>(from + 2 * vector_bytes);
        return shuffle<Third<lanes, 1>>(shuffle<Third<lanes, 0>>(a, b), c);
    } else {
        V a = pick<T, step / 2>(from), b = pick<T, step / 2>(from + step / 2 * vector_bytes);
        return shuffle<Even<lanes>>(a, b);
    }
}

template <class T>
CROTON_INLINE void copy_row(char* to, int64_t to_item, const char* from, int64_t from_item,
                            int64_t items) {
    int64_t j = 0;
    for (; j + 4 <= items; j += 4, to += 4 * to_item, from += 4 * from_item) {
        copy_item<T>(to, from);
        copy_item<T>(to + to_item, from + from_item);
        copy_item<T>(to + 2 * to_item, from + 2 * from_item);
        copy_item<T>(to + 3 * to_item, from + 3 * from_item);
    }
    for (; j < items; ++j, to += to_item, from += from_item) copy_item<T>(to, from);
}

// What is read after the bytes from `from` to `from + bytes` lies at `next` (if anything does).
// Lines are asked for some way ahead: where streams take turns, processors lose track of each.
struct Source {
    const char* from;
    int64_t bytes;
    const char* next;

    CROTON_INLINE void fetch(int64_t at, int64_t count) const {
        constexpr int64_t ahead = 4096;
        at += ahead;
        const char* place = at < bytes ? from + at : next + (at - bytes);
        if (at >= bytes && !next) return;
        for (int64_t n = 0; n < count; n += line) __builtin_prefetch(place + n, 0, 3);
    }
};

// Items `step` apart into a dense row. A vector is read together with the gap behind its highest
// item: with a step there must be an item beyond.
template <class T, int step>
void pick_row(char* to, const char* from, int64_t items, const char* next) {
    constexpr int64_t lanes = lanes_of<T>, size = sizeof(T), stride = step * size;
    int64_t whole = (items - (step > 1 ? 1 : 0)) / lanes * lanes;
    Source source{from, items * stride, next};
    for (int64_t j = 0; j < whole; j += lanes) {
        source.fetch(j * stride, step * vector_bytes);
        store(to + j * size, pick<T, step>(from + j * stride));
    }
    copy_row<T>(to + whole * size, size, from + whole * stride, stride, items - whole);
}

// The same downwards, from the last item on: memory is read upwards, as processors expect.
template <class T, int step>
void pick_row_down(char* to, const char* from, int64_t items, const char* next) {
    constexpr int64_t lanes = lanes_of<T>, size = sizeof(T), stride = step * size;
    int64_t j = items;
    Source source{from - (items - 1) * stride, items * stride,
                  next ? next - (items - 1) * stride : nullptr};
    for (; j - lanes >= (step > 1 ? 1 : 0); j -= lanes) {
        source.fetch((items - j) * stride, step * vector_bytes);
        Vector<T> upwards = pick<T, step>(from - (j - 1) * stride);
        store(to + (j - lanes) * size, shuffle<Reverse<static_cast<int>(lanes)>>(upwards, upwards));
    }
    copy_row<T>(to, size, from, -stride, j);
}

template <class T>
void fill_row(char* to, const char* from, int64_t items) {
    constexpr int64_t lanes = lanes_of<T>, size = sizeof(T);
    int64_t j = 0;
    Vector<T> all = Vector<T>{} + load<T>(from);
    for (; j + lanes <= items; j += lanes) store(to + j * size, all);
    for (; j < items; ++j) copy_item<T>(to + j * size, from);
}

// A dense row of items that are anywhere.
template <class T>
void gather_row(char* to, const char* from, int64_t from_item, int64_t items, const char* next) {
    constexpr int64_t size = sizeof(T);
    if constexpr (size <= 8) {
        constexpr bool shuffles_three = size >= 4 || vector_bytes > 16;
        if (items < lanes_of<T>) return copy_row<T>(to, size, from, from_item, items);
        if (from_item == 0) return fill_row<T>(to, from, items);
        if (from_item == 2 * size) return pick_row<T, 2>(to, from, items, next);
        if (from_item == 4 * size) return pick_row<T, 4>(to, from, items, next);
        if (from_item == -size) return pick_row_down<T, 1>(to, from, items, next);
        if (from_item == -2 * size) return pick_row_down<T, 2>(to, from, items, next);
        if (from_item == -4 * size) return pick_row_down<T, 4>(to, from, items, next);
        if constexpr (shuffles_three) {
            if (from_item == 3 * size) return pick_row<T, 3>(to, from, items, next);
            if (from_item == -3 * size) return pick_row_down<T, 3>(to, from, items, next);
        }
    }
    copy_row<T>(to, size, from, from_item, items);
}

// --- transposition
// ----------------------------------------------------------------------------------

// Bytes of the vectors that a square is made of: no more of them than there are registers.
template <class T>
constexpr int square_bytes = sizeof(T) == 1                        ? 16
                             : sizeof(T) == 2 && vector_bytes > 32 ? 32
                                                                   : vector_bytes;
template <class T>
constexpr int square_side = sizeof(T) == 16 ? 1 : square_bytes<T> / static_cast<int>(sizeof(T));

// to[j][i] = from[i][j] for a square of as many rows as a vector has items, dense along j and i.
template <class T>
CROTON_INLINE void transpose_square(char* to, int64_t to_row, const char* from, int64_t from_row) {
    if constexpr (sizeof(T) == 16) {
        copy_item<T>(to, from);
    } else {
        using V = Vector<T, square_bytes<T>>;
        constexpr int side = square_side<T>, in_piece = 16 / static_cast<int>(sizeof(T));
        constexpr int pieces = side / in_piece;
        V row[side], made[side];
#pragma GCC unroll 16
        for (int i = 0; i < side; ++i) row[i] = load<V>(from + i * from_row);
        // Within pieces of 16 bytes, for as many rows as those have items.
#pragma GCC unroll 4
        for (int done = 1; done < in_piece; done *= 2) {
#pragma GCC unroll 16
            for (int i = 0; i < side / 2; ++i) {
                int first = i / (in_piece / 2) * in_piece, k = i % (in_piece / 2);
                V a = row[first + k], b = row[first + k + in_piece / 2];
                made[first + 2 * k] = shuffle<Zip<side, in_piece, 0>>(a, b);
                made[first + 2 * k + 1] = shuffle<Zip<side, in_piece, 1>>(a, b);
            }
#pragma GCC unroll 16
            for (int i = 0; i < side; ++i) row[i] = made[i];
        }
        // Then the pieces: row `first + k` has the items of column piece * in_piece + k.
#pragma GCC unroll 4
        for (int done = 1; done < pieces; done *= 2) {
#pragma GCC unroll 16
            for (int k = 0; k < in_piece; ++k)
#pragma GCC unroll 4
                for (int p = 0; p < pieces / 2; ++p) {
                    V a = row[2 * p * in_piece + k], b = row[(2 * p + 1) * in_piece + k];
                    made[p * in_piece + k] = shuffle<Pieces<side, in_piece, 0>>(a, b);
                    made[(p + pieces / 2) * in_piece + k] =
                        shuffle<Pieces<side, in_piece, 1>>(a, b);
                }
#pragma GCC unroll 16
            for (int i = 0; i < side; ++i) row[i] = made[i];
        }
#pragma GCC unroll 16
        for (int i = 0; i < side; ++i) store(to + i * to_row, row[i]);
    }
}

CROTON_INLINE int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

/// Rows that are dense become columns that are dense.
template <class T>
struct Transposition {
    static constexpr int64_t side = square_side<T>, size = sizeof(T);
    static constexpr int64_t cell = line / size;       // items: whole lines of both sides
    static constexpr int64_t ahead = 4 * cell;         // rows
    static constexpr int64_t panel = 4 * line / size;  // items of a row that are read together

    char* to;
    int64_t to_row;
    const char* from;
    int64_t from_row;
    int64_t rows, items;
    bool fetched;

    // Lines wait in few places if rows are a power of two apart: each is used up at once, and those
    // of later rows are asked for in time. They lie in other pages, where no processor looks ahead.
    void fetch(int64_t i, int64_t j) const {
        for (int64_t row = i + ahead; row < at_most(i + ahead + cell, rows); ++row)
            __builtin_prefetch(from + row * from_row + j * size, 0, 2);
    }

    void square(int64_t i, int64_t j) const {
        transpose_square<T>(to + j * to_row + i * size, to_row, from + i * from_row + j * size,
                            from_row);
    }

    void squares(int64_t i, int64_t j, int64_t end_i, int64_t end_j) const {
        for (int64_t ii = i; ii < end_i; ii += side)
            for (int64_t jj = j; jj < end_j; jj += side) square(ii, jj);
    }

    // What is left beside whole squares, in squares that overlap them.
    void edges(int64_t whole_rows, int64_t whole_items) const {
        if (whole_items < items)
            for (int64_t i = 0; i < whole_rows; i += side) square(i, items - side);
        if (whole_rows == rows) return;
        for (int64_t j = 0; j < whole_items; j += side) square(rows - side, j);
        if (whole_items < items) square(rows - side, items - side);
    }

    void run() const {
        if (rows < side || items < side) {
            for (int64_t j = 0; j < items; ++j)
                copy_row<T>(to + j * to_row, size, from + j * size, from_row, rows);
            return;
        }
        int64_t whole_rows = rows / side * side, whole_items = items / side * side;
        bool far = !fetched && (from_row >= 1024 || from_row <= -1024);
        for (int64_t p = 0; p < whole_items; p += panel)
            for (int64_t i = 0; i < whole_rows; i += cell)
                for (int64_t j = p; j < at_most(p + panel, whole_items); j += cell) {
                    if (far) fetch(i, j);
                    squares(i, j, at_most(i + cell, whole_rows), at_most(j + cell, whole_items));
                }
        edges(whole_rows, whole_items);
    }
};

// --- blocks
// -----------------------------------------------------------------------------------------

CROTON_INLINE void copy_bytes(char* to, const char* from, int64_t bytes) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(bytes));
}

template <class T>
void copy_lines(const BlockCopy& c) {
    constexpr int64_t size = sizeof(T);
    int64_t bytes = c.items * size;
    if (c.to_steps.row == bytes && c.from_steps.row == bytes)
        return copy_bytes(c.to, c.from, c.rows * bytes);
    for (int64_t i = 0; i < c.rows; ++i) {
        char* to = c.to + i * c.to_steps.row;
        const char* from = c.from + i * c.from_steps.row;
        if (bytes < 32)
            copy_row<T>(to, size, from, size, c.items);
        else
            copy_bytes(to, from, bytes);
    }
}

template <class T>
void copy_any(const BlockCopy& c) {
    for (int64_t i = 0; i < c.rows; ++i)
        copy_row<T>(c.to + i * c.to_steps.row, c.to_steps.item, c.from + i * c.from_steps.row,
                    c.from_steps.item, c.items);
}

// `to` is dense along its items.
template <class T>
void copy_to_dense(const BlockCopy& c) {
    constexpr int64_t size = sizeof(T);
    if (c.from_steps.item == size) return copy_lines<T>(c);
    if (c.from_steps.row == size && c.rows >= square_side<T>)
        return Transposition<T>{c.to,    c.to_steps.row, c.from,   c.from_steps.item,
                                c.items, c.rows,         c.fetched}
            .run();
    for (int64_t i = 0; i < c.rows; ++i) {
        const char* from = c.from + i * c.from_steps.row;
        const char* next = i + 1 < c.rows ? from + c.from_steps.row : c.next;
        gather_row<T>(c.to + i * c.to_steps.row, from, c.from_steps.item, c.items, next);
    }
}

template <class T>
void copy_items(BlockCopy c) {
    constexpr int64_t size = sizeof(T);
    if (c.to_steps.item == size) return copy_to_dense<T>(c);
    if (c.to_steps.row == size) {
        c = {c.to,     {c.to_steps.item, size},
             c.from,   {c.from_steps.item, c.from_steps.row},
             c.items,  c.rows,
             c.size,   c.next,
             c.fetched};
        return copy_to_dense<T>(c);
    }
    copy_any<T>(c);
}

void copy_sized(const BlockCopy& c) {
    switch (c.size) {
        case 1: return copy_items<uint8_t>(c);
        case 2: return copy_items<uint16_t>(c);
        case 4: return copy_items<uint32_t>(c);
        case 8: return copy_items<uint64_t>(c);
        default: return copy_items<Word16>(c);
    }
}
#undef CROTON_INLINE
}  // namespace

}  // namespace croton
