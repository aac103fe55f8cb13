// Parts of arrays: reading and updating them.
#include "croton/ops/index.hpp"

#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

const Rules& index() {
    static const Rules rules = {};
    return rules;
}

namespace {
// x[:, :] is x.
Variables drop_full_slices(Arena& arena, NodeId id) {
    static const OpRecord* subtensor_op = find_op("subtensor");
    if (arena.op(id) != subtensor_op || arena.inputs(id).size() != 1) return {};
    for (char c : arena.attr_view(id).get<std::string>("index"))
        if (c != ':' && c != ',' && c != ' ') return {};
    return {arena.variable(arena.inputs(id)[0])};
}

// --- what is added at positions of nothing but zeros: the gradient of a lookup -------------------

// put(zeros, y, indices, "add"), if nobody else wants the dense array.
bool scattered(Arena& arena, Value v) {
    static const OpRecord* put_op = record("put");
    if (arena.kind(v.node) != NodeKind::Apply || arena.op(v.node) != put_op ||
        arena.use_count(v.node) != 1 || arena.attr_view(v.node).get<std::string>("mode") != "add")
        return false;
    return all_zero(arena, arena.inputs(v.node)[0]);
}

// The same put with another array to add to and other values.
Variable put_again(Arena& arena, Value v, const Variable& base, const Variable& values) {
    Variables inputs{base, values};
    const auto& old = arena.inputs(v.node);
    for (size_t i = 2; i < old.size(); ++i) inputs.push_back(arena.variable(old[i]));
    return apply_like(arena.variable(v).node(), std::move(inputs))[0];
}
Variable base_of(Arena& arena, Value v) { return arena.variable(arena.inputs(v.node)[0]); }
Variable values_of(Arena& arena, Value v) { return arena.variable(arena.inputs(v.node)[1]); }

bool sized_like(Arena& arena, Value v, NodeId whole) {
    const TensorType &a = arena.type(v), &b = arena.type({whole, 0});
    return a.dtype == b.dtype && certainly_same(a.dims, b.dims);
}

// w + put(zeros, y, i) is put(w, y, i): only the rows that are named are touched.
Variables add_in_place_of_zeros(Arena& arena, NodeId id) {
    static const OpRecord *add_op = find_op("add"), *sub_op = find_op("sub");
    bool subtracts = arena.op(id) == sub_op;
    if ((!subtracts && arena.op(id) != add_op) || arena.inputs(id).size() != 2) return {};
    if (!is_continuous(arena.type({id, 0}).dtype)) return {};
    for (size_t side = subtracts ? 1 : 0; side < 2; ++side) {
        Value put = arena.inputs(id)[side], other = arena.inputs(id)[1 - side];
        if (!scattered(arena, put) || !sized_like(arena, put, id) || !sized_like(arena, other, id))
            continue;
        Variable values = values_of(arena, put);
        return {put_again(arena, put, arena.variable(other), subtracts ? -values : values)};
    }
    return {};
}

// Scaling moves to the values: by a number that is known to be finite, since 0 * inf is no zero.
Variables scale_before_scatter(Arena& arena, NodeId id) {
    static const OpRecord *neg_op = find_op("neg"), *mul_op = find_op("mul"),
                          *div_op = find_op("div");
    const OpRecord* op = arena.op(id);
    const auto& inputs = arena.inputs(id);
    if (op == neg_op && scattered(arena, inputs[0]))
        return {
            put_again(arena, inputs[0], base_of(arena, inputs[0]), -values_of(arena, inputs[0]))};
    if ((op != mul_op && op != div_op) || inputs.size() != 2) return {};
    for (size_t side = 0; side < (op == mul_op ? 2u : 1u); ++side) {
        Value put = inputs[side], factor = inputs[1 - side];
        const Array* number = arena.constant(factor);
        if (!number || number->rank() != 0 || !is_floating(number->dtype()) ||
            !std::isfinite(number->item<double>()) || (op == div_op && number->item<double>() == 0))
            continue;
        if (!scattered(arena, put) || arena.type(put).dtype != arena.type({id, 0}).dtype) continue;
        Variable values = values_of(arena, put), by = arena.variable(factor);
        return {
            put_again(arena, put, base_of(arena, put), op == mul_op ? values * by : values / by)};
    }
    return {};
}
}  // namespace

std::vector<NodeRule> index_node_rules() {
    return {
        NodeRule{"whole slice", drop_full_slices, about({"subtensor"})},
        NodeRule{"add at positions in place of zeros", add_in_place_of_zeros, about({"add", "sub"}),
                 below({"put"})},
        NodeRule{"scale before adding at positions", scale_before_scatter,
                 about({"neg", "mul", "div"}), below({"put"})},
    };
}

}  // namespace croton::rules
