// lgamma (the logarithm of |gamma|) and digamma (its derivative).
#pragma once

#include "croton/backend/cpu/maths/coefficients.hpp"
#include "croton/backend/cpu/maths/logarithm.hpp"
#include "croton/backend/cpu/maths/trigonometric.hpp"

namespace croton::maths {

// Sine and cosine of pi r, for |r| <= 1/2; the sine of |r|.
template <class T>
struct HalfTurn {
    T sine, cosine;
};

template <class T>
CROTON_MATHS_INLINE HalfTurn<T> half_turn(T r) {
    const T size = absolute(r);
    const bool flip = size > T{0.25};
    const T angle = Coefficients<T>::pi_head * choose(flip, T{0.5} - size, size), z = angle * angle;
    const T sine = sin_of_remainder(angle, z), cosine = cos_of_remainder(z);
    return {choose(flip, cosine, sine), choose(flip, sine, cosine)};
}

// y less the nearest whole number, for y >= 0 below `all_whole`, from where on all numbers are
// whole.
template <class T>
constexpr T all_whole = T(BitsOf<T>{1} << Format<T>::mantissa);

template <class T>
CROTON_MATHS_INLINE T from_nearest(T y) {
    return y - ((y + all_whole<T>)-all_whole<T>);
}

// (y - 1) (y - 2) ... down to the factor in [3/2, 5/2), and how many factors, for 5/2 <= y < 17/2;
// below, 1 and 0. gamma(y) is this product times the gamma function of the last factor.
template <class T>
struct Falling {
    T product, count;
};

template <int K = 1, class T>
CROTON_MATHS_INLINE Falling<T> falling(T y, Falling<T> so_far = {T{1}, T{0}}) {
    if constexpr (K > 6) {
        return so_far;
    } else {
        const bool more = y >= T(K + 1.5);
        return falling<K + 1>(y, Falling<T>{so_far.product * choose(more, y - T(K), T{1}),
                                            so_far.count + choose(more, T{1}, T{0})});
    }
}

// For x > -1/2. Below 17/2, gamma's recurrence leads to the neighbourhood of its zero at 2, where a
// polynomial has it; above, Stirling's series. Both need one logarithm.
template <class T>
CROTON_MATHS_INLINE T lgamma_of_right(T x) {
    using C = Coefficients<T>;
    const bool tiny = x < T{0.5}, low = x < T{1.5}, far = x >= T{8.5};
    const auto down = falling(x);
    // u is exact: the zeros of the result at 1 and 2 are its zeros.
    const T u = choose(tiny, x, choose(low, x - T{1}, (x - down.count) - T{2}));
    const T factors = choose(tiny, absolute(x * (x + T{1})), choose(low, x, down.product));
    const T logarithm = log(choose(far, x, factors));
    const T near = mad(u, polynomial(u, C::lgamma_near), choose(low, -logarithm, logarithm));
    const T inverse = T{1} / x;
    const T rest = mad(inverse, polynomial(inverse * inverse, C::stirling), C::stirling_constant);
    return choose(far, mad(x - T{0.5}, logarithm - T{1}, rest), near);
}

// Left of -1/2: gamma(x) gamma(-x) = -pi / (x sin(pi x)). Near the zeros there, between the poles,
// the error is that of the terms, not of the result.
template <class T>
CROTON_MATHS_INLINE T lgamma(T x) {
    using F = Format<T>;
    const bool left = x < T{-0.5};
    const T y = absolute(x), right = lgamma_of_right(choose(left, y, x));
    const T sine = half_turn(from_nearest(y)).sine;
    const T reflected = (Coefficients<T>::log_pi - log(y * sine)) - right;
    const T result = choose(left, choose(y < all_whole<T>, reflected, F::infinity), right);
    return choose(x != x, x, result);
}

// 1/(y - 1) + 1/(y - 2) + ... as one fraction, down to the last y - k in [1, 2), and that k, for
// 2 <= y < 8; the given ones below.
template <class T>
struct Steps {
    T over, under, count;
};

template <int K = 1, class T>
CROTON_MATHS_INLINE Steps<T> reciprocals(T y, Steps<T> so_far) {
    if constexpr (K > 6) {
        return so_far;
    } else {
        const bool more = y >= T(K + 1);
        const T factor = y - T(K);
        const T over = choose(more, mad(so_far.over, factor, so_far.under), so_far.over);
        const T under = choose(more, so_far.under * factor, so_far.under);
        return reciprocals<K + 1>(y, Steps<T>{over, under, choose(more, T(K), so_far.count)});
    }
}

// For y >= 0: the recurrence leads to a polynomial about the root between 1 and 2 or, from 8 on,
// the asymptotic series is good.
template <class T>
CROTON_MATHS_INLINE T digamma_of_right(T y) {
    using C = Coefficients<T>;
    const bool low = y < T{1};
    const auto steps = reciprocals(
        y, Steps<T>{choose(low, T{-1}, T{0}), choose(low, y, T{1}), choose(low, T{-1}, T{0})});
    // y + 1 less the root, without rounding y + 1.
    const T from_root = ((y - (steps.count + C::digamma_root_head)) - C::digamma_root_rest);
    const T from_middle = y - (steps.count + T{1.5});
    const T near =
        mad(from_root, polynomial(from_middle, C::digamma_near), steps.over / steps.under);
    const T inverse = T{1} / y, v = inverse * inverse;
    const T far = log(y) - mad(v, polynomial(v, C::digamma_far), T{0.5} * inverse);
    return choose(y < T{8}, near, far);
}

// Left of zero digamma(x) = digamma(1 - x) - pi / tan(pi x).
template <class T>
CROTON_MATHS_INLINE T digamma(T x) {
    using C = Coefficients<T>;
    const bool left = x < T{0};
    const T right = digamma_of_right(choose(left, T{1} - x, x));
    const T y = absolute(x), r = from_nearest(y);
    const auto [sine, cosine] = half_turn(r);
    const T slope = with_sign(C::pi_head * (cosine / sine), r);  // pi / tan(pi y)
    const bool pole = either(r == T{0}, y >= all_whole<T>);
    const T reflected = choose(pole, Format<T>::nan, right + slope);
    return choose(left, reflected, right);
}

}  // namespace croton::maths
