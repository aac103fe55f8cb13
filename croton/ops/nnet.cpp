#include "croton/ops/nnet.hpp"

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/recipes.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
using kernel::Scalar;
using types::Types;

// --- normalised exponentials --------------------------------------------------------------------

Types rows_type(TypeContext& c) {
    Types result = types::promoted_floating(c);
    int64_t& axis = c.attr<int64_t>("axis");
    axis = normalize_axis(axis, c.type(0).rank(), c.op.name);
    return result;
}

int64_t axis_of(const Node& node) { return attrs_of(node).get<int64_t>("axis"); }

Variable row_sum(const DerivativeContext& d, const Variable& x) {
    return sum(x, axis_of(d.node()), true);
}

Variables expand_softmax(const Node& node) {
    const Variable& x = node.inputs[0];
    Variable e = exp(x - supremum(x, axis_of(node), true));
    return {e / sum(e, axis_of(node), true)};
}

// The Jacobian of a row is diag(y) - y y', its own transpose.
Variable softmax_derivative(const DerivativeContext& d, const Variable& v) {
    Variable weighted = d.output() * v;
    return weighted - d.output() * row_sum(d, weighted);
}

const OpRecord softmax_record{
    .name = "softmax",
    .doc = "exp(x) / sum(exp(x)) along an axis, without overflow.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = {{"axis", int64_t{-1}, false, "axis along which the result sums to 1"}},
    .type = rows_type,
    .compute = ExpandCompute{expand_softmax},
    .pullback = [](const Pullback& p) { return Cotangents{softmax_derivative(p, p.seed())}; },
    .pushforward =
        [](const Pushforward& p) { return Variables{softmax_derivative(p, p.tangent())}; },
    .facts = facts::in_range(0, 1),
    .onnx = "Softmax",
};

Variables expand_log_softmax(const Node& node) {
    const Variable& x = node.inputs[0];
    Variable shifted = x - supremum(x, axis_of(node), true);
    return {shifted - log(sum(exp(shifted), axis_of(node), true))};
}

const OpRecord log_softmax_record{
    .name = "log_softmax",
    .doc = "x - log(sum(exp(x))) along an axis, without overflow.",
    .arguments = {{"x", Accepts::Real}},
    .attributes = {{"axis", int64_t{-1}, false, "axis along which exp of the result sums to 1"}},
    .type = rows_type,
    .compute = ExpandCompute{expand_log_softmax},
    .pullback =
        [](const Pullback& p) {
            return Cotangents{p.seed() - exp(p.output()) * row_sum(p, p.seed())};
        },
    .pushforward =
        [](const Pushforward& p) {
            return Variables{p.tangent() - row_sum(p, exp(p.output()) * p.tangent())};
        },
    .facts = Facts{.high = 0},
    .onnx = "LogSoftmax",
};

// --- activations --------------------------------------------------------------------------------

// The seed where x is positive, times `slope` where it is negative, times the mean of both at 0.
Variable bent(const Pullback& p, Arg slope) {
    Variable at_zero = p.seed() * (0.5 * (1 + cast(slope, p.seed().dtype())));
    Variable below = where(eq(p.input(0), 0), at_zero, p.seed() * slope);
    return where(p.input(0) > 0, p.seed(), below);
}

const OpRecord relu_record{
    .name = "relu",
    .doc = "max(x, 0); NaN stays. Its derivative at 0 is taken as 1/2, as Theano's.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_numbers,
    .compute = scalar([](auto& b, auto x) { return b.maximum(x, b.like(x, 0)); }),
    .pullback = [](const Pullback& p) { return Cotangents{bent(p, 0)}; },
    .facts = facts::increasing | facts::idempotent | Facts{.low = 0},
    .onnx = "Relu",
};

const OpRecord leaky_relu_record{
    .name = "leaky_relu",
    .doc =
        "x for positive x, slope * x for others. At 0 the derivative is the mean of both slopes.",
    .arguments = {{"x", Accepts::Real}, {"slope", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar(
        [](auto& b, auto x, auto slope) { return b.select(b.gt(x, b.like(x, 0)), x, slope * x); }),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{bent(p, p.input(1)), where(p.input(0) > 0, 0, p.seed() * p.input(0))};
        },
};

const OpRecord elu_record{
    .name = "elu",
    .doc = "x for positive x, alpha * (exp(x) - 1) for others.",
    .arguments = {{"x", Accepts::Real}, {"alpha", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = scalar([](auto& b, auto x, auto alpha) {
        auto zero = b.like(x, 0);
        return b.select(b.gt(x, zero), x, alpha * b.expm1(b.minimum(zero, x)));
    }),
    .pullback =
        [](const Pullback& p) {
            Variable positive = p.input(0) > 0, low = minimum(p.input(0), 0);
            return Cotangents{where(positive, p.seed(), p.seed() * p.input(1) * exp(low)),
                              where(positive, 0, p.seed() * expm1(low))};
        },
};

// Fixed points of mean and variance (Klambauer et al., Self-Normalizing Neural Networks, 2017).
constexpr double selu_scale = 1.0507009873554804934193349852946;
constexpr double selu_alpha = 1.6732632423543772848170429916717;

const OpRecord selu_record{
    .name = "selu",
    .doc = "elu with the two constants that keep mean 0 and variance 1 from layer to layer.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = expand([](const Variable& x) { return selu_scale * elu(x, selu_alpha); }),
    .pullback =
        [](const Pullback& p) {
            Variable low = minimum(p.input(), 0);
            Variable slope = where(p.input() > 0, 1, selu_alpha * exp(low));
            return Cotangents{p.seed() * (selu_scale * slope)};
        },
    .facts = facts::increasing,
    .onnx = "Selu",
};

const OpRecord softsign_record{
    .name = "softsign",
    .doc = "x / (1 + |x|).",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = expand([](const Variable& x) { return x / (1 + abs(x)); }),
    .pullback = [](const Pullback& p) { return Cotangents{p.seed() / sqr(1 + abs(p.input()))}; },
    .facts = facts::odd | facts::increasing | facts::in_range(-1, 1),
    .onnx = "Softsign",
};

const OpRecord hard_sigmoid_record{
    .name = "hard_sigmoid",
    .doc = "clip(0.2 x + 0.5, 0, 1): a sigmoid of straight lines.",
    .arguments = {{"x", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = expand([](const Variable& x) { return clip(0.2 * x + 0.5, 0, 1); }),
    .pullback =
        [](const Pullback& p) {
            return Cotangents{where(abs(p.input()) <= 2.5, 0.2 * p.seed(), 0)};
        },
    .facts = facts::increasing | facts::in_range(0, 1),
    .onnx = "HardSigmoid",
};

// --- picking ------------------------------------------------------------------------------------

// `classes` (input i) names one element of each row of a table of type `rows`.
void check_classes(TypeContext& c, size_t i, const TensorType& rows) {
    if (rows.rank() != c.type(i).rank() + 1)
        fail(ErrorKind::Type, c.op.name, ": y must have one axis less than x; they have ",
             c.type(i).rank(), " and ", rows.rank());
    types::convert(c, i, DType::Int64);
}

Types pick_type(TypeContext& c) {
    check_classes(c, 1, c.type(0));
    Dims dims = c.type(1).dims;
    for (size_t i = 0; i < dims.size(); ++i) {
        Dim row = c.type(0).dims[i];
        if (dims[i].known() && row.known() && dims[i] != row)
            fail(ErrorKind::Shape, c.op.name, ": y names ", dims[i].size(), " classes for ",
                 row.size(), " rows in axis ", i);
        if (!dims[i].known()) dims[i] = row;
    }
    return {{c.type(0).dtype, dims}};
}

void check_rows(std::string_view op, const TensorRef& rows, const TensorRef& classes) {
    Sizes leading = rows.shape;
    leading.pop_back();
    if (leading != classes.shape)
        fail(ErrorKind::Shape, op, ": y of shape ", shape_text(classes.shape),
             " does not name one element of each row of x, which has shape ",
             shape_text(rows.shape));
}

// The class as a position in a row of `size`: negative ones count from the end.
Scalar position_in_row(kernel::Builder& b, int classes, std::span<const Scalar> row, Scalar size) {
    Scalar y = b.load_at(classes, row);
    return b.select(b.lt(y, b.like(y, 0)), y + size, y);
}

const OpRecord pick_record{
    .name = "pick",
    .doc = "x[..., y[...]]: of each row (last axis) of x the element that the integer y names.",
    .arguments = {{"x"}, {"y", Accepts::Integer}},
    .type = pick_type,
    .compute = IndexedCompute{[](const AttrView&, std::span<const TensorRef> inputs,
                                 std::span<Sizes> outputs) {
                                  check_rows("pick", inputs[0], inputs[1]);
                                  outputs[0] = inputs[1].shape;
                              },
                              [](kernel::Builder& b, std::span<const int> tables,
                                 std::span<const Scalar> index, const Node&) {
                                  Scalar size = b.size(tables[0], static_cast<int>(index.size()));
                                  std::vector<Scalar> place(index.begin(), index.end());
                                  place.push_back(position_in_row(b, tables[1], index, size));
                                  return b.load_at(tables[0], place);
                              }},
    .pullback =
        [](const Pullback& p) {
            return Cotangents{unpick(p.seed(), p.input(1), p.input(0)), Variable()};
        },
    .pushforward =
        [](const Pushforward& p) {
            return Variables{p.tangent() ? pick(p.tangent(), p.input(1)) : Variable()};
        },
};

Types unpick_type(TypeContext& c) {
    check_classes(c, 1, c.type(2));
    types::unify(c, 2);  // a plain number takes its dtype
    if (c.type(0).rank() != c.type(1).rank())
        fail(ErrorKind::Type, "unpick: values and y must have the same rank");
    return {{c.type(0).dtype, c.type(2).dims}};
}

const OpRecord unpick_record{
    .name = "unpick",
    .doc =
        "Zeros of x's sizes with values[...] at [..., y[...]]: the gradient of pick. The "
        "elements of x do not matter.",
    .arguments = {{"values"}, {"y", Accepts::Integer}, {"x"}},
    .type = unpick_type,
    .compute = IndexedCompute{[](const AttrView&, std::span<const TensorRef> inputs,
                                 std::span<Sizes> outputs) {
                                  check_rows("unpick", inputs[2], inputs[1]);
                                  check_rows("unpick", inputs[2], inputs[0]);
                                  outputs[0] = inputs[2].shape;
                              },
                              [](kernel::Builder& b, std::span<const int> tables,
                                 std::span<const Scalar> index, const Node&) {
                                  auto row = index.first(index.size() - 1);
                                  Scalar size = b.size(tables[2], static_cast<int>(row.size()));
                                  Scalar hit =
                                      b.eq(index.back(), position_in_row(b, tables[1], row, size));
                                  Scalar value = b.load_at(tables[0], row);
                                  return b.select(hit, value, b.like(value, 0));
                              }},
    .pullback =
        [](const Pullback& p) {
            return Cotangents{pick(p.seed(), p.input(1)), Variable(), Variable()};
        },
    .pushforward =
        [](const Pushforward& p) {
            bool moves = static_cast<bool>(p.tangent());
            return Variables{moves ? unpick(p.tangent(), p.input(1), p.input(2)) : Variable()};
        },
};

// --- losses -------------------------------------------------------------------------------------

// The driver sums out broadcast axes for elementwise ops; composites do it themselves.
Cotangents cotangents_of_two(const Pullback& p, const Variable& first, const Variable& second) {
    return {p.wanted[0] ? sum_to(first, p.input(0)) : Variable(),
            p.wanted[1] ? sum_to(second, p.input(1)) : Variable()};
}

bool names_classes(const Variable& truth) { return is_integer(truth.dtype()); }

Types crossentropy_type(TypeContext& c) {
    if (c.type(0).rank() == 0)
        fail(ErrorKind::Type, c.op.name, ": the guess needs an axis of classes");
    if (names_classes(c.inputs[1])) {
        Variables guesses{c.inputs[0]};
        DType dtype = types::common_dtype({c.op, guesses, c.attrs});
        types::convert(c, 0, is_continuous(dtype) ? dtype : floating_result(dtype));
        return pick_type(c);
    }
    Types result = types::promoted_floating(c);
    if (c.type(1).rank() != c.type(0).rank())
        fail(ErrorKind::Type, c.op.name, ": the truth must have the rank of the guess (",
             c.type(0).rank(), ") as probabilities, or be integers with one axis less");
    result[0].dims.pop_back();
    return result;
}

Variables expand_crossentropy(const Node& node) {
    const Variable &guess = node.inputs[0], &truth = node.inputs[1];
    if (names_classes(truth)) return {-log(pick(guess, truth))};
    return {-sum(truth * log(guess), -1)};
}

const OpRecord categorical_crossentropy_record{
    .name = "categorical_crossentropy",
    .doc =
        "-sum(truth * log(guess)) of each row. Integers as truth name the true class: "
        "-log(guess[..., truth]).",
    .arguments = {{"guess", Accepts::Real}, {"truth", Accepts::Real}},
    .type = crossentropy_type,
    .compute = ExpandCompute{expand_crossentropy},
    .pullback =
        [](const Pullback& p) {
            const Variable &guess = p.input(0), &truth = p.input(1);
            if (names_classes(truth))
                return Cotangents{unpick(-(p.seed() / pick(guess, truth)), truth, guess),
                                  Variable()};
            Variable seed = expand_dims(p.seed(), -1);
            return cotangents_of_two(p, -(seed * truth / guess), -(seed * log(guess)));
        },
};

const OpRecord binary_crossentropy_record{
    .name = "binary_crossentropy",
    .doc = "-(truth * log(guess) + (1 - truth) * log(1 - guess)), element by element.",
    .arguments = {{"guess", Accepts::Real}, {"truth", Accepts::Real}},
    .type = types::promoted_floating,
    .compute = expand([](const Variable& guess, const Variable& truth) {
        return -(truth * log(guess) + (1 - truth) * log1p(-guess));
    }),
    .pullback =
        [](const Pullback& p) {
            const Variable &guess = p.input(0), &truth = p.input(1);
            return cotangents_of_two(p, p.seed() * ((1 - truth) / (1 - guess) - truth / guess),
                                     p.seed() * (log1p(-guess) - log(guess)));
        },
};

// With q = sigmoid(x): -t log q - (1 - t) log(1 - q) = softplus(x) - t x.
const OpRecord sigmoid_binary_crossentropy_record{
    .name = "sigmoid_binary_crossentropy",
    .doc =
        "binary_crossentropy(sigmoid(x), truth) as softplus(x) - truth * x, accurate for every "
        "x.",
    .arguments = {{"x", Accepts::Real}, {"truth", Accepts::Real}},
    .type = types::promoted_floating,
    .compute =
        expand([](const Variable& x, const Variable& truth) { return softplus(x) - truth * x; }),
    .pullback =
        [](const Pullback& p) {
            return cotangents_of_two(p, p.seed() * (sigmoid(p.input(0)) - p.input(1)),
                                     -(p.seed() * p.input(0)));
        },
};
}  // namespace

Variable softmax(Arg x, Given<int64_t> axis) {
    return apply_one(softmax_record, {x}, {{"axis", axis}});
}
Variable log_softmax(Arg x, Given<int64_t> axis) {
    return apply_one(log_softmax_record, {x}, {{"axis", axis}});
}
Variable relu(Arg x) { return apply_one(relu_record, {x}); }
Variable leaky_relu(Arg x, Arg slope) { return apply_one(leaky_relu_record, {x, slope}); }
Variable elu(Arg x, Arg alpha) { return apply_one(elu_record, {x, alpha}); }
Variable selu(Arg x) { return apply_one(selu_record, {x}); }
Variable softsign(Arg x) { return apply_one(softsign_record, {x}); }
Variable hard_sigmoid(Arg x) { return apply_one(hard_sigmoid_record, {x}); }
Variable pick(Arg x, Arg y) { return apply_one(pick_record, {x, y}); }
Variable unpick(Arg values, Arg y, Arg x) { return apply_one(unpick_record, {values, y, x}); }
Variable categorical_crossentropy(Arg guess, Arg truth) {
    return apply_one(categorical_crossentropy_record, {guess, truth});
}
Variable binary_crossentropy(Arg guess, Arg truth) {
    return apply_one(binary_crossentropy_record, {guess, truth});
}
Variable sigmoid_binary_crossentropy(Arg x, Arg truth) {
    return apply_one(sigmoid_binary_crossentropy_record, {x, truth});
}

namespace families {
Family nnet() {
    return {&softmax_record,
            &log_softmax_record,
            &relu_record,
            &leaky_relu_record,
            &elu_record,
            &selu_record,
            &softsign_record,
            &hard_sigmoid_record,
            &pick_record,
            &unpick_record,
            &categorical_crossentropy_record,
            &binary_crossentropy_record,
            &sigmoid_binary_crossentropy_record};
}
}  // namespace families

}  // namespace croton
