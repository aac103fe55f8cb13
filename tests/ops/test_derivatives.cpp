// Derivatives that the matrix's central differences cannot see: at ties, edges and poles, and of
// complex numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "croton/compile/reference.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {

using Values = std::vector<double>;
using Function = std::function<Variable(const Variable&)>;

Variable vector_input(DType dtype = DType::Float64) { return input(tensor_type(dtype, 1), "x"); }

// Gradient of the sum of f at these points.
Values gradient(const Function& f, const Values& at) {
    Variable x = vector_input();
    auto count = static_cast<int64_t>(at.size());
    auto result = compile::evaluate({grad(sum(f(x)), x)}, {{x, Array::of(at, {count})}});
    return result[0].to_vector<double>();
}

// With respect to both arguments, at one point.
Values gradient(const std::function<Variable(const Variable&, const Variable&)>& f, double x,
                double y) {
    Variable a = input(tensor_type(DType::Float64, 0), "a");
    Variable b = input(tensor_type(DType::Float64, 0), "b");
    auto found = compile::evaluate(grad(f(a, b), Variables{a, b}),
                                   {{a, Array::scalar(x)}, {b, Array::scalar(y)}});
    return {found[0].item<double>(), found[1].item<double>()};
}

void expect_near(const Values& got, const Values& want, double tolerance = 1e-14) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
        if (std::isnan(want[i]) || std::isinf(want[i]))
            EXPECT_TRUE(std::isnan(want[i]) ? std::isnan(got[i]) : got[i] == want[i])
                << i << ": " << got[i];
        else
            EXPECT_NEAR(got[i], want[i], tolerance * std::max(1.0, std::abs(want[i]))) << i;
    }
}

TEST(Derivatives, AtKinks) {
    expect_near(gradient([](const Variable& x) { return abs(x); }, {-2, 0, 2}), {-1, 0, 1});
    expect_near(gradient([](const Variable& x) { return relu(x); }, {-2, 0, 2}), {0, 0.5, 1});
    expect_near(gradient([](const Variable& x) { return leaky_relu(x, 0.25); }, {-2, 0, 2}),
                {0.25, 0.625, 1});
    expect_near(gradient([](const Variable& x) { return clip(x, -1, 1); }, {-2, -1, 0, 1, 2}),
                {0, 1, 1, 1, 0});
    expect_near(gradient([](const Variable& x) { return sqrt(x); }, {0, 4}), {inf, 0.25});
    expect_near(gradient([](const Variable& x) { return hypot(x, 0); }, {0, 3}), {0, 1});
}

TEST(Derivatives, TiesOfTwoGoToTheFirst) {
    auto larger = [](const Variable& a, const Variable& b) { return maximum(a, b); };
    auto smaller = [](const Variable& a, const Variable& b) { return minimum(a, b); };
    expect_near(gradient(larger, 2, 2), {1, 0});
    expect_near(gradient(larger, 1, 2), {0, 1});
    expect_near(gradient(smaller, 2, 2), {1, 0});
    auto numbers = [](const Variable& a, const Variable& b) { return fmax(a, b); };
    expect_near(gradient(numbers, 1, nan), {1, 0});
    expect_near(gradient(numbers, nan, 1), {0, 1});
}

TEST(Derivatives, TiesOfManyAllGetIt) {
    expect_near(gradient([](const Variable& x) { return max(x); }, {3, 1, 3, 2}), {1, 0, 1, 0});
    expect_near(gradient([](const Variable& x) { return min(x); }, {3, 1, 1}), {0, 1, 1});
}

TEST(Derivatives, ProductsWithZeros) {
    auto product = [](const Variable& x) { return prod(x); };
    expect_near(gradient(product, {2, 3, 4}), {12, 8, 6});
    expect_near(gradient(product, {2, 0, 4}), {0, 8, 0});
    expect_near(gradient(product, {2, 0, 0}), {0, 0, 0});
}

TEST(Derivatives, PowersAtZeroAndOfNegativeNumbers) {
    expect_near(gradient([](const Variable& x) { return pow(x, 2); }, {0, -3}), {0, -6});
    expect_near(gradient([](const Variable& x) { return pow(x, 1); }, {0, -3}), {1, 1});
    expect_near(gradient([](const Variable& x) { return pow(x, 0); }, {0, -3}), {0, 0});
    expect_near(gradient([](const Variable& x) { return pow(x, 3.0); }, {0, -2}), {0, 12});
    auto power = [](const Variable& a, const Variable& b) { return pow(a, b); };
    expect_near(gradient(power, 0, 2), {0, 0});
    expect_near(gradient(power, 0, 0), {0, 0});
    expect_near(gradient(power, 2, 3), {12, 8 * std::log(2.0)});
}

TEST(Derivatives, FarOutAndNearZero) {
    auto softplus_of = [](const Variable& x) { return softplus(x); };
    expect_near(gradient(softplus_of, {-800, 0, 800}), {0, 0.5, 1});
    auto sigmoid_of = [](const Variable& x) { return sigmoid(x); };
    auto far = gradient(sigmoid_of, {-50, 50});
    EXPECT_NEAR(far[0] / std::exp(-50.0), 1, 1e-12);
    EXPECT_NEAR(far[1] / std::exp(-50.0), 1, 1e-12);  // 1 - sigmoid would round to 0
    auto sinc_of = [](const Variable& x) { return sinc(x); };
    double pi = 3.14159265358979324;
    auto near = gradient(sinc_of, {0, 1e-8, 0.159, 0.1592});
    EXPECT_EQ(near[0], 0);
    EXPECT_NEAR(near[1] / (-pi * pi * 1e-8 / 3), 1, 1e-12);
    auto exact = [&](double x) { return (std::cos(pi * x) - std::sin(pi * x) / (pi * x)) / x; };
    EXPECT_NEAR(near[2] / exact(0.159), 1, 1e-10);  // the two forms meet
    EXPECT_NEAR(near[3] / exact(0.1592), 1, 1e-10);
    auto lse = [](const Variable& x) { return logsumexp(x); };
    expect_near(gradient(lse, {1000, 1000}), {0.5, 0.5}, 1e-12);
    expect_near(gradient(lse, {-inf, 0}), {0, 1});
}

TEST(Derivatives, OfCastsThroughIntegersAreZero) {
    expect_near(
        gradient([](const Variable& x) { return cast(floor(x), DType::Float64) * x; }, {2.5, -1.5}),
        {2, -2});
}

// --- complex
// --------------------------------------------------------------------------------------

using ComplexOp = Variable (*)(Arg);

// The cotangent of z = x + iy is df/dx - i df/dy for a real cost f.
void check_complex(const Function& cost, const std::string& name) {
    Variable z = vector_input(DType::Complex128);
    const std::vector<Complex> at = {{0.3, 0.7}, {-1.2, 0.4}, {0.9, -1.1}};
    auto value = [&](const std::vector<Complex>& point) {
        return compile::evaluate({cost(z)}, {{z, Array::of(point, {3})}})[0].item<double>();
    };
    auto found = compile::evaluate({grad(cost(z), z)}, {{z, Array::of(at, {3})}})[0];
    ASSERT_EQ(found.dtype(), DType::Complex128) << name;
    for (size_t i = 0; i < at.size(); ++i) {
        auto slope = [&](Complex step) {
            auto above = at, below = at;
            above[i] += step, below[i] -= step;
            return (value(above) - value(below)) / (2 * std::abs(step));
        };
        Complex numeric(slope(1e-6), -slope({0, 1e-6}));
        auto got = found.at<Complex>({static_cast<int64_t>(i)});
        EXPECT_LT(std::abs(got - numeric), 1e-6 * std::max(1.0, std::abs(numeric)))
            << name << " at " << i << ": " << got << " and " << numeric;
    }
}

TEST(ComplexDerivatives, OfFunctions) {
    const std::vector<std::pair<const char*, ComplexOp>> functions = {{"exp", exp},
                                                                      {"log", log},
                                                                      {"sqrt", sqrt},
                                                                      {"sin", sin},
                                                                      {"cos", cos},
                                                                      {"tan", tan},
                                                                      {"sinh", sinh},
                                                                      {"cosh", cosh},
                                                                      {"tanh", tanh},
                                                                      {"sqr", sqr},
                                                                      {"conj", conj},
                                                                      {"neg", neg},
                                                                      {"reciprocal", reciprocal}};
    for (auto [name, f] : functions)
        check_complex(
            [f = f](const Variable& z) {
                Variable y = f(z);
                return sum(real(y) * 0.7 + imag(y) * 1.3);
            },
            name);
}

TEST(ComplexDerivatives, OfParts) {
    const std::vector<std::pair<const char*, ComplexOp>> functions = {
        {"abs", abs}, {"angle", angle}, {"real", real}, {"imag", imag}};
    for (auto [name, f] : functions)
        check_complex([f = f](const Variable& z) { return sum(sqr(f(z)) + 2 * f(z)); }, name);
}

TEST(ComplexDerivatives, OfArithmetic) {
    const std::vector<std::pair<const char*, Function>> functions = {
        {"mul", [](const Variable& z) { return z * (z + 2) * Complex(0.3, 0.8); }},
        {"div", [](const Variable& z) { return (z + 1) / (z * z + 3); }},
        {"pow", [](const Variable& z) { return pow(z, Complex(1.5, 0.5)); }},
        {"pow of", [](const Variable& z) { return pow(2.0, z); }},
        {"parts", [](const Variable& z) { return complex(imag(z) * real(z), real(z)); }},
        {"cast", [](const Variable& z) { return cast(real(z), DType::Complex128) * z; }},
        {"where", [](const Variable& z) { return where(real(z) > 0, z * z, conj(z)); }},
        {"sum", [](const Variable& z) { return sqr(sum(z)); }},
        {"prod", [](const Variable& z) { return prod(z); }},
        {"mean", [](const Variable& z) { return mean(z * z); }}};
    for (const auto& [name, f] : functions)
        check_complex(
            [f = f](const Variable& z) {
                Variable y = f(z);
                return sum(real(y) * 0.7 - imag(y) * 0.4);
            },
            name);
}

// --- sum_to
// ---------------------------------------------------------------------------------------

TEST(SumTo, LeavesToSumsWhatTypesDecide) {
    Variable x = input(parse_type("f64[n,m]"), "x");
    Variable bias = input(parse_type("f64[m]"), "bias"), row = input(parse_type("f64[1,m]"), "r");
    Variable unknown = input(parse_type("f64[?]"), "u");
    EXPECT_EQ(sum_to(x, x), x);
    EXPECT_EQ(sum_to(x, bias).op()->name, "sum");
    EXPECT_EQ(sum_to(x, row).op()->name, "sum");
    EXPECT_EQ(sum_to(x, unknown).op()->name, "sum_to");
    EXPECT_EQ(sum_to(x, unknown).input(0).op()->name, "sum");  // the leading axis is certain
}

TEST(SumTo, SizesThatDoNotBroadcastAreErrors) {
    Variable x = input(parse_type("f64[?,?]"), "x"), like = input(parse_type("f64[?]"), "like");
    try {
        compile::evaluate({sum_to(x, like)}, {{x, Array::zeros(DType::Float64, {2, 3})},
                                              {like, Array::zeros(DType::Float64, {2})}});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Shape);
    }
}

// --- mistakes
// -------------------------------------------------------------------------------------

std::string message_of(const std::function<void()>& mistake) {
    try {
        mistake();
    } catch (const Error& error) {
        return std::string(error_name(error.kind())) + ": " + error.what();
    }
    return "no error";
}

void expect_words(const std::string& message, const std::vector<std::string>& words) {
    for (const auto& word : words)
        EXPECT_NE(message.find(word), std::string::npos) << word << " is not in: " << message;
}

TEST(Mistakes, OfAxesAndSizes) {
    Variable x = input(parse_type("f64[3,4]"), "x"), y = input(parse_type("f64[5]"), "y");
    expect_words(message_of([&] { x + y; }), {"ShapeError", "4", "5", "axis 1", "add"});
    expect_words(message_of([&] { sum(x, 2); }), {"IndexError", "axis 2", "rank 2"});
    expect_words(message_of([&] { sum(x, {0, -2}); }), {"ValueError", "twice"});
    expect_words(message_of([&] { softmax(x, 5); }), {"IndexError", "axis 5"});
    expect_words(message_of([&] { pick(x, x); }), {"TypeError", "takes integers"});
    expect_words(message_of([&] { pick(x, input(parse_type("i64[2]"), "c")); }),
                 {"ShapeError", "2 classes for 3 rows"});
    Variable none = input(parse_type("f64[0]"), "none");
    expect_words(message_of([&] { max(none); }), {"ValueError", "zero-size"});
}

TEST(Mistakes, AtRunTime) {
    Variable x = input(parse_type("f64[?]"), "x");
    expect_words(
        message_of([&] { compile::evaluate({max(x)}, {{x, Array::zeros(DType::Float64, {0})}}); }),
        {"ValueError", "zero-size"});
    Variable p = input(parse_type("f64[?,?]"), "p"), c = input(parse_type("i64[?]"), "c");
    expect_words(message_of([&] {
                     compile::evaluate({pick(p, c)}, {{p, Array::zeros(DType::Float64, {2, 3})},
                                                      {c, Array::of<int64_t>({0, 3})}});
                 }),
                 {"IndexError", "3"});
    expect_words(message_of([&] {
                     compile::evaluate({pick(p, c)}, {{p, Array::zeros(DType::Float64, {2, 3})},
                                                      {c, Array::of<int64_t>({0})}});
                 }),
                 {"ShapeError", "one element of each row"});
}

}  // namespace
}  // namespace croton::test
