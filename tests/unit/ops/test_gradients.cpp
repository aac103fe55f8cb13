// What gradients through indices, control and user ops are beyond being right numbers, which the op
// matrix checks.
#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/random.hpp"
#include "croton/ops/user.hpp"
#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

Variable gradient(const Variable& y, const Variable& x) { return grad(sum(y), x); }

TEST(Gradients, ThatAreCutOrChanged) {
    Variable x = variable("f64[?]");
    Feed feed{{x, Array::of<double>({2, -3})}};
    expect_array(value(gradient(disconnected_grad(x) * x, x), feed), {2}, {2, -3});
    expect_array(value(gradient(zero_grad(x), x), feed), {2}, {0, 0});
    expect_array(value(gradient(consider_constant(x) * x, x), feed), {2}, {2, -3});
    expect_array(value(gradient(grad_clip(x, -0.5, 0.25) * x, x), feed), {2}, {2.25, -3.5});
    expect_array(value(gradient(grad_scale(x, -2.0), x), feed), {2}, {-2, -2});
    expect_error(ErrorKind::Value, "depend",
                 [&] { gradient(disconnected_grad(x * 2.0) + 1.0, x); });
    expect_array(value(jvp({disconnected_grad(x) * x}, {x}, {ones_like(x)})[0], feed), {2},
                 {2, -3});
}

TEST(Gradients, OfBranches) {
    Variable c = variable("b1[]", "c"), x = variable("f64[?]");
    Variable y = ifelse(c, assert_(x, gt(x, 0.0), "the wrong branch ran") * 2.0, x * x);
    Function f = function({c, x}, {y, gradient(y, x)});
    Array negative = Array::of<double>({-1, -2}), positive = Array::of<double>({1, 2, 3});
    expect_array(f(false, negative)[1], {2}, {-2, -4});
    expect_array(f(true, positive)[1], {3}, {2, 2, 2});
    expect_error(ErrorKind::Value, "the wrong branch ran", [&] { f(true, negative); });
}

TEST(Gradients, OfCallsAreCallsOrOverridden) {
    Variable a = variable("f64[?]", "a"), b = variable("f64[?]", "b"), x = variable("f64[?]");
    Feed feed{{x, Array::of<double>({2, 3})}};
    Callable f({a, b}, {a * a * b, a + b}, "f");
    auto results = f.call({x, x});
    expect_array(value(gradient(results[0], x), feed), {2}, {12, 27});
    expect_array(value(gradient(results[0] + results[1], x), feed), {2}, {14, 29});
    expect_array(value(gradient(gradient(results[0], x), x), feed), {2}, {12, 18});
    Callable g({a}, {a * a}, "g",
               [](const Variables& in, const Variables& out, const Variables& seeds) {
                   return Variables{seeds[0] * in[0] + out[0]};
               });
    expect_array(value(gradient(g({x}), x), feed), {2}, {6, 12});
}

class NoGradient : public UserOp {
  public:
    std::string name() const override { return "NoGradient"; }
    std::vector<TensorType> types(std::span<const TensorType> in) const override { return {in[0]}; }
    std::vector<Array> perform(std::span<const Array> in) const override { return {in[0]}; }
};

TEST(Gradients, MissingOnesNameOpAndLine) {
    Variable x = variable("f64[?]");
    Variable y = user_op_one(std::make_shared<NoGradient>(), {x});
    expect_error(ErrorKind::NotDifferentiable, "NoGradient has no gradient",
                 [&] { gradient(y, x); });
    expect_error(ErrorKind::NotDifferentiable, "test_gradients.cpp", [&] { gradient(y, x); });
    expect_array(value(gradient(disconnected_grad(y) * x, x), {{x, counting({2})}}), {2}, {0, 1});
}

TEST(Gradients, OfDrawsReachTheirParameters) {
    RandomStream rng(3);
    Variable mean = variable("f64[]", "mean"), deviation = variable("f64[]", "deviation");
    Variable z = rng.normal({100}, mean, deviation);
    auto gradients = grad(sum(z), {mean, deviation});
    Feed feed{{mean, Array::scalar(1.0)}, {deviation, Array::scalar(2.0)}};
    EXPECT_EQ(value(gradients[0], feed).item<double>(), 100);
    double total = value(sum(z), feed).item<double>();
    EXPECT_NEAR(value(gradients[1], feed).item<double>(), (total - 100) / 2, 1e-9);
}

TEST(Functions, DrawAnewAtEachCall) {
    RandomStream rng(5), twin(5);
    Function f = function({}, rng.uniform({3})), g = function({}, twin.uniform({3}));
    Array first = f(), second = f();
    EXPECT_FALSE(first.identical(second));
    EXPECT_TRUE(first.identical(g()));
    EXPECT_TRUE(second.identical(g()));
    rng.seed(5);
    EXPECT_TRUE(first.identical(f()));
}

// The result may take over memory of the array it is made from, but not while another argument
// looks into that memory.
TEST(Functions, WriteInPlaceOnlyIfNobodyElseReads) {
    Variable x = variable("f64[6]");
    Variable y = x * 2.0;
    Array given = counting({6});
    auto run = [&](const Variable& v) { return function({x}, v)(given).only(); };
    expect_array(run(set_subtensor(at(y, {everything}), flip(y, {0}))), {6}, {10, 8, 6, 4, 2, 0});
    expect_array(run(inc_subtensor(at(y, {Slice(1, {})}), at(y, {Slice({}, -1)}))), {6},
                 {0, 2, 6, 10, 14, 18});
    expect_array(run(set_subtensor(at(y, {Slice({}, 2)}), -1.0) + y), {6}, {-1, 1, 8, 12, 16, 20});
    expect_array(given, {6}, {0, 1, 2, 3, 4, 5});
    Variable m = variable("f64[2,2]");
    Variable n = m * 1.0;
    Function product = function({m}, gemm(m, m, matrix_transpose(n) + 0.0 * n, 1.0, 1.0));
    expect_array(product(counting({2, 2})), {2, 2}, {2, 5, 7, 14});
}

}  // namespace
}  // namespace croton::test
