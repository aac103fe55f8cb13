// Different loops over one length as one: see loops.hpp.
#include <algorithm>

#include "croton/compile/fuse_graph.hpp"
#include "croton/compile/loop_equal.hpp"
#include "croton/compile/loop_kernel.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/scalars.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

namespace {
// What a loop will be. Loops of two kinds are not joined: the better one would become the worse.
enum class Kind : uint8_t { Kernel, Scalars, Steps };
Kind kind_of(const Loop& loop) {
    return fits_kernel(loop) ? Kind::Kernel : fits_scalars(loop) ? Kind::Scalars : Kind::Steps;
}

// How many numbers kernels carry from step to step. With two scalar loops of 4 and of 8 states each
// the joined one took 0.57 and 0.72 of their time, of 12 as long, of 16 longer: registers run out.
constexpr int64_t most_carried = 24;
int64_t carried_by(const Loop& loop, Kind kind) {
    int64_t count = 0;
    for (const auto& v : loop.states) count += kind == Kind::Scalars ? *few_elements(v.type()) : 1;
    return count;
}

// Steps that take products with matrices that stay the same read those again and again: they are to
// stay in the cache, where those of two loops might not (1.03 to 1.05 of the time for gated
// networks of 64 and 256; small ones gain a tenth).
constexpr int64_t small_matrix = 4096;
bool keeps_matrices_at_hand(const Loop& loop) {
    auto is_large = [&](Variable v) {
        while (v.kind() == NodeKind::Apply && looks_through(v.node())) v = v.input(0);
        if (!contains(loop.fixed, v)) return false;
        int64_t count = 1;
        for (Dim dim : v.type().dims) count *= dim.known() ? dim.size() : small_matrix + 1;
        return count > small_matrix;
    };
    auto order = toposort(loop.results(), loop.formal());
    return std::any_of(order.begin(), order.end(), [&](Node* node) {
        return node->kind == NodeKind::Apply && node->op->kind<ContractCompute>() &&
               std::any_of(node->inputs.begin(), node->inputs.end(), is_large);
    });
}

constexpr size_t most_nodes = 3000;  // of a body that others join

// In which direction a loop reads what is indexed by its steps, as far as it does. Stacks lie in
// memory as those read them who come from the same end.
enum class Direction : uint8_t { Any, Forwards, Backwards };
Direction direction_of(const Loop& loop) {
    if (loop.sequences.empty()) return Direction::Any;
    bool turned = std::any_of(loop.sequences.begin(), loop.sequences.end(), is_turned);
    return turned ? Direction::Backwards : Direction::Forwards;
}
bool go_together(Direction a, Direction b) {
    return a == b || a == Direction::Any || b == Direction::Any;
}

// The length of what is counted, where types say it.
Dim length_of(const Variable& steps) {
    static const OpRecord* size_op = find_op("size_of");
    if (const Array* known = constant_value(steps)) return Dim(known->item<int64_t>());
    if (!steps.is(*size_op)) return {};
    auto axis = attrs_of(steps.node()).get<int64_t>("axis");
    return steps.input(0).type().dims[static_cast<size_t>(axis)];
}

// Two loops as one: states, inputs and results side by side.
struct Pair {
    Loop both;
    Variable second_stop;
};
Pair side_by_side(const Loop& first, Loop second) {
    Substitution by;
    for (auto* list : {&second.states, &second.elements, &second.fixed})
        for (Variable& v : *list) {
            Variable own = input(v.type(), v.name(), v.site());
            by.emplace(v, own);
            v = own;
        }
    second.set_results(substitute(second.results(), by));
    Loop both = first;
    auto append = [](auto& list, const auto& more) {
        list.insert(list.end(), more.begin(), more.end());
    };
    append(both.initial, second.initial), append(both.sequences, second.sequences);
    append(both.constants, second.constants), append(both.states, second.states);
    append(both.elements, second.elements), append(both.fixed, second.fixed);
    append(both.next, second.next), append(both.stacked, second.stacked);
    append(both.traced, second.traced);
    if (first.name != second.name) both.name += " and " + second.name;
    return {std::move(both), second.stop};
}

/// Loops that run together. What they read was made below their level, what they give is read
/// above.
struct Group {
    Loop loop;
    Kind kind;
    Direction direction;
    int level;
    bool open;  ///< for more members
    std::vector<Node*> members;
    Variables made;
};

class Joining {
  public:
    explicit Joining(const Variables& outputs)
        : outputs_(outputs), order_(toposort(outputs)), outside_(outputs) {}

    Variables run() {
        if (std::count_if(order_.begin(), order_.end(), [](Node* n) { return is_loop(*n); }) < 2)
            return outputs_;
        lazy_ = lazy_nodes(order_, outputs_, {});
        for (Node* node : order_) place(node);
        if (group_of_.size() == groups_.size()) return outputs_;
        // Members of a group stand side by side, behind what all of them read.
        std::stable_sort(order_.begin(), order_.end(),
                         [&](Node* a, Node* b) { return rank_of(a) < rank_of(b); });
        for (Node* node : order_) rebuild(node);
        return image_(outputs_);
    }

  private:
    // Levels count the loops below a node.
    void place(Node* node) {
        int level = 0;
        for (const auto& v : node->inputs) level = std::max(level, *levels_.find(v.node_pointer()));
        if (is_loop(*node)) level = 1 + join(node, level);
        levels_.insert(node, level);
    }
    int rank_of(Node* node) const {
        int level = *levels_.find(node);
        return is_loop(*node) ? 2 * level - 1 : 2 * level;
    }

    // A loop may join those of its level and of higher ones: they need nothing of each other.
    int join(Node* node, int level) {
        Loop loop(*node);
        Kind kind = kind_of(loop);
        Direction direction = direction_of(loop);
        bool open = !lazy_.contains(node);
        for (auto& group : groups_)
            if (open && group->open && group->level >= level && group->kind == kind &&
                go_together(group->direction, direction) && take(*group, node, loop)) {
                if (group->direction == Direction::Any) group->direction = direction;
                return group->level;
            }
        groups_.push_back(std::make_unique<Group>(
            Group{std::move(loop), kind, direction, level, open, {node}, {}}));
        group_of_.insert(node, groups_.back().get());
        return level;
    }

    bool take(Group& group, Node* node, const Loop& loop) {
        if (!as_often(group.loop, loop) || bool(group.loop.stop) != bool(loop.stop)) return false;
        Pair pair = side_by_side(group.loop, loop);
        if (kind_of(pair.both) != group.kind || is_harm(pair.both, group, loop)) return false;
        if (loop.stop && !equal_in_each_step(pair.both, pair.both.stop, pair.second_stop, outside_))
            return false;
        group.loop = std::move(pair.both);
        group.members.push_back(node);
        group_of_.insert(node, &group);
        return true;
    }

    static bool is_harm(const Loop& both, const Group& group, const Loop& loop) {
        if (group.kind != Kind::Steps) return carried_by(both, group.kind) > most_carried;
        if (toposort(both.results(), both.formal()).size() > most_nodes) return true;
        return keeps_matrices_at_hand(group.loop) && keeps_matrices_at_hand(loop);
    }

    bool as_often(const Loop& a, const Loop& b) {
        auto numbers = outside_({a.steps, b.steps});
        return numbers[0] == numbers[1] || length_of(a.steps).certainly_equals(length_of(b.steps));
    }

    void rebuild(Node* node) {
        if (node->kind != NodeKind::Apply) return;
        Group* const* found = group_of_.find(node);
        if (!found || (*found)->members.size() < 2) {
            image_.carry_over(node);
            return;
        }
        Group& group = **found;
        if (!group.made.empty()) return;
        take_images(group.loop, image_);
        group.made = applied(group.loop, group.members[0]->site);
        give_out(group);
    }

    // States of all members come first, then their stacks.
    void give_out(const Group& group) {
        size_t state = 0, stack = group.loop.states.size();
        for (Node* member : group.members) {
            auto states = static_cast<uint32_t>(attrs_of(*member).get<int64_t>("states"));
            auto count = static_cast<uint32_t>(member->types.size()) - bool(group.loop.stop);
            for (uint32_t i = 0; i < count; ++i)
                image_.set({member, i}, group.made[i < states ? state++ : stack++]);
            if (group.loop.stop) image_.set({member, count}, group.made.back());
        }
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    Surroundings outside_;
    NodeSet lazy_;
    FlatMap<const Node*, int> levels_;
    std::vector<std::unique_ptr<Group>> groups_;
    FlatMap<Node*, Group*> group_of_;
    Images image_;
};
}  // namespace

Variables join_loops(const Variables& outputs) { return Joining(outputs).run(); }

}  // namespace croton::compile
