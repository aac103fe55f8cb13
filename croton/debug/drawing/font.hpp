#pragma once
// Letters of our own drawing for pictures made of pixels: strokes, so that they stay smooth at any
// size. ASCII only; other characters are drawn as a box.
#include <string_view>
#include <vector>

namespace croton::drawing {

struct Point {
    double x = 0, y = 0;
};
using Path = std::vector<Point>;

/// Strokes of a text of that size (pixels of an em) whose baseline starts at (0, 0); y grows
/// downwards. Capitals are 0.7 em high.
std::vector<Path> text_strokes(std::string_view text, double size);
/// Width of the same text. Good enough for other sans-serif fonts, too.
double text_width(std::string_view text, double size);

}  // namespace croton::drawing
