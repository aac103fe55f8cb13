#pragma once
// The inner loops of matrix products, compiled once for each width of vectors (tiles_*.cpp). They
// know packed operands and pointers only; products.cpp decides what is packed and in which order it
// runs.
#include <cstdint>

namespace croton::runtime {

/// Inner elements (the summed axis) that one tile call takes at most: a panel of rows of this depth
/// stays in the first cache, a group of strips in the second.
constexpr int64_t block_depth = 512;
/// Elements from row to row of a panel packed by rows: no two rows start in one set of the cache.
constexpr int64_t panel_stride = block_depth + 16;  // a vector's room behind the last element
/// Most rows that a tile of any level has.
constexpr int most_tile_rows = 14;

/// c = alpha * a @ b + beta * c for as many rows as the function has and `columns` columns; c is
/// not read where beta is 0. `b` has all columns of the tile's width (padded where `columns` is
/// less).
template <class T>
struct TileCall {
    int64_t depth;
    const T* a;
    const T* b;
    int64_t b_stride;
    T alpha, beta;
    T* c;
    int64_t c_row, c_column, columns;
};
template <class T>
using Tile = void (*)(const TileCall<T>&);

/// Tiles with one vector of columns, with two (a strip), and with as many as registers allow.
enum TileWidth { narrow, strip, wide };

template <class T>
struct Tiles {
    int64_t lanes;                             ///< elements of a vector
    int64_t rows;                              ///< rows of the largest tile
    int64_t wide_vectors[most_tile_rows + 1];  ///< columns of a wide tile, by its rows
    Tile<T> by_row[most_tile_rows + 1][3];     ///< `a` packed by rows, panel_stride apart
    Tile<T> by_column[most_tile_rows + 1][3];  ///< `a` packed by columns, as many as rows apart
    /// `columns` columns of `depth` rows (contiguous, `stride` apart) into strips, padded with
    /// zeros.
    void (*pack_rows)(const T* from, int64_t stride, int64_t depth, int64_t columns, T* to);
    /// The same from contiguous columns that are `stride` apart.
    void (*pack_columns)(const T* from, int64_t stride, int64_t depth, int64_t columns, T* to);
    /// A panel by rows: `rows` rows of `depth` elements, panel_stride apart.
    void (*copy_rows)(const T* from, int64_t stride, int64_t rows, int64_t depth, T* to);
    /// A panel by columns: to[p * rows + i] = from[p * stride + i].
    void (*copy_panel[most_tile_rows + 1])(const T* from, int64_t stride, int64_t depth, T* to);
    /// y[i] = sum over p of a[i * stride + p] * x[p].
    void (*dot_rows)(const T* a, int64_t stride, int64_t rows, int64_t depth, const T* x, T* y);
    /// y[j] = sum over p of x[p] * b[p * stride + j].
    void (*add_rows)(const T* b, int64_t stride, int64_t depth, int64_t columns, const T* x, T* y);
    /// The same for at most a vector of columns.
    void (*add_rows_of_few)(const T* b, int64_t stride, int64_t depth, int64_t columns, const T* x,
                            T* y);
};

struct TileLevel {
    Tiles<float> float32;
    Tiles<double> float64;
    template <class T>
    const Tiles<T>& of() const {
        if constexpr (sizeof(T) == 4)
            return float32;
        else
            return float64;
    }
};

const TileLevel& base_tiles();
const TileLevel& avx2_tiles();
const TileLevel& avx512_tiles();

}  // namespace croton::runtime
