#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/special.hpp"
#include "croton/ops/user.hpp"
#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

TEST(IfElse, RunsOnlyTheChosenSide) {
    Variable c = variable("b1[]", "c"), x = variable("f64[?]");
    Variable guarded = assert_(x, gt(x, 0.0), "must be positive");
    Variable y = ifelse(c, guarded, neg(x));
    Feed feed{{c, Array::scalar(false)}, {x, Array::of<double>({-1})}};
    expect_array(value(y, feed), {1}, {1});
    feed[0].second = Array::scalar(true);
    expect_error(ErrorKind::Value, "must be positive", [&] { value(y, feed); });
    feed[1].second = Array::of<double>({2, 3});
    expect_array(value(y, feed), {2}, {2, 3});
}

TEST(IfElse, TypesAndErrors) {
    Variable c = variable("f64[]", "c");
    Variable y = ifelse(c, variable("f32[3,?]"), variable("f64[3,2]"));
    EXPECT_EQ(y.type().text(), "f64[3,?]");
    auto both = ifelse(c, Variables{variable("i8[]"), variable("f32[2]")},
                       Variables{variable("i16[]"), variable("f32[2]")});
    EXPECT_EQ(both[0].type().text(), "i16[]");
    EXPECT_EQ(both[1].type().text(), "f32[2]");
    expect_error(ErrorKind::Type, "condition of ifelse is a scalar",
                 [] { ifelse(variable("b1[?]"), 1.0, 2.0); });
    expect_error(ErrorKind::Type, "0 and 1 axes", [&] { ifelse(c, 1.0, variable("f64[?]")); });
    expect_error(ErrorKind::Usage, "as many values", [&] { ifelse(c, Variables{c}, Variables{}); });
}

TEST(Callable, IsAGraphUnderAName) {
    Variable a = variable("f64[?]", "a"), b = variable("f64[?]", "b");
    Callable f({a, b}, {a * b, a + b}, "f");
    Variable x = variable("f64[?]");
    auto results = f.call({x, x + 1.0});
    Feed feed{{x, Array::of<double>({2, 3})}};
    expect_array(value(results[0], feed), {2}, {6, 12});
    expect_array(value(results[1], feed), {2}, {5, 7});
    expect_error(ErrorKind::Usage, "f takes 2 arguments, not 1", [&] { f.call({x}); });
    expect_error(ErrorKind::Type, "argument 0 must fit", [&] { f.call({variable("f64[]"), x}); });
    expect_error(ErrorKind::Usage, "f has 2 outputs", [&] { f({x, x}); });
    expect_error(ErrorKind::Usage, "'b'", [&] { Callable({a}, {a * b}, "g"); });
    expect_error(ErrorKind::Usage, "input variables", [&] { Callable({a * b}, {a}, "g"); });
}

TEST(Effects, AssertAndPrint) {
    Variable x = variable("f64[?]");
    testing::internal::CaptureStdout();
    expect_array(value(print_(x, "x is"), {{x, Array::of<double>({1, 2})}}), {2}, {1, 2});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "x is [1, 2]\n");
    EXPECT_TRUE(print_(x, "").op()->facts.impure);
}

// --- user ops -----------------------------------------------------------------------------------

class Halve : public UserOp {
  public:
    std::string name() const override { return "Halve"; }
    std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
        if (inputs.size() != 1) fail(ErrorKind::Usage, "Halve takes one argument");
        return {inputs[0]};
    }
    std::vector<Array> perform(std::span<const Array> inputs) const override {
        if (inputs[0].size() == 0) throw std::runtime_error("nothing to halve");
        if (inputs[0].size() == 1) return {inputs[0].cast(DType::Int8)};
        if (inputs[0].size() == 2) return {};
        Array result = inputs[0].copy();
        for (int64_t i = 0; i < result.size(); ++i) result.data_as<double>()[i] /= 2;
        return {result};
    }
};

TEST(UserOp, RunsAndFailsByName) {
    Variable x = variable("f64[?]");
    Variable y = user_op_one(std::make_shared<Halve>(), {x});
    auto run = [&](Array a) { return value(y + 1.0, {{x, a}}); };
    expect_array(run(Array::of<double>({2, 4, 8})), {3}, {2, 3, 5});
    expect_error(ErrorKind::Value, "the op Halve failed: nothing to halve",
                 [&] { run(counting({0})); });
    expect_error(ErrorKind::Value, "test_control.cpp", [&] { run(counting({0})); });
    expect_error(ErrorKind::Type, "gave int8 as result 0", [&] { run(counting({1})); });
    expect_error(ErrorKind::Usage, "gave 0 results", [&] { run(counting({2})); });
    expect_error(ErrorKind::Usage, "Halve takes one argument",
                 [&] { user_op(std::make_shared<Halve>(), {x, x}); });
}

TEST(UserOp, WithoutGradientSaysSo) {
    Variable x = variable("f64[?]");
    Variable y = user_op_one(std::make_shared<Halve>(), {x});
    expect_error(ErrorKind::NotDifferentiable, "the op Halve has no gradient", [&] {
        InnerGradient none;
        Variables seeds{y};
        std::vector<bool> wanted{true};
        y.op()->pullback(Pullback{{y, none}, seeds, wanted});
    });
}

}  // namespace
}  // namespace croton::test
