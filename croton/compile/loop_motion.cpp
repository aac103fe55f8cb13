// Work that leaves loops: before them what does not depend on their states, after them what no
// state depends on. Products of single steps become one product of all.
#include <algorithm>

#include "croton/compile/fuse_graph.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/widen.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
bool is_gemm(const Node& node) {
    return node.kind == NodeKind::Apply && node.op->kind<ContractCompute>() &&
           !is_matrix_product(node);
}

// beta * c + alpha * a @ b as it says: its parts may go different ways. They meet again where both
// stay.
Variables without_gemm(const Variables& results, const Variables& formal) {
    Substitution by;
    auto scaled = [](const Variable& x, const Variable& factor) {
        const Array* one = constant_value(factor);
        bool plain = one && one->size() == 1 && one->item<double>() == 1;
        return plain ? x : x * cast(factor, x.dtype());
    };
    for (Node* node : toposort(results, formal)) {
        if (!is_gemm(*node)) continue;
        SiteScope scope(node->site);
        Variables in;
        for (const auto& v : node->inputs) in.push_back(by.empty() ? v : substitute(v, by));
        Variable sum = scaled(in[2], in[4]) + scaled(matrix_product(in[0], in[1]), in[3]);
        by.emplace(Variable(node, 0), sum);
    }
    return by.empty() ? results : substitute(results, by);
}

class Motion {
  public:
    explicit Motion(const Node& node, Loop loop) : node_(node), l_(std::move(loop)) {
        l_.set_results(without_gemm(l_.results(), l_.formal()));
        order_ = toposort(l_.results(), l_.formal());
    }

    /// The loop's outputs, made otherwise; nothing if nothing leaves it.
    std::optional<Variables> run() {
        SiteScope scope(node_.site);
        bool moved = sink();
        order_ = toposort(l_.results(), l_.formal());
        moved |= hoist();
        if (!moved) return {};
        Variables made;
        if (!l_.states.empty() || !l_.stacked.empty()) made = applied(l_, node_.site);
        return finish(made);
    }

  private:
    size_t states() const { return l_.states.size(); }

    // --- before the loop ------------------------------------------------------------------------

    // Values that follow from elements and constants alone are computed for all steps at once,
    // where that is a product or a function of many elements and not a few additions.
    bool hoist() {
        NodeSet fixed, dear;
        for (const auto& v : l_.states) fixed.insert(v.node_pointer());
        for (Node* node : order_) {
            if (node->kind != NodeKind::Apply) continue;
            bool stays = !Widener::can_widen(*node);
            bool costs = is_matrix_product(*node);
            for (const auto& v : node->inputs) {
                stays |= fixed.contains(v.node_pointer());
                costs |= dear.contains(v.node_pointer());
            }
            if (stays)
                fixed.insert(node);
            else if (costs)
                dear.insert(node);
        }
        Variables leaving;
        ValueSet seen;
        auto meet = [&](const Variable& v) {
            if (dear.contains(v.node_pointer()) && seen.insert(v)) leaving.push_back(v);
        };
        for (Node* node : order_)
            if (fixed.contains(node))
                for (const auto& v : node->inputs) meet(v);
        for (const auto& v : l_.results()) meet(v);
        if (leaving.empty()) return false;
        Widener widener = outside();
        Substitution by;
        for (const auto& v : leaving) {
            auto [value, stepped] = widener.wide(v);
            Variable formal = input(v.type(), v.name(), v.site());
            by.emplace(v, formal);
            (stepped ? l_.elements : l_.fixed).push_back(formal);
            (stepped ? l_.sequences : l_.constants).push_back(value);
        }
        l_.set_results(substitute(l_.results(), by));
        return true;
    }

    Widener outside() const {
        Widener widener;
        for (size_t j = 0; j < l_.elements.size(); ++j)
            widener.add_stepped(l_.elements[j], l_.sequences[j]);
        for (size_t k = 0; k < l_.fixed.size(); ++k)
            widener.add_plain(l_.fixed[k], l_.constants[k]);
        return widener;
    }

    // --- after the loop -------------------------------------------------------------------------

    /// A result that is made after the loop: of a state that only adds up, or of a stack.
    struct Leaving {
        size_t output;
        Variable value;  ///< of one step
        bool sums, negative = false;
    };

    bool sink() {
        if (l_.stop) return false;  // how many steps there are would have to be known
        find_leaving();
        if (leaving_.empty()) return false;
        // What is still computed inside: the rest of the results, and what is cut off below.
        Loop rest = l_;
        rest.states.clear(), rest.initial.clear(), rest.next.clear(), rest.traced.clear();
        std::vector<size_t> kept_states, kept_stacks;
        for (size_t i = 0; i < states(); ++i)
            if (!leaves(i)) {
                kept_states.push_back(i);
                rest.states.push_back(l_.states[i]);
                rest.initial.push_back(l_.initial[i]);
                rest.next.push_back(l_.next[i]);
                rest.traced.push_back(l_.traced[i]);
            }
        rest.stacked.clear();
        for (size_t j = 0; j < l_.stacked.size(); ++j)
            if (!leaves(states() + j)) {
                kept_stacks.push_back(j);
                rest.stacked.push_back(l_.stacked[j]);
            }
        for (const auto& v : cut_) {
            auto there = std::find(rest.stacked.begin(), rest.stacked.end(), v);
            cut_stacks_.push_back(static_cast<size_t>(there - rest.stacked.begin()));
            if (there == rest.stacked.end()) rest.stacked.push_back(v);
        }
        for (size_t i = 0; i < kept_states.size(); ++i) places_.emplace_back(kept_states[i], i);
        for (size_t j = 0; j < kept_stacks.size(); ++j)
            places_.emplace_back(states() + kept_stacks[j], rest.states.size() + j);
        initial_ = l_.initial;
        sunk_ = true;
        l_ = std::move(rest);
        return true;
    }

    bool leaves(size_t output) const {
        return std::any_of(leaving_.begin(), leaving_.end(),
                           [&](const Leaving& l) { return l.output == output; });
    }

    // A state to which each step adds something that does not depend on it, and whose sum alone is
    // wanted.
    std::optional<Leaving> added_to(size_t i) const {
        static const OpRecord *add_op = find_op("add"), *sub_op = find_op("sub");
        const Variable& next = l_.next[i];
        bool added = next.is(*add_op), taken = next.is(*sub_op);
        if (l_.traced[i] || (!added && !taken) || next.node().inputs.size() != 2) return {};
        Variable other;
        if (next.input(0) == l_.states[i]) other = next.input(1);
        if (added && next.input(1) == l_.states[i]) other = other ? Variable() : next.input(0);
        if (!other || !keeps_sizes(l_.states[i], other) || other.dtype() != l_.states[i].dtype())
            return {};
        // Nothing else reads it, before or after the step.
        for (Node* node : order_)
            for (const auto& v : node->inputs)
                if ((v == l_.states[i] && node != next.node_pointer()) || v == next) return {};
        Variables results = l_.results();
        if (std::count(results.begin(), results.end(), next) > 1) return {};
        if (std::count(results.begin(), results.end(), l_.states[i]) > 0) return {};
        return Leaving{i, other, true, taken};
    }

    void find_leaving() {
        std::vector<Leaving> candidates;
        for (size_t i = 0; i < states(); ++i)
            if (auto found = added_to(i)) candidates.push_back(*found);
        Variables core_roots;
        for (size_t i = 0; i < states(); ++i) {
            bool sums = std::any_of(candidates.begin(), candidates.end(),
                                    [&](const Leaving& l) { return l.output == i; });
            if (!sums) core_roots.push_back(l_.next[i]);
        }
        for (size_t j = 0; j < l_.stacked.size(); ++j)
            candidates.push_back({states() + j, l_.stacked[j], false});
        for (Node* node : toposort(core_roots, l_.formal())) core_.insert(node);
        // Products leave; sums of what they leave behind anyway leave with them.
        for (const auto& c : candidates)
            if (outside_core(c.value) && can_leave(c.value) &&
                (c.sums ? sums_as_one(c.value) : holds_product(c.value)))
                take(c);
        for (const auto& c : candidates)
            if (!leaves(c.output) && c.sums && outside_core(c.value) && can_leave(c.value) &&
                !holds_product(c.value) && cut_of(c.value, false))
                take(c);
    }

    bool outside_core(const Variable& v) const { return !core_.contains(v.node_pointer()); }

    std::vector<Node*> beyond_core(const Variable& v) const {
        std::vector<Node*> nodes;
        for (Node* node : toposort({v}, core_values_of(v)))
            if (node->kind == NodeKind::Apply && !core_.contains(node)) nodes.push_back(node);
        return nodes;
    }
    // Values of the core below v: where a walk downwards stops.
    Variables core_values_of(const Variable& v) const {
        Variables stops = l_.formal();
        for (Node* node : toposort({v}, l_.formal()))
            if (core_.contains(node))
                for (uint32_t i = 0; i < node->types.size(); ++i) stops.emplace_back(node, i);
        return stops;
    }

    bool holds_product(const Variable& v) const {
        auto nodes = beyond_core(v);
        return std::any_of(nodes.begin(), nodes.end(),
                           [](const Node* node) { return is_matrix_product(*node); });
    }
    // A product of matrices that both differ from step to step: all of them added are one product.
    bool sums_as_one(const Variable& v) const {
        if (!is_matrix_product(v.node()) || v.rank() != 2 || v.input(0).rank() != 2 ||
            v.input(1).rank() != 2)
            return false;
        return differs(v.input(0)) && differs(v.input(1));
    }
    bool differs(const Variable& v) const {
        auto used = leaves_of(v);
        auto any = [&](const Variables& formal) {
            return std::any_of(formal.begin(), formal.end(),
                               [&](const Variable& f) { return used.contains(f); });
        };
        return any(l_.elements) || any(l_.states);
    }
    static ValueSet leaves_of(const Variable& v) { return ValueSet(croton::leaves({v})); }

    bool can_leave(const Variable& v) const {
        auto nodes = beyond_core(v);
        return std::all_of(nodes.begin(), nodes.end(),
                           [](const Node* node) { return Widener::can_widen(*node); });
    }

    // What of the core a value is made of has to be stacked. Without `add`: whether it is already.
    bool cut_of(const Variable& v, bool add) {
        bool known = true;
        auto meet = [&](const Variable& input) {
            bool state = std::find(l_.states.begin(), l_.states.end(), input) != l_.states.end();
            if (!state &&
                (input.kind() != NodeKind::Apply || !core_.contains(input.node_pointer())))
                return;
            if (std::find(cut_.begin(), cut_.end(), input) != cut_.end()) return;
            known = false;
            if (add) cut_.push_back(input);
        };
        meet(v);
        for (Node* node : beyond_core(v))
            for (const auto& input : node->inputs) meet(input);
        return known;
    }

    void take(const Leaving& what) {
        cut_of(what.value, true);
        leaving_.push_back(what);
    }

    // --- putting it together
    // ----------------------------------------------------------------------

    Variables finish(const Variables& made) {
        if (!sunk_) return made;
        Variables outputs(node_.types.size());
        for (auto [old_place, place] : places_) outputs[old_place] = made[place];
        Widener widener = outside();
        for (size_t k = 0; k < cut_.size(); ++k)
            widener.add_stepped(cut_[k], made[l_.states.size() + cut_stacks_[k]]);
        for (const auto& l : leaving_)
            outputs[l.output] = l.sums ? total(widener, l) : all_steps(widener, l);
        return outputs;
    }

    Variable all_steps(Widener& widener, const Leaving& l) {
        auto [value, stepped] = widener.wide(l.value);
        if (stepped) return value;
        std::vector<Arg> sizes{l_.steps};
        for (int axis = 0; axis < value.rank(); ++axis) sizes.push_back(size_of(value, axis));
        return broadcast_to(value, ShapeArg(sizes));
    }

    Variable total(Widener& widener, const Leaving& l) {
        Variable sum =
            is_matrix_product(l.value.node()) ? one_product(widener, l.value.node()) : Variable();
        if (!sum) {
            auto [value, stepped] = widener.wide(l.value);
            sum = stepped ? croton::sum(value, 0) : value * cast(l_.steps, value.dtype());
        }
        const Variable& begin = initial_[l.output];
        if (sum.dtype() != begin.dtype()) sum = cast(sum, begin.dtype());
        return l.negative ? begin - sum : begin + sum;
    }

    // The sum over all steps of a[m,k] b[k,n] is one product, of [m, steps k] and [steps k, n].
    Variable one_product(Widener& widener, const Node& node) {
        if (node.inputs[0].rank() != 2 || node.inputs[1].rank() != 2) return {};
        auto [a, a_stepped] = widener.wide(node.inputs[0]);
        auto [b, b_stepped] = widener.wide(node.inputs[1]);
        if (!a_stepped || !b_stepped) return {};
        Variable rows = transposed(a), columns = b;   // [steps, k, m] and [steps, k, n]
        if (is_turned(rows) || is_turned(columns)) {  // in which order they are added is free
            rows = turned(rows);
            columns = turned(columns);
        }
        auto folded = [](const Variable& x) {
            return reshape(x, ShapeArg{number_at(-1, x.site()), size_of(x, 2)});
        };
        return matrix_product(dimshuffle(folded(rows), {1, 0}), folded(columns));
    }

    // Each step's matrix turned over; if it was already, the one below.
    static Variable transposed(const Variable& x) {
        const Ints order{0, 2, 1};
        static const OpRecord* shuffle_op = find_op("dimshuffle");
        if (x.is(*shuffle_op) && attrs_of(x.node()).get<Ints>("order") == order) return x.input(0);
        return dimshuffle(x, order);
    }
    static Variable turned(const Variable& x) {
        return is_turned(x) ? x.input(0) : at(x, {Slice({}, {}, -1)});
    }

    const Node& node_;
    Loop l_;
    std::vector<Node*> order_;
    NodeSet core_;
    std::vector<Leaving> leaving_;
    Variables cut_;                   ///< what is stacked for what leaves
    std::vector<size_t> cut_stacks_;  ///< its places among the stacks
    Variables initial_;
    std::vector<std::pair<size_t, size_t>> places_;  ///< of outputs that stay: before and now
    bool sunk_ = false;
};
}  // namespace

Variables move_work_out(const Variables& outputs) {
    return change_loops(
        outputs, [](const Node& node, Loop loop) { return Motion(node, std::move(loop)).run(); });
}

}  // namespace croton::compile
