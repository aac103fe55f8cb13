// for_loop, while_loop, map, folds: what they give, no steps included.
#include <set>

#include "croton/ops/compare.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/random.hpp"
#include "tests/scan/unrolled.hpp"

namespace croton {
namespace {

Variable of(const char* type, const char* name) { return input(parse_type(type), name); }
double number(const Array& a) { return a.item<double>(); }

Function compiled(const Variables& inputs, const Variables& outputs) {
    FunctionOptions options;
    options.on_unused_input = "ignore";
    return function(std::vector<In>(inputs.begin(), inputs.end()),
                    std::vector<Out>(outputs.begin(), outputs.end()), options);
}

TEST(ForLoop, GivesFinalStatesAndCounts) {
    Variable n = of("i64[]", "n"), x = of("f64[]", "x");
    Variables made = for_loop(
        n, {x, constant(Array::scalar(int64_t{0}))},
        [](const Variable& i, const Variables& s) { return Variables{s[0] * 2.0, s[1] + i}; });
    Variable g = grad(made[0], x);
    Function f = compiled({n, x}, {made[0], made[1], g});
    for (int64_t steps : {0, 1, 5, 2, 0}) {
        Results r = f.call({Array::scalar(steps), Array::scalar(3.0)});
        double power = std::pow(2.0, static_cast<double>(steps));
        EXPECT_EQ(number(r[0]), 3.0 * power);
        EXPECT_EQ(r[1].item<int64_t>(), steps * (steps - 1) / 2);
        EXPECT_EQ(number(r[2]), power);
    }
}

TEST(ForLoop, TakesPlainNumbers) {
    Variables made =
        for_loop(10, {constant(Array::scalar(1.0))},
                 [](const Variable&, const Variables& s) { return Variables{s[0] * 0.5}; });
    EXPECT_EQ(number(compiled({}, {made[0]}).call({})[0]), std::pow(0.5, 10));
}

TEST(WhileLoop, AsksBeforeEachRound) {
    Variable x = of("f64[]", "x"), limit = of("f64[]", "limit");
    Variables made = while_loop([&](const Variables& s) { return s[0] < limit; },
                                [](const Variables& s) { return Variables{s[0] * s[0], s[1] + 1}; },
                                {x, constant(Array::scalar(int64_t{0}))});
    Variable g = grad(made[0], x);
    Function f = compiled({x, limit}, {made[0], made[1], g});
    auto check = [&](double start, double bound) {
        double v = start, slope = 1;
        int64_t rounds = 0;
        while (v < bound) slope *= 2 * v, v *= v, ++rounds;
        Results r = f.call({Array::scalar(start), Array::scalar(bound)});
        EXPECT_EQ(number(r[0]), v);
        EXPECT_EQ(r[1].item<int64_t>(), rounds);
        EXPECT_NEAR(number(r[2]), slope, 1e-12 * slope);
    };
    check(3.0, 100.0);
    check(3.0, 2.0);  // not once
    check(1.5, 1e6);
    check(3.0, 3.0);
    check(3.0, 10.0);
}

TEST(WhileLoop, StopsAtTheLimit) {
    Variable x = of("f64[]", "x"), most = of("i64[]", "most");
    Variables made =
        while_loop([](const Variables& s) { return s[0] > 0.0; },
                   [](const Variables& s) { return Variables{s[0] + 1.0}; }, {x}, most);
    Function f = compiled({x, most}, {made[0]});
    for (int64_t limit : {0, 1, 7})
        EXPECT_EQ(number(f.call({Array::scalar(1.0), Array::scalar(limit)})[0]),
                  1.0 + static_cast<double>(limit));
}

TEST(Fold, FromEitherEnd) {
    Variable xs = of("f64[?]", "xs"), start = of("f64[]", "start");
    auto body = [](const Step& s) { return StepResult(s.states[0] * 0.5 + s.sequences[0]); };
    Function f = compiled(
        {xs, start}, {foldl(body, {xs}, {start}).outputs[0], foldr(body, {xs}, {start}).outputs[0],
                      reduce(body, {xs}, {start}).outputs[0]});
    Results r = f.call({Array::of<double>({1, 2, 4}), Array::scalar(8.0)});
    EXPECT_EQ(number(r[0]), 1 + 0.25 + 1 + 4);
    EXPECT_EQ(number(r[1]), 1 + 1 + 1 + 1);
    EXPECT_EQ(number(r[2]), number(r[0]));
    EXPECT_THROW(f.call({Array::empty(DType::Float64, {0}), Array::scalar(8.0)}), Error);
}

std::vector<double> called(const Function& f, int times) {
    std::vector<double> all;
    for (int i = 0; i < times; ++i)
        for (double x : f.call({})[0].to_vector<double>()) all.push_back(x);
    return all;
}

// A function that is not handed the updates of a loop must not draw the same numbers again.
TEST(Plain, RandomStreamsMoveOnWithoutUpdates) {
    auto draws = [](bool with_updates) {
        RandomStream random(1);
        ScanResult made =
            scan([&](const Step&) { return random.normal(Ints{}, 0.0, 1.0, DType::Float64); },
                 {.n_steps = 5});
        FunctionOptions options;
        if (with_updates) options.updates = made.updates;
        return called(function({}, made.outputs[0], options), 3);
    };
    std::vector<double> all = draws(false);
    EXPECT_EQ(all, draws(true));
    EXPECT_EQ(std::set<double>(all.begin(), all.end()).size(), 15u);
}

TEST(Plain, RandomStreamsOfInnerLoopsMoveOnWithoutUpdates) {
    RandomStream random(1);
    auto inner = [&](const Step&) { return random.normal(Ints{}, 0.0, 1.0, DType::Float64); };
    auto outer = [&](const Step&) { return scan(inner, {.n_steps = 4}).outputs[0]; };
    auto all = called(function({}, scan(outer, {.n_steps = 3}).outputs[0]), 2);
    EXPECT_EQ(std::set<double>(all.begin(), all.end()).size(), 24u);
}

TEST(Plain, RandomDrawsWantScan) {
    RandomStream random(1);
    try {
        for_loop(3, {constant(Array::scalar(0.0))}, [&](const Variable&, const Variables& s) {
            return Variables{s[0] + random.normal({})};
        });
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Usage);
        EXPECT_NE(std::string(error.what()).find("write the loop with scan"), std::string::npos);
    }
}

TEST(Sites, ABodysLinesAreItsOwn) {
    Variable xs = of("f64[?]", "xs"), h = of("f64[]", "h");
    uint32_t body_line = 0;
    Variable inside;
    ScanResult r = scan(
        [&](const Step& s) {
            body_line = __LINE__ + 1;
            inside = sin(s.states[0]);
            return StepResult(inside + s.sequences[0]);
        },
        {.sequences = {xs}, .outputs_info = {h}});
    EXPECT_EQ(inside.site().line, body_line);
    EXPECT_NE(r.outputs[0].site().line, body_line);
}

// Loops of a few numbers inside of a loop: each way is one kernel.
TEST(Plain, NestedLoopsOfNumbersAreOneKernel) {
    Variable x = of("f64[]", "x"), v = of("f64[]", "v"), mu = of("f64[]", "mu");
    auto step = [&](const Step& s) {
        Variable p = s.states[0], q = s.states[1];
        return StepResult({p + 0.02 * q, q + 0.02 * (mu * (1.0 - p * p) * q - p)});
    };
    auto between = [&](const Step& s) {
        ScanResult inner = scan(step, {.outputs_info = {s.states[0], s.states[1]}, .n_steps = 20});
        return StepResult({at(inner.outputs[0], {-1}), at(inner.outputs[1], {-1})});
    };
    ScanResult outer = scan(between, {.outputs_info = {x, v}, .n_steps = 5});
    Variable cost = sum(sqr(outer.outputs[0]));
    FunctionOptions options;
    options.profile = true;
    Variables slopes = grad(cost, Variables{x, v, mu});
    Function f =
        function({x, v, mu}, std::vector<Out>{cost, slopes[0], slopes[1], slopes[2]}, options);
    Results made = f(Array::scalar(1.2), Array::scalar(0.3), Array::scalar(1.5));
    double p = 1.2, q = 0.3, wanted = 0;
    for (int i = 1; i <= 100; ++i) {
        double next = p + 0.02 * q;
        q += 0.02 * (1.5 * (1 - p * p) * q - p);
        p = next;
        if (i % 20 == 0) wanted += p * p;
    }
    EXPECT_NEAR(number(made[0]), wanted, 1e-12);
    int kernels = 0;
    for (const auto& row : f.profile().rows) {
        EXPECT_NE(row.what, "loop") << f.profile().text();
        kernels += row.what.find("loop of") == 0;
    }
    EXPECT_EQ(kernels, 2) << f.profile().text();
}

// Gradients are taken of stabilised expressions: what a loop reads has two forms then, and the loop
// must still be the one that its gradient added.
TEST(Plain, ALoopAndItsGradientShareOneWayForward) {
    Variable w = of("f64[3]", "w"), z = of("f64[?,3]", "z");
    Variable q = log(exp(w) + 1.0);
    ScanResult made = scan(
        [&](const Step& s) {
            return StepResult(dot(s.states[0], q) * s.states[0] + s.sequences[0]);
        },
        {.sequences = {z}, .outputs_info = {zeros_like(w)}});
    Variable cost = sum(at(made.outputs[0], {-1}));
    FunctionOptions options;
    options.profile = true;
    Function f = function({z, w}, std::vector<Out>{cost, grad(cost, w)}, options);
    f(test::random_array(DType::Float64, {4, 3}, 1), test::random_array(DType::Float64, {3}, 2));
    int loops = 0;
    for (const auto& row : f.profile().rows) loops += row.what.find("loop") == 0;
    EXPECT_EQ(loops, 2) << f.profile().text();
}

}  // namespace
}  // namespace croton
