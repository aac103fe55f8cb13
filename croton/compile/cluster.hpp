#pragma once
// Nodes that may become one kernel: where the axes of each lie, what joins with what.
#include <algorithm>
#include <optional>
#include <vector>

#include "croton/compile/fuse_graph.hpp"
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Nodes over one index space. Each covers all of its axes or, beside a reduction, the kept ones
/// alone (then it runs once around the loops over the reduced axes).
struct Cluster {
    struct Member {
        int number;                  ///< in the FuseGraph
        runtime::AxisMap map;        ///< axis of its output -> axis of the space, -1: size 1
        runtime::AxisMap iteration;  ///< the axes along which it reads its inputs; views: none
        bool copy = false;           ///< computed here for this cluster only: its home is another
    };
    std::vector<Member> members;  ///< by number: inputs before users
    Dims space;                   ///< sizes of the axes
    std::vector<bool> reduced;    ///< axes that reductions fold
    bool has_reduction = false;
    bool fusable = false;  ///< others may join

    /// Place of the node among the members; -1: not here.
    int place(int number) const {
        if (members.empty() || number < members.front().number || number > members.back().number)
            return -1;
        auto found = std::lower_bound(members.begin(), members.end(), number,
                                      [](const Member& m, int n) { return m.number < n; });
        return found->number == number ? static_cast<int>(found - members.begin()) : -1;
    }
};

/// The cluster of one node. Nodes without a kernel are not fusable.
Cluster cluster_of(const FuseGraph& graph, int number);

/// Home cluster by node number; -1: none yet, or none any more (there are copies only).
using Homes = std::vector<int>;

/// Visits the home clusters of what the cluster's members read and do not find among themselves.
template <class Visit>
void for_producers(const FuseGraph& graph, const Homes& homes, const Cluster& cluster,
                   Visit visit) {
    for (const auto& member : cluster.members)
        for (int producer : graph[member.number].producers)
            if (producer >= 0 && cluster.place(producer) < 0)
                visit(homes[static_cast<size_t>(producer)]);
}

/// Axis of `v` -> axis of the cluster whose member reads it; -1 where `v` has one element.
runtime::AxisMap axes_read(const Node& reader, const runtime::AxisMap& map,
                           const runtime::AxisMap& iteration, const Variable& v);
inline runtime::AxisMap axes_read(const FuseGraph& graph, const Cluster::Member& reader,
                                  const Variable& v) {
    return axes_read(graph.node(reader.number), reader.map, reader.iteration, v);
}

/// A map whose axes have gone where `to` says.
runtime::AxisMap moved(const runtime::AxisMap& map, const runtime::AxisMap& to);

/// Visits (member, value) for what members of a fusable cluster read and it does not compute, but
/// literals.
template <class Visit>
void for_loads(const FuseGraph& graph, const Cluster& cluster, Visit visit) {
    for (const auto& member : cluster.members) {
        const auto& entry = graph[member.number];
        for (size_t i = 0; i < entry.node->inputs.size(); ++i) {
            int producer = entry.producers[i];
            bool inside = producer >= 0 && cluster.place(producer) >= 0;
            if (!inside && !is_literal(entry.node->inputs[i])) visit(member, entry.node->inputs[i]);
        }
    }
}

/// The two as one cluster if their axes can be laid over each other and one kernel can run it, in
/// no more passes over memory than both take alone; nothing if not. Whether a third one stands
/// between them is not asked.
std::optional<Cluster> joined(const FuseGraph& graph, const Cluster& a, const Cluster& b);

/// The two over one space, members sorted, what `a` and `b` reduce left open; nothing if their axes
/// cannot be laid over each other. A member of both is there twice.
std::optional<Cluster> laid_over(const FuseGraph& graph, const Cluster& a, const Cluster& b);

/// The axes of a space of `rank` axes that a reduction folds, whose input's axes lie at
/// `iteration`.
std::vector<bool> folded_axes(const Node& reduction, const runtime::AxisMap& iteration,
                              size_t rank);

/// Two clusters that fold different axes of one array, as one: rows are folded where they lie in
/// cache, and sums over columns or over everything are carried along from row to row.
struct Crossed {
    Cluster all;
    std::vector<Cluster> after;  ///< what is made of results that are there after the last row
};
/// Nothing if that saves no pass over memory or cannot be one kernel. Whether a third cluster
/// stands between the two is not asked.
std::optional<Crossed> crossed(const FuseGraph& graph, const Cluster& a, const Cluster& b);

/// Whether one kernel can run it: each member covers all axes or the kept ones, sizes are within
/// limits, further passes over the reduced axes find their row in cache.
bool runs_as_kernel(const FuseGraph& graph, const Cluster& cluster);

/// The member covers all axes of the space.
bool covers_all(const FuseGraph& graph, const Cluster& cluster, const Cluster::Member& member);

/// Lets readers compute cheap values anew (a subtraction, a product: what takes less time than
/// storing and loading them), so that their makers need not store them. Clusters may become empty.
void recompute_cheap_values(const FuseGraph& graph, std::vector<Cluster>& clusters,
                            const Homes& homes);

}  // namespace croton::compile
