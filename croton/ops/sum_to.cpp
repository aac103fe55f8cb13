#include <cstring>
#include <numeric>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/reduce.hpp"

namespace croton {

namespace {
using Types = std::vector<TensorType>;

// What sums of T are accumulated in.
template <class T>
struct Wide {
    using type = T;
};
template <>
struct Wide<Half> {
    using type = double;
};
template <>
struct Wide<BHalf> {
    using type = double;
};
template <>
struct Wide<float> {
    using type = double;
};
template <>
struct Wide<std::complex<float>> {
    using type = std::complex<double>;
};

void check_stretched(const Sizes& x, const Sizes& like) {
    bool fits = like.size() <= x.size();
    for (size_t i = 0; fits && i < like.size(); ++i) {
        int64_t size = x[i + x.size() - like.size()];
        fits = like[i] == size || like[i] == 1;
    }
    if (!fits)
        fail(ErrorKind::Shape, "sum_to: an array of shape ", shape_text(like),
             " does not broadcast to ", shape_text(x));
}

// Strides over the totals (contiguous, of shape `like`) that follow x's axes: 0 where they are
// summed.
Sizes strides_of_totals(const Sizes& x, const Sizes& like, int item_size) {
    Sizes own = contiguous_strides(like, item_size), result(x.size(), 0);
    for (size_t i = 0; i < like.size(); ++i)
        if (like[i] != 1) result[i + x.size() - like.size()] = own[i];
    return result;
}

template <class T, class Total>
void add_row(const char* from, int64_t stride, char* to, int64_t to_stride, int64_t count) {
    for (int64_t i = 0; i < count; ++i, from += stride, to += to_stride) {
        T element;
        std::memcpy(&element, from, sizeof element);
        auto& total = *reinterpret_cast<Total*>(to);
        total = static_cast<Total>(total + convert_number<Total>(element));
    }
}

template <class T>
void add_up(const TensorRef& x, const TensorRef& out) {
    using Total = typename Wide<T>::type;
    Array totals = Array::zeros(dtype_of<Total>(), out.shape);
    auto from = static_cast<const char*>(x.data);
    auto to = static_cast<char*>(totals.data());
    Sizes outer = x.shape, strides = x.strides;
    Sizes to_strides = strides_of_totals(x.shape, out.shape, sizeof(Total));
    int64_t count = outer.back(), stride = strides.back(), to_stride = to_strides.back();
    outer.pop_back(), strides.pop_back(), to_strides.pop_back();
    Sizes both[] = {strides, to_strides};
    for_each_offset(outer, both, [&](std::span<const int64_t> at) {
        add_row<T, Total>(from + at[0], stride, to + at[1], to_stride, count);
    });
    Array::view(out.dtype, out.shape, out.strides, out.data, nullptr).assign(totals);
}

void run_sum_to(ExternCall& call) {
    const TensorRef& x = call.inputs[0];
    TensorRef& out = call.outputs[0];
    if (x.shape == out.shape) {
        if (x.data == out.data) return;  // in place
        Array::view(out.dtype, out.shape, out.strides, out.data, nullptr)
            .assign(Array::view(x.dtype, x.shape, x.strides, x.data, nullptr));
        return;
    }
    // Shapes differ, so x has at least one axis.
    visit_dtype(x.dtype, [&](auto tag) { add_up<decltype(tag)>(x, out); });
}

const OpRecord sum_to_record{
    .name = "sum_to",
    .doc =
        "Sums x over the axes along which broadcasting `like` to x's sizes stretches it; the "
        "result has the sizes of `like`, whose elements do not matter.",
    .arguments = {{"x", Accepts::Numeric}, {"like"}},
    .type =
        [](TypeContext& c) {
            if (c.type(1).rank() > c.type(0).rank())
                fail(ErrorKind::Type, "sum_to: `like` has more axes (", c.type(1).rank(),
                     ") than x (", c.type(0).rank(), ")");
            return Types{{c.type(0).dtype, c.type(1).dims}};
        },
    .compute = ExternCompute{.shape =
                                 [](const AttrView&, std::span<const TensorRef> inputs,
                                    std::span<Sizes> outputs) {
                                     check_stretched(inputs[0].shape, inputs[1].shape);
                                     outputs[0] = inputs[1].shape;
                                 },
                             .run = run_sum_to,
                             .in_place = 0},
    .pullback = [](const Pullback& p) { return Cotangents{fill(p.input(), p.seed()), Variable()}; },
    .pushforward =
        [](const Pushforward& p) {
            return Variables{p.tangent() ? sum_to(p.tangent(), p.input(1)) : Variable()};
        },
};

// Axes that the types decide are left to plain sums, which fuse; what remains is decided at run
// time.
Variable sum_decided(const Variable& x, const Variable& like) {
    Ints leading(static_cast<size_t>(x.rank() - like.rank())), ones;
    std::iota(leading.begin(), leading.end(), 0);
    Variable result = leading.empty() ? x : sum(x, leading);
    for (size_t i = 0; i < like.type().dims.size(); ++i)
        if (like.type().dims[i].is_one() && !result.type().dims[i].is_one())
            ones.push_back(static_cast<int64_t>(i));
    return ones.empty() ? result : sum(result, ones, true);
}

bool certainly_same_sizes(const TensorType& x, const TensorType& like) {
    for (size_t i = 0; i < x.dims.size(); ++i) {
        // x's 1 can only come from a 1.
        if (!x.dims[i].is_one() && !x.dims[i].certainly_equals(like.dims[i])) return false;
    }
    return true;
}
}  // namespace

Variable sum_to(Arg x, Arg like) {
    const Variable &from = x, &to = like;
    bool pattern = from.node().pattern || to.node().pattern;
    if (pattern || !is_continuous(from.dtype()) || to.rank() > from.rank())
        return apply_one(sum_to_record, {x, like});
    SiteScope scope(SiteScope::current_or(x.site()));  // the sums are the caller's, too
    Variable result = sum_decided(from, to);
    if (certainly_same_sizes(result.type(), to.type())) return result;
    return apply_one(sum_to_record, {result, like});
}

const OpRecord* sum_to_op() { return &sum_to_record; }

}  // namespace croton
