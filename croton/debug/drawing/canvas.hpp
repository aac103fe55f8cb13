#pragma once
// What a figure is drawn on: one interface, made into SVG text or into pixels.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "croton/debug/drawing/colour.hpp"
#include "croton/debug/drawing/font.hpp"

namespace croton::drawing {

struct Box {
    double x = 0, y = 0, width = 0, height = 0;
    double right() const { return x + width; }
    double bottom() const { return y + height; }
};

/// RGB pixels, rows from the top.
struct Pixels {
    int width = 0, height = 0;
    std::vector<Colour> colours;
    Pixels(int w, int h, Colour fill = white)
        : width(w), height(h), colours(static_cast<size_t>(w) * static_cast<size_t>(h), fill) {}
    Colour& at(int x, int y) {
        return colours[static_cast<size_t>(y) * static_cast<size_t>(width) +
                       static_cast<size_t>(x)];
    }
    Colour at(int x, int y) const { return const_cast<Pixels*>(this)->at(x, y); }
};

enum class Anchor { Start, Middle, End };

struct TextStyle {
    double size = 12;
    Anchor anchor = Anchor::Start;
    Colour colour = ink;
    bool bold = false;
    bool upwards = false;  ///< turned by a quarter, reading from bottom to top
};

/// Units are pixels; y grows downwards.
class Canvas {
  public:
    virtual ~Canvas() = default;
    virtual void fill(const Box& box, Colour colour, double opacity = 1) = 0;
    virtual void line(const Path& path, Colour colour, double width) = 0;
    virtual void dot(Point centre, double radius, Colour colour) = 0;
    /// `place` is on the text's baseline, where the anchor says.
    virtual void text(Point place, std::string_view text, const TextStyle& style) = 0;
    /// Pixels as sharp squares that fill the box.
    virtual void image(const Box& box, const Pixels& pixels) = 0;
    /// The finished file.
    virtual std::string finish() const = 0;
};

std::unique_ptr<Canvas> svg_canvas(int width, int height);
std::unique_ptr<Canvas> png_canvas(int width, int height);

/// A PNG file (8-bit RGB) of the pixels. Source: PNG specification, second edition (ISO 15948).
std::string encode_png(const Pixels& pixels);

}  // namespace croton::drawing
