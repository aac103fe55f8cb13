// What a loop does twice, or does not do at all: see loops.hpp.
#include "croton/compile/loop_equal.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
using Places = std::vector<size_t>;  ///< of each value: the first one that equals it

template <class Key>
Places first_of_each(const std::vector<Key>& keys) {
    std::map<Key, size_t> first;
    Places places;
    for (size_t i = 0; i < keys.size(); ++i)
        places.push_back(first.emplace(keys[i], i).first->second);
    return places;
}

bool all_differ(const Places& places) {
    for (size_t i = 0; i < places.size(); ++i)
        if (places[i] != i) return false;
    return true;
}

// The values at the places that stand for themselves.
template <class List>
void keep_firsts(List& list, const Places& places) {
    List kept;
    for (size_t i = 0; i < places.size(); ++i)
        if (places[i] == i) kept.push_back(list[i]);
    list = std::move(kept);
}

// Where each value lies once those that equal an earlier one are gone.
Places kept_places(const Places& places) {
    Places result;
    size_t kept = 0;
    for (size_t i = 0; i < places.size(); ++i) {
        result.push_back(places[i] == i ? kept : result[places[i]]);
        kept += places[i] == i;
    }
    return result;
}

void stand_for(Loop& loop, const Variables& formal, const Places& places) {
    Substitution by;
    for (size_t i = 0; i < places.size(); ++i)
        if (places[i] != i) by.emplace(formal[i], formal[places[i]]);
    loop.set_results(substitute(loop.results(), by));
}

/// What of a loop's body is equal in every step.
class EqualInLoop {
  public:
    EqualInLoop(Loop loop, Surroundings& outside) : l_(std::move(loop)), outside_(outside) {}

    Places inputs(const Variables& formal, const Variables& values) const {
        std::vector<std::tuple<EqualValues::Number, DType, int>> keys;
        auto numbers = outside_(values);
        for (size_t i = 0; i < values.size(); ++i)
            keys.emplace_back(numbers[i], formal[i].dtype(), formal[i].rank());
        return first_of_each(keys);
    }

    /// States are taken for equal if they begin so, until a step would tell them apart.
    Places states() {
        Places classes = inputs(l_.states, l_.initial);
        while (!all_differ(classes)) {
            number_body(classes);
            std::vector<std::pair<size_t, EqualValues::Number>> keys;
            for (size_t i = 0; i < classes.size(); ++i)
                keys.emplace_back(classes[i], (*body_)(l_.next[i]));
            Places finer = first_of_each(keys);
            if (finer == classes) break;
            classes = std::move(finer);
        }
        return classes;
    }

    /// Next values of traced states, then stacks.
    Places results() {
        Places own(l_.states.size());
        std::iota(own.begin(), own.end(), size_t{0});
        number_body(own);
        size_t count = l_.states.size();
        std::vector<std::pair<EqualValues::Number, size_t>>
            keys;  // what is not kept equals nothing
        for (size_t i = 0; i < count; ++i)
            keys.emplace_back((*body_)(l_.next[i]), l_.traced[i] ? 0 : 1 + i);
        for (const auto& v : l_.stacked) keys.emplace_back((*body_)(v), 0);
        Places places = first_of_each(keys);
        for (size_t i = 0; i < count; ++i) places[i] = i;
        return places;
    }

    /// Whether two values of the body are.
    bool same(const Variable& a, const Variable& b) {
        number_body(states());
        auto number = [&](const Variable& v) {
            if (!body_->knows(v)) body_->add(toposort({v}, l_.formal()));
            return (*body_)(v);
        };
        return number(a) == number(b);
    }

  private:
    void number_body(const Places& classes) {
        body_.emplace();
        tell(l_.states, classes);
        tell(l_.elements, inputs(l_.elements, l_.sequences));
        tell(l_.fixed, inputs(l_.fixed, l_.constants));
        body_->add(toposort(l_.results(), l_.formal()));
    }

    void tell(const Variables& formal, const Places& places) {
        std::vector<EqualValues::Number> numbers;
        for (size_t i = 0; i < formal.size(); ++i) {
            numbers.push_back(places[i] == i ? body_->fresh() : numbers[places[i]]);
            body_->tell(formal[i], numbers[i]);
        }
    }

    Loop l_;
    Surroundings& outside_;
    std::optional<EqualValues> body_;
};
}  // namespace

bool equal_in_each_step(const Loop& loop, const Variable& a, const Variable& b,
                        Surroundings& outside) {
    return EqualInLoop(loop, outside).same(a, b);
}

Variables merge_equal_inputs(const Variables& outputs) {
    Surroundings outside(outputs);
    return change_loops(outputs, [&](const Node& node, Loop loop) -> std::optional<Variables> {
        if (loop.elements.size() < 2 && loop.fixed.size() < 2) return {};
        Loop old(node);
        EqualInLoop equal(old, outside);
        Places elements = equal.inputs(old.elements, old.sequences),
               fixed = equal.inputs(old.fixed, old.constants);
        if (all_differ(elements) && all_differ(fixed)) return {};
        stand_for(loop, old.elements, elements);
        stand_for(loop, old.fixed, fixed);
        for (auto* list : {&loop.elements, &loop.sequences}) keep_firsts(*list, elements);
        for (auto* list : {&loop.fixed, &loop.constants}) keep_firsts(*list, fixed);
        return applied(loop, node.site);
    });
}

Variables merge_equal_states(const Variables& outputs) {
    Surroundings outside(outputs);
    return change_loops(outputs, [&](const Node& node, Loop loop) -> std::optional<Variables> {
        size_t states = loop.states.size();
        if (states < 2) return {};
        Places places = EqualInLoop(Loop(node), outside).states();
        if (all_differ(places)) return {};
        std::vector<bool> traced = loop.traced;  // of the members
        for (size_t i = 0; i < states; ++i)
            if (traced[i]) loop.traced[places[i]] = true;
        std::vector<bool> all = loop.traced;
        stand_for(loop, Variables(loop.states), places);
        for (auto* list : {&loop.states, &loop.initial, &loop.next}) keep_firsts(*list, places);
        keep_firsts(loop.traced, places);
        Variables made = applied(loop, node.site), results;
        Places now = kept_places(places);
        for (size_t i = 0; i < states; ++i)
            results.push_back(all[places[i]] && !traced[i] ? last_of(made[now[i]]) : made[now[i]]);
        for (size_t k = loop.states.size(); k < made.size(); ++k) results.push_back(made[k]);
        return results;
    });
}

Variables merge_equal_results(const Variables& outputs) {
    Surroundings outside(outputs);
    return change_loops(outputs, [&](const Node& node, Loop loop) -> std::optional<Variables> {
        if (loop.stacked.empty()) return {};
        Places places = EqualInLoop(Loop(node), outside).results();
        if (all_differ(places)) return {};
        Places now = kept_places(places);
        Variables joint = loop.next;
        joint.insert(joint.end(), loop.stacked.begin(), loop.stacked.end());
        size_t states = loop.states.size();
        keep_firsts(joint, places);
        loop.stacked.assign(joint.begin() + static_cast<long>(states), joint.end());
        Variables made = applied(loop, node.site), results;
        for (size_t k = 0; k < places.size(); ++k) {
            bool in_trace = k >= states && places[k] < states;
            results.push_back(in_trace ? without_first(made[now[k]]) : made[now[k]]);
        }
        if (loop.stop) results.push_back(made.back());
        return results;
    });
}

// --- what no step changes -----------------------------------------------------------------------

namespace {
class Staying {
  public:
    Staying(const Node& node, Loop loop) : node_(node), l_(std::move(loop)) {}

    std::optional<Variables> run() {
        SiteScope scope(node_.site);
        for (size_t i = 0; i < l_.states.size(); ++i)
            state_stays_.push_back(l_.next[i] == l_.states[i]);
        bool any_state = any(state_stays_);
        if (any_state) {
            fix_states();
            move_out();
        }
        for (const auto& v : l_.stacked) stack_stays_.push_back(bool(outside(v)));
        if (!any_state && !any(stack_stays_)) return {};
        return finish();
    }

  private:
    static bool any(const std::vector<bool>& flags) {
        return std::find(flags.begin(), flags.end(), true) != flags.end();
    }

    void fix_states() {
        Loop rest = l_;
        rest.states.clear(), rest.initial.clear(), rest.next.clear(), rest.traced.clear();
        for (size_t i = 0; i < l_.states.size(); ++i) {
            if (state_stays_[i]) {
                rest.fixed.push_back(l_.states[i]);
                rest.constants.push_back(l_.initial[i]);
                continue;
            }
            rest.states.push_back(l_.states[i]);
            rest.initial.push_back(l_.initial[i]);
            rest.next.push_back(l_.next[i]);
            rest.traced.push_back(l_.traced[i]);
        }
        initial_ = l_.initial;
        traced_ = l_.traced;
        l_ = std::move(rest);
    }

    // What follows from constants alone is one now.
    void move_out() {
        ValueSet moving(l_.states);
        for (const auto& v : l_.elements) moving.insert(v);
        NodeSet inside;
        for (Node* node : toposort(l_.results(), l_.formal())) {
            bool stays = node->kind != NodeKind::Apply || node->op->facts.impure;
            for (const auto& v : node->inputs)
                stays |= moving.contains(v) || inside.contains(v.node_pointer());
            if (node->kind == NodeKind::Apply && stays) inside.insert(node);
        }
        Variables leaving;
        ValueSet seen;
        auto meet = [&](const Variable& v) {
            if (v.kind() == NodeKind::Apply && !inside.contains(v.node_pointer()) && seen.insert(v))
                leaving.push_back(v);
        };
        for (Node* node : toposort(l_.results(), l_.formal()))
            if (inside.contains(node))
                for (const auto& v : node->inputs) meet(v);
        for (const auto& v : l_.results()) meet(v);
        Substitution given, by;
        for (size_t k = 0; k < l_.fixed.size(); ++k) given.emplace(l_.fixed[k], l_.constants[k]);
        for (const auto& v : leaving) {
            Variable fixed = input(v.type(), v.name(), v.site());
            by.emplace(v, fixed);
            l_.fixed.push_back(fixed);
            l_.constants.push_back(substitute(v, given));
        }
        if (!by.empty()) l_.set_results(substitute(l_.results(), by));
    }

    // What a value of the body is outside, if it is the same in every step.
    Variable outside(const Variable& v) const {
        if (v.kind() == NodeKind::Constant) return v;
        size_t place = place_in(l_.fixed, v);
        return place < l_.fixed.size() ? l_.constants[place] : Variable();
    }

    Variables finish() {
        size_t states = state_stays_.size();
        Variables staying;
        Loop rest = l_;
        rest.stacked.clear();
        for (size_t j = 0; j < l_.stacked.size(); ++j) {
            if (!stack_stays_[j]) rest.stacked.push_back(l_.stacked[j]);
            staying.push_back(stack_stays_[j] ? outside(l_.stacked[j]) : Variable());
        }
        Variables made;
        if (!rest.states.empty() || !rest.stacked.empty() || rest.stop)
            made = applied(rest, node_.site);
        Variable done = l_.stop ? made.back() : made.empty() ? counted(l_.steps) : l_.steps;
        Variables results;
        size_t next = 0;
        for (size_t i = 0; i < states; ++i)
            if (!state_stays_[i])
                results.push_back(made[next++]);
            else
                results.push_back(traced_[i] ? repeated(initial_[i], done + int64_t{1})
                                             : initial_[i]);
        for (const auto& v : staying) results.push_back(v ? repeated(v, done) : made[next++]);
        if (l_.stop) results.push_back(done);
        return results;
    }

    // What the loop would have said.
    static Variable counted(const Variable& steps) {
        static const OpRecord* size_op = find_op("size_of");
        if (constant_value(steps) || steps.is(*size_op)) return steps;
        return assert_(steps, ge(steps, int64_t{0}), "a loop was asked to run fewer than no steps");
    }

    static Variable repeated(const Variable& value, const Variable& times) {
        std::vector<Arg> sizes{times};
        for (int axis = 0; axis < value.rank(); ++axis) sizes.push_back(size_of(value, axis));
        return broadcast_to(value, ShapeArg(sizes));
    }

    const Node& node_;
    Loop l_;
    std::vector<bool> state_stays_, stack_stays_;
    Variables initial_;         ///< of all states
    std::vector<bool> traced_;  ///< likewise
};
}  // namespace

Variables fix_what_stays(const Variables& outputs) {
    return change_loops(
        outputs, [](const Node& node, Loop loop) { return Staying(node, std::move(loop)).run(); });
}

}  // namespace croton::compile
