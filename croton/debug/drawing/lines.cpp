// The line chart: axes from the data, a grid, the lines, a legend where it hides least.
#include <algorithm>
#include <array>
#include <cmath>

#include "croton/debug/drawing/panels.hpp"

namespace croton::drawing {

namespace {
constexpr double title_size = 15, label_size = 12, tick_size = 11, line_width = 1.6;
constexpr double legend_row = 17, legend_sample = 18, legend_pad = 7;

double x_of(const Series& series, size_t i) {
    return series.x.empty() ? static_cast<double>(i) : series.x[i];
}

/// Whether a value can be shown on an axis. The bound keeps differences of two values finite.
bool shows(double value, bool logarithmic) {
    return std::abs(value) <= 1e300 && (!logarithmic || value > 0);
}

/// Half a pixel away from whole ones: a line of one pixel is then sharp.
double sharp(double value) { return std::floor(value) + 0.5; }

struct Chart {
    Canvas& canvas;
    const std::vector<Series>& series;
    const LineOptions& options;
    Axis x, y;
    Box plot;

    Point place(double px, double py) const {
        return {plot.x + x.place(px) * plot.width, plot.bottom() - y.place(py) * plot.height};
    }
    bool shows_point(const Series& line, size_t i) const {
        return shows(x_of(line, i), options.x_log) && shows(line.y[i], options.y_log);
    }
};

struct DataRange {
    Range x{INFINITY, -INFINITY}, y{INFINITY, -INFINITY};
};

void widen(Range& range, double value) {
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
}

DataRange data_range(const Chart& chart) {
    DataRange range;
    for (const Series& line : chart.series)
        for (size_t i = 0; i < line.y.size(); ++i)
            if (chart.shows_point(line, i)) {
                widen(range.x, x_of(line, i));
                widen(range.y, line.y[i]);
            }
    for (auto [axis, log] :
         {std::pair{&range.x, chart.options.x_log}, std::pair{&range.y, chart.options.y_log}})
        if (axis->low > axis->high) *axis = log ? Range{1, 10} : Range{0, 1};
    if (chart.options.y_range) range.y = *chart.options.y_range;
    return range;
}

/// Room for the labels decides the plot; the plot's size decides the number of labels.
void lay_out(Chart& chart, const Box& box) {
    DataRange range = data_range(chart);
    double below = 24 + (chart.options.x_label.empty() ? 0 : 18);
    double height = std::max(1.0, box.height - below - 6);
    chart.y = make_axis(range.y, chart.options.y_log, std::max(2, static_cast<int>(height / 44)),
                        chart.options.y_range.has_value());
    double widest = 0;
    for (const Tick& tick : chart.y.ticks)
        widest = std::max(widest, text_width(tick.label, tick_size));
    double left = widest + 12 + (chart.options.y_label.empty() ? 0 : 20);
    double width = std::max(1.0, box.width - left - 12);
    chart.x =
        make_axis(range.x, chart.options.x_log, std::max(2, static_cast<int>(width / 80)), true);
    chart.plot = {box.x + left, box.y + 6, width, height};
}

void draw_axes(const Chart& chart, const Box& box) {
    const Box& plot = chart.plot;
    TextStyle label{.size = tick_size, .colour = faded};
    for (const Tick& tick : chart.y.ticks) {
        double y = sharp(plot.bottom() - chart.y.place(tick.value) * plot.height);
        chart.canvas.line({{plot.x, y}, {plot.right(), y}}, rule, 1);
        label.anchor = Anchor::End;
        chart.canvas.text({plot.x - 8, y + tick_size * 0.35}, tick.label, label);
    }
    for (const Tick& tick : chart.x.ticks) {
        double x = sharp(plot.x + chart.x.place(tick.value) * plot.width);
        chart.canvas.line({{x, sharp(plot.bottom())}, {x, sharp(plot.bottom()) + 4}}, faded, 1);
        label.anchor = Anchor::Middle;
        chart.canvas.text({x, plot.bottom() + 18}, tick.label, label);
    }
    double base = sharp(plot.bottom());
    chart.canvas.line({{plot.x, base}, {plot.right(), base}}, faded, 1);
    TextStyle name{.size = label_size, .anchor = Anchor::Middle, .colour = ink};
    chart.canvas.text({plot.x + plot.width / 2, box.bottom() - 3}, chart.options.x_label, name);
    name.upwards = true;
    chart.canvas.text({box.x + 11, plot.y + plot.height / 2}, chart.options.y_label, name);
}

/// Points in one column of pixels become their first, lowest, highest and last: the picture is the
/// same and its size does not grow with the data.
Path thinned(const Path& path) {
    Path out;
    for (size_t start = 0; start < path.size();) {
        size_t end = start, low = start, high = start;
        double column = std::floor(path[start].x);
        for (; end < path.size() && std::floor(path[end].x) == column; ++end) {
            if (path[end].y < path[low].y) low = end;
            if (path[end].y > path[high].y) high = end;
        }
        std::array<size_t, 4> kept = {start, std::min(low, high), std::max(low, high), end - 1};
        for (size_t k = 0; k < kept.size(); ++k)
            if (k == 0 || kept[k] != kept[k - 1]) out.push_back(path[kept[k]]);
        start = end;
    }
    return out;
}

/// The runs of points without a gap, in pixels.
std::vector<Path> runs_of(const Chart& chart, const Series& line) {
    std::vector<Path> runs(1);
    for (size_t i = 0; i < line.y.size(); ++i) {
        if (chart.shows_point(line, i))
            runs.back().push_back(chart.place(x_of(line, i), line.y[i]));
        else if (!runs.back().empty())
            runs.emplace_back();
    }
    if (runs.back().empty()) runs.pop_back();
    return runs;
}

bool inside(const Box& box, Point p) {
    return p.x >= box.x && p.x <= box.right() && p.y >= box.y && p.y <= box.bottom();
}

/// Cuts a segment to a box (Liang and Barsky); false if nothing is left of it.
bool clip_segment(const Box& box, Point& a, Point& b) {
    double first = 0, last = 1, dx = b.x - a.x, dy = b.y - a.y;
    const double edges[4][2] = {
        {-dx, a.x - box.x}, {dx, box.right() - a.x}, {-dy, a.y - box.y}, {dy, box.bottom() - a.y}};
    for (auto [direction, distance] : edges) {
        if (direction == 0) {
            if (distance < 0) return false;
        } else if (direction < 0) {
            first = std::max(first, distance / direction);
        } else {
            last = std::min(last, distance / direction);
        }
    }
    if (first > last) return false;
    Point start = a;
    a = {start.x + first * dx, start.y + first * dy};
    b = {start.x + last * dx, start.y + last * dy};
    return true;
}

/// The parts of a path inside a box: a range given by the caller may leave data outside.
std::vector<Path> clipped(const Path& path, const Box& box) {
    if (std::all_of(path.begin(), path.end(), [&](Point p) { return inside(box, p); }))
        return {path};
    std::vector<Path> parts;
    bool joined = false;
    for (size_t i = 0; i + 1 < path.size(); ++i) {
        Point a = path[i], b = path[i + 1];
        bool whole_end = inside(box, b);
        if (!clip_segment(box, a, b)) {
            joined = false;
            continue;
        }
        if (!joined) parts.push_back({a});
        parts.back().push_back(b);
        joined = whole_end;
    }
    return parts;
}

void draw_series(const Chart& chart, const Series& line, Colour colour) {
    Box area = {chart.plot.x - 1, chart.plot.y - 1, chart.plot.width + 2, chart.plot.height + 2};
    for (const Path& run : runs_of(chart, line)) {
        if (run.size() == 1 && !line.dots && inside(area, run[0]))
            chart.canvas.dot(run[0], line_width * 1.3, colour);
        for (const Path& part : clipped(thinned(run), area))
            if (part.size() > 1) chart.canvas.line(part, colour, line_width);
        if (line.dots)
            for (Point p : run)
                if (inside(area, p)) chart.canvas.dot(p, line_width * 1.7, colour);
    }
}

/// How much of the lines runs through a box, in samples a few pixels apart.
size_t samples_inside(const std::vector<Path>& runs, const Box& box) {
    constexpr double spacing = 5;
    size_t count = 0;
    for (const Path& run : runs)
        for (size_t i = 0; i < run.size(); ++i) {
            Point a = run[i], b = run[std::min(i + 1, run.size() - 1)];
            int steps = 1 + static_cast<int>(std::hypot(b.x - a.x, b.y - a.y) / spacing);
            for (int k = 0; k < steps; ++k) {
                double t = static_cast<double>(k) / steps;
                count += inside(box, {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)});
            }
        }
    return count;
}

/// The corner where the least of the lines would be hidden; the upper right one if none matters.
Box legend_box(const Chart& chart, double width, double height) {
    const Box& plot = chart.plot;
    double left = plot.x + 8, right = plot.right() - width - 4;
    double top = plot.y + 4, bottom = plot.bottom() - height - 8;
    const Box corners[] = {{right, top, width, height},
                           {left, top, width, height},
                           {right, bottom, width, height},
                           {left, bottom, width, height}};
    std::vector<Path> runs;
    for (const Series& line : chart.series)
        for (const Path& run : runs_of(chart, line)) runs.push_back(thinned(run));
    Box best = corners[0];
    size_t fewest = SIZE_MAX;
    for (const Box& corner : corners) {
        constexpr double air = 8;
        size_t count = samples_inside(
            runs, {corner.x - air, corner.y - air, width + 2 * air, height + 2 * air});
        if (count < fewest) {
            best = corner;
            fewest = count;
        }
    }
    return best;
}

void draw_legend(const Chart& chart) {
    double widest = 0;
    int rows = 0;
    for (const Series& line : chart.series) {
        if (line.name.empty()) continue;
        widest = std::max(widest, text_width(line.name, label_size));
        ++rows;
    }
    if (rows == 0) return;
    Box box = legend_box(chart, widest + legend_sample + 8 + 2 * legend_pad,
                         rows * legend_row + 2 * legend_pad - 4);
    chart.canvas.fill(box, white, 0.85);
    double y = box.y + legend_pad + legend_row / 2 - 2;
    for (size_t i = 0; i < chart.series.size(); ++i) {
        const Series& line = chart.series[i];
        if (line.name.empty()) continue;
        double x = box.x + legend_pad;
        Colour colour = line_colour(static_cast<int>(i));
        chart.canvas.line({{x, y}, {x + legend_sample, y}}, colour, line_width + 0.6);
        if (line.dots) chart.canvas.dot({x + legend_sample / 2, y}, line_width * 1.7, colour);
        chart.canvas.text({x + legend_sample + 8, y + label_size * 0.35}, line.name,
                          {.size = label_size});
        y += legend_row;
    }
}
}  // namespace

Box draw_title(Canvas& canvas, const Box& box, const std::string& title) {
    if (title.empty()) return box;
    canvas.text({box.x, box.y + title_size * 0.85}, fitted(title, box.width, title_size),
                {.size = title_size, .bold = true});
    double used = title_size + 10;
    return {box.x, box.y + used, box.width, std::max(1.0, box.height - used)};
}

void draw_lines(Canvas& canvas, Box box, const std::string& title,
                const std::vector<Series>& series, const LineOptions& options) {
    box = draw_title(canvas, box, title);
    Chart chart{canvas, series, options, {}, {}, {}};
    lay_out(chart, box);
    draw_axes(chart, box);
    for (size_t i = 0; i < series.size(); ++i)
        draw_series(chart, series[i], line_colour(static_cast<int>(i)));
    draw_legend(chart);
}

}  // namespace croton::drawing
