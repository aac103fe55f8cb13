// What compiling does to loops: each row fires on a graph of its own (loop_examples.cpp), changes
// its loops, and the judge finds the same values as before, errors included.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "croton/base/format.hpp"
#include "croton/compile/loop_rules.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/reference.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/graph/text.hpp"
#include "tests/rules/loop_examples.hpp"

namespace croton::test {
namespace {

Array ramp(const Sizes& shape, double step) {
    Array values = Array::empty(DType::Float64, shape);
    for (int64_t k = 0; k < values.size(); ++k)
        values.data_as<double>()[k] = 0.3 + step * static_cast<double>(k % 11 - 4);
    return values;
}
std::vector<Array> values(int64_t length) {
    return {ramp({length}, 0.07),    ramp({length, 3}, 0.11), ramp({length}, -0.04),
            Array::of<int64_t>({1}), ramp({}, 1.25),          ramp({6}, 0.2)};
}

struct Outcome {
    std::vector<Array> values;
    std::string error;
};
Outcome outcome(const Variables& graph, const Variables& inputs, int64_t length) {
    std::vector<std::pair<Variable, Array>> pairs;
    auto given = values(length);
    for (size_t k = 0; k < inputs.size(); ++k) pairs.emplace_back(inputs[k], given[k]);
    try {
        return {compile::evaluate(graph, pairs), ""};
    } catch (const Error& error) {
        return {{}, error.what()};
    }
}

void expect_same(const Outcome& before, const Outcome& after) {
    ASSERT_EQ(before.error.empty(), after.error.empty()) << before.error << after.error;
    ASSERT_EQ(before.values.size(), after.values.size());
    for (size_t i = 0; i < before.values.size(); ++i) {
        ASSERT_EQ(before.values[i].shape(), after.values[i].shape()) << "output " << i;
        auto a = before.values[i].to_vector<double>(), b = after.values[i].to_vector<double>();
        for (size_t k = 0; k < a.size(); ++k)
            EXPECT_NEAR(a[k], b[k], 1e-12 * (1 + std::abs(a[k]))) << "output " << i;
    }
}

class LoopRules : public testing::TestWithParam<LoopExample> {};

TEST_P(LoopRules, FiresAndKeepsValues) {
    const LoopExample& example = GetParam();
    auto steps = steps_of(example);
    ASSERT_FALSE(steps.empty());
    for (const auto& step : steps) EXPECT_NE(step.before, step.after);
    Leaves leaves;
    Variables graph = example.make(leaves);
    auto named = compile::specialise(leaves.all(), graph, true);
    compile::Mode mode = compile::mode_named("fast");
    Variables made = compile::prepare_loops(named.outputs, mode, nullptr);
    for (int64_t length : {0, 1, 2, 3, 7, 40})
        expect_same(outcome(graph, leaves.all(), length), outcome(made, named.inputs, length));
}
INSTANTIATE_TEST_SUITE_P(Rules, LoopRules, testing::ValuesIn(loop_examples()),
                         [](const auto& info) { return test_name(info.param, info.index); });

// The mode's limit counts rows of loops, and rules inside of bodies, as it does rules around them:
// any number of steps leaves values as they are, and one more does what the explanation says.
TEST_P(LoopRules, AreCounted) {
    const LoopExample& example = GetParam();
    Leaves leaves;
    Variables graph = example.make(leaves);
    auto named = compile::specialise(leaves.all(), graph, true);
    auto events_of = [&](int64_t limit, Variables& made) {
        compile::Mode mode = compile::mode_named("fast").limited(limit);
        std::vector<compile::Event> events;
        compile::Rewriting rewriting{mode, &events};
        made = rewrite_graph(prepare_loops(named.outputs, rewriting), rewriting);
        std::erase_if(events, [](const auto& event) { return event.number == 0; });
        return events;
    };
    Variables made;
    auto all = events_of(-1, made);
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& event) {
        return event.of_loops && event.what == example.rule;
    }));
    Outcome wanted = outcome(graph, leaves.all(), 7);
    for (size_t limit = 0; limit <= all.size(); ++limit) {
        SCOPED_TRACE(limit);
        auto events = events_of(static_cast<int64_t>(limit), made);
        ASSERT_EQ(events.size(), limit);
        for (size_t n = 0; n < limit; ++n) {
            EXPECT_EQ(events[n].number, static_cast<int>(n) + 1);
            EXPECT_EQ(events[n].what, all[n].what);
        }
        expect_same(wanted, outcome(made, named.inputs, 7));
    }
}

// Rows that are left out leave loops as they were.
TEST(LoopRows, CanBeLeftOut) {
    for (const auto& rule : compile::loop_rules()) {
        SCOPED_TRACE(rule.name);
        for (const auto& example : loop_examples()) {
            if (example.rule != rule.name) continue;
            Leaves leaves;
            auto named = compile::specialise(leaves.all(), example.make(leaves), true);
            auto mode = compile::mode_named("fast").excluding({std::string(rule.name)});
            std::vector<compile::Event> events;
            compile::prepare_loops(named.outputs, mode, &events);
            for (const auto& event : events) EXPECT_NE(event.what, rule.name);
        }
    }
}

TEST(LoopRows, EachHasAnExampleAndItsOwnName) {
    std::set<std::string, std::less<>> shown, names;
    for (const auto& example : loop_examples()) shown.insert(example.rule);
    for (const auto& rule : compile::loop_rules()) {
        EXPECT_TRUE(shown.contains(rule.name)) << rule.name;
        EXPECT_TRUE(names.insert(std::string(rule.name)).second) << rule.name;
        EXPECT_FALSE(rule.what.empty()) << rule.name;
    }
    EXPECT_EQ(shown.size(), names.size());
}

}  // namespace
}  // namespace croton::test
