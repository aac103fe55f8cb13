// Arithmetic: identities, signs, powers, constants gathered, choices. Rows keep NumPy's values:
// x - x is no zero for infinities, so such rows ask for integers.
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// 1/c is exact: c is a power of two whose reciprocal is a normal number.
Variable times_exact_reciprocal(const Match& m) {
    auto c = m.number("c");
    if (!c || !is_floating(m.type("c").dtype) || m.type("c").rank() != 0) return {};
    int exponent = 0;
    if (std::abs(std::frexp(*c, &exponent)) != 0.5 || std::abs(exponent) > 60) return {};
    return m["x"] * (1.0 / *c);
}

// x to a whole power in at most four products.
Variable small_power(const Match& m) {
    auto c = m.number("c");
    if (!c || m.type("c").rank() != 0 || std::floor(*c) != *c || std::abs(*c) > 8) return {};
    auto rest = static_cast<int>(std::abs(*c));
    if (rest < 3) return {};
    Variable power = m["x"], result;
    for (; rest > 0; rest /= 2) {
        if (rest % 2 == 1) result = result ? result * power : power;
        if (rest > 1) power = sqr(power);
    }
    return *c < 0 ? reciprocal(result) : result;
}
// Powers of powers multiply where both are whole: (x^2)^0.5 is |x|.
Variable power_of_power(const Match& m) {
    auto c = m.number("c"), d = m.number("d");
    if (!c || !d || m.type("c").rank() + m.type("d").rank() != 0) return {};
    if (std::floor(*c) != *c || std::floor(*d) != *d || std::abs(*c * *d) > 1e6) return {};
    return pow(m["x"], *c * *d);
}

Variable zeros_like_result(const Match& m) { return zeros_like(m["x"], m.root_type().dtype); }
Variable ones_like_result(const Match& m) { return ones_like(m["x"], m.root_type().dtype); }

// The branch that a constant condition takes, if it alone has the sizes of the result.
Variable chosen_branch(const Match& m) {
    auto c = m.number("c");
    if (!c) return {};
    const char* name = *c != 0 ? "x" : "y";
    if (!shaped_like_result(name)(m) || m.type(name).dtype != m.root_type().dtype) return {};
    return m[name];
}

const Condition only_c_is_a_constant{
    "c is a constant scalar, x and y are no constants, x has the rank of the result",
    [](const Match& m) {
        return m.constant("c") && !m.constant("x") && !m.constant("y") && m.type("c").rank() == 0 &&
               m.type("x").rank() == m.root_type().rank();
    }};
}  // namespace

const NodeRule& constants_last() {
    static const NodeRule rule{
        "constants last",
        [](Arena& arena, NodeId id) {
            auto inputs = arena.inputs(id);
            Variables swapped{arena.variable(inputs[1]), arena.variable(inputs[0])};
            return apply_like(arena.variable({id, 0}).node(), swapped);
        },
        [](const OpRecord& op) { return op.facts.commutative && op.arguments.size() == 2; },
        [](const Arena& arena, NodeId id) {
            auto inputs = arena.inputs(id);
            return arena.kind(inputs[0].node) == NodeKind::Constant &&
                   arena.kind(inputs[1].node) != NodeKind::Constant;
        }};
    return rule;
}

const Rules& algebra() {
    static const Variable x = wildcard("x"), y = wildcard("y"), z = wildcard("z"),
                          c = wildcard("c"), d = wildcard("d");
    static const Rules rules = {
        // name                            left                   right                where it
        // holds
        {"add zero", x + 0, x},
        {"subtract zero", x - 0, x},
        {"times one", x * 1, x},
        {"divided by one", x / 1, x},
        {"zero minus", 0 - x, -x},
        {"times minus one", x * -1, -x},
        {"divided by minus one", x / -1, -x},
        {"negated twice", -(-x), x},
        {"add a negated", x + (-y), x - y},
        {"subtract a negated", x - (-y), x + y},
        {"negated minus", (-x) - y, -(x + y)},
        {"negated difference", -(x - y), y - x},
        {"product of negated", (-x) * (-y), x * y},
        {"quotient of negated", (-x) / (-y), x / y},
        {"sign out of product", (-x) * y, -(x * y), rank_of_result("x").in_any_order()},
        {"sign out of numerator", (-x) / y, -(x / y), rank_of_result("x")},
        {"sign out of denominator", x / (-y), -(x / y), rank_of_result("y")},
        {"sum with itself", x + x, x * 2},
        {"integer minus itself", x - x, zeros_like_result, integer_or_bool("x")},
        {"integer times zero", x * 0, zeros_like_result,
         both(integer_or_bool("x"), shaped_like_result("x"))},
        {"integer divided by one", floor_div(x, 1), x, integer_or_bool("x")},
        {"integer modulo one", mod(x, 1), zeros_like_result,
         both(integer_or_bool("x"), shaped_like_result("x"))},
        {"integer modulo twice", mod(mod(x, y), y), mod(x, y),
         both(integer_or_bool("x"), integer_or_bool("y"))},
        {"integer less its difference", x - (x - y), y,
         both(integer_or_bool("x"), shaped_like_result("y"))},
        {"integer sum less its part", (x + y) - y, x,
         both(integer_or_bool("x"), shaped_like_result("x"))},
        {"integer difference and its part", (x - y) + y, x,
         both(integer_or_bool("x"), shaped_like_result("x"))},

        {"product with itself", x * x, sqr(x)},
        {"power zero", pow(x, 0), ones_like_result, shaped_like_result("x")},
        {"power one", pow(x, 1), x},
        {"power two", pow(x, 2), sqr(x)},
        {"power three", pow(x, 3), x * sqr(x)},
        {"power four", pow(x, 4), sqr(sqr(x))},
        {"power minus one", pow(x, -1), reciprocal(x), floating("x")},
        {"power minus two", pow(x, -2), reciprocal(sqr(x)), floating("x")},
        {"power of one", pow(1, x), ones_like_result, both(floating("x"), shaped_like_result("x"))},
        {"power of two", pow(2, x), exp2(x), floating("x")},
        {"small power", pow(x, c), small_power,
         both(floating("x"), as_the_function_says("c is whole, from 3 to 8 or from -8 to -3"))},
        {"power three halves", pow(x, 1.5), x * sqrt(x), floating("x")},
        {"power of power", pow(pow(x, c), d), power_of_power,
         both(floating("x"), as_the_function_says("c and d are whole constants"))},
        {"one over", 1 / x, reciprocal(x), floating("x")},
        {"product with reciprocal", x * reciprocal(y), x / y, floating("x")},
        {"quotient by reciprocal", x / reciprocal(y), x * y, floating("x")},
        {"reciprocal over", reciprocal(x) / y, reciprocal(x * y),
         both(floating("x"), floating("y"))},
        {"squares multiplied", sqr(x) * sqr(y), sqr(x * y), both(floating("x"), floating("y"))},
        {"squares divided", sqr(x) / sqr(y), sqr(x / y), both(floating("x"), floating("y"))},
        {"square of negated", sqr(-x), sqr(x)},
        {"square of absolute", sqr(abs(x)), sqr(x), not_complex("x")},
        {"root of square", sqrt(sqr(x)), abs(x), floating("x")},
        {"absolute of negated", abs(-x), abs(x), signed_number("x")},
        {"absolute twice", abs(abs(x)), abs(x)},
        {"absolute of square", abs(sqr(x)), sqr(x), floating("x")},
        {"absolute of exp", abs(exp(x)), exp(x), floating("x")},
        {"absolute of root", abs(sqrt(x)), sqrt(x), floating("x")},
        {"absolute of sigmoid", abs(sigmoid(x)), sigmoid(x), floating("x")},

        {"constants of a sum", (x + c) + d, x + (c + d), constants_added(false)},
        {"constants of sum and difference", (x + c) - d, x + (c - d), constants_added(true)},
        {"constants of difference and sum", (x - c) + d, x + (d - c), constants_added(true)},
        {"constants of a difference", (x - c) - d, x - (c + d), constants_added(false)},
        {"constant minus a sum", c - (x + d), (c - d) - x, constants_added(true)},
        {"constant minus a difference", c - (x - d), (c + d) - x, constants_added(false)},
        {"constants of a product", (x * c) * d, x * (c * d), constants_multiplied(false)},
        {"constants of product and quotient", (x * c) / d, x * (c / d),
         both(constants_multiplied(true), floating("x"))},
        {"constants of quotient and product", (x / c) * d, x * (d / c),
         both(constants_multiplied(true), floating("x"))},
        {"constants of a quotient", (x / c) / d, x / (c * d),
         both(constants_multiplied(false), floating("x"))},
        // A common factor comes out where the sum of the others is known. (It does not go in: (x -
        // 1) * 3
        // is exact near 1, x * 3 - 3 is not.)
        {"scaled twice, added", x * c + x * d, x * (c + d), constants("c", "d")},
        {"scaled twice, subtracted", x * c - x * d, x * (c - d), constants("c", "d")},
        {"scaled and itself", x * c + x, x * (c + 1), is_constant("c")},
        {"scaled less itself", x * c - x, x * (c - 1), is_constant("c")},
        {"itself less scaled", x - x * c, x * (1 - c), is_constant("c")},
        {"constant out of left factor", (x * c) * y, (x * y) * c, only_c_is_a_constant},
        {"quotient by a power of two", x / c, times_exact_reciprocal,
         both(is_constant("c"), as_the_function_says("1/c is exact"))},

        {"floor twice", floor(floor(x)), floor(x)},
        {"ceil twice", ceil(ceil(x)), ceil(x)},
        {"trunc twice", trunc(trunc(x)), trunc(x)},
        {"rint twice", rint(rint(x)), rint(x)},
        {"sign twice", sign(sign(x)), sign(x)},
        {"maximum with itself", maximum(x, x), x},
        {"minimum with itself", minimum(x, x), x},
        {"maximum of maximum", maximum(maximum(x, y), y), maximum(x, y)},
        {"minimum of minimum", minimum(minimum(x, y), y), minimum(x, y)},
        {"maximum of negated", maximum(-x, -y), -minimum(x, y), floating("x")},
        {"minimum of negated", minimum(-x, -y), -maximum(x, y), floating("x")},
        {"cos of negated", cos(-x), cos(x), floating("x")},
        {"sin of negated", sin(-x), -sin(x), floating("x")},
        {"tan of negated", tan(-x), -tan(x), floating("x")},
        {"cosh of negated", cosh(-x), cosh(x), floating("x")},
        {"sinh of negated", sinh(-x), -sinh(x), floating("x")},
        {"tanh of negated", tanh(-x), -tanh(x), floating("x")},
        {"arctan of negated", arctan(-x), -arctan(x), floating("x")},
        {"erf of negated", erf(-x), -erf(x), floating("x")},

        {"and with itself", bitwise_and(x, x), x},
        {"or with itself", bitwise_or(x, x), x},
        {"inverted twice", invert(invert(x)), x},
        {"not twice", logical_not(logical_not(x)), x, is_bool_value("x")},
        {"not less", logical_not(lt(x, y)), ge(x, y), integer_or_bool("x")},
        {"not less or equal", logical_not(le(x, y)), gt(x, y), integer_or_bool("x")},
        {"not greater", logical_not(gt(x, y)), le(x, y), integer_or_bool("x")},
        {"not greater or equal", logical_not(ge(x, y)), lt(x, y), integer_or_bool("x")},
        {"not equal", logical_not(eq(x, y)), ne(x, y)},
        {"not unequal", logical_not(ne(x, y)), eq(x, y)},
        {"integer equals itself", eq(x, x), ones_like_result, integer_or_bool("x")},
        {"integer differs from itself", ne(x, x), zeros_like_result, integer_or_bool("x")},
        {"less than itself", lt(x, x), zeros_like_result},
        {"greater than itself", gt(x, x), zeros_like_result},
        {"choice of equals", where(c, x, x), x, shaped_like_result("x")},
        {"choice known", where(c, x, y), chosen_branch,
         both(is_constant("c"), as_the_function_says("the branch taken has the result's sizes"))},
        {"choice of not", where(logical_not(c), x, y), where(c, y, x), is_bool_value("c")},
        {"choice in choice, left", where(c, where(c, x, y), z), where(c, x, z),
         shaped_like_result("x")},
        {"choice in choice, right", where(c, x, where(c, y, z)), where(c, x, z),
         shaped_like_result("x")},
    };
    return rules;
}

}  // namespace croton::rules
