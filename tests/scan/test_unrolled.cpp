// Loops of every shape against the same written out.
#include "croton/ops/compare.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "tests/scan/unrolled.hpp"

namespace croton {
namespace {

using test::agrees;
using test::random_array;

Variable of(const char* type, const char* name) { return input(parse_type(type), name); }
Array numbers(const Sizes& shape, unsigned seed = 1) {
    return random_array(DType::Float64, shape, seed);
}
Array singles(const Sizes& shape, unsigned seed = 1) {
    return random_array(DType::Float32, shape, seed);
}

TEST(Unrolled, AStateOfOneNumber) {
    Variable x = of("f64[]", "x"), r = of("f64[]", "r");
    agrees([&](const Step& s) { return StepResult(r * s.states[0] * (1.0 - s.states[0])); },
           {.outputs_info = {x}, .n_steps = constant(Array::scalar<int64_t>(7))}, 7, {x, r},
           {Array::scalar(0.3), Array::scalar(3.1)});
}

TEST(Unrolled, ASequenceAndAState) {
    Variable xs = of("f64[?,?]", "xs"), h = of("f64[?]", "h"), w = of("f64[?,?]", "w");
    agrees([&](const Step& s) { return StepResult(tanh(dot(s.states[0], w) + s.sequences[0])); },
           {.sequences = {xs}, .outputs_info = {h}}, 5, {xs, h, w},
           {numbers({5, 3}), numbers({3}, 2), numbers({3, 3}, 3)});
}

TEST(Unrolled, NothingRecurrent) {
    Variable xs = of("f64[?,?]", "xs"), c = of("f64[]", "c");
    agrees(
        [&](const Step& s) { return StepResult({exp(s.sequences[0] * c), sum(s.sequences[0])}); },
        {.sequences = {xs}}, 4, {xs, c}, {numbers({4, 3}), Array::scalar(0.7)});
}

TEST(Unrolled, TapsOfStatesAndSequences) {
    Variable xs = of("f64[?]", "xs"), start = of("f64[?,?]", "start");
    ScanOptions options;
    options.sequences = {{xs, {-1, 0, 2}}};
    options.outputs_info = {{start, {-3, -1}}};
    agrees(
        [&](const Step& s) {
            return StepResult(s.states[0] * 0.5 + sin(s.states[1]) * s.sequences[0] +
                              s.sequences[1] - s.sequences[2]);
        },
        options, 6, {xs, start}, {numbers({9}), numbers({3, 4}, 2)});
}

TEST(Unrolled, FutureTapsAlone) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    agrees([&](const Step& s) { return StepResult(s.states[0] + s.sequences[0] * s.states[0]); },
           {.sequences = {{xs, {2}}}, .outputs_info = {h}}, 4, {xs, h},
           {numbers({6}), Array::scalar(0.4)});
}

TEST(Unrolled, Backwards) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    agrees([&](const Step& s) { return StepResult(s.states[0] * s.sequences[0] + s.sequences[1]); },
           {.sequences = {{xs, {0, 1}}}, .outputs_info = {h}, .go_backwards = true}, 5, {xs, h},
           {numbers({6}), Array::scalar(0.4)});
}

TEST(Unrolled, SeveralStatesThatMix) {
    Variable a = of("f64[?]", "a"), b = of("f64[?]", "b"), w = of("f64[?]", "w");
    agrees(
        [&](const Step& s) {
            Variable p = s.states[0], q = s.states[1];
            return StepResult({p * 0.9 + q * w, q - 0.1 * p * p, p * q});
        },
        {.outputs_info = {a, b, {}}, .n_steps = constant(Array::scalar<int64_t>(6))}, 6, {a, b, w},
        {numbers({3}), numbers({3}, 2), numbers({3}, 3)});
}

TEST(Unrolled, ShorterSequencesBoundTheLength) {
    Variable xs = of("f64[?]", "xs"), ys = of("f64[?]", "ys"), h = of("f64[]", "h");
    agrees([&](const Step& s) { return StepResult(s.states[0] * s.sequences[0] + s.sequences[1]); },
           {.sequences = {xs, ys}, .outputs_info = {h}}, 4, {xs, ys, h},
           {numbers({7}), numbers({4}, 2), Array::scalar(0.4)});
}

TEST(Unrolled, StepsShorterThanTheSequence) {
    Variable xs = of("f64[?,?]", "xs"), h = of("f64[?]", "h"), n = of("i64[]", "n");
    agrees([&](const Step& s) { return StepResult(s.states[0] * s.sequences[0]); },
           {.sequences = {xs}, .outputs_info = {h}, .n_steps = n}, 3, {xs, h, n},
           {numbers({5, 2}), numbers({2}, 2), Array::scalar<int64_t>(3)});
}

TEST(Unrolled, SinglePrecisionStaysSingle) {
    Variable xs = of("f32[?,?]", "xs"), h = of("f32[?]", "h"), w = of("f32[?,?]", "w");
    agrees(
        [&](const Step& s) {
            return StepResult(0.5 * tanh(dot(s.states[0], w) + s.sequences[0]) + 0.5);
        },
        {.sequences = {xs}, .outputs_info = {h}}, 5, {xs, h, w},
        {singles({5, 3}), singles({3}, 2), singles({3, 3}, 3)});
}

TEST(Unrolled, AnLstmCell) {
    Variable xs = of("f64[?,?,?]", "xs"), h = of("f64[?,?]", "h"), c = of("f64[?,?]", "c");
    Variable w = of("f64[?,?]", "w"), u = of("f64[?,?]", "u"), b = of("f64[?]", "b");
    agrees(
        [&](const Step& s) {
            Variable gates = dot(s.sequences[0], w) + dot(s.states[0], u) + b;
            auto gate = [&](int64_t k) { return at(gates, {everything, Slice(3 * k, 3 * k + 3)}); };
            Variable cell = sigmoid(gate(1)) * s.states[1] + sigmoid(gate(0)) * tanh(gate(2));
            return StepResult({sigmoid(gate(3)) * tanh(cell), cell});
        },
        {.sequences = {xs}, .outputs_info = {h, c}}, 4, {xs, h, c, w, u, b},
        {numbers({4, 2, 5}), numbers({2, 3}, 2), numbers({2, 3}, 3), numbers({5, 12}, 4),
         numbers({3, 12}, 5), numbers({12}, 6)});
}

TEST(Unrolled, ALoopInALoop) {
    Variable xs = of("f64[?,?]", "xs"), h = of("f64[]", "h"), k = of("f64[]", "k");
    agrees(
        [&](const Step& outer) {
            ScanResult inner = scan(
                [&](const Step& s) {
                    return StepResult(s.states[0] * k + s.sequences[0] * outer.states[0]);
                },
                {.sequences = {outer.sequences[0]}, .outputs_info = {outer.states[0]}});
            return StepResult(at(inner.outputs[0], {-1}));
        },
        {.sequences = {xs}, .outputs_info = {h}}, 3, {xs, h, k},
        {numbers({3, 4}), Array::scalar(0.5), Array::scalar(0.8)});
}

TEST(Unrolled, ALoopOfKnownLengthInALoop) {
    Variable xs = of("f64[3,5]", "xs"), h = of("f64[]", "h"), k = of("f64[]", "k");
    agrees(
        [&](const Step& outer) {
            ScanResult inner = scan(
                [&](const Step& s) { return StepResult(sin(s.states[0] * k + s.sequences[0])); },
                {.sequences = {outer.sequences[0]}, .outputs_info = {outer.states[0]}});
            return StepResult({at(inner.outputs[0], {-1}), sum(inner.outputs[0])});
        },
        {.sequences = {xs}, .outputs_info = {h, {}}}, 3, {xs, h, k},
        {numbers({3, 5}), Array::scalar(0.5), Array::scalar(0.8)});
}

TEST(Unrolled, OneStep) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    agrees([&](const Step& s) { return StepResult(s.states[0] * s.sequences[0]); },
           {.sequences = {xs}, .outputs_info = {h}}, 1, {xs, h},
           {numbers({1}), Array::scalar(0.4)});
}

// Matrices of two rows, known sizes: written out as scalars.
TEST(Unrolled, AKalmanFilter) {
    Variable ys = of("f64[?]", "ys"), m = of("f64[2]", "m"), p = of("f64[2,2]", "p");
    Variable f = of("f64[2,2]", "f"), q = of("f64[2,2]", "q"), h = of("f64[1,2]", "h");
    Variable r = of("f64[]", "r");
    agrees(
        [&](const Step& s) {
            Variable mean = dot(f, s.states[0]), cov = dot(dot(f, s.states[1]), transpose(f)) + q;
            Variable spread = at(dot(dot(h, cov), transpose(h)), {0, 0}) + sqr(r) + 1.0;
            Variable miss = s.sequences[0] - at(dot(h, mean), {0});
            Variable gain = at(dot(cov, transpose(h)), {everything, 0}) / spread;
            Variable new_cov = cov - outer(gain, at(dot(h, cov), {0}));
            return StepResult({mean + gain * miss, new_cov, log(spread) + sqr(miss) / spread});
        },
        {.sequences = {ys}, .outputs_info = {m, p, {}}}, 5, {ys, m, p, f, q, h, r},
        {numbers({5}), numbers({2}, 2), numbers({2, 2}, 3), numbers({2, 2}, 4), numbers({2, 2}, 5),
         numbers({1, 2}, 6), Array::scalar(0.7)});
}

TEST(Unrolled, SmallArraysOfKnownSizes) {
    Variable xs = of("f32[?,2,3]", "xs"), h = of("f32[3]", "h"), w = of("f32[3,3]", "w");
    Variable k = of("f32[2,3]", "k"), g = of("f32[2,3]", "g");
    agrees(
        [&](const Step& s) {
            Variable row = tanh(dot(s.states[0], w) + sum(s.sequences[0], 0));
            Variable table = concatenate({at(s.states[1], {Slice(1, 2)}), expand_dims(row, 0)}, 0);
            Variable written = set_subtensor(at(k * 1.0f, {0}), row);
            return StepResult({row, table * 0.5f + s.sequences[0], max(table * written, 1)});
        },
        {.sequences = {xs}, .outputs_info = {h, g, {}}}, 4, {xs, h, w, k, g},
        {singles({4, 2, 3}), singles({3}, 2), singles({3, 3}, 3), singles({2, 3}, 4),
         singles({2, 3}, 5)});
}

// Gradients of parts of small states are added to the parts' places: written out as scalars too.
TEST(Unrolled, PartsOfSmallArrays) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[2]", "h"), k = of("f64[2,3]", "k");
    auto body = [&](const Step& s) {
        Variable first = at(s.states[0], {0}), sum_up = s.states[0] * first + s.sequences[0];
        Variable table = inc_subtensor(at(s.states[1], {everything, Slice(0, 3, 2)}),
                                       expand_dims(sum_up, 1) * at(s.states[1], {1, 1}));
        return StepResult({0.5 * tanh(sum_up), 0.5 * inc_subtensor(at(table, {1}), first)});
    };
    ScanOptions options = {.sequences = {xs}, .outputs_info = {h, k}};
    agrees(body, options, 4, {xs, h, k}, {numbers({4}), numbers({2}, 2), numbers({2, 3}, 3)});

    ScanResult made = scan(body, options);
    Variable loss = sum(made.outputs[0]) + sum(made.outputs[1]);
    Variables slopes = grad(loss, Variables{xs, h, k});
    Function whole = function({xs, h, k}, {slopes[0], slopes[1], slopes[2]});
    for (const auto& step : whole.program().steps)
        EXPECT_FALSE(std::holds_alternative<runtime::LoopStep>(step.kind)) << step.label;
}

// What is read of a loop decides what it keeps: the results must not depend on it.
TEST(Unrolled, ReadersOfTheLastValue) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h");
    auto body = [&](const Step& s) { return StepResult(tanh(s.states[0] + s.sequences[0])); };
    Variable all = scan(body, {.sequences = {xs}, .outputs_info = {h}}).outputs[0];
    Variable last = at(all, {-1}), element = at(all, {-1, 1});
    Variable slope = grad(sum(sqr(last)) + element, h);
    Array x = numbers({6}), begin = numbers({3}, 2), state = begin;
    std::vector<double> wanted = begin.to_vector<double>(), slopes(3, 1.0);
    for (double value : x.to_vector<double>())
        for (size_t i = 0; i < 3; ++i) {
            wanted[i] = std::tanh(wanted[i] + value);
            slopes[i] *= 1 - wanted[i] * wanted[i];
        }
    for (const char* mode : {"quick", "fast", "check"}) {
        FunctionOptions options;
        options.mode = compile::mode_named(mode);
        auto both = function({xs, h}, std::vector<Out>{last, element, slope}, options);
        auto one = function({xs, h}, last, options);
        Results made = both(x, begin);
        for (size_t i = 0; i < 3; ++i) {
            EXPECT_NEAR(made[0].to_vector<double>()[i], wanted[i], 1e-12);
            EXPECT_NEAR(one(x, begin).only().to_vector<double>()[i], wanted[i], 1e-12);
            double direct = 2 * wanted[i] + (i == 1 ? 1 : 0);
            EXPECT_NEAR(made[2].to_vector<double>()[i], direct * slopes[i], 1e-12);
        }
        EXPECT_NEAR(made[1].item<double>(), wanted[1], 1e-12);
        EXPECT_THROW(one(numbers({0}), begin), Error) << "there is no last value";
    }
}

TEST(Unrolled, IntegerStatesBesideOthers) {
    Variable h = of("f64[]", "h"), i = of("i64[]", "i");
    agrees(
        [&](const Step& s) {
            return StepResult({s.states[0] * cast(s.states[1], DType::Float64), s.states[1] + 1});
        },
        {.outputs_info = {h, i}, .n_steps = constant(Array::scalar<int64_t>(5))}, 5, {h, i},
        {Array::scalar(0.4), Array::scalar<int64_t>(1)});
}

TEST(Unrolled, AStateThatIsReplaced) {
    Variable xs = of("f64[?,?]", "xs"), h = of("f64[?]", "h");
    agrees([&](const Step& s) { return StepResult({s.sequences[0], s.states[0] * 2.0}); },
           {.sequences = {xs}, .outputs_info = {h, {}}}, 3, {xs, h},
           {numbers({3, 2}), numbers({2}, 2)});
}

// What adds up leaves a loop only if nothing else reads it: the gradient of every step does.
TEST(Unrolled, AStateThatAddsUp) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    agrees([](const Step& s) { return StepResult(s.sequences[0] * 0.5 + s.states[0]); },
           {.sequences = {xs}, .outputs_info = {h}}, 5, {xs, h},
           {numbers({5}), Array::scalar(0.4)});
}

}  // namespace
}  // namespace croton
