#pragma once
// Nodes that may become one kernel: where the axes of each lie, what joins with what.
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
    };
    std::vector<Member> members;  ///< inputs before users
    Dims space;                   ///< sizes of the axes
    std::vector<bool> reduced;    ///< axes that reductions fold
    bool has_reduction = false;
    bool fusable = false;  ///< others may join
    int level = 0;         ///< longer than that of every cluster it reads from
};

/// The cluster of one node. Nodes without a kernel are not fusable.
Cluster cluster_of(const FuseGraph& graph, int number);

/// Where each member of each cluster is: the driver keeps it up to date.
struct Places {
    std::vector<int> cluster;  ///< by node number
    std::vector<int> member;   ///< by node number: place in its cluster
};

/// Axis of `v` -> axis of the cluster whose member reads it; -1 where `v` has one element.
runtime::AxisMap axes_read(const FuseGraph& graph, const Cluster::Member& reader,
                           const Variable& v);

/// The two as one cluster if their axes can be laid over each other and one kernel can run it, in
/// the number of passes over memory that both take alone or less; nothing if not. `first` and
/// `second` are their numbers in `places`. Whether a third one stands between them is not asked.
std::optional<Cluster> joined(const FuseGraph& graph, const Places& places, const Cluster& a,
                              int first, const Cluster& b, int second);

/// The innermost axes are reduced and others are around them: a further pass finds its row in
/// cache.
bool inner_rows(const std::vector<bool>& reduced);

/// Whether one kernel can run it: each member covers all axes or the kept ones, sizes are within
/// limits, further passes over the reduced axes find their row in cache.
bool runs_as_kernel(const FuseGraph& graph, const Cluster& cluster);

}  // namespace croton::compile
