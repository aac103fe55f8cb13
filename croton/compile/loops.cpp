#include "croton/compile/loops.hpp"

#include <algorithm>

#include "croton/compile/images.hpp"
#include "croton/compile/loop_associative.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/loop_segments.hpp"

namespace croton::compile {

namespace {
class Merging {
  public:
    explicit Merging(const Variables& outputs) : outputs_(outputs), order_(toposort(outputs)) {}

    Variables run() {
        std::vector<Node*> loops;
        for (Node* node : order_)
            if (is_loop(*node)) loops.push_back(node);
        if (loops.empty()) return outputs_;
        find_users();
        for (Node* node : loops) join(node);
        for (auto& group : groups_) settle(*group);
        return rebuilt();
    }

  private:
    /// Loops of one body over one list of values.
    struct Group {
        Loop loop;
        std::vector<Node*> members;
        Variables stacked;
        std::vector<bool> traced, last;  ///< of each state: what is read
        std::vector<bool> state_kept;
        ValueSet needed;  ///< leaves of what is kept of the body
        Variables made;
    };

    void find_users() {
        for (Node* node : order_)
            for (const auto& v : node->inputs) users_[v].push_back(node);
        for (const auto& v : outputs_) users_[v].push_back(nullptr);
    }

    void join(Node* node) {
        Loop loop(*node);
        auto same = [&](const std::unique_ptr<Group>& group) {
            return group->members[0]->inputs == node->inputs &&
                   group->loop.formal() == loop.formal() && group->loop.stop == loop.stop &&
                   group->loop.next == loop.next;
        };
        auto found = std::find_if(groups_.begin(), groups_.end(), same);
        if (found == groups_.end()) {
            found = groups_.insert(groups_.end(), std::make_unique<Group>());
            (*found)->loop = loop;
            (*found)->traced.resize(loop.states.size());
            (*found)->last.resize(loop.states.size());
        }
        Group& group = **found;
        group.members.push_back(node);
        group_of_[node] = &group;
        note_reads(group, node, loop);
    }

    // What is read of a member's outputs.
    void note_reads(Group& group, Node* node, const Loop& loop) {
        for (uint32_t i = 0; i < loop.states.size(); ++i) {
            const auto& users = users_of({node, i});
            if (users.empty()) continue;
            bool last = !loop.traced[i] || only_last(users);
            (last ? group.last : group.traced)[i] = true;
        }
        for (uint32_t j = 0; j < loop.stacked.size(); ++j) {
            auto output = static_cast<uint32_t>(loop.states.size()) + j;
            if (users_of({node, output}).empty()) continue;
            auto known = std::find(group.stacked.begin(), group.stacked.end(), loop.stacked[j]);
            if (known == group.stacked.end()) group.stacked.push_back(loop.stacked[j]);
        }
    }

    const std::vector<Node*>& users_of(ValueKey v) const {
        static const std::vector<Node*> none;
        auto found = users_.find(v);
        return found ? *found : none;
    }

    // Whether a trace's users take its last value, as it is or behind the initial one.
    bool only_last(const std::vector<Node*>& users) {
        std::vector<Node*> readers, between;
        for (Node* user : users) {
            auto items = user ? items_of(*user) : std::nullopt;
            if (!items) return false;
            if (picks_last(*items)) {
                readers.push_back(user);
            } else if (skips_first(*items)) {
                between.push_back(user);
                for (Node* next : users_of({user, 0})) {
                    auto inner = next ? items_of(*next) : std::nullopt;
                    if (!inner || !picks_last(*inner)) return false;
                    readers.push_back(next);
                    behind_first_.insert(next);
                }
            } else {
                return false;
            }
        }
        for (Node* reader : readers) last_reads_.insert(reader);
        for (Node* node : between) between_.insert(node);
        return true;
    }

    // States that something read depends on, and inputs that the body still needs.
    void settle(Group& group) {
        Loop& loop = group.loop;
        size_t states = loop.states.size();
        group.state_kept.assign(states, false);
        for (size_t i = 0; i < states; ++i) group.state_kept[i] = group.traced[i] || group.last[i];
        for (bool changed = true; changed;) {
            Variables roots = group.stacked;
            if (loop.stop) roots.push_back(loop.stop);
            for (size_t i = 0; i < states; ++i)
                if (group.state_kept[i]) roots.push_back(loop.next[i]);
            group.needed = ValueSet(leaves(roots));
            changed = false;
            for (size_t i = 0; i < states; ++i)
                if (!group.state_kept[i] && group.needed.contains(loop.states[i]))
                    group.state_kept[i] = changed = true;
        }
    }

    // --- building -------------------------------------------------------------------------------

    Variables rebuilt() {
        for (Node* node : order_) {
            if (node->kind != NodeKind::Apply) continue;
            if (Group* group = group_at(node)) {
                build(*group, node);
                continue;
            }
            if (last_reads_.contains(node) && build_last_read(node)) continue;
            if (between_.contains(node) && !is_traced(node->inputs[0])) continue;
            image.carry_over(node);
        }
        return image(outputs_);
    }

    Group* group_at(Node* node) const {
        auto found = group_of_.find(node);
        return found ? *found : nullptr;
    }

    void build(Group& group, Node* node) {
        if (group.made.empty()) make(group);
        Loop loop(*node);
        for (uint32_t i = 0; i < node->types.size(); ++i)
            image.set({node, i}, output_of(group, loop, i));
    }

    void make(Group& group) {
        const Loop& old = group.loop;
        const ValueSet& needed = group.needed;
        Loop loop;
        loop.name = old.name;
        loop.truncate = old.truncate;
        loop.recompute = old.recompute;
        loop.steps = image(old.steps);
        loop.stop = old.stop;
        loop.stacked = group.stacked;
        for (size_t i = 0; i < old.states.size(); ++i) {
            if (!group.state_kept[i]) continue;
            loop.states.push_back(old.states[i]);
            loop.initial.push_back(image(old.initial[i]));
            loop.next.push_back(old.next[i]);
            loop.traced.push_back(group.traced[i]);
        }
        for (size_t j = 0; j < old.elements.size(); ++j) {
            if (!needed.contains(old.elements[j])) continue;
            loop.elements.push_back(old.elements[j]);
            loop.sequences.push_back(image(old.sequences[j]));
        }
        for (size_t k = 0; k < old.fixed.size(); ++k) {
            if (!needed.contains(old.fixed[k])) continue;
            loop.fixed.push_back(old.fixed[k]);
            loop.constants.push_back(image(old.constants[k]));
        }
        group.made = applied(loop, group.members[0]->site);
    }

    // What an output of a member is in the new loop; null if nobody reads it there.
    Variable output_of(const Group& group, const Loop& member, size_t output) const {
        size_t states = member.states.size(), kept = 0;
        for (size_t i = 0; i < states; ++i) {
            if (output == i && group.state_kept[i]) {
                // A final state where only that is kept: its readers take it as it is.
                if (group.traced[i] && !member.traced[i]) return last_of(group.made[kept]);
                return group.made[kept];
            }
            kept += group.state_kept[i];
        }
        if (output < states) return {};
        if (output - states < member.stacked.size()) {
            auto at = std::find(group.stacked.begin(), group.stacked.end(),
                                member.stacked[output - states]);
            if (at == group.stacked.end()) return {};
            return group.made[kept + static_cast<size_t>(at - group.stacked.begin())];
        }
        return group.made.back();  // how many steps were done
    }

    static Variable last_of(const Variable& trace) {
        std::string index = "-1";
        for (int axis = 1; axis < trace.rank(); ++axis) index += ", :";
        return apply(*subtensor_op(), {trace}, {{"index", index}})[0];
    }

    bool is_traced(const Variable& state) const {
        return group_at(state.node_pointer())->traced[state.index()];
    }

    // x[-1, rest] of a trace that is not kept any more: the rest of the final state.
    bool build_last_read(Node* node) {
        const Node* below = node;
        Variable source = node->inputs[0];
        if (behind_first_.contains(node)) {
            below = source.node_pointer();
            source = below->inputs[0];
        }
        Variable state = image(source);
        Group* group = group_at(source.node_pointer());
        if (!group || is_traced(source)) return false;
        if (behind_first_.contains(node)) state = if_run(state, image(group->loop.steps));
        Variables bounds;
        for (size_t i = 1; i < node->inputs.size(); ++i) bounds.push_back(image(node->inputs[i]));
        state = rest_of(state, *node, *items_of(*node), bounds);
        image.set({node, 0}, state);
        return true;
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    FlatMap<ValueKey, std::vector<Node*>> users_;
    std::vector<std::unique_ptr<Group>> groups_;
    FlatMap<Node*, Group*> group_of_;
    NodeSet last_reads_, behind_first_;
    NodeSet between_;  ///< traces without the initial value, on their way to such readers
    Images image;
};

size_t loop_outputs(const Variables& outputs) {
    size_t count = 0;
    for (Node* node : toposort(outputs))
        if (is_loop(*node)) count += node->types.size() + node->inputs.size();
    return count;
}
}  // namespace

Variables merge_loops(const Variables& outputs) {
    Variables current = read_last_of_rest(outputs);
    for (size_t before = loop_outputs(current); before > 0;) {
        current = Merging(current).run();
        size_t now = loop_outputs(current);
        if (now >= before) break;  // what a loop drops may be all that another one was for
        before = now;
    }
    return current;
}

Variables rewrite_bodies(const Variables& outputs, const Mode& mode, std::vector<Event>* events) {
    Images image;
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply) continue;
        bool moved = image.carry_over(node);
        if (!is_loop(*node)) continue;
        Variable present = moved ? image({node, 0}) : Variable(node, 0);
        Loop loop(present.node());
        Variables before = loop.results(),
                  after = rewrite_graph(prepare_loops(before, mode, events, true), mode, events);
        if (after == before) continue;
        loop.set_results(after);
        image.replace(node, loop.apply(node->site));
    }
    return image(outputs);
}

Variables applied(const Loop& loop, Site site) {
    Variables made = loop.apply(site);
    for (auto& type : made[0].node_pointer()->types)
        for (Dim& dim : type.dims)
            if (dim.unknown()) dim = Dim::fresh();
    return made;
}

namespace {
// What loops read from outside is rewritten before they are compared: gradients are taken of
// stabilised expressions, so a loop and the one that its gradient added may read two forms of one
// value.
Variables settle_inputs(const Variables& outputs, const Mode& mode) {
    auto order = toposort(outputs);
    NodeSet after_loops;
    Variables read;
    ValueSet seen;
    for (Node* node : order) {
        if (node->kind != NodeKind::Apply) continue;
        bool loop = is_loop(*node);
        for (const auto& v : node->inputs) {
            bool after = after_loops.contains(v.node_pointer());
            if (loop && !after && v.kind() == NodeKind::Apply && seen.insert(v)) read.push_back(v);
            if (after) after_loops.insert(node);
        }
        if (loop) after_loops.insert(node);
    }
    if (read.empty()) return outputs;
    Variables settled = rewrite_graph(read, mode, nullptr);
    Images image;
    for (size_t i = 0; i < read.size(); ++i)
        if (!(settled[i] == read[i])) image.set(read[i], settled[i]);
    for (Node* node : order)
        if (node->kind == NodeKind::Apply && !image.knows(node)) image.carry_over(node);
    return image(outputs);
}
}  // namespace

Variables prepare_loops(const Variables& outputs, const Mode& mode, std::vector<Event>* events,
                        bool inside) {
    if (loop_outputs(outputs) == 0) return outputs;
    Variables result = unroll_loops(merge_loops(settle_inputs(outputs, mode)), inside);
    result = rewrite_bodies(result, mode, events);
    Variables moved = move_work_out(result);
    if (!(moved == result)) result = rewrite_bodies(merge_loops(moved), mode, events);
    if (!mode.fuse) return result;
    if (!inside) result = without_recurrences(result);
    result = without_traces(result);
    Variables elements = write_out_elements(result);
    return elements == result ? result : rewrite_bodies(elements, mode, events);
}

}  // namespace croton::compile
