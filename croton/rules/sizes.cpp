// Sizes of what nobody needs but for its size: read off what it is made of, so that no value is
// computed.
#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// Where sizes are all that is read, computing them otherwise saves the values.
bool only_sizes_are_read(Arena& arena, NodeId id) {
    static const OpRecord* size_of_op = record("size_of");
    size_t reads = 0;
    for (NodeId user : arena.users(id)) {
        if (arena.alive(user) && arena.op(user) != size_of_op) return false;
        ++reads;
    }
    return reads == arena.use_count(id);  // or it is an output, too
}

Variable size_in(Arena& arena, NodeId node, size_t input, size_t axis) {
    return size_of(input_of(arena, {node, 0}, input), static_cast<int64_t>(axis));
}

Variable size_of_join(Arena& arena, NodeId node, size_t axis) {
    if (static_cast<size_t>(arena.attr_view(node).get<int64_t>("axis")) != axis)
        return size_in(arena, node, 0, axis);
    Variable total;
    for (size_t i = 0; i < arena.inputs(node).size(); ++i) {
        Variable size = size_in(arena, node, i, axis);
        total = total ? total + size : size;
    }
    return total;
}

// One input has the sizes, the others are scalars.
Variable size_of_computed(Arena& arena, NodeId node, size_t axis) {
    auto inputs = arena.inputs(node);
    size_t found = inputs.size();
    for (size_t i = 0; i < inputs.size(); ++i) {
        if (arena.type(inputs[i]).rank() == 0) continue;
        if (found < inputs.size()) return {};
        found = i;
    }
    return found < inputs.size() ? size_in(arena, node, found, axis) : Variable();
}

Variable size_of_view(Arena& arena, NodeId node, size_t axis) {
    int64_t own = arena.attr_view(node).get<Ints>("order")[axis];
    return own < 0 ? Variable() : size_in(arena, node, 0, static_cast<size_t>(own));
}

Variable size_of_fold(Arena& arena, NodeId node, size_t axis) {
    const Ints& axes = arena.attr_view(node).get<Ints>("axes");
    if (arena.attr_view(node).get<bool>("keepdims")) return size_in(arena, node, 0, axis);
    size_t own = 0;
    for (;; ++own) {
        bool folded = std::find(axes.begin(), axes.end(), static_cast<int64_t>(own)) != axes.end();
        if (!folded && axis-- == 0) break;
    }
    return size_in(arena, node, 0, own);
}

Variable size_of_part(Arena& arena, NodeId node, size_t axis) {
    IndexItems items = parse_index(arena.attr_view(node).get<std::string>("index"));
    size_t own = 0;
    for (;; ++own)
        if (items[own].kind == IndexItem::Kind::Slice && axis-- == 0) break;
    return length_of(items[own], size_in(arena, node, 0, own));
}

Variable size_of_product(Arena& arena, NodeId node, size_t axis) {
    auto inputs = arena.inputs(node);
    if (arena.type(inputs[0]).rank() != 2 || arena.type(inputs[1]).rank() != 2) return {};
    return size_in(arena, node, axis, axis);
}

// All elements in one axis; or a size that the vector of sizes got from somebody (others may be
// -1).
Variable size_of_reshaped(Arena& arena, NodeId node, size_t axis) {
    static const OpRecord *make_vector_op = record("make_vector"), *size_of_op = record("size_of");
    if (arena.type({node, 0}).rank() == 1) return count(input_of(arena, {node, 0}, 0));
    Value sizes = arena.inputs(node)[1];
    if (!made_by(arena, sizes, make_vector_op)) return {};
    Value size = arena.inputs(sizes.node)[axis];
    return made_by(arena, size, size_of_op) ? arena.variable(size) : Variable();
}

Variable element(Arena& arena, NodeId node, size_t axis) {
    return subtensor(input_of(arena, {node, 0}, 1), {}, std::to_string(axis));
}

using Reader = Variable (*)(Arena&, NodeId, size_t);
Reader reader_of(const OpRecord* op) {
    static const std::vector<std::pair<const OpRecord*, Reader>> readers = {
        {record("concatenate"), size_of_join}, {record("dimshuffle"), size_of_view},
        {record("subtensor"), size_of_part},   {record("matrix_product"), size_of_product},
        {record("reshape"), size_of_reshaped}, {record("broadcast_to"), element},
    };
    for (const auto& [of, reader] : readers)
        if (of == op) return reader;
    if (op->elementwise()) return size_of_computed;
    return op->kind<ReduceCompute>() ? size_of_fold : nullptr;
}

Variables infer_size(Arena& arena, NodeId id) {
    Value from = arena.inputs(id)[0];
    if (arena.kind(from.node) != NodeKind::Apply || arena.op(from.node)->facts.impure) return {};
    Reader reader = reader_of(arena.op(from.node));
    if (!reader || !only_sizes_are_read(arena, from.node)) return {};
    Variable size =
        reader(arena, from.node, static_cast<size_t>(arena.attr_view(id).get<int64_t>("axis")));
    return size ? Variables{size} : Variables{};
}
}  // namespace

std::vector<NodeRule> size_node_rules() {
    return {NodeRule{"size of what is made for its size", infer_size, about({"size_of"})}};
}

}  // namespace croton::rules
