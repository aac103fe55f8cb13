#pragma once
// A progress bar for terminals, or now and then a plain line where the output is a file.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace croton {

///     Progress progress(batches, "epoch 1");
///     for (...) progress.advance(1, cat("loss ", loss));
///
/// In a terminal one line is redrawn at most ten times a second:
///
///     epoch 1  62% ━━━━━━━━━━━━━────────  291/469  512/s  0:00 left  loss 0.412
///
/// Elsewhere (a pipe, a log file, TERM=dumb) whole lines are written, at most one each ten seconds,
/// and one at the end. Not for several threads at once. A call that draws nothing costs the time of
/// reading a clock.
class Progress {
  public:
    struct Options {
        /// Where text goes; default: standard error.
        std::function<void(std::string_view)> write = {};
        /// Seconds from any start; default: a steady clock.
        std::function<double()> clock = {};
        enum class Style { Auto, Terminal, Lines, None } style = Style::Auto;
        int width = 0;       ///< columns of the terminal; 0: asks it, else 80
        bool utf8 = true;    ///< false: bars of '#' (Auto style asks the locale's variables)
        bool colour = true;  ///< false: no escape codes but the one that clears the line
    };

    /// `total` steps are to be done; 0 if unknown: no bar, no remaining time.
    explicit Progress(int64_t total, std::string title = "");
    Progress(int64_t total, std::string title, Options options);
    /// Leaves the line as it stands if finish() was not called: the work was broken off.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// So many steps more are done. An empty message keeps the last one.
    void advance(int64_t steps = 1, std::string_view message = {});
    /// Writes the last state with the time taken. Further calls do nothing.
    void finish(std::string_view message = {});

    int64_t done() const { return done_; }
    double elapsed() const;

  private:
    void draw(bool last);
    void estimate(double now);
    std::string bar(int columns) const;
    std::string facts(bool last) const;
    std::string terminal_line(bool last) const;

    int64_t total_, done_ = 0;
    std::string title_, message_;
    Options options_;
    double start_, drawn_at_, rate_ = 0;
    int64_t drawn_done_ = 0;
    bool open_line_ = false, finished_ = false;
};

/// "0:07", "12:30", "3:05:00", "2 d 4 h".
std::string duration_text(double seconds);

}  // namespace croton
