#include "croton/graph/literal.hpp"

#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "croton/graph/attrs.hpp"

namespace croton::text {

namespace {
template <class Real>
using BitsOf = std::conditional_t<sizeof(Real) == 8, uint64_t, uint32_t>;

// What "nan" reads back as; every other NaN shows its bits.
template <class Real>
bool usual_nan(Real value) {
    auto bits = std::bit_cast<BitsOf<Real>>(value);
    return bits == std::bit_cast<BitsOf<Real>>(std::numeric_limits<Real>::quiet_NaN());
}

std::string hex(uint64_t value) {
    char digits[20];
    auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    return std::string(digits, end);
}

template <class Real>
std::string real_text(Real value) {
    if (std::isnan(value))
        return usual_nan(value) ? "nan" : "nan:" + hex(std::bit_cast<BitsOf<Real>>(value));
    std::string text = number_text(value);
    bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
    return whole ? text + ".0" : text;
}

template <class T>
std::string text_of(T value) {
    if constexpr (std::is_same_v<T, bool>)
        return value ? "true" : "false";
    else if constexpr (std::is_integral_v<T>)
        return std::to_string(value);
    else if constexpr (std::is_floating_point_v<T>)
        return real_text(value);
    else if constexpr (requires { value.bits; }) {
        auto wide = static_cast<float>(value);
        return std::isnan(wide) ? "nan:" + hex(value.bits) : real_text(wide);
    } else
        return "(" + real_text(value.real()) + "," + real_text(value.imag()) + ")";
}

template <class Number>
bool read_whole(std::string_view text, Number& value, int base = 10) {
    auto last = text.data() + text.size();
    auto [end, code] = std::from_chars(text.data(), last, value, base);
    return code == std::errc() && end == last && !text.empty();
}

template <class Real>
bool read_real(std::string_view text, Real& value) {
    if (text.starts_with("nan:")) {
        BitsOf<Real> bits = 0;
        if (!read_whole(text.substr(4), bits, 16)) return false;
        value = std::bit_cast<Real>(bits);
        return std::isnan(value);
    }
    if (text == "nan") {
        value = std::numeric_limits<Real>::quiet_NaN();
        return true;
    }
    auto last = text.data() + text.size();
    auto [end, code] = std::from_chars(text.data(), last, value);
    return code == std::errc() && end == last && !text.empty();
}

template <class T>
bool read(std::string_view text, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        value = text == "true";
        return value || text == "false";
    } else if constexpr (std::is_integral_v<T>) {
        return read_whole(text, value);
    } else if constexpr (std::is_floating_point_v<T>) {
        return read_real(text, value);
    } else if constexpr (requires { value.bits; }) {
        if (text.starts_with("nan:")) return read_whole(text.substr(4), value.bits, 16);
        float wide = 0;
        if (!read_real(text, wide)) return false;
        value = T(wide);
        return true;
    } else {
        using Part = typename T::value_type;
        Part real = 0, imag = 0;
        if (text.size() < 2 || text.front() != '(' || text.back() != ')')
            return read_real(text, real) && (value = T(real), true);
        auto comma = text.find(',');
        if (comma == std::string_view::npos) return false;
        auto second = text.substr(comma + 1, text.size() - comma - 2);
        if (!read_real(text.substr(1, comma - 1), real) || !read_real(second, imag)) return false;
        value = T(real, imag);
        return true;
    }
}
}  // namespace

std::string element_text(DType dtype, const void* data, int64_t index) {
    return visit_dtype(
        dtype, [&](auto tag) { return text_of(static_cast<const decltype(tag)*>(data)[index]); });
}

bool parse_element(std::string_view text, DType dtype, void* data, int64_t index) {
    return visit_dtype(
        dtype, [&](auto tag) { return read(text, static_cast<decltype(tag)*>(data)[index]); });
}

int lists_opened(const Sizes& shape, int64_t index) {
    int opened = 0;
    int64_t block = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
        block *= shape[axis];
        if (index % block != 0) break;
        ++opened;
    }
    return opened;
}

std::string array_text(const Array& array) {
    Array flat = array.contiguous_copy();
    if (flat.size() == 0) return "[]";
    std::string text;
    for (int64_t i = 0; i < flat.size(); ++i) {
        auto opened = static_cast<size_t>(lists_opened(flat.shape(), i));
        if (i > 0) text += std::string(opened, ']') + ',';
        text += std::string(opened, '[') + element_text(flat.dtype(), flat.data(), i);
    }
    return text + std::string(static_cast<size_t>(flat.rank()), ']');
}

namespace {
constexpr std::string_view digits64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto values64 = [] {
    std::array<int16_t, 256> table{};
    table.fill(-1);
    for (size_t i = 0; i < digits64.size(); ++i)
        table[static_cast<unsigned char>(digits64[i])] = static_cast<int16_t>(i);
    return table;
}();
}  // namespace

std::string base64_of(const Array& array) {
    Array flat = array.contiguous_copy();
    auto bytes = static_cast<const unsigned char*>(flat.data());
    auto count = static_cast<size_t>(flat.nbytes());
    std::string text;
    text.reserve((count + 2) / 3 * 4);
    for (size_t i = 0; i < count; i += 3) {
        size_t here = std::min<size_t>(3, count - i);
        uint32_t group = 0;
        for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < here ? bytes[i + k] : 0u);
        for (size_t k = 0; k < 4; ++k)
            text += k <= here ? digits64[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

bool parse_base64(std::string_view text, const Array& array) {
    auto count = static_cast<size_t>(array.nbytes());
    if (text.size() != (count + 2) / 3 * 4) return false;
    auto bytes = static_cast<unsigned char*>(array.data());
    for (size_t i = 0; i < count; i += 3) {
        size_t here = std::min<size_t>(3, count - i);
        uint32_t group = 0;
        for (size_t k = 0; k < 4; ++k) {
            char c = text[i / 3 * 4 + k];
            int value = values64[static_cast<unsigned char>(c)];
            if (k <= here ? value < 0 : c != '=') return false;
            group = group << 6 | (k <= here ? static_cast<uint32_t>(value) : 0u);
        }
        for (size_t k = 0; k < here; ++k)
            bytes[i + k] = static_cast<unsigned char>(group >> (16 - 8 * k));
    }
    return true;
}

std::string quoted(std::string_view text) { return attr_text(std::string(text)); }

bool is_name(std::string_view text) {
    if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0]))) return false;
    for (char c : text)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
    return true;
}

}  // namespace croton::text
