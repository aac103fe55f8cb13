// The exported functions: croton_<name>_f32 and croton_<name>_f64. See README.md for their errors.
#include "croton/backend/cpu/maths/maths.hpp"

#include "croton/backend/cpu/maths/exponential.hpp"
#include "croton/backend/cpu/maths/logarithm.hpp"
#include "croton/backend/cpu/maths/power.hpp"
#include "croton/backend/cpu/maths/trigonometric.hpp"

#define CROTON_MATHS_DEFINE_1(name)                                                    \
    extern "C" float croton_##name##_f32(float x) { return croton::maths::name(x); }   \
    extern "C" double croton_##name##_f64(double x) { return croton::maths::name(x); }

#define CROTON_MATHS_DEFINE_2(name)                                                             \
    extern "C" float croton_##name##_f32(float x, float y) { return croton::maths::name(x, y); } \
    extern "C" double croton_##name##_f64(double x, double y) { return croton::maths::name(x, y); }

CROTON_MATHS_UNARY(CROTON_MATHS_DEFINE_1)
CROTON_MATHS_BINARY(CROTON_MATHS_DEFINE_2)
