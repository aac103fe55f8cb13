// The grid of pictures.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "croton/debug/drawing/panels.hpp"

namespace croton::drawing {

namespace {
constexpr double caption_size = 11, caption_height = 16, scale_height = 34, scale_width = 180;

Range range_of(const double* first, const double* last, ColourMap map) {
    Range range{INFINITY, -INFINITY};
    for (; first != last; ++first)
        if (std::isfinite(*first)) {
            range.low = std::min(range.low, *first);
            range.high = std::max(range.high, *first);
        }
    if (range.low > range.high) return {0, 1};
    if (map == ColourMap::Diverging) {
        double largest = std::max(std::abs(range.low), std::abs(range.high));
        return largest == 0 ? Range{-1, 1} : Range{-largest, largest};
    }
    if (range.low == range.high) return {range.low, range.low + 1};
    return range;
}

/// Sizes of the grid's cells and pictures, as large as the box allows.
struct Grid {
    int columns, rows;
    double cell_width, cell_height, gap;
    double width, height;  ///< of a picture
};

Grid make_grid(const Box& box, const Array& images, int columns, bool captions) {
    int count = static_cast<int>(images.shape(0));
    Grid grid{};
    grid.columns = std::min(columns, std::max(count, 1));
    grid.rows = (count + grid.columns - 1) / grid.columns;
    double below = captions ? caption_height : 0;
    double tall = static_cast<double>(images.shape(1)), wide = static_cast<double>(images.shape(2));
    grid.gap = captions ? 10 : 4;
    double room_x = (box.width - grid.gap * (grid.columns - 1)) / grid.columns;
    double room_y = (box.height - grid.gap * (grid.rows - 1)) / grid.rows - below;
    double scale = std::max(1e-3, std::min(room_x / wide, room_y / tall));
    // Whole pixels a picture element look even; below 2 to 1 the loss of size would be too much.
    if (scale >= 2) scale = std::floor(scale);
    grid.width = wide * scale;
    grid.height = tall * scale;
    // Captions may need more room than the pictures, if there is some.
    grid.cell_width = captions ? room_x + grid.gap : grid.width + grid.gap;
    grid.cell_height = grid.height + below + grid.gap;
    return grid;
}

Pixels colour_image(const double* first, int width, int height, ColourMap map, Range range) {
    Pixels pixels(width, height);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            pixels.at(x, y) =
                map_colour(map, (first[y * width + x] - range.low) / (range.high - range.low));
    return pixels;
}

/// Three digits are enough to read a colour by.
std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value + 0.0);
    return text;
}

/// A bar of the map's colours with its numbers, at the top of `box`.
void draw_scale(Canvas& canvas, const Box& box, ColourMap map, Range range) {
    Pixels bar(96, 1);
    for (int x = 0; x < bar.width; ++x) bar.at(x, 0) = map_colour(map, x / (bar.width - 1.0));
    double width = std::min(scale_width, box.width);
    Box place{box.x, std::round(box.y + 8), width, 9};
    canvas.image(place, bar);
    TextStyle style{.size = caption_size, .colour = faded};
    auto label = [&](double part, Anchor anchor) {
        style.anchor = anchor;
        canvas.text({place.x + part * width, place.bottom() + 14},
                    short_number(range.low + part * (range.high - range.low)), style);
    };
    label(0, Anchor::Start);
    if (map == ColourMap::Diverging) label(0.5, Anchor::Middle);
    label(1, Anchor::End);
}
}  // namespace

void draw_images(Canvas& canvas, Box box, const std::string& title, const Array& images,
                 int columns, const std::vector<std::string>& captions,
                 const ImageOptions& options) {
    box = draw_title(canvas, box, title);
    int count = static_cast<int>(images.shape(0)), height = static_cast<int>(images.shape(1)),
        width = static_cast<int>(images.shape(2));
    if (images.size() == 0) return;
    auto first = images.data_as<double>();
    int64_t each = int64_t{height} * width;
    Range all =
        options.range ? *options.range : range_of(first, first + images.size(), options.colours);
    Box room = box;
    if (options.scale) room.height = std::max(1.0, room.height - scale_height);
    Grid grid = make_grid(room, images, columns, !captions.empty());
    for (int i = 0; i < count; ++i) {
        const double* image = first + i * each;
        Range range = options.each_own_range && !options.range
                          ? range_of(image, image + each, options.colours)
                          : all;
        int row = i / grid.columns, column = i % grid.columns;
        double x = box.x + column * grid.cell_width, y = box.y + row * grid.cell_height;
        double indent = captions.empty() ? 0 : (grid.cell_width - grid.gap - grid.width) / 2;
        canvas.image({std::round(x + indent), std::round(y), grid.width, grid.height},
                     colour_image(image, width, height, options.colours, range));
        auto place = static_cast<size_t>(i);
        if (place >= captions.size()) continue;
        bool marked = place < options.marked.size() && options.marked[place];
        canvas.text(
            {x + (grid.cell_width - grid.gap) / 2, y + grid.height + 13},
            fitted(captions[place], grid.cell_width - 2, caption_size),
            {.size = caption_size, .anchor = Anchor::Middle, .colour = marked ? alarm : ink});
    }
    if (!options.scale) return;
    double used = grid.rows * grid.cell_height;
    draw_scale(canvas, {box.x, box.y + used, box.width, scale_height}, options.colours, all);
}

}  // namespace croton::drawing
