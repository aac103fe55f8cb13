#pragma once
// Element types and NumPy's promotion between them.
#include <complex>
#include <cstdint>
#include <optional>
#include <string_view>

namespace croton {

enum class DType : uint8_t {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float16,
    BFloat16,
    Float32,
    Float64,
    Complex64,
    Complex128,
};
inline constexpr int dtype_count = 15;

/// Families, in order of promotion.
enum class DTypeFamily : uint8_t { Bool, Integer, Floating, Complex };

/// IEEE binary16, storage only: arithmetic is done in float.
struct Half {
    uint16_t bits = 0;
    Half() = default;
    explicit Half(float value);
    explicit operator float() const;
};
/// The upper half of a float32 (round to nearest even), storage only.
struct BHalf {
    uint16_t bits = 0;
    BHalf() = default;
    explicit BHalf(float value);
    explicit operator float() const;
};

/// NumPy's name: "float32", "bool", "bfloat16", ...
std::string_view dtype_name(DType dtype);
/// Short name of the text forms: f32, i64, u8, b1, f16, bf16, c64, c128.
std::string_view dtype_short(DType dtype);
/// From either name; nothing if unknown.
std::optional<DType> dtype_from_name(std::string_view name);
/// Bytes of one element.
int dtype_size(DType dtype);
DTypeFamily dtype_family(DType dtype);

inline bool is_bool(DType d) { return d == DType::Bool; }
inline bool is_signed_integer(DType d) { return d >= DType::Int8 && d <= DType::Int64; }
inline bool is_unsigned(DType d) { return d >= DType::UInt8 && d <= DType::UInt64; }
inline bool is_integer(DType d) { return dtype_family(d) == DTypeFamily::Integer; }
inline bool is_floating(DType d) { return dtype_family(d) == DTypeFamily::Floating; }
inline bool is_complex(DType d) { return dtype_family(d) == DTypeFamily::Complex; }
/// Floating or complex: what gradients flow through.
inline bool is_continuous(DType d) { return is_floating(d) || is_complex(d); }

/// NumPy's result type of two arrays (int32 with float32 gives float64, uint64 with int64 float64,
/// float16 with bfloat16 float32).
DType promote(DType a, DType b);
/// Result type of an array and a weak scalar (a plain C++ or Python number) of dtype `scalar`
/// (Bool, Int64, Float64 or Complex128): the array's own unless the scalar's family is higher, then
/// the default of that family: int64, floatX, or the complex type that fits (NEP 50; with floatX at
/// its default, float64, this is NumPy's table).
DType promote_weak(DType array, DType scalar);
/// The real dtype of a complex one's parts; others unchanged.
DType real_dtype(DType dtype);
/// The complex dtype whose parts hold this dtype (complex64 for float32 and smaller).
DType complex_dtype(DType dtype);
/// Result of NumPy's unary floating functions: ints of 8 bits and bool give float16 in NumPy;
/// Croton follows NumPy's table but gives float32 there (float16 is a storage format), int16
/// float32, int32 and up float64.
DType floating_result(DType dtype);
/// Whether every value of `from` is kept by `to` (NumPy's "safe" cast).
bool can_cast_safely(DType from, DType to);

/// dtype of a C++ type; a compile error for any other.
template <class T>
constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, bool>)
        return DType::Bool;
    else if constexpr (std::is_same_v<T, Half>)
        return DType::Float16;
    else if constexpr (std::is_same_v<T, BHalf>)
        return DType::BFloat16;
    else if constexpr (std::is_same_v<T, float>)
        return DType::Float32;
    else if constexpr (std::is_same_v<T, double>)
        return DType::Float64;
    else if constexpr (std::is_same_v<T, std::complex<float>>)
        return DType::Complex64;
    else if constexpr (std::is_same_v<T, std::complex<double>>)
        return DType::Complex128;
    else {
        static_assert(std::is_integral_v<T>, "no croton dtype for this C++ type");
        constexpr int log = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
        return static_cast<DType>(
            static_cast<int>(std::is_signed_v<T> ? DType::Int8 : DType::UInt8) + log);
    }
}

/// Calls visitor(T{}) with the C++ type of `dtype` and returns its result.
template <class Visitor>
decltype(auto) visit_dtype(DType dtype, Visitor&& visitor) {
    switch (dtype) {
        case DType::Bool: return visitor(bool{});
        case DType::Int8: return visitor(int8_t{});
        case DType::Int16: return visitor(int16_t{});
        case DType::Int32: return visitor(int32_t{});
        case DType::Int64: return visitor(int64_t{});
        case DType::UInt8: return visitor(uint8_t{});
        case DType::UInt16: return visitor(uint16_t{});
        case DType::UInt32: return visitor(uint32_t{});
        case DType::UInt64: return visitor(uint64_t{});
        case DType::Float16: return visitor(Half{});
        case DType::BFloat16: return visitor(BHalf{});
        case DType::Float32: return visitor(float{});
        case DType::Float64: return visitor(double{});
        case DType::Complex64: return visitor(std::complex<float>{});
        case DType::Complex128: break;
    }
    return visitor(std::complex<double>{});
}

}  // namespace croton
