// Code of its own for large launches: the bits and the memory of general code.
#include <sys/mman.h>

#include "croton/backend/cpu/tailor.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/type/array.hpp"
#include "tests/unit/backend_cpu/support.hpp"

namespace croton::cpu {
namespace {

using kernel::Builder;
using kernel::Combine;
using kernel::Kernel;
using kernel::SectionKind;

/// Elements after which large launches of a kind have code of their own.
const int64_t worth_tailoring = 64 * settings().tailor_from;

/// Numbers that end where memory ends: whoever reads on is stopped.
template <class T>
class AtTheEnd {
  public:
    explicit AtTheEnd(int64_t count) {
        auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE)),
             bytes = sizeof(T) * static_cast<size_t>(count);
        size_t pages = (bytes + page - 1) / page * page;
        size_ = pages + page;
        memory_ = static_cast<char*>(
            ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ::mprotect(memory_ + pages, page, PROT_NONE);
        first_ = reinterpret_cast<T*>(memory_ + pages - bytes);
        for (int64_t i = 0; i < count; ++i) first_[i] = static_cast<T>((i * 7919) % 1009);
    }
    ~AtTheEnd() { ::munmap(memory_, size_); }
    T* data() { return first_; }

  private:
    char* memory_;
    size_t size_;
    T* first_;
};

/// y = 2 x + w, the lanes of x being some items apart, until such launches have code of their own.
template <class T>
void run_apart(const runtime::KernelSet& set, int64_t apart, int64_t rows, int64_t columns,
               int64_t gap) {
    int64_t row = columns * apart + gap;
    AtTheEnd<T> x((rows - 1) * row + (columns - 1) * apart + 1);
    AtTheEnd<T> w(2 * rows * columns - 1), y(rows * columns);
    auto item = static_cast<int64_t>(sizeof(T));
    for (int64_t done = 0; done < worth_tailoring + rows * columns; done += rows * columns) {
        std::fill_n(y.data(), rows * columns, T(0));
        run(set, 0, {rows, columns}, {x.data(), w.data(), y.data()},
            {{row * item, apart * item}, {2 * columns * item, 2 * item}, {columns * item, item}});
    }
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            ASSERT_EQ(y.data()[i * columns + j],
                      2 * x.data()[i * row + j * apart] + w.data()[2 * (i * columns + j)])
                << apart << " apart, " << rows << " x " << columns << " at " << i << ", " << j;
}

// Large launches that come often have code for the distances of their operands' lanes. It reads
// nothing behind the last one.
TEST_F(Cpu, LanesApartHaveCodeOfTheirOwn) {
    for (const char* level : levels_of_this_machine()) {
        settings().cpu_level = level;
        for (DType dtype : {DType::Float32, DType::Float64, DType::Int32}) {
            Builder b("apart", 2, 0);
            int x = b.input("x", dtype), w = b.input("w", dtype), y = b.output("y", dtype);
            b.begin(SectionKind::Map);
            auto value = b.load(x);
            b.store(y, value + value + b.load(w));
            auto set = compile({b.finish()});
            visit_dtype(dtype, [&](auto tag) {
                using T = decltype(tag);
                if constexpr (std::is_arithmetic_v<T> && sizeof(T) >= 4)
                    for (int64_t apart : {1, 2, 3, 4, 5}) {
                        size_t before = files().size();
                        run_apart<T>(*set, apart, 431, 997, apart == 2 ? 3 : 0);
                        run_apart<T>(*set, apart, 431, 1024, 0);  // the last vector is whole
                        EXPECT_EQ(files().size() - before, apart < 5 ? 1u : 0u) << apart;
                    }
            });
        }
    }
}

/// y (float32) and z (float64) are what many inputs and a number add up to.
Kernel wide_sum(size_t inputs, double number) {
    Builder b("wide_sum", 2, 0);
    std::vector<int> operands;
    for (size_t n = 0; n < inputs; ++n) operands.push_back(b.input("x", DType::Float32));
    int y = b.output("y", DType::Float32), z = b.output("z", DType::Float64);
    b.begin(SectionKind::Map);
    auto sum = b.constant(DType::Float32, number);
    for (int operand : operands) sum = sum + b.load(operand);
    b.store(y, sum);
    b.store(z, b.cast(sum, DType::Float64));
    return b.finish();
}

template <class T>
T* whole_line(T* at) {
    return at + (-reinterpret_cast<intptr_t>(at) & 63) / static_cast<intptr_t>(sizeof(T));
}

// What does not fit into the caches is stored past them, a line at a time: from the first whole
// line of a single row on, or if all rows begin where lines do. What lies between rows stays as it
// was.
TEST_F(Cpu, LargeOutputsAreStoredPastTheCaches) {
    constexpr int64_t rows = 512, columns = 1024, count = rows * columns;
    auto inputs = static_cast<size_t>(last_cache_bytes() / (4 * count) + 1);
    std::vector<float> x(count, 1.0f);
    struct Case {
        int64_t begin, gap;  // elements behind a line; between rows
        bool streams;
    };
    double number = 0;
    for (const char* level : levels_of_this_machine())
        for (auto [begin, gap, streams] :
             {Case{0, 0, true}, {0, 16, true}, {3, 0, true}, {0, 1, false}, {3, 16, false}}) {
            settings().cpu_level = level;
            auto set = compile({wide_sum(inputs, ++number)});
            int64_t row = columns + gap;
            auto room = static_cast<size_t>(rows * row + 64);
            std::vector<float> narrow(room, -1);
            std::vector<double> wide(room, -1);
            float* y = whole_line(narrow.data()) + begin;
            double* z = whole_line(wide.data()) + begin;
            std::vector<void*> pointers(inputs, x.data());
            std::vector<std::vector<int64_t>> strides(inputs, {4 * columns, 4});
            pointers.insert(pointers.end(), {y, z});
            strides.insert(strides.end(), {{4 * row, 4}, {8 * row, 8}});
            size_t before = files().size();
            for (int64_t done = 0; done < worth_tailoring + count; done += count)
                run(*set, 0, {rows, columns}, pointers, strides);
            EXPECT_EQ(files().size() - before, streams ? 1u : 0u) << begin << ", " << gap;
            int64_t wrong = 0;
            for (int64_t i = 0; i < rows; ++i)
                for (int64_t j = 0; j < row; ++j) {
                    double expected = j < columns ? number + static_cast<double>(inputs) : -1;
                    wrong += y[i * row + j] != static_cast<float>(expected);
                    wrong += z[i * row + j] != expected;
                }
            EXPECT_EQ(wrong, 0) << level << ", " << begin << ", " << gap;
        }
}

// Rows that begin within lines: what lies before the first line of each is stored as usual, if all
// outputs reach a line at once and rows are long.
class RaggedRows : public Cpu {
  protected:
    template <class T>
    void expect(DType dtype, const char* level, double number, int64_t columns, int64_t begin,
                int64_t second, bool streams) {
        constexpr int64_t count = int64_t{1} << 19, gap = 3;
        const int64_t rows = count / columns, row = columns + gap;
        auto inputs =
            static_cast<size_t>(last_cache_bytes() / (rows * columns * int64_t{sizeof(T)}) + 1);
        Builder b("ragged", 2, 0);
        std::vector<int> operands;
        for (size_t n = 0; n < inputs; ++n) operands.push_back(b.input("x", dtype));
        int y = b.output("y", dtype), z = b.output("z", dtype);
        b.begin(SectionKind::Map);
        auto sum = b.constant(dtype, number);
        for (int operand : operands) sum = sum + b.load(operand);
        b.store(y, sum);
        b.store(z, sum + sum);
        auto set = compile({b.finish()});

        std::vector<T> x(static_cast<size_t>(rows * columns));
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i % 97);
        auto room = static_cast<size_t>(rows * row + 64);
        std::vector<T> first(room, -1), other(room, -1);
        T *to = whole_line(first.data()) + begin, *also = whole_line(other.data()) + second;
        std::vector<void*> pointers(inputs, x.data());
        pointers.insert(pointers.end(), {to, also});
        constexpr auto item = static_cast<int64_t>(sizeof(T));
        std::vector<std::vector<int64_t>> strides(inputs, {item * columns, item});
        strides.insert(strides.end(), {{item * row, item}, {item * row, item}});
        size_t before = files().size();
        for (int64_t done = 0; done < worth_tailoring + count; done += rows * columns)
            run(*set, 0, {rows, columns}, pointers, strides);
        EXPECT_EQ(files().size() - before, streams ? 1u : 0u) << level << " " << columns;
        int64_t wrong = 0;
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < row; ++j) {
                double of_x = static_cast<double>((i * columns + j) % 97);
                double sum = number + static_cast<double>(inputs) * of_x;
                double expected = j < columns ? sum : -1, twice = j < columns ? 2 * sum : -1;
                wrong += to[i * row + j] != static_cast<T>(expected);
                wrong += also[i * row + j] != static_cast<T>(twice);
            }
        EXPECT_EQ(wrong, 0) << level << ", " << columns << ", " << begin << ", " << second;
    }
};

TEST_F(RaggedRows, AreStoredPastTheCachesFromTheFirstLineOn) {
    double number = 0;
    for (const char* level : levels_of_this_machine()) {
        settings().cpu_level = level;
        auto both = [&](int64_t columns, int64_t begin, int64_t second, bool streams) {
            expect<float>(DType::Float32, level, ++number, columns, begin, second, streams);
            expect<double>(DType::Float64, level, ++number, columns, begin, second, streams);
        };
        both(1029, 0, 0, true);
        both(1029, 5, 5, true);
        both(1024, 1, 0, false);  // one reaches a line before the other
        both(515, 7, 7, true);
        both(100, 7, 7, false);  // too short
    }
}

TEST(Tailor, MakesCodeOnceItIsWorthItAndTakesWhatIsKnownAtOnce) {
    int looked = 0, made = 0;
    bool known = false;
    Tailor tailor(
        [&](const Fit&, bool only_known) {
            ++(only_known ? looked : made);
            KernelCode code;
            if (known || !only_known) code.function = [](int64_t*, int64_t) {};
            return code;
        },
        worth_tailoring / 64);
    Fit streaming{{1, 1}, true, false}, apart{{2, 1}, false, false}, other{{3, 1}, false, false};
    EXPECT_EQ(tailor.find(streaming, worth_tailoring / 2), nullptr);
    EXPECT_EQ(tailor.find(apart, worth_tailoring / 2), nullptr) << "another kind counts for itself";
    EXPECT_EQ(tailor.find(streaming, worth_tailoring / 4), nullptr);
    EXPECT_EQ(std::pair(looked, made), std::pair(2, 0)) << "the disk is looked at once";
    auto code = tailor.find(streaming, worth_tailoring / 4);
    ASSERT_NE(code, nullptr);
    EXPECT_EQ(tailor.find(streaming, 1), code);
    EXPECT_EQ(std::pair(looked, made), std::pair(2, 1));
    known = true;
    EXPECT_NE(tailor.find(other, 1), nullptr);
    EXPECT_EQ(std::pair(looked, made), std::pair(3, 1));
}

TEST(Tailor, WhatCannotBeMadeIsTriedOnce) {
    int tried = 0;
    Tailor tailor(
        [&](const Fit&, bool) -> KernelCode {
            ++tried;
            fail(ErrorKind::Compile, "no");
        },
        worth_tailoring / 64);
    for (int n = 0; n < 3; ++n)
        EXPECT_EQ(tailor.find({{2}, false, false}, worth_tailoring), nullptr);
    EXPECT_EQ(tried, 1);
}

// Rows that are read again, too, wherever they begin; what is folded is folded as before.
TEST_F(Cpu, LargeRowsAreStoredPastTheCaches) {
    constexpr int64_t rows = 512, columns = 1029;  // the rest of a row is no whole vector
    auto inputs = static_cast<size_t>(last_cache_bytes() / (4 * rows * columns) + 1);
    std::vector<float> x(rows * (columns + 11));
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 7919) % 1009) / 7;
    double number = 0;
    for (const char* level : levels_of_this_machine())
        for (int64_t row : {columns + 11, columns, columns + 4}) {
            settings().cpu_level = level;
            Builder b("shares", 2, 1);
            std::vector<int> operands;
            for (size_t n = 0; n < inputs; ++n) operands.push_back(b.input("x", DType::Float32));
            int y = b.output("y", DType::Float32);
            auto sum = [&] {
                auto made = b.load(operands[0]);
                for (size_t n = 1; n < inputs; ++n) made = made + b.load(operands[n]);
                return made;
            };
            b.begin(SectionKind::Reduce);
            auto total = b.accumulate(Combine::Sum, sum());
            b.begin(SectionKind::Map);
            b.store(y, sum() / total + b.constant(DType::Float32, ++number));
            auto set = compile({b.finish()});
            std::vector<float> memory(static_cast<size_t>(rows * row + 64)), first;
            std::vector<void*> pointers(inputs, x.data());
            pointers.push_back(whole_line(memory.data()));
            std::vector<std::vector<int64_t>> strides(inputs + 1, {4 * row, 4});
            size_t general = 0;
            for (int64_t done = 0; done < worth_tailoring + rows * columns;
                 done += rows * columns) {
                std::fill(memory.begin(), memory.end(), -1.0f);
                run(*set, 0, {rows, columns}, pointers, strides);
                if (!first.empty()) continue;
                first = memory;
                general = files().size();
            }
            EXPECT_EQ(files().size() - general, 1u) << level;
            EXPECT_EQ(memory, first) << level << ", " << row;
        }
}

/// Rows brought to mean 0 and a largest value of 1; where that was; and the sum over rows.
Kernel scaled_rows() {
    return kernel::parse(R"(kernel scaled_rows rank 2 outer 1 {
        in x: f32 in g: f32 broadcast 0
        out y: f32 out place: i64 broadcast 1 out columns: f32 broadcast 0
        reduce { %0 = f32 load x %1 = f32 fold sum %0 }
        outer { %2 = i64 extent axis 1 %3 = f32 cast %2 %4 = f32 div %1, %3 }
        reduce {
            %5 = f32 load x %6 = f32 sub %5, %4 %7 = f32 exp %6
            %8 = f32 fold max %7 %9 = i64 fold argmax %7
            across sum %6 into columns
        }
        outer { i64 store place %9 }
        map {
            %10 = f32 div %7, %8 %11 = f32 load g %12 = f32 mul %10, %11 f32 store y %12
        }
    })");
}

// Code that runs all sections row after row gives the bits that sections called one by one give.
TEST_F(Cpu, WholeRowsHaveTheSameBits) {
    for (const char* level : levels_of_this_machine()) {
        settings().cpu_level = level;
        settings().tailor_from = 1 << 18;
        auto general = compile({scaled_rows()});
        settings().tailor_from = 1;
        auto tailored = compile({scaled_rows()});
        size_t made = 0;
        for (int64_t columns : {2, 7, 16, 31, 32, 33, 64, 100, 257}) {
            int64_t rows = 37, count = rows * columns;
            std::vector<float> x(static_cast<size_t>(count)), g(static_cast<size_t>(columns));
            for (size_t i = 0; i < x.size(); ++i)
                x[i] = static_cast<float>((i * 7919) % 1009) / 700;
            for (size_t i = 0; i < g.size(); ++i) g[i] = static_cast<float>(i) / 3;
            auto results = [&](const runtime::KernelSet& set) {
                std::vector<float> y(x.size()), sums(g.size());
                std::vector<int64_t> places(static_cast<size_t>(rows));
                run(set, 0, {rows, columns},
                    {x.data(), g.data(), y.data(), places.data(), sums.data()},
                    {{4 * columns, 4}, {0, 4}, {4 * columns, 4}, {8, 0}, {0, 4}});
                return std::tuple(y, places, sums);
            };
            auto expected = results(*general);
            size_t before = files().size();
            EXPECT_EQ(results(*tailored), expected) << level << ", " << columns;
            made += files().size() - before;
        }
        EXPECT_EQ(made, 1u) << "one code serves all sizes";
    }
    settings().tailor_from = 1 << 18;
}

}  // namespace
}  // namespace croton::cpu
