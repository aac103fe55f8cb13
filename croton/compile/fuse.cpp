#include "croton/compile/fuse.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "croton/graph/traverse.hpp"

namespace croton::compile {

using runtime::AxisMap;

bool is_branch(const Node& node) {
    if (node.kind != NodeKind::Apply) return false;
    auto inner = node.op->kind<InnerCompute>();
    return inner && inner->kind == InnerCompute::Kind::IfElse;
}

// Nodes that only the results of branches need: found by walking users' sets downwards from the
// outputs without entering branches.
NodeSet lazy_nodes(const std::vector<Node*>& order, const Variables& outputs,
                   const Variables& stops) {
    NodeSet eager, lazy;
    if (std::none_of(order.begin(), order.end(), [](Node* node) { return is_branch(*node); }))
        return lazy;
    ValueSet stopped(stops);
    std::vector<Node*> stack;
    auto visit = [&](const Variable& v) {
        if (!stopped.contains(v) && eager.insert(v.node_pointer()))
            stack.push_back(v.node_pointer());
    };
    for (const auto& v : outputs) visit(v);
    while (!stack.empty()) {
        Node* node = stack.back();
        stack.pop_back();
        size_t used = is_branch(*node) ? 1 : node->inputs.size();
        for (size_t i = 0; i < used; ++i) visit(node->inputs[i]);
    }
    for (Node* node : order)
        if (node->kind == NodeKind::Apply && !eager.contains(node)) lazy.insert(node);
    return lazy;
}

namespace {
// Larger kernels compile slower than they gain.
constexpr size_t most_nodes = 64, most_inputs = 24;

bool is_constant_scalar(const Variable& v) {
    const Array* value = constant_value(v);
    return value && value->size() == 1;
}

std::vector<int> axes_of_view(const Node& node) {
    auto view = node.op->kind<ViewCompute>();
    return view && view->axes ? view->axes(attrs_of(node), node.inputs[0].rank())
                              : std::vector<int>{};
}

bool looks_through(const Node& node) {
    auto view = node.op->kind<ViewCompute>();
    return view && view->axes && node.inputs.size() == 1;
}

bool has_kernel(const Node& node) {
    return node.op->elementwise() || node.op->kind<ReduceCompute>() ||
           node.op->kind<IndexedCompute>();
}

struct Fuser {
    Fuser(const Variables& inputs, const Variables& outputs) : stopped(inputs) {
        auto all = toposort(outputs, inputs);
        lazy = lazy_nodes(all, outputs, inputs);
        for (Node* node : all)
            if (node->kind == NodeKind::Apply && !lazy.contains(node)) order.push_back(node);
        for (Node* node : order) {
            if (is_branch(*node)) branch_reads.emplace(node, reads_of_branch(*node));
            for (const auto& v : reads(*node))
                if (!stopped.contains(v)) users[v.node_pointer()].push_back(node);
        }
    }

    // What a node reads when it runs: for a branch the condition and all that its sides use of the
    // surroundings.
    const Variables& reads(const Node& node) const {
        auto found = branch_reads.find(&node);
        return found == branch_reads.end() ? node.inputs : found->second;
    }

    Variables reads_of_branch(const Node& node) const {
        Variables result;
        std::unordered_set<Variable, VariableHash> seen;
        Variables stack(node.inputs.begin(), node.inputs.end());
        while (!stack.empty()) {
            Variable v = stack.back();
            stack.pop_back();
            if (!seen.insert(v).second) continue;
            if (!stopped.contains(v) && lazy.contains(v.node_pointer()))
                stack.insert(stack.end(), v.node().inputs.begin(), v.node().inputs.end());
            else
                result.push_back(v);
        }
        return result;
    }

    std::vector<Group> groups;
    FlatMap<const Node*, size_t> group_of;
    FlatMap<const Node*, size_t> place_in_group;
    std::unordered_map<Variable, std::vector<size_t>, VariableHash>
        readers;  // groups that load a value
    FlatMap<const Node*, std::vector<Node*>> users;
    std::unordered_map<const Node*, Variables> branch_reads;
    ValueSet stopped;
    NodeSet lazy;  // run inside of branches, if at all
    std::vector<Node*> order;

    // --- joining ---------------------------------------------------------------------------------

    size_t group_index(const Variable& v) const {
        if (stopped.contains(v)) return SIZE_MAX;
        const size_t* found = group_of.find(v.node_pointer());
        return found ? *found : SIZE_MAX;
    }

    // The least level a group may have to hold `node` while `inside` is the group it wants to join.
    int needed_level(const Node& node, size_t inside) const {
        int level = 0;
        for (const auto& v : reads(node)) {
            size_t g = group_index(v);
            if (g == SIZE_MAX || g == inside) continue;
            level = std::max(level, groups[g].level + 1);
        }
        return level;
    }

    // Where the axes of an input lie in the group, for an input that the group computes.
    const AxisMap& map_of(const Variable& v) const {
        const Group& g = groups[*group_of.find(v.node_pointer())];
        return g.maps[*place_in_group.find(v.node_pointer())];
    }

    // Tells the map of `node`'s iteration axes from those of its inputs inside the group: own axis
    // to group axis. Nothing if they disagree or an axis cannot be told.
    bool iteration_map(const Node& node, size_t g, const TensorType& space, AxisMap& map) const {
        map = AxisMap(space.dims.size(), int8_t{-2});
        for (const auto& v : node.inputs) {
            if (group_index(v) != g) continue;
            const AxisMap& theirs = map_of(v);
            size_t shift = space.dims.size() - theirs.size();
            for (size_t axis = 0; axis < theirs.size(); ++axis) {
                if (theirs[axis] < 0) continue;  // one element there: says nothing about the place
                int8_t& mine = map[axis + shift];
                if (mine != -2 && mine != theirs[axis]) return false;
                mine = theirs[axis];
            }
        }
        return settle(groups[g], space, map);
    }

    // Axes of one element map to none; others that are still open take the group's axis in order of
    // position if its size fits; then sizes and uniqueness are checked.
    static bool settle(const Group& group, const TensorType& space, AxisMap& map) {
        std::vector<bool> taken(group.space.size(), false);
        for (size_t axis = 0; axis < map.size(); ++axis) {
            if (map[axis] >= 0) {
                if (taken[static_cast<size_t>(map[axis])]) return false;
                taken[static_cast<size_t>(map[axis])] = true;
            }
        }
        for (size_t axis = 0; axis < map.size(); ++axis) {
            if (map[axis] != -2) continue;
            if (space.dims[axis].is_one()) {
                map[axis] = -1;
                continue;
            }
            // Aligned at the last axes, where nothing says otherwise.
            size_t guess = axis + group.space.size() - map.size();
            if (map.size() > group.space.size() || guess >= taken.size() || taken[guess])
                return false;
            map[axis] = static_cast<int8_t>(guess);
            taken[guess] = true;
        }
        for (size_t axis = 0; axis < map.size(); ++axis)
            if (map[axis] >= 0 &&
                !space.dims[axis].certainly_equals(group.space[static_cast<size_t>(map[axis])]))
                return false;
        return true;
    }

    static bool covers_space(const Group& group, const AxisMap& map) {
        size_t covered = 0;
        for (int axis : map) covered += axis >= 0;
        return covered == group.space.size();
    }

    // A node outside of the loops over reduced axes may not cover some of them only.
    static bool whole_or_outer(const Group& group, const AxisMap& map) {
        if (covers_space(group, map)) return true;
        if (!group.has_reduction) return false;
        std::vector<bool> covered(group.space.size(), false);
        for (int axis : map)
            if (axis >= 0) covered[static_cast<size_t>(axis)] = true;
        for (size_t axis = 0; axis < covered.size(); ++axis)
            if (covered[axis] == group.reduced[axis]) return false;
        return true;
    }

    // The innermost axes are reduced and others are around them.
    static bool inner_rows(const std::vector<bool>& reduced) {
        return std::is_sorted(reduced.begin(), reduced.end()) && !reduced.empty() && !reduced[0];
    }

    // Depends on a reduction of the group: it runs in a later pass over the reduced axes.
    bool second_pass(const Node& node, size_t g) const {
        std::vector<const Node*> stack{&node};
        std::unordered_set<const Node*> seen;
        while (!stack.empty()) {
            const Node* at = stack.back();
            stack.pop_back();
            for (const auto& v : at->inputs) {
                if (group_index(v) != g || !seen.insert(v.node_pointer()).second) continue;
                if (v.node().op->kind<ReduceCompute>()) return true;
                stack.push_back(v.node_pointer());
            }
        }
        return false;
    }

    // Whether the node may join the group; `out_map` is then where its output's axes lie,
    // `iteration` where the axes lie along which it reads its inputs.
    // A reduction over no axes has no inner loop, whose end makes its result visible: it stays
    // alone.
    static bool folds_nothing(const Node& node) {
        return node.op->kind<ReduceCompute>() && attrs_of(node).get<Ints>("axes").empty();
    }

    bool fits(const Node& node, size_t g, AxisMap& out_map, AxisMap& iteration) const {
        const Group& group = groups[g];
        if (!group.fusable || group.nodes.size() >= most_nodes) return false;
        if (group.has_reduction &&
            std::find(group.reduced.begin(), group.reduced.end(), true) == group.reduced.end())
            return false;
        if (needed_level(node, g) > group.level) return false;
        if (loads(group) + node.inputs.size() > most_inputs) return false;
        if (folds_nothing(node)) return false;
        if (node.op->kind<ReduceCompute>()) return fits_reduction(node, g, out_map, iteration);
        if (looks_through(node)) return fits_view(node, g, out_map);
        if (node.op->kind<IndexedCompute>()) return false;  // begins groups, never joins
        if (!iteration_map(node, g, node.types[0], out_map) || !whole_or_outer(group, out_map))
            return false;
        iteration = out_map;
        // A further pass over the reduced axes pays while they are the innermost ones and others
        // are around them: what was read is still in cache.
        if (group.has_reduction && covers_space(group, out_map) && second_pass(node, g))
            return inner_rows(group.reduced);
        return true;
    }

    bool fits_view(const Node& node, size_t g, AxisMap& out_map) const {
        if (group_index(node.inputs[0]) != g) return false;
        const AxisMap& from = map_of(node.inputs[0]);
        auto axes = axes_of_view(node);
        for (size_t axis = 0; axis < from.size();
             ++axis)  // what is dropped must be a single element
            if (from[axis] >= 0 &&
                std::find(axes.begin(), axes.end(), static_cast<int>(axis)) == axes.end())
                return false;
        out_map.clear();
        for (int axis : axes)
            out_map.push_back(axis < 0 ? int8_t{-1} : from[static_cast<size_t>(axis)]);
        return true;
    }

    bool fits_reduction(const Node& node, size_t g, AxisMap& out_map, AxisMap& in) const {
        const Group& group = groups[g];
        if (!iteration_map(node, g, node.inputs[0].type(), in) || !covers_space(group, in))
            return false;
        std::vector<bool> reduced = reduced_axes(node, in, group.space.size());
        // Over axes of one element (or none) nothing is folded: such a reduction has no inner loop
        // that others could share.
        if (std::find(reduced.begin(), reduced.end(), true) == reduced.end()) return false;
        if (group.has_reduction && reduced != group.reduced) return false;
        if (group.has_reduction && second_pass(node, g) && !inner_rows(reduced)) return false;
        if (!group.has_reduction && !reduction_may_join(node, g)) return false;
        out_map = reduced_map(node, in);
        return true;
    }

    // Values that the group must store anyway would be computed twice (once to be folded, once to
    // be stored): worth it only for a pass over cached rows.
    bool reduction_may_join(const Node& node, size_t g) const {
        for (const Node* member : groups[g].nodes) {
            auto found = users.find(member);
            if (!found) return false;
            for (const Node* user : *found)
                if (user != &node && group_index(Variable(const_cast<Node*>(user), 0)) != g) {
                    AxisMap in;
                    iteration_map(node, g, node.inputs[0].type(), in);
                    auto reduced = reduced_axes(node, in, groups[g].space.size());
                    return inner_rows(reduced);
                }
        }
        return true;
    }

    static std::vector<bool> reduced_axes(const Node& node, const AxisMap& in, size_t rank) {
        std::vector<bool> reduced(rank, false);
        for (int64_t axis : attrs_of(node).get<Ints>("axes"))
            if (int mapped = in[static_cast<size_t>(axis)]; mapped >= 0)
                reduced[static_cast<size_t>(mapped)] = true;
        return reduced;
    }

    static AxisMap reduced_map(const Node& node, const AxisMap& in) {
        const auto& axes = attrs_of(node).get<Ints>("axes");
        bool keepdims = attrs_of(node).get<bool>("keepdims");
        AxisMap out;
        for (size_t axis = 0; axis < in.size(); ++axis) {
            bool folded =
                std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
            if (!folded)
                out.push_back(in[axis]);
            else if (keepdims)
                out.push_back(-1);
        }
        return out;
    }

    size_t loads(const Group& group) const {
        std::unordered_set<Variable, VariableHash> seen;
        for (const Node* node : group.nodes)
            for (const auto& v : node->inputs)
                if (group_index(v) != group_index(Variable(group.nodes[0], 0)) &&
                    !is_constant_scalar(v))
                    seen.insert(v);
        return seen.size();
    }

    // --- driver ----------------------------------------------------------------------------------

    std::vector<size_t> candidates(const Node& node) const {
        std::vector<size_t> found;
        auto offer = [&](size_t g) {
            if (g != SIZE_MAX && std::find(found.begin(), found.end(), g) == found.end())
                found.push_back(g);
        };
        for (const auto& v : node.inputs) offer(group_index(v));
        for (const auto& v : node.inputs) {
            auto readers_of = readers.find(v);
            if (readers_of == readers.end() || v.rank() == 0) continue;
            const auto& list = readers_of->second;
            for (size_t i = list.size(); i-- > 0 && list.size() - i < 4;) offer(list[i]);
        }
        // Groups of producers first, later ones before earlier ones.
        std::stable_sort(found.begin(), found.end(),
                         [&](size_t a, size_t b) { return groups[a].level > groups[b].level; });
        return found;
    }

    void join(Node* node, size_t g, AxisMap map, AxisMap iteration) {
        Group& group = groups[g];
        if (node->op->kind<ReduceCompute>() && !group.has_reduction) {
            group.reduced = reduced_axes(*node, iteration, group.space.size());
            group.has_reduction = true;
        }
        place_in_group[node] = group.nodes.size();
        group_of[node] = g;
        group.nodes.push_back(node);
        group.maps.push_back(std::move(map));
        group.iterations.push_back(std::move(iteration));
        for (const auto& v : reads(*node))
            if (group_index(v) != g && !is_constant_scalar(v)) readers[v].push_back(g);
    }

    void begin_group(Node* node) {
        Group group;
        group.level = needed_level(*node, SIZE_MAX);
        group.fusable = has_kernel(*node) && !folds_nothing(*node);
        const TensorType& space =
            node->op->kind<ReduceCompute>() ? node->inputs[0].type() : node->types[0];
        AxisMap identity;
        if (has_kernel(*node)) {
            group.space = space.dims;
            for (int axis = 0; axis < space.rank(); ++axis)
                identity.push_back(static_cast<int8_t>(axis));
        }
        group.reduced.resize(group.space.size(), false);
        groups.push_back(std::move(group));
        AxisMap map = node->op->kind<ReduceCompute>() ? reduced_map(*node, identity) : identity;
        join(node, groups.size() - 1, std::move(map), std::move(identity));
    }

    void place(Node* node) {
        if (has_kernel(*node) || looks_through(*node))
            for (size_t g : candidates(*node)) {
                AxisMap map, iteration;
                if (!fits(*node, g, map, iteration)) continue;
                join(node, g, std::move(map), std::move(iteration));
                return;
            }
        begin_group(node);
    }

    // Groups so that producers come first, following the graph's own order: values live briefly.
    std::vector<size_t> schedule() const {
        std::vector<std::vector<size_t>> below(groups.size());
        for (size_t g = 0; g < groups.size(); ++g)
            for (const Node* node : groups[g].nodes)
                for (const auto& v : reads(*node))
                    if (size_t other = group_index(v); other != SIZE_MAX && other != g)
                        below[g].push_back(other);
        std::vector<size_t> result;
        std::vector<bool> seen(groups.size(), false);
        std::vector<std::pair<size_t, size_t>> stack;
        auto visit = [&](size_t g) {
            if (seen[g]) return;
            seen[g] = true;
            stack.emplace_back(g, 0);
        };
        for (Node* root : order) {
            visit(*group_of.find(root));
            while (!stack.empty()) {
                auto& [g, next] = stack.back();
                if (next < below[g].size()) {
                    visit(below[g][next++]);
                } else {
                    result.push_back(g);
                    stack.pop_back();
                }
            }
        }
        return result;
    }
};
}  // namespace

namespace {
// A group a node, in the graph's order.
Fusion each_alone(const Variables& inputs, const Variables& outputs) {
    auto all = toposort(outputs, inputs);
    NodeSet lazy = lazy_nodes(all, outputs, inputs);
    Fusion result;
    for (Node* node : all) {
        if (node->kind != NodeKind::Apply || lazy.contains(node)) continue;
        Group group;
        group.nodes.push_back(node);
        group.fusable = false;
        result.groups.push_back(std::move(group));
    }
    return result;
}
}  // namespace

Fusion fuse(const Variables& inputs, const Variables& outputs, bool enable) {
    if (!enable) return each_alone(inputs, outputs);
    Fuser fuser(inputs, outputs);
    for (Node* node : fuser.order) fuser.place(node);
    Fusion result;
    for (size_t g : fuser.schedule()) result.groups.push_back(std::move(fuser.groups[g]));
    return result;
}

}  // namespace croton::compile
