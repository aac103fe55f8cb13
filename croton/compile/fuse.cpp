#include "croton/compile/fuse.hpp"

#include <algorithm>

#include "croton/compile/cluster.hpp"
#include "croton/compile/cluster_dag.hpp"

namespace croton::compile {

using runtime::AxisMap;

namespace {
// So many clusters that read the same value are offered to a cluster.
constexpr size_t most_readers = 4;

/// First values meet their users, then cheap ones are computed where they are needed, then clusters
/// that read the same arrays share a loop. In another order, loops shared early keep users away.
/// Last, sums over columns ride along with kernels of rows.
class Fuser {
  public:
    explicit Fuser(const FuseGraph& graph)
        : graph_(graph), homes_(static_cast<size_t>(graph.size()), -1) {}

    std::vector<Cluster> run() {
        for (int n = 0; n < graph_.size(); ++n) place(n);
        recompute_cheap_values(graph_, clusters_, homes_);
        share_loads();
        cross();
        std::vector<Cluster> result;
        for (int c : schedule()) result.push_back(std::move(at(c)));
        return result;
    }

  private:
    Cluster& at(int cluster) { return clusters_[static_cast<size_t>(cluster)]; }
    int home(int node) const { return node < 0 ? -1 : homes_[static_cast<size_t>(node)]; }

    std::vector<int> producers_of(const Cluster& cluster) const {
        std::vector<int> result;
        for_producers(graph_, homes_, cluster, [&](int c) { result.push_back(c); });
        return result;
    }

    // The members are at home here now.
    void settle(const Cluster& cluster, int c) {
        for (const auto& member : cluster.members)
            if (!member.copy) homes_[static_cast<size_t>(member.number)] = c;
    }

    void add(Cluster cluster) {
        int number = dag_.add(producers_of(cluster));
        CROTON_ASSERT(number == static_cast<int>(clusters_.size()));
        clusters_.push_back(std::move(cluster));
        settle(at(number), number);
    }

    // --- values and their users ------------------------------------------------------------------

    void place(int n) {
        if (looks_through(graph_.node(n)) && join_view(n)) return;
        add(cluster_of(graph_, n));
        if (!at(home(n)).fusable) return;
        for (int producer : latest_first(graph_[n].producers)) join(home(n), home(producer));
        // Beside a reduction there is a place for what its cluster needs once a row.
        if (graph_.node(n).op->kind<ReduceCompute>())
            for (int c : producers_of(at(home(n)))) join(home(n), dag_.find(c));
    }

    // What host code copies in blocks (joins), where some reader or the caller wants the whole of
    // it: an element that asks which part it comes from costs ten times as much as one that is
    // read.
    bool better_copied(const Cluster& cluster) const {
        if (cluster.members.size() != 1) return false;
        const auto& entry = graph_[cluster.members[0].number];
        return host_code(*entry.node->op).run &&
               (entry.output || std::any_of(entry.users.begin(), entry.users.end(), [&](int user) {
                    return !has_kernel(graph_.node(user));
                }));
    }

    // A view of a value that a cluster computes is read where that value is.
    bool join_view(int n) {
        int producer = graph_[n].producers[0], c = home(producer);
        if (c < 0 || !at(c).fusable) return false;
        const AxisMap& from = at(c).members[static_cast<size_t>(at(c).place(producer))].map;
        auto axes = axes_of_view(graph_.node(n));
        for (size_t axis = 0; axis < from.size(); ++axis)  // what it drops must be one element
            if (from[axis] >= 0 &&
                std::find(axes.begin(), axes.end(), static_cast<int>(axis)) == axes.end())
                return false;
        AxisMap map;
        for (int axis : axes)
            map.push_back(axis < 0 ? int8_t{-1} : from[static_cast<size_t>(axis)]);
        Cluster with = at(c);
        with.members.push_back({n, std::move(map), {}});
        if (!runs_as_kernel(graph_, with)) return false;
        at(c) = std::move(with);
        settle(at(c), c);
        return true;
    }

    // Single numbers last: a size that joins what is made of a sum would keep others from that sum.
    std::vector<int> latest_first(const SmallVector<int, 4>& producers) {
        std::vector<int> found;
        for (int producer : producers)
            if (int c = home(producer); c >= 0 && at(c).fusable) found.push_back(producer);
        auto place = [&](int producer) {
            int c = home(producer);
            return std::pair(at(c).space.empty(), -dag_.level(c));
        };
        std::stable_sort(found.begin(), found.end(),
                         [&](int a, int b) { return place(a) < place(b); });
        return found;
    }

    void join(int a, int b) {
        if (a == b || better_copied(at(a)) || better_copied(at(b))) return;
        auto both = joined(graph_, at(a), at(b));
        if (!both || dag_.apart(a, b)) return;
        dag_.merge(b, a);
        at(b) = std::move(*both);
        at(a) = Cluster();
        settle(at(b), b);
    }

    // --- clusters that read the same arrays ------------------------------------------------------

    void share_loads() {
        std::vector<Cluster> all;
        for (int c : schedule()) all.push_back(std::move(at(c)));
        clusters_.clear();
        dag_ = ClusterDag();
        // Homes first: copies do not say where they are stored. Of some nodes copies alone are
        // left.
        std::fill(homes_.begin(), homes_.end(), -1);
        for (size_t number = 0; number < all.size(); ++number)
            settle(all[number], static_cast<int>(number));
        FlatMap<ValueKey, std::vector<int>> readers;
        for (auto& cluster : all) {
            add(std::move(cluster));
            join_readers(static_cast<int>(clusters_.size()) - 1, readers);
        }
    }

    void join_readers(int c, FlatMap<ValueKey, std::vector<int>>& readers) {
        if (!at(c).fusable) return;
        std::vector<ValueKey> loads;
        for_loads(graph_, at(c), [&](const Cluster::Member& member, const Variable& v) {
            bool anywhere = graph_.node(member.number).op->kind<IndexedCompute>() != nullptr;
            if (v.rank() > 0 && !anywhere &&
                std::find(loads.begin(), loads.end(), ValueKey(v)) == loads.end())
                loads.push_back(v);
        });
        int now = c;
        for (const auto& v : loads)
            if (const auto* list = readers.find(v))
                for (size_t i = list->size(); i-- > 0;)
                    if (int other = dag_.find((*list)[i]); other != now) {
                        join(now, other);
                        now = dag_.find(now);
                    }
        for (const auto& v : loads) {
            auto& list = readers[v];
            if (list.size() == most_readers) list.erase(list.begin());
            list.push_back(now);
        }
    }

    // --- clusters that fold different axes of an array -------------------------------------------

    // Those with as many passes before them first: else what could be first waits for a later pass.
    void cross() {
        pieces_.resize(clusters_.size());
        find_depths();
        cross_readers(true);
        cross_readers(false);
        // What comes after a kernel's last row was at home in it for as long as clusters merged.
        for (auto& pieces : pieces_)
            for (auto& piece : pieces) {
                clusters_.push_back(std::move(piece));
                settle(clusters_.back(), static_cast<int>(clusters_.size()) - 1);
            }
    }

    // How many kernels over several axes must run before each cluster, one after another.
    void find_depths() {
        depths_.assign(clusters_.size(), 0);
        for (int c : schedule())
            for (int producer : producers_of(at(c))) {
                int theirs = depths_[static_cast<size_t>(producer)];
                int& depth = depths_[static_cast<size_t>(c)];
                depth = std::max(depth, theirs + (at(producer).space.size() > 1));
            }
    }

    void cross_readers(bool equal_depths) {
        FlatMap<ValueKey, std::vector<int>> readers;
        for (int c = 0, count = static_cast<int>(clusters_.size()); c < count; ++c) {
            if (!at(c).fusable) continue;
            auto cross_with = [&](int other) {
                bool equal = depths_[static_cast<size_t>(c)] == depths_[static_cast<size_t>(other)];
                if (!equal_depths || equal) cross(other, c);
            };
            Variables loads;
            for_loads(graph_, at(c), [&](const Cluster::Member& member, const Variable& v) {
                bool anywhere = graph_.node(member.number).op->kind<IndexedCompute>() != nullptr;
                if (v.rank() > 1 && !anywhere) loads.push_back(v);
            });
            for (const auto& v : loads) {
                if (int maker = home(graph_.producer(v)); maker >= 0) cross_with(maker);
                auto& list = readers[v];
                for (size_t i = list.size(); i-- > 0;) cross_with(list[i]);
                if (list.size() == most_readers) list.erase(list.begin());
                list.push_back(c);
            }
        }
    }

    void cross(int one, int other) {
        int a = dag_.find(one), b = dag_.find(other);
        if (a == b || reads_piece(a, b) || reads_piece(b, a)) return;
        if (better_copied(at(a)) || better_copied(at(b))) return;
        auto both = crossed(graph_, at(a), at(b));
        if (!both || dag_.apart(a, b)) return;
        dag_.merge(a, b);
        at(a) = std::move(both->all);
        at(b) = Cluster();
        settle(at(a), a);
        auto &mine = pieces_[static_cast<size_t>(a)], &theirs = pieces_[static_cast<size_t>(b)];
        for (auto* list : {&theirs, &both->after})
            for (auto& piece : *list) {
                settle(piece, a);
                mine.push_back(std::move(piece));
            }
        theirs.clear();
    }

    // The cluster reads what comes after the other one's last row.
    bool reads_piece(int reader, int maker) {
        for (const auto& member : at(reader).members)
            for (int producer : graph_[member.number].producers)
                if (home(producer) == maker && at(maker).place(producer) < 0) return true;
        return false;
    }

    // --- order -----------------------------------------------------------------------------------

    // Clusters so that producers come first, following the graph's own order: values live briefly.
    std::vector<int> schedule() {
        std::vector<int> result;
        std::vector<bool> seen(clusters_.size(), false);
        std::vector<std::pair<int, std::vector<int>>> stack;
        auto visit = [&](int c) {
            CROTON_ASSERT(c >= 0 && c < static_cast<int>(seen.size()));
            if (seen[static_cast<size_t>(c)]) return;
            seen[static_cast<size_t>(c)] = true;
            auto below = producers_of(at(c));
            std::reverse(below.begin(), below.end());
            stack.emplace_back(c, std::move(below));
        };
        for (int n = 0; n < graph_.size(); ++n) {
            if (home(n) >= 0) visit(home(n));
            while (!stack.empty()) {
                int c = stack.back().first;
                auto& below = stack.back().second;
                if (below.empty()) {
                    if (!at(c).members.empty()) result.push_back(c);
                    stack.pop_back();
                } else {
                    int next = below.back();
                    below.pop_back();
                    visit(next);
                }
            }
        }
        return result;
    }

    const FuseGraph& graph_;
    std::vector<Cluster> clusters_;
    Homes homes_;
    ClusterDag dag_;
    std::vector<int> depths_;                   // by cluster, before any crossed
    std::vector<std::vector<Cluster>> pieces_;  // by cluster: what comes after its last row
};

Group group_of(const FuseGraph& graph, Cluster cluster) {
    Group group;
    group.fusable = cluster.fusable;
    group.space = std::move(cluster.space);
    group.reduced = std::move(cluster.reduced);
    group.has_reduction = cluster.has_reduction;
    for (auto& member : cluster.members) {
        group.nodes.push_back(graph[member.number].node);
        group.copies.push_back(member.copy);
        group.maps.push_back(std::move(member.map));
        group.iterations.push_back(std::move(member.iteration));
    }
    return group;
}

// A group a node, in the graph's order.
Fusion each_alone(const FuseGraph& graph) {
    Fusion result;
    for (int n = 0; n < graph.size(); ++n) {
        Group group;
        group.nodes.push_back(graph[n].node);
        group.copies.push_back(false);
        result.groups.push_back(std::move(group));
    }
    return result;
}
}  // namespace

Fusion fuse(const Variables& inputs, const Variables& outputs, bool enable) {
    FuseGraph graph(inputs, outputs);
    if (!enable) return each_alone(graph);
    Fusion result;
    for (auto& cluster : Fuser(graph).run())
        result.groups.push_back(group_of(graph, std::move(cluster)));
    return result;
}

}  // namespace croton::compile
