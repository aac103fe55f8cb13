// Arrays joined: of joins, of nothing, of neighbouring parts, of scalars; and folded.
#include <algorithm>

#include "croton/kernel/kernel.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// A join of one part is the part; parts that are joins along the same axis are spread out.
Variables flatten_joins(Arena& arena, NodeId id) {
    static const OpRecord* concatenate_op = record("concatenate");
    if (arena.op(id) != concatenate_op) return {};
    const auto& inputs = arena.inputs(id);
    if (inputs.size() == 1) return {arena.variable(inputs[0])};
    int64_t axis = arena.attr_view(id).get<int64_t>("axis");
    Args parts;
    bool changed = false;
    for (Value v : inputs) {
        bool inner = made_by(arena, v, concatenate_op) && arena.use_count(v.node) == 1 &&
                     arena.attr_view(v.node).get<int64_t>("axis") == axis;
        changed |= inner;
        if (!inner) parts.push_back(arena.variable(v));
        for (size_t k = 0; inner && k < arena.inputs(v.node).size(); ++k)
            parts.push_back(input_of(arena, v, k));
    }
    if (!changed) return {};
    return {with_sizes(concatenate(parts, axis), arena.type({id, 0}).dims)};
}

// Parts without elements leave.
Variables drop_empty_parts(Arena& arena, NodeId id) {
    auto axis = static_cast<size_t>(arena.attr_view(id).get<int64_t>("axis"));
    const TensorType& whole = arena.type({id, 0});
    Args kept;
    for (Value v : arena.inputs(id)) {
        Dims dims = arena.type(v).dims;
        bool empty = dims[axis] == Dim(0);
        dims[axis] = Dim(1);  // the other sizes must be right, or it is an error
        Dims others = whole.dims;
        others[axis] = Dim(1);
        if (!empty || !certainly_same(dims, others)) kept.push_back(arena.variable(v));
    }
    if (kept.empty() || kept.size() == arena.inputs(id).size()) return {};
    Variable made = concatenate(kept, static_cast<int64_t>(axis));
    return made.dtype() == whole.dtype ? Variables{with_sizes(made, whole.dims)} : Variables{};
}

// --- neighbouring parts of one array

// A part that is cut along the axis alone, from one bound to another in single steps.
struct Cut {
    Value base;
    Bound start, stop;
    Value start_value, stop_value;  // what bounds that are inputs are
};
std::optional<Cut> cut_along(Arena& arena, Value v, size_t axis) {
    static const OpRecord* subtensor_op = record("subtensor");
    if (!made_by(arena, v, subtensor_op)) return {};
    auto inputs = arena.inputs(v.node);
    IndexItems items = parse_index(arena.attr_view(v.node).get<std::string>("index"));
    for (size_t i = 0; i < items.size(); ++i) {
        bool slice = items[i].kind == IndexItem::Kind::Slice && items[i].step == Bound{};
        if (!slice || (i != axis && !items[i].whole())) return {};
    }
    Cut cut{inputs[0], items[axis].start, items[axis].stop, {}, {}};
    if (cut.start.kind == Bound::Kind::Input)
        cut.start_value = inputs[1 + static_cast<size_t>(cut.start.value)];
    if (cut.stop.kind == Bound::Kind::Input)
        cut.stop_value = inputs[1 + static_cast<size_t>(cut.stop.value)];
    return cut;
}

// Whether nothing is lost if the value is not computed: no error, that is.
bool cannot_fail(Arena& arena, Value v) {
    static const OpRecord* size_of_op = record("size_of");
    return arena.kind(v.node) != NodeKind::Apply || arena.op(v.node) == size_of_op;
}

// x[a:b] and x[b:c] are neighbours for every size of x if the numbers rise; x[:k] and x[k:] are for
// every k.
bool neighbours(Arena& arena, const Cut& a, const Cut& b) {
    if (!(a.base == b.base)) return false;
    if (a.stop.kind == Bound::Kind::Input)
        return b.start.kind == Bound::Kind::Input && a.stop_value == b.start_value &&
               cannot_fail(arena, a.stop_value) && a.start == Bound{} && b.stop == Bound{};
    if (a.stop.kind != Bound::Kind::Number || !(a.stop == b.start)) return false;
    int64_t begin = a.start.kind == Bound::Kind::Number ? a.start.value : 0;
    bool open = b.stop == Bound{};
    return a.start.kind != Bound::Kind::Input && b.stop.kind != Bound::Kind::Input && begin >= 0 &&
           begin <= a.stop.value && (open || a.stop.value <= b.stop.value);
}

// The cut as a part again. It was merged: its bounds are numbers or open.
Variable part_of(Arena& arena, const Cut& cut, size_t axis) {
    IndexItems items(static_cast<size_t>(arena.type(cut.base).rank()), IndexItem{});
    bool from_front = cut.start == Bound{Bound::Kind::Number, 0};
    items[axis].start = from_front ? Bound{} : cut.start;
    items[axis].stop = cut.stop;
    Variable base = arena.variable(cut.base);
    return items[axis].whole() ? base : subtensor(base, {}, index_text(items));
}

Variables join_neighbours(Arena& arena, NodeId id) {
    auto axis = static_cast<size_t>(arena.attr_view(id).get<int64_t>("axis"));
    Args parts;
    std::vector<Value> inputs(arena.inputs(id).begin(), arena.inputs(id).end());
    for (size_t k = 0; k < inputs.size();) {
        auto cut = cut_along(arena, inputs[k], axis);
        size_t next = k + 1;
        for (; cut && next < inputs.size(); ++next) {
            auto other = cut_along(arena, inputs[next], axis);
            if (!other || !neighbours(arena, *cut, *other)) break;
            cut->stop = other->stop;
        }
        bool merged = next > k + 1;
        parts.push_back(merged ? part_of(arena, *cut, axis) : arena.variable(inputs[k]));
        k = next;
    }
    if (parts.size() == inputs.size()) return {};
    Variable made =
        parts.size() == 1 ? parts[0].variable() : concatenate(parts, static_cast<int64_t>(axis));
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// Vectors of scalars are one vector of scalars.
Variables join_vectors(Arena& arena, NodeId id) {
    static const OpRecord* make_vector_op = record("make_vector");
    Args scalars;
    for (Value v : arena.inputs(id)) {
        if (!made_by(arena, v, make_vector_op)) return {};
        for (size_t k = 0; k < arena.inputs(v.node).size(); ++k)
            scalars.push_back(input_of(arena, v, k));
    }
    Variable made = make_vector(scalars);
    return made.dtype() == arena.type({id, 0}).dtype ? Variables{made} : Variables{};
}

// --- folds

bool has_elements(Arena& arena, Value join, size_t axis) {
    auto parts = arena.inputs(join.node);
    return std::all_of(parts.begin(), parts.end(), [&](Value v) {
        Dim dim = arena.type(v).dims[axis];
        return dim.known() && dim.size() > 0;
    });
}

// What two folded parts make together; null for folds that are not of that sort.
using Together = Variable (*)(Arg, Arg);
Together together(kernel::Combine combine, bool elements) {
    switch (combine) {
        case kernel::Combine::Sum: return add;
        case kernel::Combine::Prod: return mul;
        case kernel::Combine::Any: return logical_or;
        case kernel::Combine::All: return logical_and;
        case kernel::Combine::Max: return elements ? maximum : nullptr;
        case kernel::Combine::Min: return elements ? minimum : nullptr;
        default: return nullptr;
    }
}

// sum(concatenate(a, b)) over the joined axis is sum(a) + sum(b): nothing is copied.
Variables fold_of_joined(Arena& arena, NodeId id) {
    static const OpRecord* concatenate_op = record("concatenate");
    Value join = arena.inputs(id)[0];
    if (!made_by(arena, join, concatenate_op) || arena.use_count(join.node) != 1 ||
        arena.inputs(join.node).size() > 8 || arena.type(join).dtype != arena.type({id, 0}).dtype)
        return {};
    const Ints& axes = arena.attr_view(id).get<Ints>("axes");
    int64_t axis = arena.attr_view(join.node).get<int64_t>("axis");
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) return {};
    auto combine = arena.op(id)->kind<ReduceCompute>()->combine;
    Together both = together(combine, has_elements(arena, join, static_cast<size_t>(axis)));
    if (!both) return {};
    Variable total;
    for (size_t k = 0; k < arena.inputs(join.node).size(); ++k) {
        Variable part = made_again(arena, {id, 0}, {input_of(arena, join, k)});
        total = total ? both(total, part) : part;
    }
    return {total};
}

// The other sizes of all parts of a join are certainly the same: no error is lost without it.
bool parts_fit(Arena& arena, Value join, size_t axis) {
    Dims whole = arena.type(join).dims;
    whole[axis] = Dim(1);
    auto parts = arena.inputs(join.node);
    return std::all_of(parts.begin(), parts.end(), [&](Value v) {
        Dims dims = arena.type(v).dims;
        dims[axis] = Dim(1);
        return arena.type(v).dtype == arena.type(join).dtype && certainly_same(dims, whole);
    });
}

// sum(concatenate(a, b), 0) of what is joined along axis 1 is concatenate(sum(a, 0), sum(b, 0)): no
// element asks which part it comes from. Where others want the join, it is there to be read.
Variables join_of_folded(Arena& arena, NodeId id) {
    static const OpRecord* concatenate_op = record("concatenate");
    Value join = arena.inputs(id)[0];
    if (!made_by(arena, join, concatenate_op) || arena.use_count(join.node) != 1 ||
        arena.inputs(join.node).size() > 8)
        return {};
    Ints axes = arena.attr_view(id).get<Ints>("axes");
    int64_t axis = arena.attr_view(join.node).get<int64_t>("axis");
    if (std::count(axes.begin(), axes.end(), axis) > 0 ||
        !parts_fit(arena, join, static_cast<size_t>(axis)))
        return {};
    Args folded;
    for (size_t k = 0; k < arena.inputs(join.node).size(); ++k)
        folded.push_back(made_again(arena, {id, 0}, {input_of(arena, join, k)}));
    if (!arena.attr_view(id).get<bool>("keepdims"))
        axis -= std::count_if(axes.begin(), axes.end(), [=](int64_t a) { return a < axis; });
    return {with_sizes(concatenate(folded, axis), arena.type({id, 0}).dims)};
}

// prod(shape(x)) is a product of scalars.
Variables fold_of_vector(Arena& arena, NodeId id) {
    static const OpRecord* make_vector_op = record("make_vector");
    Value vector = arena.inputs(id)[0];
    if (!made_by(arena, vector, make_vector_op) || arena.inputs(vector.node).size() > 8 ||
        arena.type(vector).dtype != arena.type({id, 0}).dtype || arena.type({id, 0}).rank() != 0 ||
        arena.attr_view(id).get<Ints>("axes").empty())
        return {};
    Together both = together(arena.op(id)->kind<ReduceCompute>()->combine, true);
    if (!both) return {};
    Variable total;
    for (size_t k = 0; k < arena.inputs(vector.node).size(); ++k) {
        Variable element = input_of(arena, vector, k);
        total = total ? both(total, element) : element;
    }
    return {total};
}

Variables only_element(Arena& arena, NodeId id) {
    static const OpRecord* make_vector_op = record("make_vector");
    Value vector = arena.inputs(id)[0];
    if (!made_by(arena, vector, make_vector_op) || arena.type({id, 0}).rank() != 0) return {};
    return {input_of(arena, vector, 0)};
}
}  // namespace

std::vector<NodeRule> join_node_rules() {
    auto folds = [](const OpRecord& op) { return op.kind<ReduceCompute>() != nullptr; };
    auto joins = about({"concatenate"});
    return {
        NodeRule{"join of joins", flatten_joins, joins},
        NodeRule{"join without empty parts", drop_empty_parts, joins},
        NodeRule{"parts joined again", join_neighbours, joins, below({"subtensor"})},
        NodeRule{"join of vectors of scalars", join_vectors, joins, below({"make_vector"})},
        NodeRule{"fold of a join", fold_of_joined, folds, below({"concatenate"})},
        NodeRule{"fold of joined parts", join_of_folded, folds, below({"concatenate"})},
        NodeRule{"fold of a vector of scalars", fold_of_vector, folds, below({"make_vector"})},
        NodeRule{"only element of a vector", only_element, about({"dimshuffle"}),
                 below({"make_vector"})},
    };
}

}  // namespace croton::rules
