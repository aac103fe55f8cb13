#pragma once
// The two kinds of panel; internal to drawing.
#include "croton/debug/drawing/figure.hpp"

namespace croton::drawing {

/// The text, with its end left out where it is too wide.
std::string fitted(const std::string& text, double width, double size);

/// Writes the title into the top of `box` and returns what is left below it.
Box draw_title(Canvas& canvas, const Box& box, const std::string& title);

void draw_lines(Canvas& canvas, Box box, const std::string& title,
                const std::vector<Series>& series, const LineOptions& options);

/// `images` is contiguous float64 of shape (n, height, width).
void draw_images(Canvas& canvas, Box box, const std::string& title, const Array& images,
                 int columns, const std::vector<std::string>& captions,
                 const ImageOptions& options);

}  // namespace croton::drawing
