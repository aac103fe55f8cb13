// The friendly side of indexing: any mixture of items, taken apart into basic indexing, a change of
// axes and a gather; and the way back for writing.
#include <algorithm>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/index_parts.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using types::Types;

namespace {
using Kind = IndexItem::Kind;

bool is_advanced(const IndexItem& item) {
    return item.kind == Kind::Array || item.kind == Kind::Integer;
}

Ints inverse_of(const Ints& order, int rank) {
    Ints inverse(static_cast<size_t>(rank), new_axis);
    for (size_t i = 0; i < order.size(); ++i)
        if (order[i] != new_axis) inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
    return inverse;
}

// x[items] as three steps: basic slices, axes in another order (new axes among them), a gather of
// axes in a row. Integers count as arrays, as in NumPy, where an index has arrays.
struct Plan {
    IndexItems slices;  // one an axis of x
    Args bounds;        // of the slices
    Ints order;         // of dimshuffle
    Args positions;     // of the gather
    int64_t axis = 0;   // of the gather
    bool sliced = false, moved = false;
};

Plan plan_index(const Variables& inputs, const IndexItems& items, int rank) {
    Plan plan;
    auto input = [&](const Bound& b) {
        return b.kind == Bound::Kind::Number ? constant(Array::scalar(b.value))
                                             : inputs[static_cast<size_t>(1 + b.value)];
    };
    Ints before, indexed, after;
    bool apart = false;
    int64_t axis = 0;
    for (const auto& item : items) {
        if (is_advanced(item)) {
            apart |= !after.empty();
            indexed.push_back(axis++);
            plan.positions.push_back(input(item.start));
            plan.slices.push_back({});
            continue;
        }
        (indexed.empty() ? before : after).push_back(item.kind == Kind::NewAxis ? new_axis : axis);
        if (item.kind == Kind::NewAxis) continue;
        ++axis;
        plan.sliced |= !item.whole();
        IndexItem slice = item;
        for (Bound* bound : {&slice.start, &slice.stop, &slice.step})
            if (bound->kind == Bound::Kind::Input) {
                plan.bounds.push_back(input(*bound));
                bound->value = static_cast<int64_t>(plan.bounds.size()) - 1;
            }
        plan.slices.push_back(slice);
    }
    while (axis < rank) {
        (indexed.empty() ? before : after).push_back(axis++);
        plan.slices.push_back({});
    }
    if (apart) {  // NumPy: the axes of the positions then come first
        after.insert(after.begin(), before.begin(), before.end());
        before.clear();
    }
    plan.axis = static_cast<int64_t>(before.size());
    for (const Ints* part : {&before, &indexed, &after})
        plan.order.insert(plan.order.end(), part->begin(), part->end());
    for (size_t i = 0; i < plan.order.size(); ++i)
        plan.moved |= plan.order[i] != static_cast<int64_t>(i);
    plan.moved |= static_cast<int>(plan.order.size()) != rank;
    return plan;
}

Variable gathered(const Variable& x, const Plan& plan) {
    Variable part = x;
    if (plan.sliced) part = subtensor(part, plan.bounds, index_text(plan.slices));
    if (plan.moved) part = dimshuffle(part, plan.order);
    return plan.positions.empty() ? part : gather(part, plan.positions, plan.axis, "raise");
}

Variable written(const Variable& x, const Plan& plan, const Arg& y, Write mode) {
    Variable part = x;
    if (plan.sliced) part = subtensor(part, plan.bounds, index_text(plan.slices));
    if (plan.moved) part = dimshuffle(part, plan.order);
    part = put(part, y, plan.positions, plan.axis, mode_text(mode));
    if (plan.moved) part = dimshuffle(part, inverse_of(plan.order, x.rank()));
    return plan.sliced ? set_index(x, part, plan.bounds, index_text(plan.slices), "set") : part;
}

// --- advanced_index -----------------------------------------------------------------------------

void check_advanced(TypeContext& c, const IndexItems& items) {
    size_t axes = 0, inputs = 0, next = 1;
    auto check_bound = [&](const Bound& bound) {
        if (bound.kind != Bound::Kind::Input) return;
        if (next >= c.inputs.size())
            fail(ErrorKind::Usage, "the index names more values than there are");
        take_int_scalar(c, next++, "a bound of an index");
    };
    for (const auto& item : items) {
        axes += item.kind != Kind::NewAxis;
        if (item.kind == Kind::Array) {
            if (next >= c.inputs.size())
                fail(ErrorKind::Usage, "the index names more values than there are");
            if (!is_integer(c.type(next).dtype))
                fail(ErrorKind::Type, "an index must be an integer, not ",
                     dtype_name(c.type(next).dtype));
            settle_weak(c, next++);
            ++inputs;
            continue;
        }
        for (const Bound& bound : {item.start, item.stop, item.step}) check_bound(bound);
    }
    if (axes > c.type(0).dims.size())
        fail(ErrorKind::Index, "too many indices: ", axes, " for ", c.type(0).text(),
             ", which has ", c.type(0).rank(), c.type(0).rank() == 1 ? " axis" : " axes");
    if (next != c.inputs.size() || inputs == 0)
        fail(ErrorKind::Usage, "advanced_index takes one value for each '$' and '@' of \"",
             c.attr<std::string>("index"), "\" and at least one '@'");
}

Plan plan_of(const Node& node) {
    auto items = parse_index(attrs_of(node).get<std::string>("index"));
    return plan_index(node.inputs, items, node.inputs[0].rank());
}

Types advanced_type(TypeContext& c) {
    settle_weak(c, 0);
    auto& text = c.attr<std::string>("index");
    IndexItems items = parse_index(text);
    check_advanced(c, items);
    text = index_text(items);
    return {gathered(c.inputs[0], plan_index(c.inputs, items, c.type(0).rank())).type()};
}

const OpRecord advanced_index_record{
    .name = "advanced_index",
    .doc = "Indexing by any mixture of integers, slices, new axes and integer arrays.",
    .arguments = {{"x"}, {"values", Accepts::Any, true}},
    .attributes = {{"index", std::string(), true, "items; '$' and '@' are the next values"}},
    .type = advanced_type,
    .compute = ExpandCompute{[](const Node& node) {
        return Variables{gathered(node.inputs[0], plan_of(node))};
    }},
    .pullback =
        [](const Pullback& p) {
            Cotangents result(p.input_count());
            result[0] = written(zeros_like(p.input()), plan_of(p.node()), p.seed(), Write::Add);
            return result;
        },
};

// --- reading the user's index -------------------------------------------------------------------

// Items with their values in order; ellipsis replaced by slices, bool arrays by their positions.
struct Reading {
    Variable indexed;
    size_t axes = 0;  // of `indexed` that the items so far stand for
    IndexItems items;
    Args values;
    bool arrays = false, new_axes = false;

    Bound bound(const SliceEnd& end) { return end.value() ? value(*end.value()) : Bound{}; }
    Bound value(const Arg& arg) {
        const auto& v = arg.variable();
        bool plain = constant_value(v) && is_integer(v.dtype()) && v.rank() == 0;
        if (plain) return {Bound::Kind::Number, constant_value(v)->item<int64_t>()};
        values.push_back(arg);
        return {Bound::Kind::Input, static_cast<int64_t>(values.size()) - 1};
    }
    void array(const Arg& arg) {
        arrays = true;
        values.push_back(arg);
        items.push_back(
            {Kind::Array, {Bound::Kind::Input, static_cast<int64_t>(values.size()) - 1}, {}, {}});
    }
    // The mask, which must have x's sizes in its axes.
    Variable checked_mask(const Arg& mask) const {
        Args sizes;
        for (int64_t axis = 0; axis < mask.variable().rank(); ++axis)
            sizes.push_back(size_along(indexed, static_cast<int64_t>(axes) + axis));
        return specify_shape(mask, ShapeArg(sizes));
    }
    void position(const Arg& arg) {
        const auto& v = arg.variable();
        if (is_bool(v.dtype()) && v.rank() > 0) {
            Variable places = nonzero(checked_mask(arg));
            for (int64_t axis = 0; axis < v.rank(); ++axis) array(at(places, {axis}));
        } else if (!is_integer(v.dtype())) {
            fail(ErrorKind::Type,
                 "an index must be an integer or an array of integers or bools, "
                 "not ",
                 v.type().text());
        } else if (v.rank() > 0) {
            array(arg);
        } else {
            items.push_back({Kind::Integer, value(arg), {}, {}});
        }
    }
};

// How many axes of x an item stands for.
int axes_of(const IndexArg& item) {
    if (std::holds_alternative<Slice>(item.value())) return 1;
    auto arg = std::get_if<Arg>(&item.value());
    if (!arg) return 0;
    const auto& v = arg->variable();
    return is_bool(v.dtype()) && v.rank() > 0 ? v.rank() : 1;
}

Reading read_index(const Index& index, const Variable& x) {
    int rank = x.rank(), named = 0, ellipses = 0;
    for (const auto& item : index) {
        named += axes_of(item);
        ellipses += std::holds_alternative<Ellipsis>(item.value());
    }
    if (ellipses > 1) fail(ErrorKind::Index, "an index can have only one ellipsis");
    if (named > rank)
        fail(ErrorKind::Index, "too many indices: ", named, " for ", x.type().text(),
             ", an array of ", rank, rank == 1 ? " axis" : " axes");
    Reading reading{.indexed = x};
    for (const auto& item : index) {
        if (auto slice = std::get_if<Slice>(&item.value())) {
            Bound start = reading.bound(slice->start), stop = reading.bound(slice->stop);
            reading.items.push_back({Kind::Slice, start, stop, reading.bound(slice->step)});
        } else if (auto arg = std::get_if<Arg>(&item.value())) {
            reading.position(*arg);
        } else if (std::holds_alternative<NewAxis>(item.value())) {
            reading.new_axes = true;
            reading.items.push_back({Kind::NewAxis, {}, {}, {}});
        } else {
            for (int axis = named; axis < rank; ++axis) reading.items.push_back({});
            reading.axes += static_cast<size_t>(rank - named);
        }
        reading.axes += static_cast<size_t>(axes_of(item));
    }
    return reading;
}

// Integers and slices without arrays: a view, then the new axes.
Variable basic_index(const Arg& x, const Reading& reading) {
    IndexItems basic;
    Ints order;
    int64_t axis = 0;
    for (const auto& item : reading.items) {
        if (item.kind == Kind::NewAxis) {
            order.push_back(new_axis);
            continue;
        }
        basic.push_back(item);
        if (item.kind == Kind::Slice) order.push_back(axis++);
    }
    Variable part = subtensor(x, reading.values, index_text(basic));
    if (!reading.new_axes) return part;
    while (axis < part.rank()) order.push_back(axis++);
    return dimshuffle(Arg(part, x.site()), order);
}

// Whole slices around arrays in a row: a plain gather. -1 if it is not.
int64_t plain_gather_axis(const IndexItems& items) {
    int64_t first = -1;
    bool ended = false;
    for (size_t i = 0; i < items.size(); ++i) {
        bool array = items[i].kind == Kind::Array;
        if (!array && !items[i].whole()) return -1;
        if (array && ended) return -1;
        if (array && first < 0) first = static_cast<int64_t>(i);
        ended |= !array && first >= 0;
    }
    return first;
}
}  // namespace

Variable advanced_index(Arg x, const Args& inputs, Given<std::string> index) {
    Args all{x};
    all.insert(all.end(), inputs.begin(), inputs.end());
    return apply_one(advanced_index_record, all, {{"index", index}});
}

Variable at(Arg given, const Index& index) {
    return composed("at", given, [&](const Variable& x) {
        Reading reading = read_index(index, x);
        if (!reading.arrays) return basic_index(x, reading);
        if (int64_t axis = plain_gather_axis(reading.items); axis >= 0)
            return gather(x, reading.values, axis, "raise");
        return advanced_index(x, reading.values, index_text(reading.items));
    });
}

namespace {
Args inputs_after(const Variable& v, size_t first) {
    Args result;
    for (size_t i = first; i < v.node().inputs.size(); ++i) result.push_back(v.input(i));
    return result;
}

// The last step of what made `indexed` undone with y written in its place.
Variable write_back(const Variable& indexed, const Arg& y, Write mode) {
    if (indexed.kind() != NodeKind::Apply)
        fail(ErrorKind::Usage,
             "set_subtensor and inc_subtensor take an indexed expression, "
             "such as at(x, {0}), not a variable as a whole");
    AttrView attrs = attrs_of(indexed.node());
    const Variable& x = indexed.input(0);
    auto integer = [&](std::string_view name) { return attrs.get<int64_t>(name); };
    if (indexed.is(subtensor_op()))
        return set_index(x, y, inputs_after(indexed, 1), attrs.get<std::string>("index"),
                         mode_text(mode));
    if (indexed.is(take_op())) {
        if (attrs.get<std::string>("mode") != "raise")
            fail(ErrorKind::Unsupported, "only take with mode \"raise\" can be written to");
        return put(x, y, inputs_after(indexed, 1), integer("axis"), mode_text(mode));
    }
    if (indexed.is(advanced_index_record)) return written(x, plan_of(indexed.node()), y, mode);
    if (indexed.is(take_along_axis_op())) {
        Args places;
        for (int64_t axis = 0; axis < x.rank(); ++axis) {
            Ints order(static_cast<size_t>(x.rank()), new_axis);
            order[static_cast<size_t>(axis)] = 0;
            places.push_back(axis == integer("axis")
                                 ? indexed.input(1)
                                 : dimshuffle(arange(size_along(x, axis)), order));
        }
        return put(x, y, places, 0, mode_text(mode));
    }
    if (indexed.op()->name == "dimshuffle") {
        Variable whole = broadcast_like(y, indexed);
        return write_back(x, dimshuffle(whole, inverse_of(attrs.get<Ints>("order"), x.rank())),
                          mode);
    }
    fail(ErrorKind::Usage,
         "set_subtensor and inc_subtensor take an indexed expression, such as "
         "at(x, {0}), not the result of ",
         indexed.op()->name);
}
}  // namespace

Variable set_subtensor(const Variable& indexed, Arg y) {
    return composed("set_subtensor", y,
                    [&](const Variable& value) { return write_back(indexed, value, Write::Set); });
}
Variable inc_subtensor(const Variable& indexed, Arg y) {
    return composed("inc_subtensor", y,
                    [&](const Variable& value) { return write_back(indexed, value, Write::Add); });
}

namespace families {
Family index() {
    Family family = basic_index_records();
    for (const OpRecord* record : gather_records()) family.push_back(record);
    family.push_back(&advanced_index_record);
    return family;
}
}  // namespace families

}  // namespace croton
