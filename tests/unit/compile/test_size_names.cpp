// Names of sizes: what is certainly the same has one name, whatever ops it came by.
#include <gtest/gtest.h>

#include "croton/compile/build.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace croton::compile {
namespace {

Variable matrix(std::string name, Dim rows = {}, Dim columns = {}) {
    return input(TensorType{DType::Float64, {rows, columns}}, std::move(name));
}
Variable vector(std::string name) { return input(TensorType{DType::Float64, {Dim()}}, name); }

// The sizes of two values once they have names.
struct Named {
    Dims a, b;
};
Named named(const Variables& inputs, const Variable& a, const Variable& b, bool assume = false) {
    auto made = specialise(inputs, {a, b}, assume);
    return {made.outputs[0].type().dims, made.outputs[1].type().dims};
}
void expect_same(const Variables& inputs, const Variable& a, const Variable& b) {
    for (bool assume : {false, true}) {
        Named n = named(inputs, a, b, assume);
        EXPECT_EQ(n.a, n.b) << (assume ? "assuming" : "in general");
    }
}
void expect_different(const Variables& inputs, const Variable& a, const Variable& b) {
    Named n = named(inputs, a, b);
    EXPECT_FALSE(n.a == n.b);
}

int64_t steps_called(const Variables& inputs, const Variables& outputs, std::string_view op) {
    BuildRequest request;
    request.inputs = inputs;
    request.outputs = outputs;
    request.mode = mode_named("fast");
    request.mode.backend = "interp";
    auto made = build(request);
    int64_t count = 0;
    for (const auto& step : made.program->steps) count += step.label.find(op) != std::string::npos;
    return count;
}

TEST(SizeNames, OfMergedAxesAreProducts) {
    auto x = matrix("x"), y = matrix("y");
    auto rows = size_of(x, 0), columns = size_of(x, 1);
    expect_same({x}, flatten(x), reshape(dimshuffle(x, {1, 0}), Args{columns * rows}));
    expect_same({x}, flatten(x), reshape(x, Args{at(shape(x), {0}) * at(shape(x), {-1})}));
    expect_same({x}, reshape(x, Args{rows * 2, -1}), reshape(sin(x), Args{2 * rows, -1}));
    expect_different({x, y}, flatten(x), flatten(y));
}

TEST(SizeNames, OfSplitAxesAreQuotients) {
    auto x = matrix("x", {}, 12);
    auto split = reshape(x, Args{size_of(x, 0), 4, -1});
    EXPECT_EQ(named({x}, split, x).a[2], Dim(3));
    expect_same({x}, reshape(x, Args{-1, 12}), x);
    auto whole = matrix("y");
    expect_same({whole}, reshape(whole, Args{size_of(whole, 0), -1}), whole);
}

TEST(SizeNames, OfSlicesSayHowManyAreLeftOut) {
    auto x = vector("x");
    auto from = [&](int64_t first) { return at(x, {Slice(first, {})}); };
    auto upto = [&](int64_t last) { return at(x, {Slice({}, last)}); };
    expect_same({x}, from(1), upto(-1));
    expect_same({x}, at(x, {Slice(1, -2)}), upto(-3));
    expect_same({x}, upto(5), at(sin(x), {Slice({}, 5)}));
    expect_same({x}, at(from(1), {Slice(1, {})}), at(at(x, {Slice({}, -1)}), {Slice({}, -1)}));
    expect_different({x}, from(1), from(2));
    expect_different({x}, from(1), upto(1));
    expect_different({x}, upto(5), at(x, {Slice({}, 5, 2)}));
}

TEST(SizeNames, OfJoinedAxesAreSums) {
    auto x = matrix("x"), y = matrix("y", {}, {});
    expect_same({x}, concatenate({x, sin(x)}, 0), concatenate({cos(x), x}, 0));
    expect_same({x}, at(concatenate({x, at(x, {Slice(0, 1)})}, 0), {Slice({}, -1)}),
                at(concatenate({sin(x), at(x, {Slice(0, 1)})}, 0), {Slice(1, {})}));
    auto one = constant(Array::of(std::vector<double>{1}, Sizes{1}));
    auto v = vector("v");
    expect_same({v}, at(concatenate({one, v}, 0), {Slice(1, {})}), v);
}

TEST(SizeNames, OfStepsAreThoseOfSequences) {
    auto x = vector("x");
    auto all = scan([](const Step& s) { return StepResult(tanh(s.states[0] + s.sequences[0])); },
                    {.sequences = {x}, .outputs_info = {constant(Array::scalar(0.0))}});
    expect_same({x}, all.outputs[0], x);
}

TEST(SizeNames, WhatBroadcastsDoesSoEverywhere) {
    auto x = matrix("x"), y = matrix("y");
    expect_same({x, y}, x + y, y * sin(x));
    expect_different({x, y}, x + y, x);
    auto a = input(TensorType{DType::Float64, {Dim(), Dim(), Dim()}}, "a");
    auto b = input(TensorType{DType::Float64, {Dim(), Dim(), Dim()}}, "b");
    expect_same({a, b}, matmul(a, b), matmul(sin(a), b));
}

// A size doubled many times over is a sum of as many terms: nobody walks them all.
TEST(SizeNames, OfLongSumsAreNotLookedFor) {
    auto x = vector("x");
    auto size = size_of(x, 0);
    for (int i = 0; i < 40; ++i) size = size + size;
    Named n = named({x}, reshape(x, {size, -1}), reshape(sin(x), {size, -1}));
    EXPECT_FALSE(n.a[0].unknown());
}

// -1 stands for what is left: n - 2 may be that, and k anything.
TEST(SizeNames, AreNotGivenToWhatMightBeNegative) {
    auto x = matrix("x"), y = matrix("y");
    auto less = size_of(x, 0) - 2;
    auto k = input(TensorType{DType::Int64, {}}, "k");
    expect_different({x}, reshape(x, Args{less, 2}), reshape(flatten(x), Args{less, 2}));
    auto one = reshape(x, Args{k, 2}), other = reshape(y, Args{k, 2});
    expect_different({x, y, k}, one, other);
    // With k = -1 these are of 3 and of 2 rows.
    BuildRequest request;
    request.inputs = {x, y, k};
    request.outputs = {sum(one), size_of(one, 0), size_of(other, 0)};
    request.mode = mode_named("fast");
    request.mode.backend = "interp";
    std::vector<Array> values = {Array::of(std::vector<double>(6, 1.0), Sizes{3, 2}),
                                 Array::of(std::vector<double>(4, 1.0), Sizes{2, 2}),
                                 Array::scalar(int64_t{-1})};
    auto made = build(request);
    auto program = made.assumptions_hold(values) ? made.program : made.general();
    auto found = runtime::Frame(*program).run(values);
    EXPECT_EQ(found[1].item<int64_t>(), 3);
    EXPECT_EQ(found[2].item<int64_t>(), 2);
}

// Gradients of what meets in an op are summed over axes that may have been broadcast: none of
// these.
TEST(SizeNames, LeaveNothingToSumToInGradients) {
    auto x = vector("x");
    auto difference = at(x, {Slice(1, {})}) - at(x, {Slice({}, -1)});
    EXPECT_EQ(steps_called({x}, {grad(sum(sqr(difference)), x)}, "sum_to"), 0);

    auto q = input(TensorType{DType::Float64, {Dim(), Dim(), Dim(64)}}, "q");
    auto heads = [&](const Variable& v) {
        auto batch = at(shape(v), {0}), length = at(shape(v), {1});
        auto apart = dimshuffle(reshape(v, Args{batch, length, 4, 16}), {0, 2, 1, 3});
        return reshape(apart, Args{batch * 4, length, 16});
    };
    auto scores = matmul(heads(q), dimshuffle(heads(sin(q)), {0, 2, 1}));
    EXPECT_EQ(steps_called({q}, {grad(sum(sqr(scores)), q)}, "sum_to"), 0);
    // Where sizes may differ it stays.
    auto y = vector("y");
    BuildRequest request;
    request.inputs = {x, y};
    request.outputs = {grad(sum(sqr(x * y)), x)};
    request.mode = mode_named("fast");
    request.mode.backend = "interp";
    auto made = build(request);
    EXPECT_EQ(made.program->steps.size(), 1u);
    std::vector<Array> values = {Array::of(std::vector<double>{2}, Sizes{1}),
                                 Array::of(std::vector<double>{1, 2}, Sizes{2})};
    ASSERT_FALSE(made.assumptions_hold(values));
    auto found = runtime::Frame(*made.general()).run(values);
    EXPECT_EQ(found[0].to_vector<double>(), std::vector<double>{20.0});
}

}  // namespace
}  // namespace croton::compile
