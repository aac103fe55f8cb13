// sinh, cosh and the inverse hyperbolic functions, from expm1, exp, log1p and log.
#pragma once

#include "croton/backend/cpu/maths/exponential.hpp"
#include "croton/backend/cpu/maths/logarithm.hpp"

namespace croton::maths {

// sinh(a) = (E + E / (E + 1)) / 2 with E = expm1(a), kept as E / 4 so that it does not overflow.
template <class T>
CROTON_MATHS_INLINE T sinh(T x) {
    const T a = at_most(absolute(x), ExpRange<T>::most);
    const T quarter = scaled_expm1(a, 2);
    const T result = T{2} * quarter + T{2} * (quarter / (T{1} + T{4} * quarter));
    return choose(a < Format<T>::tiny, x, with_sign(result, x));
}

// cosh(a) = h + 1 / (4 h) with h = exp(a) / 2.
template <class T>
CROTON_MATHS_INLINE T cosh(T x) {
    using C = Coefficients<T>;
    const T a = at_most(absolute(x), ExpRange<T>::most);
    const auto n = round_product(a, C::log2_e);
    const T r = mad(n.whole, -C::ln2_rest, mad(n.whole, -C::ln2_head, a));
    const T half = scale_by_power(exp_of_remainder(r), n.integer - 1);
    return half + T{0.25} / half;
}

// log1p(a + a^2 / (1 + sqrt(1 + a^2))).
template <class T>
CROTON_MATHS_INLINE T asinh(T x) {
    using C = Coefficients<T>;
    // log(2 a) is right beyond, and needs no square that overflows.
    constexpr T far = T(BitsOf<T>{1} << (Format<T>::mantissa + 3));
    const T a = absolute(x), b = at_most(a, far), square = b * b;
    const T t = choose(a > far, a, b + square / (T{1} + square_root(T{1} + square)));
    const T result = log1p(t) + (choose(a > far, C::ln2_head + C::ln2_rest, T{0}));
    return choose(a < Format<T>::tiny, x, with_sign(result, x));
}

template <class T>
CROTON_MATHS_INLINE T acosh(T x) {
    using C = Coefficients<T>;
    constexpr T far = T(BitsOf<T>{1} << (Format<T>::mantissa + 3));
    const T t = at_most(x, far) - T{1};
    const T u = choose(x > far, x, t + square_root(t * (t + T{2})));
    const T result = log1p(u) + (choose(x > far, C::ln2_head + C::ln2_rest, T{0}));
    return choose(x < T{1}, Format<T>::nan, result);
}

template <class T>
CROTON_MATHS_INLINE T atanh(T x) {
    const T a = absolute(x);
    const T result = T{0.5} * log1p(T{2} * a / (T{1} - a));
    return choose(a < Format<T>::tiny, x, with_sign(result, x));
}

}  // namespace croton::maths
