// Launches that code of their own may run: tailor.hpp.
#include <algorithm>
#include <functional>
#include <numeric>

#include "croton/backend/cpu/launcher.hpp"

namespace croton::cpu {

bool Launcher::is_large() const { return program_.tailor && points() >= program_.tailor->least(); }

bool Launcher::has_long_rows(const Nest& nest) {
    constexpr int64_t least_lanes = 64;
    return nest.lane && nest.count >= least_lanes;
}

// Of the whole launch, whichever part of it this is.
int64_t Launcher::points() const {
    return std::accumulate(launch_.extents, launch_.extents + plan_.rank, int64_t{1},
                           std::multiplies<>());
}

// Whether there is such code: then this launch runs it.
bool Launcher::tailor(const Fit& fit, int64_t points) {
    if (!fit.any()) return false;
    const KernelCode* tailored = program_.tailor->find(fit, points);
    if (!tailored) return false;
    codes_ = tailored;
    by_section_ = false;
    return true;
}

// What of a single row lies before the first line that is written whole is done by general
// code.
void Launcher::peel(Axes& axes, Nest& nest) {
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

bool Launcher::shuffles(const Fit& fit) {
    return std::any_of(fit.apart.begin(), fit.apart.end(), [](int n) { return n > 1; });
}

// If that is the shorter way, and all outputs reach a line at once in each row: at its beginning,
// or after a head of some lanes.
void Launcher::store_past_caches(Fit& fit, const Nest& nest, std::initializer_list<Walk> walks,
                                 bool may_have_heads) const {
    if (!outgrows_caches(nest) || !writes_lines(nest)) return;
    bool begin = begin_lines(), one_head = may_have_heads;
    for (const auto& [axes, lane] : walks) {
        begin = begin && rows_begin_lines(axes, lane);
        one_head = one_head && have_one_head(axes, lane, nest);
    }
    fit.heads = !begin && one_head;
    fit.streaming = begin || one_head;
}

Fit Launcher::fit_of(const Axes& axes, const Order& order, const Nest& nest) const {
    Fit fit{distances(nest), false};
    if (!shuffles(fit)) fit.by_products = plan_.by_products;
    store_past_caches(fit, nest, {{axes, order.lane}}, fit.by_products == 0);
    return fit;
}

// Kernels of several sections: what is folded is folded in the same order.
Fit Launcher::fit_of_rows(const Axes& outer, const Axes& inner, const Order& order,
                          const Nest& nest) const {
    bool stores = false;
    for_element_outputs([&](int) { stores = true; });
    Fit fit{std::vector<int>(plan_.streams.size(), 1)};
    if (stores && has_long_rows(nest))
        store_past_caches(fit, nest, {{outer, -1}, {inner, order.lane}}, only_maps_store());
    fit.whole_rows = in_whole_rows(outer, order, nest);
    if (fit.whole_rows) note_steps(fit, nest);
    return fit;
}

// Folds take the lanes of a row in their order.
bool Launcher::only_maps_store() const {
    return std::all_of(
        plan_.sections.begin(), plan_.sections.end(), [](const SectionPlan& section) {
            return section.kind != kernel::SectionKind::Reduce || section.outs.empty();
        });
}

// Outer sections look at the first lane alone.
void Launcher::note_steps(Fit& fit, const Nest& nest) const {
    for (const SectionPlan& section : plan_.sections) {
        if (section.kind == kernel::SectionKind::Outer) continue;
        for (const auto* list : {&section.ins, &section.outs, &section.numbers})
            for (int s : *list) {
                const Stream& stream = plan_.streams[static_cast<size_t>(s)];
                int items = static_cast<int>(nest.lane[s] / stream.item);
                if (!stream.uniform) fit.apart[static_cast<size_t>(s)] = items;
            }
    }
}

// One outer axis at a time, the inner ones a single row.
bool Launcher::in_whole_rows(const Axes& outer, const Order& order, const Nest& nest) const {
    bool one_row = order.loop_count == 0 && nest.rows == 1 && nest.lane;
    return one_row && outer.count > 0 && !plan_.scalar;
}

// Steps from lane to lane are in the code, those from row to row in their place.
void Launcher::run_whole_rows(const Axes& outer, const Nest& nest) {
    int last = outer.count - 1, others[64];
    std::iota(others, others + last, 0);
    set_steps(nest);
    for (int s = 0; s < streams_; ++s)
        frame_[plan_.streams[static_cast<size_t>(s)].word + 1] = outer.stride(last, s);
    frame_[rows_word] = outer.extents[last];
    frame_[count_word] = nest.count;
    walk(outer, others, last, [&] {
        for (int s = 0; s < streams_; ++s)
            frame_[plan_.streams[static_cast<size_t>(s)].word] = at_[s];
        codes_->function(frame_, codes_->first + section_selector(0, false));
    });
}

// All 1 where some stream would have to be packed all the same.
std::vector<int> Launcher::distances(const Nest& nest) const {
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
bool Launcher::outgrows_caches(const Nest& nest) const {
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

// Outputs are dense and do not overwrite what is read.
bool Launcher::writes_lines(const Nest& nest) const {
    bool whole = true;
    for_element_outputs([&](int s) {
        const Stream& stream = plan_.streams[static_cast<size_t>(s)];
        whole = whole && dense(s, nest.lane[s]) && stream.item >= 4;
        for (int in = 0; in < streams_; ++in)
            whole = whole && (plan_.streams[static_cast<size_t>(in)].kind != StreamKind::In ||
                              at_[in] != at_[s]);
    });
    return whole;
}

// Whether outputs begin where a line does.
bool Launcher::begin_lines() const {
    bool begin = true;
    for_element_outputs([&](int s) { begin = begin && at_[s] % line == 0; });
    return begin;
}

// Whether all outputs reach a line after the same number of items, in each row, and rows are so
// long that what lies before and behind whole lines is little.
bool Launcher::have_one_head(const Axes& axes, int lane, const Nest& nest) const {
    constexpr int64_t least_lanes = 512;
    int first = -1;
    bool one = nest.count >= least_lanes;
    auto same = [](int64_t a, int64_t b) { return (a - b) % line == 0; };
    for_element_outputs([&](int s) {
        if (first < 0) first = s;
        int item = plan_.streams[static_cast<size_t>(s)].item;
        one = one && item == plan_.streams[static_cast<size_t>(first)].item && at_[s] % item == 0 &&
              same(at_[s], at_[first]);
        for (int a = 0; a < axes.count; ++a)
            one = one && (a == lane || (axes.stride(a, s) % item == 0 &&
                                        same(axes.stride(a, s), axes.stride(a, first))));
    });
    return one;
}

// So do all their rows.
bool Launcher::rows_begin_lines(const Axes& axes, int lane) const {
    bool begin = true;
    for_element_outputs([&](int s) {
        for (int a = 0; a < axes.count; ++a)
            begin = begin && (a == lane || axes.stride(a, s) % line == 0);
    });
    return begin;
}

// What was stored past the caches is in memory before anybody is told that it is.
void Launcher::finish_streaming() const {
#if defined(__x86_64__)
    if (!by_section_) __builtin_ia32_sfence();
#endif
}

}  // namespace croton::cpu
