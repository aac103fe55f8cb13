#include "croton/base/format.hpp"

#include <charconv>
#include <cmath>

namespace croton {

namespace {
template <class Real>
std::string shortest(Real value) {
    if (std::isnan(value)) return std::signbit(value) ? "-nan" : "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    char text[40];
    auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return std::string(text, end);
}
}  // namespace

std::string number_text(double value) { return shortest(value); }
std::string number_text(float value) { return shortest(value); }

}  // namespace croton
