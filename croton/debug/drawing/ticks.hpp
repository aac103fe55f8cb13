#pragma once
// Where an axis has its marks.
#include <string>
#include <vector>

namespace croton::drawing {

/// The stretch of numbers that an axis shows.
struct Range {
    double low = 0, high = 1;
};

struct Tick {
    double value = 0;
    std::string label;
};

struct Axis {
    Range range;  ///< widened so that it starts and ends at, or close to, a mark
    bool logarithmic = false;
    std::vector<Tick> ticks;
    /// 0 at the low end, 1 at the high end.
    double place(double value) const;
};

/// An axis for data in `data` with about `wanted` marks at 1, 2 or 5 times a power of ten. A
/// logarithmic axis needs positive data. `tight`: the range stays that of the data.
Axis make_axis(Range data, bool logarithmic, int wanted, bool tight);

}  // namespace croton::drawing
