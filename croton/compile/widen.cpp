#include "croton/compile/widen.hpp"

#include <algorithm>

#include "croton/compile/fuse_graph.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
// Axes of size 1 behind the first one, so that what is stepped has `rank` axes of its own.
Variable with_rank(const Variable& stepped, int rank) {
    Ints order{0};
    for (int missing = rank - (stepped.rank() - 1); missing > 0; --missing)
        order.push_back(new_axis);
    for (int axis = 1; axis < stepped.rank(); ++axis) order.push_back(axis);
    return static_cast<int>(order.size()) == stepped.rank() ? stepped : dimshuffle(stepped, order);
}

Variable moved_view(const Node& node, const Variable& stepped) {
    Ints order{0};
    for (int axis : axes_of_view(node)) order.push_back(axis < 0 ? new_axis : axis + 1);
    return dimshuffle(stepped, order);
}

Variable reduced(const Node& node, const Variable& stepped) {
    NamedAttrs attrs;
    for (size_t i = 0; i < node.op->attributes.size(); ++i) {
        AttrValue value = node.attrs->values[i];
        if (node.op->attributes[i].name == "axes")
            for (int64_t& axis : std::get<Ints>(value)) ++axis;
        attrs.emplace_back(node.op->attributes[i].name, std::move(value));
    }
    return apply(*node.op, {stepped}, std::move(attrs), node.site)[0];
}
}  // namespace

bool Widener::can_widen(const Node& node) {
    if (node.kind != NodeKind::Apply || node.op->facts.impure) return false;
    if (node.op == subtensor_op()) return node.inputs.size() == 1;
    return node.op->elementwise() || node.op->kind<ReduceCompute>() || looks_through(node) ||
           is_matrix_product(node);
}

Widener::Wide Widener::wide(const Variable& v) {
    if (auto found = stepped_.find(v); found != stepped_.end()) return {found->second, true};
    if (auto found = plain_.find(v); found != plain_.end()) return {found->second, false};
    if (v.kind() == NodeKind::Constant) return {v, false};
    // Inputs first, without recursion: bodies may be long chains.
    Variables stops;
    for (const auto* known : {&stepped_, &plain_})
        for (const auto& [inside, outside] : *known) stops.push_back(inside);
    for (Node* node : toposort({v}, stops)) {
        if (node->kind != NodeKind::Apply) continue;
        for (uint32_t i = 0; i < node->types.size(); ++i) {
            Variable result(node, i);
            if (stepped_.contains(result) || plain_.contains(result)) continue;
            Wide made = widened(result);
            (made.stepped ? stepped_ : plain_).emplace(result, made.value);
        }
    }
    return wide(v);
}

Widener::Wide Widener::widened(const Variable& v) {
    const Node& node = v.node();
    CROTON_ASSERT(can_widen(node));
    SiteScope scope(node.site);
    std::vector<Wide> inputs;
    for (const auto& input : node.inputs) inputs.push_back(wide(input));
    bool stepped = std::any_of(inputs.begin(), inputs.end(), [](auto& w) { return w.stepped; });
    if (!stepped) {
        Variables plain;
        for (const auto& w : inputs) plain.push_back(w.value);
        return {apply_like(node, std::move(plain))[v.index()], false};
    }
    if (looks_through(node)) return {moved_view(node, inputs[0].value), true};
    if (node.op == subtensor_op()) {
        std::string index = ":, " + attrs_of(node).get<std::string>("index");
        return {apply(*node.op, {inputs[0].value}, {{"index", index}}, node.site)[0], true};
    }
    if (node.op->kind<ReduceCompute>()) return {reduced(node, inputs[0].value), true};
    // Elementwise ops align axes from the last one, products those in front of the matrices.
    int rank = 0;
    for (const auto& input : node.inputs) rank = std::max(rank, input.rank());
    Variables aligned;
    for (const auto& w : inputs) aligned.push_back(w.stepped ? with_rank(w.value, rank) : w.value);
    return {apply_like(node, std::move(aligned))[v.index()], true};
}

}  // namespace croton::compile
