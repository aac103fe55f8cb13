// Names of the vector maths functions, for tests and for tables of intrinsics: each NAME below
// exists as croton_NAME_f32 and croton_NAME_f64, in maths.bc and in maths.cpp.
#pragma once

// One argument.
#define CROTON_MATHS_UNARY(X) \
    X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(tanh) \
    X(sigmoid) X(softplus)

// Two arguments.
#define CROTON_MATHS_BINARY(X) X(pow)

#define CROTON_MATHS_DECLARE_1(name)      \
    float croton_##name##_f32(float x);   \
    double croton_##name##_f64(double x);

#define CROTON_MATHS_DECLARE_2(name)                \
    float croton_##name##_f32(float x, float y);    \
    double croton_##name##_f64(double x, double y);

extern "C" {
CROTON_MATHS_UNARY(CROTON_MATHS_DECLARE_1)
CROTON_MATHS_BINARY(CROTON_MATHS_DECLARE_2)
}
