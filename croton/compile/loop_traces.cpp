// Traces of loops that will be kernels: see loops.hpp.
#include <algorithm>

#include "croton/compile/images.hpp"
#include "croton/compile/loop_kernel.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
class Untracing {
  public:
    explicit Untracing(const Variables& outputs) : outputs_(outputs), order_(toposort(outputs)) {}

    Variables run() {
        for (Node* node : order_)
            if (is_loop(*node)) add(*node);
        if (loops_.size() == 0) return outputs_;
        for (Node* node : order_)
            for (const auto& v : node->inputs) users_[v].push_back(node);
        for (const auto& v : outputs_) users_[v].push_back(nullptr);
        for (Node* node : order_) note_reads(*node);
        for (const auto& v : outputs_)
            if (State* state = traced(v)) state->after = state->whole = true;
        for (Node* node : order_) rebuild(node);
        return image_(outputs_);
    }

  private:
    /// What is read of a state's trace.
    struct State {
        bool whole = false;   ///< all of it
        bool after = false;   ///< values after each step
        bool before = false;  ///< values before each step
        Variable initial, last, stack_after, stack_before;
    };
    struct Known {
        Loop loop;
        std::vector<State> states;
    };

    void add(const Node& node) {
        Loop loop(node);
        bool traces = std::any_of(loop.traced.begin(), loop.traced.end(), [](bool t) { return t; });
        if (!traces || (!fits_kernel(loop) && !fits_scalars(loop))) return;
        size_t count = loop.states.size();
        loops_.insert(&node, {std::move(loop), std::vector<State>(count)});
    }

    State* traced(const Variable& v) {
        Known* known = loops_.find(v.node_pointer());
        if (!known || v.index() >= known->states.size() || !known->loop.traced[v.index()])
            return nullptr;
        return &known->states[v.index()];
    }

    void note_reads(const Node& node) {
        auto items = items_of(node);
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            State* state = traced(node.inputs[i]);
            if (!state) continue;
            if (i == 0 && items && skips_first(*items))
                state->after |= !read_at_the_end(node);
            else if (i == 0 && items && skips_last(*items))
                state->before = true;
            else if (i > 0 || !items || !picks_last(*items))
                state->after = state->whole = true;
        }
    }

    // Whether of x[1:] the last value alone is read.
    bool read_at_the_end(const Node& node) const {
        auto users = users_.find({&node, 0});
        return users && std::all_of(users->begin(), users->end(), [](const Node* user) {
                   auto items = user ? items_of(*user) : std::nullopt;
                   return items && picks_last(*items);
               });
    }

    void rebuild(Node* node) {
        if (node->kind != NodeKind::Apply) return;
        if (Known* known = loops_.find(node)) return rebuild_loop(node, *known);
        if (rebuild_last_read(node)) return;
        if (State* state = node->inputs.empty() ? nullptr : traced(node->inputs[0]))
            if (Variable read = read_of(*node, *state)) {
                image_.set({node, 0}, read);
                return;
            }
        image_.carry_over(node);
    }

    // x[1:][-1] of a state of which no stack is kept: the loop's last value, if it has run at all.
    bool rebuild_last_read(Node* node) {
        auto items = items_of(*node);
        if (!items || !picks_last(*items)) return false;
        const Node& below = node->inputs[0].node();
        auto outer = items_of(below);
        State* state = outer && skips_first(*outer) ? traced(below.inputs[0]) : nullptr;
        if (!state || state->after) return false;
        Variable last = if_run(state->last, image_(below.inputs[0].input(0)));
        Variables bounds;
        for (size_t i = 1; i < node->inputs.size(); ++i) bounds.push_back(image_(node->inputs[i]));
        image_.set({node, 0}, rest_of(last, *node, *items, bounds));
        return true;
    }

    Variable read_of(const Node& node, const State& state) {
        auto items = items_of(node);
        if (!items) return {};
        // Nobody reads it but those who take the last value of it.
        if (skips_first(*items)) return state.after ? state.stack_after : state.last;
        if (skips_last(*items)) return state.stack_before;
        if (!picks_last(*items)) return {};
        Variables bounds;
        for (size_t i = 1; i < node.inputs.size(); ++i) bounds.push_back(image_(node.inputs[i]));
        return rest_of(state.last, node, *items, bounds);
    }

    void rebuild_loop(Node* node, Known& known) {
        Loop loop = known.loop;
        size_t states = loop.states.size(), stacks = loop.stacked.size();
        loop.steps = image_(loop.steps);
        for (auto* list : {&loop.initial, &loop.sequences, &loop.constants})
            for (Variable& v : *list) v = image_(v);
        loop.traced.assign(states, false);
        auto stack = [&](const Variable& v) {
            auto found = std::find(loop.stacked.begin(), loop.stacked.end(), v);
            auto place = static_cast<size_t>(found - loop.stacked.begin());
            if (found == loop.stacked.end()) loop.stacked.push_back(v);
            return states + place;
        };
        std::vector<size_t> after(states), before(states);
        for (size_t i = 0; i < states; ++i) {
            if (known.states[i].after) after[i] = stack(loop.next[i]);
            if (known.states[i].before) before[i] = stack(loop.states[i]);
        }
        Variables made = applied(loop, node->site);
        for (size_t i = 0; i < states; ++i) {
            State& state = known.states[i];
            state.last = made[i];
            if (state.after) state.stack_after = made[after[i]];
            if (state.before) state.stack_before = made[before[i]];
            Variable whole = made[i];
            if (known.loop.traced[i] && state.whole) {
                SiteScope scope(node->site);
                whole = concatenate({expand_dims(loop.initial[i], 0), state.stack_after});
            }
            image_.set({node, static_cast<uint32_t>(i)}, whole);
        }
        for (size_t j = 0; j < stacks; ++j)
            image_.set({node, static_cast<uint32_t>(states + j)}, made[states + j]);
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    FlatMap<const Node*, Known> loops_;
    FlatMap<ValueKey, std::vector<Node*>> users_;
    Images image_;
};
}  // namespace

Variables without_traces(const Variables& outputs) { return Untracing(outputs).run(); }

}  // namespace croton::compile
