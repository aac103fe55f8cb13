// Writing into parts of arrays: chains, zeros that are written into, and sums of such parts, which
// is what the gradients of slices are.
#include <algorithm>
#include <limits>
#include <tuple>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
constexpr int64_t open_end = std::numeric_limits<int64_t>::max();
constexpr size_t most_terms = 4096;

bool is_write(Arena& arena, Value v) {
    static const OpRecord* set_index_op = record("set_index");
    return made_by(arena, v, set_index_op);
}
bool adds(Arena& arena, Value v) {
    return arena.attr_view(v.node).get<std::string>("mode") == "add";
}
Args bounds_of(Arena& arena, Value v, size_t first) {
    Args bounds;
    for (size_t i = first; i < arena.inputs(v.node).size(); ++i)
        bounds.push_back(input_of(arena, v, i));
    return bounds;
}

// The part of `x` that the node writes, as the arena knows it: with the names of its sizes, if
// somebody reads the same part.
Variable written_part(Arena& arena, Value v, const Variable& x) {
    Variable part =
        subtensor(x, bounds_of(arena, v, 2), arena.attr_view(v.node).get<std::string>("index"));
    return arena.variable(arena.add(part));
}

Variable write_again(Arena& arena, Value v, const Variable& x, const Variable& y,
                     const std::string& mode) {
    return with_sizes(set_index(x, y, bounds_of(arena, v, 2),
                                arena.attr_view(v.node).get<std::string>("index"), mode),
                      arena.type(v).dims);
}

// --- one write, or one after the other ----------------------------------------------------------

bool whole(Arena& arena, Value v) {
    auto items = constant_index(arena, v.node);
    return items && std::all_of(items->begin(), items->end(),
                                [](const IndexItem& item) { return item.whole(); });
}

Variables simplify_write(Arena& arena, NodeId id) {
    static const OpRecord* subtensor_op = record("subtensor");
    Value v{id, 0};
    if (!is_write(arena, v)) return {};
    Value x = arena.inputs(id)[0], y = arena.inputs(id)[1];
    Variable base = arena.variable(x), value = arena.variable(y);
    if (whole(arena, v)) {
        Variable fitted = fitted_to(value, base);
        return {adds(arena, v) ? base + fitted : fitted};
    }
    if (adds(arena, v) && all_zero(arena, y)) return {base};
    if (adds(arena, v) && all_zero(arena, x)) return {write_again(arena, v, base, value, "set")};
    bool own = !adds(arena, v) && made_by(arena, y, subtensor_op) && arena.inputs(y.node)[0] == x &&
               same_part(arena, id, 2, y.node, 1);
    if (own) return {base};
    return {};
}

// The same part written twice: what is set hides what was there, what is added adds up.
Variables merge_writes(Arena& arena, NodeId id) {
    Value v{id, 0};
    if (!is_write(arena, v)) return {};
    Value before = arena.inputs(id)[0];
    if (!is_write(arena, before) || !same_part(arena, id, 2, before.node, 2)) return {};
    Variable x = input_of(arena, before, 0), y = input_of(arena, v, 1);
    if (!adds(arena, v)) return {write_again(arena, v, x, y, "set")};
    if (arena.use_count(before.node) != 1) return {};
    Variable first = input_of(arena, before, 1);
    if (!certainly_same(first.type().dims, y.type().dims)) {
        if (adds(arena, before)) return {};
        first = fitted_to(first, written_part(arena, v, x));
    }
    return {write_again(arena, v, x, first + y, adds(arena, before) ? "add" : "set")};
}

// The sizes of the part that the node writes: as its type has them, or as somebody's who reads it.
Dims part_dims(Arena& arena, Value v) {
    static const OpRecord* subtensor_op = record("subtensor");
    Value x = arena.inputs(v.node)[0];
    int looked_at = 0;
    for (NodeId user : arena.users(x.node)) {
        if (++looked_at > 32) break;
        if (arena.alive(user) && arena.op(user) == subtensor_op && arena.inputs(user)[0] == x &&
            same_part(arena, v.node, 2, user, 1))
            return arena.type({user, 0}).dims;
    }
    return subtensor(arena.variable(x), bounds_of(arena, v, 2),
                     arena.attr_view(v.node).get<std::string>("index"))
        .type()
        .dims;
}

// What is written is spread over the part anyway: y need not be spread before.
Variables write_unspread(Arena& arena, NodeId id) {
    static const OpRecord *broadcast_op = record("broadcast_to"), *fill_op = record("fill");
    Value v{id, 0}, y = arena.inputs(id)[1];
    bool filled = made_by(arena, y, fill_op);
    if (!filled && !made_by(arena, y, broadcast_op)) return {};
    Variable source = input_of(arena, y, filled ? 1 : 0);
    if (source.dtype() != arena.type(y).dtype) return {};
    if (!certainly_same(part_dims(arena, v), arena.type(y).dims)) return {};
    return {write_again(arena, v, input_of(arena, v, 0), source, adds(arena, v) ? "add" : "set")};
}

// x[part] set to x[part] + z: z is added there.
Variables add_instead_of_set(Arena& arena, NodeId id) {
    static const OpRecord *subtensor_op = record("subtensor"), *add_op = record("add"),
                          *sub_op = record("sub");
    Value v{id, 0}, x = arena.inputs(id)[0], y = arena.inputs(id)[1];
    bool sum = made_by(arena, y, add_op), difference = made_by(arena, y, sub_op);
    if (adds(arena, v) || (!sum && !difference)) return {};
    for (size_t side = 0; side < (sum ? 2u : 1u); ++side) {
        Value part = arena.inputs(y.node)[side], other = arena.inputs(y.node)[1 - side];
        bool own = made_by(arena, part, subtensor_op) && arena.inputs(part.node)[0] == x &&
                   same_part(arena, id, 2, part.node, 1) &&
                   certainly_same(arena.type(part).dims, arena.type(y).dims) &&
                   arena.type(other).dtype == arena.type(x).dtype;
        if (!own || !is_continuous(arena.type(x).dtype)) continue;
        Variable z = arena.variable(other);
        return {write_again(arena, v, arena.variable(x), sum ? z : -z, "add")};
    }
    return {};
}

// --- sums of parts ------------------------------------------------------------------------------

// Zeros with something written into them.
struct Part {
    Value write;
    size_t axis = 0;  // the only axis that is cut
    int64_t begin = 0, end = open_end;
    bool drops_axis = false;
};

// A part along one axis, from a number to a number (or the end).
std::optional<Part> part_of_zeros(Arena& arena, Value v) {
    if (!is_write(arena, v) || arena.use_count(v.node) != 1 ||
        !all_zero(arena, arena.inputs(v.node)[0]))
        return {};
    auto items = constant_index(arena, v.node);
    if (items) items = plain_items(*items, arena.type(v).dims);
    if (!items) return {};
    Part part{v};
    size_t cut = 0;
    for (size_t axis = 0; axis < items->size(); ++axis) {
        const auto& item = (*items)[axis];
        if (item.whole()) continue;
        if (!(item.step == Bound{}) || ++cut > 1) return {};
        part.axis = axis;
        part.begin = begin_of(item);
        part.end = end_of(item);
        part.drops_axis = item.kind == IndexItem::Kind::Integer;
    }
    bool empty = part.end <= part.begin;
    return cut == 1 && !empty ? std::optional(part) : std::nullopt;
}

bool is_sum(Arena& arena, Value v) {
    static const OpRecord* add_op = record("add");
    return made_by(arena, v, add_op) && arena.inputs(v.node).size() == 2;
}
// The terms of a tree of additions, if this is its top. Empty if it is not, or if they are very
// many: they are looked at again whenever the top changes.
std::vector<Value> terms_of(Arena& arena, NodeId id) {
    if (!is_sum(arena, {id, 0})) return {};
    auto inside = [&](Value v) {
        return is_sum(arena, v) && arena.use_count(v.node) == 1 && sized_like(arena, v, id);
    };
    if (arena.use_count(id) == 1)
        for (NodeId user : arena.users(id))
            if (uses(arena, user, id) && is_sum(arena, {user, 0}) &&
                sized_like(arena, {id, 0}, user))
                return {};
    std::vector<Value> terms, stack{{id, 0}};
    while (!stack.empty()) {
        Value v = stack.back();
        stack.pop_back();
        if (v.node != id && !inside(v)) {
            terms.push_back(v);
            if (terms.size() > most_terms) return {};
            continue;
        }
        const auto& inputs = arena.inputs(v.node);
        stack.push_back(inputs[1]);
        stack.push_back(inputs[0]);
    }
    return terms;
}

// What the part holds, with exactly the sizes of the place it takes, the cut axis kept.
Variable contents(Arena& arena, const Part& part) {
    Variable like;
    all_zero(arena, arena.inputs(part.write.node)[0], &like);
    Variable y = fitted_to(input_of(arena, part.write, 1), written_part(arena, part.write, like));
    return part.drops_axis ? expand_dims(y, static_cast<int64_t>(part.axis)) : y;
}

// Whether computing the parts fails anyway where this position is out of bounds: one of them is
// made of the same or a later position of the same array. A look at a number of nodes must do.
bool proven_in_bounds(Arena& arena, const std::vector<Part>& parts, int64_t position) {
    static const OpRecord* subtensor_op = record("subtensor");
    Variable like;
    all_zero(arena, arena.inputs(parts[0].write.node)[0], &like);
    Value array = arena.add(like);
    std::vector<NodeId> stack, seen;
    for (const Part& part : parts) stack.push_back(arena.inputs(part.write.node)[1].node);
    while (!stack.empty() && seen.size() < 256) {
        NodeId id = stack.back();
        stack.pop_back();
        if (arena.kind(id) != NodeKind::Apply ||
            std::find(seen.begin(), seen.end(), id) != seen.end())
            continue;
        seen.push_back(id);
        for (Value v : arena.inputs(id)) stack.push_back(v.node);
        if (arena.op(id) != subtensor_op || !(arena.inputs(id)[0] == array)) continue;
        auto items = constant_index(arena, id);
        bool reads = items && (*items)[parts[0].axis].kind == IndexItem::Kind::Integer;
        if (reads && (*items)[parts[0].axis].start.value >= position) return true;
    }
    return false;
}

// The largest position that is written alone; -1 if there is none.
int64_t last_position(const std::vector<Part>& parts) {
    int64_t last = -1;
    for (const Part& part : parts)
        if (part.drops_axis) last = std::max(last, part.begin);
    return last;
}

// The parts one after the other, zeros where nobody writes. They are sorted and apart.
Variable joined(Arena& arena, const std::vector<Part>& parts) {
    const Part& first = parts[0];
    Variable zeros = input_of(arena, first.write, 0);
    Args pieces;
    int64_t at = 0;
    auto leave_out = [&](int64_t end) {
        if (end <= at) return;
        IndexItems items(static_cast<size_t>(zeros.rank()), IndexItem{});
        items[first.axis] = slice_item(at, end);
        pieces.push_back(subtensor(zeros, {}, index_text(items)));
    };
    for (size_t k = 0; k < parts.size(); ++k) {
        leave_out(parts[k].begin);
        Args numbers;  // elements of a vector in a row are made a vector at once
        size_t last = k;
        while (zeros.rank() == 1 && last < parts.size() && parts[last].drops_axis &&
               parts[last].begin == parts[k].begin + static_cast<int64_t>(last - k))
            numbers.push_back(input_of(arena, parts[last++].write, 1));
        bool several = numbers.size() > 1;
        pieces.push_back(several ? make_vector(numbers) : contents(arena, parts[k]));
        if (several) k = last - 1;
        at = parts[k].end;
    }
    Dim size = zeros.type().dims[first.axis];
    if (at != open_end && !(size.known() && at >= size.size())) leave_out(open_end);
    Variable all = concatenate(pieces, static_cast<int64_t>(first.axis));
    // Slices end where the array does, single positions are out of bounds then.
    int64_t last = last_position(parts);
    bool may_fail = last >= 0 && !(size.known() && last < size.size());
    if (!may_fail || proven_in_bounds(arena, parts, last))
        return with_sizes(all, zeros.type().dims);
    Args sizes;
    for (int axis = 0; axis < zeros.rank(); ++axis) sizes.emplace_back(size_of(zeros, axis));
    return with_sizes(specify_shape(all, ShapeArg(sizes)), zeros.type().dims);
}

// What the first part of a sum cuts and nobody writes twice; the others are left in `rest`.
std::vector<Part> parts_apart(Arena& arena, const std::vector<Value>& terms, NodeId sum,
                              std::vector<Value>& rest) {
    std::vector<Part> parts;
    for (Value term : terms) {
        auto part = sized_like(arena, term, sum) ? part_of_zeros(arena, term) : std::nullopt;
        if (part && (parts.empty() || part->axis == parts[0].axis))
            parts.push_back(*part);
        else
            rest.push_back(term);
    }
    std::stable_sort(parts.begin(), parts.end(),
                     [](const Part& a, const Part& b) { return a.begin < b.begin; });
    std::vector<Part> apart;
    for (const Part& part : parts) {
        if (apart.empty() || apart.back().end <= part.begin)
            apart.push_back(part);
        else
            rest.push_back(part.write);
    }
    return apart;
}

// A sum of zeros with parts written into them, each its own: the parts joined.
Variables join_parts(Arena& arena, NodeId id) {
    auto terms = terms_of(arena, id);
    if (terms.size() < 2 || !is_continuous(arena.type({id, 0}).dtype)) return {};
    std::vector<Value> rest;
    auto parts = parts_apart(arena, terms, id, rest);
    if (parts.size() < 2) return {};
    Variable sum = joined(arena, parts);
    for (Value term : rest) sum = sum + arena.variable(term);
    return {sum};
}

bool same_place(const Part& a, const Part& b) {
    return a.axis == b.axis && a.begin == b.begin && a.end == b.end && a.drops_axis == b.drops_axis;
}

// The same part of several zeros: one write of the sum.
Variables add_same_parts(Arena& arena, NodeId id) {
    auto terms = terms_of(arena, id);
    std::vector<Part> parts;
    for (Value term : terms)
        if (auto part = part_of_zeros(arena, term); part && sized_like(arena, term, id))
            parts.push_back(*part);
    std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
        return std::tie(a.axis, a.begin, a.end) < std::tie(b.axis, b.begin, b.end);
    });
    for (size_t k = 0; k + 1 < parts.size(); ++k) {
        Value one = parts[k].write, other = parts[k + 1].write;
        Variable y = input_of(arena, one, 1), z = input_of(arena, other, 1);
        if (!same_place(parts[k], parts[k + 1]) || !certainly_same(y.type().dims, z.type().dims))
            continue;
        Variable sum = write_again(arena, one, input_of(arena, one, 0), y + z, "set");
        for (Value term : terms)
            if (!(term == one) && !(term == other)) sum = sum + arena.variable(term);
        return {sum};
    }
    return {};
}

// w + (zeros with a part written) is w with the part added: only the part is touched.
Variables add_to_part(Arena& arena, NodeId id) {
    auto terms = terms_of(arena, id);
    if (terms.size() != 2 || !is_continuous(arena.type({id, 0}).dtype)) return {};
    for (size_t side = 0; side < 2; ++side) {
        Value write = terms[side], other = terms[1 - side];
        bool into_zeros = is_write(arena, write) && arena.use_count(write.node) == 1 &&
                          all_zero(arena, arena.inputs(write.node)[0]);
        if (!into_zeros || !sized_like(arena, write, id) || !sized_like(arena, other, id)) continue;
        return {write_again(arena, write, arena.variable(other), input_of(arena, write, 1), "add")};
    }
    return {};
}
}  // namespace

std::vector<NodeRule> update_node_rules() {
    auto writes = about({"set_index"}), sums = about({"add"});
    return {
        NodeRule{"write of everything or nothing", simplify_write, writes},
        NodeRule{"write after write", merge_writes, writes},
        NodeRule{"write of what is spread", write_unspread, writes,
                 below({"broadcast_to", "fill"})},
        NodeRule{"write of a part and something", add_instead_of_set, writes,
                 below({"add", "sub"})},
        NodeRule{"same part of zeros twice", add_same_parts, sums},
        NodeRule{"parts of zeros joined", join_parts, sums},
        NodeRule{"part of zeros added", add_to_part, sums},
    };
}

}  // namespace croton::rules
