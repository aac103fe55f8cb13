#pragma once
// The graph while it is rewritten: nodes with integer numbers and lists of users, equal nodes
// merged the moment they arise. Import and every replacement take time near the size of what
// changes.
#include <cstdint>
#include <vector>

#include "croton/base/small_vector.hpp"
#include "croton/graph/op.hpp"
#include "croton/rewrite/id_table.hpp"

namespace croton::rewrite {

/// Number of a node of the arena; values are (node, output index).
using NodeId = uint32_t;
struct Value {
    NodeId node = 0;
    uint32_t index = 0;
    friend bool operator==(Value, Value) = default;
};

class Arena {
  public:
    /// Takes in what `outputs` need; duplicates merge on the way.
    explicit Arena(const Variables& outputs);

    /// The arena's value of an expression, imported if it is new. Parts that came out of the arena
    /// (variable(), output()) are recognised, whatever has replaced them since.
    Value add(const Variable& expression);
    /// Makes every user of `old` use `replacement` (and drops what nobody uses any more). Internal
    /// error if dtype or rank differ.
    void replace(Value old, Value replacement);

    size_t node_count() const { return nodes_.size(); }  ///< dead ones included
    size_t live_count() const { return live_; }
    bool alive(NodeId id) const { return nodes_[id].alive; }
    const std::vector<Value>& outputs() const { return outputs_; }

    NodeKind kind(NodeId id) const { return node(id).kind; }
    const OpRecord* op(NodeId id) const { return node(id).op; }
    const Attrs& attrs(NodeId id) const { return *node(id).attrs; }
    AttrView attr_view(NodeId id) const { return {*op(id), node(id).attrs.get()}; }
    const std::vector<Value>& inputs(NodeId id) const { return nodes_[id].inputs; }
    /// Nodes that use any output of this one; may name one twice, or one that uses it no more.
    const std::vector<NodeId>& possible_users(NodeId id) const { return nodes_[id].users; }
    /// How often the outputs of a node are used, by nodes and as graph outputs.
    size_t use_count(NodeId id) const { return nodes_[id].uses; }
    const TensorType& type(Value v) const { return node(v.node).types[v.index]; }
    const Site& site(NodeId id) const { return node(id).site; }
    /// The constant's value, or null.
    const Array* constant(Value v) const { return node(v.node).constant.get(); }

    /// A variable that stands for the value in expressions given to add(). Its op and type are
    /// right; its inputs may be out of date.
    Variable variable(Value v) const { return {nodes_[v.node].origin.node_pointer(), v.index}; }
    /// The node with its present inputs, as rules and expansions must see it.
    Variable current(NodeId id);
    /// Whether the arena knows the node already.
    bool knows(const Node* node) const { return number_of(node) != IdTable::none; }
    /// The value in force for one that may have been replaced.
    Value resolve(Value v) const;

    /// Live nodes, inputs before users.
    std::vector<NodeId> order() const;
    /// The graph as ordinary variables again, types inferred anew.
    Variables extract();
    /// Short text of a value: ops to a small depth, names of leaves.
    std::string brief(Value v, int depth = 3) const;

  private:
    struct Entry {
        Variable origin;  ///< keeps the node alive and gives op, attributes, types, site
        std::vector<Value> inputs;
        std::vector<NodeId> users;   ///< may hold nodes that no longer use it
        std::vector<Value> forward;  ///< per output: what has replaced it; empty if nothing has
        uint64_t hash = 0;
        size_t uses = 0;
        bool alive = true;
        bool leaves_graph = false;  ///< may be an output of the graph
    };
    const Node& node(NodeId id) const { return nodes_[id].origin.node(); }
    static uint64_t key_of(const Node* node) { return reinterpret_cast<uintptr_t>(node); }
    NodeId number_of(const Node* node) const { return known_.find(key_of(node)); }
    NodeId import(Node* node);
    NodeId find_equal(const Node& node, const std::vector<Value>& inputs, uint64_t hash) const;
    static uint64_t hash_of(const Node& node, const std::vector<Value>& inputs);
    bool same(const Entry& entry, const Node& node, const std::vector<Value>& inputs) const;
    void forget(NodeId id);
    void release(Value v);
    size_t replace_outputs(Value from, Value to);

    std::vector<Entry> nodes_;
    std::vector<Value> outputs_;
    Variables kept_;  ///< former origins: their addresses are keys of known_
    IdTable known_;   ///< by address
    IdTable table_;   ///< live nodes by hash
    size_t live_ = 0;
};

}  // namespace croton::rewrite

template <>
struct std::hash<croton::rewrite::Value> {
    size_t operator()(croton::rewrite::Value v) const {
        return croton::mix((uint64_t{v.node} << 32) | v.index);
    }
};
