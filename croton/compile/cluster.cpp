#include "croton/compile/cluster.hpp"

#include <algorithm>
#include <iterator>

namespace croton::compile {

using runtime::AxisMap;
using Member = Cluster::Member;

namespace {
// Larger kernels compile slower than they gain.
constexpr size_t most_members = 64, most_loads = 24;
constexpr int8_t open = -2;  // an axis whose place is not known yet

/// Axes of a space, a bit each.
using AxisSet = uint64_t;
constexpr size_t most_axes = 64;

AxisSet axis_bit(size_t axis) { return AxisSet{1} << axis; }
AxisSet all_axes(size_t rank) { return rank < most_axes ? axis_bit(rank) - 1 : ~AxisSet{0}; }
AxisSet axes_of(const AxisMap& map) {
    AxisSet axes = 0;
    for (int axis : map)
        if (axis >= 0) axes |= axis_bit(static_cast<size_t>(axis));
    return axes;
}
AxisSet axes_of(const std::vector<bool>& chosen) {
    AxisSet axes = 0;
    for (size_t axis = 0; axis < chosen.size(); ++axis)
        if (chosen[axis]) axes |= axis_bit(axis);
    return axes;
}

bool is_reduction(const FuseGraph& graph, const Member& member) {
    return graph.node(member.number).op->kind<ReduceCompute>() != nullptr;
}

// Where the axes of a reduction's result lie, if those of its input lie at `in`.
AxisMap reduced_map(const Node& node, const AxisMap& in) {
    const auto& axes = attrs_of(node).get<Ints>("axes");
    bool keepdims = attrs_of(node).get<bool>("keepdims");
    AxisMap out;
    for (size_t axis = 0; axis < in.size(); ++axis) {
        bool folded = std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
        if (!folded)
            out.push_back(in[axis]);
        else if (keepdims)
            out.push_back(-1);
    }
    return out;
}

// --- laying axes over each other ----------------------------------------------------------------

// Collects which axes of `b` are which of `a`.
class Alignment {
  public:
    Alignment(const FuseGraph& graph, const Cluster& a, const Cluster& b)
        : graph_(graph), a_(a), b_(b) {}

    bool find() {
        to_a_.resize(b_.space.size(), open);
        if (!follow_values(a_, b_, false) || !follow_values(b_, a_, true)) return false;
        if (!complete()) follow_shared_inputs();
        if (!complete() && !align_last()) return false;
        return linked_ || shared_;
    }

    bool a_is_all() const { return complete(); }
    const AxisMap& to_a() const { return to_a_; }
    AxisMap to_b() const {
        AxisMap map(a_.space.size(), open);
        for (size_t axis = 0; axis < to_a_.size(); ++axis)
            if (to_a_[axis] >= 0) map[static_cast<size_t>(to_a_[axis])] = static_cast<int8_t>(axis);
        return map;
    }

  private:
    bool complete() const { return std::find(to_a_.begin(), to_a_.end(), open) == to_a_.end(); }

    bool hit(size_t axis_of_a) const { return (hit_ & axis_bit(axis_of_a)) != 0; }

    bool link(int8_t a, int8_t b) {
        int8_t& known = to_a_[static_cast<size_t>(b)];
        if (known == a) return true;
        if (known != open || hit(static_cast<size_t>(a))) return false;
        if (!a_.space[static_cast<size_t>(a)].certainly_equals(b_.space[static_cast<size_t>(b)]))
            return false;
        known = a;
        hit_ |= axis_bit(static_cast<size_t>(a));
        return true;
    }

    // Values of `from` that members of `to` read: their axes must be the same ones.
    bool follow_values(const Cluster& from, const Cluster& to, bool swapped) {
        for (const auto& reader : to.members) {
            const auto& entry = graph_[reader.number];
            for (size_t i = 0; i < entry.producers.size(); ++i) {
                int producer = entry.producers[i];
                int place = producer < 0 ? -1 : from.place(producer);
                if (place < 0 || to.place(producer) >= 0) continue;
                if (entry.node->op->kind<IndexedCompute>()) return false;  // reads it anywhere
                const AxisMap& made = from.members[static_cast<size_t>(place)].map;
                if (!same_place(made, axes_read(graph_, reader, entry.node->inputs[i]), swapped))
                    return false;
                linked_ = true;
            }
        }
        return true;
    }

    bool same_place(const AxisMap& made, const AxisMap& read, bool swapped) {
        for (size_t axis = 0; axis < made.size(); ++axis) {
            if (made[axis] < 0) continue;  // one element: says nothing about the place
            if (read[axis] < 0) return false;
            if (!(swapped ? link(read[axis], made[axis]) : link(made[axis], read[axis])))
                return false;
        }
        return true;
    }

    // Where both read one array, they had better read the same element of it.
    void follow_shared_inputs() {
        std::vector<std::pair<ValueKey, AxisMap>> known;
        for_inputs(a_, [&](const Variable& v, const AxisMap& map) { known.emplace_back(v, map); });
        for_inputs(b_, [&](const Variable& v, const AxisMap& map) {
            for (const auto& [other, theirs] : known) {
                if (!(other == ValueKey(v))) continue;
                shared_ = true;
                for (size_t axis = 0; axis < map.size(); ++axis)
                    if (map[axis] >= 0 && theirs[axis] >= 0) link(theirs[axis], map[axis]);
            }
        });
    }

    template <class Visit>
    void for_inputs(const Cluster& cluster, Visit visit) const {
        for_loads(graph_, cluster, [&](const Member& member, const Variable& v) {
            if (v.rank() > 0 && !graph_.node(member.number).op->kind<IndexedCompute>())
                visit(v, axes_read(graph_, member, v));
        });
    }

    // What nothing else decides is aligned at the last axes. Then one space must hold the other.
    bool align_last() {
        size_t of_a = a_.space.size(), of_b = b_.space.size();
        for (size_t axis = 0; axis < of_b; ++axis) {
            if (to_a_[axis] != open || axis + of_a < of_b) continue;
            auto guess = static_cast<int8_t>(axis + of_a - of_b);
            if (!hit(static_cast<size_t>(guess))) link(guess, static_cast<int8_t>(axis));
        }
        return complete() || hit_ == all_axes(of_a);
    }

    const FuseGraph& graph_;
    const Cluster &a_, &b_;
    AxisMap to_a_;
    AxisSet hit_ = 0;  // of a
    bool linked_ = false, shared_ = false;
};

// The members, their axes going where `to` says.
std::vector<Member> moved_members(const Cluster& cluster, const AxisMap& to) {
    std::vector<Member> members;
    members.reserve(cluster.members.size());
    for (const auto& member : cluster.members)
        members.push_back(
            {member.number, moved(member.map, to), moved(member.iteration, to), member.copy});
    return members;
}

// What all reductions fold; false if they disagree.
bool agree_on_axes(const FuseGraph& graph, Cluster& all) {
    if (!all.has_reduction) return true;
    bool first = true;
    for (const auto& member : all.members) {
        if (!is_reduction(graph, member)) continue;
        auto folded = folded_axes(graph.node(member.number), member.iteration, all.space.size());
        if (!first && folded != all.reduced) return false;
        all.reduced = std::move(folded);
        first = false;
    }
    return true;
}

// As many different arrays as a kernel may load.
bool few_loads(const FuseGraph& graph, const Cluster& cluster) {
    SmallVector<ValueKey, most_loads> seen;
    bool few = true;
    for_loads(graph, cluster, [&](const Member&, const Variable& v) {
        if (!few || std::find(seen.begin(), seen.end(), ValueKey(v)) != seen.end()) return;
        if (seen.size() == most_loads) few = false;
        seen.push_back(v);
    });
    return few;
}

// A reduction over axes of one element has no inner loop whose end makes its result visible.
bool folds(const Cluster& cluster) {
    return std::find(cluster.reduced.begin(), cluster.reduced.end(), true) != cluster.reduced.end();
}

// The innermost axes are reduced and others are around them: a further pass finds its row in cache.
bool inner_rows(const std::vector<bool>& reduced) {
    return std::is_sorted(reduced.begin(), reduced.end()) && !reduced.empty() && !reduced[0];
}

// --- what a kernel can run ----------------------------------------------------------------------

class Examination {
  public:
    Examination(const FuseGraph& graph, const Cluster& cluster)
        : graph_(graph), cluster_(cluster) {}

    bool passes() {
        if (cluster_.members.size() > most_members) return false;
        if (cluster_.has_reduction && !folds(cluster_)) return false;
        if (!covered()) return false;
        if (cluster_.has_reduction && !positions_in_order()) return false;
        if (!few_loads(graph_, cluster_)) return false;
        return !cluster_.has_reduction || passes_are_cheap();
    }

  private:
    bool covered() {
        AxisSet all = all_axes(cluster_.space.size());
        if (!cluster_.has_reduction)
            return std::all_of(cluster_.members.begin(), cluster_.members.end(),
                               [&](const Member& member) { return axes_of(member.map) == all; });
        AxisSet kept = all & ~axes_of(cluster_.reduced);
        for (size_t m = 0; m < cluster_.members.size(); ++m) {
            const auto& member = cluster_.members[m];
            bool reduction = is_reduction(graph_, member);
            if (axes_of(reduction ? member.iteration : member.map) == all) {
                full_ |= uint64_t{1} << m;
                continue;
            }
            if (reduction || axes_of(member.map) != kept) return false;
            // The index space of such a node is the kernel's.
            if (graph_.node(member.number).op->kind<IndexedCompute>()) return false;
        }
        return true;
    }

    // Positions of extremes are counted along the kernel's axes: those must be in the node's order.
    bool positions_in_order() const {
        return std::all_of(cluster_.members.begin(), cluster_.members.end(), [&](const Member& m) {
            auto reduce = graph_.node(m.number).op->kind<ReduceCompute>();
            bool counts = reduce && (reduce->combine == kernel::Combine::ArgMax ||
                                     reduce->combine == kernel::Combine::ArgMin);
            return !counts || rising_where_reduced(m.iteration);
        });
    }

    bool rising_where_reduced(const AxisMap& iteration) const {
        int last = -1;
        for (int axis : iteration) {
            if (axis < 0 || !cluster_.reduced[static_cast<size_t>(axis)]) continue;
            if (axis < last) return false;
            last = axis;
        }
        return true;
    }

    // Values that need a reduction's result at every element are computed in a further pass.
    bool passes_are_cheap() {
        bool rows = inner_rows(cluster_.reduced);
        uint64_t after = 0;  // by place, as full_
        for (size_t m = 0; m < cluster_.members.size(); ++m) {
            const auto& member = cluster_.members[m];
            bool late = false;
            for (int producer : graph_[member.number].producers)
                if (int place = producer < 0 ? -1 : cluster_.place(producer); place >= 0)
                    late = late || (after >> place & 1) != 0;
            if ((full_ >> m & 1) != 0 && late && !rows) return false;
            if (late || is_reduction(graph_, member)) after |= uint64_t{1} << m;
        }
        return true;
    }

    const FuseGraph& graph_;
    const Cluster& cluster_;
    uint64_t full_ = 0;  // a bit a place: covers all axes
    static_assert(most_members <= 64);
};
}  // namespace

bool covers_all(const FuseGraph& graph, const Cluster& cluster, const Member& member) {
    return axes_of(is_reduction(graph, member) ? member.iteration : member.map) ==
           all_axes(cluster.space.size());
}

AxisMap moved(const AxisMap& map, const AxisMap& to) {
    AxisMap result;
    for (int axis : map) result.push_back(axis < 0 ? int8_t{-1} : to[static_cast<size_t>(axis)]);
    return result;
}

Cluster cluster_of(const FuseGraph& graph, int number) {
    const Node& node = graph.node(number);
    Cluster made;
    made.members.push_back({number, {}, {}});
    if (!has_kernel(node)) return made;
    Member& member = made.members[0];
    bool reduction = is_reduction(graph, member);
    // Axes of one element are no loops: values with and without them share a space.
    for (Dim dim : reduction ? node.inputs[0].type().dims : node.types[0].dims) {
        bool loop = !dim.is_one();
        member.iteration.push_back(loop ? static_cast<int8_t>(made.space.size()) : int8_t{-1});
        if (loop) made.space.push_back(dim);
    }
    made.reduced.resize(made.space.size(), false);
    member.map = reduction ? reduced_map(node, member.iteration) : member.iteration;
    made.has_reduction = reduction;
    if (reduction) made.reduced = folded_axes(node, member.iteration, made.space.size());
    made.fusable = (!reduction || folds(made)) && made.space.size() <= most_axes;
    return made;
}

AxisMap axes_read(const Node& reader, const AxisMap& map, const AxisMap& iteration,
                  const Variable& v) {
    AxisMap result(static_cast<size_t>(v.rank()), int8_t{-1});
    if (looks_through(reader)) {
        auto axes = axes_of_view(reader);
        for (size_t own = 0; own < axes.size(); ++own)
            if (axes[own] >= 0) result[static_cast<size_t>(axes[own])] = map[own];
        return result;
    }
    size_t shift = iteration.size() - result.size();
    for (size_t axis = 0; axis < result.size(); ++axis)
        if (!v.type().dims[axis].is_one()) result[axis] = iteration[axis + shift];
    return result;
}

bool runs_as_kernel(const FuseGraph& graph, const Cluster& cluster) {
    return Examination(graph, cluster).passes();
}

std::vector<bool> folded_axes(const Node& reduction, const AxisMap& iteration, size_t rank) {
    std::vector<bool> folded(rank, false);
    for (int64_t axis : attrs_of(reduction).get<Ints>("axes"))
        if (int mine = iteration[static_cast<size_t>(axis)]; mine >= 0)
            folded[static_cast<size_t>(mine)] = true;
    return folded;
}

std::optional<Cluster> laid_over(const FuseGraph& graph, const Cluster& a, const Cluster& b) {
    if (!a.fusable || !b.fusable || a.members.size() + b.members.size() > most_members) return {};
    Alignment alignment(graph, a, b);
    if (!alignment.find()) return {};
    bool into_a = alignment.a_is_all();
    Cluster all;
    all.space = into_a ? a.space : b.space;
    all.reduced.resize(all.space.size(), false);
    all.fusable = true;
    all.has_reduction = a.has_reduction || b.has_reduction;
    const auto& stay = into_a ? a.members : b.members;
    auto come = into_a ? moved_members(b, alignment.to_a()) : moved_members(a, alignment.to_b());
    all.members.reserve(stay.size() + come.size());
    std::merge(stay.begin(), stay.end(), come.begin(), come.end(), std::back_inserter(all.members),
               [](const Member& x, const Member& y) { return x.number < y.number; });
    return all;
}

std::optional<Cluster> joined(const FuseGraph& graph, const Cluster& a, const Cluster& b) {
    auto all = laid_over(graph, a, b);
    if (!all || !agree_on_axes(graph, *all)) return {};
    auto twice =
        std::adjacent_find(all->members.begin(), all->members.end(),
                           [](const Member& x, const Member& y) { return x.number == y.number; });
    if (twice != all->members.end()) return {};  // a copy and its original, perhaps elsewhere
    if (!runs_as_kernel(graph, *all)) return {};
    return all;
}

}  // namespace croton::compile
