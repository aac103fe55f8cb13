#pragma once
// Template bodies of array.hpp.
#include <cmath>
#include <cstring>
#include <limits>

#include "croton/type/array.hpp"

namespace croton {

namespace detail {
template <class T>
inline constexpr bool is_complex_type = false;
template <class T>
inline constexpr bool is_complex_type<std::complex<T>> = true;
template <class T>
inline constexpr bool is_half_type = std::is_same_v<T, Half> || std::is_same_v<T, BHalf>;
}  // namespace detail

template <class To, class From>
To convert_number(From value) {
    if constexpr (std::is_same_v<To, From>)
        return value;
    else if constexpr (detail::is_half_type<From>)
        return convert_number<To>(static_cast<float>(value));
    else if constexpr (std::is_same_v<To, bool>)
        return value != From(0);
    else if constexpr (detail::is_complex_type<To> && detail::is_complex_type<From>)
        return To(static_cast<typename To::value_type>(value.real()),
                  static_cast<typename To::value_type>(value.imag()));
    else if constexpr (detail::is_complex_type<To>)
        return To(convert_number<typename To::value_type>(value));
    else if constexpr (detail::is_complex_type<From>)
        return convert_number<To>(value.real());
    else if constexpr (detail::is_half_type<To>)
        return To(static_cast<float>(value));
    else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
        // Out-of-range conversion is undefined in C++; give the hardware's answer for 64 bits and
        // wrap from there, as NumPy does on x86.
        if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
            if (std::is_same_v<To, uint64_t> && value >= 0 && value < 18446744073709551616.0)
                return static_cast<To>(static_cast<uint64_t>(value));
            return static_cast<To>(std::numeric_limits<int64_t>::min());
        }
        return static_cast<To>(static_cast<int64_t>(value));
    } else
        return static_cast<To>(value);
}

template <class T>
Array Array::of(const std::vector<T>& values, Sizes shape) {
    if (element_count(shape) != static_cast<int64_t>(values.size()))
        fail(ErrorKind::Value, values.size(), " values do not fill an array of shape ",
             shape_text(shape));
    Array result = empty(dtype_of<T>(), std::move(shape));
    auto out = static_cast<T*>(result.data());
    for (size_t i = 0; i < values.size(); ++i) out[i] = values[i];
    return result;
}

template <class T>
T Array::at(const Sizes& index) const {
    if (static_cast<int>(index.size()) != rank())
        fail(ErrorKind::Index, index.size(), " indices for an array of rank ", rank());
    auto place = static_cast<const std::byte*>(data_);
    for (size_t i = 0; i < index.size(); ++i) {
        if (index[i] < 0 || index[i] >= shape_[i])
            fail(ErrorKind::Index, "index ", index[i], " is out of bounds for axis ", i,
                 " of size ", shape_[i]);
        place += index[i] * strides_[i];
    }
    return visit_dtype(dtype_, [&](auto tag) {
        decltype(tag) value;
        std::memcpy(&value, place, sizeof value);
        return convert_number<T>(value);
    });
}

template <class T>
T Array::item() const {
    if (size() != 1)
        fail(ErrorKind::Shape, "item() needs one element; the array has shape ",
             shape_text(shape_));
    return at<T>(Sizes(shape_.size(), 0));
}

template <class T>
std::vector<T> Array::to_vector() const {
    Array converted = cast(dtype_of<T>()).contiguous_copy();
    auto first = static_cast<const T*>(converted.data());
    return std::vector<T>(first, first + converted.size());
}

}  // namespace croton
