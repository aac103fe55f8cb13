#include "croton/ops/sort.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/lines.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/support.hpp"

namespace croton {

namespace {
// --- the order ----------------------------------------------------------------------------------

template <class T>
bool is_nan(T x) {
    if constexpr (detail::is_half_type<T>)
        return std::isnan(static_cast<float>(x));
    else if constexpr (std::is_floating_point_v<T>)
        return std::isnan(x);
    else
        return false;
}

template <class T>
bool before(T x, T y) {
    if constexpr (detail::is_complex_type<T>) {
        // NumPy's order: numbers without NaN first, then NaN in the imaginary part, in the real
        // part, in both.
        bool xr = is_nan(x.real()), yr = is_nan(y.real());
        bool xi = is_nan(x.imag()), yi = is_nan(y.imag());
        if (xr != yr) return yr;
        if (xi != yi) return yi;
        if (!xr && x.real() != y.real()) return x.real() < y.real();
        return !xi && x.imag() < y.imag();
    } else if constexpr (detail::is_half_type<T>) {
        return before(static_cast<float>(x), static_cast<float>(y));
    } else {
        return x < y || (!is_nan(x) && is_nan(y));
    }
}

// vector<bool> has no elements of its own.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

void sort_run(ExternCall& call) {
    const auto& x = call.inputs[0];
    auto& out = call.outputs[0];
    auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
    visit_dtype(x.dtype, [&](auto tag) {
        using T = Stored<decltype(tag)>;
        std::vector<T> line(static_cast<size_t>(x.shape[axis]));
        for_each_line<2>(x.shape, axis, {&x.strides, &out.strides}, [&](auto offsets) {
            auto [from, to] = offsets;
            read_line(x.data, from, x.strides[axis], line);
            std::sort(line.begin(), line.end(), before<T>);
            write_line(out.data, to, out.strides[axis], line);
        });
    });
}

void argsort_run(ExternCall& call) {
    const auto& x = call.inputs[0];
    auto& out = call.outputs[0];
    auto axis = static_cast<size_t>(call.attrs.get<int64_t>("axis"));
    visit_dtype(x.dtype, [&](auto tag) {
        using T = Stored<decltype(tag)>;
        std::vector<T> line(static_cast<size_t>(x.shape[axis]));
        std::vector<int64_t> order(line.size());
        for_each_line<2>(x.shape, axis, {&x.strides, &out.strides}, [&](auto offsets) {
            auto [from, to] = offsets;
            read_line(x.data, from, x.strides[axis], line);
            std::iota(order.begin(), order.end(), 0);
            std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
                T x = line[static_cast<size_t>(i)], y = line[static_cast<size_t>(j)];
                return before(x, y) || (i < j && !before(y, x));
            });
            write_line(out.data, to, out.strides[axis], order);
        });
    });
}

// --- records ------------------------------------------------------------------------------------

using Types = std::vector<TensorType>;

void shape_of_first(const AttrView&, std::span<const TensorRef> in, std::span<Sizes> out) {
    out[0] = in[0].shape;
}
const AttrSpec axis_attribute{"axis", int64_t{-1}, false, "the axis along which to sort"};

const OpRecord sort_record{
    .name = "sort",
    .doc = "Elements along an axis in ascending order, NaNs last.",
    .arguments = {{"x"}},
    .attributes = {axis_attribute},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            take_axis(c, "axis", c.type(0).rank());
            return Types{c.type(0)};
        },
    .compute = ExternCompute{shape_of_first, sort_run, 0},
    .pullback =
        [](const Pullback& p) {
            // Where each element went: the inverse of the order.
            auto axis = p.attr<int64_t>("axis");
            Variable went = argsort(argsort(p.input(), axis), axis);
            return Cotangents{take_along_axis(p.seed(), went, axis)};
        },
    .pushforward =
        [](const Pushforward& p) {
            if (!p.tangent()) return Variables{Variable()};
            auto axis = p.attr<int64_t>("axis");
            return Variables{take_along_axis(p.tangent(), argsort(p.input(), axis), axis)};
        },
};

const OpRecord argsort_record{
    .name = "argsort",
    .doc = "Positions that sort an array along an axis; equal elements keep their order.",
    .arguments = {{"x"}},
    .attributes = {axis_attribute},
    .type =
        [](TypeContext& c) {
            settle_weak(c, 0);
            take_axis(c, "axis", c.type(0).rank());
            return Types{{DType::Int64, c.type(0).dims}};
        },
    .compute = ExternCompute{shape_of_first, argsort_run},
    .pullback = [](const Pullback&) { return Cotangents(1); },
};
}  // namespace

Variable sort(Arg x, Given<int64_t> axis) { return apply_one(sort_record, {x}, {{"axis", axis}}); }
Variable argsort(Arg x, Given<int64_t> axis) {
    return apply_one(argsort_record, {x}, {{"axis", axis}});
}

std::pair<Variable, Variable> topk(Arg given, Arg count, int64_t axis) {
    return composed("topk", given, [&](const Variable& x) -> std::pair<Variable, Variable> {
        axis = normalize_axis(axis, x.rank(), "topk");
        Index backwards(static_cast<size_t>(axis), everything), first = backwards;
        backwards.push_back(Slice(std::nullopt, std::nullopt, -1));
        first.push_back(Slice(std::nullopt, count));
        // Fewer elements than that are an error when running.
        Args sizes(static_cast<size_t>(x.rank()), -1);
        sizes[static_cast<size_t>(axis)] = count;
        Variable order = specify_shape(at(at(argsort(x, axis), backwards), first), ShapeArg(sizes));
        return {take_along_axis(x, order, axis), order};
    });
}

namespace families {
Family sort() { return {&sort_record, &argsort_record}; }
}  // namespace families

}  // namespace croton
