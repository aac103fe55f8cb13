#include "croton/debug/drawing/font.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "croton/base/error.hpp"

namespace croton::drawing {

namespace {
// One row a character from ' ' to '~'. Capitals are 14 units high, small letters 10, and they hang
// down to -4. Strokes are separated by ';' and made of points "x,y": joined by straight lines, or
// (after '~') the control points of a smooth curve, or (after 'o') of a closed one.
constexpr std::string_view glyph_rows[] = {
    "",                                                                                    // space
    "1,14 1,4.5;1,0 1,.4",                                                                 // !
    "1,14 1,10;4,14 4,10",                                                                 // "
    "3,13 1,1;8,13 6,1;0,9 9,9;0,5 9,5",                                                   // #
    "~8.5,11 7.5,13 .5,13.5 .5,7.2 4.5,7 9,6.5 9,.5 .5,.8 0,3.3;4.5,15.5 4.5,-1.5",        // $
    "o0,14 5,14 5,8 0,8;o6,6 11,6 11,0 6,0;9.5,14 1.5,0",                                  // %
    "~10,0 2,9 1.5,14.3 7,14.3 7.2,9 0,7.5 -.3,-.3 8,-1 9.5,6",                            // &
    "1,14 1,10",                                                                           // '
    "~4,16 0,12 0,1 4,-3",                                                                 // (
    "~0,16 4,12 4,1 0,-3",                                                                 // )
    "4,13 4,6;1,11.3 7,7.7;7,11.3 1,7.7",                                                  // *
    "4.5,10 4.5,1;0,5.5 9,5.5",                                                            // +
    "1.5,.4 1.5,0 .5,-2.5",                                                                // ,
    "0,5.5 5,5.5",                                                                         // -
    "1,0 1,.4",                                                                            // .
    "0,-1.5 5.5,15",                                                                       // /
    "o0,14 9,14 9,0 0,0",                                                                  // 0
    "1,11.3 5,14 5,0;5,0 9,0;1.5,0 5,0",                                                   // 1
    "~.5,10.5 .5,14.2 8.5,14.2 8.5,9 5,5.5 0,0;0,0 9,0",                                   // 2
    "~.5,11.5 1,14 8,14.3 8.5,10.5 8,7.5 3.5,7.5;~3.5,7.5 9,7.5 9,3.7 9,-.2 1,-.3 0,2.8",  // 3
    "6.5,0 6.5,14 0,4.5 9,4.5",                                                            // 4
    "8,14 1.5,14 1,8;~1,8 3,9.3 9,9.7 9,4.5 9,-.2 1,-.5 0,2.5",                            // 5
    "o0,8.6 9,8.6 9,0 0,0;~8,12.3 7,14 0,14.8 0,4.3",                                      // 6
    "0,14 9,14 3,0",                                                                       // 7
    "o.7,14 8.3,14 8.3,7.4 .7,7.4;o0,7.4 9,7.4 9,0 0,0",                                   // 8
    "o9,5.4 0,5.4 0,14 9,14;~1,1.7 2,0 9,-.8 9,9.7",                                       // 9
    "1,7.5 1,7.9;1,0 1,.4",                                                                // :
    "1.5,7.5 1.5,7.9;1.5,.4 1.5,0 .5,-2.5",                                                // ;
    "8,10 0,5.5 8,1",                                                                      // <
    "0,7.5 9,7.5;0,3.5 9,3.5",                                                             // =
    "0,10 8,5.5 0,1",                                                                      // >
    "~0,11 0,14.2 7.5,14.2 7.5,10 6.5,8 4,7 4,4.5;4,0 4,.4",                               // ?
    "~9,9.5 9,3 11.5,2.5 13,5 13,14 0,14 0,-2.5 9,-2.5 11,-1;o4,10 9,10 9,3 4,3",          // @
    "0,0 5.5,14 11,0;2,5 9,5",                                                             // A
    "5,14 0,14 0,0 5,0;0,7.3 5,7.3;~5,14 9,14 9,7.3 5,7.3;~5,7.3 10,7.3 10,0 5,0",         // B
    "~10.5,11 9.5,14 0,14.8 0,-.8 9.5,0 10.5,3",                                           // C
    "4,14 0,14 0,0 4,0;~4,14 11,14 11,0 4,0",                                              // D
    "8.5,14 0,14 0,0 8.5,0;0,7.3 7.5,7.3",                                                 // E
    "8.5,14 0,14 0,0;0,7.3 7.5,7.3",                                                       // F
    "~10.5,11 9.5,14 0,14.8 0,-.8 10.5,-.3 11,2;11,2 11,6.5 6.5,6.5",                      // G
    "0,0 0,14;10,0 10,14;0,7.3 10,7.3",                                                    // H
    "1,0 1,14",                                                                            // I
    "~6.5,4 6.5,-.5 .5,-.5 0,3;6.5,14 6.5,4",                                              // J
    "0,0 0,14;9.5,14 0,5;3.3,8.2 10,0",                                                    // K
    "0,14 0,0 8,0",                                                                        // L
    "0,0 0,14 6,3 12,14 12,0",                                                             // M
    "0,0 0,14 10,0 10,14",                                                                 // N
    "o0,14 12,14 12,0 0,0",                                                                // O
    "0,0 0,14 5,14;5,6.5 0,6.5;~5,14 9.5,14 9.5,6.5 5,6.5",                                // P
    "o0,14 12,14 12,0 0,0;7.5,3.5 11.5,-1",                                                // Q
    "0,0 0,14 5,14;5,6.5 0,6.5;~5,14 9.5,14 9.5,6.5 5,6.5;5,6.5 10,0",                     // R
    "~9,11.5 8.5,14 .5,14.5 .5,7.5 4.75,7.2 9.5,6.5 9.5,-.5 .5,-.2 0,3",                   // S
    "0,14 10,14;5,14 5,0",                                                                 // T
    "0,14 0,5;~0,5 0,-.3 5,-.3 10,-.3 10,5;10,5 10,14",                                    // U
    "0,14 5.5,0 11,14",                                                                    // V
    "0,14 3.8,0 7.5,13 11.2,0 15,14",                                                      // W
    "0,14 10,0;10,14 0,0",                                                                 // X
    "0,14 5,7 10,14;5,7 5,0",                                                              // Y
    "0,14 9.5,14 0,0 10,0",                                                                // Z
    "3.5,16 0,16 0,-3 3.5,-3",                                                             // [
    "0,15 5.5,-1.5",                                                                    // backslash
    "0,16 3.5,16 3.5,-3 0,-3",                                                          // ]
    "0,8 4,14 8,8",                                                                     // ^
    "0,-2.5 8,-2.5",                                                                    // _
    "0,14.5 2.5,12",                                                                    // `
    "o0,10 7.5,10 7.5,0 0,0;7.5,10 7.5,0",                                              // a
    "0,14 0,0;o0,10 8,10 8,0 0,0",                                                      // b
    "~7.3,8 6.5,10 0,10.5 0,-.5 6.5,0 7.3,2",                                           // c
    "8,14 8,0;o0,10 8,10 8,0 0,0",                                                      // d
    "0,5.2 8,5.2;~8,5.2 8.2,10 4,10 0,10 0,5 0,-.3 6.5,-.3 7.5,2",                      // e
    "~5.5,13.8 2,14.8 2,11;2,11 2,0;0,10 5,10",                                         // f
    "o0,10 8,10 8,0 0,0;8,10 8,-1;~8,-1 8,-4.5 1,-4.5 .5,-2.2",                         // g
    "0,14 0,0;~0,6 .5,10 4,10 7.5,10 7.5,6;7.5,6 7.5,0",                                // h
    "1,10 1,0;1,13.4 1,13.8",                                                           // i
    "2,10 2,-1;~2,-1 2,-4 .5,-4 -.5,-3.8;2,13.4 2,13.8",                                // j
    "0,14 0,0;7,10 0,4;2.6,6.2 7.5,0",                                                  // k
    "1,14 1,0",                                                                         // l
    "0,10 0,0;~0,6 .3,10 3,10 6,10 6,6;6,6 6,0;~6,6 6.3,10 9,10 12,10 12,6;12,6 12,0",  // m
    "0,10 0,0;~0,6 .5,10 4,10 7.5,10 7.5,6;7.5,6 7.5,0",                                // n
    "o0,10 8.5,10 8.5,0 0,0",                                                           // o
    "0,10 0,-4;o0,10 8,10 8,0 0,0",                                                     // p
    "8,10 8,-4;o0,10 8,10 8,0 0,0",                                                     // q
    "0,10 0,0;~0,6 .3,9.8 4.8,9.9",                                                     // r
    "~6.8,8.2 6.5,10 .5,10.5 .5,5.3 3.5,5.1 7.2,4.7 7.2,-.5 .4,-.1 0,2",                // s
    "2,13 2,3;~2,3 2,-.5 5,.2;0,10 5,10",                                               // t
    "0,10 0,4;~0,4 0,0 3.5,0 7,0 7.5,4;7.5,10 7.5,0",                                   // u
    "0,10 4,0 8,10",                                                                    // v
    "0,10 2.9,0 5.75,9.5 8.6,0 11.5,10",                                                // w
    "0,10 7.5,0;7.5,10 0,0",                                                            // x
    "0,10 4,0;8,10 4,0;~4,0 3,-3.5 .5,-3.8",                                            // y
    "0,10 7,10 0,0 7.5,0",                                                              // z
    "~4,16 1.5,16 2,11 2,7 0,6.5;~4,-3 1.5,-3 2,2 2,6 0,6.5",                           // {
    "1,16 1,-3",                                                                        // |
    "~0,16 2.5,16 2,11 2,7 4,6.5;~0,-3 2.5,-3 2,2 2,6 4,6.5",                           // }
    "~0,5 2,8.5 6,3.5 8,7",                                                             // ~
    "0,0 8,0 8,14 0,14 0,0",                                                            // any other
};
static_assert(std::size(glyph_rows) == 96);

constexpr double units_per_em = 20, gap = 3.2, space_width = 5.5;
constexpr int curve_steps = 6;

struct Glyph {
    std::vector<Path> strokes;
    double width = space_width - gap;
};

double take_number(std::string_view& text) {
    double value = 0;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    CROTON_ASSERT(code == std::errc());
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return value;
}

Point middle(Point a, Point b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }

/// Appends a quadratic curve's points after its start.
void append_curve(Path& path, Point start, Point control, Point end) {
    for (int i = 1; i <= curve_steps; ++i) {
        double t = double(i) / curve_steps, u = 1 - t;
        path.push_back({u * u * start.x + 2 * u * t * control.x + t * t * end.x,
                        u * u * start.y + 2 * u * t * control.y + t * t * end.y});
    }
}

/// The quadratic spline that touches the middles of its control polygon's edges.
Path smooth(const Path& control, bool closed) {
    size_t count = control.size();
    Path path = {closed ? middle(control[count - 1], control[0]) : control[0]};
    for (size_t i = closed ? 0 : 1; i + (closed ? 0 : 1) < count; ++i) {
        bool last = !closed && i + 2 == count;
        Point end = last ? control[i + 1] : middle(control[i], control[(i + 1) % count]);
        append_curve(path, path.back(), control[i], end);
    }
    return path;
}

Path parse_stroke(std::string_view text) {
    bool open_curve = text[0] == '~', closed = text[0] == 'o';
    if (open_curve || closed) text.remove_prefix(1);
    Path path;
    while (!text.empty()) {
        double x = take_number(text);
        text.remove_prefix(1);
        path.push_back({x, take_number(text)});
        if (!text.empty()) text.remove_prefix(1);
    }
    return open_curve || closed ? smooth(path, closed) : path;
}

Glyph parse_glyph(std::string_view row) {
    Glyph glyph;
    double left = 1e9, right = -1e9;
    while (!row.empty()) {
        auto end = row.find(';');
        glyph.strokes.push_back(parse_stroke(row.substr(0, end)));
        row = end == std::string_view::npos ? "" : row.substr(end + 1);
        for (Point p : glyph.strokes.back()) {
            left = std::min(left, p.x);
            right = std::max(right, p.x);
        }
    }
    if (glyph.strokes.empty()) return glyph;
    // Points and bars keep the air that their row gives them on the left, on both sides.
    glyph.width = right + (right - left < 2 ? left : 0);
    return glyph;
}

const Glyph& glyph_of(char c) {
    static const std::array<Glyph, 96> glyphs = [] {
        std::array<Glyph, 96> all;
        for (size_t i = 0; i < all.size(); ++i) all[i] = parse_glyph(glyph_rows[i]);
        return all;
    }();
    return glyphs[c >= ' ' && c <= '~' ? static_cast<size_t>(c - ' ') : 95];
}

/// Whether a byte continues a UTF-8 character that has been drawn as a box already.
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
}  // namespace

std::vector<Path> text_strokes(std::string_view text, double size) {
    std::vector<Path> strokes;
    double scale = size / units_per_em, x = 0;
    for (char c : text) {
        if (continues(c)) continue;
        const Glyph& glyph = glyph_of(c);
        for (const Path& stroke : glyph.strokes) {
            Path& placed = strokes.emplace_back();
            for (Point p : stroke) placed.push_back({(x + p.x) * scale, -p.y * scale});
        }
        x += glyph.width + gap;
    }
    return strokes;
}

double text_width(std::string_view text, double size) {
    double width = 0;
    for (char c : text)
        if (!continues(c)) width += glyph_of(c).width + gap;
    return std::max(0.0, width - gap) * size / units_per_em;
}

}  // namespace croton::drawing
