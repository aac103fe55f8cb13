// The record of loops.
#include "croton/ops/loop.hpp"

#include <algorithm>
#include <limits>

#include "croton/graph/drawn.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

Cotangents loop_pullback(const Pullback& p);  // in loop_gradient.cpp

using types::Types;

std::string loop_state_name(const Variable& state, size_t i) {
    return state.name().empty() ? cat("state ", i) : cat("the state '", state.name(), "'");
}

namespace {
// What is true of the state before and after each step. Sizes stay, so what either type knows
// holds.
Dims settled_dims(const Variable& state, const Variable& next, size_t i) {
    const TensorType &before = state.type(), &after = next.type();
    if (before.dtype != after.dtype || before.rank() != after.rank())
        fail(ErrorKind::Type, loop_state_name(state, i), " begins as ", before.text(),
             " and the body makes it ", after.text(), " (", described(next),
             "); a state keeps its dtype and its rank: convert one of them, with cast or by an "
             "initial value of that type");
    Dims dims = before.dims;
    for (size_t axis = 0; axis < dims.size(); ++axis) {
        if (dims[axis].known() && after.dims[axis].known() && !(dims[axis] == after.dims[axis]))
            fail(ErrorKind::Shape, loop_state_name(state, i), " begins as ", before.text(),
                 " and the body makes it ", after.text(), "; a state keeps its sizes");
        if (!dims[axis].known() && after.dims[axis].known()) dims[axis] = after.dims[axis];
    }
    return dims;
}

Dim steps_dim(const Variable& steps, int64_t more) {
    const Array* known = constant_value(steps);
    if (!known) return {};
    int64_t count = known->item<int64_t>();
    bool countable = count >= 0 && count < std::numeric_limits<int64_t>::max();  // not "no limit"
    return countable ? Dim(count + more) : Dim();
}

void check_input(TypeContext& c, size_t i, const TensorType& want, std::string_view what) {
    settle_weak(c, i);
    if (c.type(i).dtype != want.dtype || c.type(i).rank() != want.rank())
        fail(ErrorKind::Type, "loop: ", what, " is of type ", c.type(i).text(), ", the body wants ",
             want.text());
}

Types loop_type(TypeContext& c) {
    auto graph = c.view().opaque<Subgraph>("graph");
    auto states = static_cast<size_t>(c.attr<int64_t>("states")),
         sequences = static_cast<size_t>(c.attr<int64_t>("sequences"));
    bool until = c.attr<bool>("until");
    const auto& traced = c.attr<Ints>("traced");
    const auto &formal = graph->inputs(), &results = graph->outputs();
    if (c.inputs.size() != formal.size() + 1 || states + sequences > formal.size() ||
        results.size() < states + (until ? 1 : 0) || traced.size() != states)
        fail(ErrorKind::Usage, "loop: ", formal.size(), " inputs and ", results.size(),
             " outputs of the body do not fit ", c.inputs.size(), " inputs of the loop with ",
             states, " states and ", sequences, " sequences");
    take_int_scalar(c, 0, "the number of steps of a loop");
    Types result;
    for (size_t i = 0; i < states; ++i) {
        check_input(c, 1 + i, formal[i].type(), "an initial value");
        TensorType type = formal[i].type();
        type.dims = settled_dims(formal[i], results[i], i);
        for (size_t axis = 0; axis < type.dims.size(); ++axis)
            if (!type.dims[axis].known()) type.dims[axis] = c.type(1 + i).dims[axis];
        if (traced[i]) type.dims.insert(type.dims.begin(), steps_dim(c.inputs[0], 1));
        if (traced[i] && until) type.dims[0] = Dim();
        result.push_back(std::move(type));
    }
    for (size_t i = states; i < formal.size(); ++i) {
        TensorType want = formal[i].type();
        if (i < states + sequences) want.dims.insert(want.dims.begin(), Dim());
        check_input(c, 1 + i, want, i < states + sequences ? "a sequence" : "a constant");
    }
    for (size_t i = states; i + (until ? 1 : 0) < results.size(); ++i) {
        TensorType type = results[i].type();
        type.dims.insert(type.dims.begin(), until ? Dim() : steps_dim(c.inputs[0], 0));
        result.push_back(std::move(type));
    }
    if (!until) return result;
    if (results.back().rank() != 0 || results.back().dtype() != DType::Bool)
        fail(ErrorKind::Type, "until: the condition is a bool scalar, not ",
             results.back().type().text());
    result.push_back({DType::Int64, {}});
    return result;
}

const OpRecord loop_record{
    .name = "loop",
    .doc =
        "A body run once a step: states go from step to step, sequences are read one position a "
        "step, other results are stacked.",
    .arguments = {{"arguments", Accepts::Any, true}},
    .attributes = {{"graph", std::shared_ptr<const Opaque>(), true,
                    "the body: states, elements and constants to next states, values to stack and "
                    "whether to stop"},
                   {"states", int64_t{0}, true, "how many inputs of the body are states"},
                   {"sequences", int64_t{0}, true, "how many are elements of sequences"},
                   {"traced", Ints{}, true, "for each state: 1 if all its values are kept"},
                   {"until", false, false, "whether the body's last output ends the loop"},
                   {"truncate", int64_t{-1}, false, "how many steps gradients flow through"},
                   {"recompute", false, false, "whether gradients keep nothing but states"},
                   {"checkpoint", int64_t{0}, false,
                    "gradients recompute segments of so many steps; -1: of the square root"},
                   {"checkpoint_bytes", int64_t{0}, false,
                    "gradients recompute segments so long that they take about so many bytes"}},
    .type = loop_type,
    .compute = InnerCompute{InnerCompute::Kind::Scan},
    .pullback = loop_pullback,
};

template <class Iterator>
Variables part(Iterator begin, size_t first, size_t count) {
    auto from = begin + static_cast<std::ptrdiff_t>(first);
    return Variables(from, from + static_cast<std::ptrdiff_t>(count));
}
}  // namespace

std::optional<int64_t> known_integer(const Variable& v) {
    const Array* value = constant_value(v);
    return value ? std::optional(value->item<int64_t>()) : std::nullopt;
}

Variable whole_number(int64_t value) { return constant(Array::scalar(value)); }

bool is_loop(const Node& node) { return node.kind == NodeKind::Apply && node.op == &loop_record; }

Loop::Loop(const Node& node) {
    AttrView attrs = attrs_of(node);
    auto graph = attrs.opaque<Subgraph>("graph");
    auto s = static_cast<size_t>(attrs.get<int64_t>("states")),
         q = static_cast<size_t>(attrs.get<int64_t>("sequences"));
    size_t all = graph->inputs().size(), last = attrs.get<bool>("until") ? 1 : 0;
    steps = node.inputs[0];
    initial = part(node.inputs.begin(), 1, s);
    sequences = part(node.inputs.begin(), 1 + s, q);
    constants = part(node.inputs.begin(), 1 + s + q, all - s - q);
    states = part(graph->inputs().begin(), 0, s);
    elements = part(graph->inputs().begin(), s, q);
    fixed = part(graph->inputs().begin(), s + q, all - s - q);
    next = part(graph->outputs().begin(), 0, s);
    stacked = part(graph->outputs().begin(), s, graph->outputs().size() - s - last);
    if (last) stop = graph->outputs().back();
    for (int64_t flag : attrs.get<Ints>("traced")) traced.push_back(flag != 0);
    truncate = attrs.get<int64_t>("truncate");
    recompute = attrs.get<bool>("recompute");
    checkpoint = attrs.get<int64_t>("checkpoint");
    checkpoint_bytes = attrs.get<int64_t>("checkpoint_bytes");
    name = graph->text();
}

namespace {
Variables joined(std::initializer_list<const Variables*> lists) {
    Variables all;
    for (const Variables* list : lists) all.insert(all.end(), list->begin(), list->end());
    return all;
}
}  // namespace

Variables Loop::formal() const { return joined({&states, &elements, &fixed}); }

Variables Loop::results() const {
    Variables all = joined({&next, &stacked});
    if (stop) all.push_back(stop);
    return all;
}

void Loop::set_results(const Variables& results) {
    auto from = results.begin();
    for (auto* list : {&next, &stacked})
        for (Variable& v : *list) v = *from++;
    if (stop) stop = *from;
}

Variables Loop::apply(Site site) const {
    Variables inputs = joined({&initial, &sequences, &constants});
    inputs.insert(inputs.begin(), steps);
    auto graph = std::make_shared<const Subgraph>(name, formal(), results());
    return croton::apply(loop_record, std::move(inputs),
                         {{"graph", std::shared_ptr<const Opaque>(graph)},
                          {"states", static_cast<int64_t>(states.size())},
                          {"sequences", static_cast<int64_t>(elements.size())},
                          {"traced", Ints(traced.begin(), traced.end())},
                          {"until", bool(stop)},
                          {"truncate", truncate},
                          {"recompute", recompute},
                          {"checkpoint", checkpoint},
                          {"checkpoint_bytes", checkpoint_bytes}},
                         site);
}

namespace families {
Family loop() {
    Family all{&loop_record};
    for (const OpRecord* record : segment_records()) all.push_back(record);
    return all;
}
}  // namespace families

}  // namespace croton
