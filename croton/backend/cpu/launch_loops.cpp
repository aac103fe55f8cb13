// Kernels with a loop section: the inner axis is run through without a break.
#include <algorithm>

#include "croton/backend/cpu/launcher.hpp"

namespace croton::cpu {

using kernel::SectionKind;

void Launcher::run_loops(Axes& outer, const Axes& inner, bool empty) {
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

void Launcher::run_loop_block(const Nest& nest, const Nest& single, bool vectors) {
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
void Launcher::call_loop(int64_t selector, const SectionPlan& section, const Nest& nest) {
    frame_[count_word] = nest.count;
    frame_[rows_word] = nest.rows;
    place_streams(plan_, section, nest, frame_, at_, 0, 0);
    const KernelCode& code = code_of(selector);
    if (script_)
        script_->add_call(code.function, frame_, code.first + selector);
    else
        code.function(frame_, code.first + selector);
}

}  // namespace croton::cpu
