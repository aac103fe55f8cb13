// Loops of one number that are linear in it, or keep its largest value: what they become, and that
// they give what the loop gives.
#include <limits>

#include "croton/ops/compare.hpp"
#include "croton/runtime/program.hpp"
#include "tests/scan/unrolled.hpp"

namespace croton::test {
namespace {

using Body = std::function<Variable(const Variable& a, const Variable& b, const Variable& h)>;

struct Both {
    Function fast, plain;
    bool has_loop() const {
        for (const auto& kernel : fast.program().kernels)
            if (kernel::loop_section(kernel)) return true;
        return false;
    }
};

Variable vector_of(DType dtype, const char* name) {
    return input(TensorType{dtype, {Dim()}}, name);
}

/// The recurrence over sequences a and b and its gradients, with and without what makes loops fast.
Both compiled(const Body& body, DType dtype, bool last, bool gradients = false) {
    Variable a = vector_of(dtype, "a"), b = vector_of(dtype, "b");
    Variable h = input(TensorType{dtype, {}}, "h");
    auto step = [&](const Step& s) {
        return StepResult(body(s.sequences[0], s.sequences[1], s.states[0]));
    };
    Variable all = scan(step, {.sequences = {a, b}, .outputs_info = {h}}).outputs[0];
    Variable result = last ? at(all, {-1}) : all;
    std::vector<Out> outputs{result};
    if (gradients) {
        GradOptions ignore;
        ignore.disconnected = Disconnected::Ignore;
        for (const auto& g : grad(sum(sin(result)), {a, b, h}, ignore)) outputs.emplace_back(g);
    }
    auto made = [&](const char* mode) {
        FunctionOptions options;
        options.mode = compile::mode_named(mode);
        options.on_unused_input = "ignore";
        return function({a, b, h}, outputs, options);
    };
    return {made("fast"), made("quick")};
}

const Body linear = [](auto& a, auto& b, auto& h) { return a * h + b; };

Array list_of(const std::vector<double>& values) {
    return Array::of(values, {static_cast<int64_t>(values.size())});
}

// To rounding of what has been added so far.
void expect_same(const Array& made, const Array& wanted, double tolerance) {
    ASSERT_EQ(made.shape(), wanted.shape());
    ASSERT_EQ(made.dtype(), wanted.dtype());
    auto x = made.to_vector<double>(), y = wanted.to_vector<double>();
    double scale = 1;
    for (size_t i = 0; i < x.size(); ++i) {
        if (std::isfinite(y[i])) scale = std::max(scale, std::abs(y[i]));
        bool near = std::abs(x[i] - y[i]) <= tolerance * scale;
        bool same = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]));
        ASSERT_TRUE(std::isfinite(y[i]) ? near : same) << i << ": " << x[i] << ", not " << y[i];
    }
}

void agree(const Both& f, const Array& a, const Array& b, const Array& h, double tolerance) {
    for (int call = 0; call < 3; ++call) {
        Results made = f.fast.call({a, b, h}), wanted = f.plain.call({a, b, h});
        for (size_t i = 0; i < wanted.size(); ++i) expect_same(made[i], wanted[i], tolerance);
    }
}

TEST(Recurrences, OfOneNumberAreNoLoops) {
    const std::pair<const char*, Body> bodies[] = {
        {"a h + b", linear},
        {"b + h a", [](auto& a, auto& b, auto& h) { return b + h * a; }},
        {"a h - b", [](auto& a, auto& b, auto& h) { return a * h - b; }},
        {"a h + exp(b)", [](auto& a, auto& b, auto& h) { return a * h + exp(b); }},
        {"0.5 h + b", [](auto&, auto& b, auto& h) { return h * 0.5 + b; }},
        {"a h + 1", [](auto& a, auto&, auto& h) { return a * h + 1.0; }},
        {"a h", [](auto& a, auto&, auto& h) { return a * h; }},
        {"h + b", [](auto&, auto& b, auto& h) { return h + b; }},
        {"max", [](auto&, auto& b, auto& h) { return maximum(h, b); }},
        {"min of exp", [](auto&, auto& b, auto& h) { return minimum(exp(b), h); }},
    };
    for (const auto& [name, body] : bodies)
        for (DType dtype : {DType::Float64, DType::Float32})
            for (bool last : {true, false}) {
                SCOPED_TRACE(cat(name, last ? ", last" : ", all", ", ", dtype_name(dtype)));
                Both f = compiled(body, dtype, last);
                bool extreme = name[0] == 'm';
                EXPECT_TRUE(extreme || !f.has_loop());
                Both with_gradients = last ? f : compiled(body, dtype, last, true);
                double tolerance = dtype == DType::Float64 ? 1e-12 : 1e-4;
                for (int64_t steps : {1, 8, 100}) {
                    Array a = random_array(dtype, {steps}, 3), b = random_array(dtype, {steps}, 4);
                    Array h = random_array(dtype, {}, 5);
                    agree(f, a, b, h, tolerance);
                    agree(with_gradients, a, b, h, tolerance);
                }
            }
}

TEST(Recurrences, ExtremesOfOneSequenceAreReductions) {
    Variable b = vector_of(DType::Float64, "b"), h = input(TensorType{DType::Float64, {}}, "h");
    auto body = [](const Step& s) {
        return StepResult(maximum(s.states[0], s.sequences[0] * 2.0));
    };
    Variable all = scan(body, {.sequences = {b}, .outputs_info = {h}}).outputs[0];
    Function f = function({b, h}, {at(all, {-1})});
    for (const auto& kernel : f.program().kernels) EXPECT_EQ(kernel::loop_section(kernel), nullptr);
    auto largest = [&](std::vector<double> values, double begin) {
        return f.call({list_of(values), Array::scalar(begin)})[0].item<double>();
    };
    EXPECT_EQ(largest({1, 5, 2}, 3), 10);
    EXPECT_EQ(largest({1, 5, 2}, 11), 11);
    EXPECT_TRUE(std::isnan(largest({1, NAN, 2}, 11)));
    EXPECT_TRUE(std::isnan(largest({1, 2}, NAN)));
}

// Factors that together leave the range of numbers while the loop does not, and what is infinite.
TEST(Recurrences, KeepWhatTheLoopGivesOnTheEdge) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    Both f = compiled(linear, DType::Float64, false);
    Both product = compiled([](auto& a, auto&, auto& h) { return a * h; }, DType::Float64, false);
    Both sums = compiled([](auto&, auto& b, auto& h) { return h + b; }, DType::Float64, false);
    const std::vector<double> lists[] = {
        {1e300, 1e-300}, {1e-300, 1e300}, {0, 1e300}, {inf, 0.5},  {0.5, 0}, {2, 0.5},
        {-1, 1},         {1e-160, 1e160}, {NAN, 0},   {-inf, inf}, {1, 1},   {1e308, -1e308}};
    auto repeated = [](const std::vector<double>& pair) {
        std::vector<double> all;
        for (int i = 0; i < 20; ++i) all.insert(all.end(), pair.begin(), pair.end());
        return list_of(all);
    };
    for (const auto& a : lists)
        for (const auto& b : lists)
            for (double h : {0.0, 1.0, inf, 1e-300}) {
                SCOPED_TRACE(cat(a[0], " ", a[1], ", ", b[0], " ", b[1], ", ", h));
                agree(f, repeated(a), repeated(b), Array::scalar(h), 1e-12);
                agree(product, repeated(a), repeated(b), Array::scalar(h), 1e-12);
                agree(sums, repeated(a), repeated(b), Array::scalar(h), 1e-12);
            }
}

// What stays a loop: several states, integers, wide states, states read twice, factors computed in
// the loop.
TEST(Recurrences, OthersStayLoops) {
    for (const Body& body : {Body([](auto& a, auto& b, auto& h) { return h + a * (b - h); }),
                             Body([](auto&, auto& b, auto& h) { return h - b; }),
                             Body([](auto& a, auto& b, auto& h) { return exp(a) * h + b; }),
                             Body([](auto& a, auto& b, auto& h) { return h + exp(a * b); }),
                             Body([](auto& a, auto&, auto& h) { return a - a * h; }),
                             Body([](auto& a, auto&, auto& h) { return a * h * (1.0 - h); })}) {
        Both f = compiled(body, DType::Float64, false);
        EXPECT_TRUE(f.has_loop());
        agree(f, random_array(DType::Float64, {50}, 3), random_array(DType::Float64, {50}, 4),
              Array::scalar(0.5), 1e-12);
    }
    Both whole = compiled(linear, DType::Int32, false);
    EXPECT_TRUE(whole.has_loop());
}

TEST(Recurrences, RunAsManyStepsAsTheyAreTold) {
    Variable b = vector_of(DType::Float64, "b"), h = input(TensorType{DType::Float64, {}}, "h");
    Variable n = input(TensorType{DType::Int64, {}}, "n");
    auto body = [](const Step& s) { return StepResult(s.states[0] * 0.5 + s.sequences[0]); };
    Variable all = scan(body, {.sequences = {b}, .outputs_info = {h}, .n_steps = n}).outputs[0];
    Function f = function({b, h, n}, {all});
    for (const auto& kernel : f.program().kernels) EXPECT_EQ(kernel::loop_section(kernel), nullptr);
    auto run = [&](int64_t steps) {
        return f.call({list_of({1, 2, 3}), Array::scalar(4.0), Array::scalar(steps)})[0];
    };
    EXPECT_EQ(run(2).to_vector<double>(), (std::vector<double>{3, 3.5}));
    EXPECT_EQ(run(0).shape(), Sizes{0});
    for (auto [steps, kind] : {std::pair{int64_t{5}, ErrorKind::Shape}, {-1, ErrorKind::Value}})
        try {
            run(steps);
            FAIL() << steps;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
        }
}

}  // namespace
}  // namespace croton::test
