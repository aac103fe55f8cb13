#include "tests/rules/loop_examples.hpp"

#include "croton/base/format.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/special.hpp"

namespace croton::test {

namespace {
Variable last(const Variable& x) { return at(x, {-1}); }

// s -> tanh(s + v[t])
ScanResult walk(const Leaves& l, ScanOptions options = {}) {
    options.sequences = {l.v};
    options.outputs_info = {l.s};
    return scan([](const Step& t) { return StepResult(tanh(t.states[0] + t.sequences[0])); },
                options);
}
}  // namespace

const std::vector<LoopExample>& loop_examples() {
    static const std::vector<LoopExample> all = {
        {"what loops read, rewritten first",
         [](const Leaves& l) {
             auto body = [](const Step& t) { return StepResult(t.states[0] * t.sequences[0]); };
             return Variables{
                 scan(body, {.sequences = {log(exp(l.v))}, .outputs_info = {l.s}}).outputs[0]};
         }},
        {"last step of segments",
         [](const Leaves& l) { return Variables{last(walk(l, {.checkpoint = 2}).outputs[0])}; }},
        {"loops of one body",
         [](const Leaves& l) {
             Variable square = dot(transpose(l.x), l.x), start = at(l.x, {0});
             auto body = [&](const Step& t) {
                 return StepResult(tanh(dot(t.states[0], square)) * t.sequences[0]);
             };
             ScanOptions options{.sequences = {l.v}, .outputs_info = {start}};
             Variable end = sum(last(scan(body, options).outputs[0]));
             return Variables{end, grad(end, start)};
         }},
        {"last value in place of all",
         [](const Leaves& l) { return Variables{last(walk(l).outputs[0])}; }},
        {"what nobody reads of a loop",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 return StepResult({t.states[0] * t.sequences[0], t.states[1] + t.sequences[1],
                                    sin(t.states[0])});
             };
             ScanOptions options{.sequences = {l.v, l.w}, .outputs_info = {l.s, l.s, {}}};
             return Variables{scan(body, options).outputs[0]};
         }},
        {"equal inputs of a loop",
         [](const Leaves& l) {
             auto body = [&](const Step& t) {
                 return StepResult(t.states[0] * t.sequences[0] + sin(t.sequences[1]) * l.s);
             };
             ScanOptions options{.sequences = {l.v, l.v}, .outputs_info = {l.s}};
             return scan(body, options).outputs;
         }},
        {"equal states",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 const Variables& s = t.states;
                 return StepResult({sin(s[0] + t.sequences[0]), sin(s[1] + t.sequences[0]),
                                    s[0] * s[2] - s[1], s[1] * s[2] - s[0], s[3] + s[4]});
             };
             Variable two = l.s * 2;
             ScanOptions options{.sequences = {l.v}, .outputs_info = {l.s, l.s, two, two, l.s}};
             Variables made = scan(body, options).outputs;
             return Variables{made[0], last(made[1]), made[2], made[4]};
         }},
        {"equal results of a loop",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 Variable next = t.states[0] * t.sequences[0];
                 return StepResult({next, next, sin(next), sin(next)});
             };
             return scan(body, {.sequences = {l.v}, .outputs_info = {l.s, {}, {}, {}}}).outputs;
         }},
        {"what no step changes",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 return StepResult(
                     {tanh(t.states[0] * exp(t.states[1])), t.states[1], exp(t.states[1]) + 1.0});
             };
             ScanOptions options{.outputs_info = {l.v, l.w, {}}, .n_steps = size_of(l.x, 0)};
             return scan(body, options).outputs;
         }},
        {"what no step changes",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 return StepResult({t.states[1], t.states[0]}, {}, gt(sum(t.sequences[0]), 0.5));
             };
             ScanOptions options{.sequences = {l.x}, .outputs_info = {l.s, l.s}};
             return scan(body, options).outputs;
         }},
        {"steps behind the last one read",
         [](const Leaves& l) { return Variables{at(walk(l).outputs[0], {Slice(1, 5)})}; }},
        {"steps behind the last one read",
         [](const Leaves& l) {
             Variable all = walk(l).outputs[0];
             return Variables{at(all, {Slice({}, size_of(l.six, 0))}), at(all, {2})};
         }},
        {"steps behind the last one read",
         [](const Leaves& l) {
             Variable all = walk(l).outputs[0], back = at(all, {Slice({}, {}, -1)});
             return Variables{at(all, {Slice(1, -4, 2)}), at(back, {Slice(3, -1)})};
         }},
        {"steps behind the last one read",
         [](const Leaves& l) {
             Variable slope = grad(last(walk(l).outputs[0]), l.v);
             return Variables{at(slope, {Slice(-3, -1)})};
         }},
        {"last steps in place of all",
         [](const Leaves& l) { return Variables{at(walk(l).outputs[0], {Slice(-3, {})})}; }},
        {"last steps in place of all",
         [](const Leaves& l) {
             auto body = [](const Step& t) { return StepResult(sin(t.states[0] + 1)); };
             Variable all = scan(body, {.outputs_info = {l.v}, .n_steps = 90}).outputs[0];
             return Variables{at(all, {Slice(70, 80)}), at(all, {75})};
         }},
        {"last steps in place of all",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 return StepResult({sin(t.states[0] + t.sequences[0]), t.states[0] * 2});
             };
             ScanOptions options{.sequences = {l.v}, .outputs_info = {l.s, {}}};
             Variables made = scan(body, options).outputs;
             return Variables{at(made[0], {Slice(-4, -1)}), at(made[1], {-2})};
         }},
        {"last steps in place of all",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 Variable next = t.states[0] * 0.5 + t.sequences[0];
                 return StepResult(Variables{next}, {}, lt(next, 0.3));
             };
             Variable all = scan(body, {.sequences = {l.v}, .outputs_info = {l.s}}).outputs[0];
             return Variables{at(all, {Slice(-3, {})}), at(all, {-1})};
         }},
        {"every k-th step",
         [](const Leaves& l) { return Variables{at(walk(l).outputs[0], {Slice({}, {}, 3)})}; }},
        {"every k-th step",
         [](const Leaves& l) {
             auto body = [](const Step& t) {
                 Variable next = tanh(t.states[0] + t.sequences[0]);
                 return StepResult({next, next * t.states[0]});
             };
             ScanOptions options{.sequences = {l.v}, .outputs_info = {l.s, {}}};
             Variables made = scan(body, options).outputs;
             return Variables{at(made[0], {Slice(5, {}, 4)}), at(made[1], {Slice(1, 30, 4)})};
         }},
        {"few steps written out",
         [](const Leaves& l) {
             auto body = [](const Step& t) { return StepResult(sin(t.states[0])); };
             return Variables{scan(body, {.outputs_info = {l.v}, .n_steps = 3}).outputs[0]};
         }},
        {"work moved out of a loop",
         [](const Leaves& l) {
             Variable square = dot(transpose(l.x), l.x);
             auto body = [&](const Step& t) {
                 return StepResult(tanh(t.states[0] + dot(t.sequences[0], square)));
             };
             ScanOptions options{.sequences = {l.x}, .outputs_info = {at(l.x, {0})}};
             return Variables{last(scan(body, options).outputs[0])};
         }},
        {"part of each step",
         [](const Leaves& l) {
             auto body = [&](const Step& t) {
                 return StepResult(tanh(dot(t.states[0], dot(transpose(l.x), l.x))));
             };
             ScanOptions options{.sequences = {l.v}, .outputs_info = {at(l.x, {0})}};
             Variable all = scan(body, options).outputs[0];
             return Variables{at(all, {everything, 0}), at(all, {Slice(2, {}, 2), 0})};
         }},
        {"loops over one length",
         [](const Leaves& l) {
             auto grow = [](const Step& t) { return StepResult(t.states[0] * t.sequences[0]); };
             auto turn = [](const Step& t) {
                 return StepResult(sin(t.states[0] + t.sequences[0]));
             };
             ScanOptions options{.sequences = {l.v}, .outputs_info = {l.s}};
             return Variables{scan(grow, options).outputs[0], scan(turn, options).outputs[0]};
         }},
        {"recurrences of one number",
         [](const Leaves& l) {
             auto body = [](const Step& t) { return StepResult(t.states[0] * t.sequences[0] + 1); };
             ScanOptions options{.sequences = {l.v}, .outputs_info = {l.s}};
             return Variables{scan(body, options).outputs[0]};
         }},
        {"stacks in place of traces", [](const Leaves& l) { return walk(l).outputs; }},
        {"elements of small arrays",
         [](const Leaves& l) {
             Variable pair = at(l.six, {Slice(0, 2)});
             auto body = [&](const Step& t) {
                 return StepResult(sin(at(t.states[0], {Slice({}, {}, -1)}) * t.sequences[0]));
             };
             return scan(body, {.sequences = {l.v}, .outputs_info = {pair}}).outputs;
         }},
    };
    return all;
}

std::string test_name(const LoopExample& example, size_t place) {
    return test_name(Example{example.rule, nullptr}, place);
}

std::vector<LoopStep> steps_of(const LoopExample& example) {
    Leaves leaves;
    auto named = compile::specialise(leaves.all(), example.make(leaves), true);
    std::vector<compile::Event> events;
    compile::prepare_loops(named.outputs, compile::mode_named("fast"), &events);
    std::vector<LoopStep> steps;
    for (const auto& event : events)
        if (event.what == example.rule) steps.push_back({event.before, event.after});
    return steps;
}

}  // namespace croton::test
