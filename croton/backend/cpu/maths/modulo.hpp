// fmod (the sign of the dividend, as in C) and floor_mod (the sign of the divisor, as in Python).
//
// The remainder is exact, which takes a number of steps that depends on the quotient: these two are
// the only functions with a loop, and the vectoriser leaves loops over them scalar.
#pragma once

#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

template <class T>
struct Integral {
    uint64_t significand;
    int exponent;
};

// a = significand * 2^exponent, for a finite and not zero.
template <class T>
CROTON_MATHS_INLINE Integral<T> integral(T a) {
    using F = Format<T>;
    const BitsOf<T> bits = to_bits(a), field = bits >> F::mantissa;
    const BitsOf<T> low = bits & ((BitsOf<T>{1} << F::mantissa) - 1);
    return {field == 0 ? low : low | BitsOf<T>{1} << F::mantissa,
            static_cast<int>(field == 0 ? 1 : field)};
}

// The number significand * 2^(exponent - bias - mantissa), exact; significand < 2^(mantissa + 1).
template <class T>
CROTON_MATHS_INLINE T rebuilt(uint64_t significand, int exponent) {
    using F = Format<T>;
    // The divisor's exponent is at least that of subnormals, so the product is exact.
    const T whole = static_cast<T>(static_cast<int64_t>(significand));
    const int power = exponent - F::bias - F::mantissa;
    const int first = power / 2;
    return whole * power_of_two<T>(static_cast<BitsOf<T>>(first)) *
           power_of_two<T>(static_cast<BitsOf<T>>(power - first));
}

// a mod b for finite a >= b > 0: long division, as many binary digits a step as 64 bits hold.
template <class T>
CROTON_MATHS_INLINE T long_remainder(T a, T b) {
    constexpr int digits = 63 - Format<T>::mantissa;
    const auto over = integral(a), under = integral(b);
    uint64_t rest = over.significand % under.significand;
    for (int left = over.exponent - under.exponent; left > 0 && rest != 0; left -= digits)
        rest = (rest << (left < digits ? left : digits)) % under.significand;
    return rebuilt<T>(rest, under.exponent);
}

template <class T>
CROTON_MATHS_INLINE T fmod(T x, T y) {
    using F = Format<T>;
    const T a = absolute(x), b = absolute(y);
    if (!(a < F::infinity) || b != b || b == T{0}) return x != x || y != y ? x + y : F::nan;
    if (a < b) return x;
    return with_sign(long_remainder(a, b), x);
}

template <class T>
CROTON_MATHS_INLINE T floor_mod(T x, T y) {
    const T rest = fmod(x, y);
    const bool other_sign = (rest < T{0}) != (y < T{0});
    if (rest == T{0}) return with_sign(T{0}, y);
    return other_sign && rest == rest ? rest + y : rest;
}

}  // namespace croton::maths
