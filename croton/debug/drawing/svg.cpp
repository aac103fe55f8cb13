#include <cmath>

#include "croton/base/format.hpp"
#include "croton/debug/drawing/canvas.hpp"

namespace croton::drawing {

namespace {
/// At most two decimals: a hundredth of a pixel is not seen.
std::string coordinate(double value) { return number_text(std::round(value * 100) / 100 + 0.0); }

std::string colour_text(Colour c) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "#";
    for (uint8_t part : {c.red, c.green, c.blue}) {
        out += digits[part >> 4];
        out += digits[part & 15];
    }
    return out;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default:
                // XML has no control characters, not even written as numbers.
                out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
        }
    }
    return out;
}

std::string base64(std::string_view bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; ++k)
            group =
                group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
        for (size_t k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
    }
    return out;
}

class SvgCanvas : public Canvas {
  public:
    SvgCanvas(int width, int height) {
        out_ = cat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"",
                   height, "\" viewBox=\"0 0 ", width, ' ', height,
                   "\" font-family=\"Inter, 'Helvetica Neue', Arial, sans-serif\">\n");
        fill({0, 0, double(width), double(height)}, white, 1);
    }

    void fill(const Box& box, Colour colour, double opacity) override {
        out_ += cat("<rect", frame(box), " fill=\"", colour_text(colour), '"');
        if (opacity < 1) out_ += cat(" fill-opacity=\"", number_text(opacity), '"');
        out_ += "/>\n";
    }

    void line(const Path& path, Colour colour, double width) override {
        out_ +=
            cat("<polyline fill=\"none\" stroke=\"", colour_text(colour), "\" stroke-width=\"",
                coordinate(width),
                "\" stroke-linejoin=\"round\" stroke-linecap=\"round\" "
                "points=\"",
                join(path, " ", [](Point p) { return cat(coordinate(p.x), ',', coordinate(p.y)); }),
                "\"/>\n");
    }

    void dot(Point centre, double radius, Colour colour) override {
        out_ += cat("<circle cx=\"", coordinate(centre.x), "\" cy=\"", coordinate(centre.y),
                    "\" r=\"", coordinate(radius), "\" fill=\"", colour_text(colour), "\"/>\n");
    }

    void text(Point place, std::string_view text, const TextStyle& style) override {
        static constexpr std::string_view anchors[] = {"start", "middle", "end"};
        out_ += cat("<text x=\"", coordinate(place.x), "\" y=\"", coordinate(place.y),
                    "\" font-size=\"", coordinate(style.size), "\" text-anchor=\"",
                    anchors[static_cast<int>(style.anchor)], "\" fill=\"",
                    colour_text(style.colour), '"');
        if (style.bold) out_ += " font-weight=\"600\"";
        if (style.upwards)
            out_ += cat(" transform=\"rotate(-90 ", coordinate(place.x), ' ', coordinate(place.y),
                        ")\"");
        out_ += cat('>', escaped(text), "</text>\n");
    }

    void image(const Box& box, const Pixels& pixels) override {
        out_ += cat("<image", frame(box),
                    " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
                    "href=\"data:image/png;base64,",
                    base64(encode_png(pixels)), "\"/>\n");
    }

    std::string finish() const override { return out_ + "</svg>\n"; }

  private:
    static std::string frame(const Box& box) {
        return cat(" x=\"", coordinate(box.x), "\" y=\"", coordinate(box.y), "\" width=\"",
                   coordinate(box.width), "\" height=\"", coordinate(box.height), '"');
    }
    std::string out_;
};
}  // namespace

std::unique_ptr<Canvas> svg_canvas(int width, int height) {
    return std::make_unique<SvgCanvas>(width, height);
}

}  // namespace croton::drawing
