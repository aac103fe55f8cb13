// exp, exp2, expm1 and what is made of them: sigmoid, tanh, sinh, cosh.
//
// x = n ln 2 + r with |r| <= ln(2)/2; a polynomial in r, then a multiplication by 2^n in two exact
// steps and a last rounded one, so that results underflow gradually.
#pragma once

#include "croton/backend/cpu/maths/coefficients.hpp"
#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

template <class T>
struct ExpRange;

// Beyond these bounds results are 0 and infinity; within them 2^(n/2) is a normal number.
template <>
struct ExpRange<float> {
    static constexpr float least = -105.0f, most = 89.5f;
    static constexpr float least2 = -151.0f, most2 = 129.0f;
    static constexpr float least_minus1 = -18.0f, most_minus1 = 88.9f;  // expm1 is -1, infinity
};

template <>
struct ExpRange<double> {
    static constexpr double least = -746.0, most = 710.5;
    static constexpr double least2 = -1076.0, most2 = 1025.0;
    static constexpr double least_minus1 = -39.0, most_minus1 = 709.9;
};

// value * 2^n where the result may be subnormal or overflow.
template <class T>
CROTON_MATHS_INLINE T scale_by_power(T value, BitsOf<T> n) {
    // Halving without an arithmetic shift, which AVX2 lacks for 64 bits.
    constexpr BitsOf<T> offset = 2048;
    const auto half = static_cast<BitsOf<T>>(((n + offset) >> 1) - offset / 2);
    return (value * power_of_two<T>(half)) * power_of_two<T>(n - half);
}

template <class T>
struct Reduced {
    T r;     // |r| <= ln(2)/2
    T rest;  // what r lost to rounding
    BitsOf<T> n;
};

template <class T>
CROTON_MATHS_INLINE Reduced<T> reduce_by_ln2(T x) {
    using C = Coefficients<T>;
    const auto n = round_product(x, C::log2_e);
    const T head = mad(n.whole, -C::ln2_head, x);
    const T tail = n.whole * C::ln2_rest;
    const T r = head - tail;
    return {r, (head - r) - tail, n.integer};
}

// exp(r + rest), |r| <= ln(2)/2, rest within an ulp of r.
template <class T>
CROTON_MATHS_INLINE T exp_of_remainder(T r, T rest) {
    return T{1} + (r + mad(r * r, polynomial(r, Coefficients<T>::exp), rest));
}

template <class T>
CROTON_MATHS_INLINE T exp_of_remainder(T r) {
    return mad(r * r, polynomial(r, Coefficients<T>::exp), r) + T{1};
}

template <class T>
CROTON_MATHS_INLINE T exp(T x) {
    using C = Coefficients<T>;
    x = at_least(at_most(x, ExpRange<T>::most), ExpRange<T>::least);
    const auto n = round_product(x, C::log2_e);
    const T r = mad(n.whole, -C::ln2_rest, mad(n.whole, -C::ln2_head, x));
    return scale_by_power(exp_of_remainder(r), n.integer);
}

// exp(x) for x <= 0.
template <class T>
CROTON_MATHS_INLINE T exp_of_negative(T x) {
    using C = Coefficients<T>;
    x = at_least(x, ExpRange<T>::least);
    const auto n = round_product(x, C::log2_e);
    const T r = mad(n.whole, -C::ln2_rest, mad(n.whole, -C::ln2_head, x));
    return scale_by_power(exp_of_remainder(r), n.integer);
}

template <class T>
CROTON_MATHS_INLINE T exp2(T x) {
    x = at_least(at_most(x, ExpRange<T>::most2), ExpRange<T>::least2);
    const auto n = round_nearest(x);
    const T r = x - n.whole;
    return scale_by_power(mad(r, polynomial(r, Coefficients<T>::exp2), T{1}), n.integer);
}

// 2^-k expm1(x) = (2^(n-k) - 2^-k) + 2^(n-k) expm1(r), the large parts added without loss, for x
// between least_minus1 and where 2^(n-k) overflows. Loses bits of the smallest x, where expm1(x) is
// x, and the sign of zero.
template <class T>
CROTON_MATHS_INLINE T scaled_expm1(T x, int k) {
    const auto reduced = reduce_by_ln2(x);
    const T r = reduced.r;
    const T scale = power_of_two<T>(reduced.n - static_cast<BitsOf<T>>(k));
    const T curve = mad(r * r, polynomial(r, Coefficients<T>::expm1), reduced.rest);
    const T one = power_of_two<T>(BitsOf<T>{0} - static_cast<BitsOf<T>>(k));
    const auto sum = fast_two_sum(scale - one, scale * r);
    return sum.head + mad(scale, curve, sum.rest);
}

template <class T>
CROTON_MATHS_INLINE T expm1(T x) {
    const T bounded = at_least(at_most(x, ExpRange<T>::most_minus1), ExpRange<T>::least_minus1);
    return choose(absolute(x) < Format<T>::tiny, x, T{2} * scaled_expm1(bounded, 1));
}

template <class T>
CROTON_MATHS_INLINE T sigmoid(T x) {
    const T e = exp_of_negative(-absolute(x));
    return (choose(x < T{0}, e, T{1})) / (T{1} + e);
}

template <class T>
struct TanhRange;

template <>
struct TanhRange<float> {
    static constexpr float most = 10.0f;  // tanh rounds to 1 before this
};

template <>
struct TanhRange<double> {
    static constexpr double most = 20.0;
};

// tanh(a) = (1 - q) / (1 + q) with q = exp(-2a) = 2^n (1 + expm1(r)), a = |x|.
template <class T>
CROTON_MATHS_INLINE T tanh(T x) {
    const T a = at_most(absolute(x), TanhRange<T>::most);
    const auto reduced = reduce_by_ln2(T{-2} * a);
    const T r = reduced.r, scale = power_of_two<T>(reduced.n);
    const T grown = r + mad(r * r, polynomial(r, Coefficients<T>::expm1), reduced.rest);
    const T above = mad(-scale, grown, T{1} - scale);
    const T below = mad(scale, grown, T{1} + scale);
    return with_sign(above / below, x);
}

}  // namespace croton::maths
