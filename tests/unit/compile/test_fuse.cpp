// What shares a kernel, and that sharing changes no value.
#include <gtest/gtest.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace croton {
namespace {

Variable matrix(const char* name, const char* type = "f64[?,?]") {
    return input(parse_type(type), name);
}

Array ramp(Sizes shape, double start = -1, double step = 0.37) {
    std::vector<double> values(static_cast<size_t>(element_count(shape)));
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = start + step * static_cast<double>(i % 17);
    return Array::of(values, shape);
}

size_t kernels(const Function& f) {
    size_t count = 0;
    for (const auto& step : f.program().steps) count += step.kernel() != nullptr;
    return count;
}

Mode mode(const char* backend, bool fused) {
    Mode m = compile::mode_named("fast");
    m.backend = backend;
    m.fuse = fused;
    return m;
}

// Values with and without fusion, on both back ends, against quick mode.
void expect_same(const std::vector<In>& inputs, const std::vector<Out>& outputs,
                 const std::vector<Array>& values) {
    std::vector<std::optional<Array>> arguments(values.begin(), values.end());
    auto expected =
        function(inputs, outputs, {.mode = compile::mode_named("quick")}).call(arguments);
    for (const char* backend : {"interp", "cpu"})
        for (bool fused : {false, true}) {
            auto found = function(inputs, outputs, {.mode = mode(backend, fused)}).call(arguments);
            for (size_t i = 0; i < expected.size(); ++i) {
                ASSERT_EQ(shape_text(expected[i].shape()), shape_text(found[i].shape()));
                auto a = expected[i].to_vector<double>(), b = found[i].to_vector<double>();
                for (size_t k = 0; k < a.size(); ++k)
                    ASSERT_NEAR(a[k], b[k], 1e-12 * (1 + std::abs(a[k])))
                        << backend << " fused " << fused << " output " << i;
            }
        }
}

TEST(Fuse, ElementwiseChainIsOneKernel) {
    auto x = matrix("x"), y = matrix("y");
    auto z = tanh(x * y + 1) / (2 + exp(-x));
    auto f = function({x, y}, z);
    EXPECT_EQ(kernels(f), 1u);
    expect_same({x, y}, {z}, {ramp({3, 5}), ramp({3, 5}, 2)});
}

TEST(Fuse, TreesAreOneKernel) {
    auto x = matrix("x", "f64[n,m]"), y = matrix("y", "f64[n,m]"), z = matrix("z", "f64[n,m]");
    auto tree = tanh(x * y + 1) * exp(-sqr(y)) / (1 + sqr(z)) + cos(x) * sin(z);
    EXPECT_EQ(kernels(function({x, y, z}, tree)), 1u);
    expect_same({x, y, z}, {tree}, {ramp({3, 5}), ramp({3, 5}, 2), ramp({3, 5}, 0.1)});
}

TEST(Fuse, WhatStandsBetweenKeepsApart) {
    // The product stands between exp(x) and its own reader, which may not share a loop with exp(x).
    auto x = matrix("x", "f64[n,n]");
    Variable e = exp(x), p = dot(e, x), last = p + e;
    auto f = function({x}, last);
    EXPECT_EQ(kernels(f), 2u);
    expect_same({x}, {last}, {ramp({4, 4})});
}

TEST(Fuse, CheapValuesAreComputedAnewByTheirReaders) {
    // The centred values feed sums over rows and over columns: nobody stores them.
    auto x = matrix("x", "f64[n,m]");
    Variable centred = x - mean(x, {1}, true);
    auto f = function({x}, std::vector<Out>{sum(sqr(centred), {1}), sum(centred * x, {0})});
    EXPECT_EQ(kernels(f), 2u);  // the other one divides by the number of columns
    for (const auto& value : f.program().values) {
        bool whole = value.type.rank() == 2 && !value.type.dims[1].is_one();
        EXPECT_FALSE(whole && value.place == runtime::Place::Slot) << value.type.text();
    }
    expect_same({x}, {sum(sqr(centred), {1}), sum(centred * x, {0})}, {ramp({4, 7})});
}

TEST(Fuse, MakersMayLoseValuesToTheirReaders) {
    // Layer normalisation's product of unit and dy is left in the sums over columns alone.
    auto x = matrix("x", "f64[n,m]"), dy = matrix("dy", "f64[n,m]");
    Variable centred = x - mean(x, {1}, true);
    Variable unit = centred / sqrt(mean(sqr(centred), {1}, true) + 1e-5);
    Variable product = dy * unit, dx = dy - unit * mean(product, {1}, true);
    auto f = function({x, dy}, std::vector<Out>{dx, sum(product, {0}), sum(dy, {0})});
    EXPECT_EQ(kernels(f), 3u);  // rows and columns, and two numbers of columns
    for (const auto& value : f.program().values) {
        bool whole = value.type.rank() == 2 && !value.type.dims[1].is_one();
        EXPECT_FALSE(whole && value.place == runtime::Place::Slot) << value.type.text();
    }
    expect_same({x, dy}, {dx, sum(product, {0}), sum(dy, {0})}, {ramp({5, 7}), ramp({5, 7}, 0.3)});
}

TEST(Fuse, AValueReadAsItIsAndTurnedIsRightInBothPlaces) {
    auto x = matrix("x", "f64[n,n]");
    Variable v = 1.5 / (sqr(x) + 1), turned = transpose(v);
    expect_same({x}, {v / (abs(turned) + 0.5)}, {ramp({5, 5})});
}

TEST(Fuse, PositionsOfExtremesFollowTheNodesAxes) {
    auto x = matrix("x", "f64[n,m,k]");
    Variable turned = dimshuffle(sqr(x), {2, 0, 1});
    for (auto axes : {Ints{0, 1}, Ints{0, 2}, Ints{1, 2}})
        expect_same({x}, {argmax(turned, axes)}, {ramp({3, 4, 5})});
}

TEST(Fuse, ValuesOfTheKeptAxesComeBeforeTheFirstReduction) {
    auto x = matrix("x", "f64[n,m]");
    auto w = input(parse_type("f64[n]"), "w");
    auto s = sum(x * dimshuffle(exp(w), {0, -1}), {1});
    EXPECT_EQ(kernels(function({x, w}, s)), 1u);
    expect_same({x, w}, {s}, {ramp({4, 7}), ramp({4}, 0.3)});
}

TEST(Fuse, ProducersOfReductionsJoin) {
    auto x = matrix("x");
    auto s = sum(sqr(x - 1), {1});
    EXPECT_EQ(kernels(function({x}, s)), 1u);
    expect_same({x}, {s}, {ramp({4, 7})});
}

TEST(Fuse, ReductionsKeepEpilogues) {
    auto x = matrix("x");
    auto s = log(sum(sqr(x) + 1, {0})) * 2;
    EXPECT_EQ(kernels(function({x}, s)), 1u);
    expect_same({x}, {s}, {ramp({4, 7})});
}

TEST(Fuse, SoftmaxOverRowsIsOneKernel) {
    auto x = matrix("x");
    EXPECT_EQ(kernels(function({x}, softmax(x))), 1u);
    expect_same({x}, {softmax(x), log_softmax(x)}, {ramp({4, 9})});
}

// From what is known at build time: arrays lie row-major, for all that anybody knows.
TEST(Fuse, KernelsSayHowTheElementsTheyFoldProbablyLie) {
    auto folding = [](const char* type, const Axes& axes, bool transposed = false) {
        auto x = input(parse_type(type), "x");
        auto f = function({x}, sum(exp(transposed ? transpose(x) : x), axes));
        return f.program().kernels.at(0).folding;
    };
    using kernel::Folding;
    EXPECT_EQ(folding("f64[?,?]", {0}), Folding::Columns);
    EXPECT_EQ(folding("f64[?,?]", {1}), Folding::Unknown) << "rows may be short";
    EXPECT_EQ(folding("f64[?,10]", {1}), Folding::Columns) << "they are";
    EXPECT_EQ(folding("f64[?,1000]", {1}), Folding::Rows);
    EXPECT_EQ(folding("f64[?,1000]", {0}, true), Folding::Unknown) << "views lie any way";
}

size_t opcodes(const Function& f, kernel::OpCode op) {
    size_t count = 0;
    for (const auto& kernel : f.program().kernels)
        for (const auto& section : kernel.sections)
            for (const auto& i : section.body) count += i.op == op;
    return count;
}

TEST(Fuse, CostlyValuesAreKeptBetweenPasses) {
    auto x = matrix("x");
    EXPECT_EQ(opcodes(function({x}, softmax(x)), kernel::OpCode::exp_), 1u);
    auto z = tanh(x) - mean(tanh(x), {1}, true);
    EXPECT_EQ(opcodes(function({x}, z / sqrt(sum(sqr(z), {1}, true))), kernel::OpCode::tanh_), 1u);
    expect_same({x}, {softmax(x), z / sqrt(sum(sqr(z), {1}, true))}, {ramp({5, 70})});
}

// A product and a quotient by themselves are computed again, from what else is loaded; together,
// with the two loads that they take, they cost more than a row to keep them.
TEST(Fuse, WhatIsMadeOfManyCheapValuesIsKeptBetweenPasses) {
    auto x = matrix("x", "f32[n,m]"), y = matrix("y", "f32[n,m]"),
         s = input(parse_type("f32[n,1]"), "s");
    Variable quotient = x * y / s, shares = quotient - sum(quotient, {1}, true);
    auto f = function({x, y, s}, shares);
    ASSERT_EQ(kernels(f), 1u);
    EXPECT_EQ(opcodes(f, kernel::OpCode::div_), 1u);
    EXPECT_EQ(opcodes(function({x, y}, x * y - sum(x * y, {1}, true)), kernel::OpCode::mul_), 2u);
}

TEST(Fuse, ElementsAreStoredInThePassThatFoldsThem) {
    // The gradient of a bias and what it is the sum of: one pass over the columns.
    auto x = matrix("x", "f64[n,m]"), y = matrix("y", "f64[n,m]");
    Variable delta = x * (1 - sqr(y));
    auto f = function({x, y}, std::vector<Out>{delta, sum(delta, {0})});
    ASSERT_EQ(kernels(f), 1u);
    EXPECT_EQ(f.program().kernels[0].sections.size(), 2u);  // the fold, and what it gives
    expect_same({x, y}, {delta, sum(delta, {0})}, {ramp({6, 40}), ramp({6, 40}, 0.2, 0.01)});
    expect_same({x}, {exp(x), sum(exp(x))}, {ramp({6, 40})});
}

TEST(Fuse, SeveralOutputsShareTheLoop) {
    auto x = matrix("x"), y = matrix("y");
    auto f = function({x, y}, std::vector<Out>{x + y, x - y, exp(x)});
    EXPECT_EQ(kernels(f), 1u);
    expect_same({x, y}, {x + y, x - y, exp(x)}, {ramp({2, 3}), ramp({2, 3}, 1)});
}

// How often kernels read arrays as large as the first input: passes over memory, but for stores.
size_t whole_reads(const Function& f) {
    const auto& p = f.program();
    size_t count = 0;
    auto rank = p.values[static_cast<size_t>(p.inputs[0])].type.rank();
    for (const auto& step : p.steps) {
        auto k = std::get_if<runtime::KernelStep>(&step.kind);
        for (size_t i = 0; k && i + static_cast<size_t>(k->outputs) < k->operands.size(); ++i) {
            const auto& type = p.values[static_cast<size_t>(k->operands[i])].type;
            const auto& operand = p.kernels[static_cast<size_t>(k->kernel)].operands[i];
            bool whole = type.rank() == rank && operand.kind == kernel::OperandKind::In;
            for (auto dim : type.dims) whole = whole && !dim.is_one();
            count += whole;
        }
    }
    return count;
}

TEST(Fuse, SumsOverRowsColumnsAndAllAreOnePass) {
    auto x = matrix("x");
    Variable e = exp(x);
    std::vector<Out> sums{sum(e, {0}), sum(e, {1}), e, sum(e)};
    auto f = function({x}, sums);
    EXPECT_EQ(kernels(f), 1u);
    EXPECT_EQ(whole_reads(f), 1u);
    for (Sizes shape : {Sizes{5, 6}, Sizes{40, 3}, Sizes{3, 70}, Sizes{0, 3}, Sizes{3, 0},
                        Sizes{1, 5}, Sizes{5, 1}, Sizes{65, 300}})
        expect_same({x}, sums, {ramp(shape)});
    Array whole = ramp({6, 80}),
          turned = Array::view(DType::Float64, {80, 6}, {8, 640}, whole.data(), whole.owner());
    expect_same({x}, sums, {turned});
}

TEST(Fuse, StatisticsOfAllAxesAreTwoPasses) {
    auto x = matrix("x", "f64[n,m]");
    std::vector<Out> outputs;
    for (const auto& axes : {Axes({0}), Axes({1}), Axes::all()})
        for (const Variable& v : {sum(x, axes), mean(x, axes), var(x, axes)}) outputs.push_back(v);
    auto f = function({x}, outputs);
    EXPECT_EQ(whole_reads(f), 2u);   // a variance needs the mean
    EXPECT_LE(kernels(f), 2u + 7u);  // the others are as long as a row, or one number
    for (Sizes shape : {Sizes{5, 6}, Sizes{200, 7}, Sizes{1, 1}, Sizes{65, 300}})
        expect_same({x}, outputs, {ramp(shape)});
}

/// The kernel over two axes.
const kernel::Kernel& kernel_of_rows(const Function& f) {
    for (const auto& k : f.program().kernels)
        if (k.rank == 2) return k;
    throw std::logic_error("there is none");
}

// Layer normalisation with its gradient for a given gradient of the result.
TEST(Fuse, LayerNormalisationAndItsGradientReadEachArrayOnce) {
    auto x = matrix("x", "f64[n,m]"), dy = matrix("dy", "f64[n,m]");
    auto g = input(parse_type("f64[m]"), "g"), b = input(parse_type("f64[m]"), "b");
    Variable centred = x - mean(x, {1}, true);
    Variable y = centred / sqrt(mean(sqr(centred), {1}, true) + 1e-5) * g + b;
    std::vector<Out> outputs{y};
    for (const auto& v : grad(sum(y * dy), {x, g, b})) outputs.push_back(v);
    auto f = function({x, g, b, dy}, outputs);
    EXPECT_EQ(whole_reads(f), 2u);  // x and dy
    // Three passes that fold: the sum of centred values is not gone over. The sum of dy over
    // columns waits for the pass that reads dy.
    const auto& sections = kernel_of_rows(f).sections;
    std::vector<std::pair<size_t, size_t>> folds;  // along rows, across rows
    for (const auto& section : sections)
        if (section.kind == kernel::SectionKind::Reduce)
            folds.emplace_back(section.accumulators.size(), section.across.size());
    EXPECT_EQ(folds, (std::vector<std::pair<size_t, size_t>>{{1, 0}, {1, 0}, {2, 2}}));
    expect_same({x, g, b, dy}, outputs,
                {ramp({5, 7}), ramp({7}, 0.5), ramp({7}), ramp({5, 7}, 0.3)});
}

// The largest, the sum, the gradient: the softmax is not stored, and x is read by the loss at
// places alone.
TEST(Fuse, CrossEntropyAndItsGradientAreOneKernelOfRows) {
    auto x = matrix("x", "f64[n,m]"), y = input(parse_type("i64[n]"), "y");
    Variable loss = -mean(at(log_softmax(x), {arange(at(shape(y), {0})), y}));
    std::vector<Out> outputs{loss, grad(loss, x)};
    auto f = function({x, y}, outputs);
    const auto& all = f.program().kernels;
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const auto& k) { return k.rank == 2; }), 1);
    std::vector<kernel::SectionKind> passes;
    for (const auto& section : kernel_of_rows(f).sections)
        if (section.kind != kernel::SectionKind::Outer) passes.push_back(section.kind);
    using enum kernel::SectionKind;
    EXPECT_EQ(passes, (std::vector{Reduce, Reduce, Map}));
    Array labels = Array::of(std::vector<int64_t>{0, 3, -1, 2, 1}, {5});
    expect_same({x, y}, outputs, {ramp({5, 7}), labels});
}

TEST(Fuse, ABiasGradientRidesWithTheLoss) {
    auto x = matrix("x", "f64[n,m]"), y = input(parse_type("i64[n]"), "y");
    auto b = input(parse_type("f64[m]"), "b");
    Variable logits = x + b;
    Variable loss = -mean(at(log_softmax(logits), {arange(at(shape(y), {0})), y}));
    auto d = grad(loss, {x, b});
    std::vector<Out> outputs{loss, d[0], d[1]};
    auto f = function({x, y, b}, outputs);
    auto alone = function({x, y, b}, std::vector<Out>{loss, d[0]});
    EXPECT_EQ(whole_reads(f), whole_reads(alone));
    Array labels = Array::of(std::vector<int64_t>{0, 3, 6, 2, 1}, {5});
    expect_same({x, y, b}, outputs, {ramp({5, 7}), labels, ramp({7}, 0.3)});
}

TEST(Fuse, WhatDoesNotFitOrNeedsTheLastRowStaysApart) {
    // A row of running values that leaves the cache.
    auto wide = matrix("x", "f64[?,100000]"), narrow = matrix("x", "f64[?,1000]");
    auto both = [](const Variable& x) { return std::vector<Out>{sum(x, {0}), sum(x, {1})}; };
    EXPECT_EQ(kernels(function({wide}, both(wide))), 2u);
    EXPECT_EQ(kernels(function({narrow}, both(narrow))), 1u);
    // An array that stays in cache anyway.
    auto little = matrix("x", "f64[100,100]");
    EXPECT_EQ(kernels(function({little}, both(little))), 2u);
    // Rows need what the columns come to.
    auto x = matrix("x", "f64[n,m]");
    Variable centred = x - mean(x, {0}, true);
    std::vector<Out> late{sum(centred * x, {1}), sum(x, {1})};
    EXPECT_EQ(whole_reads(function({x}, late)), 2u);
    expect_same({x}, late, {ramp({5, 7})});
    // Extremes of no rows are an error, and their positions are no running values.
    std::vector<Out> extremes{max(x, {0}), max(x, {1}), argmax(x, {0})};
    expect_same({x}, extremes, {ramp({5, 7})});
}

TEST(Fuse, BroadcastInputsAreReadInPlace) {
    auto x = matrix("x");
    auto b = input(parse_type("f64[?]"), "b");
    auto z = (x + b) * b;
    EXPECT_EQ(kernels(function({x, b}, z)), 1u);
    expect_same({x, b}, {z}, {ramp({3, 4}), ramp({4})});
}

TEST(Fuse, LaterGroupsDoNotJoinEarlierOnes) {
    // a -> total -> b: b may not run in the loop that computes total over all of a.
    auto x = matrix("x");
    Variable a = exp(x), total = sum(a), b = a / total;
    expect_same({x}, {b, a * 2}, {ramp({3, 4})});
}

// A join is copied in blocks where it is wanted as a whole; who reads it reads the copy. Elements
// of a join that nobody keeps are picked from its parts.
TEST(Fuse, JoinsThatAreKeptAreReadNotPicked) {
    auto x = matrix("x"), y = matrix("y");
    Variable join = concatenate({x, y}, 1);
    auto joins_in = [](const Function& f) {
        size_t count = 0;
        for (const auto& step : f.program().steps)
            count += std::holds_alternative<runtime::ExternStep>(step.kind);
        return count;
    };
    auto kept = function({x, y}, std::vector<Out>{join, sum(join, {0}), tanh(join)});
    EXPECT_EQ(joins_in(kept), 1u);
    EXPECT_EQ(joins_in(function({x, y}, sum(sqr(join), {0}))), 0u);
    expect_same({x, y}, {join, sum(join, {0}), tanh(join), argmax(join, {0})},
                {ramp({3, 5}), ramp({3, 2}, 2)});
}

TEST(Fuse, EmptyAndSingleSizes) {
    auto x = matrix("x");
    for (Sizes shape : {Sizes{0, 3}, Sizes{3, 0}, Sizes{1, 1}, Sizes{1, 5}, Sizes{5, 1}})
        expect_same({x}, {sum(exp(x), {1}), sum(x), tanh(x)}, {ramp(shape)});
}

TEST(Fuse, StridedArguments) {
    auto x = matrix("x");
    Array whole = ramp({6, 8});
    Array turned = Array::view(DType::Float64, {8, 6}, {whole.strides()[1], whole.strides()[0]},
                               whole.data(), whole.owner());
    Array backwards =
        Array::view(DType::Float64, {6, 4}, {whole.strides()[0], -2 * whole.strides()[1]},
                    static_cast<double*>(whole.data()) + 7, whole.owner());
    for (const Array& argument : {turned, backwards})
        expect_same({x}, {softmax(x), sum(x, {0}), x + 1}, {argument});
}

TEST(Specialise, SizeOneAtRunTimeRunsTheGeneralProgram) {
    auto x = matrix("x"), y = matrix("y");
    Variable z = x * y + y;
    auto f = function({x, y}, z);
    Array wide = ramp({3, 4}), row = ramp({1, 4}, 2), column = ramp({3, 1}, 3);
    EXPECT_EQ(shape_text(f(wide, row).only().shape()), "(3, 4)");
    EXPECT_EQ(shape_text(f(row, column).only().shape()), "(3, 4)");
    EXPECT_DOUBLE_EQ(
        f(wide, column).only().at<double>({2, 1}),
        wide.at<double>({2, 1}) * column.at<double>({2, 0}) + column.at<double>({2, 0}));
    expect_same({x, y}, {z}, {wide, row});
    expect_same({x, y}, {z}, {row, column});
}

TEST(Plan, VerifiesAndReusesMemory) {
    auto x = matrix("x");
    Variable v = x;
    for (int i = 0; i < 20; ++i) v = exp(v) + 0.5;
    auto f = function({x}, v, {.mode = mode("interp", false)});
    f.program().verify();
    EXPECT_LE(f.program().slots, 2);
    EXPECT_EQ(f.program().steps.size(), 40u);
}

TEST(Plan, OverlapIsFound) {
    auto x = matrix("x");
    auto f = function({x}, std::vector<Out>{sum(exp(x)) + sum(x, {1}), exp(x)},
                      {.mode = mode("interp", false)});
    runtime::Program broken = f.program();
    for (auto& value : broken.values)
        if (value.place == runtime::Place::Slot) {
            value.slot = 0;
            value.source = -1;
        }
    EXPECT_THROW(broken.verify(), Error);
}

}  // namespace
}  // namespace croton
