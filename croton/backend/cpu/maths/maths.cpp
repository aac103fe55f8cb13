// The exported functions: croton_<name>_f32 and croton_<name>_f64. See README.md for their errors.
#include "croton/backend/cpu/maths/maths.hpp"

#include "croton/backend/cpu/maths/error_function.hpp"
#include "croton/backend/cpu/maths/exponential.hpp"
#include "croton/backend/cpu/maths/gamma.hpp"
#include "croton/backend/cpu/maths/hyperbolic.hpp"
#include "croton/backend/cpu/maths/inverse.hpp"
#include "croton/backend/cpu/maths/logarithm.hpp"
#include "croton/backend/cpu/maths/modulo.hpp"
#include "croton/backend/cpu/maths/power.hpp"
#include "croton/backend/cpu/maths/roots.hpp"
#include "croton/backend/cpu/maths/trigonometric.hpp"

// In the bitcode they are alwaysinline; g++, which builds them for tests only, has no use for that.
#if defined(__clang__)
#define CROTON_MATHS_EXPORT extern "C" [[gnu::always_inline]]
#else
#define CROTON_MATHS_EXPORT extern "C"
#endif

#define CROTON_MATHS_DEFINE_1(name)                                     \
    CROTON_MATHS_EXPORT float CROTON_MATHS_NAME(name, f32)(float x) {   \
        return croton::maths::name(x);                                  \
    }                                                                   \
    CROTON_MATHS_EXPORT double CROTON_MATHS_NAME(name, f64)(double x) { \
        return croton::maths::name(x);                                  \
    }

#define CROTON_MATHS_DEFINE_2(name)                                               \
    CROTON_MATHS_EXPORT float CROTON_MATHS_NAME(name, f32)(float x, float y) {    \
        return croton::maths::name(x, y);                                         \
    }                                                                             \
    CROTON_MATHS_EXPORT double CROTON_MATHS_NAME(name, f64)(double x, double y) { \
        return croton::maths::name(x, y);                                         \
    }

CROTON_MATHS_UNARY(CROTON_MATHS_DEFINE_1)
CROTON_MATHS_NEAR(CROTON_MATHS_DEFINE_1)
CROTON_MATHS_BINARY(CROTON_MATHS_DEFINE_2)
