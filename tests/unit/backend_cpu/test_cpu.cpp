// What the contract suite cannot see: levels, caches, schedules at their boundaries, threads.
// Agreement with the interpreter on all opcodes is tests/backend's business.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "croton/backend/cpu/key.hpp"
#include "croton/base/error.hpp"
#include "croton/base/settings.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/kernel/scalar.hpp"
#include "croton/type/array.hpp"
#include "tests/unit/backend_cpu/support.hpp"

namespace croton::cpu {
namespace {

using kernel::Builder;
using kernel::Combine;
using kernel::Kernel;
using kernel::SectionKind;

/// y = scale * x + 1 along one axis, under any name.
Kernel scaled(double scale, std::string name = "scaled") {
    Builder b(std::move(name), 1, 0);
    int x = b.input("x", DType::Float64), y = b.output("y", DType::Float64);
    b.begin(SectionKind::Map);
    b.store(y, b.load(x) * scale + 1.0);
    return b.finish();
}

/// Sum (and largest, and place of the largest) along the last of two axes.
Kernel folds(DType dtype) {
    Builder b("folds", 2, 1);
    int x = b.input("x", dtype), sum = b.output("sum", dtype), most = b.output("most", dtype);
    int place = b.output("place", DType::Int64);
    b.begin(SectionKind::Reduce);
    auto value = b.load(x);
    auto total = b.accumulate(Combine::Sum, value), top = b.accumulate(Combine::Max, value);
    auto where = b.accumulate(Combine::ArgMax, value);
    b.begin(SectionKind::Outer);
    b.store(sum, total);
    b.store(most, top);
    b.store(place, where);
    return b.finish();
}

double run_scaled(const runtime::KernelSet& set, int index, double x) {
    double y = 0;
    run(set, index, {1}, {&x, &y}, {{8}, {8}});
    return y;
}

TEST_F(Cpu, EqualKernelsShareCodeWhateverTheirNames) {
    EXPECT_EQ(kernel_bytes(scaled(2, "a")), kernel_bytes(scaled(2, "b")));
    EXPECT_NE(kernel_bytes(scaled(2)), kernel_bytes(scaled(3)));
    auto set = compile({scaled(2, "a"), scaled(2, "b"), scaled(3)});
    EXPECT_EQ(stats_.compiled, 2);
    EXPECT_EQ(stats_.from_cache, 1);
    EXPECT_EQ(run_scaled(*set, 0, 5), 11);
    EXPECT_EQ(run_scaled(*set, 1, 5), 11);
    EXPECT_EQ(run_scaled(*set, 2, 5), 16);
    auto again = compile({scaled(3, "c")});
    EXPECT_EQ(stats_.compiled, 0);
    EXPECT_EQ(run_scaled(*again, 0, 5), 16);
}

TEST_F(Cpu, ConstantsDifferByTheirBits) {
    auto stored = [](double value) {
        Builder b("constant", 1, 0);
        int y = b.output("y", DType::Float64);
        b.begin(SectionKind::Map);
        b.store(y, b.constant(DType::Float64, value));
        return b.finish();
    };
    auto set = compile({stored(0.0), stored(-0.0)});
    double plus = 1, minus = 1;
    run(*set, 0, {1}, {&plus}, {{8}});
    run(*set, 1, {1}, {&minus}, {{8}});
    EXPECT_FALSE(std::signbit(plus));
    EXPECT_TRUE(std::signbit(minus));
}

TEST_F(Cpu, CodeOutlivesItsSetOnlyOnDisk) {
    compile({scaled(4), scaled(5)});
    EXPECT_EQ(stats_.compiled, 2);
    ASSERT_FALSE(files().empty());
    auto set = compile({scaled(5), scaled(4)});
    EXPECT_EQ(stats_.compiled, 0) << "the set is gone: this came from the disk";
    EXPECT_EQ(stats_.from_cache, 2);
    EXPECT_EQ(run_scaled(*set, 0, 2), 11);
    EXPECT_EQ(run_scaled(*set, 1, 2), 9);
}

TEST_F(Cpu, BrokenEntriesAreRebuilt) {
    compile({scaled(6)});
    ASSERT_EQ(files().size(), 1u);
    std::filesystem::resize_file(files()[0], 100);
    auto set = compile({scaled(6)});
    EXPECT_EQ(stats_.compiled, 1);
    EXPECT_EQ(run_scaled(*set, 0, 2), 13);
    set = nullptr;
    compile({scaled(6)});
    EXPECT_EQ(stats_.from_cache, 1) << "the entry was replaced";
}

TEST_F(Cpu, WithoutACacheEverythingWorks) {
    settings().cache_dir = "off";
    auto set = compile({scaled(7)});
    EXPECT_EQ(stats_.compiled, 1);
    EXPECT_EQ(run_scaled(*set, 0, 2), 15);
    EXPECT_TRUE(files().empty());
}

TEST_F(Cpu, LevelsAreDifferentCode) {
    settings().cpu_level = "sse2";
    Level low = find_level("sse2");
    auto set = compile({scaled(8)});
    EXPECT_EQ(stats_.compiled, 1);
    EXPECT_EQ(run_scaled(*set, 0, 2), 17);
    settings().cpu_level = "native";
    auto native = compile({scaled(8)});
    EXPECT_EQ(stats_.compiled, 1) << "code of another level is not taken";
    EXPECT_EQ(run_scaled(*native, 0, 2), 17);
    EXPECT_NE(kernel_key(scaled(8), low), kernel_key(scaled(8), find_level("native")));
}

TEST_F(Cpu, ALevelThatTheMachineLacksSaysSo) {
    for (const char* level : {"avx2", "avx512"}) {
        try {
            EXPECT_EQ(find_level(level).name, level);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Device);
            EXPECT_NE(std::string(error.what()).find("lacks"), std::string::npos);
        }
    }
}

TEST_F(Cpu, BrokenKernelsAreCompileErrors) {
    Kernel broken = kernel::parse("kernel broken rank 0 outer 0 { out y: f32 }");
    try {
        compile({broken});
        FAIL() << "it was compiled";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Compile);
        EXPECT_NE(std::string(error.what()).find("broken"), std::string::npos);
    }
}

TEST_F(Cpu, ListingsShowTheVectors) {
    settings().cpu_level = "sse2";
    auto set = compile({scaled(9)});
    EXPECT_NE(set->listing(0).find("fmul <2 x double>"), std::string::npos);
}

// What only reads asks for memory ahead, in both forms; what writes does not.
TEST_F(Cpu, ReductionsReadAhead) {
    auto asks = [](const std::string& listing) {
        size_t count = 0, at = 0;
        while ((at = listing.find("call void @llvm.prefetch", at)) != std::string::npos)
            ++at, ++count;
        return count;
    };
    auto set = compile({scaled(10), folds(DType::Float32)});
    EXPECT_EQ(asks(set->listing(0)), 0u);
    EXPECT_GE(asks(set->listing(1)), 2u);
}

size_t occurrences(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// A step waits for the one before it: two vectors of lanes are on their way at a time. Without
// masks lanes that fill no vector would go one by one.
TEST_F(Cpu, LoopsOfWideStatesTakeTwoVectors) {
    Kernel wide = kernel::parse(R"(kernel wide rank 2 outer 1 {
  in x: f64 in h: f64 out y: f64
  outer { %0 = f64 load h }
  loop { %1 = f64 state %0 %2 = f64 load x %3 = f64 mul %1, %2
    f64 store y %3 %4 = f64 next %3 of %1 }
})");
    for (auto [level, vector] : {std::pair("sse2", "fmul <2 x double>"),
                                 {"avx2", "fmul <4 x double>"},
                                 {"avx512", "fmul <16 x double>"}}) {
        settings().cpu_level = level;
        try {
            find_level(level);
        } catch (const Error&) {
            continue;  // not a level of this machine
        }
        auto set = compile({wide});
        EXPECT_NE(set->listing(0).find(vector), std::string::npos) << level;
    }
}

// What takes LLVM's time: copies of a body, and loops where there is one thing to do.
TEST_F(Cpu, LoopsAreWrittenOnce) {
    Kernel alone = kernel::parse(R"(kernel alone rank 1 outer 0 {
  in r: f64 broadcast 0 out last: f64
  outer { %0 = f64 load r }
  loop { %1 = f64 state %0 %2 = f64 mul %1, %1 %3 = f64 next %2 of %1 }
  outer { f64 store last %3 }
})");
    Kernel heavy = kernel::parse(R"(kernel heavy rank 2 outer 1 {
  in x: f64 in h: f64 out y: f64
  outer { %0 = f64 load h }
  loop { %1 = f64 state %0 %2 = f64 load x %3 = f64 div %2, %2 %4 = f64 sin %1 %5 = f64 add %3, %4
    f64 store y %5 %6 = f64 next %5 of %1 }
})");
    for (const char* level : {"sse2", "native"}) {
        settings().cpu_level = level;
        auto set = compile({alone, heavy});
        EXPECT_EQ(occurrences(set->listing(0), " x double>"), 0u) << "vectors of one number";
        // Masked stores serve what is left of a vector, else single lanes do.
        size_t copies = find_level(level).masks ? 1 : 2;
        EXPECT_EQ(occurrences(set->listing(1), " = fdiv "), copies) << level;
    }
}

// Rows, columns, blocks of columns: sizes around every boundary of the schedules.
TEST_F(Cpu, FoldsOverEitherAxisAtEverySize) {
    for (const char* level : {"sse2", "native"}) {
        settings().cpu_level = level;
        auto set = compile({folds(DType::Float32)});
        for (int64_t rows : {1, 2, 7, 8, 40, 300})
            for (int64_t columns : {1, 3, 15, 16, 17, 33, 130, 1100}) {
                auto n = static_cast<size_t>(rows * columns);
                std::vector<float> x(n);
                for (size_t i = 0; i < n; ++i) x[i] = static_cast<float>((i * 7919) % 1009) - 500;
                for (bool by_column : {false, true}) {
                    int64_t outer = by_column ? columns : rows, inner = by_column ? rows : columns;
                    int64_t step_out = by_column ? 4 : 4 * columns;
                    int64_t step_in = by_column ? 4 * columns : 4;
                    std::vector<float> sum(static_cast<size_t>(outer)), most(sum);
                    std::vector<int64_t> place(static_cast<size_t>(outer));
                    run(*set, 0, {outer, inner}, {x.data(), sum.data(), most.data(), place.data()},
                        {{step_out, step_in}, {4, 0}, {4, 0}, {8, 0}});
                    for (int64_t o = 0; o < outer; ++o) {
                        double total = 0;
                        float top = -1000;
                        int64_t where = 0;
                        for (int64_t i = 0; i < inner; ++i) {
                            float value = x[static_cast<size_t>((o * step_out + i * step_in) / 4)];
                            total += value;
                            if (value > top) top = value, where = i;
                        }
                        auto at = static_cast<size_t>(o);
                        ASSERT_EQ(sum[at], static_cast<float>(total)) << rows << "x" << columns;
                        ASSERT_EQ(most[at], top) << rows << "x" << columns;
                        ASSERT_EQ(place[at], where) << rows << "x" << columns << " " << by_column;
                    }
                }
            }
    }
}

// Whichever way lanes run, one operand is dense the other way: it is read in squares, and what is
// folded does not depend on where tiles begin.
TEST_F(Cpu, OperandsOfOppositeOrdersAreFolded) {
    Builder b("product", 2, 1);
    int x = b.input("x", DType::Float32), y = b.input("y", DType::Float32);
    int sum = b.output("sum", DType::Float32);
    b.begin(SectionKind::Reduce);
    auto total = b.accumulate(Combine::Sum, b.load(x) * b.load(y));
    b.begin(SectionKind::Outer);
    b.store(sum, total);
    auto product = b.finish();
    for (const char* level : levels_of_this_machine()) {
        settings().cpu_level = level;
        auto set = compile({product});
        for (auto [rows, columns] :
             {std::pair<int64_t, int64_t>{300, 500}, {70, 1033}, {517, 40}}) {
            auto n = static_cast<size_t>(rows * columns);
            std::vector<float> a(n), c(n), sums(static_cast<size_t>(rows));
            for (size_t i = 0; i < n; ++i) {
                a[i] = static_cast<float>((i * 7919) % 1009) - 500;
                c[i] = static_cast<float>((i * 104729) % 31) - 15;
            }
            run(*set, 0, {rows, columns}, {a.data(), c.data(), sums.data()},
                {{4, 4 * rows}, {4 * columns, 4}, {4, 0}});
            for (int64_t i = 0; i < rows; ++i) {
                double expected = 0;
                for (int64_t j = 0; j < columns; ++j)
                    expected += a[static_cast<size_t>(j * rows + i)] *
                                c[static_cast<size_t>(i * columns + j)];
                ASSERT_EQ(sums[static_cast<size_t>(i)], static_cast<float>(expected)) << level;
            }
        }
    }
}

// Remainders and whole quotients have one division where all quotients of a vector are short, and
// the bits of the long way: multiples and their neighbours, zeros, both signs, subnormals.
Kernel quotients(DType dtype) {
    Builder b("quotients", 1, 0);
    int x = b.input("x", dtype), y = b.input("y", dtype);
    int whole = b.output("whole", dtype), rest = b.output("rest", dtype);
    int left = b.output("left", dtype);
    b.begin(SectionKind::Map);
    auto over = b.load(x), under = b.load(y);
    b.store(whole, b.floor_div(over, under));
    b.store(rest, b.floor_mod(over, under));
    b.store(left, b.fmod(over, under));
    return b.finish();
}

template <class T, class Set>
void expect_short_quotients(const Set& set, const std::string& level) {
    std::vector<T> a, c;
    const T tiny = std::numeric_limits<T>::denorm_min();
    for (T divisor : {T(0.1), T(3), T(0.7), T(1e-3), T(1) / T(3), T(12345.678), T(1e30)})
        for (int n = -1000; n <= 1000; n += 7)
            for (T sign : {T(1), T(-1)}) {
                T multiple = divisor * static_cast<T>(n);
                for (T value : {multiple, std::nextafter(multiple, T(-1e38)),
                                std::nextafter(multiple, T(1e38)), -T(0) * multiple,
                                static_cast<T>(n) * tiny}) {
                    a.push_back(value);
                    c.push_back(sign * divisor);
                }
            }
    auto n = static_cast<int64_t>(a.size());
    std::vector<T> wholes(a.size()), rests(a.size()), lefts(a.size());
    std::vector<std::vector<int64_t>> dense(5, {static_cast<int64_t>(sizeof(T))});
    run(set, 0, {n}, {a.data(), c.data(), wholes.data(), rests.data(), lefts.data()}, dense);
    auto same = [](T u, T v) { return u == v && std::signbit(u) == std::signbit(v); };
    for (size_t i = 0; i < a.size(); ++i) {
        ASSERT_TRUE(same(wholes[i], kernel::scalar::floor_div(a[i], c[i])))
            << level << a[i] << " " << c[i];
        ASSERT_TRUE(same(rests[i], kernel::scalar::floor_mod(a[i], c[i])))
            << level << a[i] << " " << c[i];
        ASSERT_TRUE(same(lefts[i], std::fmod(a[i], c[i]))) << level << a[i] << " " << c[i];
    }
}

TEST_F(Cpu, ShortQuotientsTakeOneDivision) {
    for (const char* level : levels_of_this_machine()) {
        settings().cpu_level = level;
        expect_short_quotients<float>(*compile({quotients(DType::Float32)}), level);
        expect_short_quotients<double>(*compile({quotients(DType::Float64)}), level);
    }
}

// Results of rows, one a row, stand still along the lanes: however many there are, dense rows are
// folded where they lie and not through tiles. (A launch with tiles cannot be written down.)
TEST_F(Cpu, DenseRowsAreFoldedWhereTheyLie) {
    constexpr int64_t results = 8, rows = 16, columns = 256;
    Builder b("results", 2, 1);
    int x = b.input("x", DType::Float32);
    std::vector<int> targets;
    for (int n = 0; n < results; ++n) targets.push_back(b.output("y", DType::Float32));
    b.begin(SectionKind::Reduce);
    auto total = b.accumulate(Combine::Sum, b.load(x));
    b.begin(SectionKind::Outer);
    for (int target : targets) b.store(target, total);
    auto set = compile({b.finish()});
    std::vector<float> memory(rows * columns);
    std::vector<int64_t> extents{rows, columns}, row_by_row{4 * columns, 4}, one_a_row{4, 0};
    std::vector<void*> pointers(results + 1, memory.data());
    std::vector<const int64_t*> strides(results + 1, one_a_row.data());
    strides[0] = row_by_row.data();
    kernel::Launch launch{extents.data(), pointers.data(), strides.data(), strides.data()};
    EXPECT_NE(set->prepare(0, launch), nullptr);
}

// Whole numbers below 2^53: the sum is exact however it is ordered, if it is kept in float64.
TEST_F(Cpu, LongFloat32SumsAreKeptInFloat64) {
    auto set = compile({folds(DType::Float32)});
    std::vector<float> x(3000001, 16777215.0f);
    float sum = 0, most = 0;
    int64_t place = -1;
    auto n = static_cast<int64_t>(x.size());
    run(*set, 0, {1, n}, {x.data(), &sum, &most, &place}, {{0, 4}, {4, 0}, {4, 0}, {8, 0}});
    EXPECT_EQ(sum, static_cast<float>(3000001 * 16777215.0));
    EXPECT_EQ(place, 0);
}

TEST_F(Cpu, SubnormalsAreNotFlushed) {
    auto set = compile({kernel::parse(
        "kernel half rank 1 outer 0 { in x: f32 out y: f32 map { %0 = f32 load x %1 = f32 constant "
        "0.5 %2 = f32 mul %0, %1 f32 store y %2 } }")});
    std::vector<float> x(37, 0x1p-140f), y(37);
    run(*set, 0, {37}, {x.data(), y.data()}, {{4}, {4}});
    for (float value : y) EXPECT_EQ(value, 0x1p-141f);
}

TEST_F(Cpu, ManyThreadsCompileAndRunAtOnce) {
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int n = 0; n < 5; ++n) {
                std::vector<Kernel> kernels;
                for (int k = 0; k < 3; ++k) kernels.push_back(scaled(10 + n + (t + k) % 4));
                auto set = backend_->compile(kernels, nullptr);
                for (int k = 0; k < 3; ++k)
                    if (run_scaled(*set, k, 2) != 2 * (10 + n + (t + k) % 4) + 1) ++wrong;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST_F(Cpu, ManyKernelsInOneSet) {
    std::vector<Kernel> kernels;
    for (int n = 0; n < 60; ++n) kernels.push_back(scaled(100 + n));
    auto set = compile(kernels);
    EXPECT_EQ(stats_.compiled, 60);
    for (int n = 0; n < 60; ++n) EXPECT_EQ(run_scaled(*set, n, 3), 3 * (100 + n) + 1);
    set = compile({kernels[59], kernels[0]});
    EXPECT_EQ(stats_.from_cache, 2);
    EXPECT_EQ(run_scaled(*set, 0, 3), 3 * 159 + 1);
}

}  // namespace
}  // namespace croton::cpu
