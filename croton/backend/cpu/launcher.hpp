#pragma once
// How a launch is brought into its simplest form and run: see README.md. Private to the launcher,
// whose parts are the files launch*.cpp.
#include <algorithm>

#include "croton/backend/cpu/launch.hpp"
#include "croton/backend/cpu/pack.hpp"
#include "croton/backend/cpu/script.hpp"

namespace croton::cpu {

/// Working memory of a launch: on the stack, or on the heap for huge kernels.
class Arena {
  public:
    explicit Arena(size_t words) {
        if (words <= std::size(small_)) return;
        large_ = std::make_unique<int64_t[]>(words);
        next_ = large_.get();
    }
    int64_t* take(size_t words) {
        int64_t* result = next_;
        next_ += words;
        return result;
    }

  private:
    int64_t small_[640];
    std::unique_ptr<int64_t[]> large_;
    int64_t* next_ = small_;
};

/// Loop axes, outermost first; each with the stride of every stream.
struct Axes {
    int count = 0;
    int streams = 0;
    int64_t* extents = nullptr;
    int64_t* strides = nullptr;  ///< [axis * streams + stream]
    const int64_t* along(int axis) const { return strides + axis * streams; }
    int64_t stride(int axis, int stream) const { return strides[axis * streams + stream]; }
    int64_t points() const {
        int64_t product = 1;
        for (int a = 0; a < count; ++a) product *= extents[a];
        return product;
    }
};

/// Which axes of a nest are what. -1: none.
struct Order {
    int lane = -1, row = -1;
    int loops[64];
    int loop_count = 0;
};

/// One launch, or a piece of one.
class Launcher {
  public:
    /// With a script, calls are written down instead of made.
    Launcher(const Program& program, const kernel::Launch& launch, int64_t begin, int64_t end,
             Script* script = nullptr)
        : program_(program),
          plan_(program.plan),
          launch_(launch),
          begin_(begin),
          end_(end),
          streams_(plan_.inputs_and_outputs),
          script_(script),
          arena_(arena_words()) {
        frame_ = arena_.take(static_cast<size_t>(plan_.words));
        if (script_) std::fill_n(frame_, plan_.words, 0);  // parts of it are compared
        at_ = arena_.take(static_cast<size_t>(streams_));
        if (!program.can_split || end_ < 0) {
            begin_ = 0;
            end_ = plan_.rank > 0 ? launch_.extents[0] : 0;
        }
    }

    kernel::Fault run();

  private:
    static constexpr int64_t slot_budget = 16384;  // bytes of running values in a block of lanes
    static constexpr int64_t line = 64;            // bytes
    static constexpr int64_t piece_points =
        1 << 16;  // elements that make a piece of a large reduction

    /// Values folded across the outer indices, of a piece: a vector of `lanes` for each inner
    /// index, into which all vectors along the outer axis are folded; 0: one, lanes run along an
    /// inner axis.
    struct Running {
        char* memory = nullptr;
        int64_t lanes = 0, points = 0;
    };

    /// For a piece of axis 0.
    Launcher(const Launcher& whole, int64_t begin, int64_t end, Running running) : Launcher(whole) {
        begin_ = begin;
        end_ = end;
        running_ = running;
        fill_constants();
    }

    /// For a piece of the inner axes: streams and values of the sections before as they stand.
    Launcher(const Launcher& whole)
        : program_(whole.program_),
          plan_(whole.plan_),
          launch_(whole.launch_),
          begin_(whole.begin_),
          end_(whole.end_),
          streams_(whole.streams_),
          script_(nullptr),
          codes_(whole.codes_),
          by_section_(whole.by_section_),
          arena_(arena_words()) {
        frame_ = arena_.take(static_cast<size_t>(plan_.words));
        at_ = arena_.take(static_cast<size_t>(streams_));
        std::copy(whole.frame_, whole.frame_ + plan_.words, frame_);
        std::copy(whole.at_, whole.at_ + streams_, at_);
        frame_[fault_word] = reinterpret_cast<int64_t>(&fault_);
    }

    size_t arena_words() const;
    void fill_constants();

    // --- axes (launch_axes.cpp)

    int64_t extent(int axis) const { return axis == 0 ? end_ - begin_ : launch_.extents[axis]; }
    int64_t stride(int stream, int axis) const;
    Axes make_axes(int first, int last);
    int64_t span_along(int axis) const;
    void add_axis(Axes& axes, int axis);

    bool dense(int stream, int64_t step) const {
        return has_dense_lanes(plan_.streams[static_cast<size_t>(stream)], step);
    }

    int packed_along(const Axes& axes, int axis) const;
    int best_lane(const Axes& axes) const;
    int best_row(const Axes& axes, int lane) const;
    Order order_of(const Axes& axes, int lane) const;
    static Nest nest_of(const Axes& axes, const Order& order);

    // --- nests (launch.cpp)

    // Calls body() at each point of some axes, with at_ moved there.
    template <class Body>
    void walk(const Axes& axes, const int* which, int count, Body body) {
        if (count <= 0) return body();
        int64_t places[64];
        std::fill(places, places + count, 0);
        for (;;) {
            body();
            int n = count - 1;
            for (; n >= 0; --n) {
                const int64_t* strides = axes.along(which[n]);
                if (++places[n] < axes.extents[which[n]]) {
                    for (int s = 0; s < streams_; ++s) at_[s] += strides[s];
                    break;
                }
                int64_t back = axes.extents[which[n]] - 1;
                for (int s = 0; s < streams_; ++s) at_[s] -= back * strides[s];
                places[n] = 0;
            }
            if (n < 0) return;
        }
    }

    void set_steps(const Nest& nest);
    bool needs_packing(const SectionPlan& section, const Nest& nest) const;
    void call(int64_t selector, const SectionPlan& section, const Nest& nest, bool packed);
    void look_ahead(Nest& nest, const Axes& outer);

    // --- kernels of one Map section

    void run_map();

    // --- code of its own for large launches of this kind (launch_tailored.cpp)

    bool is_large() const;
    static bool has_long_rows(const Nest& nest);
    int64_t points() const;
    bool tailor(const Fit& fit, int64_t points);
    void peel(Axes& axes, Nest& nest);
    static bool shuffles(const Fit& fit);
    Fit fit_of(const Axes& axes, const Order& order, const Nest& nest) const;
    Fit fit_of_rows(const Axes& outer, const Axes& inner, const Order& order,
                    const Nest& nest) const;
    void note_steps(Fit& fit, const Nest& nest) const;
    std::vector<int> distances(const Nest& nest) const;
    bool outgrows_caches(const Nest& nest) const;

    /// Calls visit(stream) for what is stored element by element.
    template <class Visit>
    void for_element_outputs(Visit visit) const {
        for (const SectionPlan& section : plan_.sections)
            for (int s : section.outs)
                if (section.kind != kernel::SectionKind::Outer &&
                    plan_.streams[static_cast<size_t>(s)].kind == StreamKind::Out)
                    visit(s);
    }

    bool in_whole_rows(const Axes& outer, const Order& order, const Nest& nest) const;
    void run_whole_rows(const Axes& outer, const Nest& nest);
    bool writes_lines(const Nest& nest) const;
    bool begin_lines() const;
    bool only_maps_store() const;
    /// Axes walked through, and which of them are the lanes (-1: none).
    struct Walk {
        const Axes& axes;
        int lane;
    };
    void store_past_caches(Fit& fit, const Nest& nest, std::initializer_list<Walk> walks,
                           bool may_have_heads) const;
    bool have_one_head(const Axes& axes, int lane, const Nest& nest) const;
    bool rows_begin_lines(const Axes& axes, int lane) const;
    void finish_streaming() const;

    // --- kernels of several sections (launch_rows.cpp)

    void run_sections();
    void take(const SectionCodes& codes) { codes_ = codes.data(); }
    const KernelCode& code_of(int64_t selector) const {
        return codes_[by_section_ ? selector / section_selector(1, false) : 0];
    }
    bool take_columns();
    void take_rows() {
        if (program_.rows) take(program_.rows->get());
    }
    int best_lane_for_blocks(const Axes& outer, const Axes& inner) const;
    int lane_for_blocks(const Axes& outer, const Axes& inner);
    double packing(const Axes& axes, int lane, const Axes& rows) const;
    void set_slot(int stream, char* where, bool lanes);
    void place_slots(char* memory, int64_t lanes);
    void start_slots(size_t section, int64_t lanes);

    // --- values kept for each inner index

    /// Their memory: the script's, on the stack, or on the heap for long rows.
    class KeptRows {
      public:
        KeptRows(int64_t bytes, Script* script) {
            auto wanted = static_cast<size_t>(bytes) + 64;
            if (script && bytes > 0) {
                memory_ = script->kept_memory(wanted);
            } else if (wanted > sizeof small_) {
                large_ = std::make_unique_for_overwrite<char[]>(wanted);
                memory_ = large_.get();
            }
        }
        int64_t start() const { return (reinterpret_cast<int64_t>(memory_) + 63) / 64 * 64; }

      private:
        char small_[8192 + 64];
        std::unique_ptr<char[]> large_;
        char* memory_ = small_;
    };

    bool is_kept(int stream) const {
        return plan_.streams[static_cast<size_t>(stream)].kind >= StreamKind::Kept;
    }

    static void lay(Axes& inner, const Order& order, int stream, int64_t step);
    void place_kept(const KeptRows& memory, Axes& inner, const Order& order, int64_t lanes);
    void run_rows(const Axes& outer, Axes& inner, bool empty);
    void run_blocks(Axes& outer, Axes& inner, int lane);
    void run_block(const Axes& inner, const Order& order, const Nest& nest, const Nest& single);
    int64_t block_of(const Axes& outer, const Axes& inner, int lane) const;

    // --- values folded across the outer indices: each piece of axis 0 has running values of its
    // own (launch_across.cpp)

    void run_across();
    int64_t pieces_of(int64_t rows, int64_t points) const;
    int64_t running_count(const RunningPlan& running) const;
    int64_t running_size(const RunningPlan& running) const;

    /// Calls visit(number, plan, memory) for each folded value of a piece.
    template <class Visit>
    void for_running(char* memory, Visit visit) const {
        for (size_t n = 0; n < plan_.running.size(); ++n) {
            visit(n, plan_.running[n], memory);
            memory += running_size(plan_.running[n]);
        }
    }

    int64_t running_bytes() const;

    DType state_of(const RunningPlan& running) const {
        return plan_.streams[static_cast<size_t>(running.stream)].dtype;
    }

    void start_running(char* memory) const;
    void place_running(Axes& inner, const Order& order);
    void fold_lanes_of_running() const;
    void merge_running(char* next) const;
    void finish_running(Axes& inner);

    // --- one outer index, many inner ones: in pieces, which several threads may take
    // (launch_pieces.cpp)

    bool one_outer_index() const;

    /// How the inner axes are cut: by their sizes alone, so that results do not depend on threads.
    struct Cut {
        int axis = 0;
        int64_t length = 0, pieces = 1;
    };

    static Cut cut_of(const Axes& inner);
    void run_pieces(Axes& inner);
    void run_in_pieces(size_t section, const Axes& inner, const Order& order, const Cut& cut);
    void run_piece(size_t section, Axes inner, const Order& order, const Cut& cut, int64_t number,
                   char* partials);
    void fold_piece(size_t section, char* partials);

    // --- kernels with a loop section (launch_loops.cpp)

    void run_loops(Axes& outer, const Axes& inner, bool empty);

    int64_t loop_block(int64_t extent) const {
        int64_t lanes = slot_budget / std::max(plan_.slot_bytes, 1) / 64 * 64;
        return std::min(std::clamp<int64_t>(lanes, 64, 1024), extent);
    }

    void run_loop_block(const Nest& nest, const Nest& single, bool vectors);
    void call_loop(int64_t selector, const SectionPlan& section, const Nest& nest);

    const Program& program_;
    const Plan& plan_;
    const kernel::Launch& launch_;
    int64_t begin_, end_;
    int streams_;
    Script* script_;
    const KernelCode* codes_ = program_.codes.data();
    bool by_section_ = true;  ///< tailored code is one
    Running running_;
    kernel::Fault fault_;
    Arena arena_;
    int64_t* frame_;
    int64_t* at_;  ///< where each stream stands: an address or a number
};

}  // namespace croton::cpu
