// atan, atan2, asin and acos.
#pragma once

#include "croton/backend/cpu/maths/coefficients.hpp"
#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

// The angle of the point (b, a), a >= 0, b >= 0, not both zero or infinite, subtracted from pi if
// `mirrored`. Turned back by pi/2 or pi/4 where that brings it within pi/8 of zero, at
// the cost of the one division that is needed anyway.
template <class T>
CROTON_MATHS_INLINE T angle_of(T a, T b, bool mirrored) {
    using C = Coefficients<T>;
    const bool steep = a > T(2.4142135) * b, middle = a > T(0.41421357) * b;
    const T over = choose(steep, -b, choose(middle, a - b, a));
    const T under = choose(steep, a, choose(middle, a + b, b));
    const T t = over / under, z = t * t;
    const T turned = choose(steep, T{2}, choose(middle, T{1}, T{0}));
    const T quarters = choose(mirrored, T{4} - turned, turned);  // of pi
    const T signed_t = choose(mirrored, -t, t);
    const bool three = quarters == T{3};  // the one product that would be rounded
    const T head = choose(three, C::three_quarters_pi_head, quarters * (T{0.25} * C::pi_head));
    const T rest = choose(three, C::three_quarters_pi_rest, quarters * (T{0.25} * C::pi_rest));
    return head + (signed_t + mad(signed_t * z, polynomial(z, C::atan), rest));
}

template <class T>
CROTON_MATHS_INLINE T atan(T x) {
    // An infinite x gives -1 / infinity.
    return with_sign(angle_of(absolute(x), T{1}, false), x);
}

template <class T>
CROTON_MATHS_INLINE T atan2(T y, T x) {
    using F = Format<T>;
    // Infinities act as ones beside zeros; a 16th of the largest numbers leaves room for their sum.
    const T rise = absolute(y), run = absolute(x);
    const T a = choose(rise == F::infinity, T{1}, choose(run == F::infinity, rise * T{0}, rise));
    const T b = choose(run == F::infinity, T{1}, choose(rise == F::infinity, run * T{0}, run));
    const T scale = choose(either(a > F::greatest / 8, b > F::greatest / 8), T{0.0625}, T{1});
    const T under = choose(both(b == T{0}, a == T{0}), T{1}, b * scale);
    const T angle = angle_of(a * scale, under, sign_bit(x) != 0);
    return flip_sign(angle, sign_bit(y));
}

// asin(t) - t for |t| <= 1/2.
template <class T>
CROTON_MATHS_INLINE T asin_curve(T t, T z) {
    return t * z * polynomial(z, Coefficients<T>::asin);
}

// Above 1/2, asin(a) = pi/2 - 2 asin(sqrt((1 - a) / 2)); beyond 1 the root is NaN.
template <class T>
struct AsinArgument {
    bool small;
    T t, z;
};

template <class T>
CROTON_MATHS_INLINE AsinArgument<T> asin_argument(T a) {
    const bool small = a <= T{0.5};
    const T z = choose(small, a * a, T{0.5} * (T{1} - a));
    return {small, choose(small, a, square_root(z)), z};
}

template <class T>
CROTON_MATHS_INLINE T asin(T x) {
    using C = Coefficients<T>;
    const auto [small, t, z] = asin_argument(absolute(x));
    const T curve = asin_curve(t, z);
    const T large = (C::pi_2_head - T{2} * t) + (C::pi_2_rest - T{2} * curve);
    return with_sign(choose(small, t + curve, large), x);
}

template <class T>
CROTON_MATHS_INLINE T acos(T x) {
    using C = Coefficients<T>;
    const auto [small, size, z] = asin_argument(absolute(x));
    const T t = flip_sign(size, sign_bit(x)), curve = asin_curve(t, z);
    // pi/2 - asin(x); 2 asin(t); pi - 2 asin(-t) = pi + 2 asin(t).
    const T factor = choose(small, T{-1}, T{2});
    const T head = choose(small, C::pi_2_head, choose(x < T{0}, C::pi_head, T{0}));
    const T rest = choose(small, C::pi_2_rest, choose(x < T{0}, C::pi_rest, T{0}));
    const auto sum = fast_two_sum(head, factor * t);
    return sum.head + (sum.rest + mad(factor, curve, rest));
}

}  // namespace croton::maths
