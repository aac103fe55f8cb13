#pragma once
// Colours, and how numbers become colours.
#include <cstdint>

namespace croton::drawing {

struct Colour {
    uint8_t red = 0, green = 0, blue = 0;
    friend bool operator==(Colour, Colour) = default;
};

inline constexpr Colour white{255, 255, 255}, ink{38, 44, 53}, faded{110, 118, 129},
    rule{226, 230, 235}, alarm{200, 45, 40};

/// Colour of the n-th line of a chart; distinguishable for most colour-blind readers.
Colour line_colour(int n);

enum class ColourMap {
    Grey,       ///< lowest value black, highest white
    Paper,      ///< lowest value white, highest black
    Diverging,  ///< blue below zero, white at zero, red above
    Heat,       ///< dark violet to yellow, growing in lightness all the way
};

/// Colour of `t` in 0..1 (clamped; Diverging has its zero at 0.5). NaN is a pink that no map has.
Colour map_colour(ColourMap map, double t);

}  // namespace croton::drawing
