// Loops of few known steps, written out: see loops.hpp.
#include <algorithm>

#include "croton/compile/images.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/scalars.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
constexpr int64_t most_nodes = 200, most_scalar_nodes = 1200;
constexpr int64_t few_steps = 4, most_inner_steps = 64;

int64_t node_count(const Loop& loop) {
    auto order = toposort(loop.results(), loop.formal());
    return std::count_if(order.begin(), order.end(),
                         [](const Node* node) { return node->kind == NodeKind::Apply; });
}

// Everything in it can become scalars of a loop around it.
bool made_of_scalars(const Loop& loop, int64_t steps) {
    auto few = [&](const Variable& v) { return few_elements(v.type()).has_value(); };
    auto all_few = [&](const Variables& list) {
        return std::all_of(list.begin(), list.end(), few);
    };
    if (!all_few(loop.formal()) || !all_few(loop.initial)) return false;
    for (const auto& v : loop.elements)
        if (*few_elements(v.type()) * steps > most_inner_steps) return false;
    auto order = toposort(loop.results(), loop.formal());
    return std::all_of(order.begin(), order.end(), [](const Node* node) {
        return node->kind == NodeKind::Input || has_scalars(*node);
    });
}

// How often, if the loop is to be written out. A single step always is; inside of another loop more
// are, so that both become one.
std::optional<int64_t> unrolled_steps(const Loop& loop, bool inside) {
    const Array* known = constant_value(loop.steps);
    if (!known || loop.stop) return {};
    auto steps = known->item<int64_t>();
    if (steps < 1 || steps > most_inner_steps) return {};
    for (const auto& v : loop.sequences) {
        Dim length = v.type().dims[0];
        if (!length.known() || length.size() != steps) return {};  // the loop says what is wrong
    }
    for (size_t i = 0; i < loop.states.size(); ++i)
        if (!keeps_sizes(loop.states[i], loop.next[i])) return {};  // the same
    int64_t nodes = steps * node_count(loop);
    if (steps == 1) return steps;
    if (steps <= few_steps && nodes <= most_nodes) return steps;
    if (inside && nodes <= most_scalar_nodes && made_of_scalars(loop, steps)) return steps;
    return {};
}

// What is stacked has one size in all steps; where that is not certain, it is for the loop to
// check.
bool stack_up(const std::vector<Args>& stacks) {
    return std::all_of(stacks.begin(), stacks.end(), [](const Args& steps) {
        return std::all_of(steps.begin(), steps.end(), [&](const Arg& step) {
            return keeps_sizes(steps[0].variable(), step.variable());
        });
    });
}

// The loop's outputs from its inputs as they are now; none if it must stay a loop.
Variables written_out(Loop loop, const Images& image, int64_t steps, Site site) {
    SiteScope scope(site);
    for (auto* list : {&loop.initial, &loop.sequences, &loop.constants}) *list = image(*list);
    Variables states = loop.initial;
    std::vector<Args> traces(states.size()), stacks(loop.stacked.size());
    for (size_t i = 0; i < states.size(); ++i) traces[i].push_back(states[i]);
    for (int64_t t = 0; t < steps; ++t) {
        Substitution by;
        for (size_t i = 0; i < states.size(); ++i) by.emplace(loop.states[i], states[i]);
        for (size_t j = 0; j < loop.elements.size(); ++j)
            by.emplace(loop.elements[j], at(loop.sequences[j], {t}));
        for (size_t k = 0; k < loop.fixed.size(); ++k) by.emplace(loop.fixed[k], loop.constants[k]);
        Variables made = substitute(loop.results(), by);
        for (size_t i = 0; i < states.size(); ++i) {
            states[i] = made[i];
            traces[i].push_back(made[i]);
        }
        for (size_t j = 0; j < stacks.size(); ++j) stacks[j].push_back(made[states.size() + j]);
    }
    Variables outputs;
    if (!stack_up(stacks)) return outputs;
    for (size_t i = 0; i < states.size(); ++i)
        outputs.push_back(loop.traced[i] ? stack(traces[i]) : states[i]);
    for (const auto& list : stacks) outputs.push_back(stack(list));
    return outputs;
}
}  // namespace

Variables unroll_loops(const Variables& outputs, bool inside) {
    Images image;
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply) continue;
        Variables made;
        if (auto steps = is_loop(*node) ? unrolled_steps(Loop(*node), inside) : std::nullopt)
            made = written_out(Loop(*node), image, *steps, node->site);
        if (made.empty())
            image.carry_over(node);
        else
            image.set(node, made);
    }
    return image(outputs);
}

}  // namespace croton::compile
