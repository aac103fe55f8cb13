#include "croton/compile/fuse.hpp"

#include <algorithm>

#include "croton/compile/cluster.hpp"

namespace croton::compile {

using runtime::AxisMap;

namespace {
// So many clusters are looked at to prove that none stands between two; then they stay apart.
constexpr int most_visits = 256;
// So many clusters that read the same value are offered to a node.
constexpr size_t most_readers = 4;

class Fuser {
  public:
    explicit Fuser(const FuseGraph& graph) : graph_(graph) {
        auto size = static_cast<size_t>(graph.size());
        places_.cluster.resize(size, -1);
        places_.member.resize(size, -1);
    }

    std::vector<Cluster> run() {
        for (int n = 0; n < graph_.size(); ++n) place(n);
        std::vector<Cluster> result;
        for (int c : schedule()) result.push_back(std::move(at(c)));
        return result;
    }

  private:
    Cluster& at(int cluster) { return clusters_[static_cast<size_t>(cluster)]; }
    int cluster_with(int node) const {
        return node < 0 ? -1 : places_.cluster[static_cast<size_t>(node)];
    }

    // --- one node after the other ----------------------------------------------------------------

    void place(int n) {
        const Node& node = graph_.node(n);
        if (looks_through(node) && join_view(n)) return;
        Cluster alone = cluster_of(graph_, n);
        for (int producer : graph_[n].producers)
            if (int c = cluster_with(producer); c >= 0)
                alone.level = std::max(alone.level, at(c).level + 1);
        bool fusable = alone.fusable;
        clusters_.push_back(std::move(alone));
        settle(static_cast<int>(clusters_.size()) - 1);
        if (!fusable) return;
        for (int other : candidates(n)) join(cluster_with(n), cluster_with(other));
        remember_reads(n);
    }

    // A view of a value that a cluster computes is read where that value is.
    bool join_view(int n) {
        int producer = graph_[n].producers[0], c = cluster_with(producer);
        if (c < 0 || !at(c).fusable) return false;
        const AxisMap& from =
            at(c).members[static_cast<size_t>(places_.member[static_cast<size_t>(producer)])].map;
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
        settle(c);
        return true;
    }

    // Nodes whose clusters may take this one in: producers, the latest first, then readers of the
    // same values.
    std::vector<int> candidates(int n) {
        std::vector<int> found;
        for (int producer : graph_[n].producers)
            if (int c = cluster_with(producer); c >= 0 && at(c).fusable) found.push_back(producer);
        std::stable_sort(found.begin(), found.end(), [&](int a, int b) {
            return at(cluster_with(a)).level > at(cluster_with(b)).level;
        });
        for (const auto& v : graph_.node(n).inputs) {
            if (v.rank() == 0) continue;
            const auto* list = readers_.find(v);
            if (list) found.insert(found.end(), list->rbegin(), list->rend());
        }
        return found;
    }

    void remember_reads(int n) {
        for (const auto& v : graph_.node(n).inputs) {
            if (v.rank() == 0 || is_literal(v)) continue;
            auto& list = readers_[v];
            if (list.size() == most_readers) list.erase(list.begin());
            list.push_back(n);
        }
    }

    // --- joining ---------------------------------------------------------------------------------

    void join(int a, int b) {
        if (a == b || !at(a).fusable || !at(b).fusable) return;
        if (at(a).level > at(b).level) std::swap(a, b);  // b may need a, not the other way round
        auto both = joined(graph_, places_, at(a), a, at(b), b);
        if (!both || stands_between(a, b)) return;
        both->level = at(b).level;
        at(b) = std::move(*both);
        at(a) = Cluster();
        settle(b);
        raise_users(b);
    }

    // The members of the cluster know where they are.
    void settle(int c) {
        const auto& members = at(c).members;
        for (size_t m = 0; m < members.size(); ++m) {
            auto n = static_cast<size_t>(members[m].number);
            places_.cluster[n] = c;
            places_.member[n] = static_cast<int>(m);
        }
    }

    // Whether some third cluster needs `low` and is needed by `high`: it could run neither before
    // nor after the two as one. Levels grow along every edge, so the search is short.
    bool stands_between(int low, int high) {
        if (at(low).level == at(high).level) return false;
        std::vector<int> stack{high};
        FlatSet<const Cluster*> seen;
        int visits = 0;
        while (!stack.empty()) {
            int c = stack.back();
            stack.pop_back();
            for (const auto& member : at(c).members)
                for (int producer : graph_[member.number].producers) {
                    int other = cluster_with(producer);
                    if (other < 0 || other == c || other == high) continue;
                    if (other == low) {
                        if (c != high) return true;
                        continue;
                    }
                    if (at(other).level <= at(low).level || !seen.insert(&at(other))) continue;
                    if (++visits > most_visits) return true;
                    stack.push_back(other);
                }
        }
        return false;
    }

    // Restores that levels grow along every edge after one has grown.
    void raise_users(int from) {
        std::vector<int> stack{from};
        while (!stack.empty()) {
            int c = stack.back();
            stack.pop_back();
            for (const auto& member : at(c).members)
                for (int user : graph_[member.number].users) {
                    int other = cluster_with(user);
                    if (other < 0 || other == c || at(other).level > at(c).level) continue;
                    at(other).level = at(c).level + 1;
                    stack.push_back(other);
                }
        }
    }

    // Clusters so that producers come first, following the graph's own order: values live briefly.
    std::vector<int> schedule() {
        std::vector<int> result;
        std::vector<bool> seen(clusters_.size(), false);
        std::vector<std::pair<int, std::vector<int>>> stack;
        auto visit = [&](int c) {
            if (seen[static_cast<size_t>(c)]) return;
            seen[static_cast<size_t>(c)] = true;
            std::vector<int> below;
            for (const auto& member : at(c).members)
                for (int producer : graph_[member.number].producers)
                    if (int other = cluster_with(producer); other >= 0 && other != c)
                        below.push_back(other);
            std::reverse(below.begin(), below.end());
            stack.emplace_back(c, std::move(below));
        };
        for (int n = 0; n < graph_.size(); ++n) {
            visit(cluster_with(n));
            while (!stack.empty()) {
                auto& [c, below] = stack.back();
                if (below.empty()) {
                    result.push_back(c);
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
    Places places_;
    FlatMap<ValueKey, std::vector<int>> readers_;
};

Group group_of(const FuseGraph& graph, Cluster cluster) {
    Group group;
    group.fusable = cluster.fusable;
    group.space = std::move(cluster.space);
    group.reduced = std::move(cluster.reduced);
    group.has_reduction = cluster.has_reduction;
    for (auto& member : cluster.members) {
        group.nodes.push_back(graph[member.number].node);
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
