#include "croton/type/strided_copy.hpp"

#include <algorithm>
#include <cstdlib>

#include "croton/base/block_copy.hpp"
#include "croton/base/small_vector.hpp"

namespace croton {

namespace {
struct Axis {
    int64_t extent, to, from;
};
using Axes = SmallVector<Axis, 8>;

// Outermost first by the strides of the target, without axes of size 1, neighbours merged.
Axes simplest(std::span<const int64_t> shape, std::span<const int64_t> to,
              std::span<const int64_t> from) {
    Axes axes;
    for (size_t a = 0; a < shape.size(); ++a) {
        if (shape[a] == 1) continue;
        axes.push_back({shape[a], to[a], from[a]});
        for (size_t n = axes.size() - 1; n > 0; --n)
            if (std::abs(axes[n].to) > std::abs(axes[n - 1].to)) std::swap(axes[n], axes[n - 1]);
    }
    Axes merged;
    for (const Axis& axis : axes) {
        bool one = !merged.empty() && merged.back().to == axis.to * axis.extent &&
                   merged.back().from == axis.from * axis.extent;
        if (one)
            merged.back() = {merged.back().extent * axis.extent, axis.to, axis.from};
        else
            merged.push_back(axis);
    }
    return merged;
}

// Takes one axis out: the one along which the source is dense, else the innermost.
Axis take_row(Axes& axes, int item) {
    if (axes.empty()) return {1, 0, 0};
    size_t chosen = axes.size() - 1;
    for (size_t a = 0; a < axes.size(); ++a)
        if (axes[a].from == item) chosen = a;
    Axis row = axes[chosen];
    axes.erase(axes.begin() + static_cast<ptrdiff_t>(chosen));
    return row;
}

Axis take_innermost(Axes& axes) {
    if (axes.empty()) return {1, 0, 0};
    Axis last = axes.back();
    axes.pop_back();
    return last;
}
}  // namespace

void copy_strided(std::span<const int64_t> shape, std::byte* to,
                  std::span<const int64_t> to_strides, const std::byte* from,
                  std::span<const int64_t> from_strides, int item) {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
    Axes axes = simplest(shape, to_strides, from_strides);
    Axis items = axes.empty() ? Axis{1, item, item} : take_innermost(axes);
    Axis rows = items.from == item ? take_innermost(axes) : take_row(axes, item);
    BlockCopy block{reinterpret_cast<char*>(to),
                    {rows.to, items.to},
                    reinterpret_cast<const char*>(from),
                    {rows.from, items.from},
                    rows.extent,
                    items.extent,
                    item};
    SmallVector<int64_t, 8> places(axes.size(), 0);
    for (;;) {
        copy_block(block);
        size_t a = axes.size();
        for (; a > 0; --a) {
            const Axis& axis = axes[a - 1];
            block.to += axis.to, block.from += axis.from;
            if (++places[a - 1] < axis.extent) break;
            block.to -= axis.extent * axis.to, block.from -= axis.extent * axis.from;
            places[a - 1] = 0;
        }
        if (a == 0) return;
    }
}

}  // namespace croton
