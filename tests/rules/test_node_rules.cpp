// Rules that no pattern can say: each fires on a graph of its own (examples.cpp), and the judge
// finds the same values as before, errors included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "croton/base/format.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/compile/reference.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/tables.hpp"
#include "tests/rules/examples.hpp"

namespace croton::test {
namespace {

// Values of the leaves: some way up a ramp, with what is at the edges strewn in where asked for.
class Values {
  public:
    Values(DType real, bool edges) : real_(real), edges_(edges) {}

    std::vector<Array> operator()(int64_t v_size, const std::vector<int64_t>& positions) const {
        auto count = static_cast<int64_t>(positions.size());
        return {ramp({v_size}, 0.7),           ramp({count, 5}, 0.11), ramp({v_size}, -0.4),
                Array::of(positions, {count}), ramp({}, 1.25),         ramp({6}, 0.2)};
    }

  private:
    Array ramp(const Sizes& shape, double step) const {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const std::vector<double> edges = {0.0, -infinity, -1e8, 1, NAN, -0.0, infinity, -2};
        std::vector<double> numbers(static_cast<size_t>(element_count(shape)));
        for (size_t k = 0; k < numbers.size(); ++k) {
            numbers[k] = 0.3 + step * static_cast<double>(k);
            if (edges_ && k % 2 == 1) numbers[k] = edges[(k / 2 + shape.size()) % edges.size()];
        }
        return Array::of(numbers, shape).cast(real_);
    }
    DType real_;
    bool edges_;
};

struct Outcome {
    Array value;
    std::string error;
};
Outcome value_of(const Variable& graph, const Leaves& leaves, const std::vector<Array>& given) {
    std::vector<std::pair<Variable, Array>> pairs;
    Variables inputs = leaves.all();
    for (size_t k = 0; k < inputs.size(); ++k) pairs.emplace_back(inputs[k], given[k]);
    try {
        return {compile::evaluate({graph}, pairs)[0], ""};
    } catch (const Error& error) {
        return {Array(), error.what()};
    }
}

// Where the value was no number a rule may know a better one.
void expect_same(const Outcome& before, const Outcome& after, double allowed) {
    ASSERT_EQ(before.error.empty(), after.error.empty()) << before.error << after.error;
    if (!before.error.empty()) return;
    ASSERT_EQ(shape_text(before.value.shape()), shape_text(after.value.shape()));
    ASSERT_EQ(before.value.dtype(), after.value.dtype());
    auto a = before.value.to_vector<double>(), b = after.value.to_vector<double>();
    for (size_t k = 0; k < a.size(); ++k)
        if (std::isfinite(a[k])) {
            EXPECT_NEAR(a[k], b[k], allowed * (1 + std::abs(a[k]))) << k;
        }
}

class NodeRules : public testing::TestWithParam<Example> {};

void expect_fires_and_keeps_values(const Example& example, DType real) {
    SCOPED_TRACE(dtype_name(real));
    Leaves leaves{std::string(dtype_short(real))};
    Variable graph = example.make(leaves);
    auto named = compile::specialise(leaves.all(), {graph}, true);
    std::vector<compile::Event> events;
    auto rewritten = compile::rewrite_graph(named.outputs, compile::mode_named("fast"), &events)[0];
    auto fired = std::count_if(events.begin(), events.end(),
                               [&](const auto& event) { return event.what == example.rule; });
    EXPECT_GT(fired, 0) << print({rewritten});
    double allowed = real == DType::Float64 ? 1e-12 : 1e-4;
    for (bool edges : {false, true}) {
        Values values(real, edges);
        for (const auto& given : {values(9, {0, 4, -1, 2}), values(6, {1}), values(3, {0, 1}),
                                  values(9, {0, 5, 1}), values(9, {0, -6, 1}), values(0, {})})
            expect_same(value_of(graph, leaves, given),
                        value_of(rewritten, Leaves(named.inputs), given), allowed);
    }
}

TEST_P(NodeRules, FiresAndKeepsValues) {
    for (DType real : {DType::Float64, DType::Float32})
        expect_fires_and_keeps_values(GetParam(), real);
}

INSTANTIATE_TEST_SUITE_P(Rules, NodeRules, testing::ValuesIn(examples()),
                         [](const auto& info) { return test_name(info.param, info.index); });

// Graphs of sizes compute no values: all that is left is read off the inputs.
TEST(Sizes, NeedNoValues) {
    Leaves l;
    Variable product = matmul(l.x, transpose(l.x)), parts = concatenate({l.v, sin(l.w), l.six});
    const Variables asked = {
        size(exp(product)),
        size_of(parts, 0),
        size_of(at(parts, {Slice(2, -1)}), 0),
        size_of(take(softmax(l.x), l.i), 0) + size_of(take(softmax(l.x), l.i), 1),
        sum(shape(tile(l.v, {2}))),
        count(sum(exp(l.x), Ints{1}, true)),
    };
    for (const Variable& size : asked) {
        auto named = compile::specialise(l.all(), {size}, true);
        auto rewritten =
            compile::rewrite_graph(named.outputs, compile::mode_named("fast"), nullptr);
        for (const Node* node : toposort(rewritten))
            if (node->kind == NodeKind::Apply) {
                EXPECT_TRUE(node->types[0].dims.empty()) << print(rewritten);
            }
    }
}

TEST(NodeRuleExamples, EachRuleHasOne) {
    std::set<std::string> shown;
    for (const Example& example : examples()) shown.insert(example.rule);
    for (const auto& rule : rules::node_rules())
        EXPECT_TRUE(shown.contains(std::string(rule.name))) << rule.name;
}

}  // namespace
}  // namespace croton::test
