#include "croton/ops/compare.hpp"

#include <limits>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using kernel::OpCode;
using types::Types;

const OpRecord lt_record{
    .name = "lt",
    .doc = "x < y, element by element; false where either is NaN.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::compared,
    .compute = scalar<OpCode::lt_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "Less",
};

const OpRecord le_record{
    .name = "le",
    .doc = "x <= y, element by element; false where either is NaN.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::compared,
    .compute = scalar<OpCode::le_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "LessOrEqual",
};

const OpRecord gt_record{
    .name = "gt",
    .doc = "x > y, element by element; false where either is NaN.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::compared,
    .compute = scalar<OpCode::gt_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "Greater",
};

const OpRecord ge_record{
    .name = "ge",
    .doc = "x >= y, element by element; false where either is NaN.",
    .arguments = {{"x", Accepts::Real}, {"y", Accepts::Real}},
    .type = types::compared,
    .compute = scalar<OpCode::ge_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "GreaterOrEqual",
};

const OpRecord eq_record{
    .name = "eq",
    .doc = "x == y, element by element; false where either is NaN.",
    .arguments = {{"x"}, {"y"}},
    .type = types::compared,
    .compute = scalar<OpCode::eq_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative,
    .onnx = "Equal",
};

const OpRecord ne_record{
    .name = "ne",
    .doc = "x != y, element by element; true where either is NaN.",
    .arguments = {{"x"}, {"y"}},
    .type = types::compared,
    .compute = scalar<OpCode::ne_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative,
};

const OpRecord logical_and_record{
    .name = "logical_and",
    .doc = "Whether both are nonzero.",
    .arguments = {{"x"}, {"y"}},
    .type = types::logical,
    .compute = scalar<OpCode::bit_and_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative | facts::associative | facts::idempotent,
    .onnx = "And",
};

const OpRecord logical_or_record{
    .name = "logical_or",
    .doc = "Whether either is nonzero.",
    .arguments = {{"x"}, {"y"}},
    .type = types::logical,
    .compute = scalar<OpCode::bit_or_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative | facts::associative | facts::idempotent,
    .onnx = "Or",
};

const OpRecord logical_xor_record{
    .name = "logical_xor",
    .doc = "Whether exactly one is nonzero.",
    .arguments = {{"x"}, {"y"}},
    .type = types::logical,
    .compute = scalar<OpCode::bit_xor_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative | facts::associative,
    .onnx = "Xor",
};

const OpRecord logical_not_record{
    .name = "logical_not",
    .doc = "Whether x is zero.",
    .arguments = {{"x"}},
    .type = types::logical,
    .compute = scalar<OpCode::bit_not_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "Not",
};

const OpRecord bitwise_and_record{
    .name = "bitwise_and",
    .doc = "And of the bits of integers; of bools the logical and.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted_bits,
    .compute = scalar<OpCode::bit_and_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative | facts::associative | facts::idempotent,
    .onnx = "BitwiseAnd",
};

const OpRecord bitwise_or_record{
    .name = "bitwise_or",
    .doc = "Or of the bits of integers; of bools the logical or.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted_bits,
    .compute = scalar<OpCode::bit_or_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative | facts::associative | facts::idempotent,
    .onnx = "BitwiseOr",
};

const OpRecord bitwise_xor_record{
    .name = "bitwise_xor",
    .doc = "Exclusive or of the bits of integers; of bools the logical one.",
    .arguments = {{"x"}, {"y"}},
    .type = types::promoted_bits,
    .compute = scalar<OpCode::bit_xor_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = facts::commutative | facts::associative,
    .onnx = "BitwiseXor",
};

const OpRecord invert_record{
    .name = "invert",
    .doc = "Each bit of an integer flipped (-x - 1 for signed ones); of bools the logical not.",
    .arguments = {{"x"}},
    .type = types::promoted_bits,
    .compute = scalar<OpCode::bit_not_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "BitwiseNot",
};

// Shifts are of integers: bool becomes int8.
Types shifted(TypeContext& c) {
    Types result = types::promoted_counts(c);
    if (is_continuous(result[0].dtype))
        fail(ErrorKind::Type, c.op.name, " takes integers, not ", dtype_name(result[0].dtype));
    return result;
}

const OpRecord left_shift_record{
    .name = "left_shift",
    .doc = "x times 2 to the y, by bits. A count outside of the width gives 0.",
    .arguments = {{"x"}, {"y"}},
    .type = shifted,
    .compute = scalar<OpCode::shift_left_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

const OpRecord right_shift_record{
    .name = "right_shift",
    .doc = "x divided by 2 to the y and rounded down, by bits.",
    .arguments = {{"x"}, {"y"}},
    .type = shifted,
    .compute = scalar<OpCode::shift_right_>(),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

// A question about floats: integers answer `whole`; of complex numbers both parts are asked and the
// answers joined.
template <OpCode join, bool whole, class Question>
ScalarCompute of_parts(Question) {
    return {[](kernel::Builder& b, std::span<const kernel::Scalar> x, const AttrView&) {
        Question ask;
        DType dtype = x[0].dtype();
        if (is_complex(dtype)) return b.emit(join, {ask(b, b.real(x[0])), ask(b, b.imag(x[0]))});
        return is_floating(dtype) ? ask(b, x[0]) : b.constant(DType::Bool, whole ? 1 : 0);
    }};
}

const OpRecord isnan_record{
    .name = "isnan",
    .doc = "Whether x (or a part of it) is NaN.",
    .arguments = {{"x"}},
    .type = types::bool_like_first,
    .compute = of_parts<OpCode::bit_or_, false>([](auto& b, auto x) { return b.isnan(x); }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "IsNaN",
};

const OpRecord isinf_record{
    .name = "isinf",
    .doc = "Whether x (or a part of it) is infinite.",
    .arguments = {{"x"}},
    .type = types::bool_like_first,
    .compute = of_parts<OpCode::bit_or_, false>([](auto& b, auto x) { return b.isinf(x); }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .onnx = "IsInf",
};

const OpRecord isfinite_record{
    .name = "isfinite",
    .doc = "Whether x (both parts of it) is neither infinite nor NaN.",
    .arguments = {{"x"}},
    .type = types::bool_like_first,
    .compute = of_parts<OpCode::bit_and_, true>([](auto& b, auto x) {
        return b.lt(b.abs(x), b.like(x, std::numeric_limits<double>::infinity()));
    }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

const OpRecord signbit_record{
    .name = "signbit",
    .doc = "Whether the sign of x is minus, that of zero and NaN included.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::bool_like_first,
    .compute = scalar([](auto& b, auto x) {
        return is_floating(x.dtype()) ? b.signbit(x) : b.lt(x, b.like(x, 0));
    }),
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

Types where_type(TypeContext& c) {
    types::convert(c, 0, DType::Bool);
    DType dtype = types::unify(c, 1);
    return {{dtype, types::broadcast_inputs(c)}};
}

const OpRecord where_record{
    .name = "where",
    .doc = "x where the condition holds (is nonzero), y elsewhere.",
    .arguments = {{"condition"}, {"x"}, {"y"}},
    .type = where_type,
    .compute = scalar<OpCode::select_>(),
    .pullback =
        [](const Pullback& p) {
            const Variable& condition = p.input(0);
            return Cotangents{Variable(), p.wanted[1] ? where(condition, p.seed(), 0) : Variable(),
                              p.wanted[2] ? where(condition, 0, p.seed()) : Variable()};
        },
    .onnx = "Where",
};

// At both edges the gradient passes to x.
Cotangents clip_pullback(const Pullback& p) {
    const Variable &x = p.input(0), &low = p.input(1), &high = p.input(2);
    Cotangents result(3);
    if (p.wanted[0]) result[0] = where((x >= low) & (x <= high), p.seed(), 0);
    if (p.wanted[1]) result[1] = where((x < low) & (low <= high), p.seed(), 0);
    if (p.wanted[2]) result[2] = where(maximum(x, low) > high, p.seed(), 0);
    return result;
}

const OpRecord clip_record{
    .name = "clip",
    .doc =
        "minimum(maximum(x, low), high): x kept between two bounds; NaN stays. The gradient passes "
        "to x at both bounds.",
    .arguments = {{"x", Accepts::Real}, {"low", Accepts::Real}, {"high", Accepts::Real}},
    .type = types::promoted,
    .compute = scalar(
        [](auto& b, auto x, auto low, auto high) { return b.minimum(b.maximum(x, low), high); }),
    .pullback = clip_pullback,
};
}  // namespace

Variable lt(Arg x, Arg y) { return apply_one(lt_record, {x, y}); }
Variable le(Arg x, Arg y) { return apply_one(le_record, {x, y}); }
Variable gt(Arg x, Arg y) { return apply_one(gt_record, {x, y}); }
Variable ge(Arg x, Arg y) { return apply_one(ge_record, {x, y}); }
Variable eq(Arg x, Arg y) { return apply_one(eq_record, {x, y}); }
Variable ne(Arg x, Arg y) { return apply_one(ne_record, {x, y}); }
Variable logical_and(Arg x, Arg y) { return apply_one(logical_and_record, {x, y}); }
Variable logical_or(Arg x, Arg y) { return apply_one(logical_or_record, {x, y}); }
Variable logical_xor(Arg x, Arg y) { return apply_one(logical_xor_record, {x, y}); }
Variable bitwise_and(Arg x, Arg y) { return apply_one(bitwise_and_record, {x, y}); }
Variable bitwise_or(Arg x, Arg y) { return apply_one(bitwise_or_record, {x, y}); }
Variable bitwise_xor(Arg x, Arg y) { return apply_one(bitwise_xor_record, {x, y}); }
Variable left_shift(Arg x, Arg y) { return apply_one(left_shift_record, {x, y}); }
Variable right_shift(Arg x, Arg y) { return apply_one(right_shift_record, {x, y}); }
Variable logical_not(Arg x) { return apply_one(logical_not_record, {x}); }
Variable invert(Arg x) { return apply_one(invert_record, {x}); }
Variable isnan(Arg x) { return apply_one(isnan_record, {x}); }
Variable isinf(Arg x) { return apply_one(isinf_record, {x}); }
Variable isfinite(Arg x) { return apply_one(isfinite_record, {x}); }
Variable signbit(Arg x) { return apply_one(signbit_record, {x}); }
Variable where(Arg condition, Arg x, Arg y) { return apply_one(where_record, {condition, x, y}); }
Variable clip(Arg x, Arg low, Arg high) { return apply_one(clip_record, {x, low, high}); }

namespace families {
Family compare() {
    return {&lt_record,          &le_record,          &gt_record,          &ge_record,
            &eq_record,          &ne_record,          &logical_and_record, &logical_or_record,
            &logical_xor_record, &logical_not_record, &bitwise_and_record, &bitwise_or_record,
            &bitwise_xor_record, &invert_record,      &left_shift_record,  &right_shift_record,
            &isnan_record,       &isinf_record,       &isfinite_record,    &signbit_record,
            &where_record,       &clip_record};
}
}  // namespace families

}  // namespace croton
