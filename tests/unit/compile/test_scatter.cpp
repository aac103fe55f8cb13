// Updates through positions: the gradient of a lookup never becomes a dense array.
#include <gtest/gtest.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace croton {
namespace {

size_t steps_named(const Function& f, std::string_view op) {
    size_t count = 0;
    for (const auto& step : f.program().steps)
        if (auto host = std::get_if<runtime::ExternStep>(&step.kind)) count += host->op->name == op;
    return count;
}
// Kernels over as many elements as the table has: none is wanted.
bool touches_whole_table(const Function& f) {
    for (const auto& step : f.program().steps)
        if (step.label.find("sub") != std::string::npos &&
            step.label.find("take") == std::string::npos)
            return true;
    return false;
}

TEST(Scatter, AnUpdateTouchesTheNamedRowsOnly) {
    SharedVariable w = shared(Array::of({1., 2., 3., 4., 5., 6.}).reshape({3, 2}), "w");
    Variable i = input(parse_type("i64[?]"), "i"), t = input(parse_type("f64[?,?]"), "t");
    Variable loss = sum(sqr(take(w, i, 0, "raise") - t));
    FunctionOptions options;
    options.updates = {{w, w - grad(loss, w) * 0.25}};
    Function f = function({i, t}, {loss}, options);
    EXPECT_EQ(steps_named(f, "put"), 1u);
    EXPECT_FALSE(touches_whole_table(f)) << f.program().print();
    // Row 2 is named twice: 2 * (w - t) of both is taken off, a quarter of it each.
    auto at = Array::of(std::vector<int64_t>{2, 0, 2}, {3});
    f(at, Array::of({4., 6., 0., 0., 5., 4.}).reshape({3, 2}));
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{0.5, 1, 3, 4, 4.5, 5}));
    // A position out of bounds leaves the table as it was.
    EXPECT_THROW(
        f(Array::of(std::vector<int64_t>{0, 3}, {2}), Array::zeros(DType::Float64, {2, 2})), Error);
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{0.5, 1, 3, 4, 4.5, 5}));
}

const void* memory_of(const SharedVariable& v) { return v.get_value(true).data(); }

TEST(Scatter, AnUpdateIsDoneInTheVariablesOwnMemory) {
    SharedVariable w = shared(Array::zeros(DType::Float32, {50, 7}), "w");
    SharedVariable v = shared(Array::zeros(DType::Float64, {50}), "v");
    Variable i = input(parse_type("i64[?]"), "i"), y = input(parse_type("f32[?,7]"), "y");
    FunctionOptions options;
    options.updates = {{w, inc_subtensor(take(w, i, 0, "raise"), y)},
                       {v, set_subtensor(at(v, {Slice(1, 4)}), 2.5)}};
    Function f = function({i, y}, std::vector<Out>{}, options);
    const void *before = memory_of(w), *other = memory_of(v);
    auto rows = Array::of(std::vector<int64_t>{3, 3, -1}, {3});
    f(rows, Array::of(std::vector<float>(21, 1), {3, 7}));
    EXPECT_EQ(memory_of(w), before);
    EXPECT_EQ(memory_of(v), other);
    EXPECT_EQ(w.get_value().at<float>({3, 6}), 2.0f);
    EXPECT_EQ(w.get_value().at<float>({49, 0}), 1.0f);
    EXPECT_EQ(v.get_value().at<double>({3}), 2.5);
}

// Everything is checked before the first of several tables is written.
TEST(Scatter, AFailingCallLeavesAllTablesAsTheyWere) {
    SharedVariable a = shared(Array::of({1., 2., 3.}), "a"), b = shared(Array::of({4., 5.}), "b");
    Variable i = input(parse_type("i64[?]"), "i");
    FunctionOptions options;
    options.updates = {{a, inc_subtensor(take(a, i, 0, "raise"), 10.0)},
                       {b, inc_subtensor(take(b, i, 0, "raise"), 10.0)}};
    Function f = function({i}, std::vector<Out>{}, options);
    EXPECT_THROW(f(Array::of(std::vector<int64_t>{0, 2}, {2})), Error);
    EXPECT_EQ(a.get_value().to_vector<double>(), (std::vector<double>{1, 2, 3}));
    EXPECT_EQ(b.get_value().to_vector<double>(), (std::vector<double>{4, 5}));
    f(Array::of(std::vector<int64_t>{0, 1}, {2}));
    EXPECT_EQ(a.get_value().to_vector<double>(), (std::vector<double>{11, 12, 3}));
    EXPECT_EQ(b.get_value().to_vector<double>(), (std::vector<double>{14, 15}));
}

// What is written is computed from the old table, which another output still wants.
TEST(Scatter, ATableThatIsReadLaterIsCopied) {
    SharedVariable w = shared(Array::of({1., 2., 3.}), "w");
    Variable i = input(parse_type("i64[?]"), "i");
    FunctionOptions options;
    options.updates = {{w, inc_subtensor(take(w, i, 0, "raise"), 10.0)}};
    Function f = function({i}, {w * 2.0, w}, options);
    auto results = f(Array::of(std::vector<int64_t>{1}, {1}));
    EXPECT_EQ(results[0].to_vector<double>(), (std::vector<double>{2, 4, 6}));
    EXPECT_EQ(results[1].to_vector<double>(), (std::vector<double>{1, 2, 3}));
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{1, 12, 3}));
}

// The gradient of slices is the parts joined: no zeros, no additions.
TEST(Scatter, GradientsOfSlicesAreJoined) {
    Variable v = input(parse_type("f64[?]"), "v");
    Variable cost = at(v, {0}) * sum(sqr(at(v, {Slice(1, 4)}))) + sum(exp(at(v, {Slice(4, {})})));
    Function f = function({v}, {grad(cost, v)});
    EXPECT_EQ(steps_named(f, "set_index"), 0u);
    EXPECT_EQ(steps_named(f, "concatenate"), 1u);
    EXPECT_EQ(steps_named(f, "put"), 0u);
}

// A table from which one element a row is picked is updated at the picked places only.
TEST(Scatter, UpdatesOfPickedElementsTouchNoOthers) {
    SharedVariable w = shared(Array::of({1., 2., 3., 4., 5., 6.}).reshape({3, 2}), "w");
    Variable i = input(parse_type("i64[?]"), "i");
    Variable cost = sum(sqr(at(w, {arange(size_of(i, 0)), i})));
    FunctionOptions options;
    options.updates = {{w, w - grad(cost, w) * 0.25}};
    Function f = function({i}, std::vector<Out>{}, options);
    EXPECT_EQ(steps_named(f, "put"), 1u) << f.program().print();
    f(Array::of(std::vector<int64_t>{1, 0, -1}, {3}));
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{1, 1, 1.5, 4, 5, 3}));
}

// The gradient of picking one element a row is no scatter; calls that pick from fewer rows than
// there are run the general program.
TEST(Scatter, GradientsOfPicksAreComparisons) {
    Variable x = input(parse_type("f64[?,?]"), "x"), i = input(parse_type("i64[?]"), "i");
    Variable cost = sum(sqr(at(x, {arange(size_of(i, 0)), i})));
    Function f = function({x, i}, {grad(cost, x)});
    EXPECT_EQ(steps_named(f, "put"), 0u) << f.program().print();
    Array values = Array::of({1., 2., 3., 4., 5., 6.}).reshape({3, 2});
    auto picked = [&](std::vector<int64_t> positions) {
        auto count = static_cast<int64_t>(positions.size());
        return f(values, Array::of(positions, {count}))[0].to_vector<double>();
    };
    EXPECT_EQ(picked({0, 1, -2}), (std::vector<double>{2, 0, 0, 8, 10, 0}));
    EXPECT_EQ(picked({-1, 0}), (std::vector<double>{0, 4, 6, 0, 0, 0}));
    EXPECT_THROW(picked({0, 1, 2}), Error);
    EXPECT_THROW(picked({0, 1, -3}), Error);
}

}  // namespace
}  // namespace croton
