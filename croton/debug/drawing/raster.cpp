// Pixels with smooth edges: each stroke's coverage is collected in a mask first, so that strokes
// that cross themselves do not darken twice.
#include <algorithm>
#include <cmath>

#include "croton/debug/drawing/canvas.hpp"

namespace croton::drawing {

namespace {
double distance_to_segment(Point p, Point a, Point b) {
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length == 0 ? 0 : std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0., 1.);
    return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

class RasterCanvas : public Canvas {
  public:
    RasterCanvas(int width, int height)
        : pixels_(width, height), mask_(pixels_.colours.size(), 0.0f) {}

    void fill(const Box& box, Colour colour, double opacity) override {
        int x0, x1, y0, y1;
        clip(box.x, box.right(), pixels_.width, x0, x1);
        clip(box.y, box.bottom(), pixels_.height, y0, y1);
        for (int y = y0; y < y1; ++y)
            for (int x = x0; x < x1; ++x) {
                double across = std::min(box.right(), x + 1.0) - std::max(box.x, double(x));
                double down = std::min(box.bottom(), y + 1.0) - std::max(box.y, double(y));
                blend(x, y, colour, opacity * across * down);
            }
    }

    void line(const Path& path, Colour colour, double width) override {
        cover(path, width);
        paint(colour);
    }

    void dot(Point centre, double radius, Colour colour) override {
        cover({centre, centre}, 2 * radius);
        paint(colour);
    }

    void text(Point place, std::string_view text, const TextStyle& style) override {
        double along = text_width(text, style.size);
        double shift = style.anchor == Anchor::Start    ? 0
                       : style.anchor == Anchor::Middle ? along / 2
                                                        : along;
        for (Path& stroke : text_strokes(text, style.size)) {
            for (Point& p : stroke) {
                p.x -= shift;
                p = style.upwards ? Point{place.x + p.y, place.y - p.x}
                                  : Point{place.x + p.x, place.y + p.y};
            }
            cover(stroke, style.size * (style.bold ? 0.125 : 0.085));
        }
        paint(style.colour);
    }

    void image(const Box& box, const Pixels& source) override {
        int x0, x1, y0, y1;
        clip(std::round(box.x), std::round(box.right()), pixels_.width, x0, x1);
        clip(std::round(box.y), std::round(box.bottom()), pixels_.height, y0, y1);
        for (int y = y0; y < y1; ++y)
            for (int x = x0; x < x1; ++x)
                pixels_.at(x, y) = source.at(place(x, box.x, box.width, source.width),
                                             place(y, box.y, box.height, source.height));
    }

    std::string finish() const override { return encode_png(pixels_); }

  private:
    static void clip(double low, double high, int limit, int& first, int& end) {
        first = static_cast<int>(std::clamp(std::floor(low), 0.0, double(limit)));
        end = static_cast<int>(std::clamp(std::ceil(high), 0.0, double(limit)));
    }
    static int place(int pixel, double start, double length, int count) {
        double part = (pixel + 0.5 - std::round(start)) / std::max(1.0, std::round(length));
        return std::clamp(static_cast<int>(part * count), 0, count - 1);
    }
    void blend(int x, int y, Colour colour, double part) {
        Colour& old = pixels_.at(x, y);
        auto mix = [part](uint8_t under, uint8_t over) {
            return static_cast<uint8_t>(std::lround(under + (over - under) * part));
        };
        old = {mix(old.red, colour.red), mix(old.green, colour.green), mix(old.blue, colour.blue)};
    }
    /// Raises the mask along a stroke with round ends.
    void cover(const Path& path, double width) {
        for (size_t i = 0; i + 1 < path.size(); ++i) cover_segment(path[i], path[i + 1], width);
    }
    void cover_segment(Point a, Point b, double width) {
        double reach = width / 2 + 1;
        int x0, x1, y0, y1;
        clip(std::min(a.x, b.x) - reach, std::max(a.x, b.x) + reach, pixels_.width, x0, x1);
        clip(std::min(a.y, b.y) - reach, std::max(a.y, b.y) + reach, pixels_.height, y0, y1);
        if (x0 >= x1 || y0 >= y1) return;
        left_ = std::min(left_, x0);
        right_ = std::max(right_, x1);
        top_ = std::min(top_, y0);
        bottom_ = std::max(bottom_, y1);
        for (int y = y0; y < y1; ++y)
            for (int x = x0; x < x1; ++x) {
                double distance = distance_to_segment({x + 0.5, y + 0.5}, a, b);
                auto part = std::clamp(width / 2 + 0.5 - distance, 0.0, std::min(1.0, width));
                float& mask = mask_[mask_place(x, y)];
                mask = std::max(mask, static_cast<float>(part));
            }
    }
    void paint(Colour colour) {
        for (int y = top_; y < bottom_; ++y)
            for (int x = left_; x < right_; ++x) {
                float& mask = mask_[mask_place(x, y)];
                if (mask > 0) blend(x, y, colour, mask);
                mask = 0;
            }
        left_ = top_ = 1 << 30;
        right_ = bottom_ = 0;
    }
    size_t mask_place(int x, int y) const {
        return static_cast<size_t>(y) * static_cast<size_t>(pixels_.width) + static_cast<size_t>(x);
    }

    Pixels pixels_;
    std::vector<float> mask_;
    int left_ = 1 << 30, top_ = 1 << 30, right_ = 0, bottom_ = 0;
};
}  // namespace

std::unique_ptr<Canvas> png_canvas(int width, int height) {
    return std::make_unique<RasterCanvas>(width, height);
}

}  // namespace croton::drawing
