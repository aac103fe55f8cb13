#pragma once
// Charts and picture grids, saved as SVG or PNG without any other program.
//
//     Figure figure(900, 360);
//     figure.lines("Training", {{"loss", losses}, {"test loss", test_x, test_losses}},
//                  {.x_label = "step", .y_log = true});
//     figure.images("First layer", weights, 10, {}, {.colours = ColourMap::Diverging});
//     figure.save("training.png");
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "croton/debug/drawing/canvas.hpp"
#include "croton/debug/drawing/ticks.hpp"
#include "croton/type/array.hpp"

namespace croton {

using drawing::ColourMap;

/// One line of a chart. NaN and infinite values (and, on a logarithmic axis, those not above zero)
/// leave a gap.
struct Series {
    std::string name;       ///< for the legend; empty: not in it
    std::vector<double> x;  ///< empty: 0, 1, 2, ...
    std::vector<double> y;
    bool dots = false;  ///< marks at the points

    Series(std::string name, std::vector<double> y) : name(std::move(name)), y(std::move(y)) {}
    Series(std::string name, std::vector<double> x, std::vector<double> y, bool dots = false)
        : name(std::move(name)), x(std::move(x)), y(std::move(y)), dots(dots) {}
};

struct LineOptions {
    std::string x_label, y_label;
    bool x_log = false, y_log = false;
    std::optional<drawing::Range> y_range = {};  ///< of the axis; default: what the data need
};

struct ImageOptions {
    ColourMap colours = ColourMap::Grey;
    /// Values of the map's two ends; default: the lowest and highest of all images (for Diverging:
    /// minus and plus the largest magnitude).
    std::optional<drawing::Range> range = {};
    bool each_own_range = false;  ///< the default range is taken of each image by itself
    std::vector<bool> marked;     ///< images whose caption is red
    bool scale = false;           ///< a bar that shows which colour means what
};

/// A page of panels, laid out in the order they are added.
class Figure {
  public:
    /// Size in pixels, 16 to 20000 each (Value error otherwise). Panels stand in `columns` columns;
    /// 0 chooses.
    explicit Figure(int width, int height, int columns = 0);

    /// A line chart. Shape error if a series' x and y differ in length.
    Figure& lines(std::string title, std::vector<Series> series, LineOptions options = {});
    /// Images of an array (n, height, width) of any real dtype, row by row. Captions go below the
    /// images, as many as are given. Shape error for other ranks.
    Figure& images(std::string title, const Array& images, int columns,
                   std::vector<std::string> captions = {}, ImageOptions options = {});

    /// Writes ".svg" or ".png" by the path's ending (Value error for others; Io errors name path
    /// and reason).
    void save(const std::filesystem::path& path) const;
    std::string svg() const;
    std::string png() const;

  private:
    using Panel = std::function<void(drawing::Canvas&, const drawing::Box&)>;
    void draw(drawing::Canvas& canvas) const;

    int width_, height_, columns_;
    std::vector<Panel> panels_;
};

}  // namespace croton
