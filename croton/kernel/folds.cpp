#include "croton/kernel/folds.hpp"

#include <limits>

#include "croton/kernel/scalar.hpp"

namespace croton::kernel {

namespace {
template <class T>
struct WideOf : std::type_identity<T> {};
template <>
struct WideOf<float> : std::type_identity<double> {};
template <>
struct WideOf<std::complex<float>> : std::type_identity<std::complex<double>> {};

template <class T, auto combine>
Fold plain_fold(auto start) {
    using Wide = typename WideOf<T>::type;
    return {
        start,
        [](Total& total, const Slot& value, int64_t) {
            total.value.set(combine(total.value.get<Wide>(), Wide(value.get<T>())));
        },
        [](const Total& total, Slot& out) { out.set(convert_number<T>(total.value.get<Wide>())); }};
}

template <class T, auto better>
Fold position_fold() {
    return {[](Total& total) { total.position = -1; },
            [](Total& total, const Slot& value, int64_t position) {
                T next = value.get<T>(), best = total.value.get<T>();
                bool first_nan = scalar::isnan_any(next) && !scalar::isnan_any(best);
                if (total.position >= 0 && !better(next, best) && !first_nan) return;
                total = {value, position};
            },
            [](const Total& total, Slot& out) {
                out.set(total.position < 0 ? int64_t{0} : total.position);  // 0 for no elements
            }};
}

template <class T>
constexpr T lowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                          : std::numeric_limits<T>::lowest();
template <class T>
constexpr T highest = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::max();

template <class T>
Fold typed_fold(Combine combine) {
    using Wide = typename WideOf<T>::type;
    if constexpr (scalar::Number<T>) {
        if (combine == Combine::Sum)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::add(x, y); }>(
                [](Total& total) { total.value.set(Wide(0)); });
        if (combine == Combine::Prod)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::mul(x, y); }>(
                [](Total& total) { total.value.set(Wide(1)); });
    }
    if constexpr (scalar::Ordered<T>) {
        if (combine == Combine::Max)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::maximum(x, y); }>(
                [](Total& total) { total.value.set(lowest<Wide>); });
        if (combine == Combine::Min)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::minimum(x, y); }>(
                [](Total& total) { total.value.set(highest<Wide>); });
        if (combine == Combine::ArgMax)
            return position_fold<T, [](T next, T best) { return best < next; }>();
        if (combine == Combine::ArgMin)
            return position_fold<T, [](T next, T best) { return next < best; }>();
    }
    if constexpr (std::is_same_v<T, bool>) {
        if (combine == Combine::Any)
            return plain_fold<T, [](bool x, bool y) { return x || y; }>(
                [](Total& total) { total.value.set(false); });
        if (combine == Combine::All)
            return plain_fold<T, [](bool x, bool y) { return x && y; }>(
                [](Total& total) { total.value.set(true); });
    }
    return {};
}
}  // namespace

Slot constant_of(const Instruction& i) {
    Slot slot;
    visit_dtype(i.dtype, [&](auto tag) {
        using T = decltype(tag);
        if constexpr (scalar::Continuous<T>)
            slot.set(convert_number<T>(i.number));
        else if constexpr (scalar::Bits<T>)
            slot.set(static_cast<T>(i.integer));
    });
    return slot;
}

Fold fold_of(Combine combine, DType dtype) {
    return visit_dtype(dtype, [&](auto t) { return typed_fold<decltype(t)>(combine); });
}

bool takes(Combine combine, DType dtype) { return fold_of(combine, dtype).add != nullptr; }

}  // namespace croton::kernel
