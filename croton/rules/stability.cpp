// Right numbers at the edges: logarithms, exponentials, roots, what cancels. The right side may be
// finite where the left overflows or has a limit only; never the reverse.
#include "croton/rules/stability.hpp"

#include <cmath>
#include <numbers>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
constexpr double log_2 = std::numbers::ln2;

// The even powers lose the sign of their base before the logarithm sees it.
Variable log_of_power(const Match& m) {
    auto c = m.number("c");
    if (!c || !std::isfinite(*c) || *c == 0 || m.type("c").rank() != 0) return {};
    bool even = std::fmod(*c, 2) == 0;
    return log(even ? abs(m["x"]) : m["x"]) * *c;
}

// --- formulas for two parts of the domain
// Each part is computed of a value held within it, so that what is not chosen stays finite and its
// gradient zero. The formula of one part contains the left side, of such a held value: that is the
// sign to leave it alone.

bool held_at(const Match& m, double bound) {
    Value x = m.value("x");
    Arena& arena = m.arena();
    if (arena.kind(x.node) != NodeKind::Apply) return false;
    std::string_view op = arena.op(x.node)->name;
    if (op != "minimum" && op != "maximum") return false;
    for (Value v : arena.inputs(x.node))
        if (const Array* number = arena.constant(v); number && number->size() == 1)
            return number->item<double>() ==
                   Array::scalar(bound).cast(number->dtype()).item<double>();
    return false;
}

// log(1 - exp(x)): where exp(x) is near 1 by expm1, elsewhere by log1p.
Variable log_of_one_minus_exp(const Match& m) {
    if (held_at(m, -log_2)) return {};
    const Variable& x = m["x"];
    return where(gt(x, -log_2), log(-expm1(maximum(x, -log_2))), log1p(-exp(minimum(x, -log_2))));
}

// log(erfc(x)) beyond `limit`, where erfc is too small for the dtype, by its asymptotic series
// (Abramowitz and Stegun 7.1.23).
Variable log_of_erfc(const Match& m) {
    const Variable& x = m["x"];
    double limit = x.dtype() == DType::Float64 ? 26 : 9;
    bool known = x.dtype() == DType::Float64 || x.dtype() == DType::Float32;
    if (!known || held_at(m, limit)) return {};
    Variable far = maximum(x, limit), u = 0.5 / sqr(far);
    Variable series = u * (u * (u * (u * 105 - 15) + 3) - 1);
    Variable tail = log1p(series) - sqr(far) - log(far * std::sqrt(std::numbers::pi));
    return where(lt(x, limit), log(erfc(minimum(x, limit))), tail);
}

// sqrt(1 + x) - 1 without the difference where x is small.
Variable root_less_one(const Match& m) {
    if (held_at(m, 1)) return {};
    const Variable& x = m["x"];
    return where(lt(x, 1), x / (sqrt(1 + x) + 1), sqrt(1 + maximum(x, 1)) - 1);
}
Variable one_less_root(const Match& m) {
    if (held_at(m, -1)) return {};
    const Variable& x = m["x"];
    return where(gt(x, -1), x / (sqrt(1 - x) + 1), 1 - sqrt(1 - minimum(x, -1)));
}

// --- sums of exponentials

bool is_op(Arena& arena, Value v, std::string_view name) {
    return arena.kind(v.node) == NodeKind::Apply && arena.op(v.node)->name == name;
}

// The arguments of the exponentials that x is the sum of; nothing if it is another sum.
Variables exps_summed(Arena& arena, Value sum) {
    Variables arguments;
    std::vector<Value> stack{sum};
    while (!stack.empty()) {
        Value v = stack.back();
        stack.pop_back();
        auto inputs = arena.inputs(v.node);
        if (is_op(arena, v, "add")) {
            stack.push_back(inputs[1]);
            stack.push_back(inputs[0]);
        } else if (is_op(arena, v, "exp") && arguments.size() < 64) {
            arguments.push_back(arena.variable(inputs[0]));
        } else {
            return {};
        }
    }
    return arguments;
}

Variable log_of_sum_of_exps(const Match& m) {
    Variables arguments = exps_summed(m.arena(), m.arena().inputs(m.root())[0]);
    if (arguments.size() < 3) return {};
    Variable result = arguments[0];
    for (size_t i = 1; i < arguments.size(); ++i) result = logaddexp(result, arguments[i]);
    return result;
}

const Condition positive_constant{"c is a positive constant scalar", [](const Match& m) {
                                      auto c = m.number("c");
                                      return c && *c > 0 && std::isfinite(*c) &&
                                             m.type("c").rank() == 0;
                                  }};
Variable log_of_exp_and_constant(const Match& m) {
    return logaddexp(m["x"], std::log(*m.number("c")));
}

}  // namespace

Rules stable_functions() {
    static const Variable x = wildcard("x"), y = wildcard("y"), s = wildcard("s"),
                          c = wildcard("c");
    static const Condition real = floating("x"), reals = both(real, floating("y"));
    return {
        // name                          left                              right where
        {"log of one plus", log(1 + x), log1p(x), real},
        {"log of one minus", log(1 - x), log1p(-x), real},
        {"exp minus one", exp(x) - 1, expm1(x), real},
        {"one minus exp", 1 - exp(x), -expm1(x), real},
        {"expm1 plus one", expm1(x) + 1, exp(x), real},
        {"log1p of less one", log1p(x - 1), log(x), real},
        {"log of exp", log(exp(x)), x, real},
        {"log1p of expm1", log1p(expm1(x)), x, real},
        {"log of reciprocal", log(reciprocal(x)), -log(x), real},
        {"log of root", log(sqrt(x)), log(x) * 0.5, real},
        {"reciprocal of exp", reciprocal(exp(x)), exp(-x), real},
        {"quotient by exp", y / exp(x), y * exp(-x), reals},
        {"product of exps", exp(x) * exp(y), exp(x + y), reals},
        {"softplus", log1p(exp(x)), softplus(x), real},
        {"log of sum of two exps", log(exp(x) + exp(y)), logaddexp(x, y), reals},

        {"sigmoid", reciprocal(1 + exp(-x)), sigmoid(x), real},
        {"sigmoid of negated", reciprocal(1 + exp(x)), sigmoid(-x), real},
        {"sigmoid as quotient", exp(x) / (1 + exp(x)), sigmoid(x), real},
        {"one minus sigmoid", 1 - sigmoid(x), sigmoid(-x), real},
        {"log of sigmoid", log(sigmoid(x)), -softplus(-x), real},
        {"log1p of minus sigmoid", log1p(-sigmoid(x)), -softplus(x), real},
        {"sigmoid times exp of negated", sigmoid(x) * exp(-x), sigmoid(-x), real},
        {"sigmoid of negated times exp", sigmoid(-x) * exp(x), sigmoid(x), real},
        {"softplus less its argument", softplus(x) - x, softplus(-x), real},
        {"exp of softplus", exp(softplus(x)), 1 + exp(x), real},
        {"exp of minus softplus", exp(-softplus(x)), sigmoid(-x), real},

        {"one minus erf", 1 - erf(x), erfc(x), real},
        {"one minus erfc", 1 - erfc(x), erf(x), real},
        {"erf minus one", erf(x) - 1, -erfc(x), real},
        {"one plus erf", 1 + erf(x), erfc(-x), real},

        {"log of power", log(pow(x, c)), log_of_power,
         both(real, both(is_constant("c"), as_the_function_says("|x| for even c")))},
        {"log of cosh", log(cosh(x)), logaddexp(x, -x) - log_2, real},
        {"log of one minus exp", log(-expm1(x)), log_of_one_minus_exp, real},
        {"log1p of minus exp", log1p(-exp(x)), log_of_one_minus_exp, real},
        {"log of erfc", log(erfc(x)), log_of_erfc, real},
        {"log of sum of several exps", log(x + y), log_of_sum_of_exps,
         both(reals, as_the_function_says("three or more exponentials"))},
        {"log of exp and a constant", log(exp(x) + c), log_of_exp_and_constant,
         both(real, positive_constant)},
        {"logaddexp with zero", logaddexp(x, 0), softplus(x), real},
        {"logaddexp by its parts", maximum(x, y) + softplus(-abs(x - y)), logaddexp(x, y), reals},
        {"softplus by its parts", maximum(x, 0) + softplus(-abs(x)), softplus(x), real},
        {"softplus of negated and its argument", softplus(-x) + x, softplus(x), real},
        {"softplus less that of negated", softplus(x) - softplus(-x), x, real},
        {"expm1 of softplus", expm1(softplus(x)), exp(x), real},
        {"sigmoid over that of negated", sigmoid(x) / sigmoid(-x), exp(x), real},
        {"sigmoid by tanh", tanh(x * 0.5) * 0.5 + 0.5, sigmoid(x), real},
        {"sigmoid by tanh, halved last", (tanh(x * 0.5) + 1) * 0.5, sigmoid(x), real},
        {"logistic density", exp(x) / sqr(1 + exp(x)), sigmoid(x) * sigmoid(-x), real},
        {"tanh of half by exps", expm1(x) / (exp(x) + 1), tanh(x * 0.5), real},
        {"arctanh by logs", log1p(x) - log1p(-x), arctanh(x) * 2, real},
        {"arcsinh by log", log(x + sqrt(sqr(x) + 1)), arcsinh(x), real},
        {"arccosh by log", log(x + sqrt(sqr(x) - 1)), arccosh(x), real},

        // differences of what is nearly the same
        {"one minus cos", 1 - cos(x), sqr(sin(x * 0.5)) * 2, real},
        {"cos minus one", cos(x) - 1, sqr(sin(x * 0.5)) * -2, real},
        {"cosh minus one", cosh(x) - 1, sqr(sinh(x * 0.5)) * 2, real},
        {"root of one plus, less one", sqrt(1 + x) - 1, root_less_one, real},
        {"one less root of one minus", 1 - sqrt(1 - x), one_less_root, real},

        // Factors that cancel are never zero: x / x is NaN at 0, and comparisons may decide by
        // that.
        {"exp times quotient by it", exp(x) * (s / exp(x)), s, shaped_like_result("s")},
        {"sigmoid times quotient by it", sigmoid(x) * (s / sigmoid(x)), s, shaped_like_result("s")},

        // Zero is chosen whatever the factor: no 0 * inf in the gradients of choices.
        {"product of a choice or zero", where(c, y, 0) * x, where(c, y * x, 0),
         both(reals, shaped_like_result("c"))},
        {"product of zero or a choice", where(c, 0, y) * x, where(c, 0, y * x),
         both(reals, shaped_like_result("c"))},
        {"quotient of a choice or zero", where(c, y, 0) / x, where(c, y / x, 0),
         both(reals, shaped_like_result("c"))},
        {"quotient of zero or a choice", where(c, 0, y) / x, where(c, 0, y / x),
         both(reals, shaped_like_result("c"))},
    };
}

const Rules& stability() {
    static const Rules all = [] {
        Rules rows = stable_functions();
        for (Rule& row : stable_probabilities()) rows.push_back(std::move(row));
        return rows;
    }();
    return all;
}

}  // namespace croton::rules
