#pragma once
// Step by step, for the sources recurrence*.cpp only. Static: each of them has a copy made for the
// instructions that it may use.
#include "croton/base/recurrence.hpp"

namespace croton {

/// H: what h is kept in.
template <class T, class H>
static H recurrence_steps(const Recurrence<T>& what, int64_t first, int64_t last, H h) {
    for (int64_t i = first; i < last; ++i) {
        if (what.a) h = static_cast<H>(what.a[i * what.a_step]) * h;
        if (what.b) h = h + static_cast<H>(what.b[i * what.b_step]);
        if (what.out) what.out[i] = static_cast<T>(h);
    }
    return h;
}

}  // namespace croton
