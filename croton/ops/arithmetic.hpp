#pragma once
// Elementwise arithmetic with NumPy's names, broadcasting and promotion.
#include <utility>

#include "croton/graph/variable.hpp"
#include "croton/ops/cast.hpp"

namespace croton {

/// Sum; of bools their logical or.
Variable add(Arg x, Arg y);
Variable sub(Arg x, Arg y);
/// Product; of bools their logical and.
Variable mul(Arg x, Arg y);
/// True division: integers give floatX.
Variable div(Arg x, Arg y);
/// Quotient rounded down; integers divided by zero give 0.
Variable floor_div(Arg x, Arg y);
/// Remainder with the sign of the divisor: x - floor_div(x, y) * y.
Variable mod(Arg x, Arg y);
/// Remainder with the sign of the dividend, as C's.
Variable fmod(Arg x, Arg y);
/// floor_div and mod.
std::pair<Variable, Variable> divmod(Arg x, Arg y);
/// Power. Integers with a negative integer exponent give 0 (bases 1 and -1 stay right); a plain
/// negative exponent for integers is a Value error, as in NumPy.
Variable pow(Arg x, Arg y);
Variable neg(Arg x);
Variable abs(Arg x);
/// -1, 0 or 1; NaN stays.
Variable sign(Arg x);
/// 1 / x, integers give floatX.
Variable reciprocal(Arg x);
/// x * x.
Variable sqr(Arg x);
Variable sqrt(Arg x);
Variable cbrt(Arg x);
/// The larger; NaN if either is NaN.
Variable maximum(Arg x, Arg y);
Variable minimum(Arg x, Arg y);
/// The larger; a NaN yields to a number.
Variable fmax(Arg x, Arg y);
Variable fmin(Arg x, Arg y);
/// Roundings; integers come back unchanged. rint goes to the nearest, ties to even;
/// round_half_away takes ties away from zero.
Variable floor(Arg x);
Variable ceil(Arg x);
Variable trunc(Arg x);
Variable rint(Arg x);
Variable round_half_away(Arg x);
/// sqrt(x^2 + y^2) without overflow.
Variable hypot(Arg x, Arg y);
/// |x| with the sign of y.
Variable copysign(Arg x, Arg y);
/// 0 for negative x, 1 for positive x, `middle` at zero.
Variable heaviside(Arg x, Arg middle);
/// The float32 or float64 number next to x in the direction of y.
Variable nextafter(Arg x, Arg y);
/// x * 2^n for whole n, rounded once; float32 and float64.
Variable ldexp(Arg x, Arg n);
/// (m, e) of x = m * 2^e with 0.5 <= |m| < 1 and int32 e; 0, infinities and NaN: (x, 0).
std::pair<Variable, Variable> frexp(Arg x);
Variable frexp_exponent(Arg x);
/// Distance from x to the next number away from zero, with the sign of x; float32 and float64.
Variable spacing(Arg x);
/// `value` broadcast with the sizes of `like`; the dtype is the value's.
Variable fill(Arg like, Arg value);

inline Variable operator+(Arg x, Arg y) { return add(x, y); }
inline Variable operator-(Arg x, Arg y) { return sub(x, y); }
inline Variable operator*(Arg x, Arg y) { return mul(x, y); }
inline Variable operator/(Arg x, Arg y) { return div(x, y); }
inline Variable operator%(Arg x, Arg y) { return mod(x, y); }
inline Variable operator-(Arg x) { return neg(x); }

}  // namespace croton
