#include "croton/ops/cumulative.hpp"

#include <algorithm>

#include "croton/base/recurrence.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/cumulative_run.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/lines.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using types::Types;

void shape_of_first(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = in[0].shape;
}
void shape_of_both(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    if (!(in[0].shape == in[1].shape))
        fail(ErrorKind::Shape, "linear_recurrence: a and b must have the same sizes, not ",
             shape_text(in[0].shape), " and ", shape_text(in[1].shape));
    out[0] = in[0].shape;
}

// --- states of a recurrence of single numbers

// As loops say it.
void check_positions(const TensorRef& list, int64_t steps, const std::string& name) {
    if (list.shape.empty() || list.shape[0] == steps) return;
    fail(ErrorKind::Shape, "a loop of ", steps, " steps reads ",
         name.empty() ? std::string("a sequence") : cat("'", name, "'"), ", which has ",
         list.shape[0], " positions along its first axis");
}

int64_t steps_of(const AttrView& attrs, std::span<const TensorRef> in) {
    int64_t steps = in[3].integer();
    if (steps < 0) fail(ErrorKind::Value, "a loop was asked to run ", steps, " steps");
    check_positions(in[1], steps, attrs.get<std::string>("a_name"));
    check_positions(in[2], steps, attrs.get<std::string>("b_name"));
    return steps;
}

template <class T>
Stretch<T> stretch_of(const TensorRef& ref) {
    return {ref.data, ref.shape.empty() ? 0 : ref.strides[0]};
}

template <class T>
void run_linear_steps(ExternCall& call) {
    bool last = call.attrs.get<bool>("last");
    int64_t steps = steps_of(call.attrs, call.inputs);
    auto a = stretch_of<T>(call.inputs[1]), b = stretch_of<T>(call.inputs[2]);
    auto* out = static_cast<T*>(call.outputs[0].data);
    T h = read_element<T>(call.inputs[0].data, 0);
    if (!last) *out++ = h;
    for (int64_t i = 0; i < steps; i += Stretch<T>::length) {
        int64_t count = std::min(Stretch<T>::length, steps - i);
        const T* factors = a.at(i, count);
        bool sums = a.step() == 0 && *factors == T(1);
        h = run_recurrence(Recurrence<T>{sums ? nullptr : factors, a.step(), b.at(i, count),
                                         b.step(), last ? nullptr : out + i, count},
                           h);
    }
    if (last) *out = h;
}

void linear_steps_run(ExternCall& call) {
    if (call.inputs[0].dtype == DType::Float64)
        run_linear_steps<double>(call);
    else
        run_linear_steps<float>(call);
}

void linear_steps_shape(const AttrView& attrs, std::span<const TensorRef> in,
                        std::span<Sizes> out) {
    int64_t steps = steps_of(attrs, in);
    out[0] = attrs.get<bool>("last") ? Sizes{} : Sizes{steps + 1};
}

Types linear_steps_type(TypeContext& c) {
    for (size_t i = 0; i < 3; ++i) settle_weak(c, i);
    DType dtype = c.type(0).dtype;
    bool same = c.type(1).dtype == dtype && c.type(2).dtype == dtype;
    if (!same || (dtype != DType::Float32 && dtype != DType::Float64) || c.type(0).rank() != 0 ||
        c.type(1).rank() > 1 || c.type(2).rank() > 1)
        fail(ErrorKind::Type,
             "linear_steps: a scalar and scalars or vectors of its float type, not ",
             c.type(0).text(), ", ", c.type(1).text(), " and ", c.type(2).text());
    take_int_scalar(c, 3, "the number of steps of a recurrence");
    if (c.attr<bool>("last")) return {{dtype, {}}};
    const Array* steps = constant_value(c.inputs[3]);
    return {{dtype, {steps ? Dim(steps->item<int64_t>() + 1) : Dim()}}};
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

Cotangents linear_steps_pullback(const Pullback& p) {
    const Variable &initial = p.input(0), &a = p.input(1), &b = p.input(2), &steps = p.input(3),
                   &seed = p.seed();
    auto turned = [](const Variable& x) { return x.rank() ? flip(x, {0}) : x; };
    bool last = p.attr<bool>("last");
    Variable states = last ? linear_steps(initial, a, b, steps) : p.output();
    Variable end = last ? seed : at(seed, {-1});
    Variable on_the_way = last ? zeros_like(initial) : at(turned(seed), {Slice(1, {})});
    Variable by_state = turned(linear_steps(end, turned(a), on_the_way, steps));
    Variable by_b = at(by_state, {Slice(1, {})});
    Variable by_a = by_b * at(states, {Slice({}, -1)});
    return {at(by_state, {0}), a.rank() ? by_a : sum(by_a), b.rank() ? by_b : sum(by_b), {}};
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

const OpRecord linear_steps_record{
    .name = "linear_steps",
    .doc =
        "What h = a[i] * h + b[i] makes of a number: the number itself and what each step gives, "
        "or the last of them alone. a and b may be the same in each step.",
    .arguments = {{"initial", Accepts::Floating},
                  {"a", Accepts::Floating},
                  {"b", Accepts::Floating},
                  {"steps", Accepts::Integer}},
    .attributes = {{"last", false, false, "only what the last step gives"},
                   {"a_name", std::string(), false, "the user's, for messages"},
                   {"b_name", std::string(), false, "the same"}},
    .type = linear_steps_type,
    .compute = ExternCompute{linear_steps_shape, linear_steps_run},
    .pullback = linear_steps_pullback,
};
}  // namespace

Variable linear_steps(Arg initial, Arg a, Arg b, Arg steps, Given<bool> last) {
    return apply_one(
        linear_steps_record, {initial, a, b, steps},
        {{"last", last}, {"a_name", a.variable().name()}, {"b_name", b.variable().name()}});
}

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
Family cumulative() {
    return {&cumsum_record, &cumprod_record, &linear_recurrence_record, &linear_steps_record};
}
}  // namespace families

}  // namespace croton
