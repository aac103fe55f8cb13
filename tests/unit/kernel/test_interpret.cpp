// The interpreter's loops, sections, folds and tables against plain C++ loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "croton/base/error.hpp"
#include "croton/kernel/interpret.hpp"

namespace croton::kernel {
namespace {

std::vector<double> random_numbers(size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(-2, 2);
    std::vector<double> result(count);
    for (auto& value : result) value = uniform(random);
    return result;
}

struct Argument {
    void* pointer;
    std::vector<int64_t> strides;
    std::vector<int64_t> sizes = {};
};

Fault launch(const Kernel& kernel, std::vector<int64_t> extents, std::vector<Argument> arguments,
             int64_t begin = 0, int64_t end = -1) {
    std::vector<void*> pointers;
    std::vector<const int64_t*> strides, sizes;
    for (auto& a : arguments) {
        pointers.push_back(a.pointer);
        strides.push_back(a.strides.data());
        sizes.push_back(a.sizes.data());
    }
    return interpret(kernel, {extents.data(), pointers.data(), strides.data(), sizes.data()}, begin,
                     end);
}

// The exponentials are kept for the second pass, and stored beside their sum.
const char* kept_softmax = R"(
kernel softmax rank 3 outer 1 {
  in x: f64
  out y: f64
  out e: f64
  reduce {
    %0 = f64 load x
    %1 = f64 fold max %0
  }
  reduce {
    %2 = f64 load x
    %3 = f64 sub %2, %1
    %4 = f64 exp %3
    f64 store e %4
    %5 = f64 fold sum %4
  }
  map {
    %6 = f64 div %4, %5
    f64 store y %6
  }
})";

TEST(Interpret, InnerValuesAreKeptForLaterSections) {
    const int64_t n = 3, m = 4, k = 5;
    auto x = random_numbers(n * m * k, 5);
    std::vector<double> y(x.size()), e(x.size());
    std::vector<int64_t> strides{m * k * 8, k * 8, 8};
    launch(parse(kept_softmax), {n, m, k},
           {{x.data(), strides}, {y.data(), strides}, {e.data(), strides}});
    for (size_t row = 0; row < n; ++row) {
        auto first = x.begin() + static_cast<long>(row * m * k), last = first + m * k;
        double most = *std::max_element(first, last), total = 0;
        for (auto at = first; at != last; ++at) total += std::exp(*at - most);
        for (size_t i = row * m * k; i < (row + 1) * m * k; ++i) {
            EXPECT_EQ(e[i], std::exp(x[i] - most));
            EXPECT_NEAR(y[i], e[i] / total, 1e-15);
        }
    }
}

const char* softmax = R"(
kernel softmax rank 2 outer 1 {
  in x: f64
  out y: f64
  reduce {
    %0 = f64 load x
    %1 = f64 fold max %0
  }
  reduce {
    %2 = f64 load x
    %3 = f64 sub %2, %1
    %4 = f64 exp %3
    %5 = f64 fold sum %4
  }
  map {
    %6 = f64 load x
    %7 = f64 sub %6, %1
    %8 = f64 exp %7
    %9 = f64 div %8, %5
    f64 store y %9
  }
})";

TEST(Interpret, SoftmaxOfRowsAndOfColumns) {
    const int64_t rows = 3, columns = 5;
    auto x = random_numbers(15, 1);
    std::vector<double> y(15), z(15);
    Kernel kernel = parse(softmax);
    launch(kernel, {rows, columns}, {{x.data(), {40, 8}}, {y.data(), {40, 8}}});
    launch(kernel, {columns, rows}, {{x.data(), {8, 40}}, {z.data(), {8, 40}}});
    for (size_t r = 0; r < 3; ++r)
        for (size_t c = 0; c < 5; ++c) {
            double row = 0, column = 0;
            for (size_t k = 0; k < 5; ++k) row += std::exp(x[r * 5 + k]);
            for (size_t k = 0; k < 3; ++k) column += std::exp(x[k * 5 + c]);
            EXPECT_NEAR(y[r * 5 + c], std::exp(x[r * 5 + c]) / row, 1e-15);
            EXPECT_NEAR(z[r * 5 + c], std::exp(x[r * 5 + c]) / column, 1e-15);
        }
}

TEST(Interpret, LayerNormalisationWithTwoOutputs) {
    Kernel kernel = parse(R"(
kernel layer_norm rank 2 outer 1 {
  in x: f64
  in gain: f64 broadcast 0
  out y: f64
  out mean: f64
  outer { %0 = i64 extent axis 1 %1 = f64 cast %0 }
  reduce { %2 = f64 load x %3 = f64 fold sum %2 }
  outer { %4 = f64 div %3, %1 f64 store mean %4 }
  reduce { %5 = f64 load x %6 = f64 sub %5, %4 %7 = f64 mul %6, %6 %8 = f64 fold sum %7 }
  outer { %9 = f64 div %8, %1 %10 = f64 sqrt %9 }
  map { %11 = f64 load x %12 = f64 sub %11, %4 %13 = f64 div %12, %10 %14 = f64 load gain
        %15 = f64 mul %13, %14 f64 store y %15 }
})");
    auto x = random_numbers(28, 2), gain = random_numbers(7, 3);
    std::vector<double> y(28), mean(4);
    launch(
        kernel, {4, 7},
        {{x.data(), {56, 8}}, {gain.data(), {0, 8}}, {y.data(), {56, 8}}, {mean.data(), {8, 0}}});
    for (size_t r = 0; r < 4; ++r) {
        double sum = 0, squares = 0;
        for (size_t c = 0; c < 7; ++c) sum += x[r * 7 + c];
        EXPECT_NEAR(mean[r], sum / 7, 1e-15);
        for (size_t c = 0; c < 7; ++c) squares += std::pow(x[r * 7 + c] - sum / 7, 2);
        for (size_t c = 0; c < 7; ++c)
            EXPECT_NEAR(y[r * 7 + c], (x[r * 7 + c] - sum / 7) / std::sqrt(squares / 7) * gain[c],
                        1e-13);
    }
}

template <class T, class R>
R fold(const char* combine, const char* dtype, const char* result, std::vector<T> x) {
    Kernel kernel = parse(cat("kernel fold rank 1 outer 0 { in x: ", dtype, " out y: ", result,
                              " reduce { %0 = ", dtype, " load x %1 = ", result, " fold ", combine,
                              " %0 } outer { ", result, " store y %1 } }"));
    R out{};
    launch(kernel, {static_cast<int64_t>(x.size())}, {{x.data(), {sizeof(T)}}, {&out, {0}}});
    return out;
}

const double inf = std::numeric_limits<double>::infinity();
const double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Interpret, FoldsOfFloats) {
    std::vector<double> x = {3, -1, 7, 7, -1, 2};
    EXPECT_EQ((fold<double, double>("sum", "f64", "f64", x)), 17);
    EXPECT_EQ((fold<double, double>("prod", "f64", "f64", x)), 294);
    EXPECT_EQ((fold<double, double>("max", "f64", "f64", x)), 7);
    EXPECT_EQ((fold<double, double>("min", "f64", "f64", x)), -1);
    EXPECT_EQ((fold<double, int64_t>("argmax", "f64", "i64", x)), 2);
    EXPECT_EQ((fold<double, int64_t>("argmin", "f64", "i64", x)), 1);
    // The first NaN wins.
    std::vector<double> with_nan = {1, 9, nan, 20, nan};
    EXPECT_TRUE(std::isnan(fold<double, double>("max", "f64", "f64", with_nan)));
    EXPECT_TRUE(std::isnan(fold<double, double>("min", "f64", "f64", with_nan)));
    EXPECT_EQ((fold<double, int64_t>("argmax", "f64", "i64", with_nan)), 2);
    EXPECT_EQ((fold<double, int64_t>("argmin", "f64", "i64", with_nan)), 2);
    std::vector<double> low = {-inf, -inf};
    EXPECT_EQ((fold<double, int64_t>("argmax", "f64", "i64", low)), 0);
    EXPECT_EQ((fold<double, double>("max", "f64", "f64", low)), -inf);
}

TEST(Interpret, FoldsOfNothing) {
    EXPECT_EQ((fold<double, double>("sum", "f64", "f64", {})), 0);
    EXPECT_EQ((fold<double, double>("prod", "f64", "f64", {})), 1);
    EXPECT_EQ((fold<double, double>("max", "f64", "f64", {})), -inf);
    EXPECT_EQ((fold<double, double>("min", "f64", "f64", {})), inf);
    EXPECT_EQ((fold<int8_t, int8_t>("max", "i8", "i8", {})), -128);
    EXPECT_EQ((fold<uint8_t, uint8_t>("min", "u8", "u8", {})), 255);
    EXPECT_EQ((fold<double, int64_t>("argmax", "f64", "i64", {})), 0);
}

TEST(Interpret, FoldsOfIntegersWrapAndBoolsAreLogic) {
    EXPECT_EQ((fold<int8_t, int8_t>("sum", "i8", "i8", {100, 100})), -56);
    EXPECT_EQ((fold<uint8_t, uint8_t>("prod", "u8", "u8", {16, 17})), 16);
    EXPECT_EQ((fold<uint8_t, bool>("any", "b1", "b1", {0, 2, 0})), true);
    EXPECT_EQ((fold<uint8_t, bool>("all", "b1", "b1", {1, 2, 0})), false);
    EXPECT_EQ((fold<uint8_t, bool>("any", "b1", "b1", {})), false);
    EXPECT_EQ((fold<uint8_t, bool>("all", "b1", "b1", {})), true);
    EXPECT_EQ((fold<uint8_t, bool>("max", "b1", "b1", {0, 1})), true);
    EXPECT_EQ((fold<uint8_t, int64_t>("argmin", "b1", "i64", {1, 1, 0, 0})), 2);
}

TEST(Interpret, Float32IsSummedInFloat64) {
    // 2^24 + 1 + 1 ... stays at 2^24 in float32.
    std::vector<float> x(1001, 1.0f);
    x[0] = 16777216.0f;
    EXPECT_EQ((fold<float, float>("sum", "f32", "f32", x)), 16778216.0f);
}

TEST(Interpret, PositionsCountTheFlattenedInnerAxes) {
    Kernel kernel = parse(
        "kernel where rank 3 outer 1 { in x: i32 out y: i64 reduce { %0 = i32 load x"
        " %1 = i64 fold argmax %0 } outer { i64 store y %1 } }");
    std::vector<int32_t> x = {0, 5, 1, 2, 9, 3, 8, 1, 1, 8, 0, 0};
    std::vector<int64_t> y(2);
    launch(kernel, {2, 2, 3}, {{x.data(), {24, 12, 4}}, {y.data(), {8, 0, 0}}});
    EXPECT_EQ(y, (std::vector<int64_t>{4, 0}));
}

TEST(Interpret, StridesMayBeNegativeZeroAndSparse) {
    Kernel kernel = parse(
        "kernel add rank 2 outer 0 { in x: i32 in y: i32 out z: i32 map { %0 = i32 load x"
        " %1 = i32 load y %2 = i32 add %0, %1 i32 store z %2 } }");
    std::vector<int32_t> x = {1, 2, 3, 4, 5, 6}, y = {10, 0, 20, 0, 30}, z(12, -1);
    // x reversed in both axes, y every second place broadcast over rows, z with gaps.
    launch(kernel, {2, 3}, {{&x[5], {-12, -4}}, {y.data(), {0, 8}}, {z.data(), {24, 8}}});
    EXPECT_EQ(z, (std::vector<int32_t>{16, -1, 25, -1, 34, -1, 13, -1, 22, -1, 31, -1}));
}

TEST(Interpret, APartOfAxisZero) {
    Kernel kernel = parse(
        "kernel count rank 2 outer 0 { out z: i64 map { %0 = i64 index axis 0 %1 = i64 extent axis "
        "0"
        " %2 = i64 mul %0, %1 %3 = i64 index axis 1 %4 = i64 add %2, %3 i64 store z %4 } }");
    ASSERT_TRUE(can_split(kernel));
    std::vector<int64_t> z(8, -1);
    launch(kernel, {4, 2}, {{z.data(), {16, 8}}}, 1, 3);
    EXPECT_EQ(z, (std::vector<int64_t>{-1, -1, 4, 5, 8, 9, -1, -1}));
    launch(kernel, {4, 2}, {{z.data(), {16, 8}}}, 3, 3);
    EXPECT_EQ(z[6], -1);
    // A reduction without outer axes cannot be cut: the part is ignored.
    Kernel total = parse(
        "kernel total rank 1 outer 0 { in x: i64 out y: i64 reduce { %0 = i64 load x"
        " %1 = i64 fold sum %0 } outer { i64 store y %1 } }");
    ASSERT_FALSE(can_split(total));
    int64_t sum = 0;
    launch(total, {8}, {{z.data(), {8}}, {&sum, {0}}}, 2, 3);
    EXPECT_EQ(sum, std::accumulate(z.begin(), z.end(), int64_t{0}));
}

TEST(Interpret, FoldsAcrossOuterIndices) {
    Kernel kernel = parse(
        "kernel sums rank 2 outer 1 { in x: f32 out row: f32 out column: f32 broadcast 0"
        " out all: f64 broadcast 0 1"
        " reduce { %0 = f32 load x %1 = f32 fold sum %0 across max %0 into column }"
        " outer { %2 = f64 cast %1 f32 store row %1 across sum %2 into all } }");
    EXPECT_TRUE(parse(print(kernel)) == kernel);
    EXPECT_FALSE(can_split(kernel));
    EXPECT_FALSE(can_share(kernel, 0, 2));
    std::vector<float> x = {1, 5, -2, 4, -1, 3}, row(2), column(3);
    double all = -1;
    auto run = [&](int64_t rows) {
        return launch(
            kernel, {rows, 3},
            {{x.data(), {12, 4}}, {row.data(), {4, 0}}, {column.data(), {0, 4}}, {&all, {0, 0}}}, 0,
            1);
    };
    run(2);
    EXPECT_EQ(row, (std::vector<float>{4, 6}));
    EXPECT_EQ(column, (std::vector<float>{4, 5, 3}));
    EXPECT_EQ(all, 10);
    run(0);  // of no rows
    EXPECT_EQ(column, (std::vector<float>(3, -std::numeric_limits<float>::infinity())));
    EXPECT_EQ(all, 0);
}

TEST(Interpret, TablesAndTheirFaults) {
    Kernel kernel = parse(
        "kernel pick rank 1 outer 0 { in i: i64 in j: i64 table t: f16 rank 2 out y: f32 out n: i64"
        " map { %0 = i64 load i %1 = i64 load j %2 = f32 load_at t %0, %1 %3 = i64 size t axis 1"
        " f32 store y %2 i64 store n %3 } }");
    std::vector<Half> table;
    for (int n = 0; n < 6; ++n) table.push_back(Half(static_cast<float>(n) + 0.5f));
    std::vector<int64_t> i = {0, 1, 1, 2, -1}, j = {2, 0, 3, 0, 0}, n(5);
    std::vector<float> y(5, -1);
    auto run = [&](int64_t length) {
        return launch(kernel, {length},
                      {{i.data(), {8}},
                       {j.data(), {8}},
                       {table.data(), {6, 2}, {2, 3}},
                       {y.data(), {4}},
                       {n.data(), {8}}});
    };
    EXPECT_EQ(run(2).operand, -1);
    Fault fault = run(5);
    EXPECT_EQ(y, (std::vector<float>{2.5f, 3.5f, 0, 0, 0}));
    EXPECT_EQ(n, (std::vector<int64_t>(5, 3)));
    EXPECT_EQ(fault.operand, 2);
    EXPECT_EQ(fault.axis, 1);
    EXPECT_EQ(fault.index, 3);
    EXPECT_EQ(fault.size, 3);
}

TEST(Interpret, AnInterpreterIsReusedAndMoved) {
    Interpreter first(
        parse("kernel twice rank 1 outer 0 { in x: f32 out y: f32 map {"
              " %0 = f32 load x %1 = f32 constant 2 %2 = f32 mul %0, %1"
              " f32 store y %2 } }"));
    Interpreter second = std::move(first);
    std::vector<float> x = {1, 2, 3}, y(3);
    int64_t extent = 3, step = 4;
    void* pointers[] = {x.data(), y.data()};
    const int64_t* strides[] = {&step, &step};
    for (int n = 0; n < 2; ++n) second.run({&extent, pointers, strides, nullptr});
    EXPECT_EQ(y, (std::vector<float>{2, 4, 6}));
    EXPECT_THROW(Interpreter(parse("kernel bad rank 0 outer 0 { out y: f32 }")), Error);
}

}  // namespace
}  // namespace croton::kernel
