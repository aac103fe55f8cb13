#include "croton/ops/cumulative.hpp"

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/lines.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using types::Types;

// What T is accumulated in; integers wrap without being undefined.
template <class T>
using Wide = std::conditional_t<
    detail::is_complex_type<T>, std::complex<double>,
    std::conditional_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, uint64_t, double>>;

template <class Fold>
void accumulate(ExternCall& call, Fold fold) {
    const auto& x = call.inputs[0];
    auto& out = call.outputs[0];
    auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
    visit_dtype(x.dtype, [&](auto tag) {
        using T = decltype(tag);
        using W = Wide<T>;
        for_each_line<2>(x.shape, axis, {&x.strides, &out.strides}, [&](auto offsets) {
            W so_far{};
            for (int64_t i = 0; i < x.shape[axis]; ++i) {
                auto value = convert_number<W>(read_element<T>(x.data, offsets[0]));
                so_far = i == 0 ? value : fold(so_far, value);
                write_element(out.data, offsets[1], convert_number<T>(so_far));
                offsets[0] += x.strides[axis];
                offsets[1] += out.strides[axis];
            }
        });
    });
}

void cumsum_run(ExternCall& call) {
    accumulate(call, [](auto x, auto y) { return x + y; });
}
void cumprod_run(ExternCall& call) {
    accumulate(call, [](auto x, auto y) { return x * y; });
}

void recurrence_run(ExternCall& call) {
    const auto &a = call.inputs[0], &b = call.inputs[1];
    auto& out = call.outputs[0];
    auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
    visit_dtype(b.dtype, [&](auto tag) {
        using T = decltype(tag);
        using W = Wide<T>;
        for_each_line<3>(b.shape, axis, {&a.strides, &b.strides, &out.strides}, [&](auto offsets) {
            W so_far{};
            for (int64_t i = 0; i < b.shape[axis]; ++i) {
                auto factor = convert_number<W>(read_element<T>(a.data, offsets[0]));
                auto value = convert_number<W>(read_element<T>(b.data, offsets[1]));
                so_far = i == 0 ? value : factor * so_far + value;
                write_element(out.data, offsets[2], convert_number<T>(so_far));
                offsets[0] += a.strides[axis];
                offsets[1] += b.strides[axis];
                offsets[2] += out.strides[axis];
            }
        });
    });
}

void shape_of_first(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = in[0].shape;
}
void shape_of_both(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    if (!(in[0].shape == in[1].shape))
        fail(ErrorKind::Shape, "linear_recurrence: a and b must have the same sizes, not ",
             shape_text(in[0].shape), " and ", shape_text(in[1].shape));
    out[0] = in[0].shape;
}

// --- derivatives

int64_t axis_of(const DerivativeContext& c) { return c.attr<int64_t>("axis"); }
Variable backwards(const Variable& x, int64_t axis) { return flip(x, {axis}); }
// Each element at the place of the next one; the first is not meant to be looked at.
Variable later(const Variable& x, int64_t axis) { return roll(x, 1, axis); }
// The same with a number in the first place.
Variable later(const Variable& x, int64_t axis, double first) {
    Variable places = arange(size_along(x, axis));
    Ints sizes(static_cast<size_t>(x.rank()), 1);
    sizes[static_cast<size_t>(axis)] = -1;
    return where(eq(reshape(places, sizes), 0), first, later(x, axis));
}
// y[i] = a[i + 1] * y[i + 1] + b[i] from the end to the beginning.
Variable recurrence_from_end(const Variable& a, const Variable& b, int64_t axis) {
    return backwards(linear_recurrence(later(backwards(a, axis), axis), backwards(b, axis), axis),
                     axis);
}

// --- records

const AttrSpec axis_attribute{"axis", int64_t{-1}, false, "the axis along which to accumulate"};

Types accumulated(TypeContext& c) {
    DType dtype = types::common_dtype(c);
    if (!is_continuous(dtype)) dtype = is_unsigned(dtype) ? DType::UInt64 : DType::Int64;
    types::convert(c, 0, dtype);
    take_axis(c, "axis", c.type(0).rank());
    return {c.type(0)};
}

const OpRecord cumsum_record{
    .name = "cumsum",
    .doc = "Sums of the elements up to each place along an axis.",
    .arguments = {{"x", Accepts::Any}},
    .attributes = {axis_attribute},
    .type = accumulated,
    .compute = ExternCompute{shape_of_first, cumsum_run, 0},
    .pullback =
        [](const Pullback& p) {
            auto axis = axis_of(p);
            return Cotangents{backwards(cumsum(backwards(p.seed(), axis), axis), axis)};
        },
    .pushforward =
        [](const Pushforward& p) {
            return Variables{p.tangent() ? cumsum(p.tangent(), axis_of(p)) : Variable()};
        },
};

const OpRecord cumprod_record{
    .name = "cumprod",
    .doc = "Products of the elements up to each place along an axis.",
    .arguments = {{"x", Accepts::Any}},
    .attributes = {axis_attribute},
    .type = accumulated,
    .compute = ExternCompute{shape_of_first, cumprod_run, 0},
    .pullback =
        [](const Pullback& p) {
            // What stands before an element, times the sum over later places of seed and of what
            // stands between: no division, so zeros are no special case.
            auto axis = axis_of(p);
            Variable before = later(p.output(), axis, 1);
            return Cotangents{before * recurrence_from_end(p.input(), p.seed(), axis)};
        },
};

const OpRecord linear_recurrence_record{
    .name = "linear_recurrence",
    .doc = "y[i] = a[i] * y[i - 1] + b[i] along an axis, beginning with y[0] = b[0].",
    .arguments = {{"a", Accepts::Numeric}, {"b", Accepts::Numeric}},
    .attributes = {axis_attribute},
    .type =
        [](TypeContext& c) {
            types::unify(c);
            if (c.type(0).rank() != c.type(1).rank())
                fail(ErrorKind::Shape, "linear_recurrence: a and b must have the same sizes, not ",
                     c.type(0).text(), " and ", c.type(1).text());
            take_axis(c, "axis", c.type(0).rank());
            return Types{c.type(1)};
        },
    .compute = ExternCompute{shape_of_both, recurrence_run},
    .pullback =
        [](const Pullback& p) {
            auto axis = axis_of(p);
            Variable by_b = recurrence_from_end(p.input(0), p.seed(), axis);
            return Cotangents{by_b * later(p.output(), axis, 0), by_b};
        },
};
}  // namespace

Variable cumsum(Arg x, Given<int64_t> axis) {
    return apply_one(cumsum_record, {x}, {{"axis", axis}});
}
Variable cumprod(Arg x, Given<int64_t> axis) {
    return apply_one(cumprod_record, {x}, {{"axis", axis}});
}
Variable cumsum(Arg given) {
    return composed("cumsum", given, [](const Variable& x) { return cumsum(flatten(x), 0); });
}
Variable cumprod(Arg given) {
    return composed("cumprod", given, [](const Variable& x) { return cumprod(flatten(x), 0); });
}
Variable linear_recurrence(Arg a, Arg b, Given<int64_t> axis) {
    return apply_one(linear_recurrence_record, {a, b}, {{"axis", axis}});
}

namespace families {
Family cumulative() { return {&cumsum_record, &cumprod_record, &linear_recurrence_record}; }
}  // namespace families

}  // namespace croton
