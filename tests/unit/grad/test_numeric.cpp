// Derivatives against numbers, both directions, several orders.
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/grad/support.hpp"

namespace croton {
namespace {
using test::error_of;
using test::in;
using test::number;
using test::numbers;
using test::value;
using test::verify;

const Array matrix = numbers({0.3, -0.7, 1.1, 0.6, 0.9, -0.2}, {2, 3});
const Array positive = numbers({0.3, 0.7, 1.1, 0.6, 0.9, 0.2}, {2, 3});
const Array row = numbers({0.5, 1.5, -0.8});

TEST(Numeric, SmallExpressions) {
    using F = CheckedFunction;
    const std::vector<std::pair<const char*, F>> one = {
        {"exp", [](const Variables& v) { return exp(v[0]); }},
        {"tanh of product", [](const Variables& v) { return tanh(v[0] * v[0] + 1); }},
        {"log", [](const Variables& v) { return log(sqr(v[0]) + 0.5); }},
        {"sigmoid, mean", [](const Variables& v) { return mean(sigmoid(v[0]), 1); }},
        {"softplus", [](const Variables& v) { return softplus(3 * v[0]); }},
        {"softmax", [](const Variables& v) { return softmax(v[0], 1); }},
        {"log_softmax", [](const Variables& v) { return log_softmax(v[0], 0); }},
        {"sum, keepdims", [](const Variables& v) { return v[0] - sum(v[0], 1, true); }},
        {"prod", [](const Variables& v) { return prod(v[0], 0); }},
        {"var", [](const Variables& v) { return var(v[0], 1); }},
        {"max", [](const Variables& v) { return max(v[0], 1); }},
        {"logsumexp", [](const Variables& v) { return logsumexp(v[0]); }},
        {"erf", [](const Variables& v) { return erf(v[0]) * erfc(v[0]); }},
        {"trigonometric", [](const Variables& v) { return sin(v[0]) / cos(v[0]) + tan(v[0]); }},
        {"where", [](const Variables& v) { return where(gt(v[0], 0), sqr(v[0]), sin(v[0])); }},
        {"clip", [](const Variables& v) { return clip(v[0], -0.5, 0.65) * v[0]; }},
        {"abs", [](const Variables& v) { return abs(v[0]) + sign(v[0]) * v[0]; }},
    };
    for (const auto& [name, f] : one) {
        SCOPED_TRACE(name);
        EXPECT_GE(verify(f, {matrix}, {.order = 2}).comparisons, 6);
    }
    const std::vector<std::pair<const char*, F>> two = {
        {"broadcast product", [](const Variables& v) { return v[0] * v[1]; }},
        {"quotient", [](const Variables& v) { return v[1] / (v[0] + 2); }},
        {"power", [](const Variables& v) { return pow(v[0] + 2, v[1]); }},
        {"arctan2", [](const Variables& v) { return arctan2(v[0] + 2, v[1]); }},
        {"maximum", [](const Variables& v) { return maximum(v[0], v[1]) - minimum(v[0], v[1]); }},
        {"logaddexp", [](const Variables& v) { return logaddexp(v[0], 2 * v[1]); }},
        {"layer norm",
         [](const Variables& v) {
             Variable centred = v[0] - mean(v[0], 1, true);
             return v[1] * centred / sqrt(mean(sqr(centred), 1, true) + 0.1);
         }},
    };
    for (const auto& [name, f] : two) {
        SCOPED_TRACE(name);
        verify(f, {positive, row}, {.order = 2});
    }
}

TEST(Numeric, ThirdOrder) {
    auto f = [](const Variables& v) { return sin(v[0]) * exp(v[0] / 2) + v[0] * v[0] * v[0]; };
    verify(f, {numbers({0.3, -0.4})}, {.tolerance = 1e-5, .order = 3});
    Variable x = in("f64[]");
    Variable y = sqr(x) * sqr(x);
    for (int i = 0; i < 3; ++i) y = grad(y, x);
    EXPECT_NEAR(value(y, {{x, number(0.5)}})[0], 24 * 0.5, 1e-12);
    Variable z = sin(x);
    for (int i = 0; i < 5; ++i) z = grad(z, x);
    EXPECT_NEAR(value(z, {{x, number(0.7)}})[0], std::cos(0.7), 1e-12);
}

TEST(Numeric, Float32AndIntegersBeside) {
    auto f = [](const Variables& v) { return tanh(v[0]) * v[1]; };
    verify(f, {Array::of<float>({0.5F, -0.25F}), Array::of<int16_t>({2, 3})});
}

TEST(Numeric, LargeInputsAlongDirections) {
    Array big = Array::zeros(DType::Float64, {30, 40});
    for (int64_t i = 0; i < big.size(); ++i) big.data_as<double>()[i] = std::sin(double(i));
    auto f = [](const Variables& v) { return sqr(v[0]) * mean(v[0], 0); };
    EXPECT_EQ(verify(f, {big}).comparisons, 5);
}

const OpRecord wrong_derivative{
    .name = "wrong_sin",
    .doc = "",
    .arguments = {{"x"}},
    .type = [](TypeContext& c) { return std::vector<TensorType>{c.type(0)}; },
    .compute = ExpandCompute{[](const Node& node) { return Variables{sin(node.inputs[0])}; }},
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * sin(p.input())}; },
};
const OpRecord wrong_forward{
    .name = "wrong_forward",
    .doc = "",
    .arguments = {{"x"}},
    .type = [](TypeContext& c) { return std::vector<TensorType>{c.type(0)}; },
    .compute = ExpandCompute{[](const Node& node) { return Variables{sin(node.inputs[0])}; }},
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * cos(p.input())}; },
    .pushforward = [](const Pushforward& p) { return Variables{p.tangent() * sin(p.input())}; },
};

TEST(Numeric, WrongDerivativesAreReported) {
    auto with = [](const OpRecord& op) {
        return [&op](const Variables& v) { return apply(op, {v[0] * 2})[0]; };
    };
    std::string error =
        error_of(ErrorKind::Value, [&] { verify(with(wrong_derivative), {numbers({0.3, 0.4})}); });
    EXPECT_HAS(error, "GradientError: the gradient of wrong_sin, in wrong_sin(x0 * 2) is wrong");
    EXPECT_HAS(error, "input 0, element 0");
    EXPECT_HAS(error, "symbolic ");
    EXPECT_HAS(error, "numeric ");
    EXPECT_HAS(error, "relative error ");
    EXPECT_HAS(error, "x0 = ");
    error = error_of(ErrorKind::Value, [&] { verify(with(wrong_forward), {numbers({0.3})}); });
    EXPECT_HAS(error, "GradientError: jvp of wrong_forward");
    EXPECT_NO_THROW(verify(with(wrong_forward), {numbers({0.3})}, {.forward = false}));
}

TEST(Forward, AgreesWithHandAndReverse) {
    Variable x = in("f64[?]"), w = in("f64[?]"), t = in("f64[?]");
    Variable y = tanh(x * w);
    test::Feeds feeds{{x, numbers({0.3, -1, 2})}, {w, numbers({0.5})}, {t, numbers({1, 10, 100})}};
    auto forward = value(jvp({y}, {x}, {t})[0], feeds);
    for (size_t i = 0; i < 3; ++i) {
        double x_i = feeds[0].second.at<double>({int64_t(i)});
        double slope = 1 - std::pow(std::tanh(0.5 * x_i), 2);
        EXPECT_NEAR(forward[i], slope * 0.5 * std::pow(10, double(i)), 1e-12);
    }
}

TEST(Forward, BroadcastTangentsAreFull) {
    Variable x = in("f64[?,?]"), b = in("f64[?]"), t = in("f64[?]");
    Variable tangent = jvp({x + b}, {b}, {t})[0];
    Array out = compile::evaluate({tangent}, {{x, matrix}, {b, row}, {t, numbers({1, 2, 3})}})[0];
    EXPECT_EQ(out.shape(), (Sizes{2, 3}));
    EXPECT_EQ(out.to_vector<double>(), (std::vector<double>{1, 2, 3, 1, 2, 3}));
}

TEST(Forward, NothingMovesIsZero) {
    Variable x = in("f64[?]"), y = in("f64[?]");
    EXPECT_EQ(value(jvp({exp(y)}, {x}, {x})[0], {{y, numbers({1, 2})}}),
              (std::vector<double>{0, 0}));
    EXPECT_EQ(value(jvp({exp(y)}, {y}, {Variable()})[0], {{y, numbers({1})}}),
              std::vector<double>{0});
    EXPECT_EQ(value(jvp({floor(y)}, {y}, {y})[0], {{y, numbers({1.5})}}), std::vector<double>{0});
    error_of(ErrorKind::Type, [&] { jvp({exp(y)}, {y}, {sum(y)}); });
    error_of(ErrorKind::Usage, [&] { jvp({exp(y)}, {y}, {}); });
}

TEST(Forward, WrtAreIndependent) {
    Variable x = in("f64[]"), y = sqr(x), z = x * y;
    Variable one = constant(number(1), Site{});
    EXPECT_EQ(value(jvp({z}, {x, y}, {one, Variable()})[0], {{x, number(3)}}),
              std::vector<double>{9});
    EXPECT_EQ(value(jvp({z}, {x}, {one})[0], {{x, number(3)}}), std::vector<double>{27});
}

TEST(Products, VectorJacobian) {
    Variable x = in("f64[?]"), u = in("f64[?]"), s = in("f64[]");
    Variables g = vjp({sqr(x), sum(x)}, {x}, {u, s});
    EXPECT_EQ(value(g[0], {{x, numbers({1, 2})}, {u, numbers({10, 100})}, {s, number(5)}}),
              (std::vector<double>{25, 405}));
    error_of(ErrorKind::Type, [&] { vjp({sqr(x)}, {x}, {s}); });
    error_of(ErrorKind::Usage, [&] { vjp({sqr(x)}, {x}, {}); });
}

TEST(Products, HessianVector) {
    // cost = sum(x)^2 * y: H_xx = 2 y (all ones), H_xy = 2 sum(x)
    Variable x = in("f64[?]"), y = in("f64[]"), v = in("f64[?]"), u = in("f64[]");
    Variables product = hvp(sqr(sum(x)) * y, {x, y}, {v, u});
    test::Feeds feeds{
        {x, numbers({1, 2})}, {y, number(3)}, {v, numbers({10, 1})}, {u, number(100)}};
    EXPECT_EQ(value(product[0], feeds), (std::vector<double>{666, 666}));
    EXPECT_EQ(value(product[1], feeds), std::vector<double>{66});
    // Vectors made of x itself stay vectors.
    EXPECT_EQ(value(hvp(sum(x * x * x), {x}, {sqr(x)})[0], {{x, numbers({2})}}),
              std::vector<double>{6 * 2 * 4});
}

}  // namespace
}  // namespace croton
