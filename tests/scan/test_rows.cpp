// What compiling does to loops: the graph changes as it should, and only then; values and gradients
// stay those of the same written out.
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"
#include "tests/scan/unrolled.hpp"

namespace croton {
namespace {

using test::agree;
using test::agrees;
using test::random_array;
using test::unrolled;

Variable of(const char* type, const char* name) { return input(parse_type(type), name); }
Array numbers(const Sizes& shape, unsigned seed = 1) {
    return random_array(DType::Float64, shape, seed);
}

// The loops that are left when compiling is done with them.
std::vector<Loop> loops_of(const Variables& inputs, const Variables& outputs,
                           std::vector<std::string> excluded = {}) {
    auto named = compile::specialise(inputs, outputs, true);
    auto mode = compile::mode_named("fast").excluding(std::move(excluded));
    Variables prepared = compile::prepare_loops(named.outputs, mode, nullptr);
    std::vector<Loop> loops;
    for (Node* node : toposort(prepared))
        if (is_loop(*node)) loops.emplace_back(*node);
    return loops;
}
size_t count_of(std::string_view op, const Loop& loop) {
    size_t count = 0;
    for (Node* node : toposort(loop.results(), loop.formal()))
        count += node->kind == NodeKind::Apply && node->op->name == op;
    return count;
}

// --- what is equal ------------------------------------------------------------------------------

TEST(EqualStates, AreOne) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h");
    auto body = [](const Step& s) {
        const Variables& h = s.states;
        return StepResult({sin(h[0] + s.sequences[0]), sin(h[1] + s.sequences[0]), h[0] - h[2]});
    };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, h, h}};
    agrees(body, options, 5, {xs, h}, {numbers({5}), numbers({3}, 2)});
    auto loops = loops_of({xs, h}, scan(body, options).outputs);
    ASSERT_EQ(loops.size(), 1u);
    EXPECT_EQ(loops[0].states.size(), 2u);
    EXPECT_EQ(loops_of({xs, h}, scan(body, options).outputs, {"equal states"})[0].states.size(),
              3u);
}

// Each is the other's past: equal as long as they are taken for equal.
TEST(EqualStates, MayNeedEachOther) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h");
    auto body = [](const Step& s) {
        return StepResult({tanh(s.states[1] * s.sequences[0]), tanh(s.states[0] * s.sequences[0])});
    };
    Variable twice = h * 2.0, doubled = h * 2.0;  // equal, though written twice
    ScanOptions options{.sequences = {xs}, .outputs_info = {twice, doubled}};
    agrees(body, options, 5, {xs, h}, {numbers({5}), numbers({3}, 2)});
    EXPECT_EQ(loops_of({xs, h}, scan(body, options).outputs)[0].states.size(), 1u);
}

TEST(EqualStates, AreToldApartByLaterSteps) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h");
    auto body = [](const Step& s) {
        const Variables& h = s.states;
        return StepResult({sin(h[0] * h[2]), sin(h[1] * h[3]), h[2] + s.sequences[0],
                           h[3] + 2.0 * s.sequences[0]});
    };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, h, h, h}};
    agrees(body, options, 5, {xs, h}, {numbers({5}), numbers({3}, 2)});
    EXPECT_EQ(loops_of({xs, h}, scan(body, options).outputs)[0].states.size(), 4u);
}

TEST(EqualStates, OfWhichOneIsKept) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto body = [](const Step& s) {
        return StepResult({sin(s.states[0] + s.sequences[0]), sin(s.states[1] + s.sequences[0])});
    };
    auto outputs = [&](const Variables& made) { return Variables{made[0], at(made[1], {-1})}; };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, h}};
    agree(outputs(scan(body, options).outputs), outputs(unrolled(body, options, 4)), {xs, h},
          {numbers({4}), Array::scalar(0.3)});
}

TEST(EqualInputs, AreOne) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h"), w = of("f64[]", "w");
    auto body = [&](const Step& s) {
        return StepResult(s.states[0] * s.sequences[0] * exp(w) + s.sequences[1] * s.constants[0]);
    };
    ScanOptions options{
        .sequences = {xs, xs * 1.0}, .outputs_info = {h}, .non_sequences = {exp(w)}};
    agrees(body, options, 4, {xs, h, w}, {numbers({4}), Array::scalar(0.3), Array::scalar(0.2)});
    auto loops = loops_of({xs, h, w}, scan(body, options).outputs);
    EXPECT_EQ(loops[0].sequences.size(), 1u);
    EXPECT_EQ(loops[0].constants.size(), 1u);
}

TEST(EqualResults, AreKeptOnce) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto body = [](const Step& s) {
        Variable next = s.states[0] * s.sequences[0];
        return StepResult({next, next, exp(next), exp(next)});
    };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, {}, {}, {}}};
    agrees(body, options, 4, {xs, h}, {numbers({4}), Array::scalar(0.3)});
    auto loops = loops_of({xs, h}, scan(body, options).outputs);
    EXPECT_EQ(loops[0].stacked.size(), 2u);  // the state's values and exp of them
}

TEST(WhatNoStepChanges, LeavesTheLoop) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h"), w = of("f64[?]", "w");
    auto body = [](const Step& s) {
        const Variables& h = s.states;
        return StepResult({h[0] * exp(h[1]) + s.sequences[0], h[1] * 1.0, exp(h[1])});
    };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, w, {}}};
    agrees(body, options, 4, {xs, h, w}, {numbers({4}), numbers({3}, 2), numbers({3}, 3)});
    auto loops = loops_of({xs, h, w}, scan(body, options).outputs);
    ASSERT_EQ(loops.size(), 1u);
    EXPECT_EQ(loops[0].states.size(), 1u);
    EXPECT_EQ(loops[0].stacked.size(), 1u);
    EXPECT_EQ(count_of("exp", loops[0]), 0u);
}

TEST(WhatNoStepChanges, MayBeAllOfIt) {
    Variable h = of("f64[?]", "h"), n = of("i64[]", "n");
    auto body = [](const Step& s) { return StepResult(s.states[0]); };
    Variable made = scan(body, {.outputs_info = {h}, .n_steps = n}).outputs[0];
    EXPECT_EQ(loops_of({h, n}, {made}).size(), 0u);
    Function f = function({h, n}, made);
    EXPECT_EQ(f(numbers({3}), Array::scalar<int64_t>(4)).only().shape(), (Sizes{4, 3}));
    EXPECT_EQ(f(numbers({3}), Array::scalar<int64_t>(0)).only().shape(), (Sizes{0, 3}));
    EXPECT_THROW(f(numbers({3}), Array::scalar<int64_t>(-1)), Error);
}

}  // namespace
}  // namespace croton
