#pragma once
// What a launch of a few calls comes down to: the sections' functions one after another, each over
// a frame that stands ready. The launcher writes it, in the place of making the calls.
#include "croton/backend/cpu/launch.hpp"

namespace croton::cpu {

class Script final : public runtime::PreparedLaunch {
  public:
    explicit Script(const Program& program) : program_(program) {}

    // --- writing

    kernel::Fault* fault_place() { return &fault_; }
    /// Memory for running values, as long as the script lives. Asked for once.
    char* slot_memory(size_t bytes);
    /// Memory for values kept between sections, likewise.
    char* kept_memory(size_t bytes);
    /// What running values begin with, each time before the next call.
    void add_fill(char* to, const Identity& identity, int64_t lanes);
    void add_call(SectionFunction function, const int64_t* frame, int64_t selector);
    /// The launch has a part that is no plain call.
    void refuse() { refused_ = true; }
    /// Whether it may be run: it was not refused and is short.
    bool finish();

    // --- running

    void add_places(int operand, std::vector<void*>& places) override;
    bool run() override;

  private:
    struct Fill {
        char* to;
        const Identity* identity;  ///< of the program
        int64_t lanes;
    };
    struct Call {
        SectionFunction function;
        int64_t* frame;  ///< set at the end: words move while they become more
        int64_t rows, count, selector;
        size_t fills;  ///< how many of the list come before the call
        size_t first_word;
    };
    bool same_frame(const int64_t* frame) const;

    const Program& program_;
    std::vector<int64_t> words_;  ///< frames
    std::vector<Call> calls_;
    std::vector<Fill> fills_;
    std::vector<std::max_align_t> slots_, kept_;
    size_t filled_ = 0;
    bool refused_ = false;
};

}  // namespace croton::cpu
