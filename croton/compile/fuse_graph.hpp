#pragma once
// What fusing asks of a graph: its nodes by number, who reads whom. Built once, walked often.
#include <vector>

#include "croton/base/small_vector.hpp"
#include "croton/graph/node_numbers.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/graph/variable.hpp"

namespace croton::compile {

/// Whether the node runs one of two sets of values (ifelse).
bool is_branch(const Node& node);
/// Nodes that only the sides of branches need: they run inside of the branch, if at all.
NodeSet lazy_nodes(const std::vector<Node*>& order, const Variables& outputs,
                   const Variables& stops);

/// A plain product of matrices: no gemm.
bool is_matrix_product(const Node& node);

/// A constant of one element: kernels hold it as a literal.
bool is_literal(const Variable& v);
/// Runs as loops: elementwise, reduce and indexed nodes.
bool has_kernel(const Node& node);
/// A view that only permutes, inserts and drops axes: kernels read through it.
bool looks_through(const Node& node);
/// For such a view: which input axis each output axis is, -1 for an inserted one.
std::vector<int> axes_of_view(const Node& node);
/// A reduction over no axes: it has no inner loop.
bool folds_nothing(const Node& node);

class FuseGraph {
  public:
    struct Entry {
        Node* node;
        SmallVector<int, 4> producers;  ///< of each value it reads, by number; -1: not in the graph
        std::vector<int> users;
        bool output = false;  ///< somebody outside of the graph wants it
    };

    /// All applied nodes below `outputs` and above `inputs`, without those inside of branches.
    FuseGraph(const Variables& inputs, const Variables& outputs);

    int size() const { return static_cast<int>(entries_.size()); }
    const Entry& operator[](int number) const { return entries_[static_cast<size_t>(number)]; }
    const Node& node(int number) const { return *(*this)[number].node; }
    /// Number of the node that makes the value; -1: an input, a constant, inside of a branch.
    int producer(const Variable& v) const;
    /// What a node reads when it runs: for a branch the condition and all that its sides use of the
    /// surroundings.
    Variables reads(const Node& node) const;

  private:
    ValueSet stopped_;
    NodeSet lazy_;
    std::vector<Entry> entries_;  // inputs before users
    NodeNumbers numbers_;
};

}  // namespace croton::compile
