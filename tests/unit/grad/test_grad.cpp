// The reverse driver: what flows where, options, shapes, errors, size.
#include "croton/graph/listing.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/grad/support.hpp"

namespace croton {
namespace {
using test::error_of;
using test::in;
using test::number;
using test::numbers;
using test::value;
using Doubles = std::vector<double>;

int count_ops(const Variables& outputs, std::string_view name) {
    int count = 0;
    for (Node* node : toposort(outputs)) count += node->op && node->op->name == name;
    return count;
}

TEST(Grad, OfAProduct) {
    Variable x = in("f64[]"), y = in("f64[]");
    Variables g = grad(x * y, {x, y});
    EXPECT_EQ(value(g[0], {{x, number(3)}, {y, number(5)}}), Doubles{5});
    EXPECT_EQ(value(g[1], {{x, number(3)}, {y, number(5)}}), Doubles{3});
}

TEST(Grad, OfTheCostItself) {
    Variable x = in("f32[]");
    Variable g = grad(x, x);
    EXPECT_EQ(g.type(), x.type());
    EXPECT_EQ(value(g, {{x, Array::scalar(3.0F)}}), Doubles{1});
}

TEST(Grad, ManyUsesAddUp) {
    Variable x = in("f64[?]");
    Variable total = x;
    for (int i = 0; i < 9; ++i) total = total + x * double(i);
    EXPECT_EQ(value(grad(sum(total), x), {{x, numbers({1, 2})}}), (Doubles{37, 37}));
}

TEST(Grad, FlowsThroughComputedVariablesOfWrt) {
    Variable x = in("f64[]"), y = sqr(x), z = y * x;
    Variables g = grad(z, {y, x});
    EXPECT_EQ(value(g[0], {{x, number(3)}}), Doubles{3});
    EXPECT_EQ(value(g[1], {{x, number(3)}}), Doubles{27});
}

TEST(Grad, ConsiderConstant) {
    Variable x = in("f64[]"), y = sqr(x);
    GradOptions options{.consider_constant = {y}};
    EXPECT_EQ(value(grad(y * x, x, options), {{x, number(3)}}), Doubles{9});
    // Only through it: not connected.
    EXPECT_HAS(error_of(ErrorKind::Value, [&] { grad(y * 2, x, options); }), "does not depend on");
    EXPECT_EQ(value(grad(y * 2, y, options), {{x, number(3)}}), Doubles{2});
}

TEST(Grad, KnownGradients) {
    Variable x = in("f64[?]", "x"), y = sqr(x), g_y = in("f64[?]", "g_y");
    Variable g = grad({}, x, {.known_grads = {{y, g_y}}});
    EXPECT_EQ(value(g, {{x, numbers({1, 2, 3})}, {g_y, numbers({1, 10, 100})}}),
              (Doubles{2, 40, 600}));
    // What is known replaces what the cost says.
    g = grad(sum(y * 7), x, {.known_grads = {{y, g_y}}});
    EXPECT_EQ(value(g, {{x, numbers({1, 2})}, {g_y, numbers({1, 1})}}), (Doubles{2, 4}));
    Variable both = grad(sum(y * 7) + sum(x), x, {.known_grads = {{y, g_y}}});
    EXPECT_EQ(value(both, {{x, numbers({1, 2})}, {g_y, numbers({1, 1})}}), (Doubles{3, 5}));
    EXPECT_TRUE(grad({}, x, {.known_grads = {{x, g_y}}}) == g_y);
    EXPECT_HAS(error_of(ErrorKind::Type, [&] { grad({}, x, {.known_grads = {{y, sum(x)}}}); }),
               "the known gradient f64[] does not fit");
    EXPECT_HAS(error_of(ErrorKind::Usage, [&] { grad({}, x); }), "neither a cost nor known_grads");
}

TEST(Grad, InPiecesAsAWhole) {
    // Cut at h: the gradient at h handed on as known.
    Variable x = in("f64[?]"), w = in("f64[?]"), h = tanh(x * w), cost = sum(sqr(h) * w);
    Variable at_h = grad(cost, h);
    Variable through_h = grad({}, x, {.known_grads = {{h, at_h}}});
    test::Feeds feeds{{x, numbers({0.3, -1})}, {w, numbers({2, 0.5})}};
    EXPECT_EQ(value(through_h, feeds), value(grad(cost, x), feeds));
}

TEST(Grad, Disconnected) {
    Variable x = in("f64[]", "x"), y = in("f32[?]", "unused");
    std::string error = error_of(ErrorKind::Value, [&] { grad(sqr(x), {x, y}); });
    EXPECT_HAS(error, "does not depend on wrt[1], unused (f32[?], made at model.py:7)");
    Variables g = grad(sqr(x), {x, y}, {.disconnected = Disconnected::Ignore});
    EXPECT_EQ(g[1].type(), y.type());
    EXPECT_EQ(value(g[1], {{y, Array::of<float>({1, 2})}}), (Doubles{0, 0}));
    GradOptions null{.disconnected = Disconnected::Ignore, .null_if_disconnected = true};
    EXPECT_FALSE(grad(sqr(x), {x, y}, null)[1]);
    testing::internal::CaptureStderr();
    grad(sqr(x), y, {.disconnected = Disconnected::Warn});
    EXPECT_HAS(testing::internal::GetCapturedStderr(), "warning: grad: the cost, ");
}

TEST(Grad, ZeroIsNotDisconnected) {
    Variable x = in("f64[?]");
    EXPECT_EQ(value(grad(sum(floor(x)), x), {{x, numbers({1.5, 2})}}), (Doubles{0, 0}));
    Variable mask = gt(x, 0);
    EXPECT_EQ(value(grad(sum(cast(mask, DType::Float64)), x), {{x, numbers({1.5, 2})}}),
              (Doubles{0, 0}));
}

TEST(Grad, Integers) {
    Variable n = in("i32[?]"), x = in("f64[?]"), f = in("f32[?]");
    test::Feeds feeds{{n, Array::of<int32_t>({2, 3})}, {x, numbers({0.5, 4})}};
    // The gradient of an integer is that of the floating number it becomes.
    Variable g = grad(sum(n * x), n);
    EXPECT_EQ(g.dtype(), DType::Float64);
    EXPECT_EQ(value(g, feeds), (Doubles{0.5, 4}));
    // None flows through integer results.
    Variable h = grad(sum(n * n * x), n);
    EXPECT_EQ(h.dtype(), DType::Float64);
    EXPECT_EQ(value(h, feeds), (Doubles{0, 0}));
    EXPECT_EQ(
        value(grad(sum(cast(x, DType::Int64) * f), x), {feeds[1], {f, Array::of<float>({1, 1})}}),
        (Doubles{0, 0}));
}

TEST(Grad, DTypesOfInputsAreKept) {
    Variable a = in("f32[?]"), b = in("f64[?]");
    Variables g = grad(sum(a * b), {a, b});
    EXPECT_EQ(g[0].dtype(), DType::Float32);
    EXPECT_EQ(g[1].dtype(), DType::Float64);
}

TEST(Grad, CostMustBeAFloatingScalar) {
    Variable x = in("f64[?,?]", "x");
    std::string error = error_of(ErrorKind::Type, [&] { grad(exp(x) + 1, x); });
    EXPECT_HAS(error, "the cost must be a scalar, not f64[?,?]");
    EXPECT_HAS(error, "exp(x) + 1");
    EXPECT_HAS(error, "test_grad.cpp:");
    Variable n = in("i64[]");
    EXPECT_HAS(error_of(ErrorKind::Type, [&] { grad(n, n); }), "must be floating, not int64");
    EXPECT_HAS(error_of(ErrorKind::Type, [&] { grad(in("c128[]"), n); }), "take its real part");
    EXPECT_HAS(error_of(ErrorKind::Usage, [&] { grad(sum(x), Variable()); }), "wrt[0] is nothing");
}

// --- broadcasting -------------------------------------------------------------------------------

TEST(Broadcasting, KnownByTypeCostsNothing) {
    Variable x = in("f64[?,?]"), w = in("f64[?,?]");
    // Unary ops, scalars and repeated use of the same sizes: nothing to sum.
    Variable cost = sum(tanh(exp(x) * 2 + sqr(x)) / x);
    EXPECT_EQ(count_ops({grad(cost, x)}, "sum_to"), 0);
    Variable n = in("f64[n,m]"), k = in("f64[n,m]");
    EXPECT_EQ(count_ops(grad(sum(n * k), {n, k}), "sum_to"), 0);
    Variable row = in("f64[1,?]"), bias = in("f64[m]");
    EXPECT_EQ(count_ops({grad(sum(n * bias), bias)}, "sum_to"), 0);
    // Decided when running.
    EXPECT_EQ(count_ops(grad(sum(x * w), {x, w}), "sum_to"), 2);
    EXPECT_EQ(count_ops({grad(sum(n * row), row)}, "sum_to"), 1);
}

TEST(Broadcasting, ShapesThatOnlyLookTheSame) {
    // A scalar of more axes, a value of one size: the result is larger than the input.
    Variable x = in("f64[?]"), one = in("f64[1,1]");
    Variable g = grad(sum(x * one), x);
    EXPECT_EQ(g.rank(), 1);
    EXPECT_EQ(value(g, {{x, numbers({1, 2})}, {one, numbers({3}, {1, 1})}}), (Doubles{3, 3}));
    Variable y = in("f64[?]"), z = x * y;
    test::Feeds feeds{{x, numbers({2})}, {y, numbers({1, 2, 3})}};
    EXPECT_EQ(value(grad(sum(z * z), x), feeds), Doubles{2 * 2 * (1 + 4 + 9)});
}

TEST(Broadcasting, EveryCombinationOfSizesAtRunTime) {
    using Shapes = std::vector<Sizes>;
    for (const Sizes& a : Shapes{{2, 3}, {1, 3}, {2, 1}, {1, 1}})
        for (const Sizes& b : Shapes{{2, 3}, {1, 3}, {2, 1}, {3}, {1}, {}}) {
            auto fill_with = [](const Sizes& shape, double start) {
                Array result = Array::zeros(DType::Float64, shape);
                for (int64_t i = 0; i < result.size(); ++i)
                    result.data_as<double>()[i] = start + 0.3 * double(i);
                return result;
            };
            auto f = [](const Variables& v) { return v[0] * exp(v[1]) - v[1] / v[0]; };
            test::verify(f, {fill_with(a, 0.5), fill_with(b, -0.4)}, {.order = 2});
        }
}

TEST(Broadcasting, NoElements) {
    Variable x = in("f64[?,?]"), b = in("f64[?]");
    test::Feeds feeds{{x, Array::zeros(DType::Float64, {0, 3})}, {b, numbers({1, 2, 3})}};
    EXPECT_EQ(value(grad(sum(x * b), b), feeds), (Doubles{0, 0, 0}));
    EXPECT_EQ(value(grad(sum(x * b), x), feeds), Doubles{});
}

// --- sites, names, errors -----------------------------------------------------------------------

TEST(Sites, GradientsBelongToTheirLine) {
    Variable x = in("f64[?]");
    Variable y, cost;
    {
        SiteScope scope(Site{"user/model.py", 41, ""});
        y = tanh(x);
    }
    {
        SiteScope scope(Site{"user/model.py", 42, ""});
        cost = sum(y * 3);
    }
    Variable g = grad(cost, x);
    std::set<uint32_t> lines;
    for (Node* node : toposort({g}, {x, y, cost}))
        if (node->kind == NodeKind::Apply) lines.insert(node->site.line);
    EXPECT_EQ(lines, (std::set<uint32_t>{41, 42}));
}

std::vector<TensorType> first_type(TypeContext& c) { return {c.type(0)}; }
void run_nothing(ExternCall&) {}
const OpRecord no_gradient_op{
    .name = "secret",
    .doc = "An op without derivative.",
    .arguments = {{"x"}},
    .type = first_type,
    .compute = ExternCompute{nullptr, run_nothing},
};

TEST(Errors, MissingGradientNamesOpAndLine) {
    Variable x = in("f64[?]", "x"), n = in("i64[?]");
    Variable hidden = apply(no_gradient_op, {exp(x)}, {}, Site{"user/model.py", 99, ""})[0];
    std::string error = error_of(ErrorKind::NotDifferentiable, [&] { grad(sum(hidden * 2), x); });
    EXPECT_HAS(error, "secret has no gradient");
    EXPECT_HAS(error, "secret(exp(x)) (f64[?], made at model.py:99)");
    // Not if nothing is wanted through it.
    EXPECT_NO_THROW(grad(sum(hidden * x), x, {.consider_constant = {hidden}}));
    Variable y = in("f64[?]");
    EXPECT_NO_THROW(grad(sum(hidden * y), y));
    EXPECT_NO_THROW(grad(sum(cast(apply(no_gradient_op, {n})[0], DType::Float64)), n));
    error = error_of(ErrorKind::NotDifferentiable, [&] { jvp({hidden}, {x}, {x}); });
    EXPECT_HAS(error, "secret has no gradient");
}

const OpRecord wrong_count{
    .name = "wrong_count",
    .doc = "",
    .arguments = {{"x"}},
    .type = first_type,
    .compute = ExternCompute{nullptr, run_nothing},
    .pullback = [](const Pullback&) { return Cotangents{}; },
};
const OpRecord wrong_rank{
    .name = "wrong_rank",
    .doc = "",
    .arguments = {{"x"}},
    .type = first_type,
    .compute = ExternCompute{nullptr, run_nothing},
    .pullback = [](const Pullback& p) { return Cotangents{sum(p.seed())}; },
};

TEST(Errors, WrongPullbacksAreNamed) {
    Variable x = in("f64[?]", "x");
    auto through = [&](const OpRecord& op) {
        return error_of(ErrorKind::Internal, [&] { grad(sum(apply(op, {x})[0]), x); });
    };
    EXPECT_HAS(through(wrong_count), "the pullback of wrong_count gives 0 gradients for 1 inputs");
    EXPECT_HAS(through(wrong_rank), "the pullback of wrong_rank gives f64[] as the gradient of x");
}

// --- ops made of others, ops with several outputs, inner graphs ---------------------------------

Variables expand_cube(const Node& node) {
    return {node.inputs[0] * node.inputs[1] * node.inputs[0]};
}
std::vector<TensorType> sum_of_types(TypeContext& c) {
    return {{c.type(0).dtype, broadcast_dims(c.type(0).dims, c.type(1).dims)}};
}
const OpRecord square_times{
    .name = "square_times",
    .doc = "x * x * y by expansion.",
    .arguments = {{"x"}, {"y"}},
    .type = sum_of_types,
    .compute = ExpandCompute{expand_cube},
};

TEST(Expansion, IsDifferentiatedThrough) {
    auto f = [](const Variables& v) {
        Variable w = exp(v[0]);  // both inputs depend on v[0]
        return apply(square_times, {w, v[0] * v[1]})[0];
    };
    Variable x = in("f64[?]"), y = in("f64[?]");
    test::Feeds feeds{{x, numbers({0.1, 0.2})}, {y, numbers({3})}};
    auto plain = [&](const Variables& v) {
        Variable w = exp(v[0]);
        return w * w * (v[0] * v[1]);
    };
    for (const Variable& v : {x, y}) {
        Variable by_expansion = grad(sum(f({x, y})), v), by_hand = grad(sum(plain({x, y})), v);
        auto a = compile::evaluate({by_expansion}, feeds)[0].to_vector<double>();
        auto b = compile::evaluate({by_hand}, feeds)[0].to_vector<double>();
        ASSERT_EQ(a.size(), b.size());
        for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12);
    }
    // The same variable twice among the inputs.
    Variable twice = apply(square_times, {x, x})[0];
    EXPECT_NEAR(value(grad(sum(twice), x), feeds)[1], 3 * 0.04, 1e-12);
}

std::vector<TensorType> two_types(TypeContext& c) { return {c.type(0), c.type(0)}; }
const OpRecord sum_and_product{
    .name = "sum_and_product",
    .doc = "",
    .arguments = {{"x"}, {"y"}},
    .type = two_types,
    .compute = ExternCompute{nullptr, run_nothing},
    .pullback =
        [](const Pullback& p) {
            Variable to_x, to_y;
            if (p.seed(0)) to_x = to_y = p.seed(0);
            if (p.seed(1)) {
                Variable via_x = p.seed(1) * p.input(1), via_y = p.seed(1) * p.input(0);
                to_x = to_x ? to_x + via_x : via_x;
                to_y = to_y ? to_y + via_y : via_y;
            }
            return Cotangents{to_x, to_y};
        },
};

TEST(SeveralOutputs, EachSeedOrNone) {
    Variable x = in("f64[]", "x"), y = in("f64[]", "y");
    Variables both = apply(sum_and_product, {x, y});
    test::Feeds feeds{{x, number(3)}, {y, number(5)}};
    EXPECT_EQ(value(grad(both[0], x), feeds), Doubles{1});
    EXPECT_EQ(value(grad(both[1], x), feeds), Doubles{5});
    EXPECT_EQ(value(grad(both[0] * 10 + both[1], y), feeds), Doubles{13});
    // Forward mode from the pullback alone.
    Variables tangents = jvp(both, {x, y}, {constant(number(1), Site{}), Variable()});
    EXPECT_EQ(value(tangents[0], feeds), Doubles{1});
    EXPECT_EQ(value(tangents[1], feeds), Doubles{5});
    // An output in wrt.
    Variables g = grad(both[0] * both[0] + both[1], {both[0], x}, {.consider_constant = {both[1]}});
    EXPECT_EQ(pp(g[0]).find("none"), std::string::npos);
}

Cotangents pull_call(const Pullback& p) {
    auto graph = p.attrs().opaque<Subgraph>("graph");
    Variables seeds;
    for (const auto& v : graph->outputs()) seeds.push_back(in(v.type().text().c_str(), "seed"));
    Variables inner = p.inner_gradient(graph->outputs(), graph->inputs(), seeds);
    // A real op would call the new graph; here its body is laid out.
    Substitution replacements;
    for (size_t i = 0; i < graph->inputs().size(); ++i)
        replacements.emplace(graph->inputs()[i], p.input(i));
    for (size_t i = 0; i < seeds.size(); ++i) replacements.emplace(seeds[i], p.seed(i));
    Cotangents result;
    for (const auto& v : inner) result.push_back(v ? substitute(v, replacements) : v);
    return result;
}
std::vector<TensorType> call_type(TypeContext& c) {
    return {c.view().opaque<Subgraph>("graph")->outputs()[0].type()};
}
const OpRecord call_op{
    .name = "test_call",
    .doc = "",
    .arguments = {{"x", Accepts::Any, true}},
    .attributes = {{"graph", std::shared_ptr<const Opaque>(), true}},
    .type = call_type,
    .compute = InnerCompute{InnerCompute::Kind::Call},
    .pullback = pull_call,
};

TEST(InnerGraphs, GiveTheirGradient) {
    Variable a = in("f64[?]", "a"), b = in("f64[?]", "b");
    std::shared_ptr<const Opaque> graph =
        std::make_shared<Subgraph>("g", Variables{a, b}, Variables{sin(a) * a});
    Variable x = in("f64[?]", "x"), y = in("f64[?]", "y");
    Variable out = apply(call_op, {x, y}, {{"graph", graph}})[0];
    Variables g = grad(sum(out), {x, y});
    auto dx = value(g[0], {{x, numbers({0.5})}});
    EXPECT_NEAR(dx[0], std::cos(0.5) * 0.5 + std::sin(0.5), 1e-12);
    EXPECT_EQ(value(g[1], {{y, numbers({1})}}), Doubles{0});
}

// --- size ---------------------------------------------------------------------------------------

TEST(Size, AMillionNodes) {
    Variable x = in("f64[]");
    Variable v = x;
    for (int i = 0; i < 500000; ++i) v = sin(v * x);
    Variable g = grad(v, x);
    EXPECT_EQ(g.type(), x.type());
    EXPECT_LT(pp(g).size(), 3000u);
}

TEST(Size, ManyParametersAndUses) {
    Variables w;
    Variable total = in("f64[]");
    for (int i = 0; i < 20000; ++i) {
        w.push_back(in("f64[]"));
        total = total + w.back() * w[w.size() / 2];
    }
    Variables g = grad(total, w);
    EXPECT_EQ(g.size(), w.size());
    // 100,000 uses of one variable: a balanced tree of sums.
    Variable x = in("f64[]"), sum_of_uses = x;
    Variables uses;
    for (int i = 0; i < 100000; ++i) uses.push_back(exp(x));
    while (uses.size() > 1) {
        for (size_t i = 0; i + 1 < uses.size(); i += 2) uses[i / 2] = uses[i] + uses[i + 1];
        uses.resize(uses.size() / 2);
    }
    grad(uses[0], x);
}

TEST(Size, AMillionForward) {
    Variable x = in("f64[]");
    Variable v = x;
    for (int i = 0; i < 300000; ++i) v = sin(v);
    EXPECT_TRUE(jvp({v}, {x}, {x})[0]);
}

}  // namespace
}  // namespace croton
