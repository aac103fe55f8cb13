// Floating numbers taken apart: neighbours, exponents, scaling by powers of two.
#include <cmath>
#include <limits>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using kernel::Builder;
using kernel::Scalar;
using types::Types;

// --- the IEEE 754 formats inside kernels

struct Format {
    DType bits;
    int64_t fraction, bias;  // bits of the fraction; what exponents are stored with
};
Format format_of(DType dtype) {
    return dtype == DType::Float32 ? Format{DType::Int32, 23, 127} : Format{DType::Int64, 52, 1023};
}
Scalar power_of_two(Scalar like, int64_t exponent) {
    return like.builder->like(like, std::ldexp(1.0, static_cast<int>(exponent)));
}

Scalar next_after(Builder& b, Scalar x, Scalar y) {
    Format format = format_of(x.dtype());
    Scalar bits = b.bitcast(x, format.bits), zero = b.like(x, 0), one = b.like(bits, 1);
    // Away from zero the bits count up, for both signs.
    Scalar outwards = b.eq(b.gt(y, x), b.gt(x, zero));
    Scalar moved = b.bitcast(b.select(outwards, bits + one, bits - one), x.dtype());
    Scalar least = b.copysign(b.bitcast(one, x.dtype()), y);
    Scalar result = b.select(b.eq(x, zero), least, moved);
    result = b.select(b.eq(x, y), y, result);
    return b.select(b.isnan(x), x, b.select(b.isnan(y), y, result));
}

// x * 2^n in three steps at most, of which only the last one may round.
Scalar scaled(Builder& b, Scalar x, Scalar n) {
    Format format = format_of(x.dtype());
    Scalar count = b.cast(n, DType::Int64);
    int64_t up = format.bias, down = format.bias - 1 - format.fraction;
    for (int step = 0; step < 2; ++step) {
        Scalar over = b.gt(count, b.like(count, up)), under = b.lt(count, b.like(count, 1 - up));
        Scalar factor = b.select(over, power_of_two(x, up),
                                 b.select(under, power_of_two(x, -down), b.like(x, 1)));
        x = x * factor;
        Scalar taken = b.select(over, b.like(count, up),
                                b.select(under, b.like(count, -down), b.like(count, 0)));
        count = count - taken;
    }
    count = b.minimum(b.maximum(count, b.like(count, 1 - up)), b.like(count, up));
    Scalar bits = b.cast(count + up, format.bits);
    return x * b.bitcast(b.shift_left(bits, b.like(bits, format.fraction)), x.dtype());
}

Scalar exponent(Builder& b, Scalar x) {
    Format format = format_of(x.dtype());
    // Subnormal numbers are brought among the others first.
    Scalar small = b.lt(b.abs(x), power_of_two(x, 1 - format.bias));
    Scalar normal = b.select(small, x * power_of_two(x, format.fraction + 1), x);
    Scalar bits = b.bitcast(b.abs(normal), format.bits);
    Scalar stored = b.shift_right(bits, b.like(bits, format.fraction));
    Scalar offset =
        b.select(small, b.like(bits, format.bias + format.fraction), b.like(bits, format.bias - 1));
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Scalar finite = b.lt(b.abs(x), b.like(x, infinity));  // and no NaN
    Scalar none = b.bit_or(b.eq(x, b.like(x, 0)), b.bit_not(finite));
    return b.cast(b.select(none, b.like(bits, 0), stored - offset), DType::Int32);
}

// --- types

void require_wide(const TypeContext& c, size_t i) {
    DType dtype = c.type(i).dtype;
    if (dtype != DType::Float32 && dtype != DType::Float64)
        fail(ErrorKind::Unsupported, c.op.name, " is there for float32 and float64, not ",
             dtype_name(dtype), "; cast first");
}

Types neighbours(TypeContext& c) {
    Types result = types::promoted_floating(c);
    require_wide(c, 0);
    return result;
}

// The first argument as promoted alone, whatever the whole numbers behind it are.
DType floating_first(TypeContext& c) {
    settle_weak(c, 0);
    types::convert(c, 0, floating_result(c.type(0).dtype));
    require_wide(c, 0);
    return c.type(0).dtype;
}

// --- records

const OpRecord nextafter_record{
    .name = "nextafter",
    .doc = "The number next to x in the direction of y.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = neighbours,
    .compute = scalar([](auto& b, auto x, auto y) { return next_after(b, x, y); }),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed(), Variable()}; },
};

const OpRecord ldexp_record{
    .name = "ldexp",
    .doc = "x * 2^n for whole n, rounded once.",
    .arguments = {{"x", Accepts::Real}, {"n", Accepts::Integer}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 1);
            types::convert(c, 1, DType::Int64);
            DType dtype = floating_first(c);
            return Types{{dtype, types::broadcast_inputs(c)}};
        },
    .compute = scalar([](auto& b, auto x, auto n) { return scaled(b, x, n); }),
    .pullback =
        [](const Pullback& p) { return Cotangents{ldexp(p.seed(), p.input(1)), Variable()}; },
};

const OpRecord exponent_record{
    .name = "frexp_exponent",
    .doc = "The int32 e of x = m * 2^e with 0.5 <= |m| < 1; 0 for 0, infinities and NaN.",
    .arguments = {{"x", Accepts::Real}},
    .type =
        [](TypeContext& c) {
            floating_first(c);
            return Types{{DType::Int32, c.type(0).dims}};
        },
    .compute = scalar([](auto& b, auto x) { return exponent(b, x); }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

const OpRecord spacing_record{
    .name = "spacing",
    .doc = "Distance from x to the next number away from zero, with the sign of x.",
    .arguments = {{"x", Accepts::Real}},
    .type =
        [](TypeContext& c) {
            floating_first(c);
            return Types{c.type(0)};
        },
    .compute = expand([](const Variable& x) {
        Variable size = abs(x);
        constexpr double infinity = std::numeric_limits<double>::infinity();
        return copysign(nextafter(size, infinity) - size, x);
    }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};
}  // namespace

Variable nextafter(Arg x, Arg y) { return apply_one(nextafter_record, {x, y}); }
Variable ldexp(Arg x, Arg n) { return apply_one(ldexp_record, {x, n}); }
Variable spacing(Arg x) { return apply_one(spacing_record, {x}); }
Variable frexp_exponent(Arg x) { return apply_one(exponent_record, {x}); }
std::pair<Variable, Variable> frexp(Arg x) {
    Variable e = frexp_exponent(x);
    return {ldexp(x, neg(e)), e};
}

Family floating_records() {
    return {&nextafter_record, &ldexp_record, &exponent_record, &spacing_record};
}

}  // namespace croton
