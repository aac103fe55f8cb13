// log, log2, log10, log1p and softplus.
//
// x = 2^e m with sqrt(1/2) <= m < sqrt(2), f = m - 1 (exact), log(m) = f + curve. The large parts,
// e times a constant and f times the leading constant, are added without loss.
#pragma once

#include "croton/backend/cpu/maths/coefficients.hpp"
#include "croton/backend/cpu/maths/exponential.hpp"
#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

// log1p(f) - f for sqrt(1/2) - 1 <= f <= sqrt(2) - 1.
CROTON_MATHS_INLINE float log_curve(float f) {
    return f * f * polynomial(f, Coefficients<float>::log);
}

// With s = f / (2 + f): log1p(f) = 2s + s z q(z), and 2s = f - s f, so the curve is
// s (z q(z) - f). Of s f the leading part f^2 / 2 is taken out, to spare the rounding of s.
CROTON_MATHS_INLINE double log_curve(double f) {
    const double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
    return mad(s, mad(z, polynomial(z, Coefficients<double>::log_s), half_square), -half_square);
}

template <class T>
struct Split {
    T exponent;
    BitsOf<T> biased;  // exponent + bias
    T mantissa;        // in [sqrt(1/2), sqrt(2))
};

// For positive normal x.
template <class T>
CROTON_MATHS_INLINE Split<T> split_exponent(T x) {
    using F = Format<T>;
    using Bits = BitsOf<T>;
    // Offsetting the bits makes the field of the exponent change at sqrt(1/2), and keeps it
    // positive, so that a logical shift gives it.
    constexpr Bits at_root = __builtin_bit_cast(Bits, F::sqrt_half);
    constexpr Bits one = Bits{F::bias} << F::mantissa, field = (Bits{1} << F::mantissa) - 1;
    const Bits shifted = to_bits(x) + (one - at_root);
    const Bits biased = shifted >> F::mantissa;
    // Biased exponent as a number: its bits put below those of 2^mantissa.
    constexpr T magic = __builtin_bit_cast(T, (Bits{F::bias + F::mantissa} << F::mantissa));
    const T exponent = from_bits<T>(biased | to_bits(magic)) - (magic + T{F::bias});
    return {exponent, biased, from_bits<T>((shifted & field) + at_root)};
}

// The same where x may be subnormal.
template <class T>
CROTON_MATHS_INLINE Split<T> split_any_exponent(T x) {
    using F = Format<T>;
    constexpr T lift = T{1} / F::least_normal;
    const bool small = x < F::least_normal;
    auto split = split_exponent(choose(small, x * lift, x));
    split.exponent -= choose(small, T{F::bias - 1}, T{0});
    return split;
}

// The value of any logarithm where its argument is zero, negative, infinite or NaN.
template <class T>
CROTON_MATHS_INLINE T log_edges(T x, T result) {
    using F = Format<T>;
    result = choose(x < F::infinity, result, x);
    return choose(x > T{0}, result, choose(x == T{0}, -F::infinity, F::nan));
}

template <class T>
CROTON_MATHS_INLINE T log_from_parts(T exponent, T f, T rest) {
    using C = Coefficients<T>;
    const auto sum = fast_two_sum(exponent * C::ln2_head, f);
    return sum.head + (sum.rest + mad(exponent, C::ln2_rest, log_curve(f) + rest));
}

template <class T>
CROTON_MATHS_INLINE T log(T x) {
    const auto split = split_any_exponent(x);
    return log_edges(x, log_from_parts(split.exponent, split.mantissa - T{1}, T{0}));
}

template <class T>
CROTON_MATHS_INLINE T log2(T x) {
    using C = Coefficients<T>;
    const auto split = split_any_exponent(x);
    const T f = split.mantissa - T{1};
    const auto sum = fast_two_sum(split.exponent, f);
    const T small = mad(f, C::log2_e_minus_one, log_curve(f) * C::log2_e);
    return log_edges(x, sum.head + (sum.rest + small));
}

template <class T>
CROTON_MATHS_INLINE T log10(T x) {
    using C = Coefficients<T>;
    const auto split = split_any_exponent(x);
    const T f = split.mantissa - T{1};
    const auto sum = fast_two_sum(split.exponent * C::log10_2_head, T{0.5} * f);
    const T small = mad(f, C::log10_e_minus_half, log_curve(f) * C::log10_e);
    return log_edges(x, sum.head + (sum.rest + mad(split.exponent, C::log10_2_rest, small)));
}

// 1 + x = u + lost exactly, u = 2^e m; log1p(x) = log(u + lost).
template <class T>
CROTON_MATHS_INLINE T log1p(T x) {
    using F = Format<T>;
    const auto u = two_sum(T{1}, x);
    const auto split = split_exponent(u.head);
    // 2^-e, or zero where nothing was lost that counts (it might not be a normal number there).
    const T factor = choose(x < T(BitsOf<T>{1} << (F::mantissa + 2)),
                            from_bits<T>((2 * F::bias - split.biased) << F::mantissa), T{0});
    const auto f = fast_two_sum(split.mantissa - T{1}, u.rest * factor);
    const T result = log_from_parts(split.exponent, f.head, f.rest);
    return choose(absolute(x) < F::tiny, x, log_edges(u.head, result));
}

// log1p(e) for 0 <= e <= 1, without splitting off a power of two: 2 s = e - s e.
template <class T>
CROTON_MATHS_INLINE T log1p_of_fraction(T e) {
    const T s = e / (T{2} + e), z = s * s;
    return mad(-s, mad(-z, polynomial(z, Coefficients<T>::softplus_s), e), e);
}

template <class T>
CROTON_MATHS_INLINE T softplus(T x) {
    return (choose(x > T{0}, x, T{0})) + log1p_of_fraction(exp_of_negative(-absolute(x)));
}

}  // namespace croton::maths
