// Probabilities: softmax, logarithms of sums and products, cross-entropies however they are
// written, and their gradients.
#include <algorithm>
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/parts.hpp"
#include "croton/rules/stability.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
bool over_last_axis(const Match& m, std::string_view of) {
    return m.attr<int64_t>("axis") == m.type(of).rank() - 1;
}

// -log(softmax(x)[true class]) and -sum(truth * log(softmax(x))), whichever the truth says.
Variable crossentropy_of_softmax(const Match& m) {
    if (!over_last_axis(m, "x")) return {};
    Variable logs = log_softmax(m["x"]), y = m["y"];
    if (!is_continuous(y.dtype()) && y.rank() + 1 == m.type("x").rank()) return -pick(logs, y);
    return -sum(y * logs, -1);
}

// The order that puts an axis that was folded back as one of size 1.
Ints axis_put_back(int64_t folded, int rank) {
    Ints order;
    for (int64_t axis = 0; axis < rank; ++axis)
        order.push_back(axis == folded ? new_axis : axis - (axis > folded));
    return order;
}

// exp(x) over its sums along one axis, which were left in place or put back.
Variable softmax_by_hand(const Match& m) {
    const Ints& axes = m.attr<Ints>("axes");
    if (axes.size() != 1 || !m.attr<bool>("keepdims")) return {};
    return softmax(m["x"], axes[0]);
}
Variable softmax_by_hand_shuffled(const Match& m) {
    const Ints &axes = m.attr<Ints>("axes"), &order = m.attr<Ints>("order");
    if (axes.size() != 1 || m.attr<bool>("keepdims")) return {};
    return order == axis_put_back(axes[0], m.type("x").rank()) ? softmax(m["x"], axes[0])
                                                               : Variable();
}

Variable sum_of_unpick(const Match& m) {
    int last = m.type("x").rank() - 1;
    if (m.attr<Ints>("axes") != Ints{last}) return {};
    return m.attr<bool>("keepdims") ? expand_dims(m["v"], -1) : m["v"];
}

// --- shifts that do not matter ------------------------------------------------------------------

// Whether s has no axes that something of that rank lacks, and is the same along these.
bool same_along(const TensorType& s, const Ints& axes, int rank) {
    return s.rank() <= rank && std::all_of(axes.begin(), axes.end(), [&](int64_t axis) {
               int64_t own = axis - (rank - s.rank());
               return own < 0 || s.dims[static_cast<size_t>(own)].is_one();
           });
}

// softmax(x + s) is softmax(x) if s is the same along the axis; so for log_softmax. A difference
// has its shift on the right.
Build unshifted(Variable (*of)(Arg, Given<int64_t>), bool sum) {
    return [of, sum](const Match& m) -> Variable {
        int64_t axis = m.attr<int64_t>("axis");
        for (auto [kept, shift] : {std::pair("x", "s"), std::pair("s", "x")}) {
            if (same_along(m.type(shift), {axis}, m.root_type().rank()) &&
                shaped_like_result(kept)(m) && m.type(kept).dtype == m.root_type().dtype)
                return of(m[kept], axis);
            if (!sum) break;
        }
        return {};
    };
}

Variable log_softmax_by_hand(const Match& m) {
    const Ints& axes = m.attr<Ints>("axes");
    if (axes.size() != 1 || !m.attr<bool>("keepdims")) return {};
    return log_softmax(m["x"], axes[0]);
}
Variable log_softmax_by_hand_shuffled(const Match& m) {
    const Ints &axes = m.attr<Ints>("axes"), &order = m.attr<Ints>("order");
    if (axes.size() != 1 || m.attr<bool>("keepdims")) return {};
    return order == axis_put_back(axes[0], m.type("x").rank()) ? log_softmax(m["x"], axes[0])
                                                               : Variable();
}

// logsumexp(x - s) + s, s as it is subtracted, ...
Variable unshifted_sum_of_exps(const Match& m) {
    const Ints& axes = m.attr<Ints>("axes");
    bool keepdims = m.attr<bool>("keepdims");
    if (!keepdims && m.type("s").rank() != 0) return {};
    if (!same_along(m.type("s"), axes, m.type("x").rank())) return {};
    return logsumexp(m["x"], axes, keepdims);
}
// ... with the axis put back before the subtraction, ...
Variable unshifted_sum_of_exps_put_back(const Match& m) {
    const Ints &axes = m.attr<Ints>("axes"), &order = m.attr<Ints>("order");
    if (axes.size() != 1 || m.attr<bool>("keepdims")) return {};
    if (order != axis_put_back(axes[0], m.type("x").rank())) return {};
    return logsumexp(m["x"], axes);
}
// ... or taken away after it.
Variable unshifted_sum_of_exps_taken_away(const Match& m) {
    const Ints &axes = m.attr<Ints>("axes"), &order = m.attr<Ints>("order");
    if (axes.size() != 1 || m.attr<bool>("keepdims")) return {};
    Ints others;
    for (int64_t axis = 0; axis < m.type("x").rank(); ++axis)
        if (axis != axes[0]) others.push_back(axis);
    if (order != others || m.type("s").rank() != m.type("x").rank()) return {};
    return logsumexp(m["x"], axes);
}

// --- logarithms of products and sums ------------------------------------------------------------

bool made_of_what_is_never_negative(const Match& m, std::string_view name) {
    Value x = m.value(name);
    if (m.arena().kind(x.node) != NodeKind::Apply) return false;
    const auto& low = m.arena().op(x.node)->facts.low;
    return low && *low >= 0;
}
Condition never_negative(std::string name) {
    return {cat(name, " is made by an op that gives no negative numbers"),
            [name](const Match& m) { return made_of_what_is_never_negative(m, name); }};
}

// What a logarithm has a rule for: the constant factor must not stand between them.
const Condition log_has_a_rule{
    "x is an exponential, a probability or a product", [](const Match& m) {
        Value x = m.value("x");
        Arena& arena = m.arena();
        if (arena.kind(x.node) != NodeKind::Apply) return false;
        std::string_view op = arena.op(x.node)->name;
        if (op == "sum") {
            Value summed = arena.inputs(x.node)[0];
            return arena.kind(summed.node) == NodeKind::Apply &&
                   arena.op(summed.node)->name == "exp";
        }
        constexpr std::string_view names[] = {"exp",  "exp2", "sigmoid", "softmax",
                                              "erfc", "prod", "pow"};
        return std::find(std::begin(names), std::end(names), op) != std::end(names);
    }};
const Condition positive_number{"c is a positive constant scalar", [](const Match& m) {
                                    auto c = m.number("c");
                                    return c && *c > 0 && std::isfinite(*c) &&
                                           m.type("c").rank() == 0;
                                }};
Build log_and_constant(int sign) {
    return [sign](const Match& m) { return log(m["x"]) + sign * std::log(*m.number("c")); };
}

Variable log_of_mean_of_exps(const Match& m) {
    const Ints& axes = m.attr<Ints>("axes");
    Variable n = cast(count(m["x"], axes), m.root_type().dtype);
    return logsumexp(m["x"], axes, m.attr<bool>("keepdims")) - log(n);
}

Variable variance_by_moments(const Match& m) {
    return var(m["x"], m.attr<Ints>("axes"), 0, m.attr<bool>("keepdims"));
}

// --- positions ----------------------------------------------------------------------------------

// The largest of probabilities is where the largest of what they are made of is.
Build extreme_of_argument(bool largest, bool along_axis) {
    return [=](const Match& m) -> Variable {
        const Ints& axes = m.attr<Ints>("axes");
        if (along_axis && axes != Ints{m.attr<int64_t>("axis")}) return {};
        bool keepdims = m.attr<bool>("keepdims");
        return largest ? argmax(m["x"], axes, keepdims) : argmin(m["x"], axes, keepdims);
    };
}
}  // namespace

Rules stable_probabilities() {
    static const Variable x = wildcard("x"), y = wildcard("y"), z = wildcard("z"),
                          s = wildcard("s"), v = wildcard("v"), c = wildcard("c");
    static const auto over = [](const Variable& pattern) {
        return any_attrs(pattern, {"axes", "keepdims"});
    };
    static const auto along = [](const Variable& pattern) { return any_attrs(pattern, {"axis"}); };
    static const Variable p = along(softmax(x)), logs = along(log_softmax(x));
    static const AttrWildcard taken{"taken"}, mode{"mode"}, index{"index"};
    static const Condition real = floating("x"), reals = both(real, floating("y")),
                           same_shift = both(
                               real, both(floating("s"),
                                          as_the_function_says("s is the same along the axis"))),
                           one_axis = both(real, as_the_function_says("over one axis")),
                           own_axis =
                               both(real, as_the_function_says("over the axis of the softmax"));
    return {
        // name                          left                              right where
        {"softmax by hand", exp(x) / any_attrs(sum(exp(x)), {"axes", "keepdims"}), softmax_by_hand,
         both(real, as_the_function_says("over one axis, which is kept"))},
        {"softmax by hand, axis put back",
         exp(x) /
             any_attrs(dimshuffle(any_attrs(sum(exp(x)), {"axes", "keepdims"}), Ints{}), {"order"}),
         softmax_by_hand_shuffled,
         both(real, as_the_function_says("over one axis, which is put back"))},
        {"log of softmax", log(p), logs, real},
        {"exp of log softmax", exp(logs), p, real},
        {"log of sum of exps", log(any_attrs(sum(exp(x)), {"axes", "keepdims"})),
         any_attrs(logsumexp(x), {"axes", "keepdims"}), real},
        {"log of picked softmax", log(pick(p, y)), pick(logs, y), real},
        {"cross-entropy of softmax", categorical_crossentropy(p, y), crossentropy_of_softmax,
         both(real, as_the_function_says("over the last axis"))},
        {"cross-entropy of sigmoid", binary_crossentropy(sigmoid(x), y),
         sigmoid_binary_crossentropy(x, y), real},
        // Gradients: probability times its own reciprocal is one even where it underflows to zero.
        {"softmax times quotient by it", p * (s / p), s, shaped_like_result("s")},
        {"softmax times gradient of picked log", p * unpick(-(s / pick(p, y)), y, p),
         unpick(-s, y, p), same_sizes("s", "y")},
        {"softmax times gradient of picked log, unsigned", p * unpick(s / pick(p, y), y, p),
         unpick(s, y, p), same_sizes("s", "y")},
        {"unpick of negated", unpick(-s, y, x), -unpick(s, y, x)},
        {"sum of unpicked", any_attrs(sum(unpick(v, y, x)), {"axes", "keepdims"}), sum_of_unpick,
         both(floating("v"), as_the_function_says("over the last axis"))},

        // however they are written
        {"softmax of a difference", along(softmax(x - s)), unshifted(softmax, false), same_shift},
        {"softmax of a sum", along(softmax(x + s)), unshifted(softmax, true), same_shift},
        {"log of softmax of a difference", along(log_softmax(x - s)), unshifted(log_softmax, false),
         same_shift},
        {"log of softmax of a sum", along(log_softmax(x + s)), unshifted(log_softmax, true),
         same_shift},
        {"log of softmax by hand", x - over(logsumexp(x)), log_softmax_by_hand, one_axis},
        {"log of softmax by hand, axis put back",
         x - any_attrs(dimshuffle(over(logsumexp(x)), Ints{}), {"order"}),
         log_softmax_by_hand_shuffled, one_axis},
        {"sum of exps of a difference", over(logsumexp(x - s)) + s, unshifted_sum_of_exps,
         same_shift},
        {"sum of exps of a difference, axis put back",
         over(logsumexp(x - any_attrs(dimshuffle(s, Ints{}), {"order"}))) + s,
         unshifted_sum_of_exps_put_back, same_shift},
        {"sum of exps of a difference, axis taken away",
         over(logsumexp(x - s)) + any_attrs(dimshuffle(s, Ints{}), {"order"}),
         unshifted_sum_of_exps_taken_away, same_shift},
        {"log of softmax at positions", log(take(p, y, taken, mode)), take(logs, y, taken, mode),
         real},
        {"log of softmax at pairs of positions", log(gather(p, {y, z}, taken, mode)),
         gather(logs, {y, z}, taken, mode), real},
        {"log of softmax at a position a row", log(take_along_axis(p, y, taken)),
         take_along_axis(logs, y, taken), real},
        {"log of part of softmax", log(subtensor(p, {}, index)), subtensor(logs, {}, index), real},

        {"log of absolute product", log(abs(over(prod(x)))), over(sum(log(abs(x)))), real},
        {"log of product", log(over(prod(x))), over(sum(log(x))), both(real, never_negative("x"))},
        {"log of scaled", log(x * c), log_and_constant(1),
         both(real, both(log_has_a_rule, positive_number))},
        {"log of divided", log(x / c), log_and_constant(-1),
         both(real, both(log_has_a_rule, positive_number))},
        {"log of sum of weighted exps", log(over(sum(x * exp(y)))), over(logsumexp(y + log(x))),
         both(reals, never_negative("x"))},
        {"log of mean of exps", log(over(mean(exp(x)))), log_of_mean_of_exps, real},
        {"variance by moments", over(mean(sqr(x))) - sqr(over(mean(x))), variance_by_moments, real},

        {"argmax of softmax", over(argmax(p)), extreme_of_argument(true, true), own_axis},
        {"argmin of softmax", over(argmin(p)), extreme_of_argument(false, true), own_axis},
        {"argmax of log of softmax", over(argmax(logs)), extreme_of_argument(true, true), own_axis},
        {"argmin of log of softmax", over(argmin(logs)), extreme_of_argument(false, true),
         own_axis},
        {"argmax of sigmoid", over(argmax(sigmoid(x))), extreme_of_argument(true, false), real},
        {"argmax of exp", over(argmax(exp(x))), extreme_of_argument(true, false), real},
        {"argmax of tanh", over(argmax(tanh(x))), extreme_of_argument(true, false), real},
    };
}

}  // namespace croton::rules
