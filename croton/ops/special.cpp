#include "croton/ops/special.hpp"

#include <numbers>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using kernel::OpCode;

constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

const OpRecord exp_record{
    .name = "exp",
    .doc = "exp(x).",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::exp_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * p.output()}; },
    .facts = facts::increasing | Facts{.low = 0},
    .onnx = "Exp",
};

const OpRecord exp2_record{
    .name = "exp2",
    .doc = "2 to the power of x.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::exp2_>(),
    .pullback =
        [](const Pullback& p) { return Cotangents{p.seed() * (p.output() * std::numbers::ln2)}; },
    .facts = facts::increasing | Facts{.low = 0},
};

const OpRecord expm1_record{
    .name = "expm1",
    .doc = "exp(x) - 1, accurate near 0.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::expm1_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * (p.output() + 1)}; },
    .facts = facts::increasing | Facts{.low = -1},
};

const OpRecord log_record{
    .name = "log",
    .doc = "Natural logarithm; -inf at 0, NaN for negative numbers.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::log_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() / p.input()}; },
    .facts = facts::increasing,
    .onnx = "Log",
};

const OpRecord log2_record{
    .name = "log2",
    .doc = "Logarithm to base 2.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::log2_>(),
    .pullback =
        [](const Pullback& p) { return Cotangents{p.seed() / (p.input() * std::numbers::ln2)}; },
    .facts = facts::increasing,
};

const OpRecord log10_record{
    .name = "log10",
    .doc = "Logarithm to base 10.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::log10_>(),
    .pullback =
        [](const Pullback& p) { return Cotangents{p.seed() / (p.input() * std::numbers::ln10)}; },
    .facts = facts::increasing,
};

const OpRecord log1p_record{
    .name = "log1p",
    .doc = "log(1 + x), accurate near 0.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::log1p_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() / (p.input() + 1)}; },
    .facts = facts::increasing,
};

const OpRecord sin_record{
    .name = "sin",
    .doc = "Sine of an angle in radians.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::sin_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * cos(p.input())}; },
    .facts = facts::odd | facts::in_range(-1, 1),
    .onnx = "Sin",
};

const OpRecord cos_record{
    .name = "cos",
    .doc = "Cosine of an angle in radians.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::cos_>(),
    .pullback = [](const Pullback& p) { return Cotangents{-(p.seed() * sin(p.input()))}; },
    .facts = facts::even | facts::in_range(-1, 1),
    .onnx = "Cos",
};

const OpRecord tan_record{
    .name = "tan",
    .doc = "Tangent of an angle in radians.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::tan_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * (1 + sqr(p.output()))}; },
    .facts = facts::odd,
    .onnx = "Tan",
};

const OpRecord arcsin_record{
    .name = "arcsin",
    .doc = "Inverse sine, in [-pi/2, pi/2]; NaN outside of [-1, 1].",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::asin_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{p.seed() / sqrt((1 - p.input()) * (1 + p.input()))};
        },
    .facts = facts::odd | facts::increasing |
             facts::in_range(-std::numbers::pi / 2, std::numbers::pi / 2),
    .onnx = "Asin",
};

const OpRecord arccos_record{
    .name = "arccos",
    .doc = "Inverse cosine, in [0, pi]; NaN outside of [-1, 1].",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::acos_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{-(p.seed() / sqrt((1 - p.input()) * (1 + p.input())))};
        },
    .facts = facts::decreasing | facts::in_range(0, std::numbers::pi),
    .onnx = "Acos",
};

const OpRecord arctan_record{
    .name = "arctan",
    .doc = "Inverse tangent, in [-pi/2, pi/2].",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::atan_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() / (1 + sqr(p.input()))}; },
    .facts = facts::odd | facts::increasing |
             facts::in_range(-std::numbers::pi / 2, std::numbers::pi / 2),
    .onnx = "Atan",
};

const OpRecord sinh_record{
    .name = "sinh",
    .doc = "Hyperbolic sine.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::sinh_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * cosh(p.input())}; },
    .facts = facts::odd | facts::increasing,
    .onnx = "Sinh",
};

const OpRecord cosh_record{
    .name = "cosh",
    .doc = "Hyperbolic cosine.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::cosh_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * sinh(p.input())}; },
    .facts = facts::even | Facts{.low = 1},
    .onnx = "Cosh",
};

const OpRecord tanh_record{
    .name = "tanh",
    .doc = "Hyperbolic tangent.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::tanh_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * (1 - sqr(p.output()))}; },
    .facts = facts::odd | facts::increasing | facts::in_range(-1, 1),
    .onnx = "Tanh",
};

const OpRecord arcsinh_record{
    .name = "arcsinh",
    .doc = "Inverse hyperbolic sine.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::asinh_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() / hypot(p.input(), 1)}; },
    .facts = facts::odd | facts::increasing,
    .onnx = "Asinh",
};

const OpRecord arccosh_record{
    .name = "arccosh",
    .doc = "Inverse hyperbolic cosine; NaN below 1.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::acosh_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{p.seed() / (sqrt(p.input() - 1) * sqrt(p.input() + 1))};
        },
    .facts = facts::increasing | Facts{.low = 0},
    .onnx = "Acosh",
};

const OpRecord arctanh_record{
    .name = "arctanh",
    .doc = "Inverse hyperbolic tangent; NaN outside of [-1, 1].",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::atanh_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{p.seed() / ((1 - p.input()) * (1 + p.input()))};
        },
    .facts = facts::odd | facts::increasing,
    .onnx = "Atanh",
};

const OpRecord sigmoid_record{
    .name = "sigmoid",
    .doc = "1 / (1 + exp(-x)), without overflow.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::sigmoid_>(),
    .pullback =
        [](const Pullback& p) { return Cotangents{p.seed() * (p.output() * sigmoid(-p.input()))}; },
    .facts = facts::increasing | facts::in_range(0, 1),
    .onnx = "Sigmoid",
};

const OpRecord softplus_record{
    .name = "softplus",
    .doc = "log(1 + exp(x)), without overflow.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::softplus_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * sigmoid(p.input())}; },
    .facts = facts::increasing | Facts{.low = 0},
    .onnx = "Softplus",
};

const OpRecord erf_record{
    .name = "erf",
    .doc = "Error function: 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::erf_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{p.seed() * (two_over_root_pi * exp(-sqr(p.input())))};
        },
    .facts = facts::odd | facts::increasing | facts::in_range(-1, 1),
    .onnx = "Erf",
};

const OpRecord erfc_record{
    .name = "erfc",
    .doc = "1 - erf(x), accurate for large x.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::erfc_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{-(p.seed() * (two_over_root_pi * exp(-sqr(p.input()))))};
        },
    .facts = facts::decreasing | facts::in_range(0, 2),
};

const OpRecord arctan2_record{
    .name = "arctan2",
    .doc =
        "Angle of the point (x, y) from the positive x axis, in [-pi, pi]. The first argument is "
        "y.",
    .arguments = {{"y", Accepts::Real}, {"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::atan2_>(),
    .pullback =
        [](const Pullback& p) {
            const Variable &y = p.input(0), &x = p.input(1);
            Variable scale = p.seed() / (x * x + y * y);
            return Cotangents{scale * x, -(scale * y)};
        },
    .facts = facts::in_range(-std::numbers::pi, std::numbers::pi),
};

const OpRecord deg2rad_record{
    .name = "deg2rad",
    .doc = "Degrees to radians: x * pi / 180.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar([](auto&, auto x) { return x * (std::numbers::pi / 180); }),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * (std::numbers::pi / 180)}; },
    .facts = facts::odd | facts::increasing,
};

const OpRecord rad2deg_record{
    .name = "rad2deg",
    .doc = "Radians to degrees: x * 180 / pi.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar([](auto&, auto x) { return x * (180 / std::numbers::pi); }),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * (180 / std::numbers::pi)}; },
    .facts = facts::odd | facts::increasing,
};

const OpRecord logaddexp_record{
    .name = "logaddexp",
    .doc = "log(exp(x) + exp(y)), without overflow.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar([](auto& b, auto x, auto y) {
        // Equal ones apart: the difference of infinities is no number.
        auto sum = b.maximum(x, y) + b.softplus(-b.abs(x - y));
        return b.select(b.eq(x, y), x + std::numbers::ln2, sum);
    }),
    .pullback =
        [](const Pullback& p) {
            Variable difference = p.input(0) - p.input(1);
            return Cotangents{p.seed() * sigmoid(difference), p.seed() * sigmoid(-difference)};
        },
    .facts = facts::commutative | facts::associative,
};

// Near 0 the two terms of (cos(t) - sinc) / x cancel: there the series pi t (-1/3 + t^2/30 - ...)
// in t = pi x, which at |t| < 1/2 is cut off below 1e-11 of its value.
Variable sinc_derivative(const Variable& x) {
    Variable t = std::numbers::pi * x, square = sqr(t);
    Variable series = square * (1.0 / 45360 - square * (1.0 / 3991680 - square / 518918400.0));
    series = -1.0 / 3 + square * (1.0 / 30 + square * (-1.0 / 840) + square * series);
    Variable near = abs(t) < 0.5, away = where(near, 1, x);
    return where(near, std::numbers::pi * t * series,
                 (cos(std::numbers::pi * away) - sinc(away)) / away);
}

const OpRecord sinc_record{
    .name = "sinc",
    .doc = "sin(pi x) / (pi x), and 1 at 0.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar([](auto& b, auto x) {
        auto angle = x * std::numbers::pi;
        return b.select(b.eq(x, b.like(x, 0)), b.like(x, 1), b.sin(angle) / angle);
    }),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * sinc_derivative(p.input())}; },
    .facts = facts::even | facts::in_range(-0.25, 1),
};
}  // namespace

Variable exp(Arg x) { return apply_one(exp_record, {x}); }
Variable exp2(Arg x) { return apply_one(exp2_record, {x}); }
Variable expm1(Arg x) { return apply_one(expm1_record, {x}); }
Variable log(Arg x) { return apply_one(log_record, {x}); }
Variable log2(Arg x) { return apply_one(log2_record, {x}); }
Variable log10(Arg x) { return apply_one(log10_record, {x}); }
Variable log1p(Arg x) { return apply_one(log1p_record, {x}); }
Variable sin(Arg x) { return apply_one(sin_record, {x}); }
Variable cos(Arg x) { return apply_one(cos_record, {x}); }
Variable tan(Arg x) { return apply_one(tan_record, {x}); }
Variable arcsin(Arg x) { return apply_one(arcsin_record, {x}); }
Variable arccos(Arg x) { return apply_one(arccos_record, {x}); }
Variable arctan(Arg x) { return apply_one(arctan_record, {x}); }
Variable sinh(Arg x) { return apply_one(sinh_record, {x}); }
Variable cosh(Arg x) { return apply_one(cosh_record, {x}); }
Variable tanh(Arg x) { return apply_one(tanh_record, {x}); }
Variable arcsinh(Arg x) { return apply_one(arcsinh_record, {x}); }
Variable arccosh(Arg x) { return apply_one(arccosh_record, {x}); }
Variable arctanh(Arg x) { return apply_one(arctanh_record, {x}); }
Variable sigmoid(Arg x) { return apply_one(sigmoid_record, {x}); }
Variable softplus(Arg x) { return apply_one(softplus_record, {x}); }
Variable erf(Arg x) { return apply_one(erf_record, {x}); }
Variable erfc(Arg x) { return apply_one(erfc_record, {x}); }
Variable arctan2(Arg y, Arg x) { return apply_one(arctan2_record, {y, x}); }
Variable deg2rad(Arg x) { return apply_one(deg2rad_record, {x}); }
Variable rad2deg(Arg x) { return apply_one(rad2deg_record, {x}); }
Variable logaddexp(Arg x, Arg y) { return apply_one(logaddexp_record, {x, y}); }
Variable sinc(Arg x) { return apply_one(sinc_record, {x}); }

namespace families {
Family special() {
    return {&exp_record,      &exp2_record,      &expm1_record,   &log_record,     &log2_record,
            &log10_record,    &log1p_record,     &sin_record,     &cos_record,     &tan_record,
            &arcsin_record,   &arccos_record,    &arctan_record,  &sinh_record,    &cosh_record,
            &tanh_record,     &arcsinh_record,   &arccosh_record, &arctanh_record, &sigmoid_record,
            &softplus_record, &erf_record,       &erfc_record,    &arctan2_record, &deg2rad_record,
            &rad2deg_record,  &logaddexp_record, &sinc_record};
}
}  // namespace families

}  // namespace croton
