// What compiling does to loops: the graph changes as it should, and only then; values and gradients
// stay those of the same written out.
#include "croton/base/memory.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/listing.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/linalg.hpp"
#include "tests/scan/memory.hpp"
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

// --- loops over one length ----------------------------------------------------------------------

struct Walk {
    ScanBody body;
    ScanOptions options;
};
// Values of all walks, and of all of them written out.
void agree_together(const std::vector<Walk>& walks, int64_t steps, const Variables& inputs,
                    const std::vector<Array>& arguments) {
    Variables looped, flat;
    for (const auto& walk : walks) {
        for (const auto& v : scan(walk.body, walk.options).outputs) looped.push_back(v);
        for (const auto& v : unrolled(walk.body, walk.options, steps)) flat.push_back(v);
    }
    agree(looped, flat, inputs, arguments);
}
size_t loops_together(const std::vector<Walk>& walks, const Variables& inputs,
                      std::vector<std::string> excluded = {}) {
    Variables outputs;
    for (const auto& walk : walks)
        for (const auto& v : scan(walk.body, walk.options).outputs) outputs.push_back(v);
    return loops_of(inputs, outputs, std::move(excluded)).size();
}

TEST(OneLength, LoopsOverOneSequence) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h"), k = of("f64[?]", "k");
    auto grow = [](const Step& s) { return StepResult(cos(s.states[0] * s.sequences[0])); };
    auto turn = [](const Step& s) {
        return StepResult({sin(s.states[0] + s.sequences[0]), s.states[0] * 2.0});
    };
    std::vector<Walk> walks = {{grow, {.sequences = {xs}, .outputs_info = {h}}},
                               {turn, {.sequences = {xs}, .outputs_info = {h, {}}}}};
    agree_together(walks, 5, {xs, h}, {numbers({5}), numbers({3}, 2)});
    EXPECT_EQ(loops_together(walks, {xs, h}), 1u);
    EXPECT_EQ(loops_together(walks, {xs, h}, {"loops over one length"}), 2u);
    // Their gradients too: there and back, one loop each.
    Variable cost;
    for (const auto& walk : walks) {
        Variable part = sum(scan(walk.body, walk.options).outputs[0]);
        cost = cost ? cost + part : part;
    }
    EXPECT_EQ(loops_of({xs, h}, {cost, grad(cost, h)}).size(), 2u);
}

TEST(OneLength, LoopsOfSmallProducts) {
    auto walks_of = [](const Variable& xs, const Variable& h, const Variable& w) {
        auto one = [=](const Step& s) {
            return StepResult(tanh(dot(s.states[0], w) + s.sequences[0]));
        };
        auto two = [=](const Step& s) {
            return StepResult(sin(dot(w, s.states[0])) - s.sequences[0]);
        };
        ScanOptions options{.sequences = {xs}, .outputs_info = {h}};
        return std::vector<Walk>{{one, options}, {two, options}};
    };
    Variable xs = of("f64[?,80]", "xs"), h = of("f64[80]", "h"), w = of("f64[80,80]", "w");
    // Large matrices, and those of which nobody knows, are to have the cache for themselves.
    EXPECT_EQ(loops_together(walks_of(xs, h, w), {xs, h, w}), 2u);
    xs = of("f64[?,9]", "xs"), h = of("f64[9]", "h"), w = of("f64[9,9]", "w");
    EXPECT_EQ(loops_together(walks_of(xs, h, w), {xs, h, w}), 1u);
    agree_together(walks_of(xs, h, w), 5, {xs, h, w},
                   {numbers({5, 9}), numbers({9}, 2), numbers({9, 9}, 3)});
}

// Kernels hold states in registers.
TEST(OneLength, NotOfTooManyStates) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto loops = [&](size_t states) {
        Variables outputs;
        for (double factor : {0.5, 0.7}) {
            auto body = [&](const Step& s) {
                Variables next;
                for (size_t i = 0; i < states; ++i)
                    next.push_back(s.states[i] * factor + s.states[(i + 1) % states] +
                                   s.sequences[0] * static_cast<double>(i));
                return StepResult(next);
            };
            ScanOptions options{.sequences = {xs},
                                .outputs_info = std::vector<ScanOutput>(states, h)};
            for (const auto& v : scan(body, options).outputs) outputs.push_back(v);
        }
        return loops_of({xs, h}, outputs).size();
    };
    EXPECT_EQ(loops(12), 1u);
    EXPECT_EQ(loops(13), 2u);
}

TEST(OneLength, NotIfOneNeedsTheOther) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto body = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
    Variable first = scan(body, {.sequences = {xs}, .outputs_info = {h}}).outputs[0];
    Variable second = scan(body, {.sequences = {first * 2.0}, .outputs_info = {h}}).outputs[0];
    Variable third = scan(body, {.sequences = {xs + 1.0}, .outputs_info = {h}}).outputs[0];
    EXPECT_EQ(loops_of({xs, h}, {first, second, third}).size(), 2u);  // the third with the first
    auto flat = [&](const Variable& over) {
        return unrolled(body, {.sequences = {over}, .outputs_info = {h}}, 4)[0];
    };
    Variable a = flat(xs);
    agree({first, second, third}, {a, flat(a * 2.0), flat(xs + 1.0)}, {xs, h},
          {numbers({4}), Array::scalar(0.3)});
}

TEST(OneLength, NotOfOtherLengths) {
    Variable xs = of("f64[?]", "xs"), ys = of("f64[?]", "ys"), h = of("f64[]", "h");
    auto body = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
    auto over = [&](const Variable& v) {
        return scan(body, {.sequences = {v}, .outputs_info = {h}}).outputs[0];
    };
    EXPECT_EQ(loops_of({xs, ys, h}, {over(xs), over(ys)}).size(), 2u);
    EXPECT_EQ(loops_of({xs, ys, h}, {over(xs), over(at(xs, {Slice(1, {})}))}).size(), 2u);
}

// A loop that is a kernel would become one that is run step by step.
TEST(OneLength, NotIfAKernelWereLost) {
    Variable xs = of("f64[?,3]", "xs"), h = of("f64[3]", "h"), w = of("f64[?,?]", "w");
    auto light = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
    auto heavy = [&](const Step& s) { return StepResult(tanh(dot(s.states[0], w))); };
    Walk vectors{light, {.sequences = {xs}, .outputs_info = {h}}};
    Walk products{heavy, {.sequences = {xs}, .outputs_info = {at(w, {0})}}};
    EXPECT_EQ(loops_together({vectors, products}, {xs, h, w}), 2u);
    // Both are kernels, over other elements.
    Variable us = of("f64[?]", "us"), z = of("f64[]", "z"), k = of("f64[?]", "k");
    Walk scalars{light, {.sequences = {us}, .outputs_info = {z}}};
    Walk rows{light, {.sequences = {us}, .outputs_info = {k}}};
    EXPECT_EQ(loops_together({scalars, rows}, {us, z, k}), 2u);
    agree_together({scalars, rows}, 4, {us, z, k},
                   {numbers({4}), Array::scalar(0.3), numbers({3}, 2)});
}

TEST(OneLength, NotFromOtherEnds) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto body = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
    Walk there{body, {.sequences = {xs}, .outputs_info = {h}}}, back = there;
    back.options.go_backwards = true;
    EXPECT_EQ(loops_together({there, back}, {xs, h}), 2u);
}

TEST(OneLength, OfLoopsThatEndTogether) {
    Variable h = of("f64[]", "h"), limit = of("f64[]", "limit");
    auto doubling = [&](bool more) {
        return [&, more](const Step& s) {
            Variable next = s.states[0] * 2.0;
            Variables made{next};
            if (more) made.push_back(s.states[1] + next);
            return StepResult(made, {}, gt(next, limit));
        };
    };
    Variable a = scan(doubling(false), {.outputs_info = {h}, .n_steps = 50}).outputs[0];
    Variable b = scan(doubling(true), {.outputs_info = {h, h}, .n_steps = 50}).outputs[1];
    auto later = [&](const Step& s) {
        return StepResult(Variables{s.states[0] * 2.0}, {}, gt(s.states[0], limit));
    };
    Variable c = scan(later, {.outputs_info = {h}, .n_steps = 50}).outputs[0];
    auto loops = loops_of({h, limit}, {a, b});
    ASSERT_EQ(loops.size(), 1u);
    EXPECT_EQ(loops[0].states.size(), 2u);
    EXPECT_EQ(loops_of({h, limit}, {a, c}).size(), 2u);
    Results made = function({h, limit}, {a, b, c})(Array::scalar(1.0), Array::scalar(9.0));
    EXPECT_EQ(made[0].to_vector<double>(), (std::vector<double>{2, 4, 8, 16}));
    EXPECT_EQ(made[1].to_vector<double>(), (std::vector<double>{3, 7, 15, 31}));
    EXPECT_EQ(made[2].to_vector<double>(), (std::vector<double>{2, 4, 8, 16, 32}));
}

// Only one of the two is computed: they stay where they are.
TEST(OneLength, NotInCases) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto grow = [](const Step& s) { return StepResult(cos(s.states[0] * s.sequences[0])); };
    auto turn = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h}};
    Variable either =
        ifelse(gt(h, 0.0), scan(grow, options).outputs[0], scan(turn, options).outputs[0]);
    EXPECT_EQ(loops_of({xs, h}, {either}).size(), 2u);
}

// --- parts that are read ------------------------------------------------------------------------

// The same as without what compiling does, errors included, for loops of many lengths.
void same_for_every_length(
    const Variables& inputs, const Variables& outputs,
    const std::function<std::vector<std::optional<Array>>(int64_t)>& values) {
    FunctionOptions plain, fast;
    plain.mode = compile::mode_named("quick");
    plain.on_unused_input = fast.on_unused_input = "ignore";
    std::vector<In> ins(inputs.begin(), inputs.end());
    std::vector<Out> outs(outputs.begin(), outputs.end());
    Function wanted = function(ins, outs, plain), f = function(ins, outs, fast);
    for (int64_t length : {0, 1, 2, 3, 4, 5, 9, 90}) {
        SCOPED_TRACE(length);
        std::optional<Results> expected;
        std::string message;
        try {
            expected = wanted.call(values(length));
        } catch (const Error& error) {
            message = error.what();
        }
        if (!expected) {
            EXPECT_THROW(f.call(values(length)), Error) << message;
            continue;
        }
        Results made = f.call(values(length));
        for (size_t i = 0; i < outputs.size(); ++i)
            test::expect_close(made[i], (*expected)[i], 1e-12, cat("output ", i).c_str());
    }
}

struct Wave {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h"), n = of("i64[]", "n");
    Variables inputs{xs, h, n};
    // States and a result of which later steps read nothing.
    Variables made = scan(
                         [](const Step& s) {
                             Variable next = sin(s.states[0] + s.sequences[0]);
                             return StepResult({next, next * s.states[0]});
                         },
                         {.sequences = {xs}, .outputs_info = {h, {}}})
                         .outputs;
    static std::vector<std::optional<Array>> values(int64_t length) {
        return {numbers({length}), numbers({3}, 2), Array::scalar<int64_t>(3)};
    }
};

TEST(StepsRead, FromTheFirstOn) {
    Wave w;
    Variable states = w.made[0], stack = w.made[1];
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice({}, 3)})},
             {at(states, {Slice(1, 4)}), at(stack, {2})},
             {at(states, {Slice(1, 9, 2)}), at(states, {0, 1})},
             {at(states, {Slice({}, w.n)}), at(stack, {w.n, Slice(1, {})})},
             {at(states, {Slice(w.n, 4)}), at(states, {Slice(w.n - 5, w.n)})},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        EXPECT_EQ(loops_of(w.inputs, outputs)[0].steps.node().op->name, "minimum");
    }
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice({}, 3)}), at(states, {-1})},
             {at(states, {Slice({}, 3)}), stack},
             {at(states, {Slice({}, 3, -1)})},
             {at(states, {Slice({}, -2)}), at(states, {Slice({}, 3)})},
             {at(states, {Slice({}, -2)}), stack},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        EXPECT_EQ(loops_of(w.inputs, outputs)[0].steps.node().op->name, "size_of");
    }
}

Variable turned(const Variable& x) { return at(x, {Slice({}, {}, -1)}); }

TEST(StepsRead, EndBeforeTheLastOnes) {
    Wave w;
    Variable states = w.made[0], stack = w.made[1];
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice({}, -2)})},
             {at(states, {Slice(1, -2)}), at(stack, {Slice({}, -3, 2)})},
             {at(turned(states), {Slice(2, {})})},
             {at(turned(stack), {Slice(3, -1)}), at(states, {Slice({}, -2)})},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        Variable steps = loops_of(w.inputs, outputs)[0].steps;
        EXPECT_EQ(steps.node().op->name, "maximum") << pp(steps);
    }
    // A single one might not exist: its error shows the user's numbers. What is empty is left so.
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice({}, -3)}), at(states, {-4})},
             {at(states, {Slice(-2, -5)})},
         })
        same_for_every_length(w.inputs, outputs, Wave::values);
}

// Of loops of so many steps in all: which steps its loops run.
std::vector<int64_t> steps_run(int64_t all, const std::function<Variables(const Variables&)>& read,
                               bool same = true) {
    Variable h = of("f64[]", "h");
    auto body = [](const Step& s) { return StepResult({sin(s.states[0]) + 0.5, s.states[0] * 2}); };
    ScanOptions options{.outputs_info = {h, {}}, .n_steps = constant(Array::scalar(all))};
    Variables outputs = read(scan(body, options).outputs);
    if (same) agree(outputs, read(unrolled(body, options, all)), {h}, {Array::scalar(0.3)});
    std::vector<int64_t> steps;
    for (const auto& loop : loops_of({h}, outputs))
        steps.push_back(constant_value(loop.steps)->item<int64_t>());
    return steps;
}
using Steps = std::vector<int64_t>;

TEST(StepsRead, OfKnownLoops) {
    EXPECT_EQ(steps_run(30, [](auto& v) { return Variables{at(v[0], {Slice(2, -5)})}; }),
              (Steps{25}));
    EXPECT_EQ(steps_run(30,
                        [](auto& v) {
                            return Variables{at(v[0], {Slice({}, 9)}), at(v[1], {-20}),
                                             at(v[1], {Slice(-25, -15)})};
                        }),
              (Steps{15}));
    EXPECT_EQ(steps_run(30,
                        [](auto& v) {
                            return Variables{at(turned(v[0]), {Slice(-4, {})}),
                                             at(turned(v[1]), {22}), at(turned(v[1]), {-3})};
                        }),
              (Steps{8}));
}

// What stands before the first step that is read is not kept.
TEST(StepsRead, BeginLater) {
    auto middle = [](auto& v) {
        return Variables{at(v[0], {Slice(100, 140)}), at(v[1], {Slice(110, 130, 3)}),
                         at(v[1], {120})};
    };
    EXPECT_EQ(steps_run(200, middle), (Steps{100, 40}));
    auto back = [](auto& v) {
        return Variables{at(turned(v[0]), {Slice(20, 40)}), at(v[1], {-30})};
    };
    EXPECT_EQ(steps_run(200, back), (Steps{160, 20}));
    auto soon = [](auto& v) { return Variables{at(v[0], {Slice(20, 150)})}; };
    EXPECT_EQ(steps_run(200, soon), (Steps{150}));
    EXPECT_EQ(
        steps_run(
            1 << 20, [](auto& v) { return Variables{at(v[0], {Slice(999900, 1000000)})}; }, false),
        (Steps{999900, 100}));

    Wave w;
    for (const Variables& outputs : std::vector<Variables>{
             {at(w.made[0], {Slice(64, {})}), at(w.made[1], {Slice(70, 80)})},
             {at(turned(w.made[0]), {Slice({}, -70)})},
         }) {
        auto at_length = [](int64_t length) { return Wave::values(length * 12); };
        same_for_every_length(w.inputs, outputs, at_length);
        EXPECT_EQ(loops_of(w.inputs, outputs).size(), 2u);
    }
}

// Of the gradient with respect to a sequence what is asked for: the way back ends there.
TEST(StepsRead, OfTheWayBack) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    auto body = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h}};
    auto of_last = [&](const Variables& made) {
        return Variables{at(grad(at(made[0], {-1}), xs), {Slice(-3, {})})};
    };
    agree(of_last(scan(body, options).outputs), of_last(unrolled(body, options, 7)), {xs, h},
          {numbers({7}), Array::scalar(0.3)});
    auto loops = loops_of({xs, h}, of_last(scan(body, options).outputs));
    ASSERT_EQ(loops.size(), 2u);
    EXPECT_EQ(pp(loops[1].steps), "minimum(size_of(xs, axis=0), 3)");
}

TEST(StepsRead, OthersAreNotRun) {
    Variable h = of("f64[]", "h"), n = of("i64[]", "n"), k = of("i64[]", "k");
    auto body = [](const Step& s) { return StepResult(s.states[0] * 2.0); };
    Variable all = scan(body, {.outputs_info = {h}, .n_steps = n}).outputs[0];
    Function f = function({h, n, k}, {at(all, {Slice({}, k)}), at(all, {4})});
    constexpr int64_t endless = int64_t{1} << 60;
    Results made = f(Array::scalar(1.0), Array::scalar(endless), Array::scalar<int64_t>(3));
    EXPECT_EQ(made[0].to_vector<double>(), (std::vector<double>{2, 4, 8}));
    EXPECT_EQ(made[1].item<double>(), 32);
}

// A loop around it: the inner one is shortened once.
TEST(StepsRead, InsideOfLoops) {
    Variable xs = of("f64[?,?]", "xs"), h = of("f64[]", "h");
    auto body = [](const Step& outer) {
        auto inner = [](const Step& s) { return StepResult(sin(s.states[0] + s.sequences[0])); };
        ScanOptions options{.sequences = {outer.sequences[0]}, .outputs_info = {outer.states[0]}};
        return StepResult(sum(at(scan(inner, options).outputs[0], {Slice({}, 2)})));
    };
    agrees(body, {.sequences = {xs}, .outputs_info = {h}}, 3, {xs, h},
           {numbers({3, 5}), Array::scalar(0.3)});
}

TEST(LastSteps, AloneAreKept) {
    Wave w;
    Variable states = w.made[0], stack = w.made[1];
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice(-3, {})})},
             {at(states, {Slice(-3, -1)}), at(stack, {-2, 1})},
             {at(states, {-1}), at(stack, {-1})},
             {at(states, {Slice(-4, {}, 2)}), at(states, {-3})},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        auto loops = loops_of(w.inputs, outputs);
        ASSERT_EQ(loops.size(), 2u);
        EXPECT_EQ(loops[0].stacked.size(), 0u);
        EXPECT_EQ(loops[1].steps.node().op->name, "minimum");
    }
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice(-3, {})}), stack},
             {at(states, {Slice(-3, {})}), at(stack, {Slice({}, 2)})},
             {at(states, {Slice(-3, {}, -1)})},
             {at(states, {Slice(2, {})})},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        EXPECT_EQ(loops_of(w.inputs, outputs).size(), 1u);
    }
}

TEST(LastSteps, GradientsAgree) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[?]", "h");
    auto body = [](const Step& s) {
        Variable next = sin(s.states[0] + s.sequences[0]);
        return StepResult({next, next * s.states[0]});
    };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, {}}};
    auto parts = [](const Variables& made) {
        return Variables{at(made[0], {Slice(-3, {})}), at(made[1], {-2}),
                         at(made[0], {Slice({}, 2), 0})};
    };
    agree(parts(scan(body, options).outputs), parts(unrolled(body, options, 5)), {xs, h},
          {numbers({5}), numbers({3}, 2)});
}

TEST(LastSteps, OfLoopsThatEndEarly) {
    Variable h = of("f64[2]", "h"), n = of("i64[]", "n");
    auto body = [](const Step& s) {
        Variable next = s.states[0] * 2.0;
        return StepResult({next, s.states[1] + next}, {}, gt(sum(next), 40.0));
    };
    Variables made = scan(body, {.outputs_info = {h, h}, .n_steps = n}).outputs;
    Variables outputs{at(made[0], {Slice(-3, {})}), at(made[0], {-2}), at(made[1], {-1})};
    same_for_every_length({h, n}, outputs, [](int64_t length) -> std::vector<std::optional<Array>> {
        return {Array::of<double>({1, 2}, {2}), Array::scalar(length)};
    });
    auto loops = loops_of({h, n}, outputs);
    EXPECT_EQ(loops[0].states.size(), 4u);
    EXPECT_EQ(std::count(loops[0].traced.begin(), loops[0].traced.end(), true), 0);
    auto parts = [](const Variables& v) {
        return Variables{at(v[0], {Slice(-3, {})}), at(v[0], {-2}), at(v[1], {-1})};
    };
    ScanOptions nine{.outputs_info = {h, h}, .n_steps = 9};
    agree(parts(scan(body, nine).outputs), parts(unrolled(body, nine, 4)), {h},
          {Array::of<double>({1, 2}, {2})});
}

// Known steps: few of them are kept all.
TEST(LastSteps, OfKnownLoops) {
    Variable h = of("f64[]", "h");
    auto body = [](const Step& s) { return StepResult(sin(s.states[0]) + 0.5); };
    auto loops = [&](int64_t steps) {
        Variable all = scan(body, {.outputs_info = {h}, .n_steps = steps}).outputs[0];
        return loops_of({h}, {at(all, {Slice(-2, {})})});
    };
    EXPECT_EQ(loops(20)[0].stacked.size(), 1u);
    ASSERT_EQ(loops(1000).size(), 1u);  // the last two steps are written out
    EXPECT_EQ(constant_value(loops(1000)[0].steps)->item<int64_t>(), 998);
    EXPECT_EQ(loops(1000)[0].stacked.size(), 0u);
}

TEST(LastSteps, TakeConstantMemory) {
    if (watched_memory) GTEST_SKIP() << "the tool keeps what is freed";
    Variable h = of("f64[?]", "h"), n = of("i64[]", "n"), w = of("f64[?,?]", "w");
    auto light = [](const Step& s) { return StepResult({sin(s.states[0]), cos(s.states[0])}); };
    auto heavy = [&](const Step& s) {
        Variable next = tanh(dot(s.states[0], w));
        return StepResult({next, next * 2.0});
    };
    constexpr int64_t steps = 60'000, states = steps * 64 * 8;  // 31 MB
    auto grown = [&](const ScanBody& body, bool all, int64_t count) {
        Variables made = scan(body, {.outputs_info = {h, {}}, .n_steps = n}).outputs;
        FunctionOptions options;
        options.on_unused_input = "ignore";
        Variable some = at(made[0], {all ? Slice(5, {}) : Slice(-5, {})});
        Function f = function({h, n, w}, {some, at(made[1], {-2})}, options);
        auto call = [&](int64_t steps) {
            f.call({numbers({64}), Array::scalar(steps), numbers({64, 64}, 2)});
        };
        call(70);
        return test::growth([&] { call(count); });
    };
    EXPECT_LT(grown(light, false, steps), states / 20);
    EXPECT_LT(grown(heavy, false, steps), states / 20);
    EXPECT_GT(grown(light, true, 2 * steps), states);
}

TEST(EveryKthStep, AloneIsKept) {
    Wave w;
    Variable states = w.made[0], stack = w.made[1];
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice({}, {}, 2)})},
             {at(states, {Slice({}, -2, 2)})},
             {at(states, {Slice(1, {}, 2)}), at(stack, {Slice(3, 40, 2)})},
             {at(states, {Slice(2, {}, 3)}), at(stack, {Slice(2, {}, 3), 1})},
             {at(stack, {Slice(7, 80, 40)})},
             {at(stack, {Slice(39, {}, 40)})},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        auto with = loops_of(w.inputs, outputs);
        EXPECT_EQ(with.size(), 2u);
        EXPECT_EQ(with[0].steps.node().op->name, "floor_div") << pp(with[0].steps);
    }
    for (const Variables& outputs : std::vector<Variables>{
             {at(states, {Slice({}, {}, 2)}), at(stack, {Slice(1, {}, 2)})},
             {at(states, {Slice({}, {}, 2)}), at(stack, {-1})},
             {at(states, {Slice({}, {}, 10)})},
         }) {
        same_for_every_length(w.inputs, outputs, Wave::values);
        EXPECT_EQ(loops_of(w.inputs, outputs).size(), 1u);
    }
}

TEST(EveryKthStep, OfKnownLoops) {
    for (int64_t all : {1, 5, 6, 7, 8})
        steps_run(all, [](auto& v) {
            return Variables{at(v[0], {Slice(2, {}, 3)}), at(v[1], {Slice(5, 7, 3)})};
        });
    auto third = [](auto& v) { return Variables{at(v[0], {Slice(2, {}, 3)})}; };
    EXPECT_EQ(steps_run(300, third, false), (Steps{100}));
}

TEST(EveryKthStep, TakesItsShareOfMemory) {
    if (watched_memory) GTEST_SKIP() << "the tool keeps what is freed";
    Variable h = of("f64[?]", "h"), n = of("i64[]", "n");
    auto body = [](const Step& s) { return StepResult({sin(s.states[0]), cos(s.states[0])}); };
    constexpr int64_t steps = 60'000, states = steps * 64 * 8;  // 31 MB
    auto grown = [&](int64_t every, int64_t count) {
        Variables made = scan(body, {.outputs_info = {h, {}}, .n_steps = n}).outputs;
        Slice some(3, {}, every);
        Function f = function({h, n}, {at(made[0], {some}), at(made[1], {some})});
        auto call = [&](int64_t steps) { f.call({numbers({64}), Array::scalar(steps)}); };
        call(70);
        return test::growth([&] { call(count); });
    };
    EXPECT_LT(grown(100, steps), states / 10);
    EXPECT_GT(grown(10, 4 * steps), states);
}

TEST(PartsOfSteps, AloneAreKept) {
    Variable xs = of("f64[?]", "xs"), w = of("f64[?,?]", "w"), h = of("f64[?,?]", "h");
    auto body = [&](const Step& s) {
        Variable next = tanh(dot(s.states[0], w) + s.sequences[0]);
        return StepResult({next, next * s.states[0]});
    };
    ScanOptions options{.sequences = {xs}, .outputs_info = {h, {}}};
    std::vector<Array> values = {numbers({5}), numbers({4, 4}, 2), numbers({3, 4}, 3)};
    auto parts = [](const Variables& made) {
        return Variables{at(made[0], {everything, 0}), at(made[0], {Slice(1, {}, 2), 0}),
                         at(made[0], {-1, Slice(1, {})}),
                         at(made[1], {everything, everything, Slice(1, 3)})};
    };
    agree(parts(scan(body, options).outputs), parts(unrolled(body, options, 5)), {xs, w, h},
          values);
    auto loops = loops_of({xs, w, h}, parts(scan(body, options).outputs));
    ASSERT_EQ(loops.size(), 1u);
    EXPECT_FALSE(loops[0].traced[0]);
    ASSERT_EQ(loops[0].stacked.size(), 2u);
    EXPECT_EQ(loops[0].stacked[0].rank() + loops[0].stacked[1].rank(), 3);
    // Who reads all, or another part, leaves all.
    for (const Index& other : std::vector<Index>{{everything}, {everything, 1}}) {
        Variables made = scan(body, options).outputs, outputs = parts(made);
        outputs.push_back(at(made[0], other));
        EXPECT_TRUE(loops_of({xs, w, h}, outputs)[0].traced[0]);
    }
}

// A loop of vectors is one kernel, which stores whole values.
TEST(PartsOfSteps, NotIfAKernelWereLost) {
    Wave w;
    Variables outputs{at(w.made[0], {everything, 0})};
    EXPECT_EQ(loops_of(w.inputs, outputs)[0].stacked[0].rank(), 1);
    same_for_every_length(w.inputs, outputs, Wave::values);
}

}  // namespace
}  // namespace croton
