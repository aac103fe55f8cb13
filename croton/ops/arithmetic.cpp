#include "croton/ops/arithmetic.hpp"

#include "croton/kernel/builder.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/special.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using kernel::OpCode;
using types::Types;

// Sums and products of bool are logic.
template <OpCode numbers, OpCode bools>
ScalarCompute scalar_or_logic() {
    return {[](kernel::Builder& b, std::span<const kernel::Scalar> x, const AttrView&) {
        return b.emit(is_bool(x[0].dtype()) ? bools : numbers, x);
    }};
}
// Rounding leaves integers and bool alone.
template <OpCode code>
ScalarCompute rounding() {
    return {[](kernel::Builder& b, std::span<const kernel::Scalar> x, const AttrView&) {
        return is_floating(x[0].dtype()) ? b.emit(code, x) : x[0];
    }};
}

const OpRecord add_record{
    .name = "add",
    .doc = "Sum of two arrays, element by element; of bools their logical or.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted,
    .compute = scalar_or_logic<OpCode::add_, OpCode::bit_or_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed(), p.seed()}; },
    .facts = facts::commutative | facts::associative,
    .onnx = "Add",
};

const OpRecord sub_record{
    .name = "sub",
    .doc = "Difference of two arrays, element by element.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted_numbers,
    .compute = scalar<OpCode::sub_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed(), -p.seed()}; },
    .onnx = "Sub",
};

const OpRecord mul_record{
    .name = "mul",
    .doc = "Product of two arrays, element by element; of bools their logical and.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted,
    .compute = scalar_or_logic<OpCode::mul_, OpCode::bit_and_>(),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{p.wanted[0] ? p.seed() * p.input(1) : Variable(),
                              p.wanted[1] ? p.seed() * p.input(0) : Variable()};
        },
    .facts = facts::commutative | facts::associative,
    .onnx = "Mul",
};

const OpRecord div_record{
    .name = "div",
    .doc = "Quotient of two arrays, element by element; integers give floatX.",
    .arguments = {{"x"}, {"y"}},
    .type = types::divided,
    .compute = scalar<OpCode::div_>(),
    .pullback =
        [](const Pullback& p) {
            Variable to_x = p.seed() / p.input(1);
            return Cotangents{to_x, p.wanted[1] ? -(to_x * p.output()) : Variable()};
        },
    .onnx = "Div",
};

const OpRecord floor_div_record{
    .name = "floor_div",
    .doc = "Quotient rounded down. Integers divided by zero give 0.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted_counts,
    .compute = scalar<OpCode::floor_div_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

const OpRecord mod_record{
    .name = "mod",
    .doc = "Remainder with the sign of the divisor: x - floor_div(x, y) * y.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted_counts,
    .compute = scalar<OpCode::floor_mod_>(),
    .pullback =
        [](const Pullback& p) {
            Variable quotient = floor_div(p.input(0), p.input(1));
            return Cotangents{p.seed(), p.wanted[1] ? -(p.seed() * quotient) : Variable()};
        },
    .onnx = "Mod",
};

const OpRecord fmod_record{
    .name = "fmod",
    .doc = "Remainder with the sign of the dividend: x - trunc(x / y) * y.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted_counts,
    .compute = scalar<OpCode::fmod_>(),
    .pullback =
        [](const Pullback& p) {
            Variable quotient = trunc(p.input(0) / p.input(1));
            return Cotangents{p.seed(), p.wanted[1] ? -(p.seed() * quotient) : Variable()};
        },
};

bool all_negative(const Array& array) {
    for (double value : array.to_vector<double>())
        if (value >= 0) return false;
    return array.size() > 0;
}

Types pow_type(TypeContext& c) {
    Types result = types::promoted_counts(c);
    const Array* exponent = constant_value(c.inputs[1]);
    if (is_integer(result[0].dtype) && exponent && all_negative(*exponent))
        fail(ErrorKind::Value,
             "pow: integers have no negative integer powers; use a floating exponent, as in "
             "pow(x, -2.0), or cast the base");
    return result;
}

// d(x^y)/dx = y x^(y-1), zero at y = 0 even where x is 0; d(x^y)/dy = x^y log(x), of which the
// logarithm is replaced where x is 0, since x^y is 0 there for every positive y.
Cotangents pow_pullback(const Pullback& p) {
    const Variable &x = p.input(0), &y = p.input(1);
    Cotangents result(2);
    if (p.wanted[0]) result[0] = p.seed() * where(eq(y, 0), 0, y * pow(x, y - 1));
    if (p.wanted[1]) result[1] = p.seed() * p.output() * log(where(eq(x, 0), 1, x));
    return result;
}

const OpRecord pow_record{
    .name = "pow",
    .doc = "x to the power of y, element by element.",
    .arguments = {{"x"}, {"y"}},
    .type = pow_type,
    .compute = scalar<OpCode::pow_>(),
    .pullback = pow_pullback,
    .onnx = "Pow",
};

const OpRecord neg_record{
    .name = "neg",
    .doc = "-x.",
    .arguments = {{"x"}},
    .type = types::promoted_numbers,
    .compute = scalar<OpCode::neg_>(),
    .pullback = [](const Pullback& p) { return Cotangents{-p.seed()}; },
    .facts = facts::odd | facts::decreasing,
    .onnx = "Neg",
};

// d|z| = conj(z) / |z| for complex z, with the cotangents of README.md.
Cotangents abs_pullback(const Pullback& p) {
    if (!is_complex(p.input().dtype())) return {p.seed() * sign(p.input())};
    Variable length = where(eq(p.output(), 0), 1, p.output());
    return {p.seed() / length * conj(p.input())};
}

const OpRecord abs_record{
    .name = "abs",
    .doc = "Absolute value; of complex numbers their length. Its derivative at 0 is taken as 0.",
    .arguments = {{"x"}},
    .type = types::real_like_first,
    .compute = scalar([](auto& b, auto x) { return is_bool(x.dtype()) ? x : b.abs(x); }),
    .pullback = abs_pullback,
    .facts = facts::even | facts::idempotent | Facts{.low = 0},
    .onnx = "Abs",
};

const OpRecord sign_record{
    .name = "sign",
    .doc = "-1, 0 or 1 as x is negative, zero or positive; NaN stays.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_numbers,
    .compute = scalar<OpCode::sign_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::odd | facts::increasing | facts::idempotent | facts::in_range(-1, 1),
    .onnx = "Sign",
};

const OpRecord reciprocal_record{
    .name = "reciprocal",
    .doc = "1 / x; integers give floatX.",
    .arguments = {{"x"}},
    .type = types::divided,
    .compute = scalar([](auto& b, auto x) { return b.like(x, 1) / x; }),
    .pullback = [](const Pullback& p) { return Cotangents{-(p.seed() * sqr(p.output()))}; },
    .facts = facts::odd,
    .onnx = "Reciprocal",
};

const OpRecord sqr_record{
    .name = "sqr",
    .doc = "x * x.",
    .arguments = {{"x"}},
    .type = types::promoted_counts,
    .compute = scalar([](auto&, auto x) { return x * x; }),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * (2 * p.input())}; },
    .facts = facts::even,
};

const OpRecord sqrt_record{
    .name = "sqrt",
    .doc = "Square root; NaN for negative numbers. Its derivative at 0 is infinite.",
    .arguments = {{"x"}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::sqrt_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() * 0.5 / p.output()}; },
    .facts = facts::increasing,
    .onnx = "Sqrt",
};

const OpRecord cbrt_record{
    .name = "cbrt",
    .doc = "Cube root, negative for negative numbers.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::cbrt_>(),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() / (3 * sqr(p.output()))}; },
    .facts = facts::odd | facts::increasing,
};

// The whole gradient goes to the first argument where both are equal.
Cotangents chosen(const Pullback& p, const Variable& first_chosen) {
    return {where(first_chosen, p.seed(), 0), where(first_chosen, 0, p.seed())};
}

const OpRecord maximum_record{
    .name = "maximum",
    .doc = "The larger of x and y; NaN if either is. Of equal ones x gets the gradient.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted,
    .compute = scalar<OpCode::maximum_>(),
    .pullback = [](const Pullback& p) { return chosen(p, p.input(0) >= p.input(1)); },
    .facts = facts::commutative | facts::associative | facts::idempotent,
    .onnx = "Max",
};

const OpRecord minimum_record{
    .name = "minimum",
    .doc = "The smaller of x and y; NaN if either is. Of equal ones x gets the gradient.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted,
    .compute = scalar<OpCode::minimum_>(),
    .pullback = [](const Pullback& p) { return chosen(p, p.input(0) <= p.input(1)); },
    .facts = facts::commutative | facts::associative | facts::idempotent,
    .onnx = "Min",
};

template <OpCode extreme>
ScalarCompute number_first() {
    return {[](kernel::Builder& b, std::span<const kernel::Scalar> x, const AttrView&) {
        auto both = b.emit(extreme, x);
        if (!is_floating(x[0].dtype())) return both;
        return b.select(b.isnan(x[0]), x[1], b.select(b.isnan(x[1]), x[0], both));
    }};
}

const OpRecord fmax_record{
    .name = "fmax",
    .doc = "The larger of x and y; a NaN yields to a number.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted,
    .compute = number_first<OpCode::maximum_>(),
    .pullback =
        [](const Pullback& p) { return chosen(p, (p.input(0) >= p.input(1)) | isnan(p.input(1))); },
    .facts = facts::commutative | facts::associative | facts::idempotent,
};

const OpRecord fmin_record{
    .name = "fmin",
    .doc = "The smaller of x and y; a NaN yields to a number.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted,
    .compute = number_first<OpCode::minimum_>(),
    .pullback =
        [](const Pullback& p) { return chosen(p, (p.input(0) <= p.input(1)) | isnan(p.input(1))); },
    .facts = facts::commutative | facts::associative | facts::idempotent,
};

const OpRecord floor_record{
    .name = "floor",
    .doc = "The largest whole number not above x.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted,
    .compute = rounding<OpCode::floor_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::increasing | facts::idempotent,
    .onnx = "Floor",
};

const OpRecord ceil_record{
    .name = "ceil",
    .doc = "The smallest whole number not below x.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted,
    .compute = rounding<OpCode::ceil_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::increasing | facts::idempotent,
    .onnx = "Ceil",
};

const OpRecord trunc_record{
    .name = "trunc",
    .doc = "x without its fraction.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted,
    .compute = rounding<OpCode::trunc_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::odd | facts::increasing | facts::idempotent,
};

const OpRecord rint_record{
    .name = "rint",
    .doc = "The nearest whole number, ties to the even one.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted,
    .compute = rounding<OpCode::rint_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::odd | facts::increasing | facts::idempotent,
    .onnx = "Round",
};

const OpRecord round_half_away_record{
    .name = "round_half_away",
    .doc = "The nearest whole number, ties away from zero.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted,
    .compute = scalar([](auto& b, auto x) {
        if (!is_floating(x.dtype())) return x;
        // The fraction is exact, where x + 0.5 would round.
        auto whole = b.trunc(x);
        auto tie = b.ge(b.abs(x - whole), b.like(x, 0.5));
        return b.select(tie, whole + b.copysign(b.like(x, 1), x), whole);
    }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::odd | facts::increasing | facts::idempotent,
};

const OpRecord hypot_record{
    .name = "hypot",
    .doc = "sqrt(x^2 + y^2) without overflow on the way. Its derivative at 0 is taken as 0.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::hypot_>(),
    .pullback =
        [](const Pullback& p) {
            Variable scale = p.seed() / where(eq(p.output(), 0), 1, p.output());
            return Cotangents{scale * p.input(0), scale * p.input(1)};
        },
    .facts = facts::commutative | Facts{.low = 0},
};

const OpRecord copysign_record{
    .name = "copysign",
    .doc = "|x| with the sign of y, that of zeros included.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar<OpCode::copysign_>(),
    .pullback =
        [](const Pullback& p) {
            Variable same = eq(signbit(p.input(0)), signbit(p.input(1)));
            return Cotangents{where(same, p.seed(), -p.seed()), Variable()};
        },
};

const OpRecord heaviside_record{
    .name = "heaviside",
    .doc = "0 for negative x, 1 for positive x, `middle` at zero; NaN stays.",
    .arguments = {{"x", Accepts::Real}, {"middle", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar([](auto& b, auto x, auto middle) {
        auto zero = b.like(x, 0);
        auto side = b.select(b.lt(x, zero), zero, b.select(b.isnan(x), x, b.like(x, 1)));
        return b.select(b.eq(x, zero), middle, side);
    }),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{Variable(), where(eq(p.input(0), 0), p.seed(), 0)};
        },
};

Types fill_type(TypeContext& c) {
    types::convert(c, 1, types::common_dtype(c, 1));
    return {{c.type(1).dtype, types::broadcast_inputs(c)}};
}

const OpRecord fill_record{
    .name = "fill",
    .doc = "`value` broadcast with the sizes of `like`, whose elements do not matter.",
    .arguments = {{"like"}, {"value"}},
    .type = fill_type,
    .compute = scalar([](auto&, auto, auto value) { return value; }),
    .pullback = [](const Pullback& p) { return Cotangents{Variable(), p.seed()}; },
};
}  // namespace

Variable add(Arg x, Arg y) { return apply_one(add_record, {x, y}); }
Variable sub(Arg x, Arg y) { return apply_one(sub_record, {x, y}); }
Variable mul(Arg x, Arg y) { return apply_one(mul_record, {x, y}); }
Variable div(Arg x, Arg y) { return apply_one(div_record, {x, y}); }
Variable floor_div(Arg x, Arg y) { return apply_one(floor_div_record, {x, y}); }
Variable mod(Arg x, Arg y) { return apply_one(mod_record, {x, y}); }
Variable fmod(Arg x, Arg y) { return apply_one(fmod_record, {x, y}); }
std::pair<Variable, Variable> divmod(Arg x, Arg y) { return {floor_div(x, y), mod(x, y)}; }
Variable pow(Arg x, Arg y) { return apply_one(pow_record, {x, y}); }
Variable neg(Arg x) { return apply_one(neg_record, {x}); }
Variable abs(Arg x) { return apply_one(abs_record, {x}); }
Variable sign(Arg x) { return apply_one(sign_record, {x}); }
Variable reciprocal(Arg x) { return apply_one(reciprocal_record, {x}); }
Variable sqr(Arg x) { return apply_one(sqr_record, {x}); }
Variable sqrt(Arg x) { return apply_one(sqrt_record, {x}); }
Variable cbrt(Arg x) { return apply_one(cbrt_record, {x}); }
Variable maximum(Arg x, Arg y) { return apply_one(maximum_record, {x, y}); }
Variable minimum(Arg x, Arg y) { return apply_one(minimum_record, {x, y}); }
Variable fmax(Arg x, Arg y) { return apply_one(fmax_record, {x, y}); }
Variable fmin(Arg x, Arg y) { return apply_one(fmin_record, {x, y}); }
Variable floor(Arg x) { return apply_one(floor_record, {x}); }
Variable ceil(Arg x) { return apply_one(ceil_record, {x}); }
Variable trunc(Arg x) { return apply_one(trunc_record, {x}); }
Variable rint(Arg x) { return apply_one(rint_record, {x}); }
Variable round_half_away(Arg x) { return apply_one(round_half_away_record, {x}); }
Variable hypot(Arg x, Arg y) { return apply_one(hypot_record, {x, y}); }
Variable copysign(Arg x, Arg y) { return apply_one(copysign_record, {x, y}); }
Variable heaviside(Arg x, Arg middle) { return apply_one(heaviside_record, {x, middle}); }
Variable fill(Arg like, Arg value) { return apply_one(fill_record, {like, value}); }

namespace families {
Family arithmetic() {
    Family family = {
        &add_record,       &sub_record,      &mul_record,       &div_record,
        &floor_div_record, &mod_record,      &fmod_record,      &pow_record,
        &neg_record,       &abs_record,      &sign_record,      &reciprocal_record,
        &sqr_record,       &sqrt_record,     &cbrt_record,      &maximum_record,
        &minimum_record,   &fmax_record,     &fmin_record,      &floor_record,
        &ceil_record,      &trunc_record,    &rint_record,      &round_half_away_record,
        &hypot_record,     &copysign_record, &heaviside_record, &fill_record};
    for (const OpRecord* record : floating_records()) family.push_back(record);
    return family;
}
}  // namespace families

}  // namespace croton
