#include "croton/backend/cpu/partial.hpp"

#include <cstring>
#include <type_traits>

#include "croton/kernel/scalar.hpp"

namespace croton::cpu {

using kernel::Combine;
namespace scalar = kernel::scalar;

namespace {
// Calls use(f) with what folds two values.
template <class T, class Use>
void with_fold(Combine combine, Use use) {
    if constexpr (scalar::Number<T>) {
        if (combine == Combine::Sum) use([](T x, T y) { return scalar::add(x, y); });
        if (combine == Combine::Prod) use([](T x, T y) { return scalar::mul(x, y); });
    }
    if constexpr (scalar::Ordered<T>) {
        if (combine == Combine::Max) use([](T x, T y) { return scalar::maximum(x, y); });
        if (combine == Combine::Min) use([](T x, T y) { return scalar::minimum(x, y); });
    }
    if constexpr (std::is_same_v<T, bool>) {
        if (combine == Combine::Any) use([](T x, T y) { return x || y; });
        if (combine == Combine::All) use([](T x, T y) { return x && y; });
    }
}

template <class T>
bool is_better(Combine combine, T next, T best, bool earlier) {
    if constexpr (scalar::Ordered<T>) {
        bool next_nan = scalar::isnan_any(next), best_nan = scalar::isnan_any(best);
        if (next_nan != best_nan) return next_nan;
        if (next_nan || next == best) return earlier;
        return combine == Combine::ArgMax ? best < next : next < best;
    }
    return false;
}
}  // namespace

void fold_partial(Combine combine, DType state, Partial total, Partial next) {
    visit_dtype(state, [&](auto tag) {
        using T = decltype(tag);
        T x, y;
        std::memcpy(&x, total.value, sizeof x);
        std::memcpy(&y, next.value, sizeof y);
        if (total.position) {
            bool none = *next.position == INT64_MAX, first = *total.position == INT64_MAX;
            bool earlier = *next.position < *total.position;
            if (none || (!first && !is_better(combine, y, x, earlier))) return;
            *total.position = *next.position;
        } else {
            with_fold<T>(combine, [&](auto fold) { y = fold(x, y); });
        }
        std::memcpy(total.value, &y, sizeof y);
    });
}

void fold_rows(Combine combine, DType state, void* totals, const void* next, int64_t count) {
    visit_dtype(state, [&](auto tag) {
        using T = decltype(tag);
        auto* to = static_cast<T*>(totals);
        auto* from = static_cast<const T*>(next);
        with_fold<T>(combine, [&](auto fold) {
            for (int64_t i = 0; i < count; ++i) to[i] = fold(to[i], from[i]);
        });
    });
}

// Halves are folded into each other: the order follows from the number of lanes.
void fold_lanes(Combine combine, DType state, void* values, int64_t rows, int64_t lanes) {
    visit_dtype(state, [&](auto tag) {
        using T = decltype(tag);
        auto* all = static_cast<T*>(values);
        with_fold<T>(combine, [&](auto fold) {
            for (int64_t row = 0; row < rows; ++row) {
                T* own = all + row * lanes;
                for (int64_t left = lanes; left > 1; left = (left + 1) / 2)
                    for (int64_t i = (left + 1) / 2, k = 0; i < left; ++i, ++k)
                        own[k] = fold(own[k], own[i]);
                all[row] = own[0];
            }
        });
    });
}

namespace {
template <class To, class From>
void store_row(const char* from, int64_t from_step, char* to, int64_t to_step, int64_t count) {
    using Value = std::conditional_t<detail::is_half_type<To>, float, To>;
    for (int64_t i = 0; i < count; ++i, from += from_step, to += to_step) {
        From folded;
        std::memcpy(&folded, from, sizeof folded);
        auto stored = convert_number<To>(convert_number<Value>(folded));
        std::memcpy(to, &stored, sizeof stored);
    }
}
}  // namespace

void store_folded(DType state, const char* from, int64_t from_step, DType dtype, char* to,
                  int64_t to_step, int64_t count) {
    visit_dtype(dtype, [&](auto tag) {
        using To = decltype(tag);
        using Value = std::conditional_t<detail::is_half_type<To>, float, To>;
        if constexpr (std::is_same_v<Value, float>)
            if (state == DType::Float64)
                return store_row<To, double>(from, from_step, to, to_step, count);
        if constexpr (std::is_same_v<Value, std::complex<float>>)
            if (state == DType::Complex128)
                return store_row<To, std::complex<double>>(from, from_step, to, to_step, count);
        store_row<To, Value>(from, from_step, to, to_step, count);
    });
}

}  // namespace croton::cpu
