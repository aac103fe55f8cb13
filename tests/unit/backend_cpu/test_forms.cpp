// Code for rows and code for columns: which is made when.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "croton/backend/cpu/late_code.hpp"
#include "croton/backend/cpu/plan.hpp"
#include "croton/base/error.hpp"
#include "croton/base/settings.hpp"
#include "tests/unit/backend_cpu/support.hpp"

namespace croton::cpu {
namespace {

using kernel::Folding;
using kernel::Kernel;

/// Each element's share of its row's sum, the sums, and what a value of their own makes of them.
Kernel shares(Folding folding = Folding::Unknown) {
    Kernel kernel = kernel::parse(R"(kernel shares rank 2 outer 1 {
        in x: f32 out y: f32 out sum: f32 broadcast 1
        reduce { %0 = f32 load x %1 = f32 fold sum %0 }
        outer { f32 store sum %1 %2 = f32 constant 3 %3 = f32 mul %1, %2 }
        map { %4 = f32 div %0, %3 f32 store y %4 }
    })");
    kernel.folding = folding;
    return kernel;
}

class Forms : public Cpu {
  protected:
    std::shared_ptr<const runtime::KernelSet> compile(const Kernel& kernel) {
        return Cpu::compile({kernel});
    }

    /// Of the only file: whoever writes it again gives it another one.
    ino_t file_number() const {
        struct stat about{};
        EXPECT_EQ(::stat(files()[0].c_str(), &about), 0);
        return about.st_ino;
    }

    /// Whether shares of the rows, or of the columns, of some numbers come out right.
    static bool right(const runtime::KernelSet& set, bool by_column) {
        constexpr int64_t rows = 50, columns = 64;
        std::vector<float> x(rows * columns), y(x.size()), sums(64);
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(1 + i % 13);
        int64_t out = by_column ? 4 : 4 * columns, in = by_column ? 4 * columns : 4;
        int64_t outer = by_column ? columns : rows, inner = by_column ? rows : columns;
        std::vector<int64_t> extents = {outer, inner}, steps = {out, in}, one = {4, 0};
        std::vector<void*> pointers = {x.data(), y.data(), sums.data()};
        std::vector<const int64_t*> strides = {steps.data(), steps.data(), one.data()};
        set.run(0, {extents.data(), pointers.data(), strides.data(), strides.data()}, 0, -1);
        bool same = true;
        for (int64_t o = 0; o < outer; ++o) {
            auto at = [&](int64_t i) { return static_cast<size_t>((o * out + i * in) / 4); };
            float sum = 0;
            for (int64_t i = 0; i < inner; ++i) sum += x[at(i)];
            same = same && sums[static_cast<size_t>(o)] == sum;
            for (int64_t i = 0; i < inner; ++i) same = same && y[at(i)] == x[at(i)] / (3 * sum);
        }
        return same;
    }
};

TEST_F(Forms, AreMadeByTheFirstLaunchThatWantsThem) {
    auto set = compile(shares());
    EXPECT_EQ(stats_.compiled + stats_.from_cache, 0);
    EXPECT_EQ(stats_.late, 1);
    EXPECT_TRUE(files().empty());
    EXPECT_TRUE(right(*set, false));
    EXPECT_EQ(files().size(), 1u);
    EXPECT_TRUE(right(*set, true));
    EXPECT_EQ(files().size(), 2u);
    EXPECT_TRUE(right(*set, false) && right(*set, true));
    EXPECT_EQ(files().size(), 2u);
}

TEST_F(Forms, AreFoundOnDisk) {
    right(*compile(shares()), true);
    ASSERT_EQ(files().size(), 1u);
    auto written = file_number();
    EXPECT_TRUE(right(*compile(shares()), true));
    EXPECT_EQ(files().size(), 1u);
    EXPECT_EQ(file_number(), written);
    compile(shares(Folding::Columns));
    EXPECT_EQ(stats_.compiled, 0) << "a guess looks there, too";
    compile(shares(Folding::Rows));
    EXPECT_EQ(stats_.compiled, 1);
}

TEST_F(Forms, DamagedOnesAreMadeAnew) {
    right(*compile(shares()), false);
    ASSERT_EQ(files().size(), 1u);
    auto size = std::filesystem::file_size(files()[0]);
    std::filesystem::resize_file(files()[0], size / 2);
    EXPECT_TRUE(right(*compile(shares()), false));
    EXPECT_EQ(std::filesystem::file_size(files()[0]), size);
}

TEST_F(Forms, AreMadeAtOnceWhereTheyCanBeTold) {
    for (bool columns : {false, true}) {
        auto set = compile(shares(columns ? Folding::Columns : Folding::Rows));
        EXPECT_EQ(stats_.compiled, 1);
        size_t before = files().size();
        EXPECT_TRUE(right(*set, columns));
        EXPECT_EQ(files().size(), before) << "what was made is what was wanted";
        EXPECT_TRUE(right(*set, !columns)) << "a wrong guess";
        for (const auto& file : files()) std::filesystem::remove(file);
    }
}

TEST_F(Forms, ManyThreadsMayWantThemAtOnce) {
    for (bool cached : {true, false}) {
        if (!cached) settings().cache_dir = "off";
        auto set = compile(shares());
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] { wrong += !right(*set, t % 2 == 1); });
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(wrong, 0);
    }
}

/// Long enough for two threads.
Kernel long_shares() {
    Kernel kernel = kernel::parse(R"(kernel long_shares rank 2 outer 1 {
        in x: f32 out y: f32 out sum: f32 broadcast 1
        reduce { %0 = f32 load x %1 = f32 mul %0, %0 %2 = f32 sqrt %1 %3 = f32 fold sum %2 }
        outer { f32 store sum %3 }
        reduce { %4 = f32 load x %5 = f32 exp %4 %6 = f32 log %5 %7 = f32 fold max %6 }
        outer { %8 = f32 sub %7, %7 %9 = f32 constant 3 %10 = f32 mul %3, %9 %11 = f32 add %8, %10 }
        map { %12 = f32 load x %13 = f32 div %12, %11 f32 store y %13 }
    })");
    kernel.folding = Folding::Rows;
    return kernel;
}

TEST_F(Forms, PartsAreFoundWhateverNumberOfThreadsMadeThem) {
    for (int makers : {1, 2, 8}) {
        settings().threads = makers;
        EXPECT_TRUE(right(*compile(long_shares()), false));
        EXPECT_EQ(stats_.compiled, 1);
        EXPECT_EQ(files().size(), 2u) << "one for each part";
        for (int others : {1, 2}) {
            settings().threads = others;
            EXPECT_TRUE(right(*compile(long_shares()), false));
            EXPECT_EQ(stats_.compiled, 0);
        }
        for (const auto& file : files()) std::filesystem::remove(file);
    }
    settings().threads = before_.threads;
}

TEST_F(Forms, APartThatIsDamagedIsMadeAnew) {
    settings().threads = 2;
    compile(long_shares());
    ASSERT_EQ(files().size(), 2u);
    std::filesystem::resize_file(files()[0], 100);
    EXPECT_TRUE(right(*compile(long_shares()), false));
    EXPECT_EQ(stats_.compiled, 1);
    EXPECT_EQ(files().size(), 2u);
    settings().threads = before_.threads;
}

TEST(Form, LongOnesHavePartsOfWholeSections) {
    for (Form form : {Form::Rows, Form::Columns}) {
        Kernel kernel = long_shares();
        auto parts = parts_of_form(kernel, make_plan(kernel), form);
        ASSERT_EQ(parts.size(), 2u);
        EXPECT_EQ(parts[0].first_section, 0u);
        EXPECT_EQ(parts[1].first_section, parts[0].last_section + 1);
        EXPECT_EQ(parts[1].last_section, kernel.sections.size() - 1);
        EXPECT_EQ(parts_of_form(shares(), make_plan(shares()), form).size(), 1u);
    }
}

// Reductions over everything, loops and kernels of elements run in one way only.
TEST(Form, KernelsOfOneWayHaveOne) {
    auto two = [](const char* text) { return has_two_forms(make_plan(kernel::parse(text))); };
    EXPECT_TRUE(has_two_forms(make_plan(shares())));
    EXPECT_FALSE(two(R"(kernel sum rank 1 outer 0 {
        in x: f32 out y: f32 broadcast 0
        reduce { %0 = f32 load x %1 = f32 fold sum %0 } outer { f32 store y %1 } })"));
    EXPECT_FALSE(two(R"(kernel map rank 1 outer 0 {
        in x: f32 out y: f32 map { %0 = f32 load x f32 store y %0 } })"));
}

TEST(LateCode, IsMadeOnceAndTriedAgainWhereThatFails) {
    int tried = 0;
    LateCode code([&] {
        if (++tried == 1) fail(ErrorKind::Compile, "no");
        return SectionCodes{{[](int64_t*, int64_t) {}, 7, nullptr}};
    });
    EXPECT_THROW(code.get(), Error);
    EXPECT_EQ(code.get()[0].first, 7);
    EXPECT_EQ(code.get()[0].first, 7);
    EXPECT_EQ(tried, 2);
}

}  // namespace
}  // namespace croton::cpu
