#pragma once
// What the rules about parts of arrays have in common: reading indices and bases of nodes.
#include <optional>

#include "croton/ops/index_text.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::rules {

using rewrite::Arena;
using rewrite::NodeId;
using rewrite::Value;

/// The record of that name, which must exist.
const OpRecord* record(std::string_view name);
/// Whether the value is an output of that op.
inline bool made_by(Arena& arena, Value v, const OpRecord* op) {
    return arena.kind(v.node) == NodeKind::Apply && arena.op(v.node) == op;
}
inline Variable input_of(Arena& arena, Value v, size_t i) {
    return arena.variable(arena.inputs(v.node)[i]);
}
/// Whether the node is there and reads an output of the other.
bool uses(Arena& arena, NodeId user, NodeId id);
/// The same op with other inputs; the sizes that had names keep them where the type rule knows
/// none.
Variable made_again(Arena& arena, Value v, Variables inputs);
/// A new node whose sizes are known to be `dims`, whatever its type rule could tell.
Variable with_sizes(Variable fresh, const Dims& dims);

/// Whether a value certainly has the dtype and the sizes of the node's first output.
bool sized_like(Arena& arena, Value v, NodeId whole);

/// An array of nothing but zeros; `like` then has its sizes.
bool all_zero(Arena& arena, Value v, Variable* like = nullptr);

/// The index of a subtensor or set_index node, one item an axis, if all its bounds are numbers.
std::optional<IndexItems> constant_index(Arena& arena, NodeId id);
/// The items, negative numbers counted from the front where the size is known. Nothing if an item
/// is not a plain position or a slice with a positive step and bounds that are not negative.
std::optional<IndexItems> plain_items(IndexItems items, const Dims& dims);
/// Where a plain item begins, and where it ends: INT64_MAX if it is open.
int64_t begin_of(const IndexItem& item);
int64_t end_of(const IndexItem& item);
IndexItem slice_item(int64_t begin, int64_t end, int64_t step = 1);

/// How many elements a slice takes of an axis of n, as a scalar; null if its bounds are no numbers
/// or it does not go in single steps.
Variable length_of(const IndexItem& item, const Variable& n);

/// Whether two set_index or subtensor nodes name the same part: same text, same bounds.
bool same_part(Arena& arena, NodeId a, size_t first_a, NodeId b, size_t first_b);

/// y with exactly the sizes of `part`.
Variable fitted_to(const Variable& y, const Variable& part);

}  // namespace croton::rules
