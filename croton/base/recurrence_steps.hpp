#pragma once
// Step by step, for the sources recurrence*.cpp only. Static: each of them has a copy made for the
// instructions that it may use.
#include "croton/base/recurrence.hpp"

namespace croton {

template <class T>
static T recurrence_steps(const Recurrence<T>& what, int64_t first, int64_t last, T h) {
    for (int64_t i = first; i < last; ++i) {
        T scaled = what.a ? what.a[i * what.a_step] * h : h;
        h = scaled + what.b[i * what.b_step];
        if (what.out) what.out[i] = h;
    }
    return h;
}

}  // namespace croton
