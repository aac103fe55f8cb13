#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
const std::vector<std::vector<double>> pairs = {
    {0, 0},     {0, -0.0},   {-0.0, -0.0}, {1, 0},    {-1, 0},  {1, -0.0}, {inf, 1},
    {inf, inf}, {inf, -inf}, {nan, 1},     {1, nan},  {5, 3},   {-5, 3},   {5, -3},
    {-5, -3},   {6, 3},      {-6, 3},      {6, -3},   {5, inf}, {-5, inf}, {0.5, 0.25},
    {1, 0.1},   {-inf, 2},   {0, 5},       {-0.0, 5}, {30, 30},
};
const std::vector<double> singles = {0,    -0.0, 1,   -1,   0.5, -0.5, 1.5, 2.5,   -1.5,
                                     -2.5, 0.49, 3e4, -3e4, inf, -inf, nan, 1e-30, 7.75};
const std::vector<DType> numbers = {DType::Float64,  DType::Float32,   DType::Float16,
                                    DType::BFloat16, DType::Int64,     DType::Int8,
                                    DType::UInt8,    DType::Complex64, DType::Complex128};
const std::vector<DType> real_numbers = {DType::Float64,  DType::Float32, DType::Float16,
                                         DType::BFloat16, DType::Int64,   DType::Int8};
const std::vector<DType> continuous = {DType::Float64, DType::Float32, DType::Float16,
                                       DType::Complex64, DType::Complex128};

// NumPy's definitions, from C's remainder.
double python_mod(double x, double y) {
    double rest = std::fmod(x, y);
    if (y == 0) return rest;
    if (rest == 0) return std::copysign(0.0, y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
}
double python_floor_div(double x, double y) {
    if (y == 0) return x / y;
    double rest = std::fmod(x, y), quotient = (x - rest) / y;
    if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
    if (quotient == 0) return std::copysign(0.0, x / y);
    double below = std::floor(quotient);
    return quotient - below > 0.5 ? below + 1 : below;
}
double larger(double x, double y) { return std::isnan(x) || x > y ? x : y; }
double smaller(double x, double y) { return std::isnan(x) || x < y ? x : y; }
bool both_zero(double x, double y) { return x == 0 && y == 0; }
}  // namespace

Rows arithmetic_rows() {
    return {
        row("add", add)
            .against([](auto x, auto y) { return x + y; })
            .against_complex([](Complex x, Complex y) { return x + y; })
            .dtypes(numbers)
            .edge_pairs(pairs),
        row("sub", sub)
            .against([](double x, double y) { return x - y; })
            .against_complex([](Complex x, Complex y) { return x - y; })
            .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::BFloat16, DType::Int64,
                     DType::Int8, DType::Complex64, DType::Complex128})
            .edge_pairs(pairs),
        row("mul", mul)
            .against([](double x, double y) { return x * y; })
            .against_complex([](Complex x, Complex y) { return x * y; })
            .dtypes(numbers)
            .within(4)
            .edge_pairs(pairs),
        row("div", div)
            .against([](double x, double y) { return x / y; })
            .against_complex([](Complex x, Complex y) { return x / y; })
            .dtypes(continuous)
            .within(6)
            .on(1, between(0.2, 3))
            .edge_pairs(pairs),
        row("div", div)
            .against([](double x, double y) { return x / y; })
            .dtypes({DType::Int64, DType::UInt8})
            .on(whole(1, 9))
            .no_gradient(),
        row("floor_div", floor_div)
            .against(python_floor_div)
            .dtypes({DType::Float64, DType::Float32})
            .on(1, between(0.3, 2))
            .edge_pairs(pairs)
            .no_gradient(),
        row("floor_div", floor_div)
            .against([](double x, double y) { return y == 0 ? 0 : std::floor(x / y); })
            .dtypes({DType::Int8, DType::Int32, DType::Int64})
            .on(whole(-9, 9))
            .no_gradient(),
        row("mod", mod)
            .against(python_mod)
            .dtypes({DType::Float64, DType::Float32})
            .on(0, between(0.1, 0.9))
            .on(1, between(1, 2))
            .edge_pairs(pairs),
        row("mod", mod)
            .against([](double x, double y) { return y == 0 ? 0 : x - y * std::floor(x / y); })
            .dtypes({DType::Int8, DType::Int32, DType::Int64})
            .on(whole(-9, 9))
            .no_gradient(),
        row("fmod", fmod)
            .against([](double x, double y) { return std::fmod(x, y); })
            .dtypes({DType::Float64, DType::Float32})
            .on(0, between(-0.9, -0.1))
            .on(1, between(1, 2))
            .edge_pairs(pairs),
        row("pow", pow)
            .against([](double x, double y) { return std::pow(x, y); })
            .within(2)
            .on(between(0.2, 3))
            .edge_pairs({{0, 0},
                         {0, 2},
                         {0, -1},
                         {-2, 2},
                         {-2, 3},
                         {-2, 0.5},
                         {inf, 0},
                         {nan, 0},
                         {1, nan},
                         {4, 0.5},
                         {-0.0, 3},
                         {2, -2},
                         {0, 0.5}}),
        row("pow", pow)
            .against([](double x, double y) { return std::pow(x, y); })
            .dtypes({DType::Int64, DType::Int32, DType::UInt8})
            .on(0, whole(-3, 3))
            .on(1, whole(0, 4))
            .no_gradient(),
        row("pow", pow)
            .against([](double x, double y) { return std::pow(x, y); })
            .against_complex([](Complex x, Complex y) { return std::exp(y * std::log(x)); })
            .dtypes({DType::Complex128})
            .on(between(0.3, 2))
            .within(64),
        row("neg", neg)
            .against([](double x) { return -x; })
            .against_complex([](Complex x) { return -x; })
            .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::BFloat16, DType::Int64,
                     DType::Complex64})
            .edges(singles),
        row("abs", abs)
            .against([](double x) { return std::abs(x); })
            .against_complex([](Complex x) { return std::abs(x); })
            .dtypes(numbers)
            .within(2)
            .edges(singles),
        row("sign", sign)
            .against([](double x) {
                return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;
            })
            .dtypes(real_numbers)
            .edges({1, -1, 0, 30, -30, inf, -inf, nan})
            .no_gradient(),
        row("reciprocal", reciprocal)
            .against([](double x) { return 1 / x; })
            .against_complex([](Complex x) { return 1.0 / x; })
            .dtypes(continuous)
            .on(between(0.2, 3))
            .within(4)
            .edges(singles),
        row("sqr", sqr)
            .against([](double x) { return x * x; })
            .against_complex([](Complex x) { return x * x; })
            .dtypes(numbers)
            .within(8)
            .edges(singles),
        row("sqrt", sqrt)
            .against([](double x) { return std::sqrt(x); })
            .against_complex([](Complex x) { return std::sqrt(x); })
            .dtypes(continuous)
            .on(between(0.1, 9))
            .within(2)
            .edges(singles),
        row("cbrt", cbrt)
            .against([](double x) { return std::cbrt(x); })
            .on(between(0.1, 9))
            .edges(singles),
        row("maximum", maximum).against(larger).dtypes(real_numbers).edge_pairs(pairs),
        row("minimum", minimum).against(smaller).dtypes(real_numbers).edge_pairs(pairs),
        row("fmax", fmax)
            .against([](double x, double y) {
                return both_zero(x, y) ? y : std::isnan(x) ? y : std::isnan(y) ? x : larger(x, y);
            })
            .dtypes(real_numbers)
            .edge_pairs(pairs),
        row("fmin", fmin)
            .against([](double x, double y) {
                return both_zero(x, y) ? y : std::isnan(x) ? y : std::isnan(y) ? x : smaller(x, y);
            })
            .dtypes(real_numbers)
            .edge_pairs(pairs),
        row("floor", floor)
            .against([](double x) { return std::floor(x); })
            .dtypes(real_numbers)
            .edges(singles)
            .no_gradient(),
        row("ceil", ceil)
            .against([](double x) { return std::ceil(x); })
            .dtypes(real_numbers)
            .edges(singles)
            .no_gradient(),
        row("trunc", trunc)
            .against([](double x) { return std::trunc(x); })
            .dtypes(real_numbers)
            .edges(singles)
            .no_gradient(),
        row("rint", rint)
            .against([](double x) { return std::nearbyint(x); })
            .dtypes(real_numbers)
            .edges(singles)
            .no_gradient(),
        row("round_half_away", round_half_away)
            .against([](double x) { return std::round(x); })
            .dtypes(real_numbers)
            .edges(singles)
            .no_gradient(),
        row("hypot", hypot)
            .against([](double x, double y) { return std::hypot(x, y); })
            .edge_pairs(pairs),
        row("copysign", copysign)
            .against([](double x, double y) { return std::copysign(x, y); })
            .edge_pairs(pairs)
            .no_gradient_of(1),
        row("heaviside", heaviside)
            .against([](double x, double middle) {
                return x < 0 ? 0 : x == 0 ? middle : std::isnan(x) ? x : 1;
            })
            .edge_pairs({{0, 0.5}, {-0.0, 0.25}, {1, 3}, {-1, 3}, {nan, 1}, {0, nan}})
            .no_gradient(),
        // Of float32 as well, whose neighbours are not those of float64.
        row("nextafter", 2, [](const Variables& v) { return nextafter(v[0], v[1]); })
            .reference([](const std::vector<Array>& in) {
                bool narrow = in[0].dtype() == DType::Float32;
                return tabulate(in[0].shape(), [&](const Sizes& i) {
                    double x = in[0].at<double>(i), y = in[1].at<double>(i);
                    return narrow ? std::nextafterf(static_cast<float>(x), static_cast<float>(y))
                                  : std::nextafter(x, y);
                });
            })
            .dtypes({DType::Float64, DType::Float32})
            .shapes({{{4, 3}, {4, 3}}, {{0}, {0}}})
            .within(0)
            .no_gradient_of(1),
        row("ldexp", 2, [](const Variables& v) { return ldexp(v[0], v[1]); })
            .reference([](const std::vector<Array>& in) {
                bool narrow = in[0].dtype() == DType::Float32;
                return tabulate({6, 7}, [&](const Sizes& i) {
                    double x = in[0].at<double>(i);
                    int n = in[1].at<int>({i[1]});
                    return narrow ? std::ldexp(static_cast<float>(x), n) : std::ldexp(x, n);
                });
            })
            .dtypes({DType::Float64, DType::Float32})
            .fix(1, DType::Int64)
            .on(1, whole(-2, 2))
            .shapes({{{6, 7}, {7}}})
            .within(0),
        row("frexp_exponent", 1, [](const Variables& v) { return frexp_exponent(v[0]); })
            .reference([](const std::vector<Array>& in) {
                return tabulate(in[0].shape(), [&](const Sizes& i) {
                    int e = 0;
                    std::frexp(in[0].at<double>(i), &e);
                    return e;
                });
            })
            .dtypes({DType::Float64, DType::Float32})
            .shapes({{{5, 3}}, {{}}})
            .no_gradient(),
        row("spacing", 1, [](const Variables& v) { return spacing(v[0]); })
            .reference([](const std::vector<Array>& in) {
                bool narrow = in[0].dtype() == DType::Float32;
                return tabulate(in[0].shape(), [&](const Sizes& i) {
                    double x = in[0].at<double>(i), size = std::abs(x);
                    auto next = narrow ? std::nextafterf(static_cast<float>(size), 1e30f)
                                       : std::nextafter(size, 1e300);
                    return std::copysign(next - size, x);
                });
            })
            .dtypes({DType::Float64, DType::Float32})
            .shapes({{{5, 3}}, {{}}})
            .within(0)
            .no_gradient(),
        row("fill", fill)
            .against([](double, double value) { return value; })
            .dtypes(real_numbers)
            .edge_pairs({{nan, 1}, {inf, -0.0}, {1, nan}})
            .no_gradient_of(0),
    };
}

}  // namespace croton::test
