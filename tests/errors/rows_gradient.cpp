// Derivatives that do not exist, or are asked for wrongly.
#include "croton/compile/reference.hpp"
#include "croton/grad/verify.hpp"
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

namespace {
// Halves its argument, with a wrong gradient.
class WrongGradient : public UserOp {
  public:
    std::string name() const override { return "WrongGradient"; }
    std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
        return {inputs[0]};
    }
    std::vector<Array> perform(std::span<const Array> inputs) const override {
        Array result = inputs[0].copy();
        for (int64_t i = 0; i < result.size(); ++i) result.data_as<double>()[i] /= 2;
        return {result};
    }
    Variables gradient(const Variables&, const Variables&, const Variables& seeds) const override {
        return {seeds[0] * 3.0};
    }
};

class GradientOfOtherSize : public WrongGradient {
    Variables gradient(const Variables&, const Variables&, const Variables& seeds) const override {
        return {sum(seeds[0])};
    }
};

class TwoGradients : public WrongGradient {
    Variables gradient(const Variables&, const Variables&, const Variables& seeds) const override {
        return {seeds[0], seeds[0]};
    }
};

template <class Op>
Variable applied(Arg x) {
    return user_op_one(std::make_shared<Op>(), {x});
}
}  // namespace

Rows gradient_rows() {
    return {
        {"a cost that is no scalar",
         Type,
         [] {
             auto x = vector<double>("x");
             auto cost = sqr(x);
             grad(cost, x);
         },
         {"scalar", "f64[?]", "sum", line("sqr(x)")}},
        {"a cost of integers",
         Type,
         [] {
             auto x = vector<int64_t>("x");
             auto cost = sum(x);
             grad(cost, x);
         },
         {"floating", "i64", line("sum(x)")}},
        {"a cost that does not depend on the variable",
         Value,
         [] {
             auto x = vector<double>("x");
             auto y = vector<double>("y");
             auto cost = sum(sqr(x));
             grad(cost, y);
         },
         {"y (f64[?]", "does not depend on", line("auto y"), line("auto cost"), "disconnected"}},
        {"a cost behind disconnected_grad",
         Value,
         [] {
             auto x = vector<double>("x");
             auto cost = sum(sqr(disconnected_grad(x)));
             grad(cost, x);
         },
         {"x (f64[?]", "does not depend on", line("auto x"), line("auto cost")}},
        {"no cost at all", Usage, [] { grad(Variable(), vector<double>("x")); }, {"cost"}},
        {"nothing as the variable",
         Usage,
         [] {
             auto x = scalar<double>("x");
             grad(sqr(x), Variable());
         },
         {"nothing"}},
        {"a known gradient of another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             auto h = exp(x);
             GradOptions options;
             options.known_grads.emplace(h, constant(counting({3, 3})));
             grad(Variable(), Variables{x}, options);
         },
         {"f64[?]", "f64[3,3]", line("exp(x)")}},
        {"an op without a gradient",
         NotDifferentiable,
         [] {
             auto x = vector<double>("x");
             class Plain : public UserOp {
                 std::string name() const override { return "Plain"; }
                 std::vector<TensorType> types(std::span<const TensorType> inputs) const override {
                     return {inputs[0]};
                 }
                 std::vector<Array> perform(std::span<const Array> inputs) const override {
                     return {inputs[0].copy()};
                 }
             };
             auto y = user_op_one(std::make_shared<Plain>(), {x});
             auto cost = sum(y);
             grad(cost, x);
         },
         {"Plain", "gradient", line("user_op_one(std::make_shared<Plain>"), "override"}},
        {"a gradient of another rank than its argument",
         Type,
         [] {
             auto x = vector<double>("x");
             auto y = applied<GradientOfOtherSize>(x);
             grad(sum(y), x);
         },
         {"WrongGradient", "f64[]", "f64[?]", line("applied<GradientOfOtherSize>(x)")}},
        {"more gradients than arguments",
         Usage,
         [] {
             auto x = vector<double>("x");
             auto y = applied<TwoGradients>(x);
             grad(sum(y), x);
         },
         {"WrongGradient", "2", "1", line("applied<TwoGradients>(x)")}},
        {"a wrong gradient",
         Value,
         [] {
             verify_grad([](const Variables& in) { return applied<WrongGradient>(in[0]); },
                         {counting({3})}, compile::evaluate);
         },
         {"GradientError", "input 0, element 0", "symbolic", "numeric", "WrongGradient",
          "x0 = [0, 1, 2]"}},
        {"a Jacobian of a matrix",
         Type,
         [] {
             auto x = tensor<double>("x", {2, 3});
             jacobian(exp(x), x);
         },
         {"f64[2,3]", line("exp(x)")}},
        {"a Hessian of a vector",
         Type,
         [] {
             auto x = tensor<double>("x", {3});
             hessian(exp(x), x);
         },
         {"scalar", line("exp(x)")}},
        {"other numbers of cotangents and outputs",
         Usage,
         [] {
             auto x = vector<double>("x");
             vjp({exp(x)}, {x}, {});
         },
         {"1", "0"}},
        {"a cotangent of another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             vjp({exp(x)}, {x}, {scalar<double>("u")});
         },
         {"f64[]", "f64[?]", line("exp(x)")}},
        {"other numbers of tangents and variables",
         Usage,
         [] {
             auto x = vector<double>("x");
             jvp({exp(x)}, {x}, {x, x});
         },
         {"1", "2"}},
        {"a tangent of another rank",
         Type,
         [] {
             auto x = vector<double>("x");
             jvp({exp(x)}, {x}, {matrix<double>("t")});
         },
         {"f64[?,?]", "f64[?]", line("auto x")}},
        {"a parameter that the loss does not need",
         Value,
         [] {
             auto x = vector<double>("x");
             auto w = shared(zeros<double>({3}), "w");
             auto b = shared(zeros<double>({3}), "b");
             auto loss = sum(sqr(x * w));
             optimizers::sgd(loss, {w, b}, 0.1);
         },
         {"b (f64[?]", "does not depend on", line("auto b"), line("auto loss")}},
    };
}

}  // namespace croton::test
