// Each optimiser's steps against the formulas of its paper, written out for one number.
#include <gtest/gtest.h>

#include <cmath>

#include "croton/api/optimizers.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"

namespace croton {
namespace {

constexpr double rate = 0.125;

// The places of w after steps down the slope of sum(2 w^2), whose gradient is 4 w.
template <class Make>
std::vector<double> places(DType dtype, int steps, const Make& make) {
    auto w = shared(Array::of({1.5, -0.25}).cast(dtype), "w");
    Variable loss = sum(w * w * 2);
    auto train = function({}, loss, {.updates = make(loss, std::vector{w}).updates});
    std::vector<double> result;
    for (int i = 0; i < steps; ++i) {
        train();
        EXPECT_EQ(w.get_value().dtype(), dtype);
        auto now = w.get_value().cast(DType::Float64).to_vector<double>();
        result.insert(result.end(), now.begin(), now.end());
    }
    return result;
}

// As places(), by `step`, which takes a gradient and the number of the step and says how far w
// goes; each element has a copy of it, and so a state of its own.
template <class Step>
std::vector<double> walked(int steps, const Step& step) {
    double w[] = {1.5, -0.25};
    Step own[] = {step, step};
    std::vector<double> result;
    for (int i = 0; i < steps; ++i)
        for (int k = 0; k < 2; ++k) result.push_back(w[k] += own[k](4 * w[k], i + 1));
    return result;
}

template <class Make, class Step>
void expect_steps(const Make& make, const Step& step) {
    auto expected = walked(4, step);
    for (DType dtype : {DType::Float64, DType::Float32}) {
        auto found = places(dtype, 4, make);
        ASSERT_EQ(found.size(), expected.size());
        for (size_t i = 0; i < found.size(); ++i)
            EXPECT_NEAR(found[i], expected[i], dtype == DType::Float64 ? 1e-13 : 3e-5)
                << dtype_name(dtype) << ", number " << i;
    }
}

TEST(Optimizers, GradientDescent) {
    expect_steps([](auto& loss, auto w) { return optimizers::sgd(loss, w, rate); },
                 [](double g, int) { return -rate * g; });
}

TEST(Optimizers, Momentum) {
    expect_steps([](auto& loss, auto w) { return optimizers::momentum(loss, w, rate, 0.75); },
                 [v = 0.0](double g, int) mutable { return v = 0.75 * v - rate * g; });
    expect_steps([](auto& loss, auto w) { return optimizers::momentum(loss, w, rate, 0.75, true); },
                 [v = 0.0](double g, int) mutable {
                     v = 0.75 * v - rate * g;
                     return 0.75 * v - rate * g;
                 });
}

TEST(Optimizers, Adagrad) {
    expect_steps([](auto& loss, auto w) { return optimizers::adagrad(loss, w, rate, 0.01); },
                 [s = 0.0](double g, int) mutable {
                     s += g * g;
                     return -rate * g / (std::sqrt(s) + 0.01);
                 });
}

TEST(Optimizers, RmsProp) {
    expect_steps([](auto& loss, auto w) { return optimizers::rmsprop(loss, w, rate, 0.8, 0.01); },
                 [s = 0.0](double g, int) mutable {
                     s = 0.8 * s + (1 - 0.8) * g * g;
                     return -rate * g / (std::sqrt(s) + 0.01);
                 });
}

// The corrected rate stands for corrected moments where epsilon is nothing beside them.
TEST(Optimizers, Adam) {
    expect_steps([](auto& loss, auto w) { return optimizers::adam(loss, w, rate, 0.7, 0.9, 0); },
                 [m = 0.0, s = 0.0](double g, int t) mutable {
                     m = 0.7 * m + (1 - 0.7) * g;
                     s = 0.9 * s + (1 - 0.9) * g * g;
                     double mean = m / (1 - std::pow(0.7, t)), squares = s / (1 - std::pow(0.9, t));
                     return -rate * mean / std::sqrt(squares);
                 });
}

TEST(Optimizers, StateIsSavedWithTheParameters) {
    auto w = shared(Array::of({1.0, 2.0}), "w");
    auto steps = optimizers::adam(sum(w * w), {w});
    std::vector<std::string> names;
    for (const auto& state : steps.state) names.push_back(state.name());
    EXPECT_EQ(names, (std::vector<std::string>{"adam.step", "w.mean", "w.squares"}));
    EXPECT_TRUE(optimizers::adam(sum(w * w), {}).updates.empty());
}

}  // namespace
}  // namespace croton
