// Strides of every kind, tables, in-place launches, large and empty arrays.
#include <sys/mman.h>

#include "croton/kernel/builder.hpp"
#include "tests/backend/contract.hpp"
#include "tests/backend/values.hpp"

namespace croton::contract {
namespace {

using kernel::Builder;
using kernel::OperandKind;
using kernel::Scalar;
using kernel::SectionKind;

Sizes random_sizes(Random& random, int rank) {
    const int64_t choices[] = {0, 1, 1, 2, 3, 4, 5, 8, 9, 17, 32};
    Sizes sizes;
    int64_t count = 1;
    for (int axis = 0; axis < rank; ++axis) {
        int64_t size = choices[below(random, std::ssize(choices))];
        if (size == 0 && !chance(random, 30)) size = 6;
        if (count * size > 20000) size = 1;
        count *= std::max<int64_t>(size, 1);
        sizes.push_back(size);
    }
    return sizes;
}

// out = a * b + c, other = a < c, in the dtypes given: loads convert.
kernel::Kernel arithmetic(int rank, DType a, DType b, DType c, DType compute, uint64_t broadcast) {
    Builder k(cat("arithmetic", rank), rank, 0);
    int x = k.input("a", a), y = k.input("b", b, broadcast), z = k.input("c", c);
    int out = k.output("out", c), other = k.output("other", DType::Bool);
    k.begin(SectionKind::Map);
    Scalar u = k.cast(k.load(x), compute), v = k.cast(k.load(y), compute);
    Scalar w = k.cast(k.load(z), compute);
    k.store(out, u * v + w);
    k.store(other, k.lt(u, w));
    return k.finish();
}

class Layouts : public testing::TestWithParam<Target> {
  protected:
    Random random_{21};
    Batch batch_;

    void add_random_problem(size_t kernel) {
        const auto& k = batch_.kernels[kernel];
        Sizes sizes = random_sizes(random_, k.rank);
        std::vector<Layout> layouts;
        for (const auto& operand : k.operands)
            layouts.push_back(Layout::random(random_, k.rank, operand.kind == OperandKind::In));
        batch_.problem(kernel, sizes, random_, layouts);
    }
    void check_all() { check_or_skip(GetParam(), batch_, random_); }
};

TEST_P(Layouts, EveryRankAndStride) {
    for (int rank = 0; rank <= 5; ++rank) {
        uint64_t some = rank > 0 ? random_() & ((uint64_t{1} << rank) - 1) : 0;
        const size_t kernels[] = {
            batch_.add(arithmetic(rank, DType::Int32, DType::Int32, DType::Int32, DType::Int32, 0)),
            batch_.add(
                arithmetic(rank, DType::UInt8, DType::Int64, DType::Int16, DType::Int64, some)),
            batch_.add(
                arithmetic(rank, DType::Int8, DType::Bool, DType::UInt16, DType::UInt32, some)),
        };
        for (size_t kernel : kernels)
            for (int n = 0; n < (rank == 0 ? 2 : 40); ++n) add_random_problem(kernel);
    }
    check_all();
}

// float32 with float64 and the 16-bit floats: a product and a sum are rounded twice, everywhere.
TEST_P(Layouts, ProductsAndSumsAreRoundedSeparately) {
    for (int rank = 1; rank <= 3; ++rank) {
        const size_t kernels[] = {
            batch_.add(arithmetic(rank, DType::Float32, DType::Float32, DType::Float32,
                                  DType::Float32, 0)),
            batch_.add(arithmetic(rank, DType::Float64, DType::Float32, DType::Float64,
                                  DType::Float64, 0)),
            batch_.add(arithmetic(rank, DType::Float16, DType::BFloat16, DType::Float16,
                                  DType::Float32, 0)),
            batch_.add(
                arithmetic(rank, DType::Float32, DType::Int32, DType::BFloat16, DType::Float64, 0)),
        };
        for (size_t kernel : kernels)
            for (int n = 0; n < 20; ++n) add_random_problem(kernel);
    }
    check_all();
}

// Every small step, both ways, and transposes: what is packed, for items of each size (float16 is
// stored in two bytes), from less than a vector to several tiles with pieces left over.
TEST_P(Layouts, StepsAndTransposes) {
    const DType dtypes[] = {DType::Int8, DType::Float16, DType::Float32, DType::Int64,
                            DType::Complex128};
    const Sizes sizes[] = {{1, 3}, {3, 19}, {37, 65}, {66, 131}, {5, 700}};
    for (DType dtype : dtypes) {
        Builder k(cat("sums_", dtype_name(dtype)), 2, 0);
        int x = k.input("x", dtype), y = k.input("y", dtype), out = k.output("out", dtype);
        DType compute = dtype == DType::Float16 ? DType::Float32 : dtype;
        k.begin(SectionKind::Map);
        k.store(out, k.cast(k.load(x), compute) + k.cast(k.load(y), compute));
        size_t kernel = batch_.add(k.finish());
        int turn = 0;
        for (int gap = 1; gap <= 5; ++gap)
            for (uint64_t reversed : {0, 2, 3})
                for (bool transposed : {false, true})
                    for (const Sizes& shape : sizes) {
                        Layout odd;
                        odd.gap = gap, odd.reversed = reversed, odd.offset = gap % 3;
                        if (transposed) odd.order = {1, 0};
                        std::vector<Layout> layouts(3);
                        layouts[static_cast<size_t>(turn++ % 3)] = odd;
                        if (turn % 4 == 0) layouts[static_cast<size_t>(turn % 3)] = odd;
                        batch_.problem(kernel, shape, random_, layouts);
                    }
    }
    check_all();
}

// Axes in every order: the two that are dense somewhere make the squares, whichever they are.
TEST_P(Layouts, TransposesOfThreeAxes) {
    size_t kernel =
        batch_.add(arithmetic(3, DType::Int32, DType::Int32, DType::Int32, DType::Int32, 0));
    SmallVector<int, 6> order = {0, 1, 2};
    do {
        for (int operand = 0; operand < 4; ++operand) {
            std::vector<Layout> layouts(5);
            layouts[static_cast<size_t>(operand)].order = order;
            batch_.problem(kernel, {7, 33, 18}, random_, layouts);
        }
    } while (std::next_permutation(order.begin(), order.end()));
    check_all();
}

TEST_P(Layouts, InPlace) {
    for (int rank = 0; rank <= 4; ++rank) {
        size_t kernel =
            batch_.add(arithmetic(rank, DType::Int32, DType::Int32, DType::Int32, DType::Int32, 0));
        for (int n = 0; n < 20; ++n) {
            add_random_problem(kernel);
            auto& p = batch_.problems.back();
            size_t in = random_() % 3;
            p.operands[in] = p.operands[3];
            fill_any(p.operands[in], random_);
            p.shared = {{in, 3}};
        }
    }
    check_all();
}

TEST_P(Layouts, Large) {
    size_t floats = batch_.add(
        arithmetic(1, DType::Float32, DType::Float32, DType::Float32, DType::Float32, 0));
    size_t matrix = batch_.add(
        arithmetic(2, DType::Float64, DType::Float64, DType::Float64, DType::Float64, 1));
    batch_.problem(floats, {1000003}, random_);
    Layout transposed;
    transposed.order = {1, 0};
    batch_.problem(matrix, {1013, 517}, random_, {transposed});
    check_all();
}

// Operands dense the other way are read in tiles that begin where their lines do, wherever the
// first one does: the first tiles are taller, the last ones lower.
TEST_P(Layouts, TransposesBeginAnywhere) {
    size_t floats = batch_.add(
        arithmetic(2, DType::Float32, DType::Float32, DType::Float32, DType::Float32, 0));
    size_t bytes =
        batch_.add(arithmetic(2, DType::Int8, DType::Float64, DType::Int8, DType::Float32, 0));
    for (size_t kernel : {floats, bytes})
        for (int offset : {0, 1, 4, 15})
            for (const Sizes& sizes : {Sizes{200, 300}, Sizes{66, 129}, Sizes{517, 64}}) {
                Layout transposed, reversed;
                transposed.order = reversed.order = {1, 0};
                transposed.offset = offset;
                reversed.reversed = 1;
                batch_.problem(kernel, sizes, random_, {transposed});
                batch_.problem(kernel, sizes, random_, {transposed, reversed});
                batch_.problem(kernel, sizes, random_, {Layout{}, Layout{}, Layout{}, transposed});
            }
    check_all();
}

/// Memory for n items of 4 bytes that ends at a page nobody may touch.
class FencedItems {
  public:
    explicit FencedItems(int64_t n) {
        int64_t room = (4 * n + page - 1) / page * page;
        bytes_ = static_cast<size_t>(room + page);
        memory_ = static_cast<char*>(
            ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ::mprotect(memory_ + room, page, PROT_NONE);
        first_ = memory_ + room - 4 * n;
    }
    FencedItems(const FencedItems&) = delete;
    FencedItems& operator=(const FencedItems&) = delete;
    ~FencedItems() { ::munmap(memory_, bytes_); }
    void* first() { return first_; }

  private:
    static constexpr int64_t page = 4096;
    size_t bytes_;
    char *memory_, *first_;
};

// Vectors end where the elements do: in light bodies, heavy ones and reductions, for every length.
TEST_P(Layouts, NothingIsReadBehindTheEnd) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    for (std::string text :
         {"0 { in x: f32 out y: f32 map { %0 = f32 load x %1 = f32 neg %0 f32 store y %1 } }",
          "0 { in x: f32 out y: f32 map { %0 = f32 load x %1 = f32 atan %0 %2 = f32 erf %1"
          " %3 = f32 tanh %2 f32 store y %3 } }",
          "1 { in x: f32 out y: f32 reduce { %0 = f32 load x %1 = f32 fold sum %0 }"
          " outer { f32 store y %1 } }"}) {
        const kernel::Kernel kernels[] = {kernel::parse("kernel k rank 2 outer " + text)};
        auto set = compile(GetParam(), kernels);
        for (int64_t length = 1; length <= 70; ++length) {
            FencedItems x(2 * length), y(2 * length);
            std::fill_n(static_cast<float*>(x.first()), 2 * length, 0.5f);
            int64_t extents[] = {2, length}, strides[] = {4 * length, 4}, column[] = {4, 0};
            void* pointers[] = {x.first(), y.first()};
            const int64_t* both[] = {strides, kernels[0].outer == 1 ? column : strides};
            const int64_t* sizes[] = {extents, extents};
            set->run(0, {extents, pointers, both, sizes}, 0, 2);
        }
    }
}

// A gather: rows of a table picked by an index, along any axis.
constexpr const char* gather = R"(kernel gather rank 2 outer 0 {
  in where: i64 table t: T rank 2 out y: T
  map { %0 = i64 load where %1 = i64 index axis 1 %2 = T load_at t %0, %1
    T store y %2 } })";
// Positions that wrap around, computed from sizes; the table is read in a reduction.
constexpr const char* wrapped = R"(kernel wrapped rank 2 outer 1 {
  in where: i64 table t: T rank 1 out y: T
  outer { %0 = i64 size t axis 0 }
  reduce { %1 = i64 load where %2 = i64 floor_mod %1, %0 %3 = T load_at t %2
    %4 = T fold max %3 }
  outer { T store y %4 } })";

// Whole rows of a table, picked by positions that lie in another table and count from the end if
// they are negative; from the second column on.
#define CROTON_ROWS                                                                            \
    "%0 = i64 index axis 0 %1 = i64 load_at where %0 %2 = i64 constant 0 "                     \
    "%3 = b1 lt %1, %2 %4 = i64 size t axis 0 %5 = i64 add %1, %4 %6 = i64 select %3, %5, %1 " \
    "%7 = i64 index axis 1 %8 = i64 constant 1 %9 = i64 add %7, %8 %10 = T load_at t %6, %9 "
constexpr const char* rows_of_table =
    "kernel rows rank 2 outer 0 { table where: i64 rank 1 table t: T rank 2 out y: T map "
    "{ " CROTON_ROWS "T store y %10 } }";
// The same rows folded: along themselves, and across.
constexpr const char* rows_folded =
    "kernel folded rank 2 outer 1 { table where: i64 rank 1 table t: T rank 2 out y: T reduce "
    "{ " CROTON_ROWS "%11 = T fold max %10 } outer { T store y %11 } }";

std::string with_dtype(std::string text, std::string_view from, std::string_view to) {
    std::string storage = cat("t: ", from), out = cat("y: ", from);
    for (size_t at; (at = text.find('T')) != std::string::npos;) text.replace(at, 1, from);
    // Operands keep the stored dtype, values have the computed one.
    if (from != to) {
        for (auto& name : {storage, out})
            text.replace(text.find(name), name.size(), cat(name.substr(0, 3), to));
    }
    return text;
}

TEST_P(Layouts, TablesAreGathered) {
    const std::pair<const char*, const char*> dtypes[] = {
        {"f32", "f32"}, {"f64", "f64"}, {"i8", "i8"},    {"i64", "i64"},
        {"u16", "u16"}, {"f32", "f16"}, {"f32", "bf16"}, {"b1", "b1"}};
    for (auto [computed, stored] : dtypes) {
        size_t rows = batch_.add(with_dtype(gather, computed, stored));
        size_t folded = batch_.add(with_dtype(wrapped, computed, stored));
        for (int n = 0; n < 12; ++n) {
            int64_t columns = 1 + below(random_, 40), height = 1 + below(random_, 9);
            Layout one_column = Layout::random(random_, 2, false);
            one_column.broadcast = n % 2 ? 2 : 0;
            auto& p = batch_.problem(
                rows, {below(random_, 12), columns}, random_,
                {one_column, Layout::random(random_, 2, false), Layout::random(random_, 2, false)},
                {{height, columns}});
            p.operands[0].fill<int64_t>([&] { return below(random_, height); });
            Layout column;
            column.broadcast = 2;
            auto& q =
                batch_.problem(folded, {below(random_, 9), 1 + below(random_, 30)}, random_,
                               {Layout::random(random_, 2, false), Layout{}, column}, {{height}});
            q.operands[0].fill<int64_t>([&] { return below(random_, 100) - 50; });
        }
    }
    check_all();
}

TEST_P(Layouts, WholeRowsAreRead) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    for (const char* dtype : {"f32", "f64", "i8", "b1"}) {
        size_t rows = batch_.add(with_dtype(rows_of_table, dtype, dtype));
        size_t folded = batch_.add(with_dtype(rows_folded, dtype, dtype));
        for (size_t kernel : {rows, folded})
            for (int n = 0; n < 16; ++n) {
                int64_t count = 1 + below(random_, 9), columns = 1 + below(random_, 70);
                int64_t height = 1 + below(random_, 9), missing_columns = n == 3 ? 1 : 0;
                Layout column;
                if (kernel == folded) column.broadcast = 2;
                auto& p = batch_.problem(kernel, {count, columns}, random_,
                                         {Layout{}, Layout::random(random_, 2, false), column},
                                         {{count}, {height, columns + 1 - missing_columns}});
                bool bad = n == 5;
                p.operands[0].fill<int64_t>(
                    [&] { return below(random_, 2 * height) - height + (bad ? height : 0); });
            }
    }
    check_all();
}

TEST_P(Layouts, ComplexTablesAndArithmetic) {
    for (const char* dtype : {"c64", "c128"}) {
        size_t kernel = batch_.add(with_dtype(
            "kernel complex_gather rank 1 outer 0 { in where: i64 table t: T rank 1 out y: T map {"
            " %0 = i64 load where %1 = T load_at t %0 %2 = T mul %1, %1 T store y %2 } }",
            dtype, dtype));
        auto& p = batch_.problem(kernel, {50}, random_, {}, {{20}});
        p.operands[0].fill<int64_t>([&] { return below(random_, 20); });
        p.tolerances = {{8}};
    }
    check_all();
}

// Out of bounds: zero is loaded, nothing else is touched, and the fault says where and what.
TEST_P(Layouts, OutOfBoundsIsAFault) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    size_t kernel = batch_.add(with_dtype(gather, "f32", "f32"));
    const int64_t bad_ones[] = {-1, 7, 1000, kernel::nowhere + 1,
                                std::numeric_limits<int64_t>::max()};
    for (int64_t bad : bad_ones)
        for (int64_t place : {0, 5, 30}) {
            Layout column;
            column.broadcast = 2;
            auto& p = batch_.problem(kernel, {31, 3}, random_, {column}, {{7, 3}});
            std::vector<int64_t> where(31 * 3);
            for (size_t n = 0; n < where.size(); ++n) where[n] = static_cast<int64_t>(n / 3 % 7);
            for (size_t n = 0; n < 3; ++n) where[static_cast<size_t>(place) * 3 + n] = bad;
            p.operands[0].set(where);
            auto set = compile(GetParam(), batch_.kernels);
            auto runner = [&](const kernel::Launch& launch, int64_t begin, int64_t end) {
                return set->run(0, launch, begin, end);
            };
            Outcome outcome = run(batch_.kernels[kernel], p, runner);
            EXPECT_EQ(outcome.fault.operand, 1);
            EXPECT_EQ(outcome.fault.axis, 0);
            EXPECT_EQ(outcome.fault.index, bad);
            EXPECT_EQ(outcome.fault.size, 7);
            auto values = outcome.operands[2].values<float>();
            EXPECT_EQ(values[static_cast<size_t>(place) * 3], 0.0f);
        }
    check(GetParam(), batch_, random_);
}

// kernel::nowhere gives zero and is no fault, whatever the other axis says; a fault beside it is
// one.
TEST_P(Layouts, NowhereIsZero) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    size_t kernel = batch_.add(with_dtype(
        "kernel maybe rank 1 outer 0 { in i: i64 in j: i64 table t: T rank 2 out y: T map {"
        " %0 = i64 load i %1 = i64 load j %2 = T load_at t %0, %1 T store y %2 } }",
        "i32", "i32"));
    for (bool fault : {false, true}) {
        auto& p = batch_.problem(kernel, {40}, random_, {}, {{fault ? 3 : 0, 4}});
        p.operands[0].fill<int64_t>([] { return kernel::nowhere; });
        p.operands[1].fill<int64_t>([&] { return below(random_, 9) - 2; });
        if (fault) {
            std::vector<int64_t> rows(40, kernel::nowhere);
            rows[17] = 3;
            p.operands[0].set(rows);
        }
        auto set = compile(GetParam(), batch_.kernels);
        Outcome outcome = run(batch_.kernels[kernel], p,
                              [&](const kernel::Launch& launch, int64_t begin, int64_t end) {
                                  return set->run(0, launch, begin, end);
                              });
        EXPECT_EQ(outcome.operands[3].values<int>(), std::vector<int>(40, 0));
        EXPECT_EQ(outcome.fault.operand, fault ? 2 : -1);
        EXPECT_EQ(outcome.fault.index, fault ? 3 : 0);
    }
    check(GetParam(), batch_, random_);
}

TEST_P(Layouts, SecondAxisFaultAndEmptyTables) {
    size_t kernel = batch_.add(
        "kernel pick rank 1 outer 0 { in i: i64 in j: i64 table t: i32 rank 2 out y: i32 map {"
        " %0 = i64 load i %1 = i64 load j %2 = i32 load_at t %0, %1 i32 store y %2 } }");
    for (const Sizes& sizes : {Sizes{4, 5}, Sizes{0, 5}, Sizes{4, 0}, Sizes{1, 1}})
        for (int64_t length : {0, 1, 3, 20, 40}) {
            auto& p = batch_.problem(kernel, {length}, random_, {}, {sizes});
            for (size_t k = 0; k < 2; ++k)
                p.operands[k].fill<int64_t>([&] { return below(random_, 8) - 1; });
        }
    check_all();
}

// A kernel that wants no element says nowhere: zero, and no fault, even if the table is empty.
TEST_P(Layouts, NowhereIsZeroWithoutAFault) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    for (const char* dtype : {"f32", "c64", "b1"})
        for (int64_t height : {0, 7}) {
            size_t kernel = batch_.add(with_dtype(
                "kernel pick rank 1 outer 0 { in where: i64 table t: T rank 1 out y: T map {"
                " %0 = i64 load where %1 = T load_at t %0 T store y %1 } }",
                dtype, dtype));
            auto& p = batch_.problem(kernel, {35}, random_, {}, {{height}});
            std::vector<int64_t> where(35, kernel::nowhere);
            if (height > 0) where[3] = where[34] = 6;
            p.operands[0].set(where);
            auto set = compile(GetParam(), batch_.kernels);
            auto runner = [&](const kernel::Launch& launch, int64_t begin, int64_t end) {
                return set->run(kernel, launch, begin, end);
            };
            EXPECT_EQ(run(batch_.kernels[kernel], p, runner).fault.operand, -1);
        }
    check(GetParam(), batch_, random_);
}

INSTANTIATE_TEST_SUITE_P(Backends, Layouts, testing::ValuesIn(all_targets()),
                         [](const auto& info) { return info.param.text(); });

}  // namespace
}  // namespace croton::contract
