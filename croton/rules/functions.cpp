// Functions of one value: symmetries, inverses, roundings, what is known of their range. A row may
// give a number where the left side has none, if that is the limit; never the reverse.
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// x where the inner function is defined, else NaN, as NumPy has it.
Build defined_from(double least) {
    return [least](const Match& m) { return where(ge(m["x"], least), m["x"], NAN); };
}

const Condition finite_and_not_zero{"y is a finite constant other than 0", [](const Match& m) {
                                        auto y = m.number("y");
                                        return y && std::isfinite(*y) && *y != 0 &&
                                               m.type("y").rank() == 0;
                                    }};
// Of negative numbers the powers are no numbers, unless they are whole; nor may their product be
// one.
const Condition powers_add_up{"c and d are constant scalars, whole if their sum is",
                              [](const Match& m) {
                                  auto c = m.number("c"), d = m.number("d");
                                  if (!c || !d || m.type("c").rank() + m.type("d").rank() != 0)
                                      return false;
                                  auto whole = [](double a) { return std::floor(a) == a; };
                                  return !whole(*c + *d) || (whole(*c) && whole(*d));
                              }};
}  // namespace

const Rules& functions() {
    static const Variable x = wildcard("x"), y = wildcard("y"), c = wildcard("c"),
                          d = wildcard("d");
    static const Condition real = floating("x"), reals = both(floating("x"), floating("y"));
    static const Rules rules = {
        // odd and even
        {"arcsin of negated", arcsin(-x), -arcsin(x), real},
        {"arcsinh of negated", arcsinh(-x), -arcsinh(x), real},
        {"arctanh of negated", arctanh(-x), -arctanh(x), real},
        {"cube root of negated", cbrt(-x), -cbrt(x), real},
        {"sign of negated", sign(-x), -sign(x), real},
        {"rint of negated", rint(-x), -rint(x), real},
        {"trunc of negated", trunc(-x), -trunc(x), real},
        {"floor of negated", floor(-x), -ceil(x), real},
        {"ceil of negated", ceil(-x), -floor(x), real},
        {"half away of negated", round_half_away(-x), -round_half_away(x), real},
        {"cos of absolute", cos(abs(x)), cos(x), real},
        {"cosh of absolute", cosh(abs(x)), cosh(x), real},
        {"hypot of negated", hypot(-x, y), hypot(x, y), reals},
        {"hypot of absolute", hypot(abs(x), y), hypot(x, y), reals},
        {"copysign of absolute", copysign(abs(x), y), copysign(x, y), reals},
        {"copysign of negated", copysign(-x, y), copysign(x, y), reals},
        {"absolute of copysign", abs(copysign(x, y)), abs(x), shaped_like_result("x")},
        {"sign times absolute", sign(x) * abs(x), x, not_complex("x")},

        // inverses
        {"exp of log", exp(log(x)), defined_from(0), real},
        {"expm1 of log1p", expm1(log1p(x)), defined_from(-1), real},
        {"square of root", sqr(sqrt(x)), defined_from(0), real},
        {"log2 of exp2", log2(exp2(x)), x, real},
        {"log2 of exp", log2(exp(x)), x * 1.4426950408889634, real},
        {"log10 of exp", log10(exp(x)), x * 0.4342944819032518, real},
        {"log of exp2", log(exp2(x)), x * 0.6931471805599453, real},
        {"sinh of arcsinh", sinh(arcsinh(x)), x, real},
        {"arcsinh of sinh", arcsinh(sinh(x)), x, real},
        {"degrees and back", deg2rad(rad2deg(x)), x, real},
        {"radians and back", rad2deg(deg2rad(x)), x, real},
        {"reciprocal twice", reciprocal(reciprocal(x)), x, real},
        {"reciprocal of quotient", reciprocal(x / y), y / x, reals},
        {"quotient by its root", x / sqrt(x), sqrt(x), real},

        // powers and exponentials
        {"power one half", pow(x, 0.5), sqrt(x), real},
        // (pow gives +inf for -inf, sqrt NaN; power -1/2 gives 0 there, so that it has no row)
        {"root of exp", sqrt(exp(x)), exp(x * 0.5), real},
        {"square of exp", sqr(exp(x)), exp(x * 2), real},
        {"power of exp", pow(exp(x), y), exp(x * y), both(real, finite_and_not_zero)},
        {"product of powers", pow(x, c) * pow(x, d), pow(x, c + d), both(real, powers_add_up)},
        {"log of square", log(sqr(x)), log(abs(x)) * 2, real},
        {"log of cube root", log(cbrt(x)), log(x) / 3, real},
        {"log of scaled exp", log(x * exp(y)), log(x) + y, reals},
        {"log of exp over", log(exp(x) / y), x - log(y), reals},
        {"sinh by exps", (exp(x) - exp(-x)) * 0.5, sinh(x), real},
        {"cosh by exps", (exp(x) + exp(-x)) * 0.5, cosh(x), real},
        {"tanh by exps", (exp(x) - exp(-x)) / (exp(x) + exp(-x)), tanh(x), real},
        {"tanh by sigmoid", sigmoid(x * 2) * 2 - 1, tanh(x), real},
        {"tanh by sinh and cosh", sinh(x) / cosh(x), tanh(x), real},
        {"tan by sin and cos", sin(x) / cos(x), tan(x), real},
        {"one minus square of cos", 1 - sqr(cos(x)), sqr(sin(x)), real},
        {"one minus square of sin", 1 - sqr(sin(x)), sqr(cos(x)), real},

        // roundings of roundings
        {"floor of ceil", floor(ceil(x)), ceil(x)},
        {"floor of trunc", floor(trunc(x)), trunc(x)},
        {"floor of rint", floor(rint(x)), rint(x)},
        {"ceil of floor", ceil(floor(x)), floor(x)},
        {"ceil of trunc", ceil(trunc(x)), trunc(x)},
        {"ceil of rint", ceil(rint(x)), rint(x)},
        {"trunc of floor", trunc(floor(x)), floor(x)},
        {"trunc of ceil", trunc(ceil(x)), ceil(x)},
        {"trunc of rint", trunc(rint(x)), rint(x)},
        {"rint of floor", rint(floor(x)), floor(x)},
        {"rint of ceil", rint(ceil(x)), ceil(x)},
        {"rint of trunc", rint(trunc(x)), trunc(x)},

        // what is never negative
        {"absolute of cosh", abs(cosh(x)), cosh(x), real},
        {"absolute of exp2", abs(exp2(x)), exp2(x), real},
        {"absolute of erfc", abs(erfc(x)), erfc(x), real},
        {"absolute of relu", abs(relu(x)), relu(x), real},
        {"relu twice", relu(relu(x)), relu(x), real},
        {"absolute of softplus", abs(softplus(x)), softplus(x), real},
        {"absolute of hypot", abs(hypot(x, y)), hypot(x, y), reals},
        {"product of absolutes", abs(x) * abs(y), abs(x * y), reals},
        {"quotient of absolutes", abs(x) / abs(y), abs(x / y), reals},
        {"square of a truth", sqr(any_attrs(cast(c, DType::Float64), {"dtype"})),
         any_attrs(cast(c, DType::Float64), {"dtype"}), is_bool_value("c")},
        {"maximum of exp and zero", maximum(exp(x), 0), exp(x), real},
        {"maximum of square and zero", maximum(sqr(x), 0), sqr(x), real},
        {"maximum of absolute and zero", maximum(abs(x), 0), abs(x), real},
        {"maximum of sigmoid and zero", maximum(sigmoid(x), 0), sigmoid(x), real},
        {"maximum of softplus and zero", maximum(softplus(x), 0), softplus(x), real},

        // of two values whichever is larger
        {"sum of maximum and minimum", maximum(x, y) + minimum(x, y), x + y, not_complex("x")},
        {"product of maximum and minimum", maximum(x, y) * minimum(x, y), x * y, not_complex("x")},
        {"maximum less minimum", maximum(x, y) - minimum(x, y), abs(x - y), reals},
        {"maximum of numbers with itself", fmax(x, x), x},
        {"minimum of numbers with itself", fmin(x, x), x},
        {"maximum absorbs minimum", maximum(minimum(x, y), y), y,
         both(integer_or_bool("x"), shaped_like_result("y"))},
        {"minimum absorbs maximum", minimum(maximum(x, y), y), y,
         both(integer_or_bool("x"), shaped_like_result("y"))},
    };
    return rules;
}

}  // namespace croton::rules
