// Which axes there are, and what for.
#include <algorithm>

#include "croton/backend/cpu/launcher.hpp"

namespace croton::cpu {

int64_t Launcher::stride(int stream, int axis) const {
    const Stream& what = plan_.streams[static_cast<size_t>(stream)];
    switch (what.kind) {
        case StreamKind::In:
        case StreamKind::Out: return launch_.strides[what.number][axis];
        case StreamKind::Index: return what.number == axis;
        case StreamKind::Position: {
            if (axis < plan_.outer) return 0;
            int64_t product = 1;
            for (int a = axis + 1; a < plan_.rank; ++a) product *= launch_.extents[a];
            return product;
        }
        case StreamKind::Slot:
        case StreamKind::Kept:
        case StreamKind::Running: break;  // laid out when it is known what the lanes are
    }
    return 0;
}

// Axes first..last-1 without those of size 1, sorted by their strides, and neighbours merged
// where every stream walks through both as through one.
Axes Launcher::make_axes(int first, int last) {
    Axes axes;
    axes.streams = streams_;
    auto most = static_cast<size_t>(last - first);
    axes.extents = arena_.take(most);
    axes.strides = arena_.take(most * static_cast<size_t>(streams_));
    int order[64];
    int64_t spans[64];
    int count = 0;
    for (int a = first; a < last; ++a) {
        // Pieces of a launch that folds across have the axes of the whole.
        if (extent(a) == 1 && (!running_.memory || launch_.extents[a] == 1)) continue;
        int place = count++;
        int64_t own = span_along(a);
        for (; place > 0 && own > spans[place - 1]; --place) {
            order[place] = order[place - 1];
            spans[place] = spans[place - 1];
        }
        order[place] = a;
        spans[place] = own;
    }
    for (int i = 0; i < count; ++i) add_axis(axes, order[i]);
    return axes;
}

// How far one step along an axis goes, all operands together.
int64_t Launcher::span_along(int axis) const {
    int64_t sum = 0;
    for (int s = 0; s < streams_; ++s)
        if (plan_.streams[static_cast<size_t>(s)].kind <= StreamKind::Out)
            sum += std::abs(stride(s, axis));
    return sum;
}

void Launcher::add_axis(Axes& axes, int axis) {
    int64_t size = extent(axis);
    int64_t* own = axes.strides + axes.count * streams_;
    for (int s = 0; s < streams_; ++s) own[s] = stride(s, axis);
    if (axes.count > 0) {
        int64_t* before = own - streams_;
        bool merges = true;
        for (int s = 0; s < streams_ && merges; ++s) merges = before[s] == own[s] * size;
        if (merges) {
            std::copy(own, own + streams_, before);
            axes.extents[axes.count - 1] *= size;
            return;
        }
    }
    axes.extents[axes.count++] = size;
}

// Streams that would have to be packed if lanes ran along this axis. What stands still there is
// spread out, or written by sections that do not run along it.
int Launcher::packed_along(const Axes& axes, int axis) const {
    int packed = 0;
    for (int s = 0; s < streams_; ++s) {
        int64_t step = axes.stride(axis, s);
        packed += step != 0 && !dense(s, step) && !plan_.streams[static_cast<size_t>(s)].at_end;
    }
    return packed;
}

// The axis for lanes: few packed streams, long enough for a vector, else the innermost.
int Launcher::best_lane(const Axes& axes) const {
    int best = axes.count - 1;
    if (best <= 0) return best;
    auto cost = [&](int axis) {
        int64_t size = std::max<int64_t>(axes.extents[axis], 1);
        int64_t short_by = size >= 32 ? 0 : (32 + size - 1) / size - 1;  // half empty vectors
        return 4 * packed_along(axes, axis) + std::min<int64_t>(short_by, 8);
    };
    int64_t least = cost(best);
    for (int a = axes.count - 2; a >= 0 && least > 0; --a) {
        int64_t own = cost(a);
        if (own < least) {
            least = own;
            best = a;
        }
    }
    return best;
}

// The axis for rows: streams that are packed because they are dense along another axis are
// transposed along that one. Else the innermost.
int Launcher::best_row(const Axes& axes, int lane) const {
    int best = axes.count - 1 - (lane == axes.count - 1 ? 1 : 0), most = 0;
    if (lane < 0 || packed_along(axes, lane) == 0) return best;
    for (int a = axes.count - 1; a >= 0; --a) {
        int transposed = 0;
        for (int s = 0; s < streams_; ++s)
            transposed += !dense(s, axes.stride(lane, s)) &&
                          axes.stride(a, s) == plan_.streams[static_cast<size_t>(s)].item;
        if (a != lane && transposed > most) {
            most = transposed;
            best = a;
        }
    }
    return best;
}

Order Launcher::order_of(const Axes& axes, int lane) const {
    Order order;
    order.lane = lane;
    order.row = best_row(axes, lane);
    for (int a = 0; a < axes.count; ++a)
        if (a != lane && a != order.row) order.loops[order.loop_count++] = a;
    return order;
}

Nest Launcher::nest_of(const Axes& axes, const Order& order) {
    Nest nest;
    if (order.lane >= 0) {
        nest.count = axes.extents[order.lane];
        nest.lane = axes.along(order.lane);
    }
    if (order.row >= 0) {
        nest.rows = axes.extents[order.row];
        nest.row = axes.along(order.row);
    }
    return nest;
}

}  // namespace croton::cpu
