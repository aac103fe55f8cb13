// The vector maths once more, for machines with FMA, as croton_NAME_f32_fma and
// croton_NAME_f64_fma: llvm.fmuladd is one rounding there and two elsewhere, and both must keep the
// bounds.
#include <cstdint>
#include <utility>

#define CROTON_MATHS_SUFFIX _fma
#define CROTON_MATHS_FMA
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "croton/backend/cpu/maths/maths.cpp"
#if defined(__clang__)
#pragma clang attribute pop
#endif
