#include <cmath>
#include <numbers>

#include "croton/ops/special.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
const std::vector<double> wide = {0,   -0.0, 1,   -1,  0.5,  1e-30, -1e-5, 20,
                                  -20, 90,   -90, 710, -710, inf,   -inf,  nan};
// With the dtypes that complex functions have.
const std::vector<DType> with_complex = {DType::Float64, DType::Float32, DType::Float16,
                                         DType::Complex64, DType::Complex128};
double sigmoid_of(double x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
}  // namespace

Rows special_rows() {
    auto one = [](std::string name, Variable (*f)(Arg), double (*reference)(double),
                  std::source_location where = std::source_location::current()) {
        return row(std::move(name), f, where).against(reference).edges(wide);
    };
    auto two = [&](std::string name, Variable (*f)(Arg), double (*reference)(double),
                   Complex (*complex_reference)(const Complex&),
                   std::source_location where = std::source_location::current()) {
        return one(std::move(name), f, reference, where)
            .against_complex(complex_reference)
            .dtypes(with_complex)
            .within(3);
    };
    return {
        two("exp", exp, std::exp, std::exp),
        one("exp2", exp2, std::exp2),
        one("expm1", expm1, std::expm1),
        two("log", log, std::log, std::log).on(between(0.1, 5)),
        one("log2", log2, std::log2).on(between(0.1, 5)),
        one("log10", log10, std::log10).on(between(0.1, 5)),
        one("log1p", log1p, std::log1p).on(between(-0.9, 4)),
        two("sin", sin, std::sin, std::sin),
        two("cos", cos, std::cos, std::cos),
        two("tan", tan, std::tan, std::tan).on(between(-1.4, 1.4)),
        one("arcsin", arcsin, std::asin).on(between(-0.95, 0.95)),
        one("arccos", arccos, std::acos).on(between(-0.95, 0.95)),
        one("arctan", arctan, std::atan),
        two("sinh", sinh, std::sinh, std::sinh),
        two("cosh", cosh, std::cosh, std::cosh),
        two("tanh", tanh, std::tanh, std::tanh),
        one("arcsinh", arcsinh, std::asinh),
        one("arccosh", arccosh, std::acosh).on(between(1.1, 5)),
        one("arctanh", arctanh, std::atanh).on(between(-0.95, 0.95)),
        one("sigmoid", sigmoid, sigmoid_of),
        one("softplus", softplus,
            [](double x) {
                return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
            }),
        one("erf", erf, std::erf),
        one("erfc", erfc, std::erfc),
        row("arctan2", arctan2)
            .against([](double y, double x) { return std::atan2(y, x); })
            .edge_pairs({{0, 0},
                         {-0.0, 0},
                         {0, -0.0},
                         {-0.0, -0.0},
                         {1, 0},
                         {-1, -0.0},
                         {inf, inf},
                         {inf, -inf},
                         {1, -inf},
                         {nan, 1},
                         {1e-30, -1e-30}}),
        one("deg2rad", deg2rad, [](double x) { return x * (std::numbers::pi / 180); })
            .on(between(-400, 400)),
        one("rad2deg", rad2deg, [](double x) { return x * (180 / std::numbers::pi); }),
        row("logaddexp", logaddexp)
            .against([](double x, double y) {
                if (x == y) return x + std::numbers::ln2;
                return std::fmax(x, y) + std::log1p(std::exp(-std::abs(x - y))) +
                       (std::isnan(x + y) && !std::isinf(x) && !std::isinf(y) ? nan : 0);
            })
            .edge_pairs({{0, 0},
                         {700, 700},
                         {-800, 5},
                         {inf, 0},
                         {-inf, 3},
                         {-inf, -inf},
                         {inf, inf},
                         {nan, 1}})
            .within(4)
            .at_scale(1),
        row("sinc", sinc)
            .against([](double x) {
                double angle = x * std::numbers::pi;
                return x == 0 ? 1 : std::sin(angle) / angle;
            })
            .edges({0, -0.0, 1e-30, 0.5, 2.5, 1e-9, nan})
            .within(2)
            .at_scale(1),
    };
}

}  // namespace croton::test
