#include "croton/rewrite/arena.hpp"

#include <algorithm>

#include "croton/graph/traverse.hpp"

namespace croton::rewrite {

Arena::Arena(const Variables& outputs) {
    for (const auto& output : outputs) {
        Value v = add(output);
        ++nodes_[v.node].uses;
        nodes_[v.node].leaves_graph = true;
        output_places_[v.node].push_back(static_cast<uint32_t>(outputs_.size()));
        outputs_.push_back(v);
    }
}

namespace {
uint64_t hash_of_constant(const Node& node) {
    const Array& value = *node.constant;
    uint64_t hash = hash_combine(node.types[0].hash(), static_cast<uint64_t>(node.weak));
    if (!value.contiguous()) return hash;
    return hash_bytes(value.data(), static_cast<size_t>(value.nbytes()), hash);
}

// Sizes that inference anew does not know but that were known by a symbol before.
void keep_symbols(Node& fresh, const Node& origin) {
    for (size_t i = 0; i < fresh.types.size(); ++i)
        for (size_t axis = 0; axis < fresh.types[i].dims.size(); ++axis)
            if (fresh.types[i].dims[axis].unknown())
                fresh.types[i].dims[axis] = origin.types[i].dims[axis];
}
}  // namespace

uint32_t Arena::hash_of(const Node& node, std::span<const Value> inputs) {
    uint64_t hash = 0;
    if (node.kind == NodeKind::Constant) {
        hash = hash_of_constant(node);
    } else if (node.kind != NodeKind::Apply) {
        hash = mix(reinterpret_cast<uintptr_t>(&node));
    } else {
        hash = reinterpret_cast<uintptr_t>(node.op);
        if (!node.attrs->values.empty()) hash = hash_combine(hash, node.attrs->hash());
        for (Value v : inputs) hash = hash_combine(hash, (uint64_t{v.node} << 8) ^ v.index);
    }
    return static_cast<uint32_t>(hash);
}

bool Arena::same(const Entry& entry, const Node& node, std::span<const Value> inputs) const {
    if (entry.origin == &node) return true;
    if (entry.kind != node.kind) return false;
    if (node.kind == NodeKind::Constant)
        return entry.origin->weak == node.weak && entry.origin->constant->identical(*node.constant);
    if (node.kind != NodeKind::Apply || entry.op != node.op || node.op->facts.impure) return false;
    if (!std::equal(inputs.begin(), inputs.end(), inputs_.begin() + entry.first_input,
                    inputs_.begin() + entry.first_input + entry.input_count))
        return false;
    const auto& attrs = entry.origin->attrs;
    return attrs == node.attrs || attrs->equals(*node.attrs);
}

NodeId Arena::find_equal(const Node& node, std::span<const Value> inputs, uint32_t hash) const {
    return table_.find({hash, newest(inputs, hash)},
                       [&](NodeId id) { return same(nodes_[id], node, inputs); });
}

// Where the table of equal nodes has a node: beside what reads the same value. Constants do not
// count, for the whole graph may read them.
uint32_t Arena::newest(std::span<const Value> inputs, uint32_t hash) const {
    uint32_t most = 0;
    for (Value v : inputs)
        if (nodes_[v.node].kind != NodeKind::Constant) most = std::max(most, v.node + 1);
    return most > 0 ? most : hash;
}

void Arena::remember(NodeId id) {
    auto key_of = [this](NodeId at) {
        uint32_t hash = nodes_[at].hash;
        return IdTable::Key{hash, newest(inputs(at), hash)};
    };
    table_.insert(key_of(id), id, key_of);
}

void Arena::forget(NodeId id) {
    uint32_t hash = nodes_[id].hash;
    table_.erase({hash, newest(inputs(id), hash)}, id);
}

// --- lists of uses: place k is input k of all, in the list of the node that it reads
// --------------

void Arena::link(uint32_t place) {
    Entry& below = nodes_[inputs_[place].node];
    ++below.uses;
    if (below.passed_over) disturbed_.push_back(inputs_[place].node);
    below.passed_over = false;
    uses_[place].previous = below.last_use;
    uses_[place].next = none;
    (below.last_use == none ? below.first_use : uses_[below.last_use].next) = place;
    below.last_use = place;
}

void Arena::unlink(uint32_t place) {
    Entry& below = nodes_[inputs_[place].node];
    if (--below.uses == 1 && below.kind == NodeKind::Apply)
        disturbed_.push_back(inputs_[place].node);
    auto [user, previous, next] = uses_[place];
    (previous == none ? below.first_use : uses_[previous].next) = next;
    (next == none ? below.last_use : uses_[next].previous) = previous;
}

// --- taking in ----------------------------------------------------------------------------------

bool Arena::exact(const Node& node, std::span<const Value> inputs) const {
    for (size_t i = 0; i < inputs.size(); ++i)
        if (node.inputs[i].node_pointer() != nodes_[inputs[i].node].origin ||
            node.inputs[i].index() != inputs[i].index)
            return false;
    return true;
}

Value Arena::known_value(const Variable& v) const {
    NodeId id = known_.find(v.node_pointer());
    return id != NodeNumbers::none ? resolve({id, v.index()}) : Value{none, 0};
}

void Arena::append_entry(Node* node, std::span<const Value> inputs, uint32_t hash) {
    auto id = static_cast<NodeId>(nodes_.size());
    Entry entry;
    entry.origin = node;
    entry.op = node->op;
    entry.kind = node->kind;
    entry.hash = hash;
    entry.exact = exact(*node, inputs);
    entry.first_input = static_cast<uint32_t>(inputs_.size());
    entry.input_count = static_cast<uint32_t>(inputs.size());
    nodes_.push_back(entry);
    inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
    for (auto place = entry.first_input; place < inputs_.size(); ++place) {
        uses_.push_back({id});
        link(place);
    }
    remember(id);
    ++live_;
}

// The number of a node whose inputs are in: its own or that of its equal.
Value Arena::import(Node* node, std::span<const Value> inputs) {
    for (Value v : inputs)
        if (!alive(v.node)) revive(v.node);
    uint32_t hash = hash_of(*node, inputs);
    NodeId id = find_equal(*node, inputs, hash);
    if (id == IdTable::none) {
        id = static_cast<NodeId>(nodes_.size());
        append_entry(node, inputs, hash);
    } else if (nodes_[id].origin->names.empty() && !node->names.empty()) {
        // Of equal nodes the one with a name stands for all. Neither is written to: both are the
        // user's.
        nodes_[id].origin = node;
        nodes_[id].exact = exact(*node, inputs);
        for (NodeId user : users(id)) nodes_[user].exact = false;
    }
    known_.insert(node, id);
    return {id, 0};
}

Value Arena::add(const Variable& expression) {
    if (Value seen = known_value(expression); seen.node != none) return seen;
    kept_.push_back(expression);
    // Depth first over what is new, without recursion: values of inputs that are done stand on
    // `values`, those of a node's together.
    struct Frame {
        Node* node;
        uint32_t index;  ///< of the output that is wanted
        uint32_t next = 0;
    };
    std::vector<Frame> stack;
    std::vector<Value> values;
    auto push = [&](const Variable& v) {
        for (const auto& input : v.node_pointer()->inputs)
            croton::fetch_ahead(input.node_pointer());
        stack.push_back({v.node_pointer(), v.index()});
    };
    push(expression);
    while (!stack.empty()) {
        Frame& frame = stack.back();
        if (frame.next < frame.node->inputs.size()) {
            const Variable& below = frame.node->inputs[frame.next++];
            if (Value seen = known_value(below); seen.node != none)
                values.push_back(seen);
            else
                push(below);
            continue;
        }
        size_t first = values.size() - frame.node->inputs.size();
        Value made = import(frame.node, std::span(values).subspan(first));
        values.resize(first);
        values.push_back(resolve({made.node, frame.index}));
        stack.pop_back();
    }
    return values[0];
}

Value Arena::resolve(Value v) const {
    for (uint32_t at; (at = nodes_[v.node].forward) != none;) {
        Value next = forwards_[at + v.index];
        if (next == v) break;
        v = next;
    }
    return v;
}

// --- dying and coming back ----------------------------------------------------------------------

// Called when a use has gone: nodes that nobody uses any more die, and use nothing.
void Arena::release(NodeId id) {
    dying_.push_back(id);
    while (!dying_.empty()) {
        id = dying_.back();
        dying_.pop_back();
        Entry& entry = nodes_[id];
        if (entry.uses > 0 || !entry.alive || entry.kind == NodeKind::Input) continue;
        entry.alive = false;
        --live_;
        forget(id);
        for (uint32_t i = 0; i < entry.input_count; ++i) {
            unlink(entry.first_input + i);
            dying_.push_back(inputs_[entry.first_input + i].node);
        }
    }
}

// A rule may use again what had died: it reads again what it read, or what has replaced that.
void Arena::revive(NodeId id) {
    std::vector<NodeId> stack{id};
    while (!stack.empty()) {
        id = stack.back();
        Entry& entry = nodes_[id];
        size_t waiting = stack.size();
        for (Value& input : std::span(inputs_).subspan(entry.first_input, entry.input_count)) {
            input = resolve(input);
            if (!alive(input.node)) stack.push_back(input.node);
        }
        if (stack.size() > waiting) continue;
        stack.pop_back();
        if (entry.alive) continue;
        entry.alive = true;
        disturbed_.push_back(id);
        ++live_;
        for (uint32_t i = 0; i < entry.input_count; ++i) link(entry.first_input + i);
        entry.hash = hash_of(*entry.origin, inputs(id));
        entry.exact = exact(*entry.origin, inputs(id));
        remember(id);
    }
}

// --- replacing ----------------------------------------------------------------------------------

void Arena::check_replacement(Value from, Value to) const {
    const TensorType &before = type(from), &after = type(to);
    if (before.dtype != after.dtype || before.rank() != after.rank())
        fail(ErrorKind::Internal, "a value of type ", before.text(),
             " cannot be replaced by one of type ", after.text());
}

void Arena::forward(Value from, Value to) {
    Entry& entry = nodes_[from.node];
    if (entry.forward == none) {
        entry.forward = static_cast<uint32_t>(forwards_.size());
        for (uint32_t i = 0; i < entry.origin->types.size(); ++i)
            forwards_.push_back({from.node, i});
    }
    forwards_[entry.forward + from.index] = to;
}

// Whether the user did read `from`. If that makes it equal to another node, it will be replaced.
bool Arena::move_uses(NodeId user, Value from, Value to) {
    Entry& entry = nodes_[user];
    auto inputs = std::span(inputs_).subspan(entry.first_input, entry.input_count);
    if (std::find(inputs.begin(), inputs.end(), from) == inputs.end()) return false;
    entry.exact = false;
    forget(user);
    for (uint32_t i = 0; i < entry.input_count; ++i)
        if (inputs[i] == from) {
            unlink(entry.first_input + i);
            inputs[i] = to;
            link(entry.first_input + i);
        }
    entry.hash = hash_of(*entry.origin, inputs);
    NodeId twin = find_equal(*entry.origin, inputs, entry.hash);
    remember(user);
    if (twin == IdTable::none || twin == user) {
        disturbed_.push_back(user);
        return true;
    }
    for (uint32_t i = 0; i < entry.origin->types.size(); ++i)
        replacing_.push_back({{user, i}, {twin, i}});
    return true;
}

void Arena::replace(Value old, Value replacement) {
    replacing_.assign(1, {old, replacement});
    while (!replacing_.empty()) {
        auto [from, to] = replacing_.back();
        replacing_.pop_back();
        from = resolve(from);
        to = resolve(to);
        if (from == to) continue;
        check_replacement(from, to);
        if (!alive(to.node)) revive(to.node);
        forward(from, to);
        auto list = users(from.node);
        moving_.clear();
        for (NodeId user : list) moving_.push_back(user);
        bool moved = false;
        for (NodeId user : moving_) moved |= move_uses(user, from, to);
        if (nodes_[from.node].leaves_graph) moved |= replace_outputs(from, to) > 0;
        if (moved) release(from.node);
    }
}

size_t Arena::replace_outputs(Value from, Value to) {
    std::vector<uint32_t> here, moved;
    for (uint32_t place : output_places_[from.node])
        (outputs_[place] == from ? moved : here).push_back(place);
    for (uint32_t place : moved) outputs_[place] = to;
    auto count = static_cast<uint32_t>(moved.size());
    nodes_[from.node].uses -= count;
    nodes_[to.node].uses += count;
    if (count > 0) nodes_[to.node].leaves_graph = true;
    output_places_[from.node] = std::move(here);
    auto& there = output_places_[to.node];
    there.insert(there.end(), moved.begin(), moved.end());
    return count;
}

Variable Arena::current(NodeId id) {
    const Node& origin = node(id);
    Variable kept(nodes_[id].origin, 0);
    if (origin.kind != NodeKind::Apply) return kept;
    Variables inputs;
    for (Value v : this->inputs(id)) inputs.push_back(variable(v));
    if (inputs == origin.inputs) return kept;
    Variable fresh = apply_like(origin, std::move(inputs))[0];
    fresh.node_pointer()->names = origin.names;
    keep_symbols(*fresh.node_pointer(), origin);
    // From now on the new node stands for the old one, which is still known.
    known_.insert(fresh.node_pointer(), id);
    kept_.push_back(fresh);
    nodes_[id].origin = fresh.node_pointer();
    nodes_[id].exact = true;
    for (NodeId user : users(id)) nodes_[user].exact = false;
    return fresh;
}

// Numbers follow the order of import but for what rewriting has added, so most nodes stand in order
// as they lie in memory: only what reads a later one asks for a walk below it.
std::vector<NodeId> Arena::order() const {
    std::vector<NodeId> result;
    result.reserve(live_);
    std::vector<bool> placed(nodes_.size());
    struct Frame {
        NodeId node;
        uint32_t next, end;  ///< in inputs_
    };
    std::vector<Frame> stack;
    auto push = [&](NodeId id) {
        uint32_t first = nodes_[id].first_input;
        stack.push_back({id, first, first + nodes_[id].input_count});
    };
    for (NodeId first = 0; first < nodes_.size(); ++first) {
        if (!nodes_[first].alive || nodes_[first].uses == 0 || placed[first]) continue;
        push(first);
        while (!stack.empty()) {
            Frame& frame = stack.back();
            while (frame.next < frame.end && placed[inputs_[frame.next].node]) ++frame.next;
            if (frame.next < frame.end) {
                push(inputs_[frame.next].node);
                continue;
            }
            placed[frame.node] = true;
            result.push_back(frame.node);
            stack.pop_back();
        }
    }
    return result;
}

// The node for what the arena has now: its origin if nothing below it is another than before, told
// without a look at it where that can be.
Node* Arena::extracted(NodeId id, const std::vector<Node*>& made, Variables& fresh) {
    const Entry& entry = nodes_[id];
    auto inputs = this->inputs(id);
    bool same = entry.exact && std::all_of(inputs.begin(), inputs.end(), [&](Value v) {
                    return made[v.node] == nodes_[v.node].origin;
                });
    if (same) return entry.origin;
    Variables present;
    for (Value v : inputs) present.emplace_back(made[v.node], v.index);
    if (present == entry.origin->inputs) return entry.origin;
    fresh.push_back(apply_like(*entry.origin, std::move(present))[0]);
    Node* node = fresh.back().node_pointer();
    node->names = entry.origin->names;
    keep_symbols(*node, *entry.origin);
    return node;
}

Variables Arena::extract() {
    std::vector<Node*> made(nodes_.size());
    Variables fresh;  // holds those that are new
    auto all = order();
    constexpr size_t ahead = 8;
    for (size_t i = 0; i < all.size(); ++i) {
        if (i + 2 * ahead < all.size()) fetch_ahead(all[i + 2 * ahead]);
        if (i + ahead < all.size()) fetch_origin_ahead(all[i + ahead]);
        made[all[i]] = extracted(all[i], made, fresh);
    }
    Variables result;
    for (Value v : outputs_) result.emplace_back(made[v.node], v.index);
    return result;
}

std::string Arena::brief(Value v, int depth) const {
    const Node& n = node(v.node);
    Variable shown = variable(v);
    if (!shown.name().empty()) return shown.name();
    if (n.kind == NodeKind::Constant && n.constant->size() == 1) return n.constant->text();
    if (n.kind != NodeKind::Apply) return cat("%", v.node);
    if (depth == 0) return "...";
    return cat(n.op->name, "(",
               join(inputs(v.node), ", ", [&](Value i) { return brief(i, depth - 1); }), ")");
}

}  // namespace croton::rewrite
