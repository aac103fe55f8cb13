#include <algorithm>

#include "croton/backend/cpu/launcher.hpp"

namespace croton::cpu {

using kernel::Fault;
using kernel::Launch;
using kernel::SectionKind;

Fault Launcher::run() {
    fill_constants();
    if (!plan_.running.empty())
        script_ ? script_->refuse() : run_across();
    else if (plan_.sections.size() == 1 && plan_.sections[0].kind == SectionKind::Map)
        run_map();
    else
        run_sections();
    return fault_;
}

size_t Launcher::arena_words() const {
    auto rank = static_cast<size_t>(plan_.rank) + 2, streams = static_cast<size_t>(streams_);
    return static_cast<size_t>(plan_.words) + streams * (rank + 4) + rank;
}

void Launcher::fill_constants() {
    frame_[fault_word] = reinterpret_cast<int64_t>(script_ ? script_->fault_place() : &fault_);
    frame_[stop_word] = reinterpret_cast<int64_t>(launch_.stop);
    for (int a = 0; a < plan_.extents; ++a) frame_[extents_word + a] = launch_.extents[a];
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

void Launcher::set_steps(const Nest& nest) {
    for (int s = 0; s < streams_; ++s) {
        const Stream& stream = plan_.streams[static_cast<size_t>(s)];
        int64_t* words = frame_ + stream.word;
        words[1] = nest.lane ? nest.lane[s] : stream.item;
        words[2] = nest.row ? nest.row[s] : 0;
    }
}

bool Launcher::needs_packing(const SectionPlan& section, const Nest& nest) const {
    if (!nest.lane || nest.count == 1) return false;
    for (const auto* list : {&section.ins, &section.outs})
        for (int s : *list)
            if (!dense(s, nest.lane[s])) return true;
    return false;
}

// One section over a nest that starts at at_. Steps are set.
void Launcher::call(int64_t selector, const SectionPlan& section, const Nest& nest, bool packed) {
    const KernelCode& code = code_of(selector);
    selector += code.first;
    if (packed && script_) return script_->refuse();
    if (packed) {
        run_packed(program_, code.function, selector, section, nest, frame_, at_);
        return set_steps(nest);
    }
    frame_[count_word] = nest.count;
    for (int64_t r = 0; r < nest.rows; r += nest.row_chunk) {
        frame_[rows_word] = std::min(nest.row_chunk, nest.rows - r);
        place_streams(plan_, section, nest, frame_, at_, r, 0);
        if (script_)
            script_->add_call(code.function, frame_, selector);
        else
            code.function(frame_, selector);
        if (nest.row_chunk >= nest.rows) break;
    }
}

void Launcher::run_map() {
    Axes axes = make_axes(0, plan_.rank);
    for (int a = 0; a < axes.count; ++a)
        if (axes.extents[a] <= 0) return;
    const SectionPlan& section = plan_.sections[0];
    Order order = order_of(axes, best_lane(axes));
    Nest nest = nest_of(axes, order);
    set_steps(nest);
    bool packed = needs_packing(section, nest);
    if (is_large() && has_long_rows(nest)) {
        if (script_) return script_->refuse();
        peel(axes, nest);
        Fit fit = fit_of(axes, order, nest);
        if (tailor(fit, axes.points())) packed = packed && !shuffles(fit);
    }
    walk(axes, order.loops, order.loop_count,
         [&] { call(section_selector(0, false), section, nest, packed); });
    finish_streaming();
}

// A nest of one row has no use for the steps between rows: they say how far on that lies which
// is read soon, a row or some rows further, or in the same one if there is no other.
void Launcher::look_ahead(Nest& nest, const Axes& outer) {
    if (nest.rows > 1 || !nest.lane) return;
    constexpr int64_t distance = 4096;
    int64_t* ahead = arena_.take(static_cast<size_t>(streams_));
    for (int s = 0; s < streams_; ++s) {
        int64_t step = outer.count > 0 ? outer.stride(outer.count - 1, s) : nest.lane[s];
        ahead[s] = step == 0 ? 0 : step * std::max<int64_t>(1, distance / std::abs(step));
    }
    nest.row = ahead;
}

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
