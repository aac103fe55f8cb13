#include "croton/backend/cpu/launch.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "croton/backend/cpu/pack.hpp"
#include "croton/backend/cpu/partial.hpp"
#include "croton/backend/cpu/script.hpp"
#include "croton/base/error.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::cpu {

using kernel::Combine;
using kernel::Fault;
using kernel::Launch;
using kernel::SectionKind;

namespace {
constexpr int64_t piece_points = 1 << 16;  // elements that make a piece of a large reduction
constexpr int64_t most_pieces = 64;
constexpr int64_t slot_budget = 16384;  // bytes of running values in a block of lanes
constexpr int64_t most_row_pieces = 16;
constexpr int64_t widest_vector = 64;  // bytes
constexpr int64_t line = 64;           // bytes
constexpr int64_t running_pad = 256;   // whole vectors are read and written at their ends

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

class Launcher {
  public:
    /// With a script, calls are written down instead of made.
    Launcher(const Program& program, const Launch& launch, int64_t begin, int64_t end,
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

    Fault run() {
        fill_constants();
        if (!plan_.running.empty())
            script_ ? script_->refuse() : run_across();
        else if (plan_.sections.size() == 1 && plan_.sections[0].kind == SectionKind::Map)
            run_map();
        else
            run_sections();
        return fault_;
    }

  private:
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
          arena_(arena_words()) {
        frame_ = arena_.take(static_cast<size_t>(plan_.words));
        at_ = arena_.take(static_cast<size_t>(streams_));
        std::copy(whole.frame_, whole.frame_ + plan_.words, frame_);
        std::copy(whole.at_, whole.at_ + streams_, at_);
        frame_[fault_word] = reinterpret_cast<int64_t>(&fault_);
    }

    size_t arena_words() const {
        auto rank = static_cast<size_t>(plan_.rank) + 2, streams = static_cast<size_t>(streams_);
        return static_cast<size_t>(plan_.words) + streams * (rank + 4) + rank;
    }

    void fill_constants() {
        frame_[fault_word] = reinterpret_cast<int64_t>(script_ ? script_->fault_place() : &fault_);
        frame_[stop_word] = reinterpret_cast<int64_t>(launch_.stop);
        for (int a = 0; a < plan_.rank; ++a) frame_[extents_word + a] = launch_.extents[a];
        for (int s = 0; s < streams_; ++s) {
            const Stream& stream = plan_.streams[static_cast<size_t>(s)];
            at_[s] = 0;
            if (stream.kind == StreamKind::Index) at_[s] = stream.number == 0 ? begin_ : 0;
            if (stream.kind > StreamKind::Out) continue;
            at_[s] = reinterpret_cast<int64_t>(launch_.pointers[stream.number]);
            if (begin_ != 0) at_[s] += begin_ * launch_.strides[stream.number][0];
        }
        if (!plan_.has_tables) return;
        for (size_t i = 0; i < plan_.tables.size(); ++i) {
            const TablePlan& table = plan_.tables[i];
            if (table.word < 0) continue;
            int64_t* words = frame_ + table.word;
            words[0] = reinterpret_cast<int64_t>(launch_.pointers[i]);
            for (int a = 0; a < table.rank; ++a) {
                words[1 + a] = launch_.sizes[i][a];
                words[1 + table.rank + a] = launch_.strides[i][a];
            }
        }
    }

    // --- axes

    int64_t extent(int axis) const { return axis == 0 ? end_ - begin_ : launch_.extents[axis]; }

    int64_t stride(int stream, int axis) const {
        const Stream& what = plan_.streams[static_cast<size_t>(stream)];
        switch (what.kind) {
            case StreamKind::In:
            case StreamKind::Out: return launch_.strides[what.number][axis];
            case StreamKind::Index: return what.number == axis;
            case StreamKind::Position: {
                if (axis < plan_.outer) return 0;
                int64_t product = 1;
                for (int a = axis + 1; a < plan_.rank; ++a) product *= launch_.extents[a];
                return product;
            }
            case StreamKind::Slot:
            case StreamKind::Kept:
            case StreamKind::Running: break;  // laid out when it is known what the lanes are
        }
        return 0;
    }

    // Axes first..last-1 without those of size 1, sorted by their strides, and neighbours merged
    // where every stream walks through both as through one.
    Axes make_axes(int first, int last) {
        Axes axes;
        axes.streams = streams_;
        auto most = static_cast<size_t>(last - first);
        axes.extents = arena_.take(most);
        axes.strides = arena_.take(most * static_cast<size_t>(streams_));
        int order[64];
        int64_t spans[64];
        int count = 0;
        for (int a = first; a < last; ++a) {
            // Pieces of a launch that folds across have the axes of the whole.
            if (extent(a) == 1 && (!running_.memory || launch_.extents[a] == 1)) continue;
            int place = count++;
            int64_t own = span_along(a);
            for (; place > 0 && own > spans[place - 1]; --place) {
                order[place] = order[place - 1];
                spans[place] = spans[place - 1];
            }
            order[place] = a;
            spans[place] = own;
        }
        for (int i = 0; i < count; ++i) add_axis(axes, order[i]);
        return axes;
    }

    // How far one step along an axis goes, all operands together.
    int64_t span_along(int axis) const {
        int64_t sum = 0;
        for (int s = 0; s < streams_; ++s)
            if (plan_.streams[static_cast<size_t>(s)].kind <= StreamKind::Out)
                sum += std::abs(stride(s, axis));
        return sum;
    }

    void add_axis(Axes& axes, int axis) {
        int64_t size = extent(axis);
        int64_t* own = axes.strides + axes.count * streams_;
        for (int s = 0; s < streams_; ++s) own[s] = stride(s, axis);
        if (axes.count > 0) {
            int64_t* before = own - streams_;
            bool merges = true;
            for (int s = 0; s < streams_ && merges; ++s) merges = before[s] == own[s] * size;
            if (merges) {
                std::copy(own, own + streams_, before);
                axes.extents[axes.count - 1] *= size;
                return;
            }
        }
        axes.extents[axes.count++] = size;
    }

    bool dense(int stream, int64_t step) const {
        return has_dense_lanes(plan_.streams[static_cast<size_t>(stream)], step);
    }

    // Streams that would have to be packed if lanes ran along this axis. What stands still there is
    // spread out, or written by sections that do not run along it.
    int packed_along(const Axes& axes, int axis) const {
        int packed = 0;
        for (int s = 0; s < streams_; ++s) {
            int64_t step = axes.stride(axis, s);
            packed += step != 0 && !dense(s, step) && !plan_.streams[static_cast<size_t>(s)].at_end;
        }
        return packed;
    }

    // The axis for lanes: few packed streams, long enough for a vector, else the innermost.
    int best_lane(const Axes& axes) const {
        int best = axes.count - 1;
        if (best <= 0) return best;
        auto cost = [&](int axis) {
            int64_t size = std::max<int64_t>(axes.extents[axis], 1);
            int64_t short_by = size >= 32 ? 0 : (32 + size - 1) / size - 1;  // half empty vectors
            return 4 * packed_along(axes, axis) + std::min<int64_t>(short_by, 8);
        };
        int64_t least = cost(best);
        for (int a = axes.count - 2; a >= 0 && least > 0; --a) {
            int64_t own = cost(a);
            if (own < least) {
                least = own;
                best = a;
            }
        }
        return best;
    }

    // The axis for rows: streams that are packed because they are dense along another axis are
    // transposed along that one. Else the innermost.
    int best_row(const Axes& axes, int lane) const {
        int best = axes.count - 1 - (lane == axes.count - 1 ? 1 : 0), most = 0;
        if (lane < 0 || packed_along(axes, lane) == 0) return best;
        for (int a = axes.count - 1; a >= 0; --a) {
            int transposed = 0;
            for (int s = 0; s < streams_; ++s)
                transposed += !dense(s, axes.stride(lane, s)) &&
                              axes.stride(a, s) == plan_.streams[static_cast<size_t>(s)].item;
            if (a != lane && transposed > most) {
                most = transposed;
                best = a;
            }
        }
        return best;
    }

    Order order_of(const Axes& axes, int lane) const {
        Order order;
        order.lane = lane;
        order.row = best_row(axes, lane);
        for (int a = 0; a < axes.count; ++a)
            if (a != lane && a != order.row) order.loops[order.loop_count++] = a;
        return order;
    }

    // --- nests

    // Calls body() at each point of some axes, with at_ moved there.
    template <class Body>
    void walk(const Axes& axes, const int* which, int count, Body body) {
        if (count == 0) return body();
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

    void set_steps(const Nest& nest) {
        for (int s = 0; s < streams_; ++s) {
            const Stream& stream = plan_.streams[static_cast<size_t>(s)];
            int64_t* words = frame_ + stream.word;
            words[1] = nest.lane ? nest.lane[s] : stream.item;
            words[2] = nest.row ? nest.row[s] : 0;
        }
    }

    bool needs_packing(const SectionPlan& section, const Nest& nest) const {
        if (!nest.lane || nest.count == 1) return false;
        for (const auto* list : {&section.ins, &section.outs})
            for (int s : *list)
                if (!dense(s, nest.lane[s])) return true;
        return false;
    }

    // One section over a nest that starts at at_. Steps are set.
    void call(int64_t selector, const SectionPlan& section, const Nest& nest, bool packed) {
        selector += first_;
        if (packed && script_) return script_->refuse();
        if (packed) {
            run_packed(program_, function_, selector, section, nest, frame_, at_);
            return set_steps(nest);
        }
        frame_[count_word] = nest.count;
        for (int64_t r = 0; r < nest.rows; r += nest.row_chunk) {
            frame_[rows_word] = std::min(nest.row_chunk, nest.rows - r);
            place_streams(plan_, section, nest, frame_, at_, r, 0);
            if (script_)
                script_->add_call(frame_, selector);
            else
                function_(frame_, selector);
            if (nest.row_chunk >= nest.rows) break;
        }
    }

    // --- kernels of one Map section

    void run_map() {
        Axes axes = make_axes(0, plan_.rank);
        for (int a = 0; a < axes.count; ++a)
            if (axes.extents[a] <= 0) return;
        const SectionPlan& section = plan_.sections[0];
        Order order = order_of(axes, best_lane(axes));
        Nest nest = nest_of(axes, order);
        set_steps(nest);
        bool packed = needs_packing(section, nest);
        if (is_large(nest)) {
            if (script_) return script_->refuse();
            peel(axes, nest);
            Fit fit = fit_of(axes, order, nest);
            if (tailor(fit, axes.points())) packed = packed && !shuffles(fit);
        }
        walk(axes, order.loops, order.loop_count,
             [&] { call(section_selector(0, false), section, nest, packed); });
        finish_streaming();
    }

    // --- code of its own for large launches of this kind

    bool is_large(const Nest& nest) const {
        constexpr int64_t large = 1 << 18, least_lanes = 64;  // elements
        return program_.tailor && nest.lane && nest.count >= least_lanes && points() >= large;
    }

    // Of the whole launch, whichever part of it this is.
    int64_t points() const {
        return std::accumulate(launch_.extents, launch_.extents + plan_.rank, int64_t{1},
                               std::multiplies<>());
    }

    // Whether there is such code: then this launch runs it.
    bool tailor(const Fit& fit, int64_t points) {
        if (!fit.any()) return false;
        const Tailored* tailored = program_.tailor->find(fit, points);
        if (!tailored) return false;
        function_ = tailored->function;
        first_ = tailored->first;
        return true;
    }

    // What of a single row lies before the first line that is written whole is done by general
    // code.
    void peel(Axes& axes, Nest& nest) {
        const SectionPlan& section = plan_.sections[0];
        if (axes.count != 1 || section.outs.empty() || !outgrows_caches(nest)) return;
        int first = section.outs[0], item = plan_.streams[static_cast<size_t>(first)].item;
        int64_t before = -at_[first] & (line - 1);
        if (before == 0 || before % item != 0) return;
        Nest head = nest;
        head.count = before / item;
        call(section_selector(0, false), section, head, needs_packing(section, head));
        for (int s = 0; s < streams_; ++s) at_[s] += head.count * nest.lane[s];
        axes.extents[0] -= head.count;
        nest.count -= head.count;
    }

    static bool shuffles(const Fit& fit) {
        return std::any_of(fit.apart.begin(), fit.apart.end(), [](int n) { return n > 1; });
    }

    Fit fit_of(const Axes& axes, const Order& order, const Nest& nest) const {
        bool streams =
            outgrows_caches(nest) && writes_whole_lines(nest) && rows_begin_lines(axes, order.lane);
        return {distances(nest), streams};
    }

    // Kernels of several sections: what is folded is folded in the same order.
    Fit fit_of_rows(const Axes& outer, const Axes& inner, const Order& order,
                    const Nest& nest) const {
        bool stores = false;
        for_element_outputs([&](int) { stores = true; });
        bool streams = stores && outgrows_caches(nest) && writes_whole_lines(nest) &&
                       rows_begin_lines(outer, -1) && rows_begin_lines(inner, order.lane);
        return {std::vector<int>(plan_.streams.size(), 1), streams};
    }

    // All 1 where some stream would have to be packed all the same.
    std::vector<int> distances(const Nest& nest) const {
        std::vector<int> none(plan_.streams.size(), 1), apart = none;
        const SectionPlan& section = plan_.sections[0];
        for (const auto* list : {&section.ins, &section.outs})
            for (int s : *list) {
                const Stream& stream = plan_.streams[static_cast<size_t>(s)];
                int64_t step = nest.lane[s], items = step / stream.item;
                if (stream.uniform || dense(s, step)) continue;
                bool fits = step % stream.item == 0 && items > 1 && items <= most_apart;
                bool read = stream.kind == StreamKind::In && stream.item == plan_.lane_bytes;
                if (!fits || !read) return none;
                apart[static_cast<size_t>(s)] = static_cast<int>(items);
            }
        return apart;
    }

    // Whether what is read and written pushes out of the caches what is written, so that lines are
    // read from memory to be written over. Then past them is the shorter way.
    bool outgrows_caches(const Nest& nest) const {
        int64_t bytes = 0;
        for (int s = 0; s < streams_; ++s) {
            const Stream& stream = plan_.streams[static_cast<size_t>(s)];
            if (stream.kind > StreamKind::Out) continue;
            int64_t own = std::clamp<int64_t>(std::abs(nest.lane[s]), stream.item, line);
            for (int a = 0; a < plan_.rank; ++a)
                if (stride(s, a) != 0) own *= launch_.extents[a];
            bytes += own;
        }
        return bytes > last_cache_bytes();
    }

    /// Calls visit(stream) for what is stored element by element.
    template <class Visit>
    void for_element_outputs(Visit visit) const {
        for (const SectionPlan& section : plan_.sections)
            for (int s : section.outs)
                if (section.kind != SectionKind::Outer &&
                    plan_.streams[static_cast<size_t>(s)].kind == StreamKind::Out)
                    visit(s);
    }

    // Outputs are dense, begin where a line does, and do not overwrite what is read.
    bool writes_whole_lines(const Nest& nest) const {
        bool whole = true;
        for_element_outputs([&](int s) {
            const Stream& stream = plan_.streams[static_cast<size_t>(s)];
            whole = whole && dense(s, nest.lane[s]) && stream.item >= 4 && at_[s] % line == 0;
            for (int in = 0; in < streams_; ++in)
                whole = whole && (plan_.streams[static_cast<size_t>(in)].kind != StreamKind::In ||
                                  at_[in] != at_[s]);
        });
        return whole;
    }

    // So do all their rows.
    bool rows_begin_lines(const Axes& axes, int lane) const {
        bool begin = true;
        for_element_outputs([&](int s) {
            for (int a = 0; a < axes.count; ++a)
                begin = begin && (a == lane || axes.stride(a, s) % line == 0);
        });
        return begin;
    }

    // What was stored past the caches is in memory before anybody is told that it is.
    void finish_streaming() const {
#if defined(__x86_64__)
        if (function_ != program_.function || first_ != program_.first) __builtin_ia32_sfence();
#endif
    }

    static Nest nest_of(const Axes& axes, const Order& order) {
        Nest nest;
        if (order.lane >= 0) {
            nest.count = axes.extents[order.lane];
            nest.lane = axes.along(order.lane);
        }
        if (order.row >= 0) {
            nest.rows = axes.extents[order.row];
            nest.row = axes.along(order.row);
        }
        return nest;
    }

    // A nest of one row has no use for the steps between rows: they say how far on that lies which
    // is read soon, a row or some rows further, or in the same one if there is no other.
    void look_ahead(Nest& nest, const Axes& outer) {
        if (nest.rows > 1 || !nest.lane) return;
        constexpr int64_t distance = 4096;
        int64_t* ahead = arena_.take(static_cast<size_t>(streams_));
        for (int s = 0; s < streams_; ++s) {
            int64_t step = outer.count > 0 ? outer.stride(outer.count - 1, s) : nest.lane[s];
            ahead[s] = step == 0 ? 0 : step * std::max<int64_t>(1, distance / std::abs(step));
        }
        nest.row = ahead;
    }

    // --- kernels of several sections

    void run_sections() {
        Axes outer = make_axes(0, plan_.outer), inner = make_axes(plan_.outer, plan_.rank);
        if (outer.points() <= 0) return;
        bool empty = inner.points() <= 0;
        if (running_.memory) {
            int across = running_.lanes > 0 ? best_lane(outer) : -1;
            return across >= 0 ? run_blocks(outer, inner, across) : run_rows(outer, inner, empty);
        }
        if (kernel::loop_section(program_.kernel)) return run_loops(outer, inner, empty);
        if (one_outer_index() && inner.points() >= 2 * piece_points)
            return script_ ? script_->refuse() : run_pieces(inner);
        int lane = empty ? -1 : lane_for_blocks(outer, inner);
        if (lane >= 0)
            run_blocks(outer, inner, lane);
        else
            run_rows(outer, inner, empty);
    }

    // The outer axis along which lanes run, or -1 if they run along an inner one.
    int lane_for_blocks(const Axes& outer, const Axes& inner) const {
        if (outer.count == 0) return -1;
        int lane = best_lane(outer);
        int64_t lanes = outer.extents[lane];
        if (lanes < 8) return -1;
        if (inner.count == 0) return lane;
        int inside = best_lane(inner);
        int64_t size = inner.extents[inside];
        int packed_inside = packed_along(inner, inside), packed = packed_along(outer, lane);
        // A row of its own costs about as much as forty elements; packing one element about one.
        double rows =
            (40.0 + static_cast<double>(size) * (1 + packed_inside)) / static_cast<double>(size);
        double blocks = 1.5 + packed + 40.0 / static_cast<double>(lanes);
        return blocks < rows ? lane : -1;
    }

    void set_slot(int stream, char* where, bool lanes) {
        const Stream& slot = plan_.streams[static_cast<size_t>(stream)];
        int64_t* words = frame_ + slot.word;
        words[0] = reinterpret_cast<int64_t>(where);
        words[1] = lanes ? slot.item : 0;
        words[2] = 0;
    }

    void place_slots(char* memory, int64_t lanes) {
        for (size_t s = static_cast<size_t>(streams_); s < plan_.streams.size(); ++s) {
            set_slot(static_cast<int>(s), memory, lanes > 1);
            int64_t bytes = lanes * plan_.streams[s].item;
            memory += (bytes + 15) / 16 * 16;
        }
    }

    void start_slots(size_t section, int64_t lanes) {
        for (const Identity& identity : program_.identities[section]) {
            const Stream& stream = plan_.streams[static_cast<size_t>(identity.slot)];
            auto* to = reinterpret_cast<char*>(frame_[stream.word]);
            if (script_) script_->add_fill(to, identity, lanes);
            identity.fill(to, lanes);
        }
    }

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

    // Along the axes in the order in which loops run: dense in any form.
    static void lay(Axes& inner, const Order& order, int stream, int64_t step) {
        auto along = [&](int axis) {
            inner.strides[axis * inner.streams + stream] = step;
            step *= inner.extents[axis];
        };
        if (order.lane >= 0) along(order.lane);
        if (order.row >= 0) along(order.row);
        for (int n = order.loop_count; n-- > 0;) along(order.loops[n]);
    }

    // One array a value, `lanes` wide.
    void place_kept(const KeptRows& memory, Axes& inner, const Order& order, int64_t lanes) {
        place_running(inner, order);
        if (plan_.kept_bytes == 0) return;
        int64_t start = memory.start(), points = inner.points();
        for (int s = 0; s < streams_; ++s) {
            const Stream& stream = plan_.streams[static_cast<size_t>(s)];
            if (stream.kind != StreamKind::Kept) continue;
            int64_t step = stream.item * lanes;
            at_[s] = start;
            start += points * step;
            lay(inner, order, s, step);
        }
    }

    // Row after row, lanes along an inner axis.
    void run_rows(const Axes& outer, Axes& inner, bool empty) {
        alignas(64) char slots[4096];
        std::unique_ptr<char[]> large;
        auto wanted = plan_.streams.size() * 16;
        if (wanted > sizeof slots && !script_) large = std::make_unique<char[]>(wanted);
        place_slots(script_ ? script_->slot_memory(wanted) : large ? large.get() : slots, 1);
        Order order = order_of(inner, best_lane(inner));
        KeptRows kept(plan_.kept_bytes * inner.points(), script_);
        place_kept(kept, inner, order, 1);
        Nest nest = nest_of(inner, order), single;
        look_ahead(nest, outer);
        set_steps(nest);
        bool packed[64], any_packed = false;
        size_t sections = plan_.sections.size();
        for (size_t n = 0; n < sections; ++n) {
            packed[n % 64] = needs_packing(plan_.sections[n], nest);
            any_packed |= packed[n % 64];
        }
        if (is_large(nest) && !any_packed) {
            if (script_) return script_->refuse();
            tailor(fit_of_rows(outer, inner, order, nest), outer.points() * inner.points());
        }
        int all[64];
        for (int a = 0; a < outer.count; ++a) all[a] = a;
        walk(outer, all, outer.count, [&] {
            for (size_t n = 0; n < sections; ++n) {
                const SectionPlan& section = plan_.sections[n];
                if (section.kind == SectionKind::Outer) {
                    call(section_selector(n, false), section, single, false);
                    continue;
                }
                if (section.kind == SectionKind::Reduce) start_slots(n, 1);
                if (empty) continue;
                bool pack_it = sections <= 64 ? packed[n] : needs_packing(section, nest);
                if (order.loop_count == 0)
                    call(section_selector(n, false), section, nest, pack_it);
                else
                    walk(inner, order.loops, order.loop_count,
                         [&] { call(section_selector(n, false), section, nest, pack_it); });
            }
        });
        finish_streaming();
    }

    // --- values folded across the outer indices: each piece of axis 0 has running values of its
    // own

    void run_across() {
        Axes outer = make_axes(0, plan_.outer), inner = make_axes(plan_.outer, plan_.rank);
        int lane = outer.points() > 0 && inner.points() > 0 ? lane_for_blocks(outer, inner) : -1;
        running_.points = inner.points();
        if (lane >= 0) running_.lanes = widest_vector / plan_.lane_bytes;
        int64_t rows = outer.points(), extent = end_, pieces = pieces_of(rows, inner.points());
        int64_t length = (extent + pieces - 1) / std::max<int64_t>(pieces, 1);
        int64_t bytes = running_bytes();
        alignas(64) char small[8192];
        std::unique_ptr<char[]> large;
        auto wanted = static_cast<size_t>(std::max<int64_t>(pieces, 1) * bytes + 64);
        if (wanted > sizeof small) large = std::make_unique_for_overwrite<char[]>(wanted);
        auto start = reinterpret_cast<uintptr_t>(large ? large.get() : small);
        running_.memory = reinterpret_cast<char*>((start + 63) / 64 * 64);
        start_running(running_.memory);
        Fault faults[most_row_pieces];
        runtime::parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
            for (int64_t i = first; i < last; ++i) {
                Running own = running_;
                own.memory += i * bytes;
                if (i > 0) start_running(own.memory);
                Launcher piece(*this, i * length, std::min((i + 1) * length, extent), own);
                if (rows > 0) piece.run_sections();
                piece.fold_lanes_of_running();
                faults[static_cast<size_t>(i)] = piece.fault_;
            }
        });
        for (auto n = static_cast<size_t>(pieces); n-- > 0;)
            if (faults[n].operand >= 0) fault_ = faults[n];
        for (int64_t i = 1; i < pieces; ++i) merge_running(running_.memory + i * bytes);
        finish_running(inner);
    }

    // By sizes alone; each has many more rows than the one that is added to the others.
    int64_t pieces_of(int64_t rows, int64_t points) const {
        int64_t wanted = std::min(rows * points / (2 * piece_points), rows / 16);
        wanted = std::min({wanted, most_row_pieces, end_});
        bool along_lanes = running_.lanes > 0 && plan_.outer == 1;  // of which blocks are made
        if (along_lanes) wanted = std::min(wanted, end_ / 1024);
        if (wanted <= 1) return 1;
        int64_t length = (end_ + wanted - 1) / wanted;
        return (end_ + length - 1) / length;
    }

    int64_t running_count(const RunningPlan& running) const {
        return std::max<int64_t>(running_.lanes, 1) * (running.row ? running_.points : 1);
    }

    int64_t running_size(const RunningPlan& running) const {
        int64_t item = plan_.streams[static_cast<size_t>(running.stream)].item;
        return (running_count(running) * item + running_pad + 63) / 64 * 64;
    }

    /// Calls visit(number, plan, memory) for each folded value of a piece.
    template <class Visit>
    void for_running(char* memory, Visit visit) const {
        for (size_t n = 0; n < plan_.running.size(); ++n) {
            visit(n, plan_.running[n], memory);
            memory += running_size(plan_.running[n]);
        }
    }

    int64_t running_bytes() const {
        int64_t bytes = 0;
        for (const RunningPlan& running : plan_.running) bytes += running_size(running);
        return bytes;
    }

    DType state_of(const RunningPlan& running) const {
        return plan_.streams[static_cast<size_t>(running.stream)].dtype;
    }

    void start_running(char* memory) const {
        for_running(memory, [&](size_t n, const RunningPlan& running, char* to) {
            const Identity& identity = program_.running_start[n];
            identity.fill(to, running_count(running) + running_pad / identity.item);
        });
    }

    void place_running(Axes& inner, const Order& order) {
        if (!running_.memory) return;
        for_running(running_.memory, [&](size_t, const RunningPlan& running, char* memory) {
            int s = running.stream;
            at_[s] = reinterpret_cast<int64_t>(memory);
            int64_t item = plan_.streams[static_cast<size_t>(s)].item;
            if (running.row) lay(inner, order, s, item * std::max<int64_t>(running_.lanes, 1));
        });
    }

    void fold_lanes_of_running() const {
        if (running_.lanes <= 1) return;
        for_running(running_.memory, [&](size_t, const RunningPlan& running, char* memory) {
            fold_lanes(running.combine, state_of(running), memory,
                       running.row ? running_.points : 1, running_.lanes);
        });
    }

    void merge_running(char* next) const {
        for_running(running_.memory, [&](size_t, const RunningPlan& running, char* memory) {
            fold_rows(running.combine, state_of(running), memory, next + (memory - running_.memory),
                      running.row ? running_.points : 1);
        });
    }

    // Where the results go; the running values lie as they were laid out for the pieces.
    void finish_running(Axes& inner) {
        Order order = order_of(inner, running_.lanes > 0 ? -1 : best_lane(inner));
        int64_t spread = std::max<int64_t>(running_.lanes, 1);  // the lanes have been folded
        place_running(inner, order);
        for (const RunningPlan& running : plan_.running) {
            Order all;
            for (int a = 0; running.row && a < inner.count; ++a)
                if (a != order.lane) all.loops[all.loop_count++] = a;
            bool lanes = running.row && order.lane >= 0;
            int64_t count = lanes ? inner.extents[order.lane] : 1;
            int64_t from_step = lanes ? inner.stride(order.lane, running.stream) : 0;
            int64_t first = at_[running.stream];
            if (running.row && running_.points <= 0) continue;
            walk(inner, all.loops, all.loop_count, [&] {
                int64_t from = first + (at_[running.stream] - first) / spread;
                for (int target : running.targets)
                    store_folded(state_of(running), reinterpret_cast<const char*>(from),
                                 from_step / spread,
                                 plan_.streams[static_cast<size_t>(target)].dtype,
                                 reinterpret_cast<char*>(at_[target]),
                                 lanes ? inner.stride(order.lane, target) : 0, count);
            });
        }
    }

    // --- one outer index, many inner ones: in pieces, which several threads may take

    // Of the whole launch, whichever part of it this is.
    bool one_outer_index() const {
        return std::all_of(launch_.extents, launch_.extents + plan_.outer,
                           [](int64_t extent) { return extent == 1; });
    }

    /// How the inner axes are cut: by their sizes alone, so that results do not depend on threads.
    struct Cut {
        int axis = 0;
        int64_t length = 0, pieces = 1;
    };

    static Cut cut_of(const Axes& inner) {
        int64_t wanted = std::min<int64_t>(inner.points() / piece_points, most_pieces);
        Cut cut;
        for (int a = 1; a < inner.count; ++a)
            if (inner.extents[cut.axis] < std::min(wanted, inner.extents[a])) cut.axis = a;
        int64_t extent = inner.extents[cut.axis], whole = cut.axis == inner.count - 1 ? 64 : 1;
        cut.length = (extent + wanted - 1) / wanted;
        cut.length = (cut.length + whole - 1) / whole * whole;
        cut.pieces = (extent + cut.length - 1) / cut.length;
        return cut;
    }

    void run_pieces(Axes& inner) {
        Cut cut = cut_of(inner);
        Order order = order_of(inner, best_lane(inner));
        KeptRows kept(plan_.kept_bytes * inner.points(), nullptr);
        place_kept(kept, inner, order, 1);
        auto slots = std::make_unique<char[]>(plan_.streams.size() * 16);
        place_slots(slots.get(), 1);
        set_steps({});
        for (size_t n = 0; n < plan_.sections.size(); ++n) {
            const SectionPlan& section = plan_.sections[n];
            if (section.kind == SectionKind::Outer)
                call(section_selector(n, false), section, {}, false);
            else
                run_in_pieces(n, inner, order, cut);
        }
    }

    // Each piece folds into accumulators of its own, which are folded together in order.
    void run_in_pieces(size_t section, const Axes& inner, const Order& order, const Cut& cut) {
        start_slots(section, 1);
        size_t bytes = (16 * program_.identities[section].size() + 63) / 64 * 64;
        auto pieces = static_cast<size_t>(cut.pieces);
        auto partials = std::make_unique<char[]>(pieces * bytes);
        auto faults = std::make_unique<Fault[]>(pieces);
        runtime::parallel_for(cut.pieces, 1, [&](int64_t first, int64_t last) {
            for (int64_t i = first; i < last; ++i) {
                Launcher piece(*this);
                auto n = static_cast<size_t>(i);
                piece.run_piece(section, inner, order, cut, i, partials.get() + n * bytes);
                faults[n] = piece.fault_;
            }
        });
        for (size_t n = pieces; n-- > 0;)
            if (faults[n].operand >= 0) fault_ = faults[n];
        for (size_t n = 0; n < pieces; ++n) fold_piece(section, partials.get() + n * bytes);
    }

    void run_piece(size_t section, Axes inner, const Order& order, const Cut& cut, int64_t number,
                   char* partials) {
        int64_t extents[64], first = number * cut.length;
        std::copy(inner.extents, inner.extents + inner.count, extents);
        extents[cut.axis] = std::min(cut.length, inner.extents[cut.axis] - first);
        inner.extents = extents;
        for (int s = 0; s < streams_; ++s) at_[s] += first * inner.stride(cut.axis, s);
        for (const Identity& identity : program_.identities[section]) {
            set_slot(identity.slot, partials, false);
            partials += 16;
        }
        start_slots(section, 1);
        Nest nest = nest_of(inner, order);
        look_ahead(nest, {});
        set_steps(nest);
        const SectionPlan& what = plan_.sections[section];
        bool packed = needs_packing(what, nest);
        walk(inner, order.loops, order.loop_count,
             [&] { call(section_selector(section, false), what, nest, packed); });
    }

    void fold_piece(size_t section, char* partials) {
        auto kept = [&](int slot) {
            return reinterpret_cast<void*>(frame_[plan_.streams[static_cast<size_t>(slot)].word]);
        };
        for (size_t n = 0; n < plan_.sections[section].accumulators.size(); ++n) {
            const AccumulatorPlan& plan = plan_.sections[section].accumulators[n];
            Partial total{kept(plan.slot), nullptr}, next{partials, nullptr};
            partials += 16;
            if (plan.position_slot >= 0) {
                total.position = static_cast<int64_t*>(kept(plan.position_slot));
                next.position = reinterpret_cast<int64_t*>(partials);
                partials += 16;
            }
            auto combine = program_.kernel.sections[section].accumulators[n].combine;
            fold_partial(combine, plan.state, total, next);
        }
    }

    // A block of lanes along an outer axis at a time, the inner axes in step.
    void run_blocks(Axes& outer, Axes& inner, int lane) {
        alignas(64) char slots[slot_budget + 4096];
        int64_t lanes = block_of(outer, inner, lane);
        std::unique_ptr<char[]> large;
        auto wanted = static_cast<size_t>(lanes * plan_.slot_bytes) + 16 * plan_.streams.size();
        if (wanted > sizeof slots && !script_) large = std::make_unique<char[]>(wanted);
        place_slots(script_ ? script_->slot_memory(wanted)
                    : large ? large.get()
                            : slots,
                    std::max<int64_t>(lanes, 2));
        Order order = order_of(inner, -1);
        KeptRows kept(plan_.kept_bytes * inner.points() * lanes, script_);
        place_kept(kept, inner, order, lanes);
        Nest nest = nest_of(inner, order);
        for (int s = 0; s < streams_; ++s)
            if (plan_.streams[static_cast<size_t>(s)].kind == StreamKind::Kept)
                outer.strides[lane * streams_ + s] = plan_.streams[static_cast<size_t>(s)].item;
        nest.lane = outer.along(lane);
        nest.row_chunk = std::max<int64_t>(4, tile_budget / (lanes * 8));
        Nest single = nest;
        single.rows = 1;
        int others[64], count = 0;
        for (int a = 0; a < outer.count; ++a)
            if (a != lane) others[count++] = a;
        walk(outer, others, count, [&] {
            const int64_t* along = outer.along(lane);
            for (int64_t first = 0; first < outer.extents[lane]; first += lanes) {
                nest.count = single.count = std::min(lanes, outer.extents[lane] - first);
                run_block(inner, order, nest, single);
                for (int s = 0; s < streams_; ++s)
                    if (!is_kept(s)) at_[s] += nest.count * along[s];
            }
            for (int s = 0; s < streams_; ++s)
                if (!is_kept(s)) at_[s] -= outer.extents[lane] * along[s];
        });
    }

    // --- kernels with a loop section: blocks of lanes along an outer axis, or one outer index
    // after the other; the inner axis is run through without a break

    void run_loops(Axes& outer, const Axes& inner, bool empty) {
        int lane = outer.count > 0 ? best_lane(outer) : -1;
        bool vectors = lane >= 0 && outer.extents[lane] >= 4 && packed_along(outer, lane) == 0;
        int64_t lanes = lane >= 0 ? loop_block(outer.extents[lane]) : 1;
        alignas(64) char slots[slot_budget + 4096];
        std::unique_ptr<char[]> large;
        auto wanted = static_cast<size_t>(lanes * plan_.slot_bytes) + 16 * plan_.streams.size();
        if (wanted > sizeof slots && !script_) large = std::make_unique<char[]>(wanted);
        place_slots(script_ ? script_->slot_memory(wanted)
                    : large ? large.get()
                            : slots,
                    lane >= 0 ? std::max<int64_t>(lanes, 2) : 1);
        Nest nest, single;
        nest.lane = single.lane = lane >= 0 ? outer.along(lane) : nullptr;
        nest.rows = empty ? 0 : inner.points();
        if (inner.count > 0) nest.row = inner.along(0);
        nest.row_chunk = std::max<int64_t>(nest.rows, 1);
        int others[64], count = 0;
        for (int a = 0; a < outer.count; ++a)
            if (a != lane) others[count++] = a;
        walk(outer, others, count, [&] {
            if (lane < 0) return run_loop_block(nest, single, false);
            const int64_t* along = outer.along(lane);
            for (int64_t first = 0; first < outer.extents[lane]; first += lanes) {
                if (fault_.stopped) return;
                nest.count = single.count = std::min(lanes, outer.extents[lane] - first);
                run_loop_block(nest, single, vectors);
                for (int s = 0; s < streams_; ++s) at_[s] += nest.count * along[s];
            }
            for (int s = 0; s < streams_; ++s) at_[s] -= outer.extents[lane] * along[s];
        });
    }

    int64_t loop_block(int64_t extent) const {
        int64_t lanes = slot_budget / std::max(plan_.slot_bytes, 1) / 64 * 64;
        return std::min(std::clamp<int64_t>(lanes, 64, 1024), extent);
    }

    void run_loop_block(const Nest& nest, const Nest& single, bool vectors) {
        for (size_t n = 0; n < plan_.sections.size() && !fault_.stopped; ++n) {
            const SectionPlan& section = plan_.sections[n];
            bool outer = section.kind == SectionKind::Outer;
            set_steps(outer ? single : nest);
            if (outer)
                call(section_selector(n, false), section, single, needs_packing(section, single));
            else
                call_loop(section_selector(n, vectors), section, nest);
        }
    }

    // Of no rows too: then states end as they begin.
    void call_loop(int64_t selector, const SectionPlan& section, const Nest& nest) {
        frame_[count_word] = nest.count;
        frame_[rows_word] = nest.rows;
        place_streams(plan_, section, nest, frame_, at_, 0, 0);
        if (script_)
            script_->add_call(frame_, program_.first + selector);
        else
            program_.function(frame_, program_.first + selector);
    }

    void run_block(const Axes& inner, const Order& order, const Nest& nest, const Nest& single) {
        set_steps(nest);
        for (size_t n = 0; n < plan_.sections.size(); ++n) {
            const SectionPlan& section = plan_.sections[n];
            bool packed = needs_packing(section, nest);
            if (section.kind == SectionKind::Outer) {
                call(section_selector(n, false), section, single, packed);
                continue;
            }
            int64_t selector = section_selector(n, false);
            if (section.kind == SectionKind::Reduce) {
                start_slots(n, nest.count);
                selector = section_selector(n, true);
            }
            walk(inner, order.loops, order.loop_count,
                 [&] { call(selector, section, nest, packed); });
        }
    }

    // Lanes in a block: their slots fit the budget, and what several sections read stays cached.
    int64_t block_of(const Axes& outer, const Axes& inner, int lane) const {
        int64_t lanes = slot_budget / std::max(plan_.slot_bytes, 1) / 64 * 64;
        int passes = 0;
        for (const auto& section : plan_.sections) passes += section.kind != SectionKind::Outer;
        if (passes > 1) {
            int64_t column = 8 * inner.points();
            lanes = std::min(lanes, (int64_t{1} << 18) / std::max<int64_t>(column, 1) / 64 * 64);
        }
        return std::min(std::clamp<int64_t>(lanes, 64, 1024), outer.extents[lane]);
    }

    const Program& program_;
    const Plan& plan_;
    const Launch& launch_;
    int64_t begin_, end_;
    int streams_;
    Script* script_;
    SectionFunction function_ = program_.function;
    int64_t first_ = program_.first;
    Running running_;
    Fault fault_;
    Arena arena_;
    int64_t* frame_;
    int64_t* at_;  ///< where each stream stands: an address or a number
};
}  // namespace

Fault launch(const Program& program, const Launch& launch, int64_t begin, int64_t end) {
    return Launcher(program, launch, begin, end).run();
}

std::unique_ptr<runtime::PreparedLaunch> prepare(const Program& program, const Launch& launch) {
    auto script = std::make_unique<Script>(program);
    Launcher(program, launch, 0, -1, script.get()).run();
    if (!script->finish()) return nullptr;
    return script;
}

}  // namespace croton::cpu
