#include "croton/ops/reduce.hpp"

#include <algorithm>
#include <numeric>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

const OpRecord* sum_to_op();  // in sum_to.cpp

namespace {
using kernel::Combine;
using types::Types;

// --- types --------------------------------------------------------------------------------------

std::vector<AttrSpec> reduce_attributes() {
    return {{"axes", Ints{Axes::all_axes}, false, "axes to reduce; all of them by default"},
            {"keepdims", false, false, "leave the reduced axes in place with size 1"}};
}

std::vector<AttrSpec> moment_attributes() {
    auto attributes = reduce_attributes();
    attributes.push_back({"ddof", int64_t{0}, false, "what is taken off the number of elements"});
    return attributes;
}

void normalize_axes(Ints& axes, int rank, std::string_view what) {
    if (axes == Ints{Axes::all_axes}) {
        axes.resize(static_cast<size_t>(rank));
        std::iota(axes.begin(), axes.end(), 0);
        return;
    }
    for (auto& axis : axes) axis = normalize_axis(axis, rank, what);
    std::sort(axes.begin(), axes.end());
    if (auto twice = std::adjacent_find(axes.begin(), axes.end()); twice != axes.end())
        fail(ErrorKind::Value, what, ": axis ", *twice, " is given twice");
}

bool contains(const Ints& axes, size_t axis) {
    return std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis));
}

Types reduced(TypeContext& c, DType dtype) {
    Ints& axes = c.attr<Ints>("axes");
    normalize_axes(axes, c.type(0).rank(), c.op.name);
    bool keepdims = c.attr<bool>("keepdims");
    TensorType result{dtype, {}};
    for (size_t i = 0; i < c.type(0).dims.size(); ++i)
        if (!contains(axes, i))
            result.dims.push_back(c.type(0).dims[i]);
        else if (keepdims)
            result.dims.push_back(Dim(1));
    return {result};
}

Types summed(TypeContext& c) {
    DType dtype = types::common_dtype(c);
    if (!is_continuous(dtype)) dtype = is_unsigned(dtype) ? DType::UInt64 : DType::Int64;
    types::convert(c, 0, dtype);
    return reduced(c, dtype);
}

Types averaged(TypeContext& c) {
    DType dtype = types::common_dtype(c);
    if (!is_continuous(dtype)) dtype = DType::Float64;
    types::convert(c, 0, dtype);
    return reduced(c, dtype);
}

void require_elements(const TypeContext& c) {
    const auto& axes = std::get<Ints>(c.view().value("axes"));
    for (int64_t axis : axes)
        if (c.type(0).dims[static_cast<size_t>(axis)] == Dim(0))
            fail(ErrorKind::Value, c.op.name, ": a zero-size array has no extreme (axis ", axis,
                 " has no elements)");
}

Types extreme(TypeContext& c) {
    Types result = reduced(c, types::unify(c));
    require_elements(c);
    return result;
}

Types position(TypeContext& c) {
    types::unify(c);
    Types result = reduced(c, DType::Int64);
    require_elements(c);
    return result;
}

Types truth(TypeContext& c) {
    types::convert(c, 0, DType::Bool);
    return reduced(c, DType::Bool);
}

// --- helpers of expansions and derivatives -------------------------------------------------------

Ints axes_of(const Node& node) { return attrs_of(node).get<Ints>("axes"); }
bool keepdims_of(const Node& node) { return attrs_of(node).get<bool>("keepdims"); }

// A result of `node`'s reduction with the reduced axes put back, so that it broadcasts against the
// input.
Variable restored(const Node& node, const Variable& result) {
    return keepdims_of(node) ? result : expand_dims(result, axes_of(node));
}
Variable restored(const DerivativeContext& d, const Variable& result) {
    return restored(d.node(), result);
}
// The same reduction of another array of the same rank.
template <class Reduction>
Variable again(Reduction reduction, const DerivativeContext& d, const Variable& x) {
    return reduction(x, axes_of(d.node()), keepdims_of(d.node()));
}

// What means and variances are computed in: 16-bit floats would overflow.
DType moment_dtype(DType dtype) { return dtype_size(dtype) == 2 ? DType::Float32 : dtype; }

Variable divisor(const Node& node, int64_t ddof = 0) {
    DType dtype = real_dtype(moment_dtype(node.inputs[0].dtype()));
    Variable n = cast(count(node.inputs[0], axes_of(node)), dtype);
    return ddof == 0 ? n : maximum(n - ddof, 0);
}

// --- sums and products ---------------------------------------------------------------------------

const OpRecord sum_record{
    .name = "sum",
    .doc = "Sum over axes. Integers and bool are summed in 64 bits.",
    .arguments = {{"x"}},
    .attributes = reduce_attributes(),
    .type = summed,
    .compute = ReduceCompute{Combine::Sum},
    .pullback =
        [](const Pullback& p) { return Cotangents{fill(p.input(), restored(p, p.seed()))}; },
    .pushforward = [](const Pushforward& p) { return Variables{again(sum, p, p.tangent())}; },
    .onnx = "ReduceSum",
};

// The product of all other elements: the whole product over x where no element is zero; with one
// zero it remains for that element alone; with two it is zero.
Variable product_of_others(const DerivativeContext& d) {
    const Variable& x = d.input();
    Variable is_zero = eq(x, 0), safe = where(is_zero, 1, x);
    Variable zeros = restored(d, again(sum, d, is_zero));
    Variable nonzero_product = restored(d, again(prod, d, safe));
    return where(eq(zeros, 0), nonzero_product / safe,
                 where(eq(zeros, 1) & is_zero, nonzero_product, 0));
}

const OpRecord prod_record{
    .name = "prod",
    .doc = "Product over axes. Integers and bool are multiplied in 64 bits.",
    .arguments = {{"x"}},
    .attributes = reduce_attributes(),
    .type = summed,
    .compute = ReduceCompute{Combine::Prod},
    .pullback =
        [](const Pullback& p) { return Cotangents{restored(p, p.seed()) * product_of_others(p)}; },
    .pushforward =
        [](const Pushforward& p) {
            return Variables{again(sum, p, p.tangent() * product_of_others(p))};
        },
    .onnx = "ReduceProd",
};

Variables expand_mean(const Node& node) {
    const Variable& x = node.inputs[0];
    Variable total = sum(cast(x, moment_dtype(x.dtype())), axes_of(node), keepdims_of(node));
    return {cast(total / divisor(node), x.dtype())};
}

const OpRecord mean_record{
    .name = "mean",
    .doc = "Mean over axes; integers and bool give float64. NaN without elements.",
    .arguments = {{"x"}},
    .attributes = reduce_attributes(),
    .type = averaged,
    .compute = ExpandCompute{expand_mean},
    .pullback =
        [](const Pullback& p) {
            return Cotangents{fill(p.input(), restored(p, p.seed() / divisor(p.node())))};
        },
    .pushforward = [](const Pushforward& p) { return Variables{again(mean, p, p.tangent())}; },
    .onnx = "ReduceMean",
};

Variable deviations(const Node& node) {
    const Variable& x = node.inputs[0];
    Variable wide = cast(x, moment_dtype(x.dtype()));
    return wide - mean(wide, axes_of(node), true);
}

int64_t ddof_of(const Node& node) { return attrs_of(node).get<int64_t>("ddof"); }

Variables expand_var(const Node& node) {
    Variable squares = sum(sqr(deviations(node)), axes_of(node), keepdims_of(node));
    return {cast(squares / divisor(node, ddof_of(node)), node.inputs[0].dtype())};
}

const OpRecord var_record{
    .name = "var",
    .doc = "Variance over axes: mean((x - mean(x))^2), or the sum divided by (n - ddof).",
    .arguments = {{"x", Accepts::Real}},
    .attributes = moment_attributes(),
    .type = averaged,
    .compute = ExpandCompute{expand_var},
    .pullback =
        [](const Pullback& p) {
            Variable scale = 2 * p.seed() / divisor(p.node(), ddof_of(p.node()));
            return Cotangents{restored(p, scale) * deviations(p.node())};
        },
    .facts = Facts{.low = 0},
};

Variables expand_std(const Node& node) {
    return {sqrt(var(node.inputs[0], axes_of(node), ddof_of(node), keepdims_of(node)))};
}

const OpRecord std_record{
    .name = "std",
    .doc = "Standard deviation over axes: the square root of the variance.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = moment_attributes(),
    .type = averaged,
    .compute = ExpandCompute{expand_std},
    .pullback =
        [](const Pullback& p) {
            Variable scale = p.seed() / (divisor(p.node(), ddof_of(p.node())) * p.output());
            return Cotangents{restored(p, scale) * deviations(p.node())};
        },
    .facts = Facts{.low = 0},
};

// --- extremes -----------------------------------------------------------------------------------

Variable is_extreme(const DerivativeContext& d) { return eq(d.input(), restored(d, d.output())); }
Cotangents extreme_pullback(const Pullback& p) {
    return {where(is_extreme(p), restored(p, p.seed()), 0)};
}
Variables extreme_pushforward(const Pushforward& p) {
    return {again(sum, p, where(is_extreme(p), p.tangent(), 0))};
}

const OpRecord max_record{
    .name = "max",
    .doc =
        "Largest element over axes; NaN if there is one. Every element that equals it gets the "
        "gradient.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = reduce_attributes(),
    .type = extreme,
    .compute = ReduceCompute{Combine::Max},
    .pullback = extreme_pullback,
    .pushforward = extreme_pushforward,
    .onnx = "ReduceMax",
};

// What max is where no elements are no error: the shift of exponentials that are summed.
const OpRecord supremum_record{
    .name = "supremum",
    .doc =
        "Least upper bound of the elements over axes: max, but the lowest value of the dtype "
        "(-inf) where there are no elements.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = reduce_attributes(),
    .type = [](TypeContext& c) { return reduced(c, types::unify(c)); },
    .compute = ReduceCompute{Combine::Max, true},
    .pullback = extreme_pullback,
    .pushforward = extreme_pushforward,
    .onnx = "ReduceMax",
};

const OpRecord min_record{
    .name = "min",
    .doc =
        "Smallest element over axes; NaN if there is one. Every element that equals it gets the "
        "gradient.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = reduce_attributes(),
    .type = extreme,
    .compute = ReduceCompute{Combine::Min},
    .pullback = extreme_pullback,
    .pushforward = extreme_pushforward,
    .onnx = "ReduceMin",
};

const OpRecord argmax_record{
    .name = "argmax",
    .doc = "Position of the first largest element along an axis, or among the flattened axes.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = reduce_attributes(),
    .type = position,
    .compute = ReduceCompute{Combine::ArgMax},
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = Facts{.low = 0},
    .onnx = "ArgMax",
};

const OpRecord argmin_record{
    .name = "argmin",
    .doc = "Position of the first smallest element along an axis, or among the flattened axes.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = reduce_attributes(),
    .type = position,
    .compute = ReduceCompute{Combine::ArgMin},
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = Facts{.low = 0},
    .onnx = "ArgMin",
};

const OpRecord any_record{
    .name = "any",
    .doc = "Whether any element over axes is nonzero.",
    .arguments = {{"x"}},
    .attributes = reduce_attributes(),
    .type = truth,
    .compute = ReduceCompute{Combine::Any},
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

const OpRecord all_record{
    .name = "all",
    .doc = "Whether every element over axes is nonzero.",
    .arguments = {{"x"}},
    .attributes = reduce_attributes(),
    .type = truth,
    .compute = ReduceCompute{Combine::All},
    .pullback = no_gradient,
    .pushforward = no_tangent,
};

// --- log of a sum of exponentials ---------------------------------------------------------------

Types log_summed(TypeContext& c) {
    DType dtype = types::promoted_floating(c)[0].dtype;
    return reduced(c, dtype);
}

// Infinities are not shifted away: inf - inf is no number.
Variable finite_or_zero(const Variable& x) { return where(isfinite(x), x, 0); }

Variables expand_logsumexp(const Node& node) {
    const Variable& x = node.inputs[0];
    Variable shift = finite_or_zero(supremum(x, axes_of(node), keepdims_of(node)));
    Variable shifted = x - restored(node, shift);
    return {log(sum(exp(shifted), axes_of(node), keepdims_of(node))) + shift};
}

const OpRecord logsumexp_record{
    .name = "logsumexp",
    .doc = "log(sum(exp(x))) over axes, without overflow.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = reduce_attributes(),
    .type = log_summed,
    .compute = ExpandCompute{expand_logsumexp},
    .pullback =
        [](const Pullback& p) {
            Variable shift = finite_or_zero(restored(p, p.output()));
            return Cotangents{restored(p, p.seed()) * exp(p.input() - shift)};
        },
    .onnx = "ReduceLogSumExp",
};

// --- sizes --------------------------------------------------------------------------------------

const OpRecord count_record{
    .name = "count",
    .doc = "Number of elements along axes: the product of their sizes, int64.",
    .arguments = {{"x"}},
    .attributes = {{"axes", Ints{Axes::all_axes}, false, "axes to count; all of them by default"}},
    .type =
        [](TypeContext& c) {
            normalize_axes(c.attr<Ints>("axes"), c.type(0).rank(), c.op.name);
            return Types{{DType::Int64, {}}};
        },
    .compute = IndexedCompute{[](const AttrView&, std::span<const TensorRef>,
                                 std::span<Sizes> outputs) { outputs[0] = {}; },
                              [](kernel::Builder& b, std::span<const int> tables,
                                 std::span<const kernel::Scalar>, const Node& node) {
                                  kernel::Scalar product = b.constant(DType::Int64, 1);
                                  for (int64_t axis : axes_of(node))
                                      product = product * b.size(tables[0], static_cast<int>(axis));
                                  return product;
                              }},
    .pullback = no_gradient,
    .pushforward = no_tangent,
    .facts = Facts{.low = 0},
};
}  // namespace

#define CROTON_REDUCTION(name)                                                          \
    Variable name(Arg x, Axes axes, Given<bool> keepdims) {                             \
        return apply_one(name##_record, {x}, {{"axes", axes}, {"keepdims", keepdims}}); \
    }
CROTON_REDUCTION(sum)
CROTON_REDUCTION(prod)
CROTON_REDUCTION(mean)
CROTON_REDUCTION(max)
CROTON_REDUCTION(supremum)
CROTON_REDUCTION(min)
CROTON_REDUCTION(argmax)
CROTON_REDUCTION(argmin)
CROTON_REDUCTION(any)
CROTON_REDUCTION(all)
CROTON_REDUCTION(logsumexp)
#undef CROTON_REDUCTION

Variable var(Arg x, Axes axes, Given<int64_t> ddof, Given<bool> keepdims) {
    return apply_one(var_record, {x}, {{"axes", axes}, {"keepdims", keepdims}, {"ddof", ddof}});
}
Variable std_(Arg x, Axes axes, Given<int64_t> ddof, Given<bool> keepdims) {
    return apply_one(std_record, {x}, {{"axes", axes}, {"keepdims", keepdims}, {"ddof", ddof}});
}

namespace {
// The product of the sizes if the type knows them all.
std::optional<int64_t> known_count(const TensorType& type, const Ints& axes) {
    int64_t product = 1;
    for (int64_t axis : axes) {
        Dim dim = type.dims[static_cast<size_t>(axis)];
        if (!dim.known()) return std::nullopt;
        product *= dim.size();
    }
    return product;
}
}  // namespace

Variable count(Arg x, Axes axes) {
    Variable result = apply_one(count_record, {x}, {{"axes", axes}});
    if (result.node().pattern) return result;
    auto known = known_count(result.input(0).type(), axes_of(result.node()));
    return known ? constant(Array::scalar(*known), x.site()) : result;
}

namespace families {
Family reduce() {
    return {&sum_record, &prod_record,     &mean_record,      &var_record,    &std_record,
            &max_record, &supremum_record, &min_record,       &argmax_record, &argmin_record,
            &any_record, &all_record,      &logsumexp_record, &count_record,  sum_to_op()};
}
}  // namespace families

}  // namespace croton
