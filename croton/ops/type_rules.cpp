#include "croton/ops/type_rules.hpp"

#include "croton/base/settings.hpp"
#include "croton/ops/cast.hpp"

namespace croton::types {

namespace {
DType float_x() { return *dtype_from_name(settings().float_x); }

bool is_weak(const Variable& variable) { return variable.node().weak; }

bool all_weak(const TypeContext& context, size_t first) {
    for (size_t i = first; i < context.inputs.size(); ++i)
        if (!is_weak(context.inputs[i])) return false;
    return true;
}

// The default dtype of a plain number that meets no array.
DType default_dtype(DType number) { return promote_weak(DType::Bool, number); }

// Integers keep their value; a float may round.
bool fits(const Array& number, DType dtype) {
    if (!is_integer(dtype) || !is_integer(number.dtype())) return true;
    Array converted = number.cast(dtype);
    bool same_sign = (converted.at<double>({}) < 0) == (number.at<double>({}) < 0);
    return same_sign && converted.cast(number.dtype()).identical(number);
}

void convert_all(TypeContext& context, DType dtype, size_t first = 0) {
    for (size_t i = first; i < context.inputs.size(); ++i) convert(context, i, dtype);
}

// Of each integer the float that goes with it, then their common dtype: int8 and uint16 give
// float32 although they have int32 in common.
DType floats_of_integers(const TypeContext& context) {
    if (all_weak(context, 0)) return float_x();
    DType result = DType::Bool;
    bool integers = false;
    for (const auto& input : context.inputs) {
        if (is_weak(input)) continue;
        result = promote(result, floating_result(input.dtype()));
        integers |= is_integer(input.dtype());
    }
    // A plain integer raises bool to int64.
    return integers ? result : floating_result(common_dtype(context));
}

Types typed(const TypeContext& context, DType dtype) {
    return {{dtype, broadcast_inputs(context)}};
}
}  // namespace

DType common_dtype(const TypeContext& context, size_t first) {
    DType strong = DType::Bool, weak = DType::Bool;
    for (size_t i = first; i < context.inputs.size(); ++i) {
        DType dtype = context.type(i).dtype;
        if (!is_weak(context.inputs[i]))
            strong = promote(strong, dtype);
        else if (dtype_family(dtype) > dtype_family(weak))
            weak = dtype;
    }
    return promote_weak(strong, weak);
}

void convert(TypeContext& context, size_t i, DType dtype) {
    Variable& input = context.inputs[i];
    if (is_weak(input)) {
        const Array& number = *constant_value(input);
        if (!fits(number, dtype))
            fail(ErrorKind::Value, context.op.name, ": the number ", number.text(),
                 " does not fit in ", dtype_name(dtype),
                 "; cast the array to a wider dtype first, or the number to ", dtype_name(dtype));
        input = constant(number.cast(dtype), input.site());
    } else if (input.dtype() != dtype) {
        input = cast(Arg(input, input.site()), dtype);
    }
}

DType unify(TypeContext& context, size_t first) {
    DType dtype = common_dtype(context, first);
    convert_all(context, dtype, first);
    return dtype;
}

Dims broadcast_inputs(const TypeContext& context, size_t first) {
    Dims dims;
    for (size_t i = first; i < context.inputs.size(); ++i)
        dims = i == first ? context.type(i).dims : broadcast_dims(dims, context.type(i).dims);
    return dims;
}

Types promoted(TypeContext& context) { return typed(context, unify(context)); }

Types promoted_numbers(TypeContext& context) {
    if (is_bool(common_dtype(context)))
        fail(ErrorKind::Type, context.op.name,
             " is not defined for bool; use logical_not, logical_xor or cast to a number first");
    return promoted(context);
}

Types promoted_counts(TypeContext& context) {
    DType dtype = common_dtype(context);
    if (is_bool(dtype)) dtype = DType::Int8;
    convert_all(context, dtype);
    return typed(context, dtype);
}

Types promoted_bits(TypeContext& context) {
    DType dtype = unify(context);
    if (is_continuous(dtype))
        fail(ErrorKind::Type, context.op.name, " takes integers or bool, not ", dtype_name(dtype));
    return typed(context, dtype);
}

Types promoted_floating(TypeContext& context) {
    DType dtype = common_dtype(context);
    if (!is_continuous(dtype)) dtype = floats_of_integers(context);
    convert_all(context, dtype);
    return typed(context, dtype);
}

Types divided(TypeContext& context) {
    DType dtype = common_dtype(context);
    if (!is_continuous(dtype)) dtype = float_x();
    convert_all(context, dtype);
    return typed(context, dtype);
}

Types compared(TypeContext& context) {
    DType dtype = common_dtype(context);
    for (const auto& input : context.inputs)
        if (is_weak(input) && !fits(*constant_value(input), dtype))
            dtype = promote(dtype, input.dtype());
    convert_all(context, dtype);
    return typed(context, DType::Bool);
}

Types logical(TypeContext& context) {
    convert_all(context, DType::Bool);
    return typed(context, DType::Bool);
}

Types like_first(TypeContext& context) {
    if (is_weak(context.inputs[0])) convert(context, 0, default_dtype(context.type(0).dtype));
    return {context.type(0)};
}

Types bool_like_first(TypeContext& context) {
    unify(context);
    return typed(context, DType::Bool);
}

Types real_like_first(TypeContext& context) { return typed(context, real_dtype(unify(context))); }

}  // namespace croton::types
