#include "croton/compile/loop_associative.hpp"

#include <algorithm>

#include "croton/compile/images.hpp"
#include "croton/compile/widen.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/loop.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
/// A loop whose only state is a number.
class Recurrence {
  public:
    explicit Recurrence(Loop loop) : l_(std::move(loop)) {}

    /// The loop's only output, made otherwise; null if it stays a loop.
    Variable simpler() {
        if (l_.stop || l_.states.size() != 1 || !l_.stacked.empty()) return {};
        DType dtype = state().dtype();
        if (state().rank() != 0 || (dtype != DType::Float32 && dtype != DType::Float64)) return {};
        for (Node* node : toposort(l_.next, l_.formal()))
            if (std::count(node->inputs.begin(), node->inputs.end(), state()) > 0)
                moving_.insert(node);
        if (Variable extreme = as_extreme()) return extreme;
        return as_linear_steps();
    }

  private:
    const Variable& state() const { return l_.states[0]; }

    // Whether sequences certainly have a position a step: else it is for the loop to say so.
    bool lengths_fit() const {
        Dim steps = steps_dim();
        return std::all_of(l_.sequences.begin(), l_.sequences.end(), [&](const Variable& v) {
            return steps.certainly_equals(v.type().dims[0]);
        });
    }
    Dim steps_dim() const {
        static const OpRecord* size_op = find_op("size_of");
        if (const Array* steps = constant_value(l_.steps)) return Dim(steps->item<int64_t>());
        if (!l_.steps.is(*size_op)) return {};
        auto axis = attrs_of(l_.steps.node()).get<int64_t>("axis");
        return l_.steps.input(0).type().dims[static_cast<size_t>(axis)];
    }

    // Of x and y: the one that is not the state, if the other one is.
    Variable beside_state(const Variable& v) const {
        if (v.node().inputs.size() != 2) return {};
        if (v.input(0) == state() && fixed(v.input(1))) return v.input(1);
        if (v.input(1) == state() && fixed(v.input(0))) return v.input(0);
        return {};
    }

    // Whether a value does not depend on the state.
    bool fixed(const Variable& v) const {
        auto order = toposort({v}, l_.formal());
        auto moves = [&](const Node* node) { return moving_.contains(node); };
        return !(v == state()) && std::none_of(order.begin(), order.end(), moves);
    }

    bool can_widen(const Variable& v) const {
        auto order = toposort({v}, l_.formal());
        return std::all_of(order.begin(), order.end(), [](const Node* node) {
            return node->kind != NodeKind::Apply || Widener::can_widen(*node);
        });
    }

    bool is_element(const Variable& v) const {
        return std::find(l_.elements.begin(), l_.elements.end(), v) != l_.elements.end();
    }
    bool is_plain(const Variable& v) const {
        bool formal = std::find(l_.fixed.begin(), l_.fixed.end(), v) != l_.fixed.end();
        return formal || v.kind() == NodeKind::Constant;
    }

    Widener::Wide wide(const Variable& v) const {
        Widener widener;
        for (size_t j = 0; j < l_.elements.size(); ++j)
            widener.add_stepped(l_.elements[j], l_.sequences[j]);
        for (size_t k = 0; k < l_.fixed.size(); ++k)
            widener.add_plain(l_.fixed[k], l_.constants[k]);
        return widener.wide(v);
    }

    // --- largest and smallest values

    // Of a loop that may run no steps the initial value stands in front of the others.
    Variable as_extreme() const {
        static const OpRecord *largest = find_op("maximum"), *smallest = find_op("minimum");
        const Variable& next = l_.next[0];
        if (l_.traced[0] || (!next.is(*largest) && !next.is(*smallest)) || !lengths_fit())
            return {};
        Variable value = beside_state(next);
        if (!value || value.dtype() != state().dtype() || value.rank() != 0 || !can_widen(value))
            return {};
        auto [all, stepped] = wide(value);
        if (!stepped) return {};
        const Array* steps = constant_value(l_.steps);
        if (!steps || steps->item<int64_t>() < 1)
            all = concatenate({expand_dims(l_.initial[0], 0), all}, 0);
        Variable extreme = next.is(*largest) ? max(all) : min(all);
        return next.is(*largest) ? maximum(l_.initial[0], extreme)
                                 : minimum(l_.initial[0], extreme);
    }

    // --- h = a * h + b

    struct Linear {
        Variable factor, sum;  ///< null: 1, 0
    };

    std::optional<Linear> linear() const {
        static const OpRecord *add_op = find_op("add"), *sub_op = find_op("sub"),
                              *mul_op = find_op("mul");
        const Variable& next = l_.next[0];
        if (next.is(*mul_op)) {
            Variable factor = beside_state(next);
            return factor ? std::optional(Linear{factor, {}}) : std::nullopt;
        }
        bool taken = next.is(*sub_op);
        if ((!next.is(*add_op) && !taken) || next.node().inputs.size() != 2) return {};
        if (Variable sum = beside_state(next)) {
            if (taken && !(next.input(0) == state())) return {};
            return Linear{{}, taken ? neg(sum) : sum};
        }
        for (int side : {0, 1}) {
            const Variable &scaled = next.input(static_cast<size_t>(side)),
                           &sum = next.input(static_cast<size_t>(1 - side));
            if (!scaled.is(*mul_op) || !fixed(sum) || (taken && side == 1)) continue;
            if (Variable factor = beside_state(scaled))
                return Linear{factor, taken ? neg(sum) : sum};
        }
        return {};
    }

    // Factors and summands that are computed hide behind the loop's latency; to store them for this
    // costs what it saves, unless the factor makes the loop wait for a product too.
    bool gains(const Linear& l) const {
        bool factor_lies = !l.factor || is_element(l.factor) || is_plain(l.factor);
        bool sum_lies = !l.sum || is_element(l.sum) || is_plain(l.sum);
        return factor_lies && (l.factor || sum_lies);
    }

    Variable as_linear_steps() const {
        auto l = linear();
        if (!l || !gains(*l)) return {};
        auto number = [&](double value) {
            return constant(Array::scalar(value).cast(state().dtype()));
        };
        Variable factor = l->factor ? l->factor : number(1), sum = l->sum ? l->sum : number(-0.0);
        for (const Variable& v : {factor, sum})
            if (v.rank() != 0 || v.dtype() != state().dtype() || !can_widen(v)) return {};
        auto [a, a_stepped] = wide(factor);
        auto [b, b_stepped] = wide(sum);
        if (!a_stepped && !b_stepped) return {};
        return apply(
            *find_op("linear_steps"), {l_.initial[0], a, b, l_.steps},
            {{"last", !l_.traced[0]}, {"a_name", factor.name()}, {"b_name", sum.name()}})[0];
    }

    Loop l_;
    NodeSet moving_;  ///< nodes that read the state
};
}  // namespace

Variables without_recurrences(const Variables& outputs) {
    Images image;
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply) continue;
        Variable made;
        if (is_loop(*node)) {
            SiteScope scope(node->site);
            Loop loop(*node);
            loop.steps = image(loop.steps);
            for (auto* list : {&loop.initial, &loop.sequences, &loop.constants})
                *list = image(*list);
            made = Recurrence(std::move(loop)).simpler();
        }
        if (made)
            image.set(node, {made});
        else
            image.carry_over(node);
    }
    return image(outputs);
}

}  // namespace croton::compile
