// Loops that cannot be.
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

Rows loop_rows() {
    return {
        {"sequences of different lengths under strict",
         Value,
         [] {
             auto x = vector<double>("x"), y = vector<double>("y");
             ScanResult r =
                 scan([](const Step& s) { return StepResult(s.sequences[0] + s.sequences[1]); },
                      {.sequences = {x, y}, .strict = true});
             function({x, y}, {r.outputs[0]}).call({counting({3}), counting({4})});
         },
         {"different lengths", "'x'", "'y'", "strict",
          line("scan([](const Step& s) { return StepResult(s.sequences[0] + s.sequences[1])")}},
        {"a state that grows",
         Shape,
         [] {
             auto h = vector<double>("h");
             auto n = scalar<int64_t>("n");
             ScanResult r = scan(
                 [](const Step& s) { return StepResult(concatenate({s.states[0], s.states[0]})); },
                 {.outputs_info = {h}, .n_steps = n});
             function({h, n}, {at(r.outputs[0], {-1})})
                 .call({counting({3}), Array::scalar<int64_t>(2)});
         },
         {"in step 0 of 2", "the state 'h'", "(6,)", "(3,)"}},
        {"a state that changes its dtype",
         Type,
         [] {
             auto x = vector<double>("x");
             auto h = scalar<float>("h");
             scan([](const Step& s) { return StepResult(s.states[0] + s.sequences[0]); },
                  {.sequences = {x}, .outputs_info = {h}});
         },
         {"the state 'h'", "f32[]", "f64[]", "cast", line("s.states[0] + s.sequences[0]")}},
        {"a step that fails",
         Index,
         [] {
             auto table = vector<double>("table");
             auto n = scalar<int64_t>("n");
             auto body = [&](const Step& s) {
                 Variable found = at(table, {s.sequences[0]});
                 return StepResult(found);
             };
             ScanResult r = map(body, {arange(n)}, {.name = "walk"});
             function({table, n}, {r.outputs[0]}).call({counting({3}), Array::scalar<int64_t>(4)});
         },
         {"in step 3 of 4 of walk", "index 3", "size 3", line("at(table"), line("table = vector")}},
        {"a state that changes its size in a loop of few steps",
         Shape,
         [] {
             auto h = vector<double>("h");
             auto twice = [](const Step& s) {
                 return StepResult(concatenate({s.states[0], s.states[0]}));
             };
             ScanResult r = scan(twice, {.outputs_info = {h}, .n_steps = 3, .name = "walk"});
             function({h}, {r.outputs[0]}).call({counting({2})});
         },
         {"in step 0 of 3 of walk", "the state 'h' has shape (4,), it had shape (2,) before",
          line("scan(twice"), line("h = vector")}},
        {"a result that changes its size in a loop of few steps",
         Shape,
         [] {
             auto h = vector<double>("h");
             auto body = [&](const Step& s) {
                 return StepResult(at(h, {Slice(s.sequences[0], {})}));
             };
             ScanResult r = scan(body, {.sequences = {arange(3)}, .name = "walk"});
             function({h}, {r.outputs[0]}).call({counting({7})});
         },
         {"in step 1 of 3 of walk", "has shape (6,), it had shape (7,) before",
          line("at(h, {Slice(s"), line("scan(body"), line("h = vector")}},
        {"a sequence too short for its taps",
         Value,
         [] {
             auto x = vector<double>("x");
             ScanResult r =
                 scan([](const Step& s) { return StepResult(s.sequences[0] + s.sequences[1]); },
                      {.sequences = {{x, {-2, 2}}}});
             function({x}, {r.outputs[0]}).call({counting({3})});
         },
         {"'x'", "too short", "5 positions", "(3,)"}},
        {"negative steps",
         Value,
         [] {
             auto n = scalar<int64_t>("n");
             auto x = scalar<double>("x");
             auto body = [](const Variable&, const Variables& s) { return Variables{s[0] * 2.0}; };
             Variables r = for_loop(n, {x}, body);
             function({n, x}, {r[0]}).call({Array::scalar<int64_t>(-4), Array::scalar(1.0)});
         },
         {"-4 steps", line("for_loop(")}},
        {"a shared variable not passed under strict",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto w = shared(Array::scalar(2.0), "w");
             scan([&](const Step& s) { return StepResult(s.sequences[0] * w); },
                  {.sequences = {x}, .strict = true});
         },
         {"shared variable 'w'", line("auto w"), "non_sequences", "strict"}},
        {"a tap of the present",
         Usage,
         [] {
             auto h = vector<double>("h");
             scan([](const Step& s) { return StepResult(s.states[0]); },
                  {.sequences = {h}, .outputs_info = {{h, {0}}}});
         },
         {"taps of outputs are negative", "'h'"}},
        {"a loop without an end",
         Usage,
         [] { scan([](const Step&) { return StepResult(); }, {}); },
         {"neither sequences nor n_steps"}},
        {"two ways to choose checkpoints",
         Usage,
         [] {
             auto x = vector<double>("x");
             scan([](const Step& s) { return StepResult(s.sequences[0]); },
                  {.sequences = {x}, .checkpoint = 2, .checkpoint_bytes = 100});
         },
         {"checkpoint_bytes"}},
        {"a body of a for_loop that loses a state",
         Usage,
         [] {
             auto x = scalar<double>("x");
             for_loop(3, {x, x},
                      [](const Variable&, const Variables& s) { return Variables{s[0]}; });
         },
         {"for_loop", "1 values for 2 states"}},
        {"a while_loop that asks for a number",
         Type,
         [] {
             auto x = scalar<double>("x");
             while_loop([](const Variables& s) { return s[0] * 2.0; },
                        [](const Variables& s) { return s; }, {x});
         },
         {"while_loop", "bool scalar", line("s[0] * 2.0")}},
    };
}

}  // namespace croton::test
