#include "croton/backend/cpu/pack.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace croton::cpu {

void place_streams(const Plan& plan, const SectionPlan& section, const Nest& nest, int64_t* frame,
                   const int64_t* at, int64_t r, int64_t c) {
    auto one = [&](int s) {
        int64_t where = at[s];
        if (r) where += r * nest.row[s];
        if (c) where += c * nest.lane[s];
        frame[plan.streams[static_cast<size_t>(s)].word] = where;
    };
    for (int s : section.ins) one(s);
    for (int s : section.outs) one(s);
    for (int s : section.numbers) one(s);
}

namespace {
constexpr int64_t line_bytes = 64;
constexpr int64_t line_items = 16;  // of four bytes or more: whole lines
constexpr int64_t run_bytes = 256;  // read together of a transposed stream: some lines, one page

class Packer {
  public:
    Packer(const Program& program, SectionFunction function, const SectionPlan& section,
           const Nest& nest, int64_t* frame, const int64_t* at)
        : program_(program),
          function_(function),
          plan_(program.plan),
          section_(section),
          nest_(nest),
          frame_(frame),
          at_(at) {
        choose_tile();
    }

    void run(int64_t selector) {
        alignas(64) char tiles[2 * tile_budget];
        std::unique_ptr<char[]> large;  // only for kernels of hundreds of operands
        memory_ = tiles;
        int64_t bytes = bytes_ * tallest() * columns_;
        if (bytes > static_cast<int64_t>(sizeof tiles)) {
            large = std::make_unique<char[]>(static_cast<size_t>(bytes + 64));
            memory_ = large.get();
        }
        // What is written transposed goes down the rows, all else along them.
        if (transposed_ && !reads_transposed_) {
            for (int64_t c = 0; c < nest_.count; c += columns_)
                for (int64_t r = 0; r < nest_.rows; r = row_after(r)) run_tile(selector, r, c);
        } else {
            for (int64_t r = 0; r < nest_.rows; r = row_after(r))
                for (int64_t c = 0; c < nest_.count; c += columns_) run_tile(selector, r, c);
        }
        move_slots(0);
        memory_ = nullptr;
    }

  private:
    const Stream& stream(int s) const { return plan_.streams[static_cast<size_t>(s)]; }
    Steps steps(int s) const { return {nest_.row ? nest_.row[s] : 0, nest_.lane[s]}; }
    bool packed(int s) const { return !has_dense_lanes(stream(s), nest_.lane[s]); }

    template <class Visit>
    void for_packed(const std::vector<int>& list, Visit visit) const {
        for (int s : list)
            if (packed(s)) visit(s, stream(s));
    }

    // Streams that are dense the other way want some lines of each of many rows: lines are used
    // whole, and few pages are walked through at a time. Others want whole rows.
    void choose_tile() {
        int64_t run = 0, largest = 1;  // elements; bytes
        bool ragged = false;           // runs in memory begin and end within lines
        auto look = [&](int s, const Stream& stream) {
            bytes_ += stream.item;
            largest = std::max<int64_t>(largest, stream.item);
            if (std::abs(steps(s).row) < std::abs(steps(s).item) && nest_.rows > 1) {
                run = std::max(run, run_bytes / stream.item);
                ragged |= steps(s).item % line_bytes != 0 &&
                          2 * nest_.rows * nest_.count * stream.item > last_cache_bytes();
            }
        };
        for_packed(section_.ins, look);
        for_packed(section_.outs, look);
        transposed_ = run > 0;
        // A tile of a stream that is not transposed takes at most half: memory is read and the
        // section runs by turns, which should be short.
        int64_t elements = tile_budget / (transposed_ ? bytes_ : std::max(bytes_, 2 * largest));
        elements = std::max<int64_t>(elements, 16);
        // Lines at both ends of a run are read for two tiles: half as many of twice the length.
        if (ragged) elements *= 2, run *= 2;
        int64_t wanted = transposed_ ? std::max<int64_t>(elements / run, 64) : elements;
        columns_ = std::min({nest_.count, elements, wanted});
        if (columns_ < nest_.count) columns_ = columns_ / line_items * line_items;
        rows_ = std::clamp<int64_t>(elements / columns_, 1, nest_.rows);
        for_transposed([&](int s, const Stream& stream) {
            reads_transposed_ = true;
            if (rows_ < nest_.rows) lead_ = (-at_[s] & (line_bytes - 1)) / stream.item;
        });
    }

    /// Operands read whose rows are dense where their lanes are not.
    template <class Visit>
    void for_transposed(Visit visit) const {
        for_packed(section_.ins, [&](int s, const Stream& stream) {
            if (steps(s).row == stream.item && nest_.rows > 1) visit(s, stream);
        });
    }

    // Tiles of a transposed stream begin where its lines do, so that no line is read for two of
    // them: the first ones are taller.
    int64_t row_after(int64_t r) const { return r + rows_ + (r == 0 ? lead_ : 0); }
    int64_t tallest() const { return rows_ + lead_; }

    void run_tile(int64_t selector, int64_t r, int64_t c) {
        height_ = std::min(row_after(r), nest_.rows) - r;
        width_ = std::min(columns_, nest_.count - c);
        frame_[rows_word] = height_;
        frame_[count_word] = width_;
        place_streams(plan_, section_, nest_, frame_, at_, r, c);
        move_slots(c);
        char* tile = memory_;
        for_packed(section_.ins, [&](int s, const Stream& stream) {
            copy_in(s, stream, tile, r, c);
            aim(stream, tile);
            tile += tallest() * columns_ * stream.item;
        });
        char* first_out = tile;
        for_packed(section_.outs, [&](int, const Stream& stream) {
            aim(stream, tile);
            tile += tallest() * columns_ * stream.item;
        });
        run_rows(selector, r, c);
        tile = first_out;
        for_packed(section_.outs, [&](int s, const Stream& stream) {
            auto* to = reinterpret_cast<char*>(address(s, r, c));
            program_.copier({to, steps(s), tile, tile_steps(stream), height_, width_, stream.item});
            tile += tallest() * columns_ * stream.item;
        });
    }

    void copy_in(int s, const Stream& stream, char* tile, int64_t r, int64_t c) {
        int64_t next = 0;  // where the next tile begins; of transposed streams run_rows asks for it
        if (!transposed_ && c + columns_ < nest_.count)
            next = address(s, r, c + columns_);
        else if (!transposed_ && r + rows_ < nest_.rows)
            next = address(s, r + rows_, 0);
        program_.copier({tile, tile_steps(stream),
                         reinterpret_cast<const char*>(frame_[stream.word]), steps(s), height_,
                         width_, stream.item, reinterpret_cast<const char*>(next), fetched_});
    }

    // Transposed streams are read some lines at a time from many pages, in which no processor looks
    // ahead: what the next tile reads is asked for while rows of this one are computed.
    void run_rows(int64_t selector, int64_t r, int64_t c) {
        if (!reads_transposed_) return function_(frame_, selector);
        int64_t stretch = section_.kind == kernel::SectionKind::Map ? 4 : height_;
        bool beside = c + columns_ < nest_.count;
        r = beside ? r : row_after(r);
        c = beside ? c + columns_ : 0;
        int64_t end = r < nest_.rows ? std::min(c + columns_, nest_.count) : c;
        int64_t lanes = (width_ * stretch + height_ - 1) / height_;
        fetched_ = true;
        for (int64_t left = height_; left > 0; left -= stretch, c += lanes) {
            fetch_lanes(r, c, std::min(lanes, end - c));
            frame_[rows_word] = std::min(stretch, left);
            function_(frame_, selector);
            move_rows(section_.ins, stretch);
            move_rows(section_.outs, stretch);
            move_rows(section_.numbers, stretch);
        }
    }

    void move_rows(const std::vector<int>& list, int64_t rows) {
        for (int s : list) frame_[stream(s).word] += rows * frame_[stream(s).word + 2];
    }

    void fetch_lanes(int64_t r, int64_t c, int64_t lanes) const {
        for_transposed([&](int s, const Stream& stream) {
            fetch_rows(reinterpret_cast<const char*>(address(s, r, c)), steps(s).item, lanes,
                       rows_ * stream.item);
        });
    }

    int64_t address(int s, int64_t r, int64_t c) const {
        return at_[s] + r * steps(s).row + c * steps(s).item;
    }
    Steps tile_steps(const Stream& stream) const { return {width_ * stream.item, stream.item}; }

    void aim(const Stream& stream, char* tile) {
        int64_t* words = frame_ + stream.word;
        words[0] = reinterpret_cast<int64_t>(tile);
        words[1] = stream.item;
        words[2] = width_ * stream.item;
    }

    // Values kept between sections: one a lane, or one for all (then the step is 0).
    void move_slots(int64_t c) {
        if (c == slots_at_) return;
        for (size_t s = static_cast<size_t>(plan_.inputs_and_outputs); s < plan_.streams.size();
             ++s) {
            int64_t* words = frame_ + plan_.streams[s].word;
            words[0] += (c - slots_at_) * words[1];
        }
        slots_at_ = c;
    }

    const Program& program_;
    SectionFunction function_;
    const Plan& plan_;
    const SectionPlan& section_;
    const Nest& nest_;
    int64_t* frame_;
    const int64_t* at_;
    char* memory_ = nullptr;
    int64_t bytes_ = 0, rows_ = 1, columns_ = 1;  ///< of tiles; the last ones are smaller:
    bool fetched_ = false;                        ///< the tile that comes next
    int64_t lead_ = 0;                            ///< rows by which the first tiles are taller
    int64_t height_ = 1, width_ = 1;
    int64_t slots_at_ = 0;
    bool transposed_ = false, reads_transposed_ = false;
};
}  // namespace

// Not inlined: its tiles would be on every launch's stack.
__attribute__((noinline)) void run_packed(const Program& program, SectionFunction function,
                                          int64_t selector, const SectionPlan& section,
                                          const Nest& nest, int64_t* frame, const int64_t* at) {
    Packer(program, function, section, nest, frame, at).run(selector);
}

}  // namespace croton::cpu
