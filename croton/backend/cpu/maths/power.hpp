// pow: |x|^y = 2^(y log2 |x|), the logarithm and the product carried in twice the precision.
#pragma once

#include "croton/backend/cpu/maths/coefficients.hpp"
#include "croton/backend/cpu/maths/exponential.hpp"
#include "croton/backend/cpu/maths/logarithm.hpp"
#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

// a^y for a > 0 and finite, |y| finite. In double: 36 bits of the logarithm are enough.
CROTON_MATHS_INLINE float pow_of_positive(float a, float y) {
    using C = Coefficients<double>;
    const double wide = static_cast<double>(a);  // every float is normal here
    const auto split = split_exponent(wide);
    const double f = split.mantissa - 1.0, s = f / (2.0 + f), z = s * s;
    const double log2_m = s * polynomial(z, C::log2_short);
    const double product = static_cast<double>(y) * (split.exponent + log2_m);
    const double bounded = at_least(at_most(product, 1000.0), -1000.0);
    const auto n = round_nearest(bounded);
    const double value = polynomial(bounded - n.whole, C::exp2_short);
    return static_cast<float>(value * power_of_two<double>(n.integer));
}

// log(m) as head + rest, with 2 s + 2/3 s^3 in two numbers and the terms above in one.
CROTON_MATHS_INLINE Pair<double> log_pair(double exponent, double m) {
    using C = Coefficients<double>;
    // s = f / g to twice the precision, g = m + 1 = g_head + g_rest.
    const double f = m - 1.0;
    const auto g = two_sum(1.0, m);
    const double inverse = 1.0 / g.head, s = f * inverse;
    const auto back = two_product(s, g.head);
    const double s_rest = ((f - back.head) - back.rest - s * g.rest) * inverse;
    // 2/3 s^3, with s^2 in two numbers.
    const auto square = two_product(s, s);
    const double square_rest = square.rest + 2.0 * s * s_rest;
    const auto cube = two_product(s, square.head);
    const double cube_rest = cube.rest + (s * square_rest + s_rest * square.head);
    const auto third = two_product(cube.head, C::two_thirds_head);
    const double third_rest =
        third.rest + (cube.head * C::two_thirds_rest + cube_rest * C::two_thirds_head);
    const double z = square.head;
    const double above = cube.head * z * polynomial(z, C::log_pow);
    // Everything together: exponent ln 2, 2 s, third, above.
    const auto first = fast_two_sum(2.0 * s, third.head);
    const double small = first.rest + (2.0 * s_rest + (third_rest + above));
    const auto second = fast_two_sum(exponent * C::ln2_head, first.head);
    const double tail = second.rest + (exponent * C::ln2_rest + small);
    return fast_two_sum(second.head, tail);
}

CROTON_MATHS_INLINE double pow_of_positive(double a, double y) {
    using C = Coefficients<double>;
    const auto split = split_any_exponent(a);
    const auto logarithm = log_pair(split.exponent, split.mantissa);
    // Beyond 2^64 the result is 0, 1 or infinity whatever y is; the product must not overflow.
    const double limited = at_least(at_most(y, 0x1p70), -0x1p70);
    const auto product = two_product(limited, logarithm.head);
    const double rest =
        choose(absolute(product.head) < 800.0, mad(limited, logarithm.rest, product.rest), 0.0);
    const double bounded = at_least(at_most(product.head, 800.0), -800.0);
    const auto n = round_product(bounded, C::log2_e);
    const double r_head = mad(n.whole, -C::ln2_head, bounded);
    const double r_rest = mad(n.whole, -C::ln2_rest, rest);
    const auto r = fast_two_sum(r_head, r_rest);
    return scale_by_power(exp_of_remainder(r.head, r.rest), n.integer);
}

template <class T>
CROTON_MATHS_INLINE T pow(T x, T y) {
    using F = Format<T>;
    const T a = absolute(x), b = absolute(y);
    // y whole, y odd: beyond 2^mantissa every number is whole, beyond the double of it even.
    constexpr T all_whole = T(BitsOf<T>{1} << F::mantissa);
    const T nearest = (b + all_whole) - all_whole;
    const T half = T{0.5} * b, half_nearest = (half + all_whole) - all_whole;
    const bool whole = either(b >= all_whole, nearest == b);
    const bool odd = both(both(whole, b < T{2} * all_whole), half_nearest != half);
    const BitsOf<T> sign = choose(odd, sign_bit(x), BitsOf<T>{0});

    T result = pow_of_positive(a, y);
    result = choose(both(x < T{0}, !whole), F::nan, result);
    // Zero and infinite bases, infinite exponents.
    const bool grows = (a > T{1}) == (y > T{0});
    const bool extreme = either(either(a == T{0}, a > F::greatest), b > F::greatest);
    result = choose(extreme, choose(grows, F::infinity, T{0}), result);
    result = flip_sign(result, sign);
    result = choose(either(x != x, y != y), x + y, result);
    const bool one = either(either(y == T{0}, x == T{1}), both(a == T{1}, b > F::greatest));
    return choose(one, T{1}, result);
}

}  // namespace croton::maths
