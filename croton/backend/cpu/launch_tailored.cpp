// Launches that code of their own may run: tailor.hpp.
#include <algorithm>
#include <functional>
#include <numeric>

#include "croton/backend/cpu/launcher.hpp"

namespace croton::cpu {

bool Launcher::is_large(const Nest& nest) const {
    constexpr int64_t large = 1 << 18, least_lanes = 64;  // elements
    return program_.tailor && nest.lane && nest.count >= least_lanes && points() >= large;
}

// Of the whole launch, whichever part of it this is.
int64_t Launcher::points() const {
    return std::accumulate(launch_.extents, launch_.extents + plan_.rank, int64_t{1},
                           std::multiplies<>());
}

// Whether there is such code: then this launch runs it.
bool Launcher::tailor(const Fit& fit, int64_t points) {
    if (!fit.any()) return false;
    const Tailored* tailored = program_.tailor->find(fit, points);
    if (!tailored) return false;
    function_ = tailored->function;
    first_ = tailored->first;
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

Fit Launcher::fit_of(const Axes& axes, const Order& order, const Nest& nest) const {
    bool streams =
        outgrows_caches(nest) && writes_whole_lines(nest) && rows_begin_lines(axes, order.lane);
    Fit fit{distances(nest), streams};
    if (!shuffles(fit)) fit.by_products = plan_.by_products;
    return fit;
}

// Kernels of several sections: what is folded is folded in the same order.
Fit Launcher::fit_of_rows(const Axes& outer, const Axes& inner, const Order& order,
                          const Nest& nest) const {
    bool stores = false;
    for_element_outputs([&](int) { stores = true; });
    bool streams = stores && outgrows_caches(nest) && writes_whole_lines(nest) &&
                   rows_begin_lines(outer, -1) && rows_begin_lines(inner, order.lane);
    return {std::vector<int>(plan_.streams.size(), 1), streams};
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

// Outputs are dense, begin where a line does, and do not overwrite what is read.
bool Launcher::writes_whole_lines(const Nest& nest) const {
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
    if (function_ != program_.function || first_ != program_.first) __builtin_ia32_sfence();
#endif
}

}  // namespace croton::cpu
