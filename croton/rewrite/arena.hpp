#pragma once
// The graph while it is rewritten: nodes with integer numbers and lists of users, equal nodes
// merged the moment they arise. Import and every replacement take time near the size of what
// changes. What rules look at first (op, inputs, users) lies in flat arrays, some hundred bytes a
// node in all: large graphs take the time that their reading takes.
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "croton/base/memory.hpp"
#include "croton/graph/node_numbers.hpp"
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

/// An input of a node, seen from the value that it reads: one link of a list of uses.
struct Use {
    static constexpr uint32_t none = UINT32_MAX;
    NodeId user = 0;
    uint32_t previous = none, next = none;
};

/// The nodes that use a node, once for each input that does.
class Users {
  public:
    class Iterator {
      public:
        Iterator(const Use* uses, uint32_t at) : uses_(uses), at_(at) {}
        NodeId operator*() const { return uses_[at_].user; }
        Iterator& operator++() {
            at_ = uses_[at_].next;
            return *this;
        }
        bool operator==(const Iterator& other) const { return at_ == other.at_; }

      private:
        const Use* uses_;
        uint32_t at_;
    };
    Users(const Use* uses, uint32_t first) : uses_(uses), first_(first) {}
    Iterator begin() const { return {uses_, first_}; }
    Iterator end() const { return {uses_, Use::none}; }

  private:
    const Use* uses_;
    uint32_t first_;
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
    /// Whether an output of the node is one of the graph.
    bool leaves_graph(NodeId id) const {
        if (!nodes_[id].leaves_graph) return false;
        auto places = output_places_.find(id);
        return places != output_places_.end() && !places->second.empty();
    }

    NodeKind kind(NodeId id) const { return nodes_[id].kind; }
    /// Null for leaves.
    const OpRecord* op(NodeId id) const { return nodes_[id].op; }
    const Attrs& attrs(NodeId id) const { return *node(id).attrs; }
    AttrView attr_view(NodeId id) const { return {*op(id), node(id).attrs.get()}; }
    /// Good until something is added.
    std::span<const Value> inputs(NodeId id) const {
        const Entry& entry = nodes_[id];
        return {inputs_.data() + entry.first_input, entry.input_count};
    }
    /// Good until something is added or replaced.
    Users users(NodeId id) const { return {uses_.data(), nodes_[id].first_use}; }
    /// How often the outputs of a node are used, by nodes and as graph outputs.
    size_t use_count(NodeId id) const { return nodes_[id].uses; }
    /// Rules are not shown a node that nobody reads: it is disturbed if somebody comes to read it.
    void pass_over(NodeId id) { nodes_[id].passed_over = true; }
    /// Nodes that rules should look at again after what has happened since the last call, they and
    /// what stands above them: they read another value than before, were left with one use (rules
    /// ask for that), or came back. Some may be dead.
    void take_disturbed(std::vector<NodeId>& into) {
        into.clear();
        into.swap(disturbed_);
    }
    const TensorType& type(Value v) const { return node(v.node).types[v.index]; }
    const Site& site(NodeId id) const { return node(id).site; }
    /// The constant's value, or null.
    const Array* constant(Value v) const {
        return kind(v.node) == NodeKind::Constant ? node(v.node).constant.get() : nullptr;
    }

    /// A variable that stands for the value in expressions given to add(). Its op and type are
    /// right; its inputs may be out of date.
    Variable variable(Value v) const { return {nodes_[v.node].origin, v.index}; }
    /// The node with its present inputs, as rules and expansions must see it.
    Variable current(NodeId id);
    /// Whether the arena knows the node already.
    bool knows(const Node* node) const { return known_.contains(node); }
    /// Asks for what will be read of a node, some nodes before its turn: graphs that are larger
    /// than the caches cost the latency of memory otherwise.
    void fetch_ahead(NodeId id) const { __builtin_prefetch(&nodes_[id]); }
    void fetch_origin_ahead(NodeId id) const { croton::fetch_ahead(nodes_[id].origin); }
    /// The value in force for one that may have been replaced.
    Value resolve(Value v) const;

    /// Live nodes, inputs before users.
    std::vector<NodeId> order() const;
    /// The graph as ordinary variables again, types inferred anew.
    Variables extract();
    /// Short text of a value: ops to a small depth, names of leaves.
    std::string brief(Value v, int depth = 3) const;

  private:
    static constexpr uint32_t none = UINT32_MAX;
    struct Entry {
        Node* origin = nullptr;  ///< gives attributes, types, site; kept_ holds what holds it
        const OpRecord* op = nullptr;
        uint32_t first_input = 0, input_count = 0;  ///< in inputs_; uses_ has the same places
        uint32_t first_use = none, last_use = none;
        uint32_t uses = 0;
        uint32_t forward = none;  ///< in forwards_, one an output: what has replaced it
        uint32_t hash = 0;
        NodeKind kind = NodeKind::Input;
        bool alive : 1 = true;
        bool leaves_graph : 1 = false;  ///< may be an output of the graph
        bool passed_over : 1 = false;   ///< rules have not looked at it, for nobody read it
        bool exact : 1 = false;         ///< the origin's inputs are the origins of the inputs
    };
    static_assert(sizeof(Entry) <= 48, "what all rules look at should stay in the caches");
    const Node& node(NodeId id) const { return *nodes_[id].origin; }
    Value known_value(const Variable& v) const;
    Value import(Node* node, std::span<const Value> inputs);
    NodeId find_equal(const Node& node, std::span<const Value> inputs, uint32_t hash) const;
    static uint32_t hash_of(const Node& node, std::span<const Value> inputs);
    bool same(const Entry& entry, const Node& node, std::span<const Value> inputs) const;
    bool exact(const Node& node, std::span<const Value> inputs) const;
    Node* extracted(NodeId id, const std::vector<Node*>& made, Variables& fresh);
    void append_entry(Node* node, std::span<const Value> inputs, uint32_t hash);
    void link(uint32_t place);
    void unlink(uint32_t place);
    uint32_t newest(std::span<const Value> inputs, uint32_t hash) const;
    void remember(NodeId id);
    void forget(NodeId id);
    void revive(NodeId id);
    void release(NodeId id);
    void forward(Value from, Value to);
    void check_replacement(Value from, Value to) const;
    bool move_uses(NodeId user, Value from, Value to);
    size_t replace_outputs(Value from, Value to);

    template <class T>
    using Table = std::vector<T, KeptMemory<T>>;
    Table<Entry> nodes_;
    Table<Value> inputs_;          ///< of all nodes, one after the other
    Table<Use> uses_;              ///< of each entry of inputs_
    std::vector<Value> forwards_;  ///< of the nodes that something has replaced
    std::vector<Value> outputs_;
    std::unordered_map<NodeId, std::vector<uint32_t>> output_places_;  ///< in outputs_
    /// What was taken in: with what it is made of it stays alive, for known_ may know nodes by
    /// address, which must not come back as another node's.
    Variables kept_;
    NodeNumbers known_;
    IdTable table_;  ///< live nodes by hash
    size_t live_ = 0;
    std::vector<std::pair<Value, Value>> replacing_;
    std::vector<NodeId> moving_, dying_;  ///< memory that comes and goes with every step else
    std::vector<NodeId> disturbed_;
};

}  // namespace croton::rewrite

template <>
struct std::hash<croton::rewrite::Value> {
    size_t operator()(croton::rewrite::Value v) const {
        return croton::mix((uint64_t{v.node} << 32) | v.index);
    }
};
