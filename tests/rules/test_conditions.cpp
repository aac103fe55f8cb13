// Why rows carry their conditions: what would be lost without them. Each test fails if the
// condition named in front of it is taken away.
#include <gtest/gtest.h>

#include <cmath>

#include "croton/api/function.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/compile/reference.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace croton::test {
namespace {

using Op = Variable (*)(const Variable&);

double value_at(Op written, double x, DType dtype = DType::Float64) {
    Variable v = input(TensorType{dtype, {}}, "x");
    auto f = function({v}, written(v));
    return f(Array::scalar(x).cast(dtype))[0].cast(DType::Float64).item<double>();
}

// How often an op is left after rewriting.
size_t left_of(std::string_view op, const Variables& inputs, const Variables& outputs) {
    auto named = compile::specialise(inputs, outputs, true);
    auto rewritten = compile::rewrite_graph(named.outputs, compile::mode_named("fast"), nullptr);
    size_t count = 0;
    for (const Node* node : toposort(rewritten))
        count += node->kind == NodeKind::Apply && node->op->name == op;
    return count;
}

Variable leaf(const char* type, const char* name) { return input(parse_type(type), name); }

// --- accuracy -----------------------------------------------------------------------------------

// "constants of sum and difference" and its kin: a large constant is added to be rounded to.
TEST(WhyConditions, RoundingByALargeConstantStays) {
    constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
    EXPECT_EQ(value_at([](const Variable& x) { return (x + magic) - magic; }, 2.7), 3);
    EXPECT_EQ(value_at([](const Variable& x) { return (x - magic) + magic; }, 2.7), 3);
    EXPECT_EQ(value_at([](const Variable& x) { return magic - (magic - x); }, 2.7), 3);
    EXPECT_EQ(value_at([](const Variable& x) { return (x + 12582912.0) - 12582912.0; }, 2.7,
                       DType::Float32),
              3);
    // Small ones still meet.
    EXPECT_EQ(value_at([](const Variable& x) { return (x + 1.0) - 1.0; }, 1e-20), 1e-20);
}

// "constants of a product", ... "of a quotient": the product of the constants must be there.
TEST(WhyConditions, ConstantsDoNotOverflowTogether) {
    EXPECT_NEAR(value_at([](const Variable& x) { return x * 1e200 * 1e200; }, 1e-200), 1e200,
                1e187);
    EXPECT_NEAR(value_at([](const Variable& x) { return x / 1e-200 / 1e-200; }, 1e-300), 1e100,
                1e87);
    EXPECT_NEAR(value_at([](const Variable& x) { return x * 1e-200 * 1e-200; }, 1e300), 1e-100,
                1e-113);
    EXPECT_NEAR(value_at([](const Variable& x) { return x * 1e200 / 1e-200; }, 1e-300), 1e100,
                1e87);
    EXPECT_NEAR(value_at([](const Variable& x) { return x / 1e200 * 1e-200; }, 1e300), 1e-100,
                1e-113);
    EXPECT_NEAR(
        value_at([](const Variable& x) { return x * 1e30f * 1e30f; }, 1e-30, DType::Float32), 1e30,
        1e24);
}

// "product of powers": the powers of a negative number are no numbers, the power one is.
TEST(WhyConditions, PowersOfNegativeNumbersStayNoNumbers) {
    EXPECT_TRUE(
        std::isnan(value_at([](const Variable& x) { return pow(x, 0.25) * pow(x, 0.75); }, -4)));
    EXPECT_NEAR(value_at([](const Variable& x) { return pow(x, 0.25) * pow(x, 0.5); }, 16), 8,
                1e-13);
}

// "power of power": (x^2)^0.5 is |x|.
TEST(WhyConditions, RootsOfPowersKeepTheAbsoluteValue) {
    EXPECT_NEAR(value_at([](const Variable& x) { return pow(pow(x, 6.0), 0.5); }, -2), 8, 1e-13);
}

// "small power" ends where products are no longer as good as a power.
TEST(WhyConditions, PowersByProductsAreAccurate) {
    for (double x : {1.1, -1.37, 0.913, 7.77}) {
        double expected = static_cast<double>(std::pow(static_cast<long double>(x), 7));
        EXPECT_NEAR(value_at([](const Variable& v) { return pow(v, 7.0); }, x), expected,
                    4 * 2.3e-16 * std::abs(expected));
    }
    Variable x = leaf("f64[?]", "x");
    EXPECT_EQ(left_of("pow", {x}, {pow(x, 8.0)}), 0u);
    EXPECT_EQ(left_of("pow", {x}, {pow(x, 9.0)}), 1u);
}

// No row takes x - 1 apart in (x - 1) * 3: it is exact near 1, x * 3 - 3 is not.
TEST(WhyConditions, FactorsAreNotDistributed) {
    double x = 1 + 3 * 2.220446049250313e-16;
    EXPECT_EQ(value_at([](const Variable& v) { return (v - 1.0) * 3.0; }, x), (x - 1) * 3);
}

// No row cancels x / x or x - x: comparisons decide by the NaN that they are.
TEST(WhyConditions, WhatIsNoNumberStaysNone) {
    EXPECT_TRUE(std::isnan(value_at([](const Variable& x) { return x / x; }, 0)));
    EXPECT_TRUE(std::isnan(value_at([](const Variable& x) { return x - x; }, INFINITY)));
    EXPECT_TRUE(std::isnan(value_at([](const Variable& x) { return x * 0.0; }, INFINITY)));
}

// No row makes log(x) - log(y) of log(x / y) or the reverse: the quotient may be out of range.
TEST(WhyConditions, LogarithmsOfExtremesStayApart) {
    EXPECT_NEAR(value_at([](const Variable& x) { return log(x) - log(1 / x); }, 1e-200),
                2 * std::log(1e-200), 1e-9);
}

// What the judge makes of the rewritten graph: each op's result is rounded to its dtype.
std::vector<Array> judged(const Variables& inputs, const Variables& outputs,
                          const std::vector<Array>& values) {
    auto named = compile::specialise(inputs, outputs, true);
    auto rewritten = compile::rewrite_graph(named.outputs, compile::mode_named("fast"), nullptr);
    std::vector<std::pair<Variable, Array>> given;
    for (size_t i = 0; i < values.size(); ++i) given.emplace_back(named.inputs[i], values[i]);
    return compile::evaluate(rewritten, given);
}

// "sum of scaled", "sum of divided": in 16 bits the sum of what is not scaled yet overflows.
TEST(WhyConditions, SumsOfHalvesAreScaledBefore) {
    Variable x = leaf("f16[?]", "x");
    Array large = Array::of(std::vector<double>(1024, 1000.0), {1024}).cast(DType::Float16);
    for (const Array& value : judged({x}, {sum(x / 1024.0), sum(x * (1.0 / 1024))}, {large}))
        EXPECT_NEAR(value.cast(DType::Float64).item<double>(), 1000, 1);
}

// "product of scaled left", "... right": so are products of matrices.
TEST(WhyConditions, ProductsOfHalvesAreScaledBefore) {
    Variable a = leaf("f16[?,?]", "a"), b = leaf("f16[?,?]", "b");
    Array large = Array::of(std::vector<double>(64 * 64, 64.0), {64, 64}).cast(DType::Float16);
    for (const Array& value :
         judged({a, b}, {matmul(a * 0.125, b), matmul(a, b * 0.125)}, {large, large}))
        EXPECT_EQ(value.cast(DType::Float64).to_vector<double>()[0], 64.0 * 64 * 64 / 8);
}

// --- speed --------------------------------------------------------------------------------------

// "constant out of left factor", "sign out of product": what is done once stays so.
TEST(WhyConditions, ScalarsAreNotScaledElementByElement) {
    Variable s = leaf("f64[]", "s"), x = leaf("f64[?,?]", "x");
    auto named = compile::specialise({s, x}, {exp(s) * 2.5 * x, -exp(s) * x}, true);
    auto rewritten = compile::rewrite_graph(named.outputs, compile::mode_named("fast"), nullptr);
    size_t of_matrices = 0;
    for (const Node* node : toposort(rewritten))
        of_matrices += node->kind == NodeKind::Apply && node->types[0].rank() == 2;
    EXPECT_EQ(of_matrices, 2u) << print(rewritten);
}

// "choice of exps", ...: values that are wanted anyway are not computed once more.
TEST(WhyConditions, ChoicesOfSharedValuesStay) {
    Variable c = leaf("b1[?]", "c"), x = leaf("f64[?]", "x"), y = leaf("f64[?]", "y");
    Variable a = exp(x), b = exp(y);
    EXPECT_EQ(left_of("exp", {c, x, y}, {where(c, a, b), a, b}), 2u);
    EXPECT_EQ(left_of("exp", {c, x, y}, {where(c, a, b)}), 1u);
}

// "part of a product", "sum of product", "diagonal of a product", "transposed product", gemm: of a
// product that is wanted itself nothing is computed twice.
TEST(WhyConditions, ProductsThatAreWantedAreNotRepeated) {
    Variable a = leaf("f64[?,?]", "a"), b = leaf("f64[?,?]", "b");
    Variable product = matmul(a, b);
    EXPECT_EQ(left_of("matrix_product", {a, b}, {product, sum(product, Ints{0})}), 1u);
    EXPECT_EQ(left_of("matrix_product", {a, b}, {product, trace(product)}), 1u);
    EXPECT_EQ(left_of("matrix_product", {a, b}, {matmul(product, b), product}), 2u);
    EXPECT_EQ(left_of("matrix_product", {a, b}, {product, exp(dimshuffle(product, {1, 0}))}), 1u);
    Variable sum_of_both = exp(product) + product * 2;
    EXPECT_EQ(left_of("gemm", {a, b}, {sum_of_both}), 0u);
    Variable c = leaf("f64[4,4]", "c"), x = leaf("f64[4,4]", "x");
    EXPECT_EQ(left_of("gemm", {c, x}, {exp(x) + matmul(c, x)}), 1u);
    EXPECT_EQ(left_of("gemm", {c, x}, {exp(x) + matmul(c, x), tanh(matmul(c, x))}), 0u);
}

// The same in batches.
TEST(WhyConditions, BatchesOfProductsThatAreWantedAreNotRepeated) {
    Variable a = leaf("f64[2,4,4]", "a"), b = leaf("f64[2,4,4]", "b");
    Variable product = matmul(a, b);
    EXPECT_EQ(left_of("matrix_product", {a, b}, {product, exp(dimshuffle(product, {0, 2, 1}))}),
              1u);
}

// "sum of what is centred": 0 times or by what is no finite number is no number.
TEST(WhyConditions, CentredPartsKeepTheirFactors) {
    Variable x = leaf("f64[?,?]", "x"), s = leaf("f64[]", "s");
    Variable centred = x - mean(x, {1}, true);
    auto f = function({x, s}, std::vector<Out>{sum(centred / s, {1}), sum(centred * s, {1})});
    Array values = Array::of(std::vector<double>{1, 2, 6, 4}, {2, 2});
    EXPECT_TRUE(std::isnan(f(values, Array::scalar(0.))[0].at<double>({0})));
    EXPECT_TRUE(std::isnan(f(values, Array::scalar(HUGE_VAL))[1].at<double>({1})));
    EXPECT_EQ(f(values, Array::scalar(2.))[0].at<double>({0}), 0);
    EXPECT_EQ(f(values, Array::scalar(2.))[1].at<double>({1}), 0);
}

// "product plus addend": gemm would have to copy an argument first, where the sum is not what
// replaces it.
TEST(WhyConditions, ArgumentsAreNotCopiedForGemm) {
    Variable a = leaf("f64[?,?]", "a"), b = leaf("f64[?,?]", "b"), c = leaf("f64[?,?]", "c");
    EXPECT_EQ(left_of("gemm", {a, b, c}, {exp(c + matmul(a, b))}), 0u);
    EXPECT_EQ(left_of("gemm", {a, b, c}, {c + matmul(a, b)}), 1u);
    EXPECT_EQ(left_of("gemm", {a, b, c}, {c - 0.1 * matmul(a, b)}), 1u);
    EXPECT_EQ(left_of("gemm", {a, b, c}, {exp(c) + matmul(a, b)}), 1u);
    Variable s = leaf("f64[2,?,?]", "s"), t = leaf("f64[2,?,?]", "t");
    EXPECT_EQ(left_of("gemm", {s, t}, {exp(s) + matmul(s, t)}), 1u);
    EXPECT_EQ(left_of("gemm", {a, b, s}, {exp(s) + matmul(a, b)}),
              0u);  // a product spread over both
    EXPECT_EQ(left_of("gemm", {a, b, c}, {0.9 * exp(c) - 0.1 * matmul(a, b)}), 1u);
}

}  // namespace
}  // namespace croton::test
