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

// Bytes of the result if its sizes are known, else a guess that forbids folding.
int64_t result_bytes(const TensorType& type) {
    int64_t bytes = dtype_size(type.dtype);
    for (Dim dim : type.dims) {
        if (!dim.known()) return INT64_MAX;
        bytes *= dim.size();
    }
    return bytes;
}

Variables fold(Arena& arena, NodeId id) {
    const OpRecord* op = arena.op(id);
    if (!foldable(*op)) return {};
    int64_t input_bytes = 0;
    for (auto v : arena.inputs(id)) {
        const Array* value = arena.constant(v);
        if (!value) return {};
        input_bytes += value->nbytes();
    }
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
    static const rewrite::NodeRule rule{"fold constants", fold};
    return rule;
}

const rewrite::NodeRule& expansion() {
    static const rewrite::NodeRule rule{"expand", [](Arena& arena, NodeId id) -> Variables {
                                            Variable node = Variable(arena.variable({id, 0}));
                                            if (!is_composite(node.node())) return {};
                                            return expansion_of(arena.current(id).node());
                                        }};
    return rule;
}

}  // namespace croton::compile
