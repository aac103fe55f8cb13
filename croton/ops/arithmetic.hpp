#pragma once
// Elementwise arithmetic with NumPy's broadcasting and promotion.
#include "croton/graph/variable.hpp"

namespace croton {

Variable add(Arg x, Arg y);
Variable sub(Arg x, Arg y);
Variable mul(Arg x, Arg y);
/// True division: integers give floats.
Variable div(Arg x, Arg y);
Variable neg(Arg x);
/// Converts the dtype as NumPy's astype.
Variable cast(Arg x, DType dtype);

inline Variable operator+(Arg x, Arg y) { return add(x, y); }
inline Variable operator-(Arg x, Arg y) { return sub(x, y); }
inline Variable operator*(Arg x, Arg y) { return mul(x, y); }
inline Variable operator/(Arg x, Arg y) { return div(x, y); }
inline Variable operator-(Arg x) { return neg(x); }

}  // namespace croton
