// Loops with checkpoints: the same values and gradients, less memory.
#include <cmath>

#include "croton/base/memory.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/linalg.hpp"
#include "tests/scan/memory.hpp"
#include "tests/scan/unrolled.hpp"

namespace croton {
namespace {

using test::expect_close;
using test::random_array;

Variable of(const char* type, const char* name) { return input(parse_type(type), name); }
Array numbers(const Sizes& shape, unsigned seed = 1) {
    return random_array(DType::Float64, shape, seed);
}

/// Values, gradients and second gradients of a loop whose options `how` changes. It ends after
/// `last` steps, if that is not 0.
Results results_of(const std::function<void(ScanOptions&)>& how, int64_t steps, bool every_value,
                   const char* mode, int64_t last = 0) {
    Variable xs = of("f64[?,?]", "xs"), h = of("f64[?]", "h"), w = of("f64[?,?]", "w");
    Variable c = of("f64[?,?]", "c");
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, {c, {-2}}, {}}};
    if (last > 0) options.sequences.emplace_back(arange(size_of(xs, 0)));
    how(options);
    ScanResult loop = scan(
        [&](const Step& s) {
            Variable next = tanh(dot(s.states[0], w) + s.sequences[0]);
            Variable stop = last > 0 ? s.sequences[1] + 1 >= last : Variable();
            return StepResult({next, s.states[1] * 0.5 + next, sum(sqr(next))}, {}, stop);
        },
        options);
    Variable cost;
    for (const auto& output : loop.outputs) {
        Variable part = sum(sin(every_value ? output : at(output, {-1})));
        cost = cost ? cost + part : part;
    }
    Variables all{cost};
    if (every_value) all.insert(all.end(), loop.outputs.begin(), loop.outputs.end());
    Variables wrt{xs, h, w, c}, first = grad(cost, wrt);
    Variable second;
    for (const auto& g : first) second = second ? second + sum(sqr(g)) : sum(sqr(g));
    Variables again = grad(second, wrt);
    all.insert(all.end(), first.begin(), first.end());
    all.insert(all.end(), again.begin(), again.end());
    FunctionOptions o;
    o.mode = compile::mode_named(mode);
    Function f = function({xs, h, w, c}, std::vector<Out>(all.begin(), all.end()), o);
    return f.call({numbers({steps, 3}), numbers({3}, 2), numbers({3, 3}, 3), numbers({2, 3}, 4)});
}

class Checkpoints : public testing::TestWithParam<bool> {};

TEST_P(Checkpoints, ChangeNoResult) {
    for (int64_t steps : {1, 2, 6, 7, 11})
        for (const char* mode : {"quick", "fast"}) {
            Results wanted = results_of([](ScanOptions&) {}, steps, GetParam(), mode);
            auto agrees = [&](const char* what, const std::function<void(ScanOptions&)>& how) {
                SCOPED_TRACE(cat(what, ", ", steps, " steps, ", mode));
                Results made = results_of(how, steps, GetParam(), mode);
                for (size_t i = 0; i < wanted.size(); ++i)
                    expect_close(made[i], wanted[i], 1e-10, cat("result ", i).c_str());
            };
            agrees("every 3", [](ScanOptions& o) { o.checkpoint = 3; });
            agrees("every 100", [](ScanOptions& o) { o.checkpoint = 100; });
            agrees("by the square root", [](ScanOptions& o) { o.checkpoint = checkpoint_sqrt; });
            agrees("in few bytes", [](ScanOptions& o) { o.checkpoint_bytes = 1; });
            agrees("in many bytes", [](ScanOptions& o) { o.checkpoint_bytes = 1 << 30; });
            agrees("of known steps", [&](ScanOptions& o) {
                o.checkpoint = 3;
                o.n_steps = constant(Array::scalar(steps));
            });
        }
}
INSTANTIATE_TEST_SUITE_P(Reads, Checkpoints, testing::Bool(),
                         [](auto& info) { return info.param ? "AllValues" : "LastValues"; });

// Which steps count shows when the loop has run.
TEST_P(Checkpoints, OfLoopsThatStopAndOfTruncatedGradients) {
    struct Case {
        int64_t steps, last, truncate;
    };
    for (Case c : {Case{7, 3, -1},
                   {7, 1, -1},
                   {7, 20, -1},
                   {7, 5, 2},
                   {7, 5, 9},
                   {6, 0, 1},
                   {6, 0, 4},
                   {1, 0, 3},
                   {6, 0, 6},
                   {6, 0, 50}})
        for (const char* mode : {"quick", "fast"}) {
            auto truncated = [&](ScanOptions& o) { o.truncate_gradient = c.truncate; };
            Results wanted = results_of(truncated, c.steps, GetParam(), mode, c.last);
            auto agrees = [&](const char* what, const std::function<void(ScanOptions&)>& how) {
                SCOPED_TRACE(cat(what, ", ", c.steps, " steps, last ", c.last, ", truncated to ",
                                 c.truncate, ", ", mode));
                auto both = [&](ScanOptions& o) { truncated(o), how(o); };
                Results made = results_of(both, c.steps, GetParam(), mode, c.last);
                for (size_t i = 0; i < wanted.size(); ++i)
                    expect_close(made[i], wanted[i], 1e-10, cat("result ", i).c_str());
            };
            agrees("every 2", [](ScanOptions& o) { o.checkpoint = 2; });
            agrees("by the square root", [](ScanOptions& o) { o.checkpoint = checkpoint_sqrt; });
            agrees("in few bytes", [](ScanOptions& o) { o.checkpoint_bytes = 1; });
            agrees("of known steps", [&](ScanOptions& o) {
                o.checkpoint = 3;
                o.n_steps = constant(Array::scalar(c.steps));
            });
        }
}

// Values at the ends of segments are those of the plain loop, and so are gradients through them.
TEST(ValuesAtCheckpoints, OfLoopsThatStopAndOfTruncatedGradients) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[2]", "h");
    for (bool until : {false, true})
        for (int64_t truncate : {-1, 2, 4, 20})
            for (int64_t steps : {1, 2, 3, 6, 7}) {
                SCOPED_TRACE(cat(until ? "until, " : "", "truncated to ", truncate, ", ", steps));
                auto body = [&](const Step& s) {
                    Variable next = tanh(s.states[0] * s.sequences[0]);
                    Variable stop = until ? gt(s.sequences[0], 5.0) : Variable();
                    return StepResult({next, sum(next) + s.sequences[0]}, {}, stop);
                };
                ScanOptions options{
                    .sequences = {xs}, .outputs_info = {h, {}}, .truncate_gradient = truncate};
                Variables ends = scan_checkpoints(body, options, 3).outputs;
                Variables all = scan(body, options).outputs, wanted;
                std::vector<int64_t> rows;
                for (int64_t k = 3; k < steps; k += 3) rows.push_back(k - 1);
                rows.push_back(steps - 1);
                for (const auto& v : all) {
                    Args picked;
                    for (int64_t row : rows) picked.push_back(at(v, {row}));
                    wanted.push_back(stack(picked));
                }
                auto results = [&](const Variables& made) {
                    Variable cost = sum(sqr(made[0])) + sum(made[1]);
                    Variables outputs = made, slopes = grad(cost, {xs, h});
                    outputs.insert(outputs.end(), slopes.begin(), slopes.end());
                    Array given = numbers({9});
                    given.data_as<double>()[steps - 1] = 6;
                    if (!until) given = numbers({steps});
                    std::vector<Out> outs(outputs.begin(), outputs.end());
                    return function({xs, h}, outs)(given, numbers({2}, 2));
                };
                Results made = results(ends), expected = results(wanted);
                for (size_t i = 0; i < made.size(); ++i)
                    expect_close(made[i], expected[i], 1e-12, cat("result ", i).c_str());
            }
}

// By how much the process grows while a gradient runs through so many steps of a 64-wide state.
int64_t growth(int64_t steps, const std::function<void(ScanOptions&)>& how, bool until = false) {
    Variable h = of("f64[?]", "h"), w = of("f64[?]", "w"), n = of("i64[]", "n");
    ScanOptions options{.outputs_info = {h}, .n_steps = n};
    if (until) {  // stops where the other loops end
        options.n_steps = n * 2;
        options.outputs_info.emplace_back(constant(Array::scalar(int64_t{0})));
    }
    how(options);
    ScanResult loop = scan(
        [&](const Step& s) {
            Variable next = tanh(s.states[0] * w);
            if (!until) return StepResult(next);
            return StepResult({next, s.states[1] + 1}, {}, s.states[1] + 1 >= n);
        },
        options);
    Variable cost = sum(sqr(at(loop.outputs[0], {-1})));
    Function f = function({h, w, n}, {grad(cost, w)});
    f.call({numbers({64}), numbers({64}, 2), Array::scalar<int64_t>(70)});
    return test::growth([&] { f.call({numbers({64}), numbers({64}, 2), Array::scalar(steps)}); });
}

TEST(CheckpointMemory, Falls) {
    if (watched_memory) GTEST_SKIP() << "the tool keeps what is freed";
    constexpr int64_t steps = 90'000, states = steps * 64 * 8;  // 46 MB
    EXPECT_LT(growth(steps, [](ScanOptions& o) { o.checkpoint = checkpoint_sqrt; }), states / 20);
    EXPECT_LT(growth(steps, [](ScanOptions& o) { o.checkpoint = 100; }), states / 20);
    EXPECT_LT(growth(steps, [](ScanOptions& o) { o.checkpoint_bytes = states / 4; }), states / 20);
    // All is kept where that fits. The last value alone is read, so nothing is stacked but states.
    int64_t all = growth(steps, [](ScanOptions& o) { o.checkpoint_bytes = 10 * states; });
    EXPECT_GT(all, states * 9 / 10);
    EXPECT_LT(all, states * 5 / 4);
}

// Each time more steps: dead arrays are kept for later ones.
TEST(CheckpointMemory, FallsWhereItShowsLaterWhichStepsCount) {
    if (watched_memory) GTEST_SKIP() << "the tool keeps what is freed";
    int64_t steps = 100'000, states = steps * 64 * 8;
    EXPECT_LT(
        growth(steps, [](ScanOptions& o) { o.checkpoint = checkpoint_sqrt; }, true), states / 20);
    EXPECT_GT(growth(steps, [](ScanOptions&) {}, true), states * 9 / 10);
    steps = 300'000, states = steps * 64 * 8;
    auto half = [&](ScanOptions& o) { o.truncate_gradient = steps / 2; };
    EXPECT_LT(growth(steps, [&](ScanOptions& o) { half(o), o.checkpoint = 200; }), states / 20);
    EXPECT_GT(growth(steps, half), states / 4);
}

}  // namespace
}  // namespace croton
