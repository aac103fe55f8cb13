// Truth: comparisons, bits, choices.
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
Variable never(const Match& m) { return zeros_like(m["x"], m.root_type().dtype); }
Variable number_of_result(const Match& m, int value) {
    return constant(Array::scalar(value).cast(m.root_type().dtype));
}
Variable never_a_size(const Match& m) { return number_of_result(m, 0); }
Variable always_a_size(const Match& m) { return number_of_result(m, 1); }
Variable no_size(const Match& m) { return number_of_result(m, 0); }
Variable always(const Match& m) { return ones_like(m["x"], m.root_type().dtype); }
// A choice of values that are wanted anyway computes nothing; one of what they are made of would.
const Condition one_dies{
    "one of the values chosen from is not wanted otherwise", [](const Match& m) {
        Arena& arena = m.arena();
        auto inputs = arena.inputs(m.root());
        return arena.use_count(inputs[1].node) == 1 || arena.use_count(inputs[2].node) == 1;
    }};
}  // namespace

const Rules& logic() {
    static const Variable x = wildcard("x"), y = wildcard("y"), z = wildcard("z"),
                          c = wildcard("c");
    static const Condition truth = is_bool_value("x"), whole = integer_or_bool("x"),
                           real = floating("x"), truths = both(truth, is_bool_value("y")),
                           wholes = both(whole, integer_or_bool("y")),
                           reals = both(real, floating("y"));
    static const Rules rules = {
        // and, or, xor, not
        {"truth and itself", logical_and(x, x), x, truth},
        {"truth or itself", logical_or(x, x), x, truth},
        {"truth and true", logical_and(x, true), x, truth},
        {"truth or false", logical_or(x, false), x, truth},
        {"truth and false", logical_and(x, false), never, shaped_like_result("x")},
        {"truth or true", logical_or(x, true), always, shaped_like_result("x")},
        {"truth against itself", logical_xor(x, x), never, truth},
        {"truth against false", logical_xor(x, false), x, truth},
        {"truth against true", logical_xor(x, true), logical_not(x), truth},
        {"neither", logical_and(logical_not(x), logical_not(y)), logical_not(logical_or(x, y)),
         truths},
        {"not both", logical_or(logical_not(x), logical_not(y)), logical_not(logical_and(x, y)),
         truths},
        {"truth and a weaker one", logical_and(x, logical_or(x, y)), x,
         both(truths, shaped_like_result("x"))},
        {"truth or a stronger one", logical_or(x, logical_and(x, y)), x,
         both(truths, shaped_like_result("x"))},
        {"equals true", eq(x, true), x, truth},
        {"differs from false", ne(x, false), x, truth},
        {"equals false", eq(x, false), logical_not(x), truth},
        {"differs from true", ne(x, true), logical_not(x), truth},

        // bits
        {"bits or zero", bitwise_or(x, 0), x, whole},
        {"bits against zero", bitwise_xor(x, 0), x, whole},
        {"bits against themselves", bitwise_xor(x, x), never, whole},
        {"bits and zero", bitwise_and(x, 0), never, both(whole, shaped_like_result("x"))},
        {"bits of neither", bitwise_and(invert(x), invert(y)), invert(bitwise_or(x, y)), wholes},
        {"bits not of both", bitwise_or(invert(x), invert(y)), invert(bitwise_and(x, y)), wholes},
        {"shifted left by nothing", left_shift(x, 0), x, whole},
        {"shifted right by nothing", right_shift(x, 0), x, whole},

        // comparisons
        {"negated less", lt(-x, -y), gt(x, y), reals},
        {"negated less or equal", le(-x, -y), ge(x, y), reals},
        {"negated greater", gt(-x, -y), lt(x, y), reals},
        {"negated greater or equal", ge(-x, -y), le(x, y), reals},
        {"negated equal", eq(-x, -y), eq(x, y), reals},
        {"negated unequal", ne(-x, -y), ne(x, y), reals},
        {"difference below zero", lt(x - y, 0), lt(x, y), reals},
        {"difference above zero", gt(x - y, 0), gt(x, y), reals},
        {"integer difference is zero", eq(x - y, 0), eq(x, y), wholes},
        {"integer difference is not zero", ne(x - y, 0), ne(x, y), wholes},
        {"absolute below zero", lt(abs(x), 0), never, real},
        {"square below zero", lt(sqr(x), 0), never, real},
        {"exp below zero", lt(exp(x), 0), never, real},
        {"root below zero", lt(sqrt(x), 0), never, real},

        // sizes are never negative
        {"size below zero", lt(any_attrs(size_of(x, 0), {"axis"}), 0), never_a_size},
        {"size at least zero", ge(any_attrs(size_of(x, 0), {"axis"}), 0), always_a_size},
        {"larger of size and zero", maximum(any_attrs(size_of(x, 0), {"axis"}), 0),
         any_attrs(size_of(x, 0), {"axis"})},
        {"smaller of size and zero", minimum(any_attrs(size_of(x, 0), {"axis"}), 0), no_size},

        // kinds of numbers
        {"negated is no number", isnan(-x), isnan(x), real},
        {"negated is infinite", isinf(-x), isinf(x), real},
        {"negated is finite", isfinite(-x), isfinite(x), real},
        {"absolute is no number", isnan(abs(x)), isnan(x), real},
        {"absolute is infinite", isinf(abs(x)), isinf(x), real},
        {"absolute is finite", isfinite(abs(x)), isfinite(x), real},
        {"exp is no number", isnan(exp(x)), isnan(x), real},

        // choices
        {"the smaller integer", where(lt(x, y), x, y), minimum(x, y), wholes},
        {"the smaller integer, or equal", where(le(x, y), x, y), minimum(x, y), wholes},
        {"the larger integer", where(gt(x, y), x, y), maximum(x, y), wholes},
        {"the larger integer, or equal", where(ge(x, y), x, y), maximum(x, y), wholes},
        {"clipped twice", clip(clip(x, y, z), y, z), clip(x, y, z)},
        {"two choices, one for each case", where(c, x, 0) + where(c, 0, y), where(c, x, y)},
        {"two choices, for and against", where(c, x, 0) - where(c, 0, y), where(c, x, -y), reals},
        {"two choices or zero, added", where(c, x, 0) + where(c, y, 0), where(c, x + y, 0)},
        {"two choices or zero, subtracted", where(c, x, 0) - where(c, y, 0), where(c, x - y, 0)},
        {"zero or two choices, added", where(c, 0, x) + where(c, 0, y), where(c, 0, x + y)},
        {"zero or two choices, subtracted", where(c, 0, x) - where(c, 0, y), where(c, 0, x - y)},
        {"choice of negated", where(c, -x, -y), -where(c, x, y), reals},
        {"choice of exps", where(c, exp(x), exp(y)), exp(where(c, x, y)), both(reals, one_dies)},
        {"choice of logs", where(c, log(x), log(y)), log(where(c, x, y)), both(reals, one_dies)},
        {"choice of roots", where(c, sqrt(x), sqrt(y)), sqrt(where(c, x, y)),
         both(reals, one_dies)},
        {"choice of tanhs", where(c, tanh(x), tanh(y)), tanh(where(c, x, y)),
         both(reals, one_dies)},
        {"choice of sums", where(c, x + z, y + z), where(c, x, y) + z,
         both(reals, both(floating("z"), one_dies))},
        {"choice of products", where(c, x * z, y * z), where(c, x, y) * z,
         both(reals, both(floating("z"), one_dies))},
    };
    return rules;
}

}  // namespace croton::rules
