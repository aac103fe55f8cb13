#pragma once
// What each opcode computes, as one C++ function of its name; a dtype that a function's constraint
// leaves out is a dtype that the opcode does not take. float32 and complex64 functions are computed
// in double and rounded once, so that the interpreter is accurate to half an ulp there.
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "croton/type/array.hpp"

namespace croton::kernel::scalar {

template <class T>
concept Int = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <class T>
concept Float = std::is_floating_point_v<T>;
template <class T>
concept Complex = detail::is_complex_type<T>;
template <class T>
concept Number = Int<T> || Float<T> || Complex<T>;
template <class T>
concept Real = Int<T> || Float<T>;
template <class T>
concept Continuous = Float<T> || Complex<T>;
template <class T>
concept Ordered = Real<T> || std::is_same_v<T, bool>;
template <class T>
concept Bits = Int<T> || std::is_same_v<T, bool>;
template <class T>
concept Any = Number<T> || std::is_same_v<T, bool>;

/// uint64 arithmetic wraps, and narrowing its result wraps at any smaller width and either sign.
template <Int T>
uint64_t wide(T x) {
    return static_cast<uint64_t>(x);
}

template <Number T>
T add(T x, T y) {
    if constexpr (Int<T>)
        return static_cast<T>(wide(x) + wide(y));
    else
        return x + y;
}
template <Number T>
T sub(T x, T y) {
    if constexpr (Int<T>)
        return static_cast<T>(wide(x) - wide(y));
    else
        return x - y;
}
/// Complex products are the plain four multiplications: infinities may give NaN, as in NumPy.
template <Number T>
T mul(T x, T y) {
    if constexpr (Int<T>)
        return static_cast<T>(wide(x) * wide(y));
    else if constexpr (Complex<T>)
        return {x.real() * y.real() - x.imag() * y.imag(),
                x.real() * y.imag() + x.imag() * y.real()};
    else
        return x * y;
}
/// Complex quotients by Smith's method: the divisor is scaled by its larger part.
template <Continuous T>
T div(T x, T y) {
    if constexpr (Complex<T>) {
        if (y == T(0)) return {x.real() / std::abs(y.real()), x.imag() / std::abs(y.real())};
        if (std::abs(y.real()) >= std::abs(y.imag())) {
            auto ratio = y.imag() / y.real(), scale = 1 / (y.real() + y.imag() * ratio);
            return {(x.real() + x.imag() * ratio) * scale, (x.imag() - x.real() * ratio) * scale};
        }
        auto ratio = y.real() / y.imag(), scale = 1 / (y.imag() + y.real() * ratio);
        return {(x.real() * ratio + x.imag()) * scale, (x.imag() * ratio - x.real()) * scale};
    } else
        return x / y;
}

template <Number T>
T neg(T x) {
    if constexpr (Int<T>)
        return static_cast<T>(0 - wide(x));
    else
        return -x;
}
template <Number T>
auto abs(T x) {
    if constexpr (Int<T>)
        return x < T(0) ? neg(x) : x;
    else if constexpr (Complex<T>) {
        using Part = typename T::value_type;
        return static_cast<Part>(
            std::hypot(static_cast<double>(x.real()), static_cast<double>(x.imag())));
    } else
        return std::abs(x);
}
template <Real T>
T sign(T x) {
    return x > 0 ? T(1) : x < 0 ? static_cast<T>(-1) : x == 0 ? T(0) : x;
}

template <Real T>
T fmod(T x, T y) {
    if constexpr (Float<T>)
        return std::fmod(x, y);
    else if (y == 0 || (std::is_signed_v<T> && y == static_cast<T>(-1)))
        return 0;  // the second case: x % -1 traps for the smallest x
    else
        return static_cast<T>(x % y);
}
/// The sign of the divisor, for zero too; an infinite divisor of the other sign is the result.
template <Real T>
T floor_mod(T x, T y) {
    T rest = fmod(x, y);
    if constexpr (Float<T>) {
        if (y == 0) return rest;
        if (rest == 0) return std::copysign(T(0), y);
    }
    return rest != 0 && (rest < 0) != (y < 0) ? static_cast<T>(rest + y) : rest;
}
/// Consistent with floor_mod (1.0 // 0.1 is 9); floats by zero give x / 0, an infinite x NaN.
template <Real T>
T floor_div(T x, T y) {
    if constexpr (Float<T>) {
        if (y == 0) return x / y;
        T rest = std::fmod(x, y);
        T quotient = (x - rest) / y;
        if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
        if (quotient == 0) return std::copysign(T(0), x / y);
        T below = std::floor(quotient);
        return quotient - below > T(0.5) ? below + 1 : below;
    } else {
        if (y == 0) return 0;
        if (std::is_signed_v<T> && y == static_cast<T>(-1)) return neg(x);
        T quotient = static_cast<T>(x / y);
        bool inexact = static_cast<T>(x % y) != 0;
        return inexact && (x < 0) != (y < 0) ? static_cast<T>(quotient - 1) : quotient;
    }
}

template <Ordered T>
bool isnan_any(T x) {
    if constexpr (Float<T>)
        return std::isnan(x);
    else
        return false;
}
template <Ordered T>
T minimum(T x, T y) {
    return isnan_any(x) || x < y ? x : y;
}
template <Ordered T>
T maximum(T x, T y) {
    return isnan_any(x) || x > y ? x : y;
}

/// Repeated squaring; 0 for negative exponents but for the bases 1 and -1.
template <Int T>
T pow(T base, T exponent) {
    if (exponent < 0) {
        if (base == 1) return 1;
        if (base != static_cast<T>(-1)) return 0;
        return exponent % 2 == 0 ? T(1) : base;
    }
    T result = 1;
    for (auto bits = wide(exponent); bits != 0; bits >>= 1) {
        if (bits & 1) result = mul(result, base);
        base = mul(base, base);
    }
    return result;
}

/// f computed in double precision and rounded to T.
template <Continuous T, class F>
T rounded(F f, T x) {
    if constexpr (Complex<T>)
        return convert_number<T>(f(convert_number<std::complex<double>>(x)));
    else
        return static_cast<T>(f(static_cast<double>(x)));
}
template <Float T>
T pow(T x, T y) {
    return static_cast<T>(std::pow(static_cast<double>(x), static_cast<double>(y)));
}
template <Complex T>
T pow(T x, T y) {
    constexpr auto nan = std::numeric_limits<typename T::value_type>::quiet_NaN();
    if (y == T(0)) return 1;
    if (x == T(0)) return y.real() > 0 ? T(0) : T(nan, nan);
    using Wide = std::complex<double>;
    return convert_number<T>(
        std::exp(mul(convert_number<Wide>(y), std::log(convert_number<Wide>(x)))));
}

#define CROTON_FLOAT_FUNCTION(name, expression)                 \
    template <Float T>                                          \
    T name(T x) {                                               \
        return rounded([](double v) { return expression; }, x); \
    }
#define CROTON_COMPLEX_FUNCTION(name)                           \
    template <Continuous T>                                     \
    T name(T x) {                                               \
        return rounded([](auto v) { return std::name(v); }, x); \
    }
CROTON_FLOAT_FUNCTION(floor, std::floor(v))
CROTON_FLOAT_FUNCTION(ceil, std::ceil(v))
CROTON_FLOAT_FUNCTION(trunc, std::trunc(v))
CROTON_FLOAT_FUNCTION(rint, std::nearbyint(v))
CROTON_COMPLEX_FUNCTION(sqrt)
CROTON_COMPLEX_FUNCTION(exp)
CROTON_FLOAT_FUNCTION(exp2, std::exp2(v))
CROTON_FLOAT_FUNCTION(expm1, std::expm1(v))
CROTON_COMPLEX_FUNCTION(log)
CROTON_FLOAT_FUNCTION(log2, std::log2(v))
CROTON_FLOAT_FUNCTION(log10, std::log10(v))
CROTON_FLOAT_FUNCTION(log1p, std::log1p(v))
CROTON_COMPLEX_FUNCTION(sin)
CROTON_COMPLEX_FUNCTION(cos)
CROTON_COMPLEX_FUNCTION(tan)
CROTON_FLOAT_FUNCTION(asin, std::asin(v))
CROTON_FLOAT_FUNCTION(acos, std::acos(v))
CROTON_FLOAT_FUNCTION(atan, std::atan(v))
CROTON_COMPLEX_FUNCTION(sinh)
CROTON_COMPLEX_FUNCTION(cosh)
CROTON_COMPLEX_FUNCTION(tanh)
CROTON_FLOAT_FUNCTION(asinh, std::asinh(v))
CROTON_FLOAT_FUNCTION(acosh, std::acosh(v))
CROTON_FLOAT_FUNCTION(atanh, std::atanh(v))
CROTON_FLOAT_FUNCTION(sigmoid, v < 0 ? std::exp(v) / (1 + std::exp(v)) : 1 / (1 + std::exp(-v)))
CROTON_FLOAT_FUNCTION(softplus, v > 0 ? v + std::log1p(std::exp(-v)) : std::log1p(std::exp(v)))
CROTON_FLOAT_FUNCTION(erf, std::erf(v))
CROTON_FLOAT_FUNCTION(erfc, std::erfc(v))
CROTON_FLOAT_FUNCTION(cbrt, std::cbrt(v))
#undef CROTON_FLOAT_FUNCTION
#undef CROTON_COMPLEX_FUNCTION

template <Float T>
T atan2(T y, T x) {
    return static_cast<T>(std::atan2(static_cast<double>(y), static_cast<double>(x)));
}
template <Float T>
T hypot(T x, T y) {
    return static_cast<T>(std::hypot(static_cast<double>(x), static_cast<double>(y)));
}
template <Float T>
T copysign(T x, T y) {
    return std::copysign(x, y);
}

template <Ordered T>
bool lt(T x, T y) {
    return x < y;
}
template <Ordered T>
bool le(T x, T y) {
    return x <= y;
}
template <Ordered T>
bool gt(T x, T y) {
    return x > y;
}
template <Ordered T>
bool ge(T x, T y) {
    return x >= y;
}
template <Any T>
bool eq(T x, T y) {
    return x == y;
}
template <Any T>
bool ne(T x, T y) {
    return x != y;
}
template <Float T>
bool isnan(T x) {
    return std::isnan(x);
}
template <Float T>
bool isinf(T x) {
    return std::isinf(x);
}
template <Float T>
bool signbit(T x) {
    return std::signbit(x);
}

template <Bits T>
T bit_and(T x, T y) {
    return static_cast<T>(x & y);
}
template <Bits T>
T bit_or(T x, T y) {
    return static_cast<T>(x | y);
}
template <Bits T>
T bit_xor(T x, T y) {
    return static_cast<T>(x ^ y);
}
template <Bits T>
T bit_not(T x) {
    if constexpr (std::is_same_v<T, bool>)
        return !x;
    else
        return static_cast<T>(~x);
}
template <Int T>
bool outside_of_width(T count) {
    return wide(count) >= 8 * sizeof(T);
}
template <Int T>
T shift_left(T x, T count) {
    return outside_of_width(count) ? T(0) : static_cast<T>(wide(x) << wide(count));
}
template <Int T>
T shift_right(T x, T count) {
    if (outside_of_width(count)) return x < 0 ? static_cast<T>(-1) : T(0);
    return static_cast<T>(x >> count);
}

template <Any T>
T select(bool condition, T x, T y) {
    return condition ? x : y;
}
template <Float T>
std::complex<T> complex(T real, T imag) {
    return {real, imag};
}
template <Complex T>
auto real(T x) {
    return x.real();
}
template <Complex T>
auto imag(T x) {
    return x.imag();
}
template <Complex T>
T conj(T x) {
    return std::conj(x);
}
template <Complex T>
auto angle(T x) {
    return atan2(x.imag(), x.real());
}

}  // namespace croton::kernel::scalar
