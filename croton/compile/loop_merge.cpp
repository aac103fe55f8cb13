// Loops that run one body over the same values: see loops.hpp.
#include <algorithm>

#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

namespace {
class Merging {
  public:
    explicit Merging(const Variables& outputs) : outputs_(outputs), order_(toposort(outputs)) {}

    Variables run() {
        for (Node* node : order_)
            if (is_loop(*node)) join(node);
        if (group_of_.size() == groups_.size()) return outputs_;
        for (Node* node : order_) {
            if (node->kind != NodeKind::Apply) continue;
            Group* const* group = group_of_.find(node);
            if (group && (*group)->members > 1)
                build(**group, node);
            else
                image_.carry_over(node);
        }
        return image_(outputs_);
    }

  private:
    /// Loops of one body over one list of values: what each of them gives.
    struct Group {
        Loop loop;
        Node* first;
        size_t members = 0;
        Variables made;
    };

    void join(Node* node) {
        Loop loop(*node);
        auto same = [&](const std::unique_ptr<Group>& group) {
            return group->first->inputs == node->inputs && group->loop.formal() == loop.formal() &&
                   group->loop.stop == loop.stop && group->loop.next == loop.next;
        };
        auto found = std::find_if(groups_.begin(), groups_.end(), same);
        if (found == groups_.end())
            found = groups_.insert(groups_.end(), std::make_unique<Group>(Group{loop, node}));
        Group& group = **found;
        ++group.members;
        group_of_.insert(node, &group);
        for (size_t i = 0; i < loop.states.size(); ++i)
            if (loop.traced[i]) group.loop.traced[i] = true;
        for (const auto& v : loop.stacked)
            if (!contains(group.loop.stacked, v)) group.loop.stacked.push_back(v);
    }

    void build(Group& group, Node* node) {
        if (group.made.empty()) {
            take_images(group.loop, image_);
            group.made = applied(group.loop, group.first->site);
        }
        Loop member(*node);
        for (uint32_t i = 0; i < node->types.size(); ++i)
            image_.set({node, i}, output_of(group, member, i));
    }

    static Variable output_of(const Group& group, const Loop& member, size_t output) {
        size_t states = member.states.size();
        if (output < states && group.loop.traced[output] && !member.traced[output])
            return last_of(group.made[output]);
        if (output < states) return group.made[output];
        if (output == states + member.stacked.size()) return group.made.back();  // steps done
        return group.made[states + place_in(group.loop.stacked, member.stacked[output - states])];
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    std::vector<std::unique_ptr<Group>> groups_;
    FlatMap<Node*, Group*> group_of_;
    Images image_;
};
}  // namespace

Variables merge_same_loops(const Variables& outputs) { return Merging(outputs).run(); }

}  // namespace croton::compile
