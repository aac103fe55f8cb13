// Outer, Map, Reduce and Loop sections in many orders, over sizes, layouts and dtypes.
#include "croton/kernel/builder.hpp"
#include "tests/backend/contract.hpp"
#include "tests/backend/values.hpp"

namespace croton::contract {
namespace {

using kernel::Builder;
using kernel::Combine;
using kernel::OperandKind;
using kernel::SectionKind;

constexpr double eps64 = 2.3e-16;

// A kernel's text in which T stands for a dtype.
std::string with_dtype(std::string text, std::string_view dtype) {
    for (size_t at; (at = text.find('T')) != std::string::npos;) text.replace(at, 1, dtype);
    return text;
}

constexpr const char* softmax = R"(kernel softmax rank 2 outer 1 {
  in x: T out y: T
  reduce { %0 = T load x
    %1 = T fold max %0 }
  reduce { %2 = T load x %3 = T sub %2, %1 %4 = T exp %3
    %5 = T fold sum %4 }
  map { %6 = T load x %7 = T sub %6, %1 %8 = T exp %7 %9 = T div %8, %5
    T store y %9 }
})";

constexpr const char* log_sum_exp = R"(kernel log_sum_exp rank 2 outer 1 {
  in x: T out y: T
  reduce { %0 = T load x
    %1 = T fold max %0 }
  reduce { %2 = T load x %3 = T sub %2, %1 %4 = T exp %3
    %5 = T fold sum %4 }
  outer { %6 = T log %5 %7 = T add %6, %1
    T store y %7 }
})";

constexpr const char* layer_norm = R"(kernel layer_norm rank 2 outer 1 {
  in x: T in gain: T in bias: T out y: T out mean: T
  outer { %0 = i64 extent axis 1 %1 = T cast %0 }
  reduce { %2 = T load x
    %3 = T fold sum %2 }
  outer { %4 = T div %3, %1
    T store mean %4 }
  reduce { %5 = T load x %6 = T sub %5, %4 %7 = T mul %6, %6
    %8 = T fold sum %7 }
  outer { %9 = T div %8, %1 %10 = T constant 1e-5
    %11 = T add %9, %10 %12 = T sqrt %11 }
  map { %13 = T load x %14 = T sub %13, %4 %15 = T div %14, %12
    %16 = T load gain %17 = T mul %15, %16 %18 = T load bias %19 = T add %17, %18
    T store y %19 }
})";

// Several outputs, a map before a reduction, a second map after it, several accumulators.
constexpr const char* orders = R"(kernel orders rank 3 outer 1 {
  in a: T in b: T in s: T out twice: T out scaled: T out low: T out where: i64
  outer { %0 = T load s %1 = T add %0, %0 }
  map { %2 = T load a %3 = T mul %2, %1
    T store twice %3 }
  reduce { %4 = T load a %5 = T load b %6 = T mul %4, %5
    %7 = T fold sum %6
    %8 = T fold min %4
    %9 = i64 fold argmin %5 }
  outer { %10 = T sub %8, %1
    T store low %10
    i64 store where %9 }
  map { %11 = T load b %12 = T mul %11, %7
    T store scaled %12 }
})";

class Sections : public testing::TestWithParam<Target> {
  protected:
    Random random_{11};
    Batch batch_;

    // Outputs of Outer sections have no extent along inner axes.
    std::vector<Layout> layouts(size_t kernel, bool plain) {
        std::vector<Layout> result;
        const auto& k = batch_.kernels[kernel];
        for (size_t n = 0; n < k.operands.size(); ++n) {
            bool in = k.operands[n].kind == OperandKind::In;
            result.push_back(plain ? Layout{} : Layout::random(random_, k.rank, in));
            if (stored_outside(k, static_cast<int>(n)))
                result.back().broadcast = ~uint64_t{0} << k.outer;
        }
        return result;
    }
    static bool stored_outside(const kernel::Kernel& kernel, int operand) {
        for (const auto& section : kernel.sections)
            for (const auto& i : section.body)
                if (section.kind == SectionKind::Outer && i.op == kernel::OpCode::store_ &&
                    i.operand == operand)
                    return true;
        return false;
    }
    Problem& problem(size_t kernel, Sizes extents, double low, double high, bool plain = false) {
        auto& result = batch_.problem(kernel, extents, random_, layouts(kernel, plain));
        for (size_t k = 0; k < result.operands.size(); ++k)
            if (batch_.kernels[kernel].operands[k].kind != OperandKind::Out)
                fill_between(result.operands[k], random_, low, high);
        return result;
    }
    void check_all() { check_or_skip(GetParam(), batch_, random_); }
};

const Sizes row_sizes[] = {{1, 1},  {1, 7},  {3, 0},   {0, 5},    {2, 16},  {5, 33},
                           {17, 3}, {4, 64}, {3, 257}, {2, 1000}, {300, 9}, {64, 64}};

TEST_P(Sections, SoftmaxRows) {
    for (const char* dtype : {"f32", "f64"}) {
        size_t kernel = batch_.add(with_dtype(softmax, dtype));
        for (const auto& extents : row_sizes)
            for (bool plain : {true, false}) {
                auto& p = problem(kernel, extents, -20, 20, plain);
                p.tolerances = {{16, dtype[1] == '3' ? 1e-12 : 1e-18}};
                if (plain) continue;
                auto again = p;  // in place
                again.operands[1] = Buffer(p.operands[0].dtype(), extents);
                again.operands[0] = again.operands[1];
                fill_between(again.operands[0], random_, -5, 5);
                again.shared = {{0, 1}};
                batch_.problems.push_back(again);
            }
    }
    check_all();
}

TEST_P(Sections, RowsWithInfinitiesAndNaN) {
    for (const char* dtype : {"f32", "f64"})
        for (const char* text : {softmax, log_sum_exp}) {
            size_t kernel = batch_.add(with_dtype(text, dtype));
            for (int64_t length : {1, 5, 40}) {
                auto& p = problem(kernel, {30, length}, -3, 3, true);
                p.tolerances = {{16, 1e-6}};
                visit_dtype(p.operands[0].dtype(), [&](auto tag) {
                    using T = decltype(tag);
                    if constexpr (std::is_floating_point_v<T>) {
                        const T odd[] = {std::numeric_limits<T>::infinity(),
                                         -std::numeric_limits<T>::infinity(),
                                         std::numeric_limits<T>::quiet_NaN(), T(1000), T(-1000)};
                        p.operands[0].template fill<T>([&]() -> T {
                            return chance(random_, 100 / static_cast<int>(length + 1))
                                       ? odd[below(random_, 5)]
                                       : T(below(random_, 7));
                        });
                    }
                });
            }
        }
    check_all();
}

TEST_P(Sections, LogSumExpAndLayerNorm) {
    for (const char* dtype : {"f32", "f64"})
        for (const char* text : {log_sum_exp, layer_norm}) {
            size_t kernel = batch_.add(with_dtype(text, dtype));
            for (const auto& extents : row_sizes)
                for (bool plain : {true, false}) {
                    if (extents[1] == 0) continue;
                    auto& p = problem(kernel, extents, -2, 2, plain);
                    // Rows of one element have variance 0: what is divided is rounding noise.
                    p.tolerances = {{64, dtype[1] == '3' ? 3e-4 : 1e-11}};
                }
        }
    check_all();
}

TEST_P(Sections, ManyOrdersAndOutputs) {
    for (const char* dtype : {"f32", "f64", "i32", "i64", "u8"}) {
        size_t kernel = batch_.add(with_dtype(orders, dtype));
        const Sizes sizes[] = {{1, 1, 1}, {3, 4, 5}, {2, 1, 40}, {7, 16, 1},
                               {4, 0, 3}, {0, 2, 2}, {33, 2, 3}, {2, 50, 8}};
        for (const auto& extents : sizes)
            for (bool plain : {true, false}) {
                if (extents[1] == 0 && dtype[0] == 'f') continue;  // inf * 0 of an empty minimum
                auto& p = problem(kernel, extents, -3, 3, plain);
                p.tolerances = {{4, dtype == std::string_view("f32") ? 1e-4 : 1e-11}};
            }
    }
    check_all();
}

// Every combination over every dtype it takes; reduced axes contiguous, strided, or all of them.
TEST_P(Sections, EveryCombineOverEveryDtype) {
    for (int c = 0; c <= static_cast<int>(Combine::All); ++c)
        for (int d = 0; d < dtype_count; ++d)
            for (int outer = 0; outer <= 2; ++outer) {
                auto combine = static_cast<Combine>(c);
                auto dtype = static_cast<DType>(d);
                if (!kernel::takes(combine, kernel::compute_dtype(dtype))) continue;
                Builder b(cat(kernel::combine_name(combine), "_", dtype_short(dtype), outer), 2,
                          outer);
                int x = b.input("x", dtype);
                b.begin(SectionKind::Reduce);
                auto result = b.accumulate(combine, b.load(x));
                b.begin(SectionKind::Outer);
                b.store(b.output("y", result.dtype()), result);
                size_t kernel = batch_.add(b.finish());
                bool product = combine == Combine::Prod;
                double low = product ? 0.9 : -4, high = product ? 1.1 : 4;
                // Each size with one layout; which one changes from kernel to kernel.
                for (size_t n = 0; n < std::size(row_sizes); ++n) {
                    const Sizes& extents = row_sizes[n];
                    size_t layout = (n + kernel) % 3;
                    auto& p = problem(kernel, extents, low, high, layout != 2);
                    if (layout == 1) {  // the reduction runs over the slow axis of memory
                        Layout transposed;
                        transposed.order = {1, 0};
                        Buffer turned(dtype, extents, transposed);
                        fill_between(turned, random_, low, high);
                        p.operands[0] = turned;
                    }
                    auto count = static_cast<double>(extents[0] * extents[1]);
                    double total = count * (product ? std::pow(1.1, std::min(count, 900.0)) : 4);
                    bool wide = dtype == DType::Float64 || dtype == DType::Complex128;
                    p.tolerances = {{wide ? count + 2 : 2, count * eps64 * total}};
                }
            }
    check_all();
}

// Values at the edges: NaN wins in max, min and their positions, infinities add up to NaN.
TEST_P(Sections, CombinesOnEdgeValues) {
    for (int c = 0; c <= static_cast<int>(Combine::All); ++c)
        for (int d = 0; d < dtype_count; ++d) {
            auto combine = static_cast<Combine>(c);
            auto dtype = static_cast<DType>(d);
            if (!kernel::takes(combine, kernel::compute_dtype(dtype))) continue;
            if (is_complex(dtype) || (combine == Combine::Prod && is_floating(dtype))) continue;
            Builder b(cat("edges_", kernel::combine_name(combine), dtype_short(dtype)), 2, 1);
            int x = b.input("x", dtype);
            b.begin(SectionKind::Reduce);
            auto result = b.accumulate(combine, b.load(x));
            b.begin(SectionKind::Outer);
            b.store(b.output("y", result.dtype()), result);
            size_t kernel = batch_.add(b.finish());
            for (int64_t length : {1, 2, 3, 8, 19, 64, 100}) {
                auto& p = problem(kernel, {40, length}, -1, 1, length % 2 == 0);
                visit_dtype(dtype, [&](auto tag) {
                    using T = decltype(tag);
                    if constexpr (std::is_floating_point_v<T>) {
                        // Few different numbers, so that extremes occur several times.
                        const T inf = std::numeric_limits<T>::infinity();
                        const T nan = std::numeric_limits<T>::quiet_NaN();
                        const T values[] = {0, -T(0), 1, -1, 2, -2, 3, inf, -inf, nan};
                        auto odd = static_cast<int>(100 / (length + 2));
                        p.operands[0].template fill<T>([&] {
                            return values[chance(random_, odd) ? 7 + below(random_, 3)
                                                               : below(random_, 7)];
                        });
                    } else if (!detail::is_half_type<T>)
                        fill_any(p.operands[0], random_);
                });
                p.tolerances = {{2, 1e-12}};
            }
        }
    check_all();
}

// Float32 sums of a million numbers keep their digits: they are accumulated in float64.
TEST_P(Sections, LongSumsAreAccumulatedInDouble) {
    size_t whole = batch_.add(
        "kernel total rank 1 outer 0 { in x: f32 out y: f32 reduce { %0 = f32 load x"
        " %1 = f32 fold sum %0 } outer { f32 store y %1 } }");
    size_t columns = batch_.add(
        "kernel columns rank 2 outer 1 { in x: f16 out y: f32 reduce { %0 = f32 load x"
        " %1 = f32 fold sum %0 } outer { f32 store y %1 } }");
    auto& p = problem(whole, {1000003}, 0, 1, true);
    p.tolerances = {{1, 0}};
    Layout transposed;
    transposed.order = {1, 0};
    Layout column;
    column.broadcast = 2;
    auto& q = batch_.problem(columns, {37, 20011}, random_, {transposed, column});
    fill_between(q.operands[0], random_, 0, 1);
    q.tolerances = {{1, 0}};
    check_all();
}

// Over everything, with values before, between and after: large ones are made in pieces.
constexpr const char* everything = R"(kernel everything rank 2 outer 0 {
  in x: f32 in k: i32 out y: f32 out total: f32 out product: i32 out least: f32 out most: i32
  out first: i64 out last: i64 out some: b1 out every: b1
  outer { %0 = f32 constant 2 }
  reduce { %1 = f32 load x %2 = f32 mul %1, %0 %3 = i32 load k %4 = i32 constant 1
    %5 = i32 bit_or %3, %4 %6 = f32 constant 99 %7 = b1 gt %1, %6 %8 = b1 le %1, %6
    %9 = f32 fold sum %2
    %10 = i32 fold prod %5
    %11 = f32 fold min %1
    %12 = i32 fold max %3
    %13 = i64 fold argmax %3
    %14 = i64 fold argmin %1
    %15 = b1 fold any %7
    %16 = b1 fold all %8 }
  outer { f32 store total %9 i32 store product %10 f32 store least %11 i32 store most %12
    i64 store first %13 i64 store last %14 b1 store some %15 b1 store every %16 }
  map { %17 = f32 load x %18 = f32 sub %17, %11 %19 = f32 add %18, %0
    f32 store y %19 }
})";

TEST_P(Sections, LargeReductionsOverEverything) {
    size_t kernel = batch_.add(everything);
    for (const Sizes& sizes :
         {Sizes{1, 200003}, Sizes{200003, 1}, Sizes{701, 331}, Sizes{3, 70001}})
        for (bool plain : {true, false})
            for (bool nan : {false, true}) {
                auto& p = problem(kernel, sizes, -100, 100, plain);
                p.tolerances = {{1, 1e-3}};
                // Whole numbers: many equal extremes, of which the first one counts.
                p.operands[1].fill<int32_t>(
                    [&] { return static_cast<int32_t>(below(random_, 40)); });
                float lowest = nan ? std::numeric_limits<float>::quiet_NaN() : -1000.0f;
                if (plain)
                    p.operands[0].fill<float>([&, n = 0]() mutable {
                        return ++n % 50021 == 0 ? lowest : static_cast<float>(n % 97);
                    });
            }
    check_all();
}

// Folds along rows and across them at once: elements, a number a row, what needs a row's fold. T is
// the dtype, C the combination.
constexpr const char* crossing = R"(kernel crossing rank 3 outer OUTER {
  in a: T in b: T out y: T out columns: T broadcast AXES out all: T broadcast 0 1 2
  out late: T broadcast AXES out again: T broadcast AXES
  map { %0 = T load b
    across C %0 into columns
    across C %0 into again }
  reduce { %1 = T load a %2 = T load b %3 = T add %1, %2
    %4 = T fold C %3 }
  outer { %5 = T add %4, %4
    across C %4 into all }
  map { %6 = T load a %7 = T add %6, %4
    T store y %7
    across C %7 into late }
})";

std::string crossing_of(std::string_view dtype, std::string_view combine, int outer) {
    std::string text = crossing;
    auto put = [&](std::string_view what, std::string_view value) {
        for (size_t at; (at = text.find(what)) != std::string::npos;)
            text.replace(at, what.size(), value);
    };
    put("OUTER", outer == 1 ? "1" : "2");
    put("AXES", outer == 1 ? "0" : "0 1");
    put("C ", std::string(combine) + " ");
    return with_dtype(text, dtype);
}

TEST_P(Sections, FoldsAcrossOuterIndices) {
    const Sizes sizes[] = {{1, 1, 1}, {3, 4, 5}, {40, 1, 3},  {5, 33, 7},  {0, 4, 3},
                           {3, 4, 0}, {3, 0, 2}, {2, 3, 257}, {64, 2, 40}, {300, 2, 9}};
    for (const char* dtype : {"f32", "f64", "i32", "u8", "c64"})
        for (const char* combine : {"sum", "max", "min"})
            for (int outer : {1, 2}) {
                if (dtype[0] == 'c' && combine[0] != 's') continue;
                size_t kernel = batch_.add(crossing_of(dtype, combine, outer));
                for (const auto& extents : sizes)
                    for (bool plain : {true, false}) {
                        // Without elements an extreme is infinite, twice of that is no number.
                        bool empty = element_count(extents) == 0 && combine[0] == 'm';
                        if (empty && dtype[0] == 'f') continue;
                        auto& p = problem(kernel, extents, -3, 3, plain);
                        p.tolerances = {{2, dtype == std::string_view("f64") ? 1e-8 : 2}};
                        if (dtype[0] == 'f' || dtype[0] == 'c')
                            p.tolerances = {{4, dtype[1] == '6' ? 1e-9 : 2e-2}};
                    }
            }
    check_all();
}

// Small whole numbers: whatever the order, sums are exact. Long and short rows, lanes along the
// rows or across them; in pieces, of which the last one is smaller.
TEST_P(Sections, LargeFoldsAcrossAreExact) {
    for (int outer : {1, 2})
        for (const char* dtype : {outer == 1 ? "f32" : "i32"}) {
            size_t kernel = batch_.add(crossing_of(dtype, "sum", outer));
            for (const Sizes& extents :
                 {Sizes{1031, 1, 270}, Sizes{37, 101, 77}, Sizes{90001, 1, 3}, Sizes{401, 331, 2}})
                for (bool turned : {false, true}) {
                    auto& p = problem(kernel, extents, -1, 1, true);
                    Layout layout;
                    if (turned) layout.order = {2, 1, 0};
                    for (size_t k : {0, 1}) {
                        p.operands[k] = Buffer(p.operands[k].dtype(), extents, layout);
                        visit_dtype(p.operands[k].dtype(), [&](auto tag) {
                            using T = decltype(tag);
                            p.operands[k].template fill<T>(
                                [&] { return convert_number<T>(below(random_, 9) - 4); });
                        });
                    }
                }
        }
    check_all();
}

// --- loops: states that go from one inner index to the next
// ----------------------------------------

// A state from a sequence, one that becomes what the other was, results at each index and at the
// end.
constexpr const char* recurrence = R"(kernel recurrence rank 2 outer 1 {
  in x: T in begin: T in factor: T out all: T out before: T out last: T out older: T
  outer { %0 = T load begin %1 = T constant 0.5 %2 = T mul %0, %1 %3 = T load factor }
  loop {
    %4 = T state %0
    %5 = T state %2
    %6 = T load x %7 = T mul %4, %3 %8 = T add %7, %6 %9 = T sub %8, %5
    T store before %4 T store all %9
    %10 = T next %9 of %4
    %11 = T next %4 of %5 }
  outer { T store last %10 T store older %11 }
})";

TEST_P(Sections, LoopsHandStatesOn) {
    for (const char* dtype : {"f32", "f64", "i32", "u8"}) {
        std::string text = with_dtype(recurrence, dtype);
        if (dtype[0] != 'f') text.replace(text.find("0.5"), 3, "2");
        size_t kernel = batch_.add(text);
        const Sizes sizes[] = {{1, 1},  {1, 7},  {3, 0},   {0, 5},  {2, 16},  {5, 33},
                               {17, 3}, {4, 64}, {37, 20}, {64, 9}, {300, 4}, {1100, 3}};
        for (const auto& extents : sizes)
            for (int layout = 0; layout < 3; ++layout) {
                auto& p = problem(kernel, extents, -1, 1, layout != 1);
                p.tolerances = {{8, dtype[1] == '3' ? 1e-4 : 1e-12}};
                if (layout < 2) continue;
                // Time is the slow axis, as stacks have it: lanes along the other one.
                Layout slow;
                slow.order = {1, 0};
                for (size_t n : {size_t{0}, size_t{3}, size_t{4}}) {
                    p.operands[n] = Buffer(p.operands[n].dtype(), extents, slow);
                    fill_between(p.operands[n], random_, -1, 1);
                }
            }
    }
    check_all();
}

TEST_P(Sections, LoopsOfOneStateAndOfHeavyBodies) {
    size_t logistic = batch_.add(R"(kernel logistic rank 1 outer 0 {
  in r: f64 broadcast 0 in begin: f64 broadcast 0 out last: f64
  outer { %0 = f64 load begin %1 = f64 load r }
  loop { %2 = f64 state %0 %3 = f64 constant 1 %4 = f64 sub %3, %2 %5 = f64 mul %1, %2
    %6 = f64 mul %5, %4 %7 = f64 next %6 of %2 }
  outer { f64 store last %7 }
})");
    size_t heavy = batch_.add(R"(kernel heavy rank 3 outer 2 {
  in x: f32 in h: f32 out y: f32
  outer { %0 = f32 load h }
  loop { %1 = f32 state %0 %2 = f32 load x %3 = f32 add %1, %2 %4 = f32 tanh %3 %5 = f32 exp %4
    %6 = f32 sin %5 %7 = f32 mul %6, %4 %8 = f32 cos %7 %9 = f32 sub %8, %2 %10 = i64 index axis 2
    %11 = i64 index axis 1 %12 = i64 add %10, %11 %13 = f32 cast %12 %14 = f32 sin %13
    %15 = f32 mul %9, %14 f32 store y %15 %16 = f32 next %15 of %1 }
})");
    size_t table = batch_.add(R"(kernel tables rank 2 outer 1 {
  in x: f64 in h: f64 table t: f64 rank 2 out y: f64
  outer { %0 = f64 load h }
  loop { %1 = f64 state %0 %2 = f64 load x %3 = i64 index axis 0 %4 = i64 index axis 1
    %5 = i64 constant 0 %6 = f64 load_at t %3, %4 %7 = f64 load_at t %5, %4
    %8 = f64 load_at t %3, %5 %9 = f64 tanh %1 %10 = f64 add %9, %6 %11 = f64 mul %10, %7
    %12 = f64 add %11, %8 %13 = f64 sub %12, %2 f64 store y %13 %14 = f64 next %13 of %1 }
})");
    for (int64_t steps : {0, 1, 1000}) {
        auto& p = problem(logistic, {steps}, 0.2, 0.9, true);
        p.tolerances = {{1, 1e-15}};
    }
    for (const Sizes& sizes : {Sizes{1, 1, 5}, Sizes{3, 4, 6}, Sizes{2, 70, 3}, Sizes{5, 16, 2}})
        for (bool plain : {true, false}) {
            auto& p = problem(heavy, sizes, -1, 1, plain);
            p.tolerances = {{64, 1e-4}};
            Sizes two{sizes[1], sizes[2]};
            auto& q = batch_.problem(table, two, random_, layouts(table, plain), {two});
            for (auto& operand : q.operands) fill_between(operand, random_, -1, 1);
            q.tolerances = {{64, 1e-11}};
        }
    check_all();
}

// Values kept for a second pass over everything, stored in the first.
TEST_P(Sections, ValuesKeptForALaterSection) {
    size_t kernel = batch_.add(R"(kernel kept rank 2 outer 0 {
  in x: f32 out e: f32 out y: f32
  reduce { %0 = f32 load x %1 = f32 exp %0 %2 = b1 gt %1, %0 f32 store e %1 %3 = f32 fold sum %1 }
  map { %4 = f32 div %1, %3 %5 = f32 neg %4 %6 = f32 select %2, %4, %5 f32 store y %6 }
})");
    for (const Sizes& sizes : {Sizes{1, 1}, Sizes{3, 17}, Sizes{40, 70}, Sizes{1, 200003},
                               Sizes{200003, 1}, Sizes{701, 331}})
        for (bool plain : {true, false})
            problem(kernel, sizes, -3, 3, plain).tolerances = {{8, 1e-6}};
    check_all();
}

// The same bits from one thread, two, and more than there are cores.
TEST_P(Sections, LargeReductionsDoNotDependOnThreads) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    size_t kernel = batch_.add(everything);
    auto set = compile(GetParam(), batch_.kernels);
    for (const Sizes& sizes : {Sizes{400000, 1}, Sizes{701, 331}}) {
        auto& p = problem(kernel, sizes, -1, 1, true);
        auto bytes_with = [&](const char* threads) {
            set_setting("threads", threads);
            auto runner = [&](const kernel::Launch& launch, int64_t begin, int64_t end) {
                return set->run(0, launch, begin, end);
            };
            Outcome outcome = run(batch_.kernels[kernel], p, runner);
            set_setting("threads", "0");
            return outcome.operands[3].bytes();
        };
        auto one = bytes_with("1");
        EXPECT_EQ(one, bytes_with("2"));
        EXPECT_EQ(one, bytes_with("7"));
    }
}

// Kernels of rank 0, without inner axes, or with outer sections alone.
// Lanes along an outer axis with a step, and more streams than a tile as wide as a block of lanes
// has room for: the running values move on with each tile.
TEST_P(Sections, TilesNarrowerThanBlocks) {
    Random random(12);
    Batch batch;
    size_t kernel = batch.add(R"(kernel narrow rank 2 outer 1 {
  in a: f64 in b: f64 in c: f64 in d: f64 in e: f64 in f: f64 out low: f64 out sum: f64
  reduce { %0 = f64 load a %1 = f64 load b %2 = f64 load c %3 = f64 load d %4 = f64 load e
    %5 = f64 load f %6 = f64 minimum %0, %1 %7 = f64 minimum %2, %3 %8 = f64 minimum %4, %5
    %9 = f64 minimum %6, %7 %10 = f64 minimum %9, %8 %11 = f64 rint %0
    %12 = f64 fold min %10
    %13 = f64 fold sum %11 }
  outer { f64 store low %12 f64 store sum %13 }
})");
    for (const Sizes& sizes : {Sizes{1500, 3}, Sizes{2100, 40}, Sizes{700, 1}}) {
        Layout across, column;
        across.order = {1, 0}, across.gap = 2;
        column.broadcast = 2;
        auto& p = batch.problem(kernel, sizes, random,
                                {across, across, across, across, across, across, column, column});
        for (size_t k = 0; k < 6; ++k) fill_between(p.operands[k], random, -1000, 1000);
    }
    check_or_skip(GetParam(), batch, random);
}

TEST_P(Sections, SmallShapes) {
    size_t scalar = batch_.add(
        "kernel scalar rank 0 outer 0 { in x: f32 out y: f32 out s: f32 map { %0 = f32 load x"
        " %1 = f32 add %0, %0 f32 store y %1 } reduce { %2 = f32 load x %3 = f32 fold sum %2 }"
        " outer { f32 store s %3 } }");
    size_t outer_only = batch_.add(
        "kernel outer_only rank 2 outer 2 { in x: i32 out y: i32 outer { %0 = i32 load x"
        " %1 = i32 mul %0, %0 i32 store y %1 } }");
    size_t points = batch_.add(
        "kernel points rank 2 outer 2 { in x: f64 out y: f64 reduce { %0 = f64 load x"
        " %1 = f64 fold max %0 } map { f64 store y %1 } }");
    problem(scalar, {}, -1, 1);
    for (const auto& extents : row_sizes) {
        problem(outer_only, extents, -9, 9);
        problem(points, extents, -9, 9);
    }
    check_all();
}

TEST_P(Sections, OuterValuesReachInnerLoops) {
    // A fill without any input: constants, positions and sizes only.
    size_t positions = batch_.add(
        "kernel positions rank 3 outer 1 { out y: i64 out z: f32 outer { %0 = i64 index axis 0"
        " %1 = i64 extent axis 2 %2 = i64 mul %0, %1 } map { %3 = i64 index axis 1"
        " %4 = i64 index axis 2 %5 = i64 mul %3, %2 %6 = i64 add %5, %4 %7 = f32 cast %6"
        " i64 store y %6 f32 store z %7 } }");
    size_t one_map = batch_.add(
        "kernel arange rank 2 outer 0 { out y: i32 map { %0 = i64 index axis 0 %1 = i64 index axis "
        "1"
        " %2 = i64 extent axis 0 %3 = i64 mul %1, %2 %4 = i64 add %0, %3 %5 = i32 cast %4"
        " i32 store y %5 } }");
    for (int n = 0; n < 20; ++n) {
        problem(positions, {below(random_, 5), below(random_, 9), below(random_, 40)}, 0, 1);
        problem(one_map, {below(random_, 30), below(random_, 30)}, 0, 1);
    }
    check_all();
}

INSTANTIATE_TEST_SUITE_P(Backends, Sections, testing::ValuesIn(all_targets()),
                         [](const auto& info) { return info.param.text(); });

}  // namespace
}  // namespace croton::contract
