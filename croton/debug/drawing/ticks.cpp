#include "croton/debug/drawing/ticks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "croton/base/format.hpp"

namespace croton::drawing {

namespace {
/// 1, 2 or 5 times a power of ten, close to `step`.
double nice_step(double step) {
    double power = std::pow(10.0, std::floor(std::log10(step)));
    double part = step / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

/// As many decimals as the step needs; powers of ten where numbers get long.
std::string linear_label(double value, double step, double largest) {
    if (largest >= 1e6 || step < 1e-5) {
        char text[32];
        int digits = std::max(0, static_cast<int>(std::floor(std::log10(largest)) -
                                                  std::floor(std::log10(step * 1.0001))));
        std::snprintf(text, sizeof text, "%.*e", digits, value);
        // 2.5e+06 reads better as 2.5e6.
        std::string shown = text, power = shown.substr(shown.find('e') + 1);
        return value == 0 ? "0" : cat(shown.substr(0, shown.find('e')), 'e', std::stoi(power));
    }
    int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", decimals, value + 0.0);
    return text;
}

void add_linear_ticks(Axis& axis, int wanted, bool tight) {
    auto& [low, high] = axis.range;
    double step = nice_step((high - low) / std::max(wanted, 1));
    if (!tight) {
        low = std::floor(low / step + 1e-9) * step;
        high = std::ceil(high / step - 1e-9) * step;
    }
    double largest = std::max(std::abs(low), std::abs(high));
    auto first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
    for (double i = first; i <= last; ++i)
        axis.ticks.push_back({i * step, linear_label(i * step, step, largest)});
}

std::string power_label(double value, int exponent) {
    if (exponent >= -3 && exponent <= 4) return number_text(value);
    double mantissa = std::round(value / std::pow(10.0, exponent));
    return cat(mantissa, 'e', exponent);
}

void add_log_ticks(Axis& axis, int wanted, bool tight) {
    auto& [low, high] = axis.range;
    double first = std::log10(low), last = std::log10(high);
    if (last - first < 0.5) {
        first -= 0.25;
        last += 0.25;
    }
    bool decades = last - first > 2.2;
    if (!tight && decades) {
        first = std::floor(first + 1e-9);
        last = std::ceil(last - 1e-9);
    }
    low = std::pow(10.0, first);
    high = std::pow(10.0, last);
    int stride = std::max(1, static_cast<int>(std::lround((last - first) / std::max(wanted, 1))));
    for (int power = static_cast<int>(std::floor(first)); power <= last + 1e-9; ++power)
        for (double digit : {1.0, 2.0, 5.0}) {
            if ((decades && digit != 1) || (decades && power % stride != 0)) continue;
            double value = digit * std::pow(10.0, power);
            if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
                axis.ticks.push_back({value, power_label(value, power)});
        }
}
}  // namespace

double Axis::place(double value) const {
    if (logarithmic) return std::log(value / range.low) / std::log(range.high / range.low);
    return (value - range.low) / (range.high - range.low);
}

Axis make_axis(Range data, bool logarithmic, int wanted, bool tight) {
    Axis axis{data, logarithmic, {}};
    if (data.high == data.low) {  // one value: show some room around it
        double room = logarithmic ? 0 : data.low == 0 ? 1 : std::abs(data.low) / 2;
        axis.range = {data.low - room, data.high + room};
    }
    if (logarithmic)
        add_log_ticks(axis, wanted, tight);
    else
        add_linear_ticks(axis, wanted, tight);
    return axis;
}

}  // namespace croton::drawing
