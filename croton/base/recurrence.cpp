#include "croton/base/recurrence.hpp"

#include "croton/base/recurrence_steps.hpp"

namespace croton {

double run_blocks(const Recurrence<double>& what, double h);  // recurrence_avx512.cpp
float run_blocks(const Recurrence<float>& what, float h);
double run_blocks(const Recurrence<float>& what, double h);

namespace {
// Narrower vectors gain nothing: what they shuffle costs as much as they save.
bool has_blocks() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

template <class T, class H>
H run(const Recurrence<T>& what, H h) {
    static const bool blocks = has_blocks();
#if defined(__x86_64__)
    if (blocks) return run_blocks(what, h);
#endif
    return recurrence_steps(what, 0, what.steps, h);
}
}  // namespace

double run_recurrence(const Recurrence<double>& what, double h) { return run(what, h); }
float run_recurrence(const Recurrence<float>& what, float h) { return run(what, h); }
double run_recurrence(const Recurrence<float>& what, double h) { return run(what, h); }

}  // namespace croton
