// Views, broadcasts, and sizes without values.
#include "croton/ops/shape.hpp"

#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
bool said_sizes_are_known(const Match& m) {
    const Array* said = m.constant("s");
    const Dims& dims = m.type("x").dims;
    if (!said || said->size() != static_cast<int64_t>(dims.size())) return false;
    auto sizes = said->to_vector<int64_t>();
    for (size_t i = 0; i < sizes.size(); ++i)
        if (sizes[i] != -1 && !(dims[i] == Dim(sizes[i]))) return false;
    return true;
}
}  // namespace

const Rules& shape() {
    static const Variable x = wildcard("x"), y = wildcard("y"), s = wildcard("s");
    static const Rules rules = {
        {"fill with its own sizes", fill(x, y), y, shaped_like_result("y")},
        {"sum to sizes it has", sum_to(x, y), x, shaped_like_result("x")},
        {"reshape of reshape",
         reshape(reshape(x, y, AttrWildcard{"between"}), s, AttrWildcard{"sizes"}),
         [](const Match& m) -> Variable {
             return croton::reshape(m["x"], m["s"],
                                    attrs_of(m.root_variable().node()).get<Ints>("sizes"));
         }},
        {"reshape to sizes it has", any_attrs(reshape(x, s, Ints{}), {"sizes"}), x,
         shaped_like_result("x")},
        {"sizes said that are known",
         any_attrs(specify_shape(x, s, Ints{}), {"sizes"}),
         x,
         {"each size said is one that x is known to have", said_sizes_are_known}},
        {"assertion of what is true", any_attrs(assert_(x, true, ""), {"message"}), x},
        {"broadcast to sizes it has", any_attrs(broadcast_to(x, s, Ints{}), {"sizes"}), x,
         shaped_like_result("x")},
    };
    return rules;
}

namespace {
// A size that a type knows is a number; one that carries a symbol is read off the deepest value
// that has it, so that nothing is computed only for its size.
Variables lift_size(Arena& arena, NodeId id) {
    static const OpRecord* size_of_op = record("size_of");
    if (arena.op(id) != size_of_op) return {};
    Value from = arena.inputs(id)[0];
    auto axis = static_cast<size_t>(arena.attr_view(id).get<int64_t>("axis"));
    Dim dim = arena.type(from).dims[axis];
    if (dim.known()) return {constant(Array::scalar(dim.size()), arena.site(id))};
    if (!dim.symbolic() || arena.kind(from.node) != NodeKind::Apply) return {};
    for (Value below : arena.inputs(from.node)) {
        const Dims& dims = arena.type(below).dims;
        for (size_t i = 0; i < dims.size(); ++i)
            if (dims[i] == dim) return {size_of(arena.variable(below), static_cast<int64_t>(i))};
    }
    return {};
}

Variables lift_shape(Arena& arena, NodeId id) {
    static const OpRecord* shape_op = record("shape");
    if (arena.op(id) != shape_op) return {};
    Value from = arena.inputs(id)[0];
    int rank = arena.type(from).rank();
    if (rank == 0) return {};
    Args sizes;
    for (int axis = 0; axis < rank; ++axis)
        sizes.emplace_back(size_of(arena.variable(from), axis), arena.site(id));
    return {make_vector(sizes)};
}

Variables lift_count(Arena& arena, NodeId id) {
    static const OpRecord* count_op = record("count");
    if (arena.op(id) != count_op) return {};
    Value from = arena.inputs(id)[0];
    Variable product;
    for (int64_t axis : arena.attr_view(id).get<Ints>("axes")) {
        Variable size = size_of(arena.variable(from), axis);
        product = product ? product * size : size;
    }
    return {product ? product : constant(Array::scalar(int64_t{1}), arena.site(id))};
}

Variables merge_dimshuffles(Arena& arena, NodeId id) {
    static const OpRecord* dimshuffle_op = record("dimshuffle");
    if (arena.op(id) != dimshuffle_op) return {};
    Value from = arena.inputs(id)[0];
    const Ints& order = arena.attr_view(id).get<Ints>("order");
    bool identity = static_cast<int>(order.size()) == arena.type(from).rank();
    for (size_t i = 0; i < order.size(); ++i) identity &= order[i] == static_cast<int64_t>(i);
    if (identity) return {arena.variable(from)};
    if (arena.kind(from.node) != NodeKind::Apply || arena.op(from.node) != dimshuffle_op) return {};
    const Ints& inner = arena.attr_view(from.node).get<Ints>("order");
    Ints merged;
    for (int64_t axis : order) merged.push_back(axis < 0 ? -1 : inner[static_cast<size_t>(axis)]);
    return {dimshuffle(arena.variable(arena.inputs(from.node)[0]), merged)};
}

// An elementwise op broadcasts by itself: what was stretched before it need not be, as long as
// another input has the sizes of the result.
Variables drop_broadcasts(Arena& arena, NodeId id) {
    static const OpRecord *broadcast_op = record("broadcast_to"), *fill_op = record("fill");
    if (!arena.op(id)->elementwise() || arena.op(id) == fill_op) return {};
    const auto& inputs = arena.inputs(id);
    const Dims& dims = arena.type({id, 0}).dims;
    for (size_t i = 0; i < inputs.size(); ++i) {
        Value stretched = inputs[i];
        if (arena.kind(stretched.node) != NodeKind::Apply) continue;
        bool broadcast = arena.op(stretched.node) == broadcast_op,
             filled = arena.op(stretched.node) == fill_op;
        if (!broadcast && !filled) continue;
        Value source = arena.inputs(stretched.node)[filled ? 1 : 0];
        bool covered = false;
        for (size_t k = 0; k < inputs.size(); ++k)
            covered |= k != i && !(inputs[k] == stretched) &&
                       certainly_same(arena.type(inputs[k]).dims, dims);
        if (!covered || arena.type(source).dtype != arena.type(stretched).dtype) continue;
        Variables arguments;
        for (Value v : inputs) arguments.push_back(arena.variable(v == stretched ? source : v));
        return apply_like(arena.variable({id, 0}).node(), arguments);
    }
    return {};
}

// What is filled is as large as the first argument, whose values nobody wants: something that it
// is made of may have these sizes too, and does not have to wait for it.
Variables fill_like_input(Arena& arena, NodeId id) {
    static const OpRecord* fill_op = record("fill");
    if (arena.op(id) != fill_op) return {};
    Value like = arena.inputs(id)[0], value = arena.inputs(id)[1];
    if (arena.kind(like.node) != NodeKind::Apply) return {};
    for (Value below : arena.inputs(like.node))
        if (certainly_same(arena.type(below).dims, arena.type(like).dims))
            return {fill(arena.variable(below), arena.variable(value))};
    return {};
}

Variables merge_casts(Arena& arena, NodeId id) {
    static const OpRecord* cast_op = record("cast");
    if (arena.op(id) != cast_op) return {};
    Value from = arena.inputs(id)[0];
    DType wanted = arena.type({id, 0}).dtype, between = arena.type(from).dtype;
    if (wanted == between) return {arena.variable(from)};
    if (arena.kind(from.node) != NodeKind::Apply || arena.op(from.node) != cast_op) return {};
    Value source = arena.inputs(from.node)[0];
    if (!can_cast_safely(arena.type(source).dtype, between)) return {};
    return {cast(arena.variable(source), wanted)};
}
}  // namespace

std::vector<NodeRule> shape_node_rules() {
    return {
        NodeRule{"size without values", lift_size, about({"size_of"})},
        NodeRule{"shape from sizes", lift_shape, about({"shape"})},
        NodeRule{"count from sizes", lift_count, about({"count"})},
        NodeRule{"merge dimshuffles", merge_dimshuffles, about({"dimshuffle"})},
        NodeRule{"broadcast by the op itself", drop_broadcasts, &OpRecord::elementwise,
                 below({"broadcast_to", "fill"})},
        NodeRule{"fill without values", fill_like_input, about({"fill"})},
        NodeRule{"merge casts", merge_casts, about({"cast"})},
    };
}

}  // namespace croton::rules
