// Rules about parts of arrays that no pattern can say: each fires on a graph of its own, and the
// judge finds the same values as before, errors included.
#include <gtest/gtest.h>

#include <functional>

#include "croton/api/function.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/compile/reference.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace croton {
namespace {

struct Leaves {
    Variable v = input(parse_type("f64[?]"), "v"), x = input(parse_type("f64[?,?]"), "x"),
             w = input(parse_type("f64[?]"), "w"), i = input(parse_type("i64[?]"), "i"),
             s = input(parse_type("f64[]"), "s"), six = input(parse_type("f64[6]"), "six");
    Variables all() const { return {v, x, w, i, s, six}; }
};

struct Row {
    std::string rule;
    std::function<Variable(const Leaves&)> make;
};

std::vector<Array> values(int64_t v_size, std::vector<int64_t> positions) {
    auto ramp = [](Sizes shape, double step) {
        std::vector<double> numbers(static_cast<size_t>(element_count(shape)));
        for (size_t k = 0; k < numbers.size(); ++k)
            numbers[k] = 0.3 + step * static_cast<double>(k);
        return Array::of(numbers, shape);
    };
    auto count = static_cast<int64_t>(positions.size());
    return {ramp({v_size}, 0.7),           ramp({count, 5}, 0.11), ramp({v_size}, -0.4),
            Array::of(positions, {count}), Array::scalar(1.25),    ramp({6}, 0.2)};
}

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

void expect_same(const Outcome& before, const Outcome& after) {
    ASSERT_EQ(before.error.empty(), after.error.empty()) << before.error << after.error;
    if (!before.error.empty()) return;
    ASSERT_EQ(shape_text(before.value.shape()), shape_text(after.value.shape()));
    auto a = before.value.to_vector<double>(), b = after.value.to_vector<double>();
    for (size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-12 * (1 + std::abs(a[k])));
}

class Parts : public testing::TestWithParam<Row> {};

TEST_P(Parts, FiresAndKeepsValues) {
    Leaves leaves;
    Variable graph = GetParam().make(leaves);
    auto named = compile::specialise(leaves.all(), {graph}, true);
    std::vector<compile::Event> events;
    auto rewritten = compile::rewrite_graph(named.outputs, compile::mode_named("fast"), &events)[0];
    auto fired = std::count_if(events.begin(), events.end(),
                               [](const auto& event) { return event.what == GetParam().rule; });
    EXPECT_GT(fired, 0) << print({rewritten});
    Leaves renamed{named.inputs[0], named.inputs[1], named.inputs[2],
                   named.inputs[3], named.inputs[4], named.inputs[5]};
    for (const auto& given : {values(9, {0, 4, -1, 2}), values(6, {1}), values(3, {0, 1}),
                              values(9, {0, 5, 1}), values(9, {0, -6, 1})})
        expect_same(value_of(graph, leaves, given), value_of(rewritten, renamed, given));
}

Variable gradient(const Variable& cost, const Variable& wrt) { return grad(cost, wrt); }
Variable slice(const Variable& x, SliceEnd from, SliceEnd to) { return at(x, {Slice(from, to)}); }
Variable picked(const Variable& x, const Variable& i) { return at(x, {arange(size_of(i, 0)), i}); }

const std::vector<Row> rows = {
    {"write of everything or nothing",
     [](const Leaves& l) { return set_subtensor(at(l.v, {everything}), l.w); }},
    {"write of everything or nothing",
     [](const Leaves& l) { return inc_subtensor(at(l.v, {everything}), l.s); }},
    {"write of everything or nothing",
     [](const Leaves& l) { return inc_subtensor(slice(l.v, 1, 3), 0.0); }},
    {"write of everything or nothing",
     [](const Leaves& l) { return set_subtensor(slice(l.v, 1, 3), slice(l.v, 1, 3)); }},
    {"write after write",
     [](const Leaves& l) {
         Variable once = set_subtensor(slice(l.v, 1, 3), l.s);
         return set_subtensor(slice(once, 1, 3), 2 * l.s);
     }},
    {"write after write",
     [](const Leaves& l) {
         Variable once = inc_subtensor(slice(l.v, 1, 3), sqr(slice(l.v, 1, 3)));
         return inc_subtensor(slice(once, 1, 3), sqr(slice(l.v, 1, 3)));
     }},
    {"write after write",
     [](const Leaves& l) {
         Variable once = set_subtensor(slice(l.v, 1, 3), l.s);
         return inc_subtensor(slice(once, 1, 3), sqr(slice(l.v, 1, 3)));
     }},
    {"parts of zeros joined",
     [](const Leaves& l) {
         return gradient(at(l.v, {0}) * sum(sqr(slice(l.v, 1, 4))) + sum(exp(slice(l.v, 4, {}))),
                         l.v);
     }},
    // Gaps before, between and behind; a part that is a number for all of its elements.
    {"parts of zeros joined",
     [](const Leaves& l) {
         return gradient(sum(sqr(slice(l.v, 1, 2))) + 3.0 * sum(slice(l.v, 4, 6)), l.v);
     }},
    {"parts of zeros joined",
     [](const Leaves& l) {
         return gradient(sum(sqr(slice(l.six, -2, {}))) + sum(exp(slice(l.six, 0, -3))), l.six);
     }},
    {"parts of zeros joined",
     [](const Leaves& l) {
         return gradient(
             sum(sqr(at(l.x, {everything, 0}))) + sum(exp(at(l.x, {everything, Slice(1, 3)}))),
             l.x);
     }},
    // Positions that may be out of bounds without anybody reading them.
    {"parts of zeros joined",
     [](const Leaves& l) { return gradient(2.0 * at(l.v, {7}) + 3.0 * at(l.v, {0}), l.v); }},
    {"same part of zeros twice",
     [](const Leaves& l) {
         Variable zeros = zeros_like(l.v);
         return inc_subtensor(slice(zeros, 1, 3), l.s) + inc_subtensor(slice(zeros, 1, 3), 2 * l.s);
     }},
    {"part of zeros added",
     [](const Leaves& l) { return gradient(sum(exp(l.v)) + sum(sqr(slice(l.v, 1, 3))), l.v); }},
    {"positions compared instead of written",
     [](const Leaves& l) { return gradient(sum(sqr(picked(l.x, l.i))), l.x); }},
    {"positions compared instead of written",
     [](const Leaves& l) {
         return gradient(sum(sqr(take_along_axis(l.x, expand_dims(l.i, 1), 1))), l.x);
     }},
    {"sum over the axis that is picked from",
     [](const Leaves& l) { return gradient(sum(picked(log_softmax(l.x, 1), l.i)), l.x); }},
    {"computed where it is picked",
     [](const Leaves& l) { return picked(log_softmax(l.x, 1), l.i); }},
    {"computed where it is picked along an axis",
     [](const Leaves& l) { return take_along_axis(log_softmax(l.x, 1), expand_dims(l.i, 1), 1); }},
    {"part of a part", [](const Leaves& l) { return slice(slice(l.v, 1, {}), 1, 5); }},
    {"part of a part", [](const Leaves& l) { return at(slice(l.v, 2, 4), {1}); }},
    {"part of a part",
     [](const Leaves& l) { return at(at(l.six, {Slice({}, {}, 2)}), {Slice(1, {}, 2)}); }},
    {"part of a part",
     [](const Leaves& l) { return at(at(l.x, {Slice(1, {}), 2}), {Slice(0, 2)}); }},
    {"part of what is computed", [](const Leaves& l) { return slice(sin(l.v) * l.s, 1, 3); }},
    {"part of what is computed",
     [](const Leaves& l) {
         Variable column = expand_dims(at(l.x, {everything, 0}), 1);
         return at(sin(l.x) * column, {0, Slice(1, 3)});
     }},
    {"part of axes moved",
     [](const Leaves& l) { return at(transpose(sin(l.x)), {Slice(1, 3), 0}); }},
    {"part of axes moved",
     [](const Leaves& l) { return at(expand_dims(l.x, 1), {Slice(0, 2), 0, Slice(1, {})}); }},
    {"part of a reduction", [](const Leaves& l) { return slice(sum(l.x, Ints{1}), 1, 3); }},
    {"part of a reduction", [](const Leaves& l) { return at(max(l.x, Ints{0}), {2}); }},
    {"part of a reduction",
     [](const Leaves& l) { return at(sum(l.x, Ints{1}, true), {Slice(0, 2)}); }},
    {"part of one value", [](const Leaves& l) { return slice(full_like(l.v, l.s), 1, 3) + 1.0; }},
    {"part of a product",
     [](const Leaves& l) { return at(matmul(l.x, transpose(l.x)), {Slice(0, 2), Slice(1, {})}); }},
    {"part of what was written",
     [](const Leaves& l) { return slice(set_subtensor(slice(l.v, 1, 3), l.s), 1, 3); }},
    {"part of what was written",
     [](const Leaves& l) { return slice(inc_subtensor(slice(l.v, 1, 3), l.s), 1, 3); }},
    {"part of what was written",
     [](const Leaves& l) { return slice(set_subtensor(slice(l.v, 1, 3), l.s), 3, {}); }},
    {"part of a join", [](const Leaves& l) { return slice(concatenate({l.six, l.v}), 1, 5); }},
    {"part of a join", [](const Leaves& l) { return at(concatenate({l.six, l.v}), {8}); }},
    {"part of a join",
     [](const Leaves& l) { return at(concatenate({l.x, sin(l.x)}, 0), {everything, 2}); }},
    {"element of a vector",
     [](const Leaves& l) { return at(shape(l.x), {0}) + at(shape(l.x), {-1}); }},
    {"element of a vector",
     [](const Leaves& l) { return at(make_vector({l.s, 2 * l.s, l.s + 1}), {Slice(1, {})}); }},
    {"take of one position", [](const Leaves& l) { return take(l.x, at(l.i, {0}), 1, "raise"); }},
    {"join of joins",
     [](const Leaves& l) { return concatenate({concatenate({l.v, l.six}), l.w}); }},
    {"fold of a join", [](const Leaves& l) { return sum(concatenate({l.v, l.six})); }},
};

INSTANTIATE_TEST_SUITE_P(Rules, Parts, testing::ValuesIn(rows), [](const auto& info) {
    std::string name = cat(info.index, "_", info.param.rule);
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

}  // namespace
}  // namespace croton
