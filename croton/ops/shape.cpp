#include "croton/ops/shape.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/index_parts.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using kernel::Builder;
using kernel::Scalar;
using types::Types;

namespace {
Cotangents no_gradient(const Pullback& p) { return Cotangents(p.input_count()); }

// --- asking -------------------------------------------------------------------------------------

const OpRecord shape_record{
    .name = "shape",
    .doc = "The sizes of an array as an int64 vector.",
    .arguments = {{"x"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            return Types{{DType::Int64, {Dim(c.type(0).rank())}}};
        },
    .compute = IndexedCompute{[](const AttrView&, std::span<const TensorRef> in,
                                 std::span<Sizes> out) { out[0] = {in[0].rank()}; },
                              [](Builder& b, std::span<const int> tables,
                                 std::span<const Scalar> index, const Node& node) {
                                  Scalar result = b.constant(DType::Int64, 0);
                                  for (int axis = 0; axis < node.inputs[0].rank(); ++axis)
                                      result =
                                          b.select(b.eq(index[0], b.constant(DType::Int64, axis)),
                                                   b.size(tables[0], axis), result);
                                  return result;
                              }},
    .pullback = no_gradient,
    .facts = facts::disconnected | facts::by_sizes,
    .onnx = "Shape",
};

const OpRecord size_of_record{
    .name = "size_of",
    .doc = "The size of one axis, an int64 scalar.",
    .arguments = {{"x"}},
    .attributes = {{"axis", int64_t{0}, true, "the axis; negative ones count from the end"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            take_axis(c, "axis", c.type(0).rank());
            return Types{{DType::Int64, {}}};
        },
    .compute = IndexedCompute{
        [](const AttrView&, std::span<const TensorRef>, std::span<Sizes> out) { out[0] = {}; },
        [](Builder& b, std::span<const int> tables, std::span<const Scalar>, const Node& node) {
            auto axis = attrs_of(node).get<int64_t>("axis");
            return b.size(tables[0], static_cast<int>(axis));
        },
        [](ExternCall& call) {
            auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
            std::memcpy(call.outputs[0].data, &call.inputs[0].shape[axis], sizeof(int64_t));
        }},
    .pullback = no_gradient,
    .facts = facts::disconnected | facts::by_sizes,
};

// --- reshape ------------------------------------------------------------------------------------

int64_t known_product(const Dims& dims, bool& all_known) {
    int64_t product = 1;
    all_known = true;
    for (Dim dim : dims) {
        if (dim.known())
            product *= dim.size();
        else
            all_known = false;
    }
    return product;
}

// Input 1 as an int64 vector of as many elements as the attribute "sizes" has; what can be known of
// the sizes goes into the attribute. `whole`: the vector holds true sizes only, no -1.
Dims take_shape(TypeContext& c) {
    settle_weak(c, 0);
    take_int_vector(c, 1, "the shape");
    auto& hints = c.attr<Ints>("sizes");
    Dim length = c.type(1).dims[0];
    if (length.known() && length.size() != static_cast<int64_t>(hints.size()))
        fail(ErrorKind::Shape, c.op.name, ": the shape has ", length.size(), " elements, not ",
             hints.size());
    Dims read = dims_of_vector(c.inputs[1], hints.size());
    for (size_t i = 0; i < hints.size(); ++i) {
        if (!read[i].known()) {
            if (hints[i] >= 0) read[i] = Dim(hints[i]);
            continue;
        }
        if (hints[i] >= 0 && hints[i] != read[i].size())
            fail(ErrorKind::Shape, c.op.name, ": axis ", i, " has ", read[i].size(),
                 " elements, not ", hints[i]);
        hints[i] = read[i].size();
    }
    return read;
}

// A single size that is not known follows from the number of elements, if that is known.
void infer_last_size(const TensorType& x, Dims& dims, Ints& hints) {
    bool whole_known = false, all_known = false;
    int64_t whole = known_product(x.dims, whole_known), rest = known_product(dims, all_known);
    auto unknown = std::count_if(dims.begin(), dims.end(), [](Dim d) { return !d.known(); });
    if (!whole_known || unknown > 1) return;
    bool fits = all_known ? whole == rest : rest == 0 ? whole == 0 : whole % rest == 0;
    if (!fits)
        fail(ErrorKind::Shape, "cannot reshape ", x.text(), " of ", whole, " elements to ",
             shape_text(hints), ", which has ", rest, " elements",
             all_known ? "" : " times a whole number");
    if (all_known || rest == 0) return;
    for (size_t i = 0; i < dims.size(); ++i)
        if (!dims[i].known()) hints[i] = whole / rest, dims[i] = Dim(hints[i]);
}

// Sizes below zero that are known already; the first `free` of -1 stand for "what is left".
void check_not_negative(const TypeContext& c, int free) {
    const Variable& vector = c.inputs[1];
    const Array* all = constant_value(vector);
    for (int64_t i = 0; i < static_cast<int64_t>(c.view().get<Ints>("sizes").size()); ++i) {
        const Array* one =
            is_make_vector(vector) ? constant_value(vector.input(static_cast<size_t>(i))) : nullptr;
        if (!all && !one) continue;
        int64_t size = all ? all->at<int64_t>({i}) : one->item<int64_t>();
        if (size >= 0 || (size == -1 && free-- > 0)) continue;
        if (size == -1 && c.op.name == "reshape")
            fail(ErrorKind::Value, "reshape: only one size can be -1 (what is left)");
        fail(ErrorKind::Value, c.op.name, ": the size ", size, " of axis ", i, " is negative");
    }
}

Types reshape_type(TypeContext& c) {
    Dims dims = take_shape(c);
    check_not_negative(c, 1);
    infer_last_size(c.type(0), dims, c.attr<Ints>("sizes"));
    return {{c.type(0).dtype, dims}};
}

// Strides under which the memory of x has another shape, if there are such (C order; both shapes
// have equally many elements, at least one).
bool strides_for(const TensorRef& x, const Sizes& shape, Sizes& strides) {
    Sizes sizes, steps;  // of x without axes of size 1
    for (size_t i = 0; i < x.shape.size(); ++i)
        if (x.shape[i] != 1) sizes.push_back(x.shape[i]), steps.push_back(x.strides[i]);
    strides = Sizes(shape.size(), dtype_size(x.dtype));
    size_t from = 0, to = 0;
    while (from < sizes.size() && to < shape.size()) {
        size_t from_end = from + 1, to_end = to + 1;
        int64_t from_count = sizes[from], to_count = shape[to];
        while (from_count != to_count) {
            if (to_count < from_count)
                to_count *= shape[to_end++];
            else
                from_count *= sizes[from_end++];
        }
        for (size_t i = from; i + 1 < from_end; ++i)
            if (steps[i] != sizes[i + 1] * steps[i + 1]) return false;
        strides[to_end - 1] = steps[from_end - 1];
        for (size_t i = to_end - 1; i > to; --i) strides[i - 1] = strides[i] * shape[i];
        from = from_end;
        to = to_end;
    }
    return true;
}

Sizes reshaped_sizes(const TensorRef& x, const TensorRef& vector) {
    Sizes shape = read_sizes(vector);
    int64_t whole = element_count(x.shape), rest = 1;
    size_t free_axis = shape.size();
    bool sound = true;
    for (size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == -1 && free_axis == shape.size())
            free_axis = i;
        else
            rest *= shape[i], sound &= shape[i] >= 0;
    }
    if (free_axis < shape.size() && sound && rest != 0 && whole % rest == 0)
        shape[free_axis] = whole / rest, rest = whole;
    if (!sound || rest != whole || (free_axis < shape.size() && shape[free_axis] < 0))
        fail(ErrorKind::Shape, "cannot reshape an array of shape ", shape_text(x.shape), " (",
             whole, " elements) to ", shape_text(read_sizes(vector)));
    return shape;
}

bool reshape_view(const AttrView&, std::span<const TensorRef> in, TensorRef& out) {
    Sizes shape = reshaped_sizes(in[0], in[1]), strides;
    if (element_count(shape) == 0)
        strides = contiguous_strides(shape, dtype_size(in[0].dtype));
    else if (!strides_for(in[0], shape, strides))
        return false;
    out = {in[0].dtype, shape, strides, in[0].data};
    return true;
}

const OpRecord reshape_record{
    .name = "reshape",
    .doc = "The same elements in C order under another shape; one size may be -1.",
    .arguments = {{"x"}, {"shape", Accepts::Integer}},
    .attributes = {{"sizes", Ints{}, true,
                    "one an axis of the result: its size where known, or -1"}},
    .type = reshape_type,
    .compute = ViewCompute{reshape_view},
    .pullback =
        [](const Pullback& p) {
            const auto& x = p.input();
            return Cotangents{reshape(p.seed(), sizes_of(x), hints_of(x.type())), {}};
        },
    .onnx = "Reshape",
};

// --- dimshuffle ---------------------------------------------------------------------------------

Types dimshuffle_type(TypeContext& c) {
    settle_weak(c, 0);
    const auto& order = c.attr<Ints>("order");
    const auto& x = c.type(0);
    std::vector<bool> used(x.dims.size(), false);
    TensorType out{x.dtype, {}};
    for (int64_t axis : order) {
        if (axis == new_axis) {
            out.dims.push_back(Dim(1));
            continue;
        }
        if (axis < 0 || axis >= x.rank())
            fail(ErrorKind::Index, "dimshuffle: there is no axis ", axis, " in ", x.text());
        if (used[static_cast<size_t>(axis)])
            fail(ErrorKind::Value, "dimshuffle: axis ", axis, " appears twice in the order");
        used[static_cast<size_t>(axis)] = true;
        out.dims.push_back(x.dims[static_cast<size_t>(axis)]);
    }
    for (size_t axis = 0; axis < used.size(); ++axis)
        if (!used[axis] && x.dims[axis].known() && !x.dims[axis].is_one())
            fail(ErrorKind::Shape, "axis ", axis, " of ", x.text(),
                 " cannot be dropped: its size is ", x.dims[axis].size(), ", not 1");
    return {out};
}

bool dimshuffle_view(const AttrView& attrs, std::span<const TensorRef> in, TensorRef& out) {
    const auto& x = in[0];
    const auto& order = attrs.get<Ints>("order");
    for (int axis = 0; axis < x.rank(); ++axis)
        if (x.shape[static_cast<size_t>(axis)] != 1 &&
            std::find(order.begin(), order.end(), axis) == order.end())
            fail(ErrorKind::Shape, "axis ", axis, " cannot be dropped: its size is ",
                 x.shape[static_cast<size_t>(axis)], ", not 1; the array has shape ",
                 shape_text(x.shape));
    out = {x.dtype, {}, {}, x.data};
    for (int64_t axis : order) {
        auto from = static_cast<size_t>(axis);
        out.shape.push_back(axis == new_axis ? 1 : x.shape[from]);
        out.strides.push_back(axis == new_axis ? 0 : x.strides[from]);
    }
    return true;
}

std::vector<int> dimshuffle_axes(const AttrView& attrs, int) {
    const auto& order = attrs.get<Ints>("order");
    return {order.begin(), order.end()};
}

// The order that leads back: dropped axes come back as new ones, new ones are dropped.
Ints inverse_order(const Ints& order, int rank) {
    Ints inverse(static_cast<size_t>(rank), new_axis);
    for (size_t i = 0; i < order.size(); ++i)
        if (order[i] != new_axis) inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
    return inverse;
}

const OpRecord dimshuffle_record{
    .name = "dimshuffle",
    .doc = "Axes in another order, with new axes of size 1 and without axes of size 1.",
    .arguments = {{"x"}},
    .attributes = {{"order", Ints{}, true, "for each axis of the result an axis of x, or -1: new"}},
    .type = dimshuffle_type,
    .compute = ViewCompute{dimshuffle_view, dimshuffle_axes},
    .pullback =
        [](const Pullback& p) {
            Ints back = inverse_order(p.attr<Ints>("order"), p.input().rank());
            return Cotangents{dimshuffle(p.seed(), back)};
        },
    .pushforward =
        [](const Pushforward& p) {
            return Variables{p.tangent() ? dimshuffle(p.tangent(), p.attr<Ints>("order"))
                                         : Variable()};
        },
};

// --- broadcast_to and specify_shape -------------------------------------------------------------

Types broadcast_to_type(TypeContext& c) {
    Dims dims = take_shape(c);
    check_not_negative(c, 0);
    const auto& x = c.type(0);
    if (x.rank() > static_cast<int>(dims.size()))
        fail(ErrorKind::Shape, "cannot broadcast ", x.text(), " to ", dims.size(), " axes");
    size_t skipped = dims.size() - x.dims.size();
    for (size_t i = 0; i < x.dims.size(); ++i) {
        Dim from = x.dims[i], &to = dims[skipped + i];
        if (!from.known() || from.is_one()) continue;
        if (to.known() && to.size() != from.size())
            fail(ErrorKind::Shape, "cannot broadcast axis ", i, " of ", x.text(), " to size ",
                 to.size());
        to = from;
        c.attr<Ints>("sizes")[skipped + i] = from.size();
    }
    return {{x.dtype, dims}};
}

bool broadcast_to_view(const AttrView&, std::span<const TensorRef> in, TensorRef& out) {
    const auto& x = in[0];
    out = {x.dtype, read_sizes(in[1]), {}, x.data};
    out.strides = Sizes(out.shape.size(), 0);
    size_t skipped = out.shape.size() - x.shape.size();
    for (int64_t size : out.shape)
        if (size < 0)
            fail(ErrorKind::Value, "cannot broadcast to ", shape_text(out.shape), ": the size ",
                 size, " is negative");
    bool fits = true;
    for (size_t i = 0; i < x.shape.size(); ++i) {
        if (x.shape[i] == out.shape[skipped + i])
            out.strides[skipped + i] = x.strides[i];
        else
            fits &= x.shape[i] == 1;
    }
    if (!fits)
        fail(ErrorKind::Shape, "cannot broadcast an array of shape ", shape_text(x.shape), " to ",
             shape_text(out.shape));
    return true;
}

const OpRecord broadcast_to_record{
    .name = "broadcast_to",
    .doc = "Axes of size 1, and missing ones in front, repeated to the given sizes.",
    .arguments = {{"x"}, {"shape", Accepts::Integer}},
    .attributes = {{"sizes", Ints{}, true,
                    "one an axis of the result: its size where known, or -1"}},
    .type = broadcast_to_type,
    .compute = ViewCompute{broadcast_to_view},
    .pullback = [](const Pullback& p) { return Cotangents{sum_like(p.seed(), p.input()), {}}; },
    .onnx = "Expand",
};

Types specify_shape_type(TypeContext& c) {
    Dims dims = take_shape(c);
    const auto& x = c.type(0);
    if (x.rank() != static_cast<int>(dims.size()))
        fail(ErrorKind::Shape, "specify_shape: ", x.text(), " has ", x.rank(), " axes, not ",
             dims.size());
    for (size_t i = 0; i < dims.size(); ++i) {
        if (x.dims[i].known() && dims[i].known() && !(x.dims[i] == dims[i]))
            fail(ErrorKind::Shape, "specify_shape: axis ", i, " has ", x.dims[i].size(),
                 " elements, not ", dims[i].size());
        if (!dims[i].known() && (x.dims[i].known() || dims[i].unknown())) dims[i] = x.dims[i];
        if (dims[i].known()) c.attr<Ints>("sizes")[i] = dims[i].size();
    }
    return {{x.dtype, dims}};
}

bool specify_shape_view(const AttrView& attrs, std::span<const TensorRef> in, TensorRef& out) {
    const auto& hints = attrs.get<Ints>("sizes");
    for (size_t i = 0; i < hints.size(); ++i) {
        int64_t wanted = in[1].integer(static_cast<int64_t>(i));
        if (wanted < 0) wanted = hints[i];
        if (wanted >= 0 && wanted != in[0].shape[i])
            fail(ErrorKind::Shape, "specify_shape: axis ", i, " has ", in[0].shape[i],
                 " elements, not ", wanted, "; the array has shape ", shape_text(in[0].shape));
    }
    out = in[0];
    return true;
}

const OpRecord specify_shape_record{
    .name = "specify_shape",
    .doc = "The array itself, checked to have the given sizes (-1: any).",
    .arguments = {{"x"}, {"shape", Accepts::Integer}},
    .attributes = {{"sizes", Ints{}, true, "one an axis: its size where known, or -1"}},
    .type = specify_shape_type,
    .compute = ViewCompute{specify_shape_view},
    .pullback = [](const Pullback& p) { return Cotangents{p.seed(), {}}; },
};

// --- diagonal -----------------------------------------------------------------------------------

struct DiagonalAxes {
    size_t first, second;
    int64_t offset;
    explicit DiagonalAxes(const AttrView& attrs)
        : first(static_cast<size_t>(attrs.get<int64_t>("axis1"))),
          second(static_cast<size_t>(attrs.get<int64_t>("axis2"))),
          offset(attrs.get<int64_t>("offset")) {}
    int64_t length(int64_t rows, int64_t columns) const {
        int64_t down = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
        return std::max<int64_t>(0, std::min(rows - down, columns - right));
    }
};

Types diagonal_type(TypeContext& c) {
    settle_weak(c, 0);
    const auto& x = c.type(0);
    if (x.rank() < 2)
        fail(ErrorKind::Type, "diagonal takes an array of at least two axes, not ", x.text());
    take_axis(c, "axis1", x.rank());
    take_axis(c, "axis2", x.rank());
    DiagonalAxes at(c.view());
    if (at.first == at.second) fail(ErrorKind::Value, "diagonal: axis1 and axis2 are the same");
    TensorType out{x.dtype, {}};
    for (size_t i = 0; i < x.dims.size(); ++i)
        if (i != at.first && i != at.second) out.dims.push_back(x.dims[i]);
    Dim rows = x.dims[at.first], columns = x.dims[at.second];
    bool known = rows.known() && columns.known();
    out.dims.push_back(known ? Dim(at.length(rows.size(), columns.size())) : Dim());
    return {out};
}

bool diagonal_view(const AttrView& attrs, std::span<const TensorRef> in, TensorRef& out) {
    const auto& x = in[0];
    DiagonalAxes at(attrs);
    out = {x.dtype, {}, {}, x.data};
    for (size_t i = 0; i < x.shape.size(); ++i)
        if (i != at.first && i != at.second) {
            out.shape.push_back(x.shape[i]);
            out.strides.push_back(x.strides[i]);
        }
    int64_t length = at.length(x.shape[at.first], x.shape[at.second]);
    int64_t start =
        at.offset < 0 ? -at.offset * x.strides[at.first] : at.offset * x.strides[at.second];
    out.shape.push_back(length);
    out.strides.push_back(x.strides[at.first] + x.strides[at.second]);
    if (length > 0) out.data = static_cast<char*>(x.data) + start;
    return true;
}

Cotangents diagonal_pullback(const Pullback& p) {
    const auto& x = p.input();
    DiagonalAxes at(p.attrs());
    auto first = static_cast<int64_t>(at.first), second = static_cast<int64_t>(at.second);
    Variable spread = diag_embed(p.seed(), size_along(x, first), size_along(x, second), at.offset);
    Ints order;  // the embedded axes come last; bring them to their places
    int64_t next = 0;
    for (int64_t i = 0; i < x.rank(); ++i) {
        if (i == first)
            order.push_back(x.rank() - 2);
        else
            order.push_back(i == second ? x.rank() - 1 : next++);
    }
    return {dimshuffle(spread, order)};
}

const OpRecord diagonal_record{
    .name = "diagonal",
    .doc = "The diagonal along two axes, as the last axis.",
    .arguments = {{"x"}},
    .attributes = {{"offset", int64_t{0}, false, "how far above (below, if negative) the diagonal"},
                   {"axis1", int64_t{0}, false, "the axis of rows"},
                   {"axis2", int64_t{1}, false, "the axis of columns"}},
    .type = diagonal_type,
    .compute = ViewCompute{diagonal_view},
    .pullback = diagonal_pullback,
};

}  // namespace

// --- what vectors of sizes tell -----------------------------------------------------------------

// An element at a known position of a vector of sizes.
static Dim dim_of_element(const Variable& element) {
    const Variable& vector = element.input(0);
    if (element.node().inputs.size() > 1 || !vector.type().dims[0].known()) return Dim();
    auto items = parse_index(attrs_of(element.node()).get<std::string>("index"));
    if (items[0].start.kind != Bound::Kind::Number) return Dim();
    int64_t count = vector.type().dims[0].size(), at = items[0].start.value;
    if (at < 0) at += count;
    if (at < 0 || at >= count) return Dim();
    return dims_of_vector(vector, static_cast<size_t>(count))[static_cast<size_t>(at)];
}

Dim dim_of_scalar(const Variable& size) {
    if (const Array* value = constant_value(size)) {
        auto known = value->item<int64_t>();
        return known < 0 ? Dim() : Dim(known);
    }
    if (size.is(subtensor_op())) return dim_of_element(size);
    if (!size.is(size_of_record)) return Dim();
    auto axis = attrs_of(size.node()).get<int64_t>("axis");
    return size.input(0).type().dims[static_cast<size_t>(axis)];
}

Dims dims_of_vector(const Variable& vector, size_t rank) {
    Dims dims(rank, Dim());
    if (const Array* value = constant_value(vector)) {
        for (size_t i = 0; i < rank; ++i) {
            auto size = value->at<int64_t>({static_cast<int64_t>(i)});
            if (size >= 0) dims[i] = Dim(size);
        }
    } else if (is_make_vector(vector)) {
        for (size_t i = 0; i < rank; ++i) dims[i] = dim_of_scalar(vector.input(i));
    } else if (vector.is(shape_record)) {
        dims = vector.input(0).type().dims;
    }
    return dims;
}

namespace {
Ints axes_in_order(int rank) {
    Ints order(static_cast<size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    return order;
}
}  // namespace

bool is_dimshuffle(const Variable& v) { return v.is(dimshuffle_record); }

// --- functions ----------------------------------------------------------------------------------

ShapeArg::ShapeArg(const Ints& sizes, std::source_location where)
    : vector_(constant(Array::of(sizes, {static_cast<int64_t>(sizes.size())}), Site::of(where))),
      rank_(static_cast<int>(sizes.size())),
      site_(Site::of(where)) {}

ShapeArg::ShapeArg(const std::vector<Arg>& sizes, std::source_location where)
    : rank_(static_cast<int>(sizes.size())), site_(Site::of(where)) {
    Ints known;
    for (const auto& size : sizes)
        if (const Array* value = constant_value(size.variable());
            value && is_integer(value->dtype()) && value->rank() == 0)
            known.push_back(value->item<int64_t>());
    vector_ = known.size() == sizes.size() ? ShapeArg(known, where).vector() : make_vector(sizes);
}

ShapeArg::ShapeArg(const Variable& vector, std::source_location where)
    : vector_(vector), rank_(0), site_(Site::of(where)) {
    bool known = vector.rank() == 1 && vector.type().dims[0].known();
    if (!known)
        fail(ErrorKind::Shape, "the number of axes must be known: a shape of type ",
             vector.type().text(),
             " does not tell its length; give the sizes as a list, or the "
             "vector together with the number of axes");
    rank_ = static_cast<int>(vector.type().dims[0].size());
}

Variable shape(Arg x) { return apply_one(shape_record, {x}); }
Variable size_of(Arg x, Given<int64_t> axis) {
    return apply_one(size_of_record, {x}, {{"axis", axis}});
}
Variable size(Arg given) {
    return composed("size", given, [&](const Variable& x) {
        Variable count = constant(Array::scalar(int64_t{1}), x.site());
        for (int64_t axis = 0; axis < x.rank(); ++axis)
            count = product_of_sizes(count, size_along(x, axis));
        return count;
    });
}

Variable reshape(Arg x, Arg shape, Given<Ints> sizes) {
    return apply_one(reshape_record, {x, shape}, {{"sizes", sizes}});
}
Variable reshape(Arg x, const ShapeArg& shape) {
    return reshape(x, Arg(shape.vector(), x.site()), shape.hints());
}
Variable flatten(Arg given, int ndim) {
    return composed("flatten", given, [&](const Variable& x) {
        if (ndim < 1 || ndim > std::max(x.rank(), 1))
            fail(ErrorKind::Value, "flatten: an array of ", x.rank(), " axes cannot be given ",
                 ndim, " axes");
        std::vector<Arg> sizes;
        for (int axis = 0; axis < ndim - 1; ++axis) sizes.push_back(size_along(x, axis));
        sizes.push_back(-1);
        return reshape(x, ShapeArg(sizes));
    });
}

Variable dimshuffle(Arg x, Axes order) {
    return apply_one(dimshuffle_record, {x}, {{"order", order}});
}

Variable transpose(Arg given, Ints axes) {
    return composed("transpose", given, [&](const Variable& x) {
        if (axes.empty())
            for (int64_t axis = x.rank(); axis-- > 0;) axes.push_back(axis);
        if (static_cast<int>(axes.size()) != x.rank())
            fail(ErrorKind::Value, "transpose: ", axes.size(), " axes are given for an array of ",
                 x.rank());
        for (auto& axis : axes) axis = normalize_axis(axis, x.rank(), "transpose");
        return dimshuffle(x, axes);
    });
}

Variable matrix_transpose(Arg given) {
    return composed("matrix_transpose", given,
                    [&](const Variable& x) { return swapaxes(x, -2, -1); });
}

Variable swapaxes(Arg given, int64_t axis1, int64_t axis2) {
    return composed("swapaxes", given, [&](const Variable& x) {
        Ints order = axes_in_order(x.rank());
        std::swap(order[static_cast<size_t>(normalize_axis(axis1, x.rank(), "swapaxes"))],
                  order[static_cast<size_t>(normalize_axis(axis2, x.rank(), "swapaxes"))]);
        return dimshuffle(x, order);
    });
}

Variable moveaxis(Arg given, int64_t from, int64_t to) {
    return composed("moveaxis", given, [&](const Variable& x) {
        Ints order = axes_in_order(x.rank());
        from = normalize_axis(from, x.rank(), "moveaxis");
        to = normalize_axis(to, x.rank(), "moveaxis");
        order.erase(order.begin() + from);
        order.insert(order.begin() + to, from);
        return dimshuffle(x, order);
    });
}

Variable expand_dims(Arg given, Ints axes) {
    return composed("expand_dims", given, [&](const Variable& x) {
        int rank = x.rank() + static_cast<int>(axes.size());
        Ints order(static_cast<size_t>(rank), 0);
        for (int64_t axis : axes) {
            auto& place = order[static_cast<size_t>(normalize_axis(axis, rank, "expand_dims"))];
            if (place == new_axis)
                fail(ErrorKind::Value, "expand_dims: axis ", axis, " appears twice");
            place = new_axis;
        }
        int64_t next = 0;
        for (auto& place : order)
            if (place != new_axis) place = next++;
        return dimshuffle(x, order);
    });
}

Variable squeeze(Arg given, Ints axes) {
    return composed("squeeze", given, [&](const Variable& x) {
        for (auto& axis : axes) axis = normalize_axis(axis, x.rank(), "squeeze");
        Ints order;
        for (int64_t axis = 0; axis < x.rank(); ++axis)
            if (std::find(axes.begin(), axes.end(), axis) == axes.end()) order.push_back(axis);
        return dimshuffle(x, order);
    });
}

Variable squeeze(Arg given) {
    return composed("squeeze", given, [&](const Variable& x) {
        Ints axes;
        for (int64_t axis = 0; axis < x.rank(); ++axis)
            if (x.type().dims[static_cast<size_t>(axis)].is_one()) axes.push_back(axis);
        return squeeze(x, axes);
    });
}

Variable shape_padleft(Arg given, int count) {
    return composed("shape_padleft", given, [&](const Variable& x) {
        Ints order = axes_in_order(x.rank());
        order.insert(order.begin(), static_cast<size_t>(count), new_axis);
        return dimshuffle(x, order);
    });
}

Variable shape_padright(Arg given, int count) {
    return composed("shape_padright", given, [&](const Variable& x) {
        Ints order = axes_in_order(x.rank());
        order.insert(order.end(), static_cast<size_t>(count), new_axis);
        return dimshuffle(x, order);
    });
}

Variable broadcast_to(Arg x, Arg shape, Given<Ints> sizes) {
    return apply_one(broadcast_to_record, {x, shape}, {{"sizes", sizes}});
}
Variable broadcast_to(Arg x, const ShapeArg& shape) {
    return broadcast_to(x, Arg(shape.vector(), x.site()), shape.hints());
}
Variable broadcast_like(Arg given, const Variable& y) {
    return composed("broadcast_like", given, [&](const Variable& x) {
        return broadcast_to(x, sizes_of(y), hints_of(y.type()));
    });
}

Variable specify_shape(Arg x, Arg shape, Given<Ints> sizes) {
    return apply_one(specify_shape_record, {x, shape}, {{"sizes", sizes}});
}
Variable specify_shape(Arg x, const ShapeArg& shape) {
    return specify_shape(x, Arg(shape.vector(), x.site()), shape.hints());
}

Variable diagonal(Arg x, Given<int64_t> offset, Given<int64_t> axis1, Given<int64_t> axis2) {
    return apply_one(diagonal_record, {x},
                     {{"offset", offset}, {"axis1", axis1}, {"axis2", axis2}});
}

namespace families {
Family shape() {
    Family family = {&shape_record,      &size_of_record,      &reshape_record,
                     &dimshuffle_record, &broadcast_to_record, &specify_shape_record,
                     &diagonal_record};
    for (const OpRecord* record : join_records()) family.push_back(record);
    return family;
}
}  // namespace families

}  // namespace croton
