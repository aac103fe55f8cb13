#include "croton/rewrite/arena.hpp"

#include <algorithm>

#include "croton/graph/traverse.hpp"

namespace croton::rewrite {

Arena::Arena(const Variables& outputs) {
    for (const auto& output : outputs) {
        Value v = add(output);
        ++nodes_[v.node].uses;
        nodes_[v.node].leaves_graph = true;
        outputs_.push_back(v);
    }
}

uint64_t Arena::hash_of(const Node& node, const std::vector<Value>& inputs) {
    if (node.kind == NodeKind::Constant) {
        const Array& value = *node.constant;
        uint64_t hash = hash_combine(node.types[0].hash(), static_cast<uint64_t>(node.weak));
        if (value.contiguous())
            hash = hash_bytes(value.data(), static_cast<size_t>(value.nbytes()), hash);
        return hash;
    }
    if (node.kind != NodeKind::Apply) return mix(reinterpret_cast<uintptr_t>(&node));
    uint64_t hash = hash_combine(reinterpret_cast<uintptr_t>(node.op), node.attrs->hash());
    for (Value v : inputs) hash = hash_combine(hash, (uint64_t{v.node} << 8) ^ v.index);
    return hash;
}

bool Arena::same(const Entry& entry, const Node& node, const std::vector<Value>& inputs) const {
    const Node& other = entry.origin.node();
    if (&other == &node) return true;
    if (other.kind != node.kind) return false;
    if (node.kind == NodeKind::Constant)
        return other.weak == node.weak && other.constant->identical(*node.constant);
    if (node.kind != NodeKind::Apply || node.op->facts.impure) return false;
    return other.op == node.op && entry.inputs == inputs &&
           (other.attrs == node.attrs || other.attrs->equals(*node.attrs));
}

NodeId Arena::find_equal(const Node& node, const std::vector<Value>& inputs, uint64_t hash) const {
    return table_.find(hash, [&](NodeId id) { return same(nodes_[id], node, inputs); });
}

namespace {
// Sizes that inference anew does not know but that were known by a symbol before.
void keep_symbols(Node& fresh, const Node& origin) {
    for (size_t i = 0; i < fresh.types.size(); ++i)
        for (size_t axis = 0; axis < fresh.types[i].dims.size(); ++axis)
            if (fresh.types[i].dims[axis].unknown())
                fresh.types[i].dims[axis] = origin.types[i].dims[axis];
}
}  // namespace

NodeId Arena::import(Node* node) {
    std::vector<Value> inputs;
    for (const auto& input : node->inputs)
        inputs.push_back(resolve({number_of(input.node_pointer()), input.index()}));
    uint64_t hash = hash_of(*node, inputs);
    NodeId id = find_equal(*node, inputs, hash);
    if (id != IdTable::none) {
        // Of equal nodes the one with a name stands for all. The other is kept, too: its address
        // must not come back as another node's. Neither is written to: both are the user's.
        Variable twin(node, 0);
        if (nodes_[id].origin.node().names.empty() && !node->names.empty())
            std::swap(nodes_[id].origin, twin);
        kept_.push_back(std::move(twin));
        known_.insert(key_of(node), id);
        return id;
    }
    for (Value v : inputs) {
        nodes_[v.node].users.push_back(static_cast<NodeId>(nodes_.size()));
        ++nodes_[v.node].uses;
    }
    Entry entry;
    entry.origin = Variable(node, 0);
    entry.inputs = std::move(inputs);
    entry.hash = hash;
    id = static_cast<NodeId>(nodes_.size());
    nodes_.push_back(std::move(entry));
    known_.insert(key_of(node), id);
    table_.insert(hash, id);
    ++live_;
    return id;
}

Value Arena::add(const Variable& expression) {
    NodeId seen = number_of(expression.node_pointer());
    if (seen != IdTable::none) return resolve({seen, expression.index()});
    // Depth first over what is new, without recursion.
    std::vector<std::pair<Node*, size_t>> stack{{expression.node_pointer(), 0}};
    while (!stack.empty()) {
        auto& [node, next] = stack.back();
        if (next < node->inputs.size()) {
            Node* below = node->inputs[next++].node_pointer();
            if (!knows(below)) stack.emplace_back(below, 0);
        } else {
            if (!knows(node)) import(node);
            stack.pop_back();
        }
    }
    return resolve({number_of(expression.node_pointer()), expression.index()});
}

Value Arena::resolve(Value v) const {
    while (!nodes_[v.node].forward.empty() && !(nodes_[v.node].forward[v.index] == v))
        v = nodes_[v.node].forward[v.index];
    return v;
}

void Arena::forget(NodeId id) { table_.erase(nodes_[id].hash, id); }

// One use less; nodes that nobody uses any more die, and release what they used.
void Arena::release(Value v) {
    std::vector<NodeId> stack{v.node};
    while (!stack.empty()) {
        NodeId id = stack.back();
        stack.pop_back();
        Entry& entry = nodes_[id];
        if (--entry.uses > 0 || !entry.alive || node(id).kind == NodeKind::Input) continue;
        entry.alive = false;
        --live_;
        forget(id);
        for (Value input : entry.inputs) stack.push_back(input.node);
    }
}

void Arena::replace(Value old, Value replacement) {
    std::vector<std::pair<Value, Value>> work{{old, replacement}};
    while (!work.empty()) {
        auto [from, to] = work.back();
        work.pop_back();
        from = resolve(from);
        to = resolve(to);
        if (from == to) continue;
        const TensorType &before = type(from), &after = type(to);
        if (before.dtype != after.dtype || before.rank() != after.rank())
            fail(ErrorKind::Internal, "a value of type ", before.text(),
                 " cannot be replaced by one of type ", after.text());
        Entry& entry = nodes_[from.node];
        if (entry.forward.empty())
            for (uint32_t i = 0; i < node(from.node).types.size(); ++i)
                entry.forward.push_back({from.node, i});
        entry.forward[from.index] = to;
        std::vector<NodeId> users = entry.users;
        size_t moved = 0;
        for (NodeId user : users) {
            Entry& u = nodes_[user];
            if (!u.alive || std::find(u.inputs.begin(), u.inputs.end(), from) == u.inputs.end())
                continue;
            forget(user);
            for (Value& input : u.inputs)
                if (input == from) {
                    input = to;
                    nodes_[to.node].users.push_back(user);
                    ++nodes_[to.node].uses;
                    ++moved;
                }
            u.hash = hash_of(node(user), u.inputs);
            NodeId twin = find_equal(node(user), u.inputs, u.hash);
            table_.insert(u.hash, user);
            if (twin != IdTable::none && twin != user)
                for (uint32_t i = 0; i < node(user).types.size(); ++i)
                    work.push_back({{user, i}, {twin, i}});
        }
        if (nodes_[from.node].leaves_graph) moved += replace_outputs(from, to);
        for (; moved > 0; --moved) release(from);
    }
}

size_t Arena::replace_outputs(Value from, Value to) {
    size_t moved = 0;
    for (Value& output : outputs_)
        if (output == from) {
            output = to;
            ++nodes_[to.node].uses;
            nodes_[to.node].leaves_graph = true;
            ++moved;
        }
    return moved;
}

Variable Arena::current(NodeId id) {
    const Entry& entry = nodes_[id];
    const Node& origin = entry.origin.node();
    if (origin.kind != NodeKind::Apply) return entry.origin;
    Variables inputs;
    bool changed = false;
    for (size_t i = 0; i < entry.inputs.size(); ++i) {
        inputs.push_back(variable(entry.inputs[i]));
        changed |= !(inputs.back() == origin.inputs[i]);
    }
    if (!changed) return entry.origin;
    Variable fresh = apply_like(origin, std::move(inputs))[0];
    fresh.node_pointer()->names = origin.names;
    keep_symbols(*fresh.node_pointer(), origin);
    // From now on the new node stands for the old one; the old is kept known through the map.
    known_.insert(key_of(fresh.node_pointer()), id);
    kept_.push_back(nodes_[id].origin);
    nodes_[id].origin = fresh;
    return fresh;
}

std::vector<NodeId> Arena::order() const {
    std::vector<NodeId> result;
    std::vector<uint8_t> state(nodes_.size(), 0);
    std::vector<std::pair<NodeId, size_t>> stack;
    for (Value output : outputs_) {
        if (!state[output.node]) {
            state[output.node] = 1;
            stack.emplace_back(output.node, 0);
        }
        while (!stack.empty()) {
            auto& [id, next] = stack.back();
            if (next < nodes_[id].inputs.size()) {
                NodeId below = nodes_[id].inputs[next++].node;
                if (!state[below]) {
                    state[below] = 1;
                    stack.emplace_back(below, 0);
                }
            } else {
                result.push_back(id);
                stack.pop_back();
            }
        }
    }
    return result;
}

Variables Arena::extract() {
    std::vector<Variables> made(nodes_.size());
    for (NodeId id : order()) {
        const Node& origin = node(id);
        if (origin.kind != NodeKind::Apply) {
            made[id] = {nodes_[id].origin};
            continue;
        }
        Variables inputs;
        bool changed = false;
        for (size_t i = 0; i < nodes_[id].inputs.size(); ++i) {
            Value v = nodes_[id].inputs[i];
            inputs.push_back(made[v.node][v.index]);
            changed |= !(inputs.back() == origin.inputs[i]);
        }
        Variables outputs;
        if (changed) {
            outputs = apply_like(origin, std::move(inputs));
            outputs[0].node_pointer()->names = origin.names;
            keep_symbols(*outputs[0].node_pointer(), origin);
        } else {
            for (uint32_t i = 0; i < origin.types.size(); ++i)
                outputs.emplace_back(nodes_[id].origin.node_pointer(), i);
        }
        made[id] = std::move(outputs);
    }
    Variables result;
    for (Value v : outputs_) result.push_back(made[v.node][v.index]);
    return result;
}

std::string Arena::brief(Value v, int depth) const {
    const Node& n = node(v.node);
    Variable shown = variable(v);
    if (!shown.name().empty()) return shown.name();
    if (n.kind == NodeKind::Constant && n.constant->size() == 1) return n.constant->text();
    if (n.kind != NodeKind::Apply) return cat("%", v.node);
    if (depth == 0) return "...";
    const auto& inputs = nodes_[v.node].inputs;
    return cat(n.op->name, "(", join(inputs, ", ", [&](Value i) { return brief(i, depth - 1); }),
               ")");
}

}  // namespace croton::rewrite
