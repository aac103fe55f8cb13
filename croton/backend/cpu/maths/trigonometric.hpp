// sin, cos and tan, for angles of every size.
//
// |x| / (2 pi) is formed in integers, from as many binary digits of 1/(2 pi) as the exponent of x
// asks for, modulo 1: the fraction of a turn, exact enough for the x that come closest to a
// multiple of pi/2 (2^-30 for float, 2^-61 for double). Angles below 3/4
// are their own remainder. Lanes of a vector cannot branch, so there are also functions for small
// angles alone: whoever widens them can ask whether all lanes are small.
#pragma once

#include <utility>

#include "croton/backend/cpu/maths/coefficients.hpp"
#include "croton/backend/cpu/maths/real.hpp"

namespace croton::maths {

// The unsigned integer as a double, exactly.
CROTON_MATHS_INLINE double from_low_half(uint64_t word) {
    return from_bits<double>((word & 0xffffffffu) | to_bits(0x1p52)) - 0x1p52;
}

// The upper 32 bits, as a signed integer.
CROTON_MATHS_INLINE double from_high_half(uint64_t word) {
    return from_bits<double>((word >> 32 ^ 0x80000000u) | to_bits(0x1p52)) - (0x1p52 + 0x1p31);
}

// 64 bits of the fraction of a turn and, for double, 64 more.
struct Turn {
    uint64_t head;
    uint64_t rest;
};

// For 1/2 <= a < infinity.
CROTON_MATHS_INLINE Turn turn_of(float a) {
    constexpr auto& z = turn_words_32;
    // One binade below 1 is reached by not doubling the significand; the table starts at 1.
    const bool below_one = a < 1.0f;
    const uint32_t bits = to_bits(a), t = choose(below_one, 0u, (bits >> 23) - 127), s = t & 31;
    const uint64_t significand = ((bits & 0x7fffffu) | 0x800000u) << choose(below_one, 0u, 1u);
    // 96 binary digits from the t-th on.
    const bool by_two = (t & 64) != 0, by_one = (t & 32) != 0;
    const uint32_t y0 = choose(by_two, z[2], z[0]), y1 = choose(by_two, z[3], z[1]),
                   y2 = choose(by_two, z[4], z[2]), y3 = choose(by_two, z[5], z[3]),
                   y4 = choose(by_two, z[6], z[4]);
    const uint32_t w0 = choose(by_one, y1, y0), w1 = choose(by_one, y2, y1),
                   w2 = choose(by_one, y3, y2), w3 = choose(by_one, y4, y3);
    const uint32_t d0 = w0 << s | w1 >> 1 >> (31 - s), d1 = w1 << s | w2 >> 1 >> (31 - s),
                   d2 = w2 << s | w3 >> 1 >> (31 - s);
    const uint64_t high = static_cast<uint64_t>(static_cast<uint32_t>(significand) * d0) << 32;
    return {high + significand * d1 + (significand * d2 >> 32), 0};
}

template <int N>
struct Words {
    uint64_t word[N];
};

// The first `Count` words, or those from the `Step`-th on.
template <int Step, int N, int... I>
CROTON_MATHS_INLINE Words<sizeof...(I)> stepped(bool forward, const uint64_t (&z)[N],
                                                std::integer_sequence<int, I...>) {
    // Where there is no word so far ahead, none will be asked for.
    return {{choose(forward, z[I + Step < N ? I + Step : I], z[I])...}};
}

template <int Count, int Step, int N>
CROTON_MATHS_INLINE Words<Count> step(bool forward, const uint64_t (&z)[N]) {
    return stepped<Step>(forward, z, std::make_integer_sequence<int, Count>{});
}

// The upper 64 bits of high : low << s, s < 64.
CROTON_MATHS_INLINE uint64_t funnel(uint64_t high, uint64_t low, uint64_t s) {
    return high << s | low >> 1 >> (63 - s);
}

CROTON_MATHS_INLINE Turn turn_of(double a) {
    const uint64_t bits = to_bits(a), t = (bits >> 52) - 1018, s = t & 63;
    const uint64_t significand = (bits & 0xfffffffffffffu) | 0x10000000000000u;
    // 192 binary digits from the t-th on, found by halving steps: gathers would cost as much, and
    // loops with loads of their own are harder to widen.
    const auto by_1024 = step<19, 16>((t & 1024) != 0, turn_words_64);
    const auto by_512 = step<11, 8>((t & 512) != 0, by_1024.word);
    const auto by_256 = step<7, 4>((t & 256) != 0, by_512.word);
    const auto by_128 = step<5, 2>((t & 128) != 0, by_256.word);
    const auto from = step<4, 1>((t & 64) != 0, by_128.word);
    const uint64_t w0 = funnel(from.word[0], from.word[1], s),
                   w1 = funnel(from.word[1], from.word[2], s),
                   w2 = funnel(from.word[2], from.word[3], s);
    constexpr uint64_t low = 0xffffffffu;
    const uint64_t m0 = significand & low, m1 = significand >> 32;
    const uint64_t a0 = w0 >> 32, a1 = w0 & low, a2 = w1 >> 32, a3 = w1 & low, a4 = w2 >> 32,
                   a5 = w2 & low;
    // Products of 32-bit digits by columns, from the least significant on.
    const uint64_t p01 = m0 * a1, p02 = m0 * a2, p03 = m0 * a3, p12 = m1 * a2, p13 = m1 * a3,
                   p14 = m1 * a4;
    const uint64_t c3 = (m0 * a4 >> 32) + (p03 & low) + (p14 & low) + (m1 * a5 >> 32);
    const uint64_t c2 = (c3 >> 32) + (p03 >> 32) + (p02 & low) + (p14 >> 32) + (p13 & low);
    const uint64_t c1 = (c2 >> 32) + (p02 >> 32) + (p01 & low) + (p13 >> 32) + (p12 & low);
    const uint64_t c0 = (c1 >> 32) + (p01 >> 32) + m0 * a0 + (p12 >> 32) + m1 * a1;
    return {c0 << 32 | (c1 & low), c2 << 32 | (c3 & low)};
}

// pi times the fraction, taken as a signed number in [-1/2, 1/2).
CROTON_MATHS_INLINE float half_turns(Turn fraction, float) {
    const double value = mad(from_high_half(fraction.head), 0x1p32, from_low_half(fraction.head));
    return static_cast<float>(value * (Coefficients<double>::pi_head * 0x1p-64));
}

CROTON_MATHS_INLINE double half_turns(Turn fraction, double) {
    using C = Coefficients<double>;
    // By sign and magnitude, for the digits must not cancel (one's complement: 2^-128 off).
    const uint64_t negative = uint64_t{0} - (fraction.head >> 63);
    const Turn size{fraction.head ^ negative, fraction.rest ^ negative};
    const double head = from_low_half(size.head >> 32) * 0x1p-32;
    const double tail = mad(mad(from_low_half(size.rest >> 32), 0x1p-32, from_low_half(size.head)),
                            0x1p-64, from_low_half(size.rest) * 0x1p-128);
    const double angle =
        mad(head, C::pi_short_head, mad(head, C::pi_short_rest, tail * C::pi_head));
    return flip_sign(angle, negative << 63);
}

CROTON_MATHS_INLINE Turn doubled(Turn turn) {
    return {turn.head << 1 | turn.rest >> 63, turn.rest << 1};
}

// x less the nearest multiple of pi/2, |r| <= pi/4, and which multiple, modulo 4, in the top bits.
template <class T>
struct Remainder {
    T r;
    uint64_t quadrant;
};

constexpr uint64_t eighth_turn = uint64_t{1} << 61, quarter_turn = uint64_t{1} << 62;

// For every a >= 0; what has no remainder gives anything.
template <class T>
CROTON_MATHS_INLINE Remainder<T> remainder_of(T a) {
    const bool small = a < T(0.75);
    const Turn turn = turn_of(choose(small, T{1}, a));
    const T r = half_turns(doubled(doubled(turn)), T{}) * T{0.5};
    return {choose(small, a, r), choose(small, uint64_t{0}, turn.head + eighth_turn)};
}

// The same for 0 <= a <= near_angle (maths.hpp), by subtracting parts of pi/2 times an integer.
CROTON_MATHS_INLINE Remainder<float> near_remainder_of(float a) {
    using C = Coefficients<double>;
    const double wide = static_cast<double>(a);
    const auto n = round_product(wide, C::two_over_pi);
    // Two parts are 66 bits; the first product is exact, its difference too.
    const double r = mad(n.whole, -C::pi_2_parts[1], mad(n.whole, -C::pi_2_parts[0], wide));
    return {static_cast<float>(r), n.integer << 62};
}

// Every product but the last is exact, and so is the first difference. Others may cancel: what they
// lose is kept.
CROTON_MATHS_INLINE Remainder<double> near_remainder_of(double a) {
    constexpr auto& part = Coefficients<double>::pi_2_parts;
    const auto n = round_product(a, Coefficients<double>::two_over_pi);
    const double first = mad(n.whole, -part[0], a);
    const auto second = two_sum(first, -(n.whole * part[1]));
    const auto third = two_sum(second.head, -(n.whole * part[2]));
    const double rest = mad(n.whole, -part[3], second.rest + third.rest);
    return {third.head + rest, n.integer << 62};
}

template <class T>
CROTON_MATHS_INLINE T sin_of_remainder(T r, T z) {
    return mad(r * z, polynomial(z, Coefficients<T>::sin), r);
}

template <class T>
CROTON_MATHS_INLINE T cos_of_remainder(T z) {
    return mad(z * z, polynomial(z, Coefficients<T>::cos), T{1} - T{0.5} * z);
}

template <class T>
CROTON_MATHS_INLINE BitsOf<T> top_bit(uint64_t word) {
    return static_cast<BitsOf<T>>(word >> 63) << (8 * sizeof(T) - 1);
}

template <class T>
CROTON_MATHS_INLINE T finite_or_nan(T x, T result) {
    return choose(absolute(x) < Format<T>::infinity, result, Format<T>::nan);
}

// The sine of the quadrant's angle.
template <class T>
CROTON_MATHS_INLINE T sine(T r, uint64_t quadrant) {
    const T z = r * r, of_sine = sin_of_remainder(r, z), of_cosine = cos_of_remainder(z);
    const bool odd = static_cast<int64_t>(quadrant << 1) < 0;
    return flip_sign(choose(odd, of_cosine, of_sine), top_bit<T>(quadrant));
}

template <class T>
CROTON_MATHS_INLINE T sin(T x) {
    const auto remainder = remainder_of(absolute(x));
    return finite_or_nan(x, flip_sign(sine(remainder.r, remainder.quadrant), sign_bit(x)));
}

template <class T>
CROTON_MATHS_INLINE T cos(T x) {
    const auto remainder = remainder_of(absolute(x));
    return finite_or_nan(x, sine(remainder.r, remainder.quadrant + quarter_turn));
}

// A polynomial for the tangent itself is shorter in float; in double sine over cosine is.
CROTON_MATHS_INLINE Pair<float> tangent(float r) {
    const float z = r * r;
    return {mad(r * z, polynomial(z, Coefficients<float>::tan), r), 1.0f};
}

CROTON_MATHS_INLINE Pair<double> tangent(double r) {
    const double z = r * r;
    return {sin_of_remainder(r, z), cos_of_remainder(z)};
}

template <class T>
CROTON_MATHS_INLINE T tangent_of(Remainder<T> remainder) {
    const auto [over, under] = tangent(remainder.r);
    const bool odd = static_cast<int64_t>(remainder.quadrant << 1) < 0;
    return choose(odd, -under, over) / choose(odd, over, under);
}

template <class T>
CROTON_MATHS_INLINE T tan(T x) {
    const T result = tangent_of(remainder_of(absolute(x)));
    return finite_or_nan(x, flip_sign(result, sign_bit(x)));
}

// For |x| <= near_angle only, several times faster.
template <class T>
CROTON_MATHS_INLINE T near_sin(T x) {
    const auto remainder = near_remainder_of(absolute(x));
    return flip_sign(sine(remainder.r, remainder.quadrant), sign_bit(x));
}

template <class T>
CROTON_MATHS_INLINE T near_cos(T x) {
    const auto remainder = near_remainder_of(absolute(x));
    return sine(remainder.r, remainder.quadrant + quarter_turn);
}

template <class T>
CROTON_MATHS_INLINE T near_tan(T x) {
    const auto remainder = near_remainder_of(absolute(x));
    return flip_sign(tangent_of(remainder), sign_bit(x));
}

}  // namespace croton::maths
