#pragma once
// Small text helpers: concatenation, joining, shapes.
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace croton {

/// Concatenates the parts as operator<< prints them.
template <class... Parts>
std::string cat(const Parts&... parts) {
    // Of texts alone, which most are: a stream costs ten times as much as what it would join.
    if constexpr ((std::is_convertible_v<const Parts&, std::string_view> && ...)) {
        std::string all;
        all.reserve((std::string_view(parts).size() + ... + 0));
        (all.append(std::string_view(parts)), ...);
        return all;
    } else {
        std::ostringstream out;
        (out << ... << parts);
        return out.str();
    }
}

/// "a, b, c" from a range; `show` turns an element into something printable.
template <class Range, class Show>
std::string join(const Range& range, std::string_view separator, Show show) {
    std::ostringstream out;
    bool first = true;
    for (const auto& item : range) {
        if (!first) out << separator;
        first = false;
        out << show(item);
    }
    return out.str();
}

template <class Range>
std::string join(const Range& range, std::string_view separator = ", ") {
    return join(range, separator, [](const auto& item) -> const auto& { return item; });
}

/// Sizes as NumPy shows them: "(3, 4)", "(3,)", "()".
inline std::string shape_text(std::span<const int64_t> shape) {
    return cat("(", join(shape), shape.size() == 1 ? ",)" : ")");
}

/// The shortest decimal text that reads back as the same double ("0.1", "1e-30", "inf", "nan").
std::string number_text(double value);
/// The same for a float.
std::string number_text(float value);

}  // namespace croton
