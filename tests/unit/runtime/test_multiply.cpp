// Products of matrices by strides against plain sums, on every level of vectors that the machine
// has.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "croton/base/settings.hpp"
#include "croton/runtime/blas.hpp"
#include "croton/runtime/products/products.hpp"

namespace croton::runtime {
namespace {

struct Set {
    Set(const char* name, const std::string& value) : name(name), before(get_setting(name)) {
        set_setting(name, value);
    }
    ~Set() { set_setting(name, before); }
    Set(const Set&) = delete;
    const char* name;
    std::string before;
};

enum Layout { by_rows, by_columns, with_gaps, backwards };

// A matrix in memory of its own, filled with random numbers.
template <class T>
struct Matrix {
    Matrix(int64_t rows, int64_t columns, Layout layout, std::mt19937& random) {
        const int64_t step = layout == with_gaps ? 2 : 1;
        const int64_t row = layout == by_columns ? 1 : step * columns + 3;
        const int64_t column = layout == by_columns ? rows + 2 : step;
        memory.resize(static_cast<size_t>((rows + 1) * (columns + 3) * 2 + rows * 3 + 16));
        for (T& x : memory) x = static_cast<T>(random()) / T(1U << 31) - T(1);
        view = {memory.data(), rows, columns, row, column};
        if (layout == backwards) {
            view.data += (rows - 1) * row + (columns - 1) * column;
            view.row = -row;
            view.column = -column;
        }
    }
    T& at(int64_t i, int64_t j) { return *(place() + i * view.row + j * view.column); }
    T* place() { return memory.data() + (view.data - memory.data()); }
    std::vector<T> memory;
    MatrixView<T> view;
};

struct Case {
    int64_t m, n, k;
    Layout a = by_rows, b = by_rows, c = by_rows;
    double alpha = 1, beta = 0;
};

// Turns elements into others, which are wrong if it comes too early, twice or not at all.
template <class T>
class Turning final : public Finish {
  public:
    explicit Turning(const Matrix<T>& c, T* place) : c_(c.view), place_(place) {}
    void block(int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
        for (int64_t i = row; i < row + rows; ++i)
            for (int64_t j = column; j < column + columns; ++j) {
                T& x = place_[i * c_.row + j * c_.column];
                x = turned(x);
            }
    }
    static T turned(T x) { return T(3) - 2 * x; }

  private:
    MatrixView<T> c_;
    T* place_;
};

// The same product, finished block by block, from the same memory.
template <class T>
void check_finishing(const Case& t, const Matrix<T>& a, const Matrix<T>& b, Matrix<T> before,
                     const Matrix<T>& product) {
    T* place = before.memory.data() + (product.view.data - product.memory.data());
    const Turning<T> turning(before, place);
    multiply(a.view, b.view, static_cast<T>(t.alpha), static_cast<T>(t.beta), place,
             before.view.row, before.view.column, PackedOperands<T>(), {&turning});
    const T* plain = product.view.data;
    int wrong = 0;
    for (int64_t i = 0; i < t.m; ++i)
        for (int64_t j = 0; j < t.n; ++j) {
            const int64_t at = i * before.view.row + j * before.view.column;
            wrong += place[at] != turning.turned(plain[at]);
        }
    EXPECT_EQ(wrong, 0) << "finished by blocks";
}

// The same product of operands that come packed as well: not one bit differs.
template <class T>
void check_packed(const Case& t, const Matrix<T>& a, const Matrix<T>& b, Matrix<T> before,
                  const Matrix<T>& product) {
    const PackedMatrix<T> right(b.view), left(a.view.transposed());
    T* place = before.memory.data() + (product.view.data - product.memory.data());
    multiply(a.view, b.view, static_cast<T>(t.alpha), static_cast<T>(t.beta), place,
             product.view.row, product.view.column, PackedOperands<T>{&right, &left});
    EXPECT_EQ(
        std::memcmp(before.memory.data(), product.memory.data(), product.memory.size() * sizeof(T)),
        0)
        << "of packed operands";
}

// Everything around the result must stay as it was, too.
template <class T>
void check(const Case& t) {
    SCOPED_TRACE(testing::Message() << t.m << " x " << t.k << " x " << t.n << ", layouts " << t.a
                                    << t.b << t.c << ", " << t.alpha << ", " << t.beta << ", "
                                    << sizeof(T) << " bytes, " << settings().cpu_level);
    std::mt19937 random(static_cast<unsigned>(t.m * 31 + t.n * 7 + t.k));
    Matrix<T> a(t.m, t.k, t.a, random), b(t.k, t.n, t.b, random), c(t.m, t.n, t.c, random);
    Matrix<T> expected = c;
    expected.view.data = expected.memory.data() + (c.view.data - c.memory.data());
    double largest = 0;
    for (int64_t i = 0; i < t.m; ++i)
        for (int64_t j = 0; j < t.n; ++j) {
            double sum = 0, size = 0;
            for (int64_t p = 0; p < t.k; ++p) {
                sum += double{a.at(i, p)} * double{b.at(p, j)};
                size += std::abs(double{a.at(i, p)} * double{b.at(p, j)});
            }
            largest = std::max(largest, size);
            double before = t.beta == 0 ? 0 : t.beta * double{c.at(i, j)};
            expected.at(i, j) = static_cast<T>(t.alpha * sum + before);
            if (t.beta == 0) c.at(i, j) = std::numeric_limits<T>::quiet_NaN();  // must not be read
        }
    const Matrix<T> before = c;
    multiply(a.view, b.view, static_cast<T>(t.alpha), static_cast<T>(t.beta), c.place(), c.view.row,
             c.view.column);
    check_finishing(t, a, b, before, c);
    check_packed(t, a, b, before, c);
    double bound = 8 * (largest + 4) * double{std::numeric_limits<T>::epsilon()};
    int wrong = 0;
    for (size_t i = 0; i < c.memory.size(); ++i)
        if (!(std::abs(double{c.memory[i]} - double{expected.memory[i]}) <= bound)) ++wrong;
    EXPECT_EQ(wrong, 0);
}
void check_both(const Case& t) {
    check<float>(t);
    check<double>(t);
}

std::vector<std::string> levels() {
    std::vector<std::string> names = {"native"};
#if defined(__x86_64__)
    names.insert(names.end(),
                 {"avx2", "sse2"});  // the widest that the machine has, if it lacks one
#endif
    return names;
}

TEST(Multiply, SizesAroundTilesAndVectors) {
    for (const auto& name : levels()) {
        Set level("cpu_level", name);
        for (int64_t m : {1, 2, 5, 6, 7, 13, 14, 15, 29})
            for (int64_t n : {1, 3, 8, 15, 16, 17, 31, 32, 33, 65, 130})
                for (int64_t k : {1, 2, 9, 33}) check_both({m, n, k});
    }
}

TEST(Multiply, AllLayouts) {
    const auto all = {by_rows, by_columns, with_gaps, backwards};
    for (const auto& name : levels()) {
        Set level("cpu_level", name);
        for (Layout a : all)
            for (Layout b : all)
                for (Layout c : all)
                    for (auto [m, n, k] : {std::array<int64_t, 3>{37, 45, 29},
                                           {3, 70, 20},
                                           {70, 3, 20},
                                           {1, 40, 33},
                                           {40, 1, 33},
                                           {200, 70, 17}})
                        check_both({m, n, k, a, b, c, 1, 0});
    }
}

TEST(Multiply, AlphaAndBeta) {
    for (const auto& name : levels()) {
        Set level("cpu_level", name);
        for (double alpha : {1.0, -0.5, 0.0})
            for (double beta : {0.0, 1.0, 0.25})
                for (Layout c : {by_rows, by_columns})
                    for (auto [m, n, k] : {std::array<int64_t, 3>{20, 50, 30},
                                           {1, 30, 20},
                                           {30, 1, 20},
                                           {4, 40, 600},
                                           {100, 5, 600},
                                           {9, 9, 0}})
                        check_both({m, n, k, by_rows, by_columns, c, alpha, beta});
    }
}

// Several blocks of the inner axis, several groups of strips, packed operands in several pieces.
TEST(Multiply, LargerThanTheBlocks) {
    for (const auto& name : levels()) {
        Set level("cpu_level", name);
        for (Layout a : {by_rows, by_columns})
            for (Layout b : {by_rows, by_columns}) {
                check_both({16, 600, 530, a, b});
                check_both({600, 16, 530, a, b});
                check_both({16, 16, 4200, a, b, by_rows, 2, 1});
                check<float>({290, 17, 4100, a, b});
                check<float>({410, 150, 530, a, b, by_rows, 0.5, 1});
            }
        check_both({2, 1100, 40, by_rows, by_rows});
        check_both({1, 2100, 40, by_rows, by_rows});
        check_both({1, 2100, 40, by_rows, by_columns});
    }
}

// A result that lies over the left operand, in place or somewhere: the same bits.
template <class T>
void check_over_left(int64_t m, int64_t n, int64_t k, bool first) {
    SCOPED_TRACE(testing::Message() << m << " x " << k << " x " << n);
    std::mt19937 random(6);
    Matrix<T> a(m, k, by_rows, random), b(k, n, by_rows, random);
    EXPECT_EQ(reads_left_first(a.view, b.view), first);
    std::vector<T> wanted(static_cast<size_t>(m * n));
    multiply(a.view, b.view, T(1), T(0), wanted.data(), n, int64_t{1});
    for (int64_t offset : {int64_t{0}, int64_t{17}, k / 2})
        for (const char* threads : {"1", "3"}) {
            Set count("threads", threads);
            std::vector<T> memory(a.memory.size() + wanted.size() + static_cast<size_t>(k));
            std::copy(a.memory.begin(), a.memory.end(), memory.begin());
            MatrixView<T> over = a.view;
            over.data = memory.data() + (a.view.data - a.memory.data());
            multiply(over, b.view, T(1), T(0), memory.data() + offset, n, int64_t{1});
            EXPECT_EQ(std::memcmp(memory.data() + offset, wanted.data(), wanted.size() * sizeof(T)),
                      0)
                << offset << ", threads " << threads;
        }
}

TEST(Multiply, OverTheLeftOperand) {
    check_over_left<float>(512, 1024, 600, true);   // strips
    check_over_left<float>(4, 1000, 600, true);     // one panel
    check_over_left<float>(1500, 20, 600, false);   // panels
    check_over_left<float>(200, 300, 4200, false);  // in several parts
    check_over_left<float>(600, 4, 900, false);     // transposed
    check_over_left<double>(1, 300, 200, false);
    check_over_left<double>(300, 1, 200, false);
    check_over_left<double>(40, 60, 33, true);
}

// Which operand is read packed, and when that is worth a copy of it.
TEST(Multiply, WhatIsWorthPacking) {
    std::mt19937 random(3);
    auto of = [&](int64_t m, int64_t n, Layout b = by_rows) {
        Matrix<float> x(m, 40, by_rows, random), y(40, n, b, random);
        Packable found = packable(x.view, y.view);
        return std::pair(int{found.operand}, found.pays);
    };
    const auto right = std::pair(int{Packable::b}, true);
    EXPECT_EQ(of(2, 64), right);
    EXPECT_EQ(of(128, 64, by_columns), right);
    EXPECT_EQ(of(1000, 64), std::pair(int{Packable::b}, false));  // under 5 %
    EXPECT_EQ(of(100, 3), std::pair(int{Packable::a_transposed}, true));
    const auto neither = std::pair(int{Packable::neither}, false);
    EXPECT_EQ(of(1, 64), neither);
    EXPECT_EQ(of(64, 1), neither);
    EXPECT_EQ(of(8, 64, with_gaps), neither);
    EXPECT_EQ(of(2, 3), neither);  // a strip would be many times as large
}

// Padded to whole strips, and not a byte more.
TEST(Multiply, PackedBytes) {
    std::mt19937 random(4);
    Set level("cpu_level", "sse2");
    Matrix<float> even(4500, 64, by_rows, random), odd(100, 61, by_columns, random);
    EXPECT_EQ(PackedMatrix<float>(even.view).bytes(), 4500 * 64 * 4);
    EXPECT_EQ(PackedMatrix<float>(odd.view).bytes(), 100 * 64 * 4);
}

// All of the left operand, hardly padded, and some strips of the right one.
TEST(Multiply, BytesOfPanels) {
    std::mt19937 random(8);
    Matrix<float> a(512, 1024, by_rows, random), b(1024, 1024, by_rows, random);
    std::vector<float> c(512 * 1024);
    constexpr int64_t left = 512 * 1024 * 4, strips = 8 * 32 * 512 * 4;
    Set threads("threads", "1");
    const PackedMatrix<float> packed(b.view);
    release_scratch();
    EXPECT_EQ(scratch_bytes(), 0);
    multiply(a.view, b.view, 1.0F, 0.0F, c.data(), 1024, int64_t{1}, {&packed, nullptr});
    EXPECT_LE(scratch_bytes(), left * 21 / 20);
    multiply(a.view, b.view, 1.0F, 0.0F, c.data(), 1024, int64_t{1});
    EXPECT_LE(scratch_bytes(), left * 21 / 20 + strips);
    release_scratch();
    EXPECT_EQ(scratch_bytes(), 0);
}

TEST(Multiply, EmptyAxes) {
    for (auto [m, n, k] : {std::array<int64_t, 3>{0, 4, 3}, {4, 0, 3}, {4, 3, 0}, {0, 0, 0}})
        check_both({m, n, k, by_rows, by_rows, by_rows, 1, 0.5});
}

// One thread and several: not one bit differs, whichever way a product is cut.
template <class T>
void check_threads(int64_t m, int64_t n, int64_t k, Layout a, Layout b) {
    SCOPED_TRACE(testing::Message() << m << " x " << k << " x " << n << ", layouts " << a << b);
    std::mt19937 random(5);
    Matrix<T> x(m, k, a, random), y(k, n, b, random);
    std::vector<T> results[2];
    for (int i = 0; i < 2; ++i) {
        Set threads("threads", i == 0 ? "1" : "3");
        results[i].resize(static_cast<size_t>(m * n));
        multiply(x.view, y.view, T(1), T(0), results[i].data(), n, int64_t{1});
    }
    EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(T)), 0);
}

TEST(Multiply, ThreadsChangeNoBit) {
    for (Layout a : {by_rows, by_columns})
        for (Layout b : {by_rows, by_columns}) {
            check_threads<float>(130, 400, 600, a, b);
            check_threads<double>(130, 400, 100, a, b);
            check_threads<float>(1500, 50, 100, a, b);
            check_threads<float>(1500, 300, 100, a, b);
            check_threads<float>(5, 5003, 200, a, b);
            check_threads<float>(5003, 5, 200, a, b);
            check_threads<float>(1, 5003, 900, a, b);
            check_threads<double>(5003, 1, 900, a, b);
        }
}

TEST(Multiply, NotANumberStaysInItsRowsAndColumns) {
    const float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
    for (int64_t n : {1, 5, 40}) {
        std::vector<float> a(20 * 30, 1), b(static_cast<size_t>(30 * n), 2), c(20 * b.size() / 30);
        a[7 * 30 + 3] = nan;
        a[9 * 30 + 29] = infinity;
        multiply<float>({a.data(), 20, 30, 30, 1}, {b.data(), 30, n, n, 1}, 1, 0, c.data(), n, 1);
        for (int64_t i = 0; i < 20; ++i)
            for (int64_t j = 0; j < n; ++j) {
                float value = c[static_cast<size_t>(i * n + j)];
                EXPECT_TRUE(i == 7 ? std::isnan(value) : value == (i == 9 ? infinity : 60)) << i;
            }
    }
}

// --- whole arrays -------------------------------------------------------------------------------

Array filled(DType dtype, const Sizes& shape, unsigned seed) {
    Array values = Array::empty(DType::Float64, shape);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> small(-4, 4);  // exact in every dtype
    for (int64_t i = 0; i < values.size(); ++i)
        static_cast<double*>(values.data())[i] = small(random);
    return values.cast(dtype);
}

// A batch whose second operand is one matrix is multiplied as one tall matrix, others one by one.
TEST(Matmul, BatchesBroadcast) {
    for (DType dtype : {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16,
                        DType::Complex64, DType::Int32})
        for (auto [lead_a, lead_b] : {std::array<Sizes, 2>{Sizes{3, 2}, Sizes{}},
                                      {Sizes{3, 2}, Sizes{1, 1}},
                                      {Sizes{3, 2}, Sizes{3, 2}},
                                      {Sizes{3, 1}, Sizes{2}},
                                      {Sizes{}, Sizes{3, 2}}}) {
            Sizes shape_a = lead_a, shape_b = lead_b;
            for (int64_t size : {4, 5}) shape_a.push_back(size);
            for (int64_t size : {5, 6}) shape_b.push_back(size);
            Array a = filled(dtype, shape_a, 1), b = filled(dtype, shape_b, 2);
            Array out = Array::empty(dtype, {3, 2, 4, 6});
            matmul(ref(a), ref(b), nullptr, 1, 0, ref(out));
            Array x = a.cast(DType::Float64), y = b.cast(DType::Float64),
                  z = out.cast(DType::Float64);
            auto place = [](const Array& array, int64_t i, int64_t j) {
                Sizes shape = array.shape();
                int64_t leading = static_cast<int64_t>(shape.size()) - 2, offset = 0;
                int64_t index[2] = {i, j};
                for (int64_t axis = 0; axis < leading; ++axis) {
                    int64_t at =
                        shape[static_cast<size_t>(axis)] == 1 ? 0 : index[2 - leading + axis];
                    offset = offset * shape[static_cast<size_t>(axis)] + at;
                }
                auto rank = shape.size();
                return static_cast<const double*>(array.data()) +
                       offset * shape[rank - 2] * shape[rank - 1];
            };
            for (int64_t i = 0; i < 3; ++i)
                for (int64_t j = 0; j < 2; ++j)
                    for (int64_t r = 0; r < 4; ++r)
                        for (int64_t s = 0; s < 6; ++s) {
                            double sum = 0;
                            for (int64_t p = 0; p < 5; ++p)
                                sum += place(x, i, j)[r * 5 + p] * place(y, i, j)[p * 6 + s];
                            ASSERT_EQ(place(z, i, j)[r * 6 + s], sum) << dtype_name(dtype);
                        }
        }
}

}  // namespace
}  // namespace croton::runtime
