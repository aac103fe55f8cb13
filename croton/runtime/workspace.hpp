#pragma once
// Where values of known sizes lie in one block of memory, so that the block is hardly larger than
// what lives at once.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace croton::runtime {

/// Memory is laid out by lines of 64 bytes: what so many bytes take.
constexpr int64_t whole_lines(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// What lives from step `first` to step `last`, both included.
struct Interval {
    size_t first = SIZE_MAX, last = 0;
    int64_t bytes = 0;
    bool meets(const Interval& other) const { return first <= other.last && other.first <= last; }
};

struct Packing {
    std::vector<int64_t> offsets;  ///< of each interval, multiples of 64; -1: there was no room
    int64_t bytes = 0;             ///< of the block
};

/// The largest first, each into the smallest gap that is wide enough between those that it meets
/// ("greedy by size for offset calculation": Pisarchyk, Lee, Efficient memory management for deep
/// neural net inference, 2020). Time grows with the square of the number of intervals.
/// With `room`, those that would end behind so many bytes are left out.
Packing pack_intervals(std::span<const Interval> intervals, int64_t room = INT64_MAX);

/// The most bytes that live at one step, each interval rounded up to 64: no packing needs less.
int64_t most_alive(std::span<const Interval> intervals);

}  // namespace croton::runtime
