#include "croton/compile/fold.hpp"

#include <algorithm>

#include "croton/compile/reference.hpp"
#include "croton/compile/translate.hpp"

namespace croton::compile {

using rewrite::Arena;
using rewrite::NodeId;

namespace {
constexpr int64_t folded_bytes = 64 << 10;

bool foldable(const OpRecord& op) {
    return !op.facts.impure && !op.kind<InnerCompute>() && !op.kind<ExternCompute>() &&
           !op.kind<ExpandCompute>();
}

bool stands_for_others(const OpRecord& op) {
    auto inner = op.kind<InnerCompute>();
    return op.kind<ExpandCompute>() || (inner && inner->kind == InnerCompute::Kind::Call);
}

// Bytes of the result if its sizes are known, else a guess that forbids folding.
int64_t result_bytes(const TensorType& type) {
    int64_t bytes = dtype_size(type.dtype);
    for (Dim dim : type.dims) {
        if (!dim.known()) return INT64_MAX;
        bytes *= dim.size();
    }
    return bytes;
}

bool only_constants(const Arena& arena, NodeId id) {
    auto inputs = arena.inputs(id);
    return std::all_of(inputs.begin(), inputs.end(),
                       [&](rewrite::Value v) { return arena.kind(v.node) == NodeKind::Constant; });
}

Variables fold(Arena& arena, NodeId id) {
    int64_t input_bytes = 0;
    for (auto v : arena.inputs(id)) input_bytes += arena.constant(v)->nbytes();
    Variable node = arena.current(id);
    // Ranges and fills without sizes known by type are computed if their result turns out small.
    int64_t bytes = result_bytes(node.type());
    if (bytes > std::max(folded_bytes, input_bytes) && bytes != INT64_MAX) return {};
    std::vector<Array> values;
    try {
        values = evaluate({node});
    } catch (const Error&) {
        return {};  // the same error will come out of the call, drawn with the user's line
    }
    if (values[0].nbytes() > std::max(folded_bytes, input_bytes)) return {};
    return {constant(values[0], node.site())};
}
}  // namespace

const rewrite::NodeRule& constant_folding() {
    static const rewrite::NodeRule rule{"fold constants", fold, foldable, only_constants};
    return rule;
}

const rewrite::NodeRule& expansion() {
    static const rewrite::NodeRule rule{
        "expand", [](Arena& arena, NodeId id) { return expansion_of(arena.current(id).node()); },
        stands_for_others};
    return rule;
}

}  // namespace croton::compile
