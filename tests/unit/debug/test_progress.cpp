// The progress bar against a clock and a terminal of our own.
#include <gtest/gtest.h>

#include "croton/base/format.hpp"
#include "croton/debug/progress.hpp"

namespace croton {

namespace {
struct Screen {
    std::string text;
    double now = 100;
    Progress::Options options(Progress::Options::Style style, int width = 80) {
        Progress::Options result;
        result.write = [this](std::string_view part) { text += part; };
        result.clock = [this] { return now; };
        result.style = style;
        result.width = width;
        result.utf8 = result.colour = false;
        return result;
    }
    /// What the last line shows.
    std::string line() const { return text.substr(text.rfind("\x1b[K") + 3); }
};
using Style = Progress::Options::Style;
}  // namespace

TEST(Progress, ShowsBarRateRestAndMessage) {
    Screen screen;
    Progress progress(400, "epoch 1", screen.options(Style::Terminal));
    for (int i = 0; i < 100; ++i) {
        screen.now += 0.1;
        progress.advance(1, cat("loss ", i));
    }
    EXPECT_EQ(screen.line(),
              "epoch 1   25% #######.....................  100/400  10.0/s  0:30 "
              "left  loss 99");
    EXPECT_EQ(progress.done(), 100);
}

TEST(Progress, DrawsAtMostTenTimesASecond) {
    Screen screen;
    Progress progress(100000, "", screen.options(Style::Terminal));
    for (int i = 0; i < 100000; ++i) {
        screen.now += 1e-5;
        progress.advance();
    }
    auto frames = std::count(screen.text.begin(), screen.text.end(), '\r');
    EXPECT_GE(frames, 8);
    EXPECT_LE(frames, 10);
}

TEST(Progress, FinishTellsTheTimeAndEndsTheLine) {
    Screen screen;
    {
        Progress progress(20, "x", screen.options(Style::Terminal));
        progress.advance(20);
        screen.now += 65;
        progress.finish("done");
        progress.advance(5);
        progress.finish();
    }
    EXPECT_EQ(screen.line(),
              "x  100% ##############################  20/20  0.3/s  in 1:05  done\n");
}

TEST(Progress, BrokenOffWorkLeavesItsLine) {
    Screen screen;
    {
        Progress progress(20, "x", screen.options(Style::Terminal));
        screen.now += 1;
        progress.advance(2);
    }
    EXPECT_TRUE(screen.text.ends_with("left\n")) << screen.text;
}

TEST(Progress, ALineNeverExceedsTheTerminal) {
    for (int width = 1; width < 120; ++width) {
        Screen screen;
        auto options = screen.options(Style::Terminal, width);
        options.utf8 = true;
        Progress progress(1000, "größe", options);
        screen.now += 1;
        progress.advance(123, "a message that is not short");
        int columns = 0;
        for (char c : screen.line()) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
        EXPECT_LT(columns, width);
    }
}

TEST(Progress, FilesGetFewPlainLines) {
    Screen screen;
    Progress progress(3000, "epoch 1", screen.options(Style::Lines));
    for (int i = 0; i < 300; ++i) {
        screen.now += 0.1;
        progress.advance(10, "loss 0.5");
    }
    progress.finish();
    EXPECT_EQ(screen.text.find('\r'), std::string::npos);
    EXPECT_EQ(screen.text.find('\x1b'), std::string::npos);
    auto lines = std::count(screen.text.begin(), screen.text.end(), '\n');
    EXPECT_GE(lines, 3);
    EXPECT_LE(lines, 4);
    EXPECT_TRUE(screen.text.ends_with("epoch 1  3000/3000  100/s  in 0:30  loss 0.5\n"))
        << screen.text;
}

TEST(Progress, UnknownTotalsHaveNoBar) {
    Screen screen;
    Progress progress(0, "reading", screen.options(Style::Terminal));
    screen.now += 2;
    progress.advance(50000);
    EXPECT_EQ(screen.line(), "reading  50000  25.0k/s  0:02");
}

TEST(Progress, NoneWritesNothing) {
    Screen screen;
    Progress progress(10, "x", screen.options(Style::None));
    screen.now += 100;
    progress.advance(10);
    progress.finish();
    EXPECT_EQ(screen.text, "");
}

TEST(Progress, Durations) {
    EXPECT_EQ(duration_text(0), "0:00");
    EXPECT_EQ(duration_text(59.6), "1:00");
    EXPECT_EQ(duration_text(754), "12:34");
    EXPECT_EQ(duration_text(3 * 3600 + 5 * 60), "3:05:00");
    EXPECT_EQ(duration_text(50 * 3600), "2 d 2 h");
    EXPECT_EQ(duration_text(-1), "?");
    EXPECT_EQ(duration_text(1e300), "?");
}

}  // namespace croton
