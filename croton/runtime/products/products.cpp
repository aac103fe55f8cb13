// How a product is arranged. The smaller operand is packed once, for all threads; pieces of the
// other one are packed by whoever multiplies them, just before they are used:
//
//   by strips   `a` is packed in panels of rows; threads share out strips of columns
//   by panels   `b` is packed in strips; threads share out panels of rows (many rows: few columns,
//   or
//               all of b stays in the second cache)
//   few rows    one panel of `a`, and rows of `b` are read where they lie
//   packed      strips of `b` that came packed: by strips, or by panels
//   vectors     one row or one column: every element of the matrix is read once, nothing is packed
#include "croton/runtime/products/products.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "croton/base/settings.hpp"
#include "croton/runtime/products/tiles.hpp"
#include "croton/runtime/threads.hpp"
#include "croton/type/array.hpp"

namespace croton::runtime {

namespace {
const TileLevel& machine_tiles() {
#if defined(__x86_64__)
    static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                             __builtin_cpu_supports("bmi2");
    static const bool avx512 =
        avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd");
    const std::string& wanted = settings().cpu_level;
    if (avx512 && wanted != "avx2" && wanted != "sse2") return avx512_tiles();
    if (avx2 && wanted != "sse2") return avx2_tiles();
#endif
    return base_tiles();
}

// Working memory of a thread, kept from call to call.
class Scratch {
  public:
    template <class T>
    T* get(int64_t count) {
        size_t bytes = static_cast<size_t>(count) * sizeof(T);
        if (bytes > bytes_) {
            memory_.reset();
            memory_ = allocate_aligned(bytes);
            bytes_ = bytes;
        }
        return static_cast<T*>(memory_.get());
    }
    int64_t bytes() const { return static_cast<int64_t>(bytes_); }

  private:
    std::shared_ptr<void> memory_;
    size_t bytes_ = 0;
};
thread_local Scratch shared_scratch, own_scratch;

// Multiply-adds that are worth waking a thread for, and those of one piece; the same where a worker
// looks for work already, as it does between the steps of a loop.
struct Worth {
    int64_t sharing, piece;
};
constexpr Worth of_waking{1 << 22, 1 << 20}, of_asking{1 << 20, 1 << 19};
constexpr int64_t copy_cost = 64;  // multiply-adds in the time that packs an element
constexpr int64_t read_cost = 4;   // and in the time that reads one of a matrix in no near cache

template <class Body>
void share_out(int64_t count, int64_t work_each, const Body& body, int64_t together = 1) {
    const int64_t work = count * work_each;
    const Worth& worth = work >= of_waking.sharing || !worker_awake() ? of_waking : of_asking;
    if (work < worth.sharing || count == 1) {
        body(int64_t{0}, count);
        return;
    }
    // Pieces of `together`, if that leaves some for all threads, and as many for each.
    const int64_t threads = thread_count();
    const int64_t pieces = threads * std::clamp<int64_t>(count / (together * threads), 1, 4);
    const int64_t grain = std::max((count + pieces - 1) / pieces, worth.piece / work_each);
    parallel_for(count, std::max<int64_t>(1, grain), body);
}

struct Range {
    int64_t begin, size;
};
// [0, size) in `count` parts of nearly equal size.
struct Parts {
    int64_t size, count;
    static Parts of_at_most(int64_t most, int64_t size) { return {size, (size + most - 1) / most}; }
    Range range(int64_t i, int64_t offset = 0) const {
        const int64_t begin = size * i / count;
        return {offset + begin, size * (i + 1) / count - begin};
    }
    Range ranges(int64_t first, int64_t last, int64_t offset = 0) const {
        const int64_t begin = size * first / count;
        return {offset + begin, size * last / count - begin};
    }
    int64_t longest() const { return (size + count - 1) / count; }
};

// Packed elements that threads share, and strips that are packed together.
constexpr int64_t shared_limit = 1 << 20;
constexpr int64_t deepest = 8 * block_depth;
constexpr int64_t strips_together = 8;
// To pack b costs as much as some ten rows of the product: with more rows than these, under 5 %.
constexpr int64_t most_rows_for_packed = 192;
// Elements of a result, at least, that are finished together: a call costs as much as some hundred.
constexpr int64_t finished_together = 8192;
// Bytes of b's rows that are read where they lie, of the panels used together, and of a packed b
// that is used as a whole.
constexpr int64_t in_first_cache = 32 << 10, panels_cache = 200 << 10, in_second_cache = 400 << 10;

template <class T>
class Product {
  public:
    Product(const MatrixView<T>& a, const MatrixView<T>& b, T alpha, T beta, T* c, int64_t row,
            int64_t column, PackedOperands<T> packed = {}, Finishing finishing = {})
        : a_(a),
          b_(b),
          alpha_(alpha),
          beta_(beta),
          c_(c),
          row_(row),
          column_(column),
          finishing_(finishing) {
        if ((column_ != 1 && row_ == 1) || (column_ == 1 && few_columns())) turn();
        const PackedMatrix<T>* right = turned_ ? packed.a_transposed : packed.b;
        if (right) packed_ = right->strips();
    }

    /// All columns of b, for PackedMatrix.
    static int64_t packed_bytes(const MatrixView<T>& b);
    void pack_all(T* to) const;

    void run();
    /// Whether nothing is written until all of the caller's a is packed.
    bool packs_left_first() const;
    /// Which operand is `b` of what is computed, and whether that pays to have it packed.
    Packable packable() const;

  private:
    // They would not fill a vector.
    bool few_columns() const { return b_.columns <= tiles_.rows && b_.columns < a_.rows; }
    void turn();
    enum class Way { FewRows, Strips, Panels };
    Way way(Range inner) const;
    // Rows of a that are packed at once.
    int64_t rows_together(Range inner) const {
        const int64_t most = shared_limit / inner.size;
        return std::max(tiles_.rows, most / tiles_.rows * tiles_.rows);
    }
    void by_strips(Range rows, Range inner);
    void by_panels(Range columns, Range inner);
    void few_rows(Range inner);
    T beta_of(int64_t begin) const { return begin == 0 ? beta_ : T(1); }
    // After this part of the inner axis the result is final, and somebody wants to know.
    bool finishes(Range inner) const {
        return finishing_.finish && inner.begin + inner.size == a_.columns;
    }
    void finish(Range rows, Range columns) const {
        if (turned_) std::swap(rows, columns);
        finishing_.finish->block(finishing_.first_row + rows.begin, rows.size, columns.begin,
                                 columns.size);
    }
    void pack_panel(Range rows, Range inner, T* to) const;
    void pack_strips(Range columns, Range inner, T* to) const;
    const T* pack_panels(Range rows, Parts panels, Range inner, Parts blocks);
    void group(Range rows, Parts panels, const T* packed, Range columns, Range inner);
    void multiply_strip(Range rows, const T* panel, Range columns, const T* from, int64_t stride,
                        Range inner);
    void multiply_packed(Range rows, const T* panel, Range columns, const T* strips, Range inner);
    int64_t strips_size(int64_t columns, int64_t depth) const;
    int64_t panel_size() const { return tiles_.rows * panel_stride; }
    int64_t tile_width() const { return 2 * tiles_.lanes; }
    int64_t padded(int64_t columns) const {
        return (columns + tile_width() - 1) / tile_width() * tile_width();
    }
    bool by_row() const { return a_.row != 1 || a_.column == 1; }
    bool lies_by_lines() const { return b_.row == 1 || b_.column == 1; }
    // Rows of b that stay in the first cache, or are read once, need no packing.
    bool reads_in_place(Parts panels) const {
        return b_.column == 1 &&
               (panels.count == 1 || b_.rows * b_.row <= in_first_cache / int64_t{sizeof(T)});
    }
    // All of b, packed, stays in the second cache while far more rows of a pass by: each thread
    // reads its own rows alone, which it has written itself if they are a result of a step before.
    bool stays_packed(int64_t height, Range inner) const {
        return height >= 2 * b_.columns &&
               inner.size * padded(b_.columns) * int64_t{sizeof(T)} <= in_second_cache;
    }
    const auto& tiles_for(int64_t rows) const {
        return by_row() ? tiles_.by_row[rows] : tiles_.by_column[rows];
    }

    MatrixView<T> a_, b_;
    T alpha_, beta_;
    T* c_;
    int64_t row_, column_;
    const T* packed_ = nullptr;  ///< all strips of b, or null
    Finishing finishing_;
    bool turned_ = false;  ///< rows of what is computed are columns of the result
    const Tiles<T>& tiles_ = machine_tiles().template of<T>();
};

template <class T>
void Product<T>::turn() {
    std::swap(a_, b_);
    a_ = a_.transposed();
    b_ = b_.transposed();
    std::swap(row_, column_);
    turned_ = true;
}

template <class T>
Packable Product<T>::packable() const {
    if (packed_bytes(b_) == 0) return {};
    return {turned_ ? Packable::a_transposed : Packable::b, a_.rows <= most_rows_for_packed};
}

template <class T>
auto Product<T>::way(Range inner) const -> Way {
    const int64_t height = a_.rows, width = b_.columns;
    if (height <= tiles_.rows && b_.column == 1 && !packed_) return Way::FewRows;
    const bool wide = width >= 4 * tile_width() && !stays_packed(height, inner);
    return width >= height || wide ? Way::Strips : Way::Panels;
}

template <class T>
bool Product<T>::packs_left_first() const {
    const Range inner{0, a_.columns};
    return !turned_ && inner.size <= deepest && way(inner) != Way::Panels &&
           a_.rows <= rows_together(inner);
}

template <class T>
void Product<T>::run() {
    const int64_t k = a_.columns, height = a_.rows, width = b_.columns;
    for (int64_t p = 0; p < k; p += deepest) {
        const Range inner{p, std::min(deepest, k - p)};
        const Way chosen = way(inner);
        if (chosen == Way::FewRows) {
            few_rows(inner);
        } else if (chosen == Way::Strips) {
            const int64_t step = rows_together(inner);
            for (int64_t i = 0; i < height; i += step)
                by_strips({i, std::min(step, height - i)}, inner);
        } else {
            const int64_t most = shared_limit / inner.size;
            const int64_t step = std::max(tile_width(), most / tile_width() * tile_width());
            for (int64_t j = 0; j < width; j += step)
                by_panels({j, std::min(step, width - j)}, inner);
        }
    }
}

template <class T>
void Product<T>::pack_panel(Range rows, Range inner, T* to) const {
    const T* from = a_.data + rows.begin * a_.row + inner.begin * a_.column;
    if (!by_row()) {
        tiles_.copy_panel[rows.size](from, a_.column, inner.size, to);
        return;
    }
    if (a_.column == 1) {
        tiles_.copy_rows(from, a_.row, rows.size, inner.size, to);
        return;
    }
    for (int64_t i = 0; i < rows.size; ++i, from += a_.row, to += panel_stride)
        for (int64_t p = 0; p < inner.size; ++p) to[p] = from[p * a_.column];
}

template <class T>
void Product<T>::pack_strips(Range columns, Range inner, T* to) const {
    const T* from = b_.data + inner.begin * b_.row + columns.begin * b_.column;
    if (b_.column == 1) {
        tiles_.pack_rows(from, b_.row, inner.size, columns.size, to);
    } else if (b_.row == 1) {
        tiles_.pack_columns(from, b_.column, inner.size, columns.size, to);
    } else {
        T* rows = to + strips_size(columns.size, inner.size) / 2;
        for (int64_t p = 0; p < inner.size; ++p)
            for (int64_t j = 0; j < columns.size; ++j)
                rows[p * columns.size + j] = from[p * b_.row + j * b_.column];
        tiles_.pack_rows(rows, columns.size, inner.size, columns.size, to);
    }
}

// 0: it is never packed. Less than a vector of columns would become several times as large.
template <class T>
int64_t Product<T>::packed_bytes(const MatrixView<T>& b) {
    const int64_t lanes = machine_tiles().template of<T>().lanes;
    const bool lines = b.row == 1 || b.column == 1;
    if (!lines || b.columns < lanes) return 0;
    const int64_t width = (b.columns + 2 * lanes - 1) / (2 * lanes) * (2 * lanes);
    return width * b.rows * int64_t{sizeof(T)};
}

// Blocks of rows one after the other, cut as run() cuts them, each as pack_strips leaves it.
template <class T>
void Product<T>::pack_all(T* to) const {
    for (int64_t p = 0; p < b_.rows; p += deepest) {
        const Parts blocks = Parts::of_at_most(block_depth, std::min(deepest, b_.rows - p));
        for (int64_t q = 0; q < blocks.count; ++q) {
            const Range inner = blocks.range(q, p);
            pack_strips({0, b_.columns}, inner, to + inner.begin * padded(b_.columns));
        }
    }
}

// Elements that pack_strips writes, its working space for strided operands included.
template <class T>
int64_t Product<T>::strips_size(int64_t columns, int64_t depth) const {
    return (lies_by_lines() ? 1 : 2) * padded(columns) * depth;
}

template <class T>
void Product<T>::multiply_strip(Range rows, const T* panel, Range columns, const T* from,
                                int64_t stride, Range inner) {
    const auto& by_width = tiles_for(rows.size);
    by_width[columns.size <= tiles_.lanes ? narrow : strip](
        {inner.size, panel, from, stride, alpha_, beta_of(inner.begin),
         c_ + rows.begin * row_ + columns.begin * column_, row_, column_, columns.size});
}

template <class T>
void Product<T>::multiply_packed(Range rows, const T* panel, Range columns, const T* strips,
                                 Range inner) {
    const int64_t width = tile_width();
    for (int64_t j = 0; j < columns.size; j += width) {
        const int64_t count = std::min(width, columns.size - j);
        multiply_strip(rows, panel, {columns.begin + j, count}, strips + j * inner.size,
                       count <= tiles_.lanes ? tiles_.lanes : width, inner);
    }
}

template <class T>
const T* Product<T>::pack_panels(Range rows, Parts panels, Range inner, Parts blocks) {
    T* packed = shared_scratch.get<T>(panels.count * blocks.count * panel_size());
    share_out(panels.count, tiles_.rows * inner.size * copy_cost, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            for (int64_t q = 0; q < blocks.count; ++q)
                pack_panel(panels.range(i, rows.begin), blocks.range(q, inner.begin),
                           packed + (q * panels.count + i) * panel_size());
    });
    return packed;
}

// A group of strips against all panels of one block of the inner axis; of the panels, as many at a
// time as stay in the second cache beside the strips.
template <class T>
void Product<T>::group(Range rows, Parts panels, const T* packed, Range columns, Range inner) {
    const int64_t width = tile_width();
    const int64_t in_place = reads_in_place(panels) && !packed_ ? columns.size / width * width : 0;
    const Range rest{columns.begin + in_place, columns.size - in_place};
    const T* own = nullptr;
    if (packed_) {
        own = packed_ + inner.begin * padded(b_.columns) + columns.begin * inner.size;
    } else if (rest.size > 0) {
        T* room = own_scratch.get<T>(strips_size(rest.size, inner.size));
        pack_strips(rest, inner, room);
        own = room;
    }
    const T* from = b_.data + inner.begin * b_.row + columns.begin;
    auto strip = [&](int64_t i, int64_t j) {
        const Range height = panels.range(i, rows.begin);
        const T* panel = packed + i * panel_size();
        if (j < in_place)
            multiply_strip(height, panel, {columns.begin + j, width}, from + j, b_.row, inner);
        else
            multiply_packed(height, panel, {columns.begin + j, std::min(width, columns.size - j)},
                            own + (j - in_place) * inner.size, inner);
    };
    const int64_t together =
        std::max<int64_t>(1, panels_cache / (panel_size() * static_cast<int64_t>(sizeof(T))));
    for (int64_t first = 0; first < panels.count; first += together) {
        const int64_t last = std::min(first + together, panels.count);
        for (int64_t j = 0; j < columns.size; j += width)
            for (int64_t i = first; i < last; ++i) strip(i, j);
        if (finishes(inner)) finish(panels.ranges(first, last, rows.begin), columns);
    }
}

template <class T>
void Product<T>::by_strips(Range rows, Range inner) {
    const Parts panels = Parts::of_at_most(tiles_.rows, rows.size);
    const Parts blocks = Parts::of_at_most(block_depth, inner.size);
    const T* packed = pack_panels(rows, panels, inner, blocks);
    const int64_t width = tile_width(), strips = (b_.columns + width - 1) / width;
    const int64_t together =
        packed_ ? std::max(strips_together, finished_together / (rows.size * width))
                : strips_together;
    auto some = [&](int64_t begin, int64_t end) {
        for (int64_t s = begin; s < end; s += together) {
            const int64_t last = std::min(std::min(s + together, end) * width, b_.columns);
            for (int64_t q = 0; q < blocks.count; ++q)
                group(rows, panels, packed + q * panels.count * panel_size(),
                      {s * width, last - s * width}, blocks.range(q, inner.begin));
        }
    };
    // Each piece reads all panels, from the other core's cache maybe: not too small.
    share_out(strips, rows.size * inner.size * width, some, 4);
}

template <class T>
void Product<T>::by_panels(Range columns, Range inner) {
    const Parts panels = Parts::of_at_most(tiles_.rows, a_.rows);
    const Parts blocks = Parts::of_at_most(block_depth, inner.size);
    const int64_t size = strips_size(columns.size, blocks.longest());
    T* room = packed_ ? nullptr : shared_scratch.get<T>(blocks.count * size);
    auto strips_of = [&](int64_t q) {
        const Range depth = blocks.range(q, inner.begin);
        return packed_ ? packed_ + depth.begin * padded(b_.columns) + columns.begin * depth.size
                       : room + q * size;
    };
    // Elements that lie anywhere are packed all at once: that needs room behind the strips.
    const int64_t width = lies_by_lines() ? tile_width() : columns.size;
    const int64_t strips = (columns.size + width - 1) / width;
    if (!packed_)
        share_out(blocks.count * strips, width * blocks.longest() * copy_cost,
                  [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i) {
                          const Range depth = blocks.range(i / strips, inner.begin);
                          const int64_t first = i % strips * width;
                          pack_strips(
                              {columns.begin + first, std::min(width, columns.size - first)}, depth,
                              room + i / strips * size + first * depth.size);
                      }
                  });
    share_out(panels.count, tiles_.rows * inner.size * columns.size,
              [&](int64_t begin, int64_t end) {
                  T* own = own_scratch.get<T>(panel_size());
                  int64_t unfinished = begin;
                  for (int64_t i = begin; i < end; ++i) {
                      for (int64_t q = 0; q < blocks.count; ++q) {
                          pack_panel(panels.range(i), blocks.range(q, inner.begin), own);
                          multiply_packed(panels.range(i), own, columns, strips_of(q),
                                          blocks.range(q, inner.begin));
                      }
                      const Range rows = panels.ranges(unfinished, i + 1);
                      const bool enough = rows.size * columns.size >= finished_together;
                      if (!finishes(inner) || !(enough || i + 1 == end)) continue;
                      finish(rows, columns);
                      unfinished = i + 1;
                  }
              });
}

template <class T>
void Product<T>::few_rows(Range inner) {
    const Parts panel{a_.rows, 1}, blocks = Parts::of_at_most(block_depth, inner.size);
    const T* packed = pack_panels({0, a_.rows}, panel, inner, blocks);
    const int64_t width = tiles_.wide_vectors[a_.rows] * tiles_.lanes;
    const int64_t strips = (b_.columns + width - 1) / width;
    auto strip = [&](int64_t j, int64_t q) {
        const Range depth = blocks.range(q, inner.begin);
        const T* rows = packed + q * panel_size();
        if (j + width > b_.columns)
            group({0, a_.rows}, panel, rows, {j, b_.columns - j}, depth);
        else
            tiles_for(a_.rows)[wide]({depth.size, rows, b_.data + depth.begin * b_.row + j, b_.row,
                                      alpha_, beta_of(depth.begin), c_ + j * column_, row_, column_,
                                      width});
    };
    const int64_t together = finished_together / (a_.rows * width) + 1;
    auto some = [&](int64_t begin, int64_t end) {
        for (int64_t s = begin; s < end; ++s)
            for (int64_t q = 0; q < blocks.count; ++q) strip(s * width, q);
        const Range whole{begin * width, (std::min(end, b_.columns / width) - begin) * width};
        if (whole.size > 0 && finishes(inner)) finish({0, a_.rows}, whole);
    };
    share_out(strips, std::max(a_.rows, read_cost) * inner.size * width,
              [&](int64_t begin, int64_t end) {
                  for (int64_t s = begin; s < end; s += together)
                      some(s, std::min(s + together, end));
              });
}

// --- one row or one column ----------------------------------------------------------------------

// y = alpha * a @ x + beta * y; calls finish(begin, count) for what is final of it.
template <class T, class Finished>
void times_vector(const MatrixView<T>& a, const T* x, int64_t x_stride, T alpha, T beta, T* y,
                  int64_t y_stride, const Finished& finished) {
    const Tiles<T>& tiles = machine_tiles().of<T>();
    constexpr int64_t together = 1024;
    if (x_stride != 1) {
        T* packed = shared_scratch.get<T>(a.columns);
        for (int64_t p = 0; p < a.columns; ++p) packed[p] = x[p * x_stride];
        x = packed;
    }
    auto sum = [&](int64_t begin, int64_t count, T* sums) {
        const T* from = a.data + begin * a.row;
        if (a.column == 1)
            tiles.dot_rows(from, a.row, count, a.columns, x, sums);
        else if (a.row == 1)
            (a.rows <= tiles.lanes ? tiles.add_rows_of_few : tiles.add_rows)(
                from, a.column, a.columns, count, x, sums);
        else
            for (int64_t i = 0; i < count; ++i) {
                sums[i] = 0;
                for (int64_t p = 0; p < a.columns; ++p)
                    sums[i] += from[i * a.row + p * a.column] * x[p];
            }
    };
    const bool plain = alpha == T(1) && beta == T(0) && y_stride == 1;
    auto some = [&](int64_t begin, int64_t count) {
        T sums[together];
        sum(begin, count, plain ? y + begin : sums);
        if (plain) return;
        for (int64_t i = 0; i < count; ++i) {
            T& to = y[(begin + i) * y_stride];
            to = alpha * sums[i] + (beta == T(0) ? T(0) : beta * to);
        }
    };
    // Whole vectors, so that an element is summed in one way whoever has it.
    constexpr int64_t unit = 64;
    share_out((a.rows + unit - 1) / unit, read_cost * unit * a.columns,
              [&](int64_t begin, int64_t end) {
                  const int64_t last = std::min(end * unit, a.rows);
                  for (int64_t i = begin * unit; i < last; i += together)
                      some(i, std::min(together, last - i));
                  finished(begin * unit, last - begin * unit);
              });
}

template <class T>
void scale(int64_t m, int64_t n, T beta, T* c, int64_t row, int64_t column) {
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
            T& to = c[i * row + j * column];
            to = beta == T(0) ? T(0) : beta * to;
        }
}
}  // namespace

template <class T>
PackedMatrix<T>::PackedMatrix(const MatrixView<T>& b) : bytes_(Product<T>::packed_bytes(b)) {
    if (bytes_ == 0) return;
    memory_ = allocate_aligned(static_cast<size_t>(bytes_));
    Product<T>({}, b, T(1), T(0), nullptr, 0, 1).pack_all(static_cast<T*>(memory_.get()));
}
template class PackedMatrix<float>;
template class PackedMatrix<double>;

template <class T>
Packable packable(const MatrixView<T>& a, const MatrixView<T>& b) {
    if (a.rows <= 1 || b.columns <= 1 || a.columns == 0) return {};
    return Product<T>(a, b, T(1), T(0), nullptr, b.columns, 1).packable();
}
template Packable packable(const MatrixView<float>&, const MatrixView<float>&);
template Packable packable(const MatrixView<double>&, const MatrixView<double>&);

int64_t scratch_bytes() { return shared_scratch.bytes() + own_scratch.bytes(); }
void release_scratch() { shared_scratch = own_scratch = Scratch(); }

namespace {
// From the first byte to the last one.
template <class T>
std::pair<uintptr_t, uintptr_t> bounds(const T* data, int64_t rows, int64_t row, int64_t columns,
                                       int64_t column) {
    const int64_t down = (rows - 1) * row, across = (columns - 1) * column;
    auto at = [&](int64_t offset) { return reinterpret_cast<uintptr_t>(data + offset); };
    return {at(std::min<int64_t>(down, 0) + std::min<int64_t>(across, 0)),
            at(std::max<int64_t>(down, 0) + std::max<int64_t>(across, 0) + 1)};
}

template <class T>
bool lies_over(const MatrixView<T>& a, const T* c, int64_t columns, int64_t row, int64_t column) {
    const auto [first, last] = bounds(a.data, a.rows, a.row, a.columns, a.column);
    const auto [begin, end] = bounds(c, a.rows, row, columns, column);
    return first < end && begin < last;
}

template <class T>
std::vector<T> by_rows(const MatrixView<T>& a) {
    std::vector<T> copy;
    copy.reserve(static_cast<size_t>(a.rows * a.columns));
    for (int64_t i = 0; i < a.rows; ++i)
        for (int64_t p = 0; p < a.columns; ++p) copy.push_back(a.data[i * a.row + p * a.column]);
    return copy;
}
}  // namespace

template <class T>
bool reads_left_first(const MatrixView<T>& a, const MatrixView<T>& b) {
    if (a.rows <= 1 || b.columns <= 1 || a.columns == 0) return false;
    return Product<T>(a, b, T(1), T(0), nullptr, b.columns, 1).packs_left_first();
}
template bool reads_left_first(const MatrixView<float>&, const MatrixView<float>&);
template bool reads_left_first(const MatrixView<double>&, const MatrixView<double>&);

template <class T>
void multiply(const MatrixView<T>& a, const MatrixView<T>& b, T alpha, T beta, T* c, int64_t row,
              int64_t column, PackedOperands<T> packed, Finishing finishing) {
    const int64_t m = a.rows, n = b.columns;
    if (m == 0 || n == 0) return;
    if (a.columns > 0 && lies_over(a, static_cast<const T*>(c), n, row, column) &&
        !(column == 1 && reads_left_first(a, b))) {
        const std::vector<T> copy = by_rows(a);
        return multiply({copy.data(), m, a.columns, a.columns, 1}, b, alpha, beta, c, row, column,
                        packed, finishing);
    }
    auto finished = [&](int64_t i, int64_t rows, int64_t j, int64_t columns) {
        if (finishing.finish) finishing.finish->block(finishing.first_row + i, rows, j, columns);
    };
    if (a.columns == 0) {
        scale(m, n, beta, c, row, column);
        finished(0, m, 0, n);
    } else if (n == 1) {
        times_vector(a, b.data, b.row, alpha, beta, c, row,
                     [&](int64_t begin, int64_t count) { finished(begin, count, 0, 1); });
    } else if (m == 1) {
        times_vector(b.transposed(), a.data, a.column, alpha, beta, c, column,
                     [&](int64_t begin, int64_t count) { finished(0, 1, begin, count); });
    } else {
        Product<T>(a, b, alpha, beta, c, row, column, packed, finishing).run();
    }
}

template void multiply(const MatrixView<float>&, const MatrixView<float>&, float, float, float*,
                       int64_t, int64_t, PackedOperands<float>, Finishing);
template void multiply(const MatrixView<double>&, const MatrixView<double>&, double, double,
                       double*, int64_t, int64_t, PackedOperands<double>, Finishing);

}  // namespace croton::runtime
