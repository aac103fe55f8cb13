#include "croton/debug/drawing/colour.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace croton::drawing {

namespace {
constexpr Colour line_colours[] = {{31, 99, 180},  {220, 95, 20},  {20, 140, 95},  {195, 55, 110},
                                   {120, 85, 190}, {150, 110, 20}, {45, 165, 190}, {90, 98, 110}};

// Stops at equal distances, chosen so that lightness changes evenly.
constexpr Colour greys[] = {{0, 0, 0}, {255, 255, 255}};
constexpr Colour papers[] = {{255, 255, 255}, {0, 0, 0}};
constexpr Colour diverging[] = {{14, 52, 112},   {38, 104, 176},  {120, 172, 214},
                                {206, 226, 240}, {250, 250, 250}, {248, 216, 200},
                                {230, 142, 112}, {188, 56, 52},   {112, 10, 34}};
constexpr Colour heats[] = {{24, 10, 58},  {72, 18, 106},  {134, 32, 104}, {194, 54, 80},
                            {234, 98, 48}, {250, 160, 36}, {252, 228, 130}};

std::span<const Colour> stops(ColourMap map) {
    switch (map) {
        case ColourMap::Grey: return greys;
        case ColourMap::Paper: return papers;
        case ColourMap::Diverging: return diverging;
        case ColourMap::Heat: break;
    }
    return heats;
}

uint8_t between(uint8_t a, uint8_t b, double t) {
    return static_cast<uint8_t>(std::lround(a + (b - a) * t));
}
}  // namespace

Colour line_colour(int n) { return line_colours[static_cast<size_t>(n) % std::size(line_colours)]; }

Colour map_colour(ColourMap map, double t) {
    if (std::isnan(t)) return {255, 0, 200};
    auto all = stops(map);
    double place = std::clamp(t, 0.0, 1.0) * static_cast<double>(all.size() - 1);
    size_t low = std::min(static_cast<size_t>(place), all.size() - 2);
    Colour a = all[low], b = all[low + 1];
    double part = place - static_cast<double>(low);
    return {between(a.red, b.red, part), between(a.green, b.green, part),
            between(a.blue, b.blue, part)};
}

}  // namespace croton::drawing
