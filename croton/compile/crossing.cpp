// Sums over rows and over columns of one array in one pass over memory.
#include <algorithm>

#include "croton/compile/cluster.hpp"
#include "croton/compile/lower.hpp"

namespace croton::compile {

using Member = Cluster::Member;

namespace {
// Arrays that are known to be smaller stay in cache between two kernels.
constexpr int64_t least_elements = 1 << 14;
// The row of running values stays in the second-level cache.
constexpr int64_t most_running_bytes = 1 << 18;

const ReduceCompute* reduction(const FuseGraph& graph, const Member& member) {
    return graph.node(member.number).op->kind<ReduceCompute>();
}

std::vector<bool> opposite(std::vector<bool> axes) {
    axes.flip();
    return axes;
}

class Crossing {
  public:
    Crossing(const FuseGraph& graph, const Cluster& a, const Cluster& b)
        : graph_(graph), a_(a), b_(b) {}

    std::optional<Crossed> find() {
        if (!a_.has_reduction && !b_.has_reduction) return {};
        auto all = laid_over(graph_, a_, b_);
        if (!all || small(*all) || !saves_a_pass(all->space.size()) || !drop_copies(*all))
            return {};
        result_.all = std::move(*all);
        if (!choose_rows() || !carried_along() || !row_fits()) return {};
        if (!split_off() || !runs_as_kernel(graph_, result_.all)) return {};
        return std::move(result_);
    }

  private:
    // --- whether it pays

    template <class Visit>
    void for_whole_loads(const Cluster& cluster, size_t rank, Visit visit) const {
        for_loads(graph_, cluster, [&](const Member& member, const Variable& v) {
            if (graph_.node(member.number).op->kind<IndexedCompute>()) return;
            auto axes = axes_read(graph_, member, v);
            auto covered = std::count_if(axes.begin(), axes.end(), [](int a) { return a >= 0; });
            if (static_cast<size_t>(covered) == rank) visit(v);
        });
    }

    static bool small(const Cluster& all) {
        int64_t elements = 1;
        for (Dim dim : all.space) {
            if (!dim.known()) return false;
            elements *= dim.size();
        }
        return elements < least_elements;
    }

    // A whole array that both read, or that one makes and the other reads.
    bool saves_a_pass(size_t rank) const {
        if (rank < 2) return false;
        std::vector<ValueKey> read;
        bool found = false;
        auto made_by = [&](const Cluster& cluster, const Variable& v) {
            int producer = graph_.producer(v);
            return producer >= 0 && cluster.place(producer) >= 0;
        };
        for_whole_loads(a_, rank, [&](const Variable& v) {
            read.push_back(v);
            found = found || made_by(b_, v);
        });
        for_whole_loads(b_, rank, [&](const Variable& v) {
            bool both = std::find(read.begin(), read.end(), ValueKey(v)) != read.end();
            found = found || both || made_by(a_, v);
        });
        return found;
    }

    // What one computes and the other computes again is computed once.
    static bool drop_copies(Cluster& all) {
        for (size_t m = 1; m < all.members.size(); ++m) {
            Member &one = all.members[m - 1], &two = all.members[m];
            if (one.number != two.number) continue;
            if (!(one.map == two.map)) return false;
            one.copy = one.copy && two.copy;
            all.members.erase(all.members.begin() + static_cast<long>(m--));
        }
        return true;
    }

    // --- which axes are the rows

    std::vector<bool> folded(const Member& member) const {
        return folded_axes(graph_.node(member.number), member.iteration, result_.all.space.size());
    }

    // Rows lie along the last axes; what else is folded are the other axes, or all.
    bool choose_rows() {
        std::vector<std::vector<bool>> sets;
        for (const auto& member : result_.all.members)
            if (reduction(graph_, member)) sets.push_back(folded(member));
        auto rows_of = [](const std::vector<bool>& axes) {
            return std::is_sorted(axes.begin(), axes.end()) ? axes : opposite(axes);
        };
        auto is_all = [](const auto& set) {
            return std::find(set.begin(), set.end(), false) == set.end();
        };
        auto part = std::find_if_not(sets.begin(), sets.end(), is_all);
        if (part == sets.end()) return false;
        auto rows = rows_of(*part);
        if (!std::is_sorted(rows.begin(), rows.end())) return false;
        result_.all.reduced = rows;
        return std::all_of(sets.begin(), sets.end(), [&](const auto& set) {
            return set == rows || set == opposite(rows) || is_all(set);
        });
    }

    bool is_carried(const Member& member) const {
        return reduction(graph_, member) && folded(member) != result_.all.reduced;
    }

    // There are such reductions, and they can be.
    bool carried_along() const {
        bool any = false;
        for (const auto& member : result_.all.members) {
            if (!is_carried(member)) continue;
            any = true;
            const auto* compute = reduction(graph_, member);
            bool position = compute->combine == kernel::Combine::ArgMax ||
                            compute->combine == kernel::Combine::ArgMin;
            if (position || rejects_empty(*compute)) return false;
        }
        return any;
    }

    // Sizes that are not known are taken to be small.
    bool row_fits() const {
        int64_t bytes = 0, row = 8;
        for (size_t axis = 0; axis < result_.all.space.size(); ++axis)
            if (Dim dim = result_.all.space[axis]; result_.all.reduced[axis] && dim.known())
                row *= dim.size();
        for (const auto& member : result_.all.members)
            if (is_carried(member) && folded(member) == opposite(result_.all.reduced)) bytes += row;
        return bytes <= most_running_bytes;
    }

    // --- what comes after the last row

    // False if an element needs it.
    bool split_off() {
        Cluster& all = result_.all;
        std::vector<bool> late(all.members.size(), false);
        std::vector<Member> rest;
        for (size_t m = 0; m < all.members.size(); ++m) {
            const Member& member = all.members[m];
            bool after = false;
            for (int producer : graph_[member.number].producers)
                if (int place = producer < 0 ? -1 : all.place(producer); place >= 0)
                    after = after || late[static_cast<size_t>(place)];
            late[m] = after || is_carried(member);
            if (after && covers_all(graph_, all, member)) return false;
            if (after)
                add_after(member);
            else
                rest.push_back(member);
        }
        all.members = std::move(rest);
        return true;
    }

    // Clusters in an order of execution: each reads only earlier ones.
    void add_after(const Member& member) {
        auto& after = result_.after;
        Cluster own = cluster_of(graph_, member.number);
        own.members[0].copy = member.copy;
        for (size_t c = after.size(); c-- > 0;) {
            if (auto both = joined(graph_, after[c], own)) {
                after[c] = std::move(*both);
                return;
            }
            if (reads(member, after[c])) break;
        }
        after.push_back(std::move(own));
    }

    bool reads(const Member& member, const Cluster& cluster) const {
        const auto& producers = graph_[member.number].producers;
        return std::any_of(producers.begin(), producers.end(),
                           [&](int p) { return p >= 0 && cluster.place(p) >= 0; });
    }

    const FuseGraph& graph_;
    const Cluster &a_, &b_;
    Crossed result_;
};
}  // namespace

std::optional<Crossed> crossed(const FuseGraph& graph, const Cluster& a, const Cluster& b) {
    if (!a.fusable || !b.fusable) return {};
    return Crossing(graph, a, b).find();
}

}  // namespace croton::compile
