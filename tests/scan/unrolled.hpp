#pragma once
// Every loop of these tests also runs unrolled: its body written out once a step, by the meaning of
// taps as Theano's manual gives it. Both must agree, in values and in gradients.
#include <gtest/gtest.h>

#include <random>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace croton::test {

/// The body so many times, without a loop.
inline Variables unrolled(const ScanBody& body, const ScanOptions& options, int64_t steps) {
    std::vector<Variables> made;  // by step, then output
    std::vector<std::pair<int64_t, int64_t>> reach;
    for (const auto& sequence : options.sequences) {
        int64_t low = 0, high = 0;
        for (int64_t tap : sequence.taps) low = std::min(low, tap), high = std::max(high, tap);
        reach.emplace_back(low, high);
    }
    for (int64_t t = 0; t < steps; ++t) {
        Step step;
        for (size_t s = 0; s < options.sequences.size(); ++s)
            for (int64_t tap : options.sequences[s].taps) {
                const Variable& values = options.sequences[s].values;
                int64_t place = t + tap - reach[s].first;
                if (options.go_backwards)  // from the end of what the tap may reach
                    step.sequences.push_back(at(values, {tap - reach[s].second - 1 - t}));
                else
                    step.sequences.push_back(at(values, {place}));
            }
        for (size_t i = 0; i < options.outputs_info.size(); ++i) {
            const ScanOutput& info = options.outputs_info[i];
            if (!info.initial) continue;
            int64_t depth = 0;
            for (int64_t tap : info.taps) depth = std::max(depth, -tap);
            for (int64_t tap : info.taps) {
                if (t + tap >= 0)
                    step.states.push_back(made[static_cast<size_t>(t + tap)][i]);
                else
                    step.states.push_back(depth > 1 ? at(info.initial, {t + tap + depth})
                                                    : info.initial);
            }
        }
        step.constants = options.non_sequences;
        made.push_back(body(step).outputs);
    }
    Variables outputs;
    for (size_t i = 0; i < made[0].size(); ++i) {
        Args all;
        for (const auto& step : made) all.push_back(step[i]);
        outputs.push_back(stack(all));
    }
    return outputs;
}

inline Array random_array(DType dtype, const Sizes& shape, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, 0.6);
    Array values = Array::empty(DType::Float64, shape);
    for (int64_t i = 0; i < values.size(); ++i) values.data_as<double>()[i] = normal(random);
    return values.cast(dtype);
}

inline void expect_close(const Array& a, const Array& b, double tolerance, const char* what) {
    ASSERT_EQ(a.shape(), b.shape()) << what;
    ASSERT_EQ(a.dtype(), b.dtype()) << what;
    auto x = a.to_vector<double>(), y = b.to_vector<double>();
    for (size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(x[i], y[i], tolerance * (1 + std::abs(y[i]))) << what << ", element " << i;
}

/// Values, gradients and gradients of gradients of the two lists of outputs, in every mode. What is
/// expected is computed in mode quick.
inline void agree(const Variables& outputs, const Variables& wanted_outputs,
                  const Variables& inputs, const std::vector<Array>& arguments) {
    ASSERT_EQ(outputs.size(), wanted_outputs.size());
    auto cost_of = [](const Variables& outputs) {
        Variable cost;
        for (size_t i = 0; i < outputs.size(); ++i) {
            if (!is_floating(outputs[i].dtype())) continue;
            Variable part = sum(sqr(outputs[i]) * (1.0 + 0.25 * static_cast<double>(i)));
            part = sum(sin(outputs[i])) + part;
            cost = cost ? cost + part : part;
        }
        return cost;
    };
    GradOptions ignore;
    ignore.disconnected = Disconnected::Ignore;
    Variables wrt;
    for (const auto& v : inputs)
        if (is_floating(v.dtype())) wrt.push_back(v);
    auto everything = [&](const Variables& outputs) {
        Variables all = outputs;
        Variable cost = cost_of(outputs);
        Variables first = grad(cost, wrt, ignore);
        all.insert(all.end(), first.begin(), first.end());
        Variable second;
        for (const auto& g : first) second = second ? second + sum(sqr(g)) : sum(sqr(g));
        Variables again = grad(second, wrt, ignore);
        all.insert(all.end(), again.begin(), again.end());
        return all;
    };
    Variables looped = everything(outputs), expected = everything(wanted_outputs);
    double tolerance = inputs[0].dtype() == DType::Float32 ? 2e-4 : 1e-9;
    std::vector<std::optional<Array>> given(arguments.begin(), arguments.end());
    std::vector<In> ins(inputs.begin(), inputs.end());
    auto outs = [](const Variables& list) { return std::vector<Out>(list.begin(), list.end()); };
    FunctionOptions quick;
    quick.mode = compile::mode_named("quick");
    quick.on_unused_input = "ignore";
    Results wanted = function(ins, outs(expected), quick).call(given);
    for (const char* mode : {"quick", "fast", "check"}) {
        SCOPED_TRACE(mode);
        FunctionOptions how = quick;
        how.mode = compile::mode_named(mode);
        // The outputs alone keep less of a loop than their gradients do.
        for (bool gradients : {false, true}) {
            Function f = function(ins, outs(gradients ? looped : outputs), how);
            for (int call = 0; call < 3; ++call) {  // described, recorded, replayed
                Results made = f.call(given);
                for (size_t i = 0; i < made.size(); ++i)
                    expect_close(made[i], wanted[i], tolerance,
                                 cat("result ", i, " of call ", call).c_str());
            }
        }
    }
}

/// The same of the loop and of its body written out so many times.
inline void agrees(const ScanBody& body, const ScanOptions& options, int64_t steps,
                   const Variables& inputs, const std::vector<Array>& arguments) {
    agree(scan(body, options).outputs, unrolled(body, options, steps), inputs, arguments);
}

}  // namespace croton::test
