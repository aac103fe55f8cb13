// Kernels of several sections: row after row, or a block of lanes along an outer axis at a time.
#include <algorithm>

#include "croton/backend/cpu/launcher.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using kernel::SectionKind;

void Launcher::run_sections() {
    Axes outer = make_axes(0, plan_.outer), inner = make_axes(plan_.outer, plan_.rank);
    if (outer.points() <= 0) return;
    bool empty = inner.points() <= 0;
    if (running_.memory) {
        int across = running_.lanes > 0 && take_columns() ? best_lane(outer) : -1;
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

// If code for columns cannot be made, rows serve as well.
bool Launcher::take_columns() {
    if (!program_.columns) return true;
    try {
        take(program_.columns->get());
    } catch (const Error&) {
        return false;
    }
    return true;
}

// The outer axis along which lanes run, with code for that, or -1 if they run along an inner one.
int Launcher::lane_for_blocks(const Axes& outer, const Axes& inner) {
    int lane = best_lane_for_blocks(outer, inner);
    return lane >= 0 && take_columns() ? lane : -1;
}

int Launcher::best_lane_for_blocks(const Axes& outer, const Axes& inner) const {
    if (outer.count == 0) return -1;
    int lane = best_lane(outer);
    int64_t lanes = outer.extents[lane];
    if (lanes < 8) return -1;
    if (inner.count == 0) return lane;
    int inside = best_lane(inner);
    int64_t size = inner.extents[inside];
    // A row of its own costs about as much as forty elements.
    double rows = (40.0 + static_cast<double>(size) * (1 + packing(inner, inside, inner))) /
                  static_cast<double>(size);
    double blocks = 1.5 + packing(outer, lane, inner) + 40.0 / static_cast<double>(lanes);
    return blocks < rows ? lane : -1;
}

// Packing one element for such lanes costs about as much as computing with one, even in squares for
// streams that are dense along the rows of the nest; much more if each has a line of memory to
// itself, which other rows need again.
double Launcher::packing(const Axes& axes, int lane, const Axes& rows) const {
    double cost = 0;
    for (int s = 0; s < streams_; ++s) {
        const Stream& stream = plan_.streams[static_cast<size_t>(s)];
        int64_t step = axes.stride(lane, s);
        if (step == 0 || dense(s, step) || stream.at_end) continue;
        bool square = false;
        for (int a = 0; a < rows.count; ++a) square = square || rows.stride(a, s) == stream.item;
        cost += square || std::abs(step) < line ? 1 : 8;
    }
    return cost;
}

void Launcher::set_slot(int stream, char* where, bool lanes) {
    const Stream& slot = plan_.streams[static_cast<size_t>(stream)];
    int64_t* words = frame_ + slot.word;
    words[0] = reinterpret_cast<int64_t>(where);
    words[1] = lanes ? slot.item : 0;
    words[2] = 0;
}

void Launcher::place_slots(char* memory, int64_t lanes) {
    for (size_t s = static_cast<size_t>(streams_); s < plan_.streams.size(); ++s) {
        set_slot(static_cast<int>(s), memory, lanes > 1);
        int64_t bytes = lanes * plan_.streams[s].item;
        memory += (bytes + 15) / 16 * 16;
    }
}

void Launcher::start_slots(size_t section, int64_t lanes) {
    for (const Identity& identity : program_.identities[section]) {
        const Stream& stream = plan_.streams[static_cast<size_t>(identity.slot)];
        auto* to = reinterpret_cast<char*>(frame_[stream.word]);
        if (script_) script_->add_fill(to, identity, lanes);
        identity.fill(to, lanes);
    }
}

// Along the axes in the order in which loops run: dense in any form.
void Launcher::lay(Axes& inner, const Order& order, int stream, int64_t step) {
    auto along = [&](int axis) {
        inner.strides[axis * inner.streams + stream] = step;
        step *= inner.extents[axis];
    };
    if (order.lane >= 0) along(order.lane);
    if (order.row >= 0) along(order.row);
    for (int n = order.loop_count; n-- > 0;) along(order.loops[n]);
}

// One array a value, `lanes` wide.
void Launcher::place_kept(const KeptRows& memory, Axes& inner, const Order& order, int64_t lanes) {
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
void Launcher::run_rows(const Axes& outer, Axes& inner, bool empty) {
    take_rows();
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
        any_packed |= packed[n % 64] && plan_.sections[n].kind != SectionKind::Outer;
    }
    if (is_large() && !any_packed && !empty) {
        if (script_) return script_->refuse();
        Fit fit = fit_of_rows(outer, inner, order, nest);
        bool tailored = tailor(fit, outer.points() * inner.points());
        if (tailored && fit.whole_rows) {
            run_whole_rows(outer, nest);
            return finish_streaming();
        }
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

// A block of lanes along an outer axis at a time, the inner axes in step.
void Launcher::run_blocks(Axes& outer, Axes& inner, int lane) {
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

void Launcher::run_block(const Axes& inner, const Order& order, const Nest& nest,
                         const Nest& single) {
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
        walk(inner, order.loops, order.loop_count, [&] { call(selector, section, nest, packed); });
    }
}

// Lanes in a block: their slots fit the budget, and what several sections read stays cached.
int64_t Launcher::block_of(const Axes& outer, const Axes& inner, int lane) const {
    int64_t lanes = slot_budget / std::max(plan_.slot_bytes, 1) / 64 * 64;
    int passes = 0;
    for (const auto& section : plan_.sections) passes += section.kind != SectionKind::Outer;
    if (passes > 1) {
        int64_t column = 8 * inner.points();
        lanes = std::min(lanes, (int64_t{1} << 18) / std::max<int64_t>(column, 1) / 64 * 64);
    }
    return std::min(std::clamp<int64_t>(lanes, 64, 1024), outer.extents[lane]);
}

}  // namespace croton::cpu
