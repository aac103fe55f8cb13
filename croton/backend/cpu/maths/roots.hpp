// cbrt and hypot.
#pragma once

#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

// A third of the bits of a number is, but for a constant, the bits of its cube root; here of the
// inverse cube root, within 4 percent. Multiplies the upper 32 bits by 2^32 / 3.
CROTON_MATHS_INLINE float rough_inverse_cbrt(float a) {
    const uint64_t third = uint64_t{to_bits(a)} * 0x55555556u >> 32;
    return from_bits<float>(0x54a1f400u - static_cast<uint32_t>(third));
}

CROTON_MATHS_INLINE double rough_inverse_cbrt(double a) {
    const uint64_t third = (to_bits(a) >> 32) * 0x55555556u >> 32;
    return from_bits<double>((0x553ee980u - third) << 32);
}

// t (1 - h)^(-1/3), h = 1 - a t^3, by its series: the error h becomes about h^4 / 4.
template <class T>
CROTON_MATHS_INLINE T refined_inverse_cbrt(T a, T t) {
    const T h = mad(-(a * t), t * t, T{1});
    return mad(t * h, mad(h, mad(h, T(14.0 / 81), T(2.0 / 9)), T(1.0 / 3)), t);
}

template <class T>
CROTON_MATHS_INLINE T cbrt(T x) {
    using F = Format<T>;
    constexpr T low = sizeof(T) == 4 ? T(0x1p-60) : T(0x1p-900), high = T{1} / low;
    const T size = absolute(x);
    const bool small = size<low, large = size> high;
    const T a = size * choose(small, T(0x1p66), choose(large, T(0x1p-66), T{1}));
    const T back = choose(small, T(0x1p-22), choose(large, T(0x1p22), T{1}));
    T t = refined_inverse_cbrt(a, rough_inverse_cbrt(a));
    if constexpr (sizeof(T) == 8) t = refined_inverse_cbrt(a, t);
    // One step of Newton for the root itself, its residue formed without loss.
    const T root = a * t * t;
    const auto square = two_product(root, root);
    const auto cube = two_product(square.head, root);
    const T residue = ((a - cube.head) - cube.rest) - square.rest * root;
    const T result = mad(residue * T(1.0 / 3), t * t, root) * back;
    return choose(size < F::infinity, with_sign(result, x), x + x);
}

// sqrt(x^2 + y^2), scaled by a power of two where squares would overflow or underflow.
template <class T>
CROTON_MATHS_INLINE T hypot(T x, T y) {
    using F = Format<T>;
    constexpr T up = sizeof(T) == 4 ? T(0x1p100) : T(0x1p700);
    constexpr T high = sizeof(T) == 4 ? T(0x1p60) : T(0x1p500), low = T{1} / high;
    const T a = absolute(x), b = absolute(y);
    const T most = choose(a > b, a, b), least = choose(a > b, b, a);
    const bool large = most > high, small = most < low;
    const T scale = choose(large, T{1} / up, choose(small, up, T{1}));
    const T back = choose(large, up, choose(small, T{1} / up, T{1}));
    const T m = most * scale, n = least * scale;
    const T result = square_root(mad(m, m, n * n)) * back;
    const T number = choose(either(a != a, b != b), x + y, result);
    return choose(either(a == F::infinity, b == F::infinity), F::infinity, number);
}

}  // namespace croton::maths
