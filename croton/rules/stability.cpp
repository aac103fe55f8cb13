// Right numbers at the edges: logarithms, exponentials, softmax and their kin. The right side may
// be finite where the left overflows; never the reverse.
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

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

// exp(x) over its sums along one axis, which were left in place or put back.
Variable softmax_by_hand(const Match& m) {
    const Ints& axes = m.attr<Ints>("axes");
    if (axes.size() != 1 || !m.attr<bool>("keepdims")) return {};
    return softmax(m["x"], axes[0]);
}
Variable softmax_by_hand_shuffled(const Match& m) {
    const Ints &axes = m.attr<Ints>("axes"), &order = m.attr<Ints>("order");
    if (axes.size() != 1 || m.attr<bool>("keepdims")) return {};
    Ints back;  // the order that puts the summed axis back as one of size 1
    for (int64_t axis = 0; axis < m.type("x").rank(); ++axis)
        back.push_back(axis == axes[0] ? -1 : axis - (axis > axes[0]));
    return order == back ? softmax(m["x"], axes[0]) : Variable();
}

Variable sum_of_unpick(const Match& m) {
    int last = m.type("x").rank() - 1;
    if (m.attr<Ints>("axes") != Ints{last}) return {};
    return m.attr<bool>("keepdims") ? expand_dims(m["v"], -1) : m["v"];
}
}  // namespace

const Rules& stability() {
    static const Variable x = wildcard("x"), y = wildcard("y"), s = wildcard("s"),
                          v = wildcard("v");
    static const Variable p = any_attrs(softmax(x), {"axis"}),
                          logs = any_attrs(log_softmax(x), {"axis"});
    static const Condition real = floating("x");
    static const Rules rules = {
        // name                          left                              right where
        {"log of one plus", log(1 + x), log1p(x), real},
        {"log of one minus", log(1 - x), log1p(-x), real},
        {"exp minus one", exp(x) - 1, expm1(x), real},
        {"one minus exp", 1 - exp(x), -expm1(x), real},
        {"expm1 plus one", expm1(x) + 1, exp(x), real},
        {"log1p of less one", log1p(x - 1), log(x), real},
        {"log of exp", log(exp(x)), x, real},
        {"log1p of expm1", log1p(expm1(x)), x, real},
        {"log of reciprocal", log(reciprocal(x)), -log(x), real},
        {"log of root", log(sqrt(x)), log(x) * 0.5, real},
        {"reciprocal of exp", reciprocal(exp(x)), exp(-x), real},
        {"quotient by exp", y / exp(x), y * exp(-x), both(real, floating("y"))},
        {"product of exps", exp(x) * exp(y), exp(x + y), both(real, floating("y"))},
        {"softplus", log1p(exp(x)), softplus(x), real},
        {"log of sum of two exps", log(exp(x) + exp(y)), logaddexp(x, y),
         both(real, floating("y"))},

        {"sigmoid", reciprocal(1 + exp(-x)), sigmoid(x), real},
        {"sigmoid of negated", reciprocal(1 + exp(x)), sigmoid(-x), real},
        {"sigmoid as quotient", exp(x) / (1 + exp(x)), sigmoid(x), real},
        {"one minus sigmoid", 1 - sigmoid(x), sigmoid(-x), real},
        {"log of sigmoid", log(sigmoid(x)), -softplus(-x), real},
        {"log1p of minus sigmoid", log1p(-sigmoid(x)), -softplus(x), real},
        {"sigmoid times exp of negated", sigmoid(x) * exp(-x), sigmoid(-x), real},
        {"sigmoid of negated times exp", sigmoid(-x) * exp(x), sigmoid(x), real},
        {"softplus less its argument", softplus(x) - x, softplus(-x), real},
        {"exp of softplus", exp(softplus(x)), 1 + exp(x), real},
        {"exp of minus softplus", exp(-softplus(x)), sigmoid(-x), real},

        {"one minus erf", 1 - erf(x), erfc(x), real},
        {"one minus erfc", 1 - erfc(x), erf(x), real},
        {"erf minus one", erf(x) - 1, -erfc(x), real},
        {"one plus erf", 1 + erf(x), erfc(-x), real},

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
        {"sigmoid times quotient by it", sigmoid(x) * (s / sigmoid(x)), s, shaped_like_result("s")},
        {"exp times quotient by it", exp(x) * (s / exp(x)), s, shaped_like_result("s")},
        {"softmax times gradient of picked log", p * unpick(-(s / pick(p, y)), y, p),
         unpick(-s, y, p), same_sizes("s", "y")},
        {"softmax times gradient of picked log, unsigned", p * unpick(s / pick(p, y), y, p),
         unpick(s, y, p), same_sizes("s", "y")},
        {"unpick of negated", unpick(-s, y, x), -unpick(s, y, x)},
        {"sum of unpicked", any_attrs(sum(unpick(v, y, x)), {"axes", "keepdims"}), sum_of_unpick,
         both(floating("v"), as_the_function_says("over the last axis"))},
    };
    return rules;
}

}  // namespace croton::rules
