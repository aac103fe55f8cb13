#include "croton/debug/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "croton/base/format.hpp"

namespace croton {

namespace {
constexpr double seconds_a_frame = 0.1, seconds_a_line = 10, seconds_of_rate = 4;
constexpr int widest_bar = 30, narrowest_bar = 8;
constexpr std::string_view clear_line = "\r\x1b[K", green = "\x1b[32m", cyan = "\x1b[36m",
                           plain = "\x1b[0m";

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
        if (std::string value = variable(name); !value.empty())
            return value.find("UTF-8") != std::string_view::npos ||
                   value.find("utf8") != std::string_view::npos;
    return false;
}

int terminal_width() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

Progress::Options completed(Progress::Options options) {
    using Style = Progress::Options::Style;
    if (!options.clock)
        options.clock = [] {
            return std::chrono::duration<double>(
                       std::chrono::steady_clock::now().time_since_epoch())
                .count();
        };
    if (options.style == Style::Auto) {
        bool terminal = !options.write && ::isatty(STDERR_FILENO) && variable("TERM") != "dumb";
        options.style = terminal ? Style::Terminal : Style::Lines;
        options.utf8 = options.utf8 && locale_is_utf8();
        options.colour = options.colour && variable("NO_COLOR").empty();
    }
    if (options.width <= 0) options.width = terminal_width();
    if (!options.write)
        options.write = [](std::string_view text) {
            std::fwrite(text.data(), 1, text.size(), stderr);
            std::fflush(stderr);
        };
    return options;
}

/// Three digits and a unit: "512", "48.3k", "1.2M".
std::string rate_text(double rate) {
    char text[32];
    const char* unit = "";
    for (const char* next : {"k", "M", "G"}) {
        if (rate < 9999.5) break;
        rate /= 1000;
        unit = next;
    }
    std::snprintf(text, sizeof text, rate < 99.95 ? "%.1f%s/s" : "%.0f%s/s", rate, unit);
    return text;
}

/// Columns that a text takes: one a character.
int columns_of(std::string_view text) {
    return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

/// At most so many columns of a text, ending at a whole character.
std::string_view first_columns(std::string_view text, int columns) {
    size_t end = 0;
    for (; end < text.size(); ++end)
        if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80 && columns-- == 0) break;
    return text.substr(0, end);
}
}  // namespace

std::string duration_text(double seconds) {
    if (!(seconds >= 0) || seconds > 1e9) return "?";
    auto whole = static_cast<int64_t>(std::llround(seconds));
    int64_t hours = whole / 3600, minutes = whole / 60 % 60;
    auto two = [](int64_t n) { return cat(n < 10 ? "0" : "", n); };
    if (hours >= 48) return cat(hours / 24, " d ", hours % 24, " h");
    if (hours > 0) return cat(hours, ':', two(minutes), ':', two(whole % 60));
    return cat(minutes, ':', two(whole % 60));
}

Progress::Progress(int64_t total, std::string title)
    : Progress(total, std::move(title), Options{}) {}

Progress::Progress(int64_t total, std::string title, Options options)
    : total_(total),
      title_(std::move(title)),
      options_(completed(std::move(options))),
      start_(options_.clock()),
      drawn_at_(start_) {}

Progress::~Progress() {
    if (open_line_) options_.write("\n");
}

double Progress::elapsed() const { return options_.clock() - start_; }

void Progress::advance(int64_t steps, std::string_view message) {
    if (finished_) return;
    done_ += steps;
    if (!message.empty()) message_ = message;
    bool terminal = options_.style == Options::Style::Terminal;
    if (options_.clock() - drawn_at_ >= (terminal ? seconds_a_frame : seconds_a_line)) draw(false);
}

void Progress::finish(std::string_view message) {
    if (finished_) return;
    if (!message.empty()) message_ = message;
    draw(true);
    finished_ = true;
}

/// The rate of late, with the mean so far at the beginning: a slow first step (which compiles) is
/// forgotten after a few seconds.
void Progress::estimate(double now) {
    double passed = now - drawn_at_;
    if (passed <= 0) return;
    double late = static_cast<double>(done_ - drawn_done_) / passed;
    double weight = 1 - std::exp(-passed / seconds_of_rate);
    rate_ = drawn_done_ == 0 ? late : rate_ + weight * (late - rate_);
    drawn_at_ = now;
    drawn_done_ = done_;
}

void Progress::draw(bool last) {
    estimate(options_.clock());
    if (options_.style == Options::Style::None) return;
    if (options_.style == Options::Style::Lines) {
        options_.write(cat(title_, title_.empty() ? "" : "  ", facts(last), "\n"));
        return;
    }
    options_.write(cat(clear_line, terminal_line(last), last ? "\n" : ""));
    open_line_ = !last;
}

std::string Progress::facts(bool last) const {
    double passed = drawn_at_ - start_;
    double rate = last && passed > 0 ? static_cast<double>(done_) / passed : rate_;
    std::string text = total_ > 0 ? cat(done_, '/', total_) : cat(done_);
    if (rate > 0) text += cat("  ", rate_text(rate));
    if (last)
        text += cat("  in ", duration_text(passed));
    else if (total_ > 0 && rate > 0)
        text += cat("  ", duration_text(static_cast<double>(total_ - done_) / rate), " left");
    else
        text += cat("  ", duration_text(passed));
    if (!message_.empty()) text += cat("  ", message_);
    return text;
}

std::string Progress::bar(int columns) const {
    double part = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
    int full = static_cast<int>(part * columns);
    std::string text;
    if (options_.colour) text += full == columns ? green : cyan;
    for (int i = 0; i < full; ++i) text += options_.utf8 ? "━" : "#";
    if (options_.colour) text += plain;
    for (int i = full; i < columns; ++i) text += options_.utf8 ? "─" : ".";
    return text;
}

std::string Progress::terminal_line(bool last) const {
    std::string start = title_.empty() ? "" : cat(title_, "  "), end = facts(last);
    // The last column stays free: some terminals begin a new line when it is written.
    int room = options_.width - 1;
    if (total_ <= 0) return std::string(first_columns(start + end, room));
    auto percent = static_cast<int>(100.0 * static_cast<double>(std::min(done_, total_)) /
                                    static_cast<double>(total_));
    start += cat(percent < 10 ? "  " : percent < 100 ? " " : "", percent, "% ");
    int columns = std::min(room - columns_of(start) - columns_of(end) - 2, widest_bar);
    if (columns < narrowest_bar) return std::string(first_columns(start + ' ' + end, room));
    return cat(start, bar(columns), "  ", end);
}

}  // namespace croton
