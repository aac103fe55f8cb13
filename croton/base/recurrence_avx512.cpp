// Compiled for AVX-512: nothing here may be shared with code for other machines.
#include "croton/base/recurrence_steps.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace croton {

double run_blocks(const Recurrence<double>& what, double h);
float run_blocks(const Recurrence<float>& what, float h);
double run_blocks(const Recurrence<float>& what, double h);

namespace {
constexpr int64_t block = 8;
// So many steps are taken one by one, where block after block would have been.
constexpr int64_t most_patience = 256;

template <class T>
__m512d load(const T* from, int64_t i, int64_t step) {
    if constexpr (sizeof(T) == 8)
        return step ? _mm512_loadu_pd(from + i) : _mm512_set1_pd(*from);
    else
        return step ? _mm512_cvtps_pd(_mm256_loadu_ps(from + i)) : _mm512_set1_pd(double(*from));
}

template <class T>
void store(T* to, __m512d x) {
    if constexpr (sizeof(T) == 8)
        _mm512_storeu_pd(to, x);
    else
        _mm256_storeu_ps(to, _mm512_cvtpd_ps(x));
}

// Lanes moved up by n; below them what `low` has.
template <int n>
__m512d up(__m512d x, __m512d low) {
    return _mm512_castsi512_pd(
        _mm512_mask_alignr_epi64(_mm512_castpd_si512(low), static_cast<__mmask8>(0xff << n),
                                 _mm512_castpd_si512(x), _mm512_castpd_si512(x), 8 - n));
}

// Lanes whose factor may be multiplied with others: at most 1, and not so small that eight of them
// could underflow.
__mmask8 tame(__m512d a) {
    __m512d size = _mm512_abs_pd(a), zero = _mm512_setzero_pd();
    __mmask8 small = _mm512_cmp_pd_mask(size, _mm512_set1_pd(1), _CMP_LE_OQ);
    __mmask8 large = _mm512_cmp_pd_mask(size, _mm512_set1_pd(0x1p-100), _CMP_GE_OQ);
    return static_cast<__mmask8>(small & (large | _mm512_cmp_pd_mask(size, zero, _CMP_EQ_OQ)));
}

// In T; NaN is not.
template <class T>
__mmask8 finite(__m512d x) {
    constexpr double most = sizeof(T) == 8 ? __DBL_MAX__ : double(__FLT_MAX__);
    return _mm512_cmp_pd_mask(_mm512_abs_pd(x), _mm512_set1_pd(most), _CMP_LE_OQ);
}

// Of eight steps: each lane's factor of what was before them, and what the steps add to it.
struct Steps8 {
    __m512d factor, sum;
};

template <int n>
Steps8 after(Steps8 s) {
    constexpr auto upper = static_cast<__mmask8>(0xff << n);
    __m512d moved = _mm512_mul_pd(s.factor, up<n>(s.sum, s.sum));
    return {_mm512_mul_pd(s.factor, up<n>(s.factor, _mm512_set1_pd(1))),
            _mm512_mask_add_pd(s.sum, upper, moved, s.sum)};
}

template <int n>
__m512d added(__m512d x) {
    return _mm512_add_pd(x, up<n>(x, _mm512_set1_pd(-0.0)));
}

// Products that may be multiplied with what was before them: neither huge nor tiny nor NaN, as H.
template <class H>
__mmask8 moderate(__m512d x) {
    constexpr double most = sizeof(H) == 8 ? 0x1p400 : 0x1p100;
    __m512d size = _mm512_abs_pd(x);
    return static_cast<__mmask8>(_mm512_cmp_pd_mask(size, _mm512_set1_pd(most), _CMP_LE_OQ) &
                                 _mm512_cmp_pd_mask(size, _mm512_set1_pd(1 / most), _CMP_GE_OQ));
}

template <int n>
__m512d multiplied(__m512d x) {
    return _mm512_mul_pd(x, up<n>(x, _mm512_set1_pd(1)));
}

enum class Kind { Sums, Products, Linear };

template <Kind kind, class T, class H>
H blocks(const Recurrence<T>& what, H h) {
    __m512d carry = _mm512_set1_pd(double(h));
    int64_t i = 0, patience = block;
    while (i + block <= what.steps) {
        __m512d made;
        __mmask8 good = 0xff;
        if constexpr (kind == Kind::Products) {
            __m512d products =
                multiplied<4>(multiplied<2>(multiplied<1>(load(what.a, i, what.a_step))));
            made = _mm512_mul_pd(carry, products);
            good = moderate<H>(products) & moderate<H>(made);
        } else if constexpr (kind == Kind::Linear) {
            __m512d a = load(what.a, i, what.a_step), b = load(what.b, i, what.b_step);
            good = tame(a);
            Steps8 s = after<4>(after<2>(after<1>({a, b})));
            made = _mm512_add_pd(_mm512_mul_pd(s.factor, carry), s.sum);
        } else {
            __m512d b = load(what.b, i, what.b_step);
            made = _mm512_add_pd(carry, added<4>(added<2>(added<1>(b))));
        }
        if (static_cast<__mmask8>(good & finite<T>(made)) != 0xff) {
            int64_t end = i + patience < what.steps ? i + patience : what.steps;
            h = recurrence_steps(what, i, end, static_cast<H>(_mm512_cvtsd_f64(carry)));
            carry = _mm512_set1_pd(double(h));
            i = end;
            if (patience < most_patience) patience *= 2;
            continue;
        }
        patience = block;
        if (what.out) store(what.out + i, made);
        carry = _mm512_permutexvar_pd(_mm512_set1_epi64(block - 1), made);
        i += block;
    }
    return recurrence_steps(what, i, what.steps, static_cast<H>(_mm512_cvtsd_f64(carry)));
}

template <class T, class H>
H run(const Recurrence<T>& what, H h) {
    if (!what.a) return blocks<Kind::Sums>(what, h);
    return what.b ? blocks<Kind::Linear>(what, h) : blocks<Kind::Products>(what, h);
}
}  // namespace

double run_blocks(const Recurrence<double>& what, double h) { return run(what, h); }
float run_blocks(const Recurrence<float>& what, float h) { return run(what, h); }
double run_blocks(const Recurrence<float>& what, double h) { return run(what, h); }

}  // namespace croton
#endif
