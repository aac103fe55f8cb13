#include "croton/backend/cpu/partial.hpp"

#include <cstring>
#include <type_traits>

#include "croton/kernel/scalar.hpp"

namespace croton::cpu {

using kernel::Combine;
namespace scalar = kernel::scalar;

namespace {
template <class T>
T folded(Combine combine, T total, T next) {
    if constexpr (scalar::Number<T>) {
        if (combine == Combine::Sum) return scalar::add(total, next);
        if (combine == Combine::Prod) return scalar::mul(total, next);
    }
    if constexpr (scalar::Ordered<T>) {
        if (combine == Combine::Max) return scalar::maximum(total, next);
        if (combine == Combine::Min) return scalar::minimum(total, next);
    }
    if constexpr (std::is_same_v<T, bool>) {
        if (combine == Combine::Any) return total || next;
        if (combine == Combine::All) return total && next;
    }
    return total;
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
            y = folded(combine, x, y);
        }
        std::memcpy(total.value, &y, sizeof y);
    });
}

}  // namespace croton::cpu
