// Gradients of losses as users write them, where probabilities underflow and exponentials overflow.
// Expected values are limits worked out by hand.
#include <gtest/gtest.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/listing.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace croton {
namespace {

struct Logits {
    Variable x = input(parse_type("f64[?,?]"), "x"), y = input(parse_type("i64[?]"), "y");
    Array values = Array::of({1000., 0., 0., 0., 1., 800.}).reshape({2, 3});
    Array classes = Array::of(std::vector<int64_t>{1, 0}, {2});

    std::vector<double> gradient(const Variable& cost, const char* mode = "fast") const {
        FunctionOptions options;
        options.mode = compile::mode_named(mode);
        options.on_unused_input = "ignore";
        return function({x, y}, {grad(cost, x)}, options)(values, classes)[0].to_vector<double>();
    }
};

const std::vector<double> wrong_by_one = {1, -1, 0, -1, 0, 1};
std::vector<double> halved(std::vector<double> values) {
    for (double& value : values) value /= 2;
    return values;
}

TEST(Stability, CrossEntropyOfSoftmax) {
    Logits l;
    Variable each = categorical_crossentropy(softmax(l.x), l.y);
    for (const char* mode : {"fast", "quick"}) {
        EXPECT_EQ(l.gradient(sum(each), mode), wrong_by_one);
        EXPECT_EQ(l.gradient(mean(each), mode), halved(wrong_by_one));
    }
}

TEST(Stability, LogOfPickedSoftmax) {
    Logits l;
    EXPECT_EQ(l.gradient(-mean(log(pick(softmax(l.x), l.y)))), halved(wrong_by_one));
    EXPECT_EQ(l.gradient(-mean(pick(log(softmax(l.x)), l.y))), halved(wrong_by_one));
}

TEST(Stability, SoftmaxByHand) {
    Logits l;
    Variable e = exp(l.x);
    for (const Variable& total : {sum(e, Ints{1}, true), expand_dims(sum(e, Ints{1}), Ints{1})})
        EXPECT_EQ(l.gradient(-sum(pick(log(e / total), l.y))), wrong_by_one);
}

TEST(Stability, LogOfSumOfExps) {
    Logits l;
    EXPECT_EQ(l.gradient(sum(log(sum(exp(l.x), Ints{1})))),
              (std::vector<double>{1, 0, 0, 0, 0, 1}));
}

TEST(Stability, CrossEntropyOfSigmoid) {
    Logits l;
    Variable target = cast(gt(l.x, 900), DType::Float64);  // right once, wrong once
    std::vector<double> expected = {0, 0.5, 0.5, 0.5, 1 / (1 + std::exp(-1.0)), 1};
    auto found = l.gradient(sum(binary_crossentropy(sigmoid(l.x), target)));
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
    found = l.gradient(
        sum(-(target * log(1 / (1 + exp(-l.x))) + (1 - target) * log(1 - 1 / (1 + exp(-l.x))))));
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(Stability, SigmoidByHand) {
    Logits l;
    auto found = l.gradient(sum(1 / (1 + exp(-l.x * 2))));
    EXPECT_EQ(found[0], 0);
    EXPECT_EQ(found[1], 0.5);
    found = l.gradient(sum(1 / (1 + exp(l.x * 2))));
    EXPECT_EQ(found[0], 0);
}

TEST(Stability, Softplus) {
    Logits l;
    auto found = l.gradient(sum(log(1 + exp(l.x))));
    EXPECT_EQ(found[0], 1);
    EXPECT_EQ(found[1], 0.5);
}

// One loss, nine ways to write it.
TEST(Stability, CrossEntropyHoweverWritten) {
    Logits l;
    Variable p = softmax(l.x), rows = arange(size_of(l.x, 0)), e = exp(l.x);
    Variable top = max(l.x, Ints{1}, true), shifted = exp(l.x - top);
    Variable truth = cast(eq(expand_dims(l.y, 1), arange(3)), DType::Float64);
    const Variables ways = {
        -sum(log(at(p, {rows, l.y}))),
        -sum(at(log(p), {rows, l.y})),
        -sum(log(at(e / sum(e, Ints{1}, true), {rows, l.y}))),
        -sum(log(at(shifted / sum(shifted, Ints{1}, true), {rows, l.y}))),
        -sum(truth * log(shifted / sum(shifted, Ints{1}, true))),
        sum(log(sum(e, Ints{1})) - at(l.x, {rows, l.y})),
        sum(log(sum(shifted, Ints{1})) + squeeze(top, Ints{1}) - at(l.x, {rows, l.y})),
        -sum(truth * (l.x - top - log(sum(shifted, Ints{1}, true)))),
        -sum(log(take_along_axis(p, expand_dims(l.y, 1), 1))),
    };
    for (const Variable& way : ways) {
        auto found = l.gradient(way);
        for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i], wrong_by_one[i], 1e-12) << pp(way);
    }
}

struct Limit {
    const char* what;
    Variable (*of)(const Variable& x);
    double x, value, slope;
};

// Values and slopes where what was written overflows, cancels or divides zero by zero.
TEST(Stability, ValuesAndGradientsAtTheEdges) {
    const double root_pi = std::sqrt(std::acos(-1.0));
    const std::vector<Limit> limits = {
        {"log cosh", [](const Variable& x) { return log(cosh(x)); }, -900, 900 - std::log(2), -1},
        {"log erfc", [](const Variable& x) { return log(erfc(x)); }, 40,
         -1600 - std::log(40 * root_pi) - 1 / 3200.0 + 5 / (8 * 40. * 40 * 40 * 40),
         -80 - 1 / 40.0 + 1 / 64000.0 - 2.5 / std::pow(40, 5)},
        {"log of normal tail", [](const Variable& x) { return log(0.5 * (1 + erf(x))); }, -40,
         -1600 - std::log(80 * root_pi) - 1 / 3200.0 + 5 / (8 * 40. * 40 * 40 * 40),
         80 + 1 / 40.0 - 1 / 64000.0 + 2.5 / std::pow(40, 5)},
        {"log1mexp", [](const Variable& x) { return log(1 - exp(x)); }, -50, -std::exp(-50),
         -std::exp(-50)},
        {"log1mexp near 0", [](const Variable& x) { return log(1 - exp(x)); }, -1e-20,
         std::log(1e-20), -1e20},
        {"logistic density", [](const Variable& x) { return exp(x) / sqr(1 + exp(x)); }, 700,
         std::exp(-700), -std::exp(-700)},
        {"tanh of half", [](const Variable& x) { return (exp(x) - 1) / (exp(x) + 1); }, 800, 1, 0},
        {"softplus by parts",
         [](const Variable& x) { return maximum(x, 0) + log(1 + exp(-abs(x))); }, 800, 800, 1},
        {"log odds", [](const Variable& x) { return log(sigmoid(x) / (1 - sigmoid(x))); }, -800,
         -800, 1},
        {"one minus cos", [](const Variable& x) { return 1 - cos(x); }, 1e-9, 5e-19, 1e-9},
        {"root less one", [](const Variable& x) { return sqrt(1 + x) - 1; }, 1e-18, 5e-19, 0.5},
        {"one less root", [](const Variable& x) { return 1 - sqrt(1 - x); }, 1e-18, 5e-19, 0.5},
        {"arcsinh", [](const Variable& x) { return log(x + sqrt(sqr(x) + 1)); }, -1e9,
         -std::asinh(1e9), 1e-9},
        {"root of a choice", [](const Variable& x) { return where(gt(x, 0), sqrt(x), 0); }, 0, 0,
         0},
        {"log of a choice", [](const Variable& x) { return where(gt(x, 0), x * log(x), 0); }, 0, 0,
         0},
    };
    for (const Limit& limit : limits) {
        Variable x = input(parse_type("f64[]"), "x"), y = limit.of(x);
        auto found = function({x}, {y, grad(y, x)})(limit.x);
        auto near = [](double a) { return 1e-12 * std::abs(a); };
        EXPECT_NEAR(found[0].item<double>(), limit.value, near(limit.value)) << limit.what;
        EXPECT_NEAR(found[1].item<double>(), limit.slope, near(limit.slope)) << limit.what;
    }
}

// What gradients are asked for stays what it is: the probabilities themselves here.
TEST(Stability, WithRespectToComputedValues) {
    Logits l;
    Variable p = softmax(l.x), cost = sum(log(1 + p));
    auto f = function({l.x}, {grad(cost, p)});
    auto found = f(l.values)[0].to_vector<double>();
    std::vector<double> expected = {0.5, 1, 1, 1, 1, 0.5};
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

// Rewriting may find that a value does not matter; that is no error.
TEST(Stability, WhatVanishesHasGradientZero) {
    Logits l;
    Variable e = exp(l.x);
    auto found = l.gradient(sum(e * (1 / e)) + sum(l.x * 0.0));
    for (double g : found) EXPECT_TRUE(g == 0 || std::isnan(g));
    Variable z = input(parse_type("f64[?]"), "z"), s = input(parse_type("f64[?]"), "s");
    EXPECT_NO_THROW(grad(sum(exp(z) * (s / exp(z))), z));
}

TEST(Stability, ForwardMode) {
    Logits l;
    Variable v = input(parse_type("f64[?,?]"), "v");
    Variable cost = sum(categorical_crossentropy(softmax(l.x), l.y));
    auto f = function({l.x, l.y, v}, {jvp({cost}, {l.x}, {v})[0]});
    Array ones = Array::of({1., 2., 3., 4., 5., 6.}).reshape({2, 3});
    EXPECT_EQ(f(l.values, l.classes, ones)[0].item<double>(), (1 - 2) + (6 - 4));
}

}  // namespace
}  // namespace croton
