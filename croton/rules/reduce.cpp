// Reductions: scalars and signs move out, reductions of reductions merge.
#include "croton/ops/reduce.hpp"

#include <algorithm>
#include <cmath>

#include "croton/kernel/kernel.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// Without elements the sum is 0, and 0 * inf would be no number: the factor is known to be finite
// (and no zero to divide by), or there are elements.
Condition safe_factor(bool divides) {
    auto holds = [divides](const Match& m) {
        if (auto c = m.number("c")) return std::isfinite(*c) && !(divides && *c == 0);
        for (int64_t axis : m.attr<Ints>("axes")) {
            Dim dim = m.type("x").dims[static_cast<size_t>(axis)];
            if (!dim.known() || dim == Dim(0)) return false;
        }
        return true;
    };
    return {"c is known to be finite or there are elements", holds};
}
}  // namespace

#define CROTON_INCREASING(f)                                           \
    {"max of " #f, over(max(f(x))), f(over(max(x))), floating("x")}, { \
        "min of " #f, over(min(f(x))), f(over(min(x))), floating("x")  \
    }

namespace {
const Condition factor_words =
    as_the_function_says("c is the same along the axes, which are known to have elements");
// sum(x * c) over axes along which c does not change is sum(x) * c.
Build factor_out_of_sum(bool divides) {
    return [divides](const Match& m) -> Variable {
        for (auto [kept, factor] : {std::pair("x", "c"), std::pair("c", "x")}) {
            const Dims &own = m.type(factor).dims, &whole = m.type(kept).dims;
            const auto& axes = m.attr<Ints>("axes");
            bool keepdims = m.attr<bool>("keepdims");
            bool fits = own.size() == whole.size() && !axes.empty() &&
                        m.type(kept).dtype == m.root_type().dtype;
            for (int64_t axis : axes) {
                auto i = static_cast<size_t>(axis);
                fits = fits && i < own.size() && own[i].is_one() && whole[i].known() &&
                       whole[i].size() > 0;
            }
            if (fits) {
                Variable spread = keepdims ? m[factor] : squeeze(m[factor], axes);
                Variable total = sum(m[kept], axes, keepdims);
                return divides ? total / spread : total * spread;
            }
            if (divides) break;
        }
        return {};
    };
}

const Condition shifted = both(floating("x"), both(floating("c"), rank_zero("c"))).in_any_order();
const Condition positive_or_negative =
    both(shifted, {"c is a finite constant other than 0", [](const Match& m) {
                       auto c = m.number("c");
                       return c && std::isfinite(*c) && *c != 0;
                   }});
// A negative factor turns the order around.
Build scaled_extreme(bool largest) {
    return [largest](const Match& m) {
        const auto& axes = m.attr<Ints>("axes");
        bool keepdims = m.attr<bool>("keepdims");
        bool same = (*m.number("c") > 0) == largest;
        return (same ? max(m["x"], axes, keepdims) : min(m["x"], axes, keepdims)) * m["c"];
    };
}
}  // namespace

const Rules& reduce() {
    static const Variable x = wildcard("x"), c = wildcard("c");
    static const auto over = [](const Variable& pattern) {
        return any_attrs(pattern, {"axes", "keepdims"});
    };
    static const Rules rules = {
        {"sum of negated", over(sum(-x)), -over(sum(x)), floating("x")},
        {"sum of scaled", over(sum(x * c)), over(sum(x)) * c,
         both(both(floating("x"), not_half("x")),
              both(rank_zero("c"), both(floating("c"), safe_factor(false))))
             .in_any_order()},
        {"sum of divided", over(sum(x / c)), over(sum(x)) / c,
         both(both(floating("x"), not_half("x")),
              both(rank_zero("c"), both(floating("c"), safe_factor(true))))},
        {"sum of products with the same along the axes", over(sum(x * c)), factor_out_of_sum(false),
         both(both(floating("x"), not_half("x")), both(floating("c"), factor_words))},
        {"sum of quotients by the same along the axes", over(sum(x / c)), factor_out_of_sum(true),
         both(both(floating("x"), not_half("x")), both(floating("c"), factor_words))},
        {"max of shifted", over(max(x + c)), over(max(x)) + c, shifted},
        {"min of shifted", over(min(x + c)), over(min(x)) + c, shifted},
        {"max of scaled", over(max(x * c)), scaled_extreme(true), positive_or_negative},
        {"min of scaled", over(min(x * c)), scaled_extreme(false), positive_or_negative},
        {"argmax of negated", over(argmax(-x)), over(argmin(x)), floating("x")},
        {"argmin of negated", over(argmin(-x)), over(argmax(x)), floating("x")},
        {"any of not", over(any(logical_not(x))), logical_not(over(all(x))), is_bool_value("x")},
        {"all of not", over(all(logical_not(x))), logical_not(over(any(x))), is_bool_value("x")},
        {"product of exps over axes", over(prod(exp(x))), exp(over(sum(x))), floating("x")},
        {"product of squares", over(prod(sqr(x))), sqr(over(prod(x))), floating("x")},
        {"product of absolutes over axes", over(prod(abs(x))), abs(over(prod(x))), floating("x")},
        // Increasing functions of the extreme instead of the extreme of all their values.
        CROTON_INCREASING(exp),
        CROTON_INCREASING(exp2),
        CROTON_INCREASING(expm1),
        CROTON_INCREASING(tanh),
        CROTON_INCREASING(sigmoid),
        CROTON_INCREASING(softplus),
        CROTON_INCREASING(arctan),
        CROTON_INCREASING(erf),
        CROTON_INCREASING(sinh),
        CROTON_INCREASING(arcsinh),
        CROTON_INCREASING(cbrt),
        CROTON_INCREASING(floor),
        CROTON_INCREASING(ceil),
        CROTON_INCREASING(rint),
        CROTON_INCREASING(relu),
        {"max of erfc", over(max(erfc(x))), erfc(over(min(x))), floating("x")},
        {"min of erfc", over(min(erfc(x))), erfc(over(max(x))), floating("x")},
        {"max of negated", over(max(-x)), -over(min(x)), floating("x")},
        {"min of negated", over(min(-x)), -over(max(x)), floating("x")},
    };
    return rules;
}
#undef CROTON_INCREASING

namespace {
// Over no axes: nothing is folded.
Variables drop_empty_reductions(Arena& arena, NodeId id) {
    if (!arena.op(id)->kind<ReduceCompute>() || !arena.attr_view(id).get<Ints>("axes").empty())
        return {};
    Value from = arena.inputs(id)[0];
    if (arena.type(from).dtype != arena.type({id, 0}).dtype) return {};
    return {arena.variable(from)};
}

// sum(sum(x, a), b) is one sum over the axes of both, named as axes of x; so for the others that
// fold elements alike. (Sums change only in rounding.)
Variables merge_reductions(Arena& arena, NodeId id) {
    const OpRecord* op = arena.op(id);
    auto reduce = op->kind<ReduceCompute>();
    if (!reduce || reduce->combine == kernel::Combine::ArgMax ||
        reduce->combine == kernel::Combine::ArgMin)
        return {};
    Value inner = arena.inputs(id)[0];
    if (arena.kind(inner.node) != NodeKind::Apply || arena.op(inner.node) != op) return {};
    auto outer_attrs = arena.attr_view(id), inner_attrs = arena.attr_view(inner.node);
    bool keepdims = outer_attrs.get<bool>("keepdims");
    if (inner_attrs.get<bool>("keepdims") != keepdims) return {};
    Value source = arena.inputs(inner.node)[0];
    if (arena.type(source).dtype != arena.type({id, 0}).dtype) return {};
    Ints axes = inner_attrs.get<Ints>("axes"), left;
    for (int64_t axis = 0; axis < arena.type(source).rank(); ++axis)
        if (keepdims || std::find(axes.begin(), axes.end(), axis) == axes.end())
            left.push_back(axis);
    for (int64_t axis : outer_attrs.get<Ints>("axes"))
        if (int64_t own = left[static_cast<size_t>(axis)];
            std::find(axes.begin(), axes.end(), own) == axes.end())
            axes.push_back(own);
    std::sort(axes.begin(), axes.end());
    return {apply(*op, {arena.variable(source)}, {{"axes", axes}, {"keepdims", keepdims}})[0]};
}

bool folds_values(const OpRecord& op) {
    auto reduce = op.kind<ReduceCompute>();
    return reduce && reduce->combine != kernel::Combine::ArgMax &&
           reduce->combine != kernel::Combine::ArgMin;
}
bool has(const Ints& axes, int64_t axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// Along an axis of one element there is nothing to fold.
Variables skip_axes_of_one(Arena& arena, NodeId id) {
    Value x = arena.inputs(id)[0];
    if (arena.type(x).dtype != arena.type({id, 0}).dtype) return {};
    Ints axes, left, order;
    for (int64_t axis : arena.attr_view(id).get<Ints>("axes")) {
        bool one = arena.type(x).dims[static_cast<size_t>(axis)].is_one();
        (one ? order : left).push_back(axis);
    }
    if (order.empty()) return {};
    bool keepdims = arena.attr_view(id).get<bool>("keepdims");
    Variable made = arena.variable(x);
    if (!keepdims) made = squeeze(made, order);
    for (int64_t axis : left) {
        auto before =
            std::count_if(order.begin(), order.end(), [&](int64_t o) { return o < axis; });
        axes.push_back(keepdims ? axis : axis - before);
    }
    if (!axes.empty())
        made = apply(*arena.op(id), {made}, {{"axes", axes}, {"keepdims", keepdims}})[0];
    return {with_sizes(made, arena.type({id, 0}).dims)};
}

// sum(x.T, axis 0) is sum(x, axis 1): what is left is moved, if anything.
Variables fold_before_moving(Arena& arena, NodeId id) {
    static const OpRecord* dimshuffle_op = record("dimshuffle");
    Value view = arena.inputs(id)[0];
    if (!made_by(arena, view, dimshuffle_op)) return {};
    Value x = arena.inputs(view.node)[0];
    const Ints order = arena.attr_view(view.node).get<Ints>("order"),
               axes = arena.attr_view(id).get<Ints>("axes");
    bool keepdims = arena.attr_view(id).get<bool>("keepdims");
    Ints folded, places, moved;
    for (int64_t axis : axes)
        if (int64_t own = order[static_cast<size_t>(axis)]; own >= 0) folded.push_back(own);
    if (folded.empty()) return {};
    std::sort(folded.begin(), folded.end());
    for (int64_t axis = 0, next = 0; axis < arena.type(x).rank(); ++axis)
        places.push_back(has(folded, axis) ? -1 : next++);
    for (size_t i = 0; i < order.size(); ++i) {
        bool gone = has(axes, static_cast<int64_t>(i));
        if (gone && keepdims) moved.push_back(new_axis);
        if (!gone) moved.push_back(order[i] < 0 ? new_axis : places[static_cast<size_t>(order[i])]);
    }
    Variable made =
        apply(*arena.op(id), {arena.variable(x)}, {{"axes", folded}, {"keepdims", false}})[0];
    return {with_sizes(dimshuffle(made, moved), arena.type({id, 0}).dims)};
}

// The scalar that fills an array; null if it is filled with nothing of that sort.
Variable filling_scalar(Arena& arena, Value v) {
    static const OpRecord *broadcast_op = record("broadcast_to"), *fill_op = record("fill"),
                          *full_like_op = record("full_like");
    bool second = made_by(arena, v, fill_op) || made_by(arena, v, full_like_op);
    if (!second && !made_by(arena, v, broadcast_op)) return {};
    Variable value = input_of(arena, v, second ? 1 : 0);
    const Array* number = constant_value(value);
    if (number && number->size() == 1) value = constant(number->reshape({}), value.site());
    return value.rank() == 0 && value.dtype() == arena.type(v).dtype ? value : Variable();
}

// The sum of so many times the same number is their product. Without elements it is 0, and
// 0 * inf would be no number: the number is known to be finite.
Variables sum_of_one_value(Arena& arena, NodeId id) {
    Value filled = arena.inputs(id)[0];
    Variable value = filling_scalar(arena, filled);
    if (!value || arena.type({id, 0}).rank() != 0) return {};
    const Array* number = arena.constant(arena.add(value));
    if (!number || is_complex(number->dtype()) || !std::isfinite(number->item<double>())) return {};
    DType dtype = arena.type({id, 0}).dtype;
    return {cast(value, dtype) * cast(count(arena.variable(filled)), dtype)};
}

// The largest and the smallest of equal numbers, of which there are some.
Variables extreme_of_one_value(Arena& arena, NodeId id) {
    Value filled = arena.inputs(id)[0];
    Variable value = filling_scalar(arena, filled);
    const Dims& dims = arena.type(filled).dims;
    bool some = std::all_of(dims.begin(), dims.end(),
                            [](Dim dim) { return dim.known() && dim.size() > 0; });
    if (!value || !some || arena.type({id, 0}).rank() != 0) return {};
    return {value};
}
// Sums over some axes of what is centred along them: x - mean(x) has the sum 0, and so has any
// multiple of it.
class Centred {
  public:
    Centred(Arena& arena, const Ints& axes) : arena_(arena), axes_(axes) {}

    /// The sum of such a value, its axes kept: 0, or no number where x has no finite sum. Null: the
    /// value is not known to be centred.
    Variable sum_of(Value v) {
        static const OpRecord *sub_op = record("sub"), *neg_op = record("neg"),
                              *mul_op = record("mul"), *div_op = record("div");
        if (made_by(arena_, v, neg_op)) return sum_of(input(v, 0));
        if (made_by(arena_, v, sub_op)) return either(v, &Centred::less_mean);
        if (made_by(arena_, v, mul_op)) return either(v, &Centred::scaled);
        if (!made_by(arena_, v, div_op) || !same_along(input(v, 0), input(v, 1))) return {};
        Variable sum = sum_of(input(v, 0));
        return sum ? sum / arena_.variable(input(v, 1)) : sum;
    }

  private:
    Value input(Value v, size_t i) { return arena_.inputs(v.node)[i]; }

    Variable either(Value v, Variable (Centred::*sum)(Value, Value)) {
        Variable found = (this->*sum)(input(v, 0), input(v, 1));
        return found ? found : (this->*sum)(input(v, 1), input(v, 0));
    }

    Variable less_mean(Value x, Value mean) {
        static const OpRecord* mean_op = record("mean");
        if (!made_by(arena_, mean, mean_op) || input(mean, 0) != x) return {};
        auto attrs = arena_.attr_view(mean.node);
        if (!attrs.get<bool>("keepdims") || attrs.get<Ints>("axes") != axes_) return {};
        Variable total = sum(arena_.variable(x), axes_, true);
        return total - total;
    }

    // By what is the same along the axes. It stays a factor: 0 times what is infinite is no number.
    Variable scaled(Value v, Value factor) {
        Variable sum = same_along(v, factor) ? sum_of(v) : Variable();
        return sum ? sum * arena_.variable(factor) : sum;
    }

    // It brings no other elements along the other axes either.
    bool same_along(Value v, Value factor) {
        const Dims &own = arena_.type(factor).dims, &whole = arena_.type(v).dims;
        if (own.size() > whole.size()) return false;
        for (size_t i = 0; i < own.size(); ++i) {
            size_t axis = i + whole.size() - own.size();
            bool along =
                std::find(axes_.begin(), axes_.end(), static_cast<int64_t>(axis)) != axes_.end();
            if (!own[i].is_one() && (along || !certainly_same({own[i]}, {whole[axis]})))
                return false;
        }
        return true;
    }

    Arena& arena_;
    const Ints& axes_;
};

// A part that is centred is not gone over: the gradients of centred values have one.
Variables sum_without_centred(Arena& arena, NodeId id) {
    static const OpRecord *add_op = record("add"), *sub_op = record("sub");
    Value v = arena.inputs(id)[0];
    auto attrs = arena.attr_view(id);
    const Ints& axes = attrs.get<Ints>("axes");
    const DType dtype = arena.type({id, 0}).dtype;
    if (axes.empty() || !is_floating(dtype) || arena.type(v).dtype != dtype) return {};
    bool keepdims = attrs.get<bool>("keepdims");
    Centred centred(arena, axes);
    auto as_asked = [&](const Variable& kept) { return keepdims ? kept : squeeze(kept, axes); };
    auto done = [&](const Variable& made) -> Variables {
        return {with_sizes(made, arena.type({id, 0}).dims)};
    };
    if (Variable sum = centred.sum_of(v)) return done(as_asked(sum));
    bool less = made_by(arena, v, sub_op);
    if (!less && !made_by(arena, v, add_op)) return {};
    Value a = arena.inputs(v.node)[0], b = arena.inputs(v.node)[1];
    if (!sized_like(arena, a, v.node) || !sized_like(arena, b, v.node)) return {};
    auto sum = [&](Value part) { return croton::sum(arena.variable(part), axes, keepdims); };
    if (Variable first = centred.sum_of(a))
        return done(less ? as_asked(first) - sum(b) : sum(b) + as_asked(first));
    if (Variable second = centred.sum_of(b))
        return done(less ? sum(a) - as_asked(second) : sum(a) + as_asked(second));
    return {};
}
}  // namespace

std::vector<NodeRule> reduce_node_rules() {
    auto folds = [](const OpRecord& op) { return op.kind<ReduceCompute>() != nullptr; };
    auto fold_values = &folds_values;
    return {
        NodeRule{"reduction over no axes", drop_empty_reductions, folds},
        NodeRule{"reduction of reduction", merge_reductions, folds},
        NodeRule{"fold of one element", skip_axes_of_one, fold_values},
        NodeRule{"fold of axes moved", fold_before_moving, fold_values, below({"dimshuffle"})},
        NodeRule{"sum of one value", sum_of_one_value, about({"sum"}),
                 below({"broadcast_to", "fill", "full_like"})},
        NodeRule{"sum of what is centred", sum_without_centred, about({"sum"}),
                 below({"add", "sub", "mul", "div", "neg"})},
        NodeRule{"extreme of one value", extreme_of_one_value, about({"max", "min", "supremum"}),
                 below({"broadcast_to", "fill", "full_like"})},
    };
}

}  // namespace croton::rules
