#include "croton/debug/drawing/figure.hpp"

#include <algorithm>
#include <cmath>

#include "croton/base/file.hpp"
#include "croton/debug/drawing/panels.hpp"

namespace croton {

using namespace drawing;

Figure::Figure(int width, int height, int columns)
    : width_(width), height_(height), columns_(columns) {
    if (std::min(width, height) < 16 || std::max(width, height) > 20000)
        fail(ErrorKind::Value, "a figure of ", width, " x ", height,
             " pixels; each side may have 16 to 20000");
    if (columns < 0) fail(ErrorKind::Value, "a figure cannot have ", columns, " columns of panels");
}

Figure& Figure::lines(std::string title, std::vector<Series> series, LineOptions options) {
    for (const Series& line : series)
        if (!line.x.empty() && line.x.size() != line.y.size())
            fail(ErrorKind::Shape, "series '", line.name, "' of chart '", title, "' has ",
                 line.x.size(), " x values and ", line.y.size(), " y values");
    panels_.push_back(
        [title = std::move(title), series = std::move(series), options = std::move(options)](
            Canvas& canvas, const Box& box) { draw_lines(canvas, box, title, series, options); });
    return *this;
}

Figure& Figure::images(std::string title, const Array& images, int columns,
                       std::vector<std::string> captions, ImageOptions options) {
    if (images.rank() != 3)
        fail(ErrorKind::Shape, "pictures '", title,
             "' need an array of shape (n, height, width), "
             "not ",
             shape_text(images.shape()));
    if (is_complex(images.dtype()))
        fail(ErrorKind::Type, "pictures '", title, "' cannot show complex numbers");
    if (columns < 1)
        fail(ErrorKind::Value, "pictures '", title, "' need one column or more, not ", columns);
    panels_.push_back([title = std::move(title), own = images.cast(DType::Float64).copy(), columns,
                       captions = std::move(captions),
                       options = std::move(options)](Canvas& canvas, const Box& box) {
        draw_images(canvas, box, title, own, columns, captions, options);
    });
    return *this;
}

namespace {
/// The number of columns that makes panels most like a page of 4 to 3.
int choose_columns(int panels, double width, double height) {
    int best = 1;
    double best_distance = INFINITY;
    for (int columns = 1; columns <= panels; ++columns) {
        int rows = (panels + columns - 1) / columns;
        double ratio = (width / columns) / (height / rows) / (4.0 / 3.0);
        double empty = static_cast<double>(rows * columns) / panels;
        double distance = std::abs(std::log(ratio)) + std::log(empty);
        if (distance < best_distance) {
            best = columns;
            best_distance = distance;
        }
    }
    return best;
}

constexpr double page_margin = 14, panel_gap = 22;
}  // namespace

std::string drawing::fitted(const std::string& text, double width, double size) {
    if (text_width(text, size) <= width) return text;
    std::string cut = text;
    auto inside_character = [&] { return (static_cast<unsigned char>(cut.back()) & 0xc0) == 0x80; };
    while (!cut.empty() && text_width(cut + "..", size) > width) {
        while (inside_character()) cut.pop_back();
        cut.pop_back();
    }
    return cut + "..";
}

void Figure::draw(Canvas& canvas) const {
    if (panels_.empty()) return;
    int count = static_cast<int>(panels_.size());
    int columns = std::min(columns_ ? columns_ : choose_columns(count, width_, height_), count);
    int rows = (count + columns - 1) / columns;
    double width = (width_ - 2 * page_margin - (columns - 1) * panel_gap) / columns;
    double height = (height_ - 2 * page_margin - (rows - 1) * panel_gap) / rows;
    for (int i = 0; i < count; ++i) {
        int row = i / columns, column = i % columns;
        panels_[static_cast<size_t>(i)](canvas,
                                        {page_margin + column * (width + panel_gap),
                                         page_margin + row * (height + panel_gap), width, height});
    }
}

std::string Figure::svg() const {
    auto canvas = svg_canvas(width_, height_);
    draw(*canvas);
    return canvas->finish();
}

std::string Figure::png() const {
    auto canvas = png_canvas(width_, height_);
    draw(*canvas);
    return canvas->finish();
}

void Figure::save(const std::filesystem::path& path) const {
    auto ending = path.extension();
    if (ending != ".svg" && ending != ".png")
        fail(ErrorKind::Value, "a figure is saved as .svg or .png, not as ", path.string());
    write_file(path, ending == ".svg" ? svg() : png());
}

}  // namespace croton
