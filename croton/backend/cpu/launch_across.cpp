// Values that are folded across the outer indices.
#include <algorithm>
#include <cstring>

#include "croton/backend/cpu/launcher.hpp"
#include "croton/backend/cpu/partial.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::cpu {

using kernel::Fault;

namespace {
constexpr int64_t most_row_pieces = 16;
constexpr int64_t widest_vector = 64;  // bytes
constexpr int64_t running_pad = 256;   // whole vectors are read and written at their ends
}  // namespace

void Launcher::run_across() {
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
int64_t Launcher::pieces_of(int64_t rows, int64_t points) const {
    int64_t wanted = std::min(rows * points / (2 * piece_points), rows / 16);
    wanted = std::min({wanted, most_row_pieces, end_});
    bool along_lanes = running_.lanes > 0 && plan_.outer == 1;  // of which blocks are made
    if (along_lanes) wanted = std::min(wanted, end_ / 1024);
    if (wanted <= 1) return 1;
    int64_t length = (end_ + wanted - 1) / wanted;
    return (end_ + length - 1) / length;
}

int64_t Launcher::running_count(const RunningPlan& running) const {
    return std::max<int64_t>(running_.lanes, 1) * (running.row ? running_.points : 1);
}

int64_t Launcher::running_size(const RunningPlan& running) const {
    int64_t item = plan_.streams[static_cast<size_t>(running.stream)].item;
    return (running_count(running) * item + running_pad + 63) / 64 * 64;
}

int64_t Launcher::running_bytes() const {
    int64_t bytes = 0;
    for (const RunningPlan& running : plan_.running) bytes += running_size(running);
    return bytes;
}

void Launcher::start_running(char* memory) const {
    for_running(memory, [&](size_t n, const RunningPlan& running, char* to) {
        const Identity& identity = program_.running_start[n];
        identity.fill(to, running_count(running) + running_pad / identity.item);
    });
}

void Launcher::place_running(Axes& inner, const Order& order) {
    if (!running_.memory) return;
    for_running(running_.memory, [&](size_t, const RunningPlan& running, char* memory) {
        int s = running.stream;
        at_[s] = reinterpret_cast<int64_t>(memory);
        int64_t item = plan_.streams[static_cast<size_t>(s)].item;
        if (running.row) lay(inner, order, s, item * std::max<int64_t>(running_.lanes, 1));
    });
}

void Launcher::fold_lanes_of_running() const {
    if (running_.lanes <= 1) return;
    for_running(running_.memory, [&](size_t, const RunningPlan& running, char* memory) {
        fold_lanes(running.combine, state_of(running), memory, running.row ? running_.points : 1,
                   running_.lanes);
    });
}

void Launcher::merge_running(char* next) const {
    for_running(running_.memory, [&](size_t, const RunningPlan& running, char* memory) {
        fold_rows(running.combine, state_of(running), memory, next + (memory - running_.memory),
                  running.row ? running_.points : 1);
    });
}

// Where the results go; the running values lie as they were laid out for the pieces.
void Launcher::finish_running(Axes& inner) {
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
                             from_step / spread, plan_.streams[static_cast<size_t>(target)].dtype,
                             reinterpret_cast<char*>(at_[target]),
                             lanes ? inner.stride(order.lane, target) : 0, count);
        });
    }
}

}  // namespace croton::cpu
