// Back-propagation through a loop, in three steps: the loop again, with what the way back needs of
// each step stacked; a second loop from the last step to the first, whose states are the gradients
// with respect to the first one's states; and its results brought to where they belong.
#include <algorithm>

#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/loop.hpp"
#include "croton/ops/loop_saving.hpp"
#include "croton/ops/loop_segments.hpp"
#include "croton/ops/support.hpp"

namespace croton {

namespace {
Variable reversed(const Variable& x) { return at(x, {Slice({}, {}, -1)}); }

class Backward {
  public:
    explicit Backward(const Pullback& p)
        : p_(p), f_(p.node()), carrier_(f_.states.size()), stacks_(f_.states.size()) {
        SiteScope scope(p.node().site);
        make_seeds();
    }

    Cotangents run() {
        find_carriers();
        Cotangents result(p_.input_count());
        if (std::none_of(carrier_.begin(), carrier_.end(), [](bool c) { return c; }) &&
            std::none_of(stack_seeds_.begin(), stack_seeds_.end(), [](auto& v) { return bool(v); }))
            return result;
        done_ = f_.stop ? p_.output(p_.node().types.size() - 1) : f_.steps;
        steps_ = f_.truncate > 0 ? minimum(done_, f_.truncate) : done_;
        write_body();
        read_forward();
        Variables made = b_.apply(p_.node().site);
        place(made, result);
        return result;
    }

  private:
    size_t state_count() const { return f_.states.size(); }
    /// Whether the way back takes every step, and all positions of the sequences.
    bool whole() const { return !f_.stop && f_.truncate <= 0; }

    // --- what flows in ------------------------------------------------------------------------

    void make_seeds() {
        for (size_t i = 0; i < state_count(); ++i) {
            TensorType type = f_.states[i].type();
            carried_.push_back(input(type, cat("gradient of ", f_.states[i].name())));
            trace_seeds_.emplace_back();
            last_.emplace_back();
            if (!p_.seed(i)) continue;
            carrier_[i] = is_continuous(type.dtype);
            last_[i] = f_.traced[i] ? gradient_of_last(p_.seed(i)) : p_.seed(i);
            if (!last_[i]) trace_seeds_.back() = input(type, "gradient");
        }
        for (size_t j = 0; j < f_.stacked.size(); ++j)
            stack_seeds_.push_back(p_.seed(stacks_ + j) ? input(f_.stacked[j].type(), "gradient")
                                                        : Variable());
    }

    // Gradients of one step with respect to the body's inputs.
    Variables step_gradient() const {
        Variables outputs = f_.next, seeds;
        outputs.insert(outputs.end(), f_.stacked.begin(), f_.stacked.end());
        for (size_t i = 0; i < state_count(); ++i) {
            Variable seed = carrier_[i] ? carried_[i] : Variable();
            if (trace_seeds_[i]) seed = seed ? add(seed, trace_seeds_[i]) : trace_seeds_[i];
            seeds.push_back(seed);
        }
        seeds.insert(seeds.end(), stack_seeds_.begin(), stack_seeds_.end());
        return p_.inner_gradient(outputs, f_.formal(), seeds);
    }

    // States that a gradient reaches: what a step passes back to may carry it further.
    void find_carriers() {
        for (bool changed = true; changed;) {
            changed = false;
            gradients_ = step_gradient();
            for (size_t i = 0; i < state_count(); ++i)
                if (gradients_[i] && !carrier_[i] && is_continuous(f_.states[i].dtype()))
                    carrier_[i] = changed = true;
        }
    }

    // --- the second loop ----------------------------------------------------------------------

    void write_body() {
        b_.name = cat("gradient of ", f_.name);
        b_.steps = steps_;
        for (size_t i = 0; i < state_count(); ++i) {
            if (!carrier_[i]) continue;
            Variable begin = last_[i] ? last_[i] : zeros_like(f_.initial[i]);
            add_state(carried_[i], begin, gradients_[i] ? gradients_[i] : zeros_like(f_.states[i]));
        }
        size_t first = state_count() + f_.elements.size();
        for (size_t j = 0; j < f_.elements.size(); ++j)
            if (p_.wanted[1 + state_count() + j] && gradients_[state_count() + j])
                b_.stacked.push_back(gradients_[state_count() + j]);
        for (size_t k = 0; k < f_.fixed.size(); ++k) {
            if (!p_.wanted[1 + first + k] || !gradients_[first + k]) continue;
            Variable sum = input(f_.fixed[k].type(), cat("gradient of ", f_.fixed[k].name()));
            add_state(sum, zeros_like(f_.constants[k]), add(sum, gradients_[first + k]));
        }
    }

    void add_state(const Variable& formal, const Variable& begin, const Variable& next) {
        b_.states.push_back(formal);
        b_.initial.push_back(begin);
        b_.next.push_back(next);
        b_.traced.push_back(false);
    }

    // --- what it reads of the first -------------------------------------------------------------

    void read_forward() {
        Variables results = b_.results();
        Variables seeds = b_.states;
        for (const auto* list : {&trace_seeds_, &stack_seeds_})
            for (const auto& v : *list)
                if (v) seeds.push_back(v);
        Variables moving = f_.states;
        moving.insert(moving.end(), f_.elements.begin(), f_.elements.end());
        Variables saved =
            f_.recompute ? Variables() : values_to_save(results, f_.formal(), seeds, moving);
        Substitution by;
        for (const auto& v : saved) by.emplace(v, input(v.type(), v.name()));
        if (!by.empty()) results = substitute(results, by);
        b_.set_results(results);

        ValueSet used;
        for (Node* node : toposort(results))
            if (node->kind == NodeKind::Input) used.insert(Variable(node, 0));
        Loop again = f_;
        again.truncate = -1;
        for (size_t i = 0; i < state_count(); ++i)
            if (used.contains(f_.states[i])) again.traced[i] = true;
        std::vector<std::pair<Variable, size_t>> stacked;  // saved values and their stacks
        std::vector<std::pair<Variable, size_t>> in_traces;
        for (const auto& v : saved) {
            auto next = std::find(f_.next.begin(), f_.next.end(), v);
            if (next != f_.next.end()) {
                auto i = static_cast<size_t>(next - f_.next.begin());
                again.traced[i] = true;
                in_traces.emplace_back(by.at(v), i);
                continue;
            }
            auto known = std::find(again.stacked.begin(), again.stacked.end(), v);
            stacked.emplace_back(by.at(v), size_t(known - again.stacked.begin()));
            if (known == again.stacked.end()) again.stacked.push_back(v);
        }
        bool more = again.traced != f_.traced || again.stacked.size() != f_.stacked.size();
        Variables forward;
        if (more)
            forward = again.apply(p_.node().site);
        else
            for (size_t i = 0; i < p_.node().types.size(); ++i) forward.push_back(p_.output(i));

        for (size_t i = 0; i < state_count(); ++i)
            if (used.contains(f_.states[i]))
                add_sequence(f_.states[i], at(forward[i], {Slice({}, -1)}));
        for (const auto& [formal, i] : in_traces)
            add_sequence(formal, at(forward[i], {Slice(1, {})}));
        for (const auto& [formal, j] : stacked) add_sequence(formal, forward[stacks_ + j]);
        for (size_t j = 0; j < f_.elements.size(); ++j)
            if (used.contains(f_.elements[j]))
                add_sequence(f_.elements[j],
                             f_.stop ? at(f_.sequences[j], {Slice({}, done_)}) : f_.sequences[j]);
        for (size_t i = 0; i < state_count(); ++i)
            if (trace_seeds_[i]) add_sequence(trace_seeds_[i], at(p_.seed(i), {Slice(1, {})}));
        for (size_t j = 0; j < stack_seeds_.size(); ++j)
            if (stack_seeds_[j]) add_sequence(stack_seeds_[j], p_.seed(stacks_ + j));
        for (size_t k = 0; k < f_.fixed.size(); ++k)
            if (used.contains(f_.fixed[k])) {
                b_.fixed.push_back(f_.fixed[k]);
                b_.constants.push_back(f_.constants[k]);
            }
    }

    void add_sequence(const Variable& formal, const Variable& values) {
        b_.elements.push_back(formal);
        Variable back = reversed(values);
        b_.sequences.push_back(f_.truncate > 0 ? at(back, {Slice({}, steps_)}) : back);
    }

    // --- where the results belong ---------------------------------------------------------------

    void place(const Variables& made, Cotangents& result) {
        size_t state = 0, stack = b_.states.size(), first = state_count() + f_.elements.size();
        for (size_t i = 0; i < state_count(); ++i) {
            Variable g;
            if (carrier_[i]) g = made[state++];
            if (g && f_.truncate > 0) g = where(le(done_, f_.truncate), g, zeros_like(g));
            if (trace_seeds_[i]) {
                Variable begin = at(p_.seed(i), {0});
                g = g ? add(g, begin) : begin;
            }
            result[1 + i] = g;
        }
        for (size_t j = 0; j < f_.elements.size(); ++j)
            if (p_.wanted[1 + state_count() + j] && gradients_[state_count() + j])
                result[1 + state_count() + j] = spread(reversed(made[stack++]), f_.sequences[j]);
        for (size_t k = 0; k < f_.fixed.size(); ++k)
            if (p_.wanted[1 + first + k] && gradients_[first + k])
                result[1 + first + k] = made[state++];
    }

    // Positions that the way back does not reach have gradient zero.
    Variable spread(const Variable& gradient, const Variable& sequence) const {
        if (whole()) return gradient;
        return set_subtensor(at(zeros_like(sequence), {Slice(done_ - steps_, done_)}), gradient);
    }

    const Pullback& p_;
    Loop f_, b_;
    std::vector<bool> carrier_;
    size_t stacks_;  ///< the first output that is a stack
    Variable done_, steps_;
    Variables carried_, trace_seeds_, stack_seeds_;  ///< formal; null where nothing comes in
    Variables last_;       ///< gradients with respect to final states, where that is all there is
    Variables gradients_;  ///< of the body's inputs
};
}  // namespace

Cotangents loop_pullback(const Pullback& p) {
    bool recomputes =
        p.attr<int64_t>("checkpoint") != 0 || p.attr<int64_t>("checkpoint_bytes") != 0;
    return recomputes ? recomputing_pullback(p) : Backward(p).run();
}

}  // namespace croton
