// Blocks of a linear recurrence give what its steps give, whatever the numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "croton/base/recurrence.hpp"

namespace croton {
namespace {

template <class T>
std::vector<T> by_steps(const Recurrence<T>& r, T h) {
    std::vector<T> all;
    for (int64_t i = 0; i < r.steps; ++i) {
        h = (r.a ? r.a[i * r.a_step] : T(1)) * h;
        if (r.b) h += r.b[i * r.b_step];
        all.push_back(h);
    }
    return all;
}

// Both ways of one recurrence: to rounding where numbers are finite, the same infinities and NaN.
template <class T>
void agrees(const std::vector<T>& a, const std::vector<T>& b, T h, double tolerance) {
    auto steps = static_cast<int64_t>(std::max(a.size(), b.size()));
    std::vector<T> out(static_cast<size_t>(steps));
    Recurrence<T> r{a.empty() ? nullptr : a.data(),
                    a.size() > 1,
                    b.empty() ? nullptr : b.data(),
                    b.size() > 1,
                    out.data(),
                    steps};
    std::vector<T> wanted = by_steps(r, h);
    T end = run_recurrence(r, h);
    r.out = nullptr;
    T end_alone = run_recurrence(r, h);
    double scale = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
        if (!std::isfinite(wanted[i])) {
            ASSERT_EQ(std::isnan(wanted[i]), std::isnan(out[i])) << i;
            ASSERT_TRUE(std::isnan(wanted[i]) || wanted[i] == out[i]) << i;
            continue;
        }
        double added = b.empty() ? 0 : double(b[b.size() > 1 ? i : 0]);
        scale = std::max({b.empty() ? 0 : scale, std::abs(double(wanted[i])), std::abs(added)});
        ASSERT_NEAR(wanted[i], out[i], tolerance * scale) << i;
    }
    T last = wanted.empty() ? h : out.back();
    EXPECT_TRUE(end == last || std::isnan(last)) << end << " " << last;
    EXPECT_TRUE(end_alone == end || std::isnan(end)) << end_alone << " " << end;
}

template <class T>
void agrees_on_numbers(double tolerance) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-1, 1);
    auto numbers = [&](size_t count, double scale) {
        std::vector<T> made;
        for (size_t i = 0; i < count; ++i) made.push_back(static_cast<T>(scale * uniform(random)));
        return made;
    };
    for (size_t steps : {0, 1, 7, 8, 9, 64, 200}) {
        auto b = numbers(steps, 2);
        if (steps > 1) {
            agrees<T>(numbers(steps, 1), b, 3, tolerance);
            agrees<T>(numbers(steps, 1.3), b, 3, tolerance);  // factors above 1 among them
            agrees<T>(numbers(steps, 1), {T(0.5)}, 3, tolerance);
            agrees<T>({T(0.9)}, b, 3, tolerance);
            agrees<T>({T(-1.02)}, b, 3, tolerance);
            auto near_one = numbers(steps, 0.1);
            for (T& x : near_one) x += 1;
            agrees<T>(near_one, {}, 3, tolerance);
        }
        agrees<T>({}, b, 3, tolerance);
    }
}

TEST(Recurrence, BlocksAgreeWithSteps) {
    agrees_on_numbers<double>(1e-14);
    agrees_on_numbers<float>(1e-5);
}

// Factors whose products over a block leave the range of numbers, or that meet infinities: products
// of factors would give NaN or 0 where the steps do not.
template <class T>
void agrees_on_the_edge() {
    constexpr T inf = std::numeric_limits<T>::infinity(), most = std::numeric_limits<T>::max(),
                least = std::numeric_limits<T>::min(), nan = std::numeric_limits<T>::quiet_NaN();
    const T edges[] = {0,
                       T(-0.0),
                       1,
                       -1,
                       T(0.5),
                       2,
                       most,
                       -most,
                       most / 2,
                       least,
                       least / 4,
                       inf,
                       -inf,
                       nan,
                       std::sqrt(most),
                       1 / std::sqrt(most)};
    std::mt19937 random(5);
    auto some = [&](size_t from) {
        std::vector<T> made;
        size_t kinds = 2 + random() % 3;
        for (size_t i = 0; i < 40; ++i) {
            bool edge = random() % kinds == 0;
            made.push_back(edge ? edges[random() % std::size(edges)]
                                : T(0.25) * T(random() % from));
        }
        return made;
    };
    for (int round = 0; round < 3000; ++round) {
        SCOPED_TRACE(round);
        T h = edges[random() % std::size(edges)];
        double tolerance = sizeof(T) == 8 ? 1e-13 : 1e-4;
        if (round % 6 == 0)
            agrees<T>({}, some(9), h, tolerance);
        else if (round % 6 == 3)
            agrees<T>(some(9), {}, h, 64 * std::numeric_limits<T>::epsilon());
        else
            agrees<T>(some(5), round % 3 == 1 ? some(9) : std::vector<T>{T(-0.0)}, h, tolerance);
        if (testing::Test::HasFatalFailure()) return;
    }
}

TEST(Recurrence, InfinitiesAndNaNComeOutAsTheStepsHaveThem) {
    agrees_on_the_edge<double>();
    agrees_on_the_edge<float>();
}

// What float32 is accumulated in does not leave its blocks.
TEST(Recurrence, KeepsMoreDigitsThanItStores) {
    std::vector<float> small(100'003, 1e-4F), out(small.size());
    small[0] = 1e4F;
    auto steps = static_cast<int64_t>(small.size());
    double end =
        run_recurrence(Recurrence<float>{nullptr, 0, small.data(), 1, out.data(), steps}, 0.0);
    EXPECT_NEAR(end, 1e4 + 100'002 * double(1e-4F), 1e-6);
    EXPECT_EQ(out.back(), static_cast<float>(end));
}

}  // namespace
}  // namespace croton
