// erf, erfc and erfinv.
#pragma once

#include "croton/backend/cpu/maths/exponential.hpp"
#include "croton/backend/cpu/maths/logarithm.hpp"

namespace croton::maths {

template <class T>
struct ErfRange;

template <>
struct ErfRange<float> {
    static constexpr float most = 3.95f;     // erf rounds to 1 from here on
    static constexpr float most_c = 10.1f;   // erfc rounds to 0 from here on
    static constexpr float middle_c = 2.0f;  // as in tools/minimax.py
};

template <>
struct ErfRange<double> {
    static constexpr double most = 6.0, most_c = 27.3, middle_c = 3.0;
};

// Near zero an odd polynomial; beyond, 1 - exp(polynomial), for the logarithm of erfc is smooth.
template <class T>
CROTON_MATHS_INLINE T erf(T x) {
    using C = Coefficients<T>;
    const T a = at_most(absolute(x), ErfRange<T>::most), z = a * a;
    const T near = mad(a, polynomial(z, C::erf), a);
    const auto reduced = reduce_by_ln2(polynomial(a, C::erf_tail));
    const T e = exp_of_remainder(reduced.r) * power_of_two<T>(reduced.n);
    return with_sign(choose(a < T(0.8), near, T{1} - e), x);
}

// Near zero 1 - erf; beyond, exp(-a^2) times a smooth function of (a - k) / (a + k) over 1 + 2 a.
// The square is carried in two numbers, for the exponential multiplies its error by its size.
template <class T>
CROTON_MATHS_INLINE T erfc(T x) {
    using C = Coefficients<T>;
    const T a = at_most(absolute(x), ErfRange<T>::most_c);
    const auto square = two_product(a, a);
    const auto reduced = reduce_by_ln2(-square.head);
    const T e = exp_of_remainder(reduced.r + (reduced.rest - square.rest));
    const T smooth =
        polynomial((a - ErfRange<T>::middle_c) / (a + ErfRange<T>::middle_c), C::erfc) /
        mad(T{2}, a, T{1});
    const T result = scale_by_power(e * smooth, reduced.n);
    const T near = T{1} - mad(x, polynomial(x * x, C::erf), x);
    return choose(a < T{0.5}, near, choose(x < T{0}, T{2} - result, result));
}

// x times a smooth function of w = -log(1 - x^2) or, in the tails, of its square root.
template <class T>
CROTON_MATHS_INLINE T erfinv(T x) {
    using C = Coefficients<T>;
    using F = Format<T>;
    const T a = absolute(x);
    const T w = -log((T{1} - a) * (T{1} + a));
    const T near = polynomial(w - T{2.5}, C::erfinv_near), root = square_root(w);
    T far = polynomial(root - T{3}, C::erfinv_far);
    if constexpr (sizeof(T) == 8)
        far = choose(w < T{16}, far, polynomial(root - T{5}, C::erfinv_tail));
    const T result = x * choose(w < T{5}, near, far);
    const T outside = choose(a == T{1}, with_sign(F::infinity, x), F::nan);
    return choose(a < T{1}, result, outside);
}

}  // namespace croton::maths
