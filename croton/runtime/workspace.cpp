#include "croton/runtime/workspace.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace croton::runtime {

namespace {
struct Taken {
    int64_t begin, end;
};

// The smallest gap of so many bytes between what is taken (in order of its beginnings), or the end.
int64_t best_place(const std::vector<Taken>& taken, int64_t bytes) {
    int64_t end = 0, best = -1, smallest = INT64_MAX;
    for (const Taken& next : taken) {
        int64_t gap = next.begin - end;
        if (gap >= bytes && gap < smallest) {
            smallest = gap;
            best = end;
        }
        end = std::max(end, next.end);
    }
    return best >= 0 ? best : end;
}
}  // namespace

Packing pack_intervals(std::span<const Interval> intervals, int64_t room) {
    std::vector<size_t> order(intervals.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return intervals[a].bytes > intervals[b].bytes; });
    Packing packing{std::vector<int64_t>(intervals.size(), -1), 0};
    std::vector<size_t> placed;  // in order of offsets
    std::vector<Taken> taken;
    for (size_t i : order) {
        int64_t bytes = whole_lines(intervals[i].bytes);
        taken.clear();
        for (size_t other : placed)
            if (intervals[other].meets(intervals[i]))
                taken.push_back({packing.offsets[other],
                                 packing.offsets[other] + whole_lines(intervals[other].bytes)});
        int64_t offset = best_place(taken, bytes);
        if (offset > room - bytes) continue;
        packing.offsets[i] = offset;
        packing.bytes = std::max(packing.bytes, offset + bytes);
        auto after =
            std::upper_bound(placed.begin(), placed.end(), offset,
                             [&](int64_t at, size_t p) { return at < packing.offsets[p]; });
        placed.insert(after, i);
    }
    return packing;
}

int64_t most_alive(std::span<const Interval> intervals) {
    std::map<size_t, int64_t> changes;
    for (const Interval& interval : intervals) {
        changes[interval.first] += whole_lines(interval.bytes);
        changes[interval.last + 1] -= whole_lines(interval.bytes);
    }
    int64_t now = 0, most = 0;
    for (const auto& [step, bytes] : changes) most = std::max(most, now += bytes);
    return most;
}

}  // namespace croton::runtime
