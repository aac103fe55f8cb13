// Names of the vector maths functions, for tests and for tables of intrinsics: each NAME below
// exists as croton_NAME_f32 and croton_NAME_f64, in maths.bc and in maths.cpp.
#pragma once

// clang-format off
// One argument.
#define CROTON_MATHS_UNARY(X)                                                                   \
    X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(asin)       \
    X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(sigmoid) X(softplus)   \
    X(erf) X(erfc) X(erfinv) X(cbrt) X(lgamma) X(digamma)

// sin, cos and tan where |x| <= near_angle_f32 or near_angle_f64, several times faster; anything
// beyond.
#define CROTON_MATHS_NEAR(X) X(near_sin) X(near_cos) X(near_tan)

// Two arguments: atan2(y, x), pow(x, y), hypot, fmod (sign of x), floor_mod (sign of y).
#define CROTON_MATHS_BINARY(X) X(atan2) X(pow) X(hypot) X(fmod) X(floor_mod)
// clang-format on

// Another suffix makes a second set, for tests of other compilations.
#ifndef CROTON_MATHS_SUFFIX
#define CROTON_MATHS_SUFFIX
#endif
#define CROTON_MATHS_JOIN_(name, type, suffix) croton_##name##_##type##suffix
#define CROTON_MATHS_JOIN(name, type, suffix) CROTON_MATHS_JOIN_(name, type, suffix)
#define CROTON_MATHS_NAME(name, type) CROTON_MATHS_JOIN(name, type, CROTON_MATHS_SUFFIX)

#define CROTON_MATHS_DECLARE_1(name)             \
    float CROTON_MATHS_NAME(name, f32)(float x); \
    double CROTON_MATHS_NAME(name, f64)(double x);

#define CROTON_MATHS_DECLARE_2(name)                      \
    float CROTON_MATHS_NAME(name, f32)(float x, float y); \
    double CROTON_MATHS_NAME(name, f64)(double x, double y);

extern "C" {
CROTON_MATHS_UNARY(CROTON_MATHS_DECLARE_1)
CROTON_MATHS_NEAR(CROTON_MATHS_DECLARE_1)
CROTON_MATHS_BINARY(CROTON_MATHS_DECLARE_2)
}

namespace croton::maths {
constexpr float near_angle_f32 = 0x1p22f;
constexpr double near_angle_f64 = 0x1p20;
}  // namespace croton::maths
