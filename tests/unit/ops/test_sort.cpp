#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "croton/ops/sort.hpp"
#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Sort, AlongAnyAxisOfAnyStrides) {
    Variable x = variable("f64[?,?]");
    Feed feed{{x, Array::of<double>({3, 1, 2, 0, 5, 4}).reshape({2, 3})}};
    expect_array(value(sort(x), feed), {2, 3}, {1, 2, 3, 0, 4, 5});
    expect_array(value(sort(x, 0), feed), {2, 3}, {0, 1, 2, 3, 5, 4});
    expect_array(value(argsort(x), feed), {2, 3}, {1, 2, 0, 0, 2, 1});
    expect_array(value(sort(transpose(x)), feed), {3, 2}, {0, 3, 1, 5, 2, 4});
    expect_array(value(sort(x, 1), {{x, counting({2, 0})}}), {2, 0}, {});
    expect_error(ErrorKind::Index, "axis 2", [&] { sort(x, 2); });
}

TEST(Sort, NaNsComeLastAndTiesKeepTheirOrder) {
    Array got = value(sort(constant(Array::of<double>({nan, 1, -0.0, nan, -5}))));
    auto numbers = got.to_vector<double>();
    EXPECT_EQ(Numbers(numbers.begin(), numbers.begin() + 3), (Numbers{-5, 0, 1}));
    EXPECT_TRUE(std::isnan(numbers[3]) && std::isnan(numbers[4]));
    expect_array(value(argsort(constant(Array::of<double>({1, nan, 0, 1, nan, 0})))), {6},
                 {2, 5, 0, 3, 1, 4});
}

TEST(Sort, EveryDtype) {
    for (int d = 0; d < dtype_count; ++d) {
        auto dtype = static_cast<DType>(d);
        Array got = value(sort(constant(Array::of<double>({1, 0, 1, 0}).cast(dtype))));
        EXPECT_EQ(got.dtype(), dtype);
        expect_array(got, {4}, {0, 0, 1, 1});
    }
    using C = std::complex<double>;
    Array mixed = Array::of<C>({C(1, 2), C(nan, 0), C(1, -2), C(0, 9), C(0, nan)});
    expect_array(value(argsort(constant(mixed))), {5}, {3, 2, 0, 4, 1});
}

TEST(Sort, TopK) {
    Variable x = variable("f64[?,?]");
    Feed feed{{x, Array::of<double>({3, 1, 2, 0, 5, 4}).reshape({2, 3})}};
    auto [values, places] = topk(x, 2);
    expect_array(value(values, feed), {2, 2}, {3, 2, 5, 4});
    expect_array(value(places, feed), {2, 2}, {0, 2, 1, 2});
    expect_array(value(topk(x, 1, 0).first, feed), {1, 3}, {3, 5, 4});
}

}  // namespace
}  // namespace croton::test
