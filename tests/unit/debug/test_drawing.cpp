// Drawings: PNG files decoded by the test itself, the scales of axes, colours, the text of SVG.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "croton/base/compress.hpp"
#include "croton/debug/drawing/figure.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

using namespace drawing;

namespace {
uint32_t big_at(const std::string& text, size_t place) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(text[place + i]);
    return value;
}

/// CRC-32 bit by bit, as the PNG specification's annex defines it.
uint32_t slow_crc(std::string_view text) {
    uint32_t crc = ~0u;
    for (unsigned char c : text) {
        crc ^= c;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/// Reads what encode_png writes: checks every chunk and undoes the filters 0, 1 and 2.
Pixels decode_png(const std::string& file, const std::filesystem::path& scratch) {
    EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
    Pixels pixels(0, 0);
    std::string packed;
    for (size_t place = 8; place < file.size();) {
        uint32_t size = big_at(file, place);
        std::string type = file.substr(place + 4, 4), data = file.substr(place + 8, size);
        EXPECT_EQ(big_at(file, place + 8 + size), slow_crc(type + data));
        if (type == "IHDR") {
            pixels = Pixels(static_cast<int>(big_at(data, 0)), static_cast<int>(big_at(data, 4)));
            EXPECT_EQ(data.substr(8), bytes("\x08\x02\0\0\0"));
        }
        if (type == "IDAT") packed += data;
        place += size + 12;
    }
    // zlib's frame is two bytes before and four after raw deflate.
    write_file(scratch, packed);
    InputFile raw(scratch);
    ByteStream stream(raw, ByteStream::Coding::Deflate, 2, packed.size() - 6);
    size_t width = static_cast<size_t>(pixels.width) * 3;
    std::string above(width, '\0'), row(width + 1, '\0');
    for (int y = 0; y < pixels.height; ++y) {
        EXPECT_EQ(stream.read(row.data(), row.size()), row.size());
        std::string values = row.substr(1);
        for (size_t i = 0; i < width; ++i)
            values[i] = static_cast<char>(values[i] + (row[0] == 2   ? above[i]
                                                       : row[0] == 1 ? (i >= 3 ? values[i - 3] : 0)
                                                                     : 0));
        for (int x = 0; x < pixels.width; ++x) {
            auto part = [&](int k) {
                return static_cast<uint8_t>(values[static_cast<size_t>(3 * x + k)]);
            };
            pixels.at(x, y) = {part(0), part(1), part(2)};
        }
        above = values;
    }
    char extra;
    EXPECT_EQ(stream.read(&extra, 1), 0u);
    return pixels;
}

size_t count_of(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

std::vector<std::string> labels(const Axis& axis) {
    std::vector<std::string> result;
    for (const Tick& tick : axis.ticks) result.push_back(tick.label);
    return result;
}
using Labels = std::vector<std::string>;
}  // namespace

using DrawingTest = Scratch;

TEST_F(DrawingTest, PngHoldsThePixels) {
    Pixels pixels(37, 23);
    for (int y = 0; y < 23; ++y)
        for (int x = 0; x < 37; ++x)
            pixels.at(x, y) = {static_cast<uint8_t>(x * 7), static_cast<uint8_t>(y * 11),
                               static_cast<uint8_t>(x * y * 31)};
    Pixels back = decode_png(encode_png(pixels), at("raw"));
    EXPECT_EQ(back.width, 37);
    EXPECT_TRUE(back.colours == pixels.colours);
}

TEST_F(DrawingTest, ImagesShowTheirPixelsAsSquares) {
    Array images = Array::of(std::vector<float>{0, 1, 0.5f, 0}, {1, 2, 2});
    Figure figure(200, 100);
    figure.images("", images, 1);
    Pixels page = decode_png(figure.png(), at("raw"));
    // 28 pixels of margin leave 72: whole squares of 36 from (14, 14).
    EXPECT_EQ(page.at(15, 15), (Colour{0, 0, 0}));
    EXPECT_EQ(page.at(14 + 71, 15), (Colour{255, 255, 255}));
    EXPECT_EQ(page.at(15, 14 + 71), (Colour{128, 128, 128}));
    EXPECT_EQ(page.at(14 + 40, 14 + 71), (Colour{0, 0, 0}));
    EXPECT_EQ(page.at(14 + 73, 50), white);
}

TEST_F(DrawingTest, LinesGoWhereTheirNumbersAre) {
    Figure figure(400, 300);
    figure.lines("", {{"", {0, 1}, {0, 1}}});
    Pixels page = decode_png(figure.png(), at("raw"));
    // The line rises from lower left to upper right: its leftmost pixel is lower than its last.
    Colour blue = line_colour(0);
    int first_y = -1, last_y = -1;
    for (int x = 0; x < page.width; ++x)
        for (int y = 0; y < page.height; ++y)
            if (page.at(x, y) == blue) {
                if (first_y < 0) first_y = y;
                last_y = y;
            }
    EXPECT_GT(first_y, 240);
    EXPECT_GE(last_y, 14);
    EXPECT_LT(last_y, 40);
}

TEST_F(DrawingTest, SvgHoldsTextsEscapedAndOneLineASeries) {
    Figure figure(600, 400);
    figure.lines("Loss <of> \"a & b\"", {{"one", {3, 2, 1}}, {"two", {1, NAN, 2, 3}}, {"", {0, 1}}},
                 {.x_label = "step", .y_label = "loss"});
    std::string svg = figure.svg();
    EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\""));
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
    EXPECT_EQ(count_of(svg, ">Loss &lt;of&gt; &quot;a &amp; b&quot;</text>"), 1u);
    EXPECT_EQ(count_of(svg, ">step</text>"), 1u);
    EXPECT_EQ(count_of(svg, "rotate(-90"), 1u);
    EXPECT_EQ(count_of(svg, ">one</text>"), 1u);
    EXPECT_EQ(count_of(svg, "stroke=\"#1f63b4\""), 2u);  // the line and its legend
    EXPECT_EQ(count_of(svg, "<circle"), 1u);             // the lone point before the gap
}

TEST_F(DrawingTest, LongSeriesMakeSmallFiles) {
    std::vector<double> noise;
    for (int i = 0; i < 1000000; ++i) noise.push_back(std::sin(i * 12.9898) + i * 1e-6);
    noise[123456] = 40;
    Figure figure(600, 400);
    figure.lines("", {{"", noise}});
    std::string svg = figure.svg();
    EXPECT_LT(svg.size(), 60000u);
    Pixels page = decode_png(figure.png(), at("raw"));
    size_t high = 0;  // the one high point is still there
    for (int y = 20; y < 60; ++y)
        for (int x = 60; x < 200; ++x) high += page.at(x, y) == line_colour(0);
    EXPECT_GT(high, 4u);
}

TEST_F(DrawingTest, SavesByEnding) {
    Figure figure(100, 100);
    figure.lines("", {{"", {1, 2}}});
    figure.save(at("a.svg"));
    figure.save(at("a.png"));
    EXPECT_EQ(read_file(at("a.svg")), figure.svg());
    EXPECT_EQ(read_file(at("a.png")), figure.png());
    EXPECT_TRUE(says(error_of([&] { figure.save(at("a.jpg")); }), "ValueError: a figure is saved"));
    EXPECT_TRUE(says(error_of([&] { figure.save(at("no/a.svg")); }), "No such file or directory"));
}

TEST_F(DrawingTest, WrongArgumentsAreNamed) {
    Figure figure(100, 100);
    EXPECT_TRUE(says(error_of([&] { figure.lines("t", {{"s", {1, 2}, {1, 2, 3}}}); }),
                     "ShapeError: series 's' of chart 't' has 2 x values and 3 y values"));
    EXPECT_TRUE(says(error_of([&] { figure.images("t", Array::of({1.0}), 1); }), "ShapeError"));
    EXPECT_TRUE(
        says(error_of([&] { figure.images("t", Array::zeros(DType::Complex64, {1, 2, 2}), 1); }),
             "TypeError"));
    EXPECT_TRUE(says(error_of([&] { figure.images("t", Array::zeros(DType::Int8, {1, 2, 2}), 0); }),
                     "ValueError"));
    EXPECT_TRUE(says(error_of([] { Figure(0, 100); }), "ValueError"));
}

TEST_F(DrawingTest, OddDataAreDrawn) {
    const double inf = INFINITY;
    std::vector<Figure> figures(8, Figure(300, 200));
    figures[0].lines("empty", {});
    figures[1].lines("no points", {{"s", {}}});
    figures[2].lines("nothing finite", {{"s", {NAN, inf, -inf}}}, {.y_log = true});
    figures[3].lines("one value", {{"s", {5, 5, 5}}});
    figures[4].lines("huge", {{"s", {-1e300, 1e300}}});
    figures[5].lines("log of one", {{"s", {0, -1, 1e-30}}}, {.x_log = true, .y_log = true});
    figures[6].lines("outside", {{"s", {0, 100, 0}}}, {.y_range = Range{0, 1}});
    figures[7].images("none", Array::zeros(DType::Bool, {0, 3, 3}), 4);
    for (const Figure& figure : figures) {
        EXPECT_EQ(figure.svg().find("nan"), std::string::npos) << figure.svg();
        EXPECT_EQ(figure.svg().find("inf\""), std::string::npos) << figure.svg();
        EXPECT_EQ(decode_png(figure.png(), at("raw")).width, 300);
    }
}

TEST_F(DrawingTest, ARangeGivenCutsTheLine) {
    Figure figure(300, 200);
    figure.lines("", {{"", {0, 0.5, 100, 0.5}}}, {.y_range = Range{0, 1}});
    std::string svg = figure.svg();
    EXPECT_EQ(count_of(svg, "stroke=\"#1f63b4\""), 2u);  // before and after the peak
}

TEST(Ticks, StandAtRoundNumbers) {
    EXPECT_EQ(labels(make_axis({0, 1}, false, 5, false)),
              (Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
    EXPECT_EQ(labels(make_axis({-3, 98}, false, 5, false)),
              (Labels{"-20", "0", "20", "40", "60", "80", "100"}));
    EXPECT_EQ(labels(make_axis({-3, 98}, false, 5, true)), (Labels{"0", "20", "40", "60", "80"}));
    EXPECT_EQ(labels(make_axis({0, 4e6}, false, 4, true)),
              (Labels{"0", "1e6", "2e6", "3e6", "4e6"}));
    EXPECT_EQ(labels(make_axis({0, 3e-7}, false, 3, true)), (Labels{"0", "1e-7", "2e-7", "3e-7"}));
    EXPECT_EQ(labels(make_axis({0.001, 1000}, true, 6, false)),
              (Labels{"0.001", "0.01", "0.1", "1", "10", "100", "1000"}));
    EXPECT_EQ(labels(make_axis({1, 60}, true, 6, true)), (Labels{"1", "2", "5", "10", "20", "50"}));
    Axis axis = make_axis({1, 100}, true, 4, true);
    EXPECT_NEAR(axis.place(10), 0.5, 1e-12);
    EXPECT_NEAR(make_axis({2, 4}, false, 4, true).place(3), 0.5, 1e-12);
}

TEST(Colours, MapsHitTheirEnds) {
    EXPECT_EQ(map_colour(ColourMap::Grey, 0), (Colour{0, 0, 0}));
    EXPECT_EQ(map_colour(ColourMap::Grey, 0.5), (Colour{128, 128, 128}));
    EXPECT_EQ(map_colour(ColourMap::Grey, 7), (Colour{255, 255, 255}));
    EXPECT_EQ(map_colour(ColourMap::Paper, -7), (Colour{255, 255, 255}));
    EXPECT_EQ(map_colour(ColourMap::Diverging, 0.5), (Colour{250, 250, 250}));
    EXPECT_GT(map_colour(ColourMap::Diverging, 0.9).red,
              map_colour(ColourMap::Diverging, 0.9).blue);
    EXPECT_LT(map_colour(ColourMap::Diverging, 0.1).red,
              map_colour(ColourMap::Diverging, 0.1).blue);
    EXPECT_EQ(map_colour(ColourMap::Heat, NAN), (Colour{255, 0, 200}));
    double before = -1;  // heat grows lighter all the way
    for (int i = 0; i <= 100; ++i) {
        Colour c = map_colour(ColourMap::Heat, i / 100.0);
        double light = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
        EXPECT_GT(light, before);
        before = light;
    }
}

TEST(Font, EveryCharacterHasStrokesOfItsSize) {
    EXPECT_EQ(text_width("", 20), 0);
    EXPECT_TRUE(text_strokes(" ", 20).empty());
    for (char c = '!'; c <= '~'; ++c) {
        auto strokes = text_strokes(std::string(1, c), 20);
        ASSERT_FALSE(strokes.empty()) << c;
        double width = text_width(std::string(1, c), 20);
        EXPECT_GT(width, 1) << c;
        for (const Path& stroke : strokes)
            for (Point p : stroke) {
                EXPECT_GE(p.x, -1) << c;
                EXPECT_LE(p.x, width + 0.01) << c;
                EXPECT_GE(p.y, -16.5) << c;
                EXPECT_LE(p.y, 4.5) << c;
            }
    }
    EXPECT_NEAR(text_width("AB", 40), 2 * text_width("AB", 20), 1e-9);
    EXPECT_EQ(text_strokes("ö", 20).size(), 1u);  // the box, once
}

}  // namespace croton
