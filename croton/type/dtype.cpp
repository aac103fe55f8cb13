#include "croton/type/dtype.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "croton/base/settings.hpp"

namespace croton {

namespace {
struct DTypeRow {
    std::string_view name, short_name;
    int size;
    DTypeFamily family;
};
using enum DTypeFamily;
constexpr std::array<DTypeRow, dtype_count> rows{{
    {"bool", "b1", 1, Bool},
    {"int8", "i8", 1, Integer},
    {"int16", "i16", 2, Integer},
    {"int32", "i32", 4, Integer},
    {"int64", "i64", 8, Integer},
    {"uint8", "u8", 1, Integer},
    {"uint16", "u16", 2, Integer},
    {"uint32", "u32", 4, Integer},
    {"uint64", "u64", 8, Integer},
    {"float16", "f16", 2, Floating},
    {"bfloat16", "bf16", 2, Floating},
    {"float32", "f32", 4, Floating},
    {"float64", "f64", 8, Floating},
    {"complex64", "c64", 8, Complex},
    {"complex128", "c128", 16, Complex},
}};
const DTypeRow& row(DType dtype) { return rows[static_cast<size_t>(dtype)]; }

DType signed_of_size(int size) {
    return size == 1   ? DType::Int8
           : size == 2 ? DType::Int16
           : size == 4 ? DType::Int32
                       : DType::Int64;
}

DType promote_integers(DType a, DType b) {
    if (is_unsigned(a) == is_unsigned(b)) return dtype_size(a) >= dtype_size(b) ? a : b;
    if (is_unsigned(b)) std::swap(a, b);  // a unsigned, b signed
    if (dtype_size(b) > dtype_size(a)) return b;
    if (dtype_size(a) == 8) return DType::Float64;
    return signed_of_size(2 * dtype_size(a));
}

DType promote_floats(DType a, DType b) {
    if (a == b) return a;
    if (dtype_size(a) == 2 && dtype_size(b) == 2) return DType::Float32;  // the two 16-bit formats
    return dtype_size(a) > dtype_size(b) ? a : b;
}

// The smallest float that holds an integer dtype's values as NumPy sees it.
DType float_for_integer(DType integer) {
    int size = dtype_size(integer);
    return size == 1 ? DType::Float16 : size == 2 ? DType::Float32 : DType::Float64;
}
}  // namespace

std::string_view dtype_name(DType dtype) { return row(dtype).name; }
std::string_view dtype_short(DType dtype) { return row(dtype).short_name; }
int dtype_size(DType dtype) { return row(dtype).size; }
DTypeFamily dtype_family(DType dtype) { return row(dtype).family; }

std::optional<DType> dtype_from_name(std::string_view name) {
    for (size_t i = 0; i < rows.size(); ++i)
        if (rows[i].name == name || rows[i].short_name == name) return static_cast<DType>(i);
    return std::nullopt;
}

DType promote(DType a, DType b) {
    if (a == b) return a;
    if (dtype_family(a) > dtype_family(b)) std::swap(a, b);
    switch (dtype_family(b)) {
        case Bool: return b;
        case Integer: return is_bool(a) ? b : promote_integers(a, b);
        case Floating:
            if (is_bool(a)) return b;
            if (is_integer(a)) {
                DType wanted = float_for_integer(a);
                if (b == DType::BFloat16) return dtype_size(a) == 1 ? b : wanted;
                return promote_floats(wanted, b);
            }
            return promote_floats(a, b);
        case Complex: break;
    }
    if (is_bool(a)) return b;
    DType part = is_complex(a) ? real_dtype(a) : is_integer(a) ? float_for_integer(a) : a;
    return complex_dtype(
        promote_floats(part == DType::Float16 ? DType::Float32 : part, real_dtype(b)));
}

DType promote_weak(DType array, DType scalar) {
    if (dtype_family(array) >= dtype_family(scalar)) return array;
    switch (dtype_family(scalar)) {
        case Bool: return array;
        case Integer: return DType::Int64;
        case Floating: return *dtype_from_name(settings().float_x);
        case Complex: break;
    }
    return is_floating(array) ? complex_dtype(array) : DType::Complex128;
}

DType real_dtype(DType dtype) {
    if (dtype == DType::Complex64) return DType::Float32;
    if (dtype == DType::Complex128) return DType::Float64;
    return dtype;
}

DType complex_dtype(DType dtype) {
    if (is_complex(dtype)) return dtype;
    return dtype_size(dtype) <= 4 && is_floating(dtype) ? DType::Complex64
           : dtype_size(dtype) <= 2                     ? DType::Complex64
                                                        : DType::Complex128;
}

DType floating_result(DType dtype) {
    if (is_continuous(dtype)) return dtype;
    return dtype_size(dtype) <= 2 ? DType::Float32 : DType::Float64;
}

bool can_cast_safely(DType from, DType to) {
    if (from == to || is_bool(from)) return true;
    // NumPy lets 64-bit integers go to float64 as "safe" although they may round.
    return promote(from, to) == to;
}

Half::Half(float value) {
    uint32_t f = std::bit_cast<uint32_t>(value);
    uint32_t sign = (f >> 16) & 0x8000u;
    f &= 0x7fffffffu;
    uint32_t result;
    if (f > 0x7f800000u) {
        result = 0x7e00u | ((f >> 13) & 0x3ffu);  // NaN, quiet
    } else if (f >= 0x477ff000u) {
        result = 0x7c00u;  // rounds to infinity
    } else if (f < 0x38800000u) {
        // Subnormal: adding 0.5 leaves the rounded fraction in the low bits.
        float magic = std::bit_cast<float>(f) + 0.5f;
        result = std::bit_cast<uint32_t>(magic) - 0x3f000000u;
    } else {
        uint32_t odd = (f >> 13) & 1u;
        result = (f + 0xc8000fffu + odd) >> 13;
    }
    bits = static_cast<uint16_t>(result | sign);
}

Half::operator float() const {
    uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    uint32_t exponent = (bits >> 10) & 0x1fu, fraction = bits & 0x3ffu;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    if (exponent == 0) {
        float value = std::ldexp(static_cast<float>(fraction), -24);
        return sign ? -value : value;
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

BHalf::BHalf(float value) {
    uint32_t f = std::bit_cast<uint32_t>(value);
    if (value != value) {
        bits = static_cast<uint16_t>((f >> 16) | 0x40u);
        return;
    }
    f += 0x7fffu + ((f >> 16) & 1u);
    bits = static_cast<uint16_t>(f >> 16);
}

BHalf::operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace croton
