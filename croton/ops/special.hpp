#pragma once
// Elementwise functions of analysis. Integers and bool give floats (floating_result of their
// dtype).
#include "croton/graph/variable.hpp"

namespace croton {

Variable exp(Arg x);
Variable exp2(Arg x);
Variable log(Arg x);
Variable log2(Arg x);
Variable log10(Arg x);
/// exp(x) - 1 and log(1 + x), accurate near 0.
Variable expm1(Arg x);
Variable log1p(Arg x);
/// Angles are in radians.
Variable sin(Arg x);
Variable cos(Arg x);
Variable tan(Arg x);
Variable arcsin(Arg x);
Variable arccos(Arg x);
Variable arctan(Arg x);
Variable sinh(Arg x);
Variable cosh(Arg x);
Variable tanh(Arg x);
Variable arcsinh(Arg x);
Variable arccosh(Arg x);
Variable arctanh(Arg x);
/// 1 / (1 + exp(-x)) and log(1 + exp(x)), without overflow.
Variable sigmoid(Arg x);
Variable softplus(Arg x);
/// Error function and its complement, each accurate where it is small.
Variable erf(Arg x);
Variable erfc(Arg x);
/// Angle of the point (x, y); y comes first, as in C and NumPy.
Variable arctan2(Arg y, Arg x);
Variable deg2rad(Arg x);
Variable rad2deg(Arg x);
/// log(exp(x) + exp(y)), without overflow.
Variable logaddexp(Arg x, Arg y);
/// sin(pi x) / (pi x), and 1 at 0.
Variable sinc(Arg x);

}  // namespace croton
