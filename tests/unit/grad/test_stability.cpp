// Gradients of losses as users write them, where probabilities underflow and exponentials overflow.
// Expected values are limits worked out by hand.
#include <gtest/gtest.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
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
