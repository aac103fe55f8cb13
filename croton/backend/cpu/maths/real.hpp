// The few operations from which all functions in this folder are made, for T = float and double.
//
// Everything here becomes branch-free IR that LLVM's loop vectoriser widens on any x86-64 level: no
// calls, no tables, no conversions between float and 64-bit integers (AVX2 has none).
#pragma once

#include <cstdint>

// Contraction only where mad() asks for it: elsewhere it would break the exact sums and products.
#if defined(__clang__)
#pragma clang fp contract(off)
#endif

namespace croton::maths {

template <class T>
struct Format;

template <>
struct Format<float> {
    using Bits = uint32_t;
    static constexpr int mantissa = 23;
    static constexpr int bias = 127;
    static constexpr float least_normal = 0x1p-126f;
    static constexpr float greatest = 0x1.fffffep127f;
    static constexpr float tiny = 0x1p-26f;  // x^2 does not count beside x below this
    static constexpr float infinity = __builtin_inff();
    static constexpr float nan = __builtin_nanf("");
    static constexpr float round_magic = 0x1.8p23f;  // adding it rounds to an integer
    static constexpr float sqrt_half = 0x1.6a09e6p-1f;
};

template <>
struct Format<double> {
    using Bits = uint64_t;
    static constexpr int mantissa = 52;
    static constexpr int bias = 1023;
    static constexpr double least_normal = 0x1p-1022;
    static constexpr double greatest = 0x1.fffffffffffffp1023;
    static constexpr double tiny = 0x1p-55;
    static constexpr double infinity = __builtin_inf();
    static constexpr double nan = __builtin_nan("");
    static constexpr double round_magic = 0x1.8p52;
    static constexpr double sqrt_half = 0x1.6a09e667f3bcdp-1;
};

template <class T>
using BitsOf = typename Format<T>::Bits;

#define CROTON_MATHS_INLINE [[gnu::always_inline]] static inline

template <class T>
CROTON_MATHS_INLINE BitsOf<T> to_bits(T x) {
    return __builtin_bit_cast(BitsOf<T>, x);
}

template <class T>
CROTON_MATHS_INLINE T from_bits(BitsOf<T> bits) {
    return __builtin_bit_cast(T, bits);
}

// a * b + c, in one rounding where the machine has it and in two where it has not: callers must be
// right either way. (llvm.fma would be a library call on machines without FMA.)
template <class T>
CROTON_MATHS_INLINE T mad(T a, T b, T c) {
#if defined(__clang__)
#pragma clang fp contract(on)
    return a * b + c;
#elif defined(CROTON_MATHS_FMA)  // g++ 12 shows no macro of a target pragma
    return sizeof(T) == 4 ? T(__builtin_fmaf(float(a), float(b), float(c)))
                          : T(__builtin_fma(a, b, c));
#else
    return a * b + c;
#endif
}

template <class T>
CROTON_MATHS_INLINE T absolute(T x) {
    return from_bits<T>(to_bits(x) & (~BitsOf<T>{0} >> 1));
}

template <class T>
CROTON_MATHS_INLINE BitsOf<T> sign_bit(T x) {
    return to_bits(x) & ~(~BitsOf<T>{0} >> 1);
}

template <class T>
CROTON_MATHS_INLINE T flip_sign(T x, BitsOf<T> sign) {
    return from_bits<T>(to_bits(x) ^ sign);
}

// |x| with the sign of y.
template <class T>
CROTON_MATHS_INLINE T with_sign(T x, T y) {
    return from_bits<T>(to_bits(absolute(x)) | sign_bit(y));
}

// Both sides are computed: written with ?: they might become a branch, and functions must stay one
// straight line. For the same reason conditions are joined by both() and either().
template <class T>
CROTON_MATHS_INLINE T choose(bool condition, T yes, T no) {
    return condition ? yes : no;
}

CROTON_MATHS_INLINE bool both(bool a, bool b) { return (a & b) != 0; }
CROTON_MATHS_INLINE bool either(bool a, bool b) { return (a | b) != 0; }

CROTON_MATHS_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
CROTON_MATHS_INLINE double square_root(double x) { return __builtin_sqrt(x); }

// A NaN in x stays.
template <class T>
CROTON_MATHS_INLINE T at_most(T x, T bound) {
    return choose(x > bound, bound, x);
}

template <class T>
CROTON_MATHS_INLINE T at_least(T x, T bound) {
    return choose(x < bound, bound, x);
}

template <int K, class T, int N>
CROTON_MATHS_INLINE T every_other(T square, const T (&c)[N]) {
    if constexpr (K + 2 >= N)
        return c[K];
    else
        return mad(every_other<K + 2>(square, c), square, c[K]);
}

template <int K, class T, int N>
CROTON_MATHS_INLINE T one_by_one(T x, const T (&c)[N]) {
    if constexpr (K == N - 1)
        return c[K];
    else
        return mad(one_by_one<K + 1>(x, c), x, c[K]);
}

// c[0] + c[1] x + ... by Horner's rule; long ones in two interleaved chains over x^2, which take
// half the time from end to end for one more multiplication.
template <class T, int N>
CROTON_MATHS_INLINE T polynomial(T x, const T (&c)[N]) {
    if constexpr (N < 8) {
        return one_by_one<0>(x, c);
    } else {
        const T square = x * x;
        return mad(every_other<1>(square, c), x, every_other<0>(square, c));
    }
}

// 2^n as a number (n a two's complement integer), for n between the exponents of the least and the
// largest normal number.
template <class T>
CROTON_MATHS_INLINE T power_of_two(BitsOf<T> n) {
    return from_bits<T>((n + Format<T>::bias) << Format<T>::mantissa);
}

// The integer nearest to x, as a number and as an integer; |x| < 2^21 or x is NaN, and then `whole`
// is NaN and `integer` anything. Integers are unsigned and wrap, here and everywhere below.
template <class T>
struct Rounded {
    T whole;
    BitsOf<T> integer;
};

template <class T>
CROTON_MATHS_INLINE Rounded<T> round_from_shifted(T shifted) {
    constexpr T magic = Format<T>::round_magic;
    return {shifted - magic, to_bits(shifted) - to_bits(magic)};
}

// The integer nearest to a * b.
template <class T>
CROTON_MATHS_INLINE Rounded<T> round_product(T a, T b) {
    return round_from_shifted(mad(a, b, Format<T>::round_magic));
}

template <class T>
CROTON_MATHS_INLINE Rounded<T> round_nearest(T x) {
    return round_from_shifted(x + Format<T>::round_magic);
}

// A sum and what its rounding lost: head + rest is exactly the sum.
template <class T>
struct Pair {
    T head;
    T rest;
};

// For |a| >= |b| or a = 0.
template <class T>
CROTON_MATHS_INLINE Pair<T> fast_two_sum(T a, T b) {
    const T head = a + b;
    return {head, b - (head - a)};
}

template <class T>
CROTON_MATHS_INLINE Pair<T> two_sum(T a, T b) {
    const T head = a + b;
    const T b_seen = head - a;
    return {head, (a - (head - b_seen)) + (b - b_seen)};
}

// The upper half of the significand of x; x - upper_half(x) is exact, and so are products of two
// upper halves.
template <class T>
CROTON_MATHS_INLINE T upper_half(T x) {
    constexpr int dropped = sizeof(T) == 4 ? 12 : 27;
    return from_bits<T>(to_bits(x) & (~BitsOf<T>{0} << dropped));
}

// a * b and what its rounding lost, nearly exactly, with or without FMA; nothing may overflow.
template <class T>
CROTON_MATHS_INLINE Pair<T> two_product(T a, T b) {
    const T head = a * b, a_upper = upper_half(a), b_upper = upper_half(b);
    const T a_lower = a - a_upper, b_lower = b - b_upper;
    const T crossed = a_upper * b_lower + a_lower * b_upper;
    return {head, ((a_upper * b_upper - head) + crossed) + a_lower * b_lower};
}

}  // namespace croton::maths
