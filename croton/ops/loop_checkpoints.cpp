// Gradients that recompute, of loops whose steps are known only when they have run (`stop`), or
// that gradients flow through for the last steps only (`truncate`): the steps that count are run
// again, as a loop by segments, and the gradient is that loop's.
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/loop_segments.hpp"
#include "croton/ops/support.hpp"

namespace croton {

namespace {
class Recomputing {
  public:
    explicit Recomputing(const Pullback& p) : p_(p), f_(p.node()) {
        done_ = f_.stop ? p.output(p.node().types.size() - 1) : f_.steps;
        steps_ = truncated() ? minimum(done_, f_.truncate) : done_;
        if (truncated()) skipped_ = sub(done_, steps_);
    }

    Cotangents run() {
        Cotangents result(p_.input_count());
        Variables made = run_again();
        Variables outputs, seeds;
        take_seeds(made, outputs, seeds);
        if (!outputs.empty()) place(p_.inner_gradient(outputs, wanted_, seeds), result);
        add_seeds_of_initial(result);
        return result;
    }

  private:
    bool truncated() const { return f_.truncate > 0; }
    size_t state_count() const { return f_.states.size(); }

    // --- the steps that count
    // ---------------------------------------------------------------------

    // Over inputs of its own: what comes before them has no part in the gradient.
    Variables run_again() {
        Loop again = f_;
        again.stop = {};
        again.truncate = -1;
        again.checkpoint = again.checkpoint_bytes = 0;
        again.steps = steps_;
        again.initial = stand_ins(truncated() ? skipped() : f_.initial, 0);
        Variables parts;
        for (const auto& v : f_.sequences) parts.push_back(counted(v, 0));
        again.sequences = stand_ins(parts, state_count());
        again.constants = stand_ins(f_.constants, state_count() + f_.sequences.size());
        return apply_in_segments(again, length_of_segments(again), p_.node().site);
    }

    Variables stand_ins(const Variables& actual, size_t first) {
        Variables made;
        for (size_t i = 0; i < actual.size(); ++i) {
            Variable formal = input(actual[i].type(), actual[i].name());
            actual_.emplace(formal, actual[i]);
            made.push_back(formal);
            if (!p_.wanted[1 + first + i]) continue;
            wanted_.push_back(formal);
            places_.push_back(1 + first + i);
        }
        return made;
    }

    // Of values that lie `before` positions behind those of the steps.
    Variable counted(const Variable& values, int64_t before) const {
        if (!truncated())
            return f_.stop ? at(values, {Slice(before, add(done_, before))})
                           : at(values, {Slice(before, {})});
        return at(values, {Slice(add(skipped_, before), add(done_, before))});
    }

    // States after the steps that the gradient leaves out.
    Variables skipped() const {
        Loop before = f_;
        before.stop = {};
        before.truncate = -1;
        before.checkpoint = before.checkpoint_bytes = 0;
        before.stacked.clear();
        before.traced.assign(state_count(), false);
        before.steps = skipped_;
        for (Variable& v : before.sequences) v = at(v, {Slice({}, skipped_)});
        return before.apply(p_.node().site);
    }

    Variable length_of_segments(const Loop& again) const {
        if (f_.checkpoint_bytes > 0) return segments_by_bytes(again, f_.checkpoint_bytes);
        if (f_.checkpoint > 0) return constant(Array::scalar(f_.checkpoint));
        return segments_by_root(steps_);
    }

    // --- what flows in and out
    // --------------------------------------------------------------------

    void take_seeds(const Variables& made, Variables& outputs, Variables& seeds) const {
        for (size_t i = 0; i < made.size(); ++i) {
            const Variable& seed = p_.seed(i);
            if (!seed) continue;
            bool trace = i < state_count() && f_.traced[i],
                 final_state = i < state_count() && !trace;
            Variable last = trace ? gradient_of_last(seed) : Variable();
            outputs.push_back(last ? at(made[i], {-1}) : made[i]);
            seeds.push_back(last ? last : final_state ? seed : counted(seed, trace ? 1 : 0));
        }
    }

    void place(const Variables& gradients, Cotangents& result) const {
        for (size_t n = 0; n < gradients.size(); ++n) {
            if (!gradients[n]) continue;
            Variable g = substitute(gradients[n], actual_);
            size_t i = places_[n], sequences = 1 + state_count();
            if (i < sequences && truncated())
                g = where(le(done_, f_.truncate), g, zeros_like(g));
            else if (i >= sequences && i < sequences + f_.sequences.size())
                g = spread(g, p_.input(i));
            result[i] = g;
        }
    }

    // Positions that no step has read, or whose step does not count, have gradient zero.
    Variable spread(const Variable& gradient, const Variable& sequence) const {
        Slice steps = truncated() ? Slice(skipped_, done_) : Slice({}, done_);
        return set_subtensor(at(zeros_like(sequence), {steps}), gradient);
    }

    // A trace begins with the initial value.
    void add_seeds_of_initial(Cotangents& result) const {
        for (size_t i = 0; i < state_count(); ++i) {
            if (!f_.traced[i] || !p_.seed(i) || gradient_of_last(p_.seed(i))) continue;
            Variable begin = at(p_.seed(i), {0});
            result[1 + i] = result[1 + i] ? add(result[1 + i], begin) : begin;
        }
    }

    const Pullback& p_;
    Loop f_;
    Variable done_, steps_;       ///< how many have run, and how many of them count
    Variable skipped_;            ///< how many do not; null: all count
    Substitution actual_;         ///< of inputs that stand for those of the loop
    Variables wanted_;            ///< such inputs whose gradient somebody needs
    std::vector<size_t> places_;  ///< of each: which input of the loop it stands for
};
}  // namespace

Cotangents recomputing_pullback(const Pullback& p) {
    SiteScope scope(p.node().site);
    return Recomputing(p).run();
}

}  // namespace croton
