// Quotients made of products have the bits of the division: near the points where rounding turns,
// beside numbers that products do not serve, and whatever the shape of the launch.
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "croton/backend/cpu/cpu.hpp"
#include "croton/backend/cpu/quotients.hpp"
#include "croton/backend/cpu/tailor.hpp"
#include "croton/base/error.hpp"
#include "croton/base/format.hpp"
#include "croton/base/settings.hpp"

namespace croton::cpu {
namespace {

struct Pair {
    double a, b;
};

/// q = a / b, and roots enough to make the divider what the kernel waits for.
kernel::Kernel quotient_and_roots(const std::string& dtype = "f64", int roots = 4,
                                  const std::string& more = "") {
    std::string text = cat("kernel quotient rank 2 outer 0 { in a: ", dtype, " in b: ", dtype,
                           " out q: ", dtype, " out s: ", dtype, " map { %0 = ", dtype,
                           " load a %1 = ", dtype, " load b %2 = ", dtype, " div %0, %1 ", dtype,
                           " store q %2 %3 = ", dtype, " abs %2 ", more);
    int last = more.empty() ? 3 : 4;
    for (int n = 0; n < roots; ++n, ++last)
        text += cat("%", last + 1, " = ", dtype, " sqrt %", last, " ");
    return kernel::parse(text + cat(dtype, " store s %", last, " } }"));
}

bool same_bits(double x, double y) {
    return std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y) ||
           (std::isnan(x) && std::isnan(y));
}

constexpr int64_t group = 64;       // elements that are computed side by side
constexpr int64_t large = 1 << 18;  // elements of a launch that may have code of its own

class Quotients : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        try {
            settings().cpu_level = GetParam();
            set_ = prepare();
        } catch (const Error& error) {
            GTEST_SKIP() << error.what();
        }
    }
    void TearDown() override {
        settings().cache_dir = before_.cache_dir;
        settings().cpu_level = before_.cpu_level;
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    // Runs ordinary numbers until there is code for such launches, where the level has it.
    std::shared_ptr<const runtime::KernelSet> prepare() {
        find_level(GetParam());
        std::string pattern = (std::filesystem::temp_directory_path() / "croton-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) fail(ErrorKind::Io, "no folder for the test");
        settings().cache_dir = folder_ = pattern;
        set_ = make_cpu_backend()->compile(std::vector{quotient_and_roots()}, nullptr);
        size_t before = files();
        const int64_t enough = 64 * settings().tailor_from;
        for (int64_t done = 0; done <= enough; done += large) expect_bits({});
        EXPECT_EQ(files() - before, std::string_view(GetParam()) == "avx512" ? 1u : 0u);
        return set_;
    }

    size_t files() const {
        return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
    }

    /// One launch, its pairs filled up with ordinary ones.
    void expect_bits(std::vector<Pair> pairs, int64_t rows = 1, int64_t gap = 0) {
        auto columns = std::max(large, static_cast<int64_t>(pairs.size())) / rows;
        auto row = columns + gap, count = rows * row;
        std::vector<double> a(static_cast<size_t>(count), 3), b(a), q(a.size(), 99), s(q);
        for (size_t i = 0; i < a.size(); ++i) b[i] = 1.5 + static_cast<double>(i % 1009);
        for (size_t i = 0; i < pairs.size(); ++i) a[i] = pairs[i].a, b[i] = pairs[i].b;
        int64_t extents[] = {rows, columns}, strides[] = {8 * row, 8};
        void* pointers[] = {a.data(), b.data(), q.data(), s.data()};
        const int64_t* all[] = {strides, strides, strides, strides};
        set_->run(0, {extents, pointers, all, all}, 0, -1);
        int64_t wrong = 0;
        for (int64_t i = 0; i < count; ++i) {
            auto at = static_cast<size_t>(i);
            bool inside = i % row < columns;
            if (same_bits(q[at], inside ? a[at] / b[at] : 99) || ++wrong > 5) continue;
            ADD_FAILURE() << cat(a[at], " / ", b[at], " gave ", q[at], " at ", i);
        }
        EXPECT_EQ(wrong, 0);
    }

    /// In all places of a vector, and in vectors that are divided in any case as in others.
    void expect_bits_everywhere(std::vector<Pair> pairs) {
        expect_bits(pairs);
        pairs.insert(pairs.begin(), 11, Pair{1, 3});
        expect_bits(pairs);
    }

    /// Each the only one of its group, and no others near: whatever it meets, it meets products.
    void expect_bits_alone(const std::vector<Pair>& pairs) {
        constexpr size_t apart = 33 * group, most = large / apart;
        for (size_t begin = 0; begin < pairs.size(); begin += most) {
            std::vector<Pair> among(large, Pair{3, 7});
            for (size_t n = 0; n < std::min(most, pairs.size() - begin); ++n)
                among[n * apart + 8 + n % 56] = pairs[begin + n];
            expect_bits(among);
        }
    }

    Settings before_ = settings();
    std::string folder_;
    std::shared_ptr<const runtime::KernelSet> set_;
    std::mt19937_64 random_{1};

    uint64_t digits() { return random_() >> 11 | uint64_t{1} << 52; }
    double scaled(uint64_t digits) {
        double sign = random_() % 2 ? 1 : -1;
        return std::ldexp(sign * static_cast<double>(digits),
                          static_cast<int>(random_() % 500) - 302);
    }
};

INSTANTIATE_TEST_SUITE_P(Levels, Quotients, testing::Values("sse2", "avx2", "avx512"));

TEST_P(Quotients, OfManyDigits) {
    for (int launch = 0; launch < 5; ++launch) {
        std::vector<Pair> pairs(large);
        for (Pair& pair : pairs) pair = {scaled(digits()), scaled(digits())};
        expect_bits(pairs);
    }
}

__extension__ using Wide = unsigned __int128;

uint64_t inverse(uint64_t odd) {  // modulo 2^64, by Newton's steps
    uint64_t x = odd;
    for (int n = 0; n < 6; ++n) x *= 2 - odd * x;
    return x;
}

/// a with a 2^k = b q + rest for a divisor of 53 digits: as near to the middle between two numbers
/// of 53 digits as quotients by it come. 0: a or q has not 53 digits.
uint64_t hard_dividend(uint64_t b, uint64_t rest, int k) {
    constexpr uint64_t least = uint64_t{1} << 52;
    uint64_t q = (0 - rest) * inverse(b) & ((uint64_t{1} << k) - 1);
    if (k == 52) q += least;
    if (q < least) return 0;
    auto a = static_cast<uint64_t>((static_cast<Wide>(b) * q + rest) >> k);
    return a >= least && a < 2 * least ? a : 0;
}

TEST_P(Quotients, NearTheMiddleBetweenTwoNumbers) {
    std::vector<Pair> pairs;
    while (pairs.size() < large - 20) {
        uint64_t b = digits() | 1;
        for (uint64_t rest : {b / 2, b / 2 + 1})
            for (int k : {52, 53})
                if (uint64_t a = hard_dividend(b, rest, k)) pairs.push_back({scaled(a), scaled(b)});
    }
    expect_bits_everywhere(pairs);
}

// Up to all of them, and beyond the bound from which on such divisors are left to the division.
TEST_P(Quotients, ByNumbersWhoseDigitsAreNearlyAllOnes) {
    std::vector<Pair> pairs;
    auto add = [&](uint64_t below) {
        uint64_t b = (uint64_t{1} << 53) - below;
        for (uint64_t rest : {b / 2, b / 2 + 1})
            for (int k : {52, 53})
                if (uint64_t a = hard_dividend(b, rest, k)) pairs.push_back({scaled(a), scaled(b)});
        pairs.push_back({1, scaled(b)});
        for (uint64_t other = 1; other < 4; ++other)
            pairs.push_back({scaled((uint64_t{1} << 53) - other), scaled(b)});
    };
    for (uint64_t n = 0; n < 400; ++n) add(2 * n + 1), add((uint64_t{1} << 24) - 400 + 2 * n + 1);
    expect_bits_alone(pairs);
    expect_bits_everywhere(pairs);
}

std::vector<double> edges() {
    using Limits = std::numeric_limits<double>;
    std::vector<double> values{0,
                               1,
                               2,
                               3,
                               Limits::denorm_min(),
                               3 * Limits::denorm_min(),
                               Limits::min() / 2,
                               Limits::min(),
                               Limits::max(),
                               Limits::max() / 2,
                               Limits::infinity(),
                               Limits::quiet_NaN(),
                               0x1p-970,
                               0x1p970};
    for (double power : {1.0, 0x1p-256, 0x1p256, 0x1p-511, 0x1p512, 0x1p-969, Limits::min()})
        for (double to : {0.0, Limits::infinity()}) values.push_back(std::nextafter(power, to));
    for (size_t n = values.size(); n-- > 0;) values.push_back(-values[n]);
    return values;
}

TEST_P(Quotients, OfEdges) {
    std::vector<Pair> pairs;
    for (double a : edges())
        for (double b : edges()) pairs.push_back({a, b});
    expect_bits_everywhere(pairs);
    expect_bits_alone(pairs);
}

TEST_P(Quotients, InRowsOfAnyLength) {
    for (auto [rows, gap] : {std::pair<int64_t, int64_t>{3, 5}, {263, 0}, {263, 7}, {1023, 1}}) {
        std::vector<Pair> pairs(large / 2);
        for (Pair& pair : pairs) pair = {scaled(digits()), scaled(digits())};
        for (size_t i = 0; i < pairs.size(); i += 5000) pairs[i].a = -0.0;
        expect_bits(pairs, rows, gap);
    }
}

int by_products(const kernel::Kernel& kernel, const Level& level) {
    return quotients_by_products(kernel, make_plan(kernel), level);
}

// Where nothing waits for the divider, or it is as fast, everything stays as it was.
TEST(QuotientsByProducts, AreForKernelsThatWaitForTheDivider) {
    Level level{.name = "avx512", .vector_bytes = 64, .masks = true, .fuses = true};
    EXPECT_EQ(by_products(quotient_and_roots(), level), 7);
    EXPECT_EQ(by_products(quotient_and_roots("f64", 0), level), 0) << "memory is slower";
    EXPECT_EQ(by_products(quotient_and_roots("f32", 8), level), 0);
    auto with_logarithm = quotient_and_roots("f64", 3, "%4 = f64 log %3 ");
    EXPECT_LT(by_products(with_logarithm, level), 7);
    EXPECT_GT(by_products(with_logarithm, level), 0);
    level.masks = false;
    EXPECT_EQ(by_products(quotient_and_roots(), level), 0);
}

}  // namespace
}  // namespace croton::cpu
