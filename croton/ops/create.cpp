#include "croton/ops/create.hpp"

#include <cmath>
#include <cstring>

#include "croton/base/settings.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

using kernel::Builder;
using kernel::Scalar;
using types::Types;

DType default_float() { return *dtype_from_name(settings().float_x); }

namespace {
Cotangents no_gradient(const Pullback& p) { return Cotangents(p.input_count()); }

// --- make_vector --------------------------------------------------------------------------------

const OpRecord make_vector_record{
    .name = "make_vector",
    .doc = "Scalars as the elements of a vector.",
    .arguments = {{"scalars", Accepts::Any, true}},
    .type =
        [](TypeContext& c) {
            if (c.inputs.empty()) fail(ErrorKind::Usage, "make_vector needs at least one scalar");
            for (const auto& input : c.inputs)
                if (input.rank() != 0)
                    fail(ErrorKind::Type, "a vector is made of scalars, not of ",
                         input.type().text());
            DType dtype = types::unify(c);
            return Types{{dtype, {Dim(static_cast<int64_t>(c.inputs.size()))}}};
        },
    .compute =
        IndexedCompute{[](const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
                           out[0] = {static_cast<int64_t>(in.size())};
                       },
                       [](Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                          const Node&) {
                           Scalar result = b.load_at(tables[0], {});
                           for (size_t k = 1; k < tables.size(); ++k) {
                               Scalar here = b.eq(index[0], b.like(index[0], int64_t(k)));
                               result = b.select(here, b.load_at(tables[k], {}), result);
                           }
                           return result;
                       },
                       [](ExternCall& call) {
                           auto to = static_cast<char*>(call.outputs[0].data);
                           auto size = static_cast<size_t>(dtype_size(call.outputs[0].dtype));
                           for (const auto& input : call.inputs) {
                               std::memcpy(to, input.data, size);
                               to += size;
                           }
                       }},
    .pullback =
        [](const Pullback& p) {
            Cotangents result;
            for (size_t k = 0; k < p.input_count(); ++k)
                result.push_back(at(p.seed(), {static_cast<int64_t>(k)}));
            return result;
        },
};

// --- full_like ----------------------------------------------------------------------------------

const OpRecord full_like_record{
    .name = "full_like",
    .doc = "An array with the sizes and dtype of x and every element the same.",
    .arguments = {{"x"}, {"value"}},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            if (c.type(1).rank() != 0)
                fail(ErrorKind::Type, "full_like takes one number, not ", c.type(1).text());
            types::convert(c, 1, c.type(0).dtype);
            return Types{c.type(0)};
        },
    .compute = ExpandCompute{[](const Node& node) {
        return Variables{broadcast_like(node.inputs[1], node.inputs[0])};
    }},
    .pullback = [](const Pullback& p) { return Cotangents{{}, sum_like(p.seed(), p.input(1))}; },
};

// --- arange -------------------------------------------------------------------------------------

int64_t range_length(const TensorRef& start, const TensorRef& stop, const TensorRef& step) {
    if (real_at(step) == 0) fail(ErrorKind::Value, "arange: the step is zero");
    if (is_integer(start.dtype)) {
        int64_t from = start.integer(), to = stop.integer(), by = step.integer();
        int64_t last = by > 0 ? by - 1 : by + 1;
        return std::max<int64_t>(0, (to - from + last) / by);
    }
    double length = std::ceil((real_at(stop) - real_at(start)) / real_at(step));
    if (!(length < 9e18)) fail(ErrorKind::Value, "arange: the length is not a number of elements");
    return length > 0 ? static_cast<int64_t>(length) : 0;
}

// From 0 in steps of 1.
bool counts(std::span<const Variable> inputs) {
    const Array *start = constant_value(inputs[0]), *step = constant_value(inputs[2]);
    return start && step && is_integer(start->dtype()) && start->item<int64_t>() == 0 &&
           step->item<int64_t>() == 1;
}

Types arange_type(TypeContext& c) {
    for (size_t i = 0; i < 3; ++i)
        if (c.type(i).rank() != 0 || is_bool(c.type(i).dtype))
            fail(ErrorKind::Type, "arange takes numbers, not ", c.type(i).text());
    DType dtype = types::unify(c);
    Dim length;
    const Array *start = constant_value(c.inputs[0]), *stop = constant_value(c.inputs[1]),
                *step = constant_value(c.inputs[2]);
    if (start && stop && step) length = Dim(range_length(ref(*start), ref(*stop), ref(*step)));
    if (!stop && counts(c.inputs)) length = dim_of_scalar(c.inputs[1]);
    return {{dtype, {length}}};
}

const OpRecord arange_record{
    .name = "arange",
    .doc =
        "start, start + step, ... up to but without stop. The gradient takes the number of "
        "elements as given.",
    .arguments = {{"start", Accepts::Real}, {"stop", Accepts::Real}, {"step", Accepts::Real}},
    .type = arange_type,
    .compute = IndexedCompute{
        [](const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
            out[0] = {range_length(in[0], in[1], in[2])};
        },
        [](Builder& b, std::span<const int> tables, std::span<const Scalar> index, const Node&) {
            Scalar start = b.load_at(tables[0], {}), step = b.load_at(tables[2], {});
            // NumPy's step: the difference of the first two rounded elements.
            Scalar by = (start + step) - start;
            return start + b.cast(index[0], start.dtype()) * by;
        }},
    .pullback =
        [](const Pullback& p) {
            if (!is_continuous(p.output().dtype())) return Cotangents(3);
            Variable places = cast(arange(size_of(p.seed(), 0)), p.seed().dtype());
            return Cotangents{sum(p.seed()), {}, sum(p.seed() * places)};
        },
    .onnx = "Range",
};

// --- eye, tri -----------------------------------------------------------------------------------

Types matrix_of_sizes(TypeContext& c) {
    take_int_scalar(c, 0, "the number of rows");
    take_int_scalar(c, 1, "the number of columns");
    take_int_scalar(c, 2, "the offset");
    return {{c.attr<DType>("dtype"), {dim_of_scalar(c.inputs[0]), dim_of_scalar(c.inputs[1])}}};
}

void sizes_of_matrix(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = {in[0].integer(), in[1].integer()};
    if (out[0][0] < 0 || out[0][1] < 0)
        fail(ErrorKind::Value, "a matrix cannot have the shape ", shape_text(out[0]));
}

const std::vector<Argument> matrix_arguments = {
    {"rows", Accepts::Integer}, {"columns", Accepts::Integer}, {"offset", Accepts::Integer}};
const AttrSpec dtype_attribute{"dtype", DType::Float64, true, "dtype of the result"};

// Column minus row minus offset: what zero and signs of tell diagonals and triangles.
Scalar above_diagonal(Builder& b, std::span<const int> tables, std::span<const Scalar> index) {
    return index[1] - index[0] - load_integer(b, tables[2]);
}

const OpRecord eye_record{
    .name = "eye",
    .doc = "Ones on a diagonal, `offset` above the main one, zeros elsewhere.",
    .arguments = matrix_arguments,
    .attributes = {dtype_attribute},
    .type = matrix_of_sizes,
    .compute = IndexedCompute{sizes_of_matrix,
                              [](Builder& b, std::span<const int> tables,
                                 std::span<const Scalar> index, const Node& node) {
                                  Scalar above = above_diagonal(b, tables, index);
                                  return b.cast(b.eq(above, b.like(above, 0)), node.types[0].dtype);
                              }},
    .pullback = no_gradient,
};

const OpRecord tri_record{
    .name = "tri",
    .doc = "Ones at and below a diagonal, `offset` above the main one, zeros elsewhere.",
    .arguments = matrix_arguments,
    .attributes = {dtype_attribute},
    .type = matrix_of_sizes,
    .compute = IndexedCompute{sizes_of_matrix,
                              [](Builder& b, std::span<const int> tables,
                                 std::span<const Scalar> index, const Node& node) {
                                  Scalar above = above_diagonal(b, tables, index);
                                  return b.cast(b.le(above, b.like(above, 0)), node.types[0].dtype);
                              }},
    .pullback = no_gradient,
};

Types triangle_type(TypeContext& c) {
    settle_weak(c, 0);
    take_int_scalar(c, 1, "the offset");
    if (c.type(0).rank() < 2)
        fail(ErrorKind::Type, c.op.name, " takes an array of at least two axes, not ",
             c.type(0).text());
    return {c.type(0)};
}

// The triangle up to `offset` of x's last two axes, as a bool matrix.
Variable lower_mask(const Variable& x, const Variable& offset) {
    int rank = x.rank();
    return tri(size_along(x, rank - 2), size_along(x, rank - 1), offset, DType::Bool);
}

const OpRecord tril_record{
    .name = "tril",
    .doc = "x with zeros above a diagonal of its last two axes.",
    .arguments = {{"x"}, {"offset", Accepts::Integer}},
    .type = triangle_type,
    .compute = ExpandCompute{[](const Node& node) {
        const auto& x = node.inputs[0];
        return Variables{where(lower_mask(x, node.inputs[1]), x, zeros({}, x.dtype()))};
    }},
    .pullback = [](const Pullback& p) { return Cotangents{tril(p.seed(), p.input(1)), {}}; },
};

const OpRecord triu_record{
    .name = "triu",
    .doc = "x with zeros below a diagonal of its last two axes.",
    .arguments = {{"x"}, {"offset", Accepts::Integer}},
    .type = triangle_type,
    .compute = ExpandCompute{[](const Node& node) {
        const auto& x = node.inputs[0];
        Variable below = lower_mask(x, sub(node.inputs[1], 1));
        return Variables{where(below, zeros({}, x.dtype()), x)};
    }},
    .pullback = [](const Pullback& p) { return Cotangents{triu(p.seed(), p.input(1)), {}}; },
};

// --- diag_embed ---------------------------------------------------------------------------------

Types diag_embed_type(TypeContext& c) {
    settle_weak(c, 0);
    take_int_scalar(c, 1, "the number of rows");
    take_int_scalar(c, 2, "the number of columns");
    if (c.type(0).rank() < 1) fail(ErrorKind::Type, "diag_embed takes a vector, not a scalar");
    TensorType out = c.type(0);
    out.dims.pop_back();
    out.dims.push_back(dim_of_scalar(c.inputs[1]));
    out.dims.push_back(dim_of_scalar(c.inputs[2]));
    return {out};
}

void diag_embed_shape(const AttrView& attrs, std::span<const TensorRef> in, std::span<Sizes> out) {
    int64_t rows = in[1].integer(), columns = in[2].integer();
    int64_t offset = attrs.get<int64_t>("offset"), length = in[0].shape.back();
    int64_t fits =
        std::min(offset < 0 ? rows + offset : rows, offset > 0 ? columns - offset : columns);
    if (std::max<int64_t>(fits, 0) != length)
        fail(ErrorKind::Shape, "diagonal ", offset, " of a matrix of shape (", rows, ", ", columns,
             ") has ", std::max<int64_t>(fits, 0), " elements, not ", length);
    out[0] = in[0].shape;
    out[0].back() = rows;
    out[0].push_back(columns);
}

Scalar diag_embed_emit(Builder& b, std::span<const int> tables, std::span<const Scalar> index,
                       const Node& node) {
    auto offset = attrs_of(node).get<int64_t>("offset");
    Scalar row = index[index.size() - 2], column = index.back();
    std::vector<Scalar> position(index.begin(), index.end() - 2);
    position.push_back(offset >= 0 ? row : column);
    return load_where(b, tables[0], b.eq(column - row, b.like(row, offset)), position);
}

const OpRecord diag_embed_record{
    .name = "diag_embed",
    .doc = "Matrices whose diagonal is the last axis of x and which are zero elsewhere.",
    .arguments = {{"x"}, {"rows", Accepts::Integer}, {"columns", Accepts::Integer}},
    .attributes = {{"offset", int64_t{0}, false, "how far above the main diagonal"}},
    .type = diag_embed_type,
    .compute = IndexedCompute{diag_embed_shape, diag_embed_emit},
    .pullback =
        [](const Pullback& p) {
            int rank = p.seed().rank();
            return Cotangents{
                diagonal(p.seed(), p.attr<int64_t>("offset"), rank - 2, rank - 1), {}, {}};
        },
};
}  // namespace

// --- functions ----------------------------------------------------------------------------------

Variable make_vector(const Args& scalars) { return apply_one(make_vector_record, scalars); }
bool is_make_vector(const Variable& v) { return v.is(make_vector_record); }

namespace {
Variable filled(std::string_view name, const ShapeArg& shape, const Array& value) {
    return composed(name, shape.arg(), [&](const Variable&) { return full(shape, Arg(value)); });
}
}  // namespace

Variable full(const ShapeArg& shape, Arg value) { return broadcast_to(value, shape); }
Variable full(const ShapeArg& shape, Arg value, DType dtype) {
    return broadcast_to(Arg(cast(value, dtype), value.site()), shape);
}
Variable zeros(const ShapeArg& shape, DType dtype) {
    return filled("zeros", shape, Array::scalar(0.0).cast(dtype));
}
Variable ones(const ShapeArg& shape, DType dtype) {
    return filled("ones", shape, Array::scalar(1.0).cast(dtype));
}

Variable full_like(Arg x, Arg value) { return apply_one(full_like_record, {x, value}); }
Variable zeros_like(Arg given, DType dtype) {
    return composed("zeros_like", given, [&](const Variable& x) {
        return broadcast_like(Array::scalar(0.0).cast(dtype), x);
    });
}
Variable ones_like(Arg given, DType dtype) {
    return composed("ones_like", given, [&](const Variable& x) {
        return broadcast_like(Array::scalar(1.0).cast(dtype), x);
    });
}

Variable arange(Arg start, Arg stop, Arg step) {
    return apply_one(arange_record, {start, stop, step});
}

bool counts_from_zero(const Variable& v) { return v.is(arange_record) && counts(v.node().inputs); }

Variable linspace(Arg start, Arg stop, Arg count) {
    return composed("linspace", start, [&](const Variable& first) {
        Variable places = cast(arange(count), default_float());
        Variable steps = maximum(cast(sub(count, 1), default_float()), 1.0);
        return first + places * (sub(stop, first) / steps);
    });
}

Variable eye(Arg rows, Arg columns, Arg offset, Given<DType> dtype) {
    return apply_one(eye_record, {rows, columns, offset}, {{"dtype", dtype}});
}
Variable eye(Arg rows) { return eye(rows, rows, number_at(0, rows.site()), default_float()); }

Variable tri(Arg rows, Arg columns, Arg offset, Given<DType> dtype) {
    return apply_one(tri_record, {rows, columns, offset}, {{"dtype", dtype}});
}
Variable tril(Arg x, Arg offset) { return apply_one(tril_record, {x, offset}); }
Variable triu(Arg x, Arg offset) { return apply_one(triu_record, {x, offset}); }

Variable diag_embed(Arg x, Arg rows, Arg columns, Given<int64_t> offset) {
    return apply_one(diag_embed_record, {x, rows, columns}, {{"offset", offset}});
}

Variable diag(Arg given, int64_t offset) {
    return composed("diag", given, [&](const Variable& x) {
        if (x.rank() == 2) return diagonal(x, offset);
        if (x.rank() != 1)
            fail(ErrorKind::Type, "diag takes a vector or a matrix, not ", x.type().text());
        Variable n = size_along(x, 0);  // as it is where it can be: the type then knows it
        if (offset != 0) n = add(n, offset < 0 ? -offset : offset);
        return diag_embed(x, n, n, offset);
    });
}

namespace families {
Family create() {
    return {&make_vector_record, &full_like_record, &arange_record, &eye_record,
            &tri_record,         &tril_record,      &triu_record,   &diag_embed_record};
}
}  // namespace families

}  // namespace croton
