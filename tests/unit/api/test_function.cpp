// function(): arguments, shared variables, updates, givens, copies, threads, failures.
#include <gtest/gtest.h>

#include <thread>

#include "croton/api/function.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/api/support.hpp"

namespace croton {
namespace {

Variable vector(const char* name, const char* type = "f64[?]") {
    return input(parse_type(type), name);
}

TEST(Function, ComputesAndKeepsOrder) {
    auto x = vector("x"), y = vector("y");
    auto f = function({x, y}, std::vector<Out>{x - y, x * y});
    auto r = f(Array::of({1., 2.}), Array::of({3., 5.}));
    EXPECT_EQ(r[0].to_vector<double>(), (std::vector<double>{-2, -3}));
    EXPECT_EQ(r[1].to_vector<double>(), (std::vector<double>{3, 10}));
    message_of(ErrorKind::Usage, [&] { r.only(); });
}

TEST(Function, OutputThatIsAnInputIsACopy) {
    auto x = vector("x");
    auto f = function({x}, x);
    Array a = Array::of({1., 2.});
    Array b = f(a);
    EXPECT_NE(a.data(), b.data());
    EXPECT_TRUE(a.identical(b));
}

TEST(Function, ResultsOfCallsDoNotShareMemory) {
    auto x = vector("x");
    auto f = function({x}, exp(x));
    Array first = f(Array::of({0.})), second = f(Array::of({1.}));
    EXPECT_DOUBLE_EQ(first.item<double>(), 1);
    EXPECT_DOUBLE_EQ(second.item<double>(), std::exp(1.0));
}

TEST(Function, DefaultsAndNames) {
    auto x = vector("x"), y = vector("y");
    In second(y, "y", Array::of({10.}));
    auto f = function({In(x), second}, x + y);
    EXPECT_DOUBLE_EQ(f(Array::of({1.})).item<double>(), 11);
    EXPECT_DOUBLE_EQ(
        f.call_named({}, {{"y", Array::of({2.})}, {"x", Array::of({3.})}}).item<double>(), 5);
    expect_words(message_of(ErrorKind::Usage, [&] { f.call_named({}, {{"z", Array::of({2.})}}); }),
                 {"'z'", "'x'", "'y'"});
    expect_words(message_of(ErrorKind::Usage, [&] { f.call({}); }), {"'x'", "missing"});
}

TEST(Function, DtypesOfArguments) {
    auto x = vector("x", "f32[?]");
    auto f = function({x}, x + 1);
    EXPECT_EQ(f(Array::of(std::vector<int16_t>{1}, {1})).only().dtype(), DType::Float32);
    expect_words(message_of(ErrorKind::Type, [&] { f(Array::of({1.})); }),
                 {"'x'", "float32", "float64"});
    auto lenient = function({x}, x + 1, {.allow_input_downcast = true});
    EXPECT_FLOAT_EQ(lenient(Array::of({1.5})).item<float>(), 2.5f);
    In strict(x);
    strict.strict = true;
    auto exact = function({strict}, x + 1);
    expect_words(
        message_of(ErrorKind::Type, [&] { exact(Array::of(std::vector<int16_t>{1}, {1})); }),
        {"strict"});
    expect_words(message_of(ErrorKind::Type, [&] { f(Array::zeros(DType::Float32, {2, 2})); }),
                 {"'x'", "rank 1", "(2, 2)"});
}

TEST(Function, ValuesThatWrapAroundDoNotSurvive) {
    EXPECT_FALSE(survives_cast(Array::of(std::vector<int64_t>{-1}, {1}), DType::UInt8));
    EXPECT_FALSE(survives_cast(Array::of(std::vector<uint64_t>{1ull << 63}, {1}), DType::Int64));
    EXPECT_FALSE(survives_cast(Array::of(std::vector<int64_t>{128}, {1}), DType::Int8));
    EXPECT_TRUE(survives_cast(Array::of(std::vector<int64_t>{-128, 127}, {2}), DType::Int8));
    EXPECT_TRUE(survives_cast(Array::of(std::vector<int64_t>{255}, {1}), DType::UInt8));
    EXPECT_FALSE(survives_cast(Array::of({0.1}), DType::Float32));
    EXPECT_TRUE(survives_cast(Array::of({0.5}), DType::Float32));
}

TEST(Function, InputsWithUpdatesKeepState) {
    auto x = vector("x"), s = vector("s");
    In state(s, "s", Array::of({10.}));
    state.update = s + x;
    auto f = function({In(x), state}, s * 2);
    EXPECT_DOUBLE_EQ(f.call({Array::of({1.})}).item<double>(), 20);
    EXPECT_DOUBLE_EQ(f.call({Array::of({1.})}).item<double>(), 22);
    auto g = f.copy();
    EXPECT_DOUBLE_EQ(f.call({Array::of({1.}), Array::of({5.})}).item<double>(), 10);
    EXPECT_DOUBLE_EQ(f.stored(1)->item<double>(), 6);
    EXPECT_DOUBLE_EQ(g.stored(1)->item<double>(), 12);
    message_of(ErrorKind::Shape, [&] { f.call({Array::of({1., 2.}), Array::of({1., 2., 3.})}); });
    EXPECT_DOUBLE_EQ(f.stored(1)->item<double>(), 6);
    f.set_stored(1, Array::of({0.}));
    EXPECT_DOUBLE_EQ(f.call({Array::of({1.})}).item<double>(), 0);
    expect_words(message_of(ErrorKind::Usage, [&] { f.set_stored(0, Array::of({0.})); }),
                 {"'x'", "no default"});
    In bare(s);
    bare.update = s + 1;
    expect_words(message_of(ErrorKind::Usage, [&] { function({bare}, s); }), {"'s'", "value"});
}

TEST(Function, SubsetOfOutputs) {
    auto x = vector("x");
    auto n = shared(Array::of({0.}), "n");
    auto f = function({x}, std::vector<Out>{x + 1, x * 2, exp(x)}, {.updates = {{n, n + 1}}});
    auto r = f.call_subset({Array::of({3.})}, {1, 0});
    ASSERT_EQ(r.size(), 2u);
    EXPECT_DOUBLE_EQ(r[0].item<double>(), 6);
    EXPECT_DOUBLE_EQ(r[1].item<double>(), 4);
    EXPECT_EQ(f.call_subset({Array::of({3.})}, {}).size(), 0u);
    EXPECT_DOUBLE_EQ(n.get_value().item<double>(), 2);
    auto more = f.call_subset({Array::of({0.})}, {2, 2, 2, 2});  // more than there are
    EXPECT_DOUBLE_EQ(more[3].item<double>(), 1);
    EXPECT_DOUBLE_EQ(n.get_value().item<double>(), 3);
    expect_words(message_of(ErrorKind::Usage, [&] { f.call_subset({Array::of({3.})}, {3}); }),
                 {"no output 3", "it has 3"});
}

TEST(Function, PromisedSizesAreChecked) {
    auto x = vector("x", "f64[3]"), y = vector("y", "f64[n]"), z = vector("z", "f64[n]");
    auto f = function({x, y, z}, std::vector<Out>{x * 2, y + z});
    f(Array::of({1., 2., 3.}), Array::of({1.}), Array::of({1.}));
    expect_words(
        message_of(ErrorKind::Shape, [&] { f(Array::of({1.}), Array::of({1.}), Array::of({1.})); }),
        {"'x'", "3"});
    expect_words(
        message_of(ErrorKind::Shape,
                   [&] { f(Array::of({1., 2., 3.}), Array::of({1.}), Array::of({1., 2.})); }),
        {"n", "'z'"});
}

TEST(Function, UnusedAndMissingInputs) {
    auto x = vector("x"), y = vector("y");
    expect_words(message_of(ErrorKind::Usage, [&] { function({x, y}, x + 1); }),
                 {"'y'", "not used", "test_function.cpp"});
    function({x, y}, x + 1, {.on_unused_input = "ignore"});
    expect_words(message_of(ErrorKind::Usage, [&] { function({x}, x + y); }),
                 {"'y'", "not among the inputs"});
    expect_words(message_of(ErrorKind::Usage, [&] { function({x, x}, x + 1); }), {"twice"});
}

TEST(Updates, HappenTogetherAfterTheCall) {
    auto a = shared(Array::of({1.}), "a"), b = shared(Array::of({10.}), "b");
    auto f = function({}, a + b, {.updates = {{a, b}, {b, a + 1}}});
    EXPECT_DOUBLE_EQ(f().item<double>(), 11);
    EXPECT_DOUBLE_EQ(a.get_value().item<double>(), 10);
    EXPECT_DOUBLE_EQ(b.get_value().item<double>(), 2);
}

TEST(Updates, InPlaceLeavesBorrowedMemoryAlone) {
    auto w = shared(Array::of({1., 2., 3.}), "w");
    auto x = vector("x");
    auto f = function({x}, sum(w), {.updates = {{w, w - 0.5 * x}}});
    const void* before = w.get_value(true).data();
    f(Array::of({2., 2., 2.}));
    EXPECT_EQ(w.get_value(true).data(), before) << "the update was not made in place";
    Array held = w.get_value(true);
    f(Array::of({2., 2., 2.}));
    EXPECT_EQ(held.to_vector<double>(), (std::vector<double>{0, 1, 2}));
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{-1, 0, 1}));
}

// --- updates that are products

struct Parameter {
    SharedVariable w = shared(counting({3, 4}), "w");
    Variable x = input(parse_type("f64[?,3]"), "x"), g = input(parse_type("f64[?,4]"), "g");
    Variable slope = matmul(dimshuffle(x, {1, 0}), g);
    Array rows = counting({5, 3}), errors = counting({5, 4}, 1);

    static Array counting(Sizes shape, int64_t from = 0) {
        std::vector<double> numbers;
        for (int64_t i = 0; i < element_count(shape); ++i)
            numbers.push_back(static_cast<double>((7 * i + from) % 11) / 4);
        return Array::of(numbers, shape);
    }
    Array expected(double scale, double kept = 1) const {
        Array next = w.get_value();
        for (int64_t i = 0; i < 3; ++i)
            for (int64_t j = 0; j < 4; ++j) {
                double sum = 0;
                for (int64_t p = 0; p < 5; ++p)
                    sum += rows.at<double>({p, i}) * errors.at<double>({p, j});
                next.data_as<double>()[i * 4 + j] = kept * next.at<double>({i, j}) + scale * sum;
            }
        return next;
    }
};

TEST(UpdatesByProducts, AreAddedWhereTheParameterLies) {
    Parameter p;
    auto f = function({p.x, p.g}, std::vector<Out>{}, {.updates = {{p.w, p.w - 0.25 * p.slope}}});
    for (int call = 0; call < 6; ++call) {
        const void* before = p.w.get_value(true).data();
        Array expected = p.expected(-0.25);
        f(p.rows, p.errors);
        EXPECT_EQ(p.w.get_value(true).data(), before) << "not in place, call " << call;
        EXPECT_TRUE(p.w.get_value().identical(expected)) << "call " << call;
        if (call != 3) continue;
        Array held = p.w.get_value(true), copy = p.w.get_value();
        f(p.rows, p.errors);
        EXPECT_TRUE(held.identical(copy)) << "somebody looks at the old value";
    }
    // One step, which is the product; no memory beside the parameter's.
    size_t products = 0;
    for (const auto& step : f.program().steps)
        products += std::holds_alternative<runtime::ContractStep>(step.kind);
    EXPECT_EQ(products, 1u);
    for (const auto& value : f.program().values) EXPECT_NE(value.place, runtime::Place::Slot);
}

TEST(UpdatesByProducts, VelocityAndParameter) {
    Parameter p;
    auto v = shared(Parameter::counting({3, 4}, 5), "v");
    Variable next = 0.5 * v - 0.25 * p.slope;
    auto f = function({p.x, p.g}, std::vector<Out>{}, {.updates = {{v, next}, {p.w, p.w + next}}});
    for (int call = 0; call < 4; ++call) {
        Array w = p.w.get_value(), old = v.get_value(), step = p.expected(-0.25);
        f(p.rows, p.errors);
        for (int64_t i = 0; i < 3; ++i)
            for (int64_t j = 0; j < 4; ++j) {
                double velocity =
                    0.5 * old.at<double>({i, j}) + step.at<double>({i, j}) - w.at<double>({i, j});
                EXPECT_NEAR(v.get_value().at<double>({i, j}), velocity, 1e-12);
                EXPECT_NEAR(p.w.get_value().at<double>({i, j}), w.at<double>({i, j}) + velocity,
                            1e-12);
            }
    }
}

TEST(UpdatesByProducts, ReadTheOldValues) {
    // A scale that is replaced as well, the parameter as a factor of its own update, and as result.
    Parameter p;
    auto scale = shared(Array::scalar(0.5), "scale");
    auto square = shared(Parameter::counting({3, 3}, 2), "square");
    auto f = function({p.x, p.g}, std::vector<Out>{p.w * 1.0, Variable(square)},
                      {.updates = {{scale, scale * 0.5},
                                   {p.w, scale * p.w + scale * p.slope},
                                   {square, square - matmul(square, square)}}});
    for (int call = 0; call < 4; ++call) {
        double s = scale.get_value().item<double>();
        Array w = p.w.get_value(), expected = p.expected(s, s), old = square.get_value();
        auto results = f(p.rows, p.errors);
        EXPECT_TRUE(results[0].identical(w));
        EXPECT_TRUE(results[1].identical(old));
        EXPECT_TRUE(p.w.get_value().identical(expected));
        EXPECT_EQ(scale.get_value().item<double>(), 0.5 * s);
        for (int64_t i = 0; i < 3; ++i)
            for (int64_t j = 0; j < 3; ++j) {
                double next = old.at<double>({i, j});
                for (int64_t k = 0; k < 3; ++k)
                    next -= old.at<double>({i, k}) * old.at<double>({k, j});
                EXPECT_NEAR(square.get_value().at<double>({i, j}), next,
                            1e-12 * std::abs(next) + 1e-12);
            }
        square.set_value(old);
    }
}

TEST(UpdatesByProducts, FailedCallChangesNothing) {
    Parameter p;
    auto v = shared(Array::of({1., 2., 3., 4.}), "v");
    auto f = function({p.x, p.g}, std::vector<Out>{},
                      {.updates = {{v, v + sum(p.g, {0})}, {p.w, p.w + p.slope}}});
    for (int call = 0; call < 4; ++call) {
        Array w = p.w.get_value(), before = v.get_value();
        std::string text =
            message_of(ErrorKind::Shape, [&] { f(p.rows, Parameter::counting({4, 4})); });
        expect_words(text, {"(3, 5)", "(4, 4)", "test_function.cpp"});
        EXPECT_TRUE(p.w.get_value().identical(w));
        EXPECT_TRUE(v.get_value().identical(before));
        f(p.rows, p.errors);
        EXPECT_FALSE(p.w.get_value().identical(w));
    }
}

TEST(Updates, OldValueAsOutputIsTheOldValue) {
    auto w = shared(Array::of({1., 2.}), "w");
    auto f = function({}, std::vector<Out>{Variable(w), w * 2}, {.updates = {{w, w + 1}}});
    auto r = f();
    EXPECT_EQ(r[0].to_vector<double>(), (std::vector<double>{1, 2}));
    EXPECT_EQ(r[1].to_vector<double>(), (std::vector<double>{2, 4}));
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{2, 3}));
}

TEST(Updates, FailedCallChangesNothing) {
    auto w = shared(Array::of({1., 2.}), "w"), v = shared(Array::of({5., 6.}), "v");
    auto x = vector("x"), y = vector("y");
    auto f = function({x, y}, std::vector<Out>{}, {.updates = {{w, w + x}, {v, v * y}}});
    std::string text =
        message_of(ErrorKind::Shape, [&] { f(Array::of({1., 1.}), Array::of({1., 2., 3.})); });
    expect_words(text, {"v", "y", "(2,)", "(3,)", "test_function.cpp"});
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{1, 2}));
    EXPECT_EQ(v.get_value().to_vector<double>(), (std::vector<double>{5, 6}));
}

TEST(Updates, WrongTypesAreRefused) {
    auto w = shared(Array::of(std::vector<float>{1}, {1}), "w");
    auto x = vector("x");
    expect_words(message_of(ErrorKind::Type, [&] { function({x}, x, {.updates = {{w, w + x}}}); }),
                 {"'w'", "f64"});
    auto f = function({}, sum(w), {.updates = {{w, Arg(Array::of({2.5f})).variable()}}});
    f();
    EXPECT_FLOAT_EQ(w.get_value().item<float>(), 2.5f);
}

TEST(Updates, DefaultUpdates) {
    auto n = shared(Array::scalar(int64_t{0}), "n");
    n.set_default_update(n + 1);
    auto f = function({}, n * 10), g = function({}, n * 10, {.no_default_updates = true});
    f();
    f();
    EXPECT_EQ(n.get_value().item<int64_t>(), 2);
    EXPECT_EQ(g().item<int64_t>(), 20);
    EXPECT_EQ(n.get_value().item<int64_t>(), 2);
}

TEST(Givens, ReplaceInnerExpressionsAndSharedVariables) {
    auto x = vector("x"), y = vector("y");
    auto w = shared(Array::of({3.}), "w");
    Variable inner = x * w;
    auto f = function({y}, inner + 1, {.givens = {{inner, y}}});
    EXPECT_DOUBLE_EQ(f(Array::of({7.})).item<double>(), 8);
    auto g = function({x, y}, inner + 1, {.givens = {{w, y}}});
    EXPECT_DOUBLE_EQ(g(Array::of({7.}), Array::of({2.})).item<double>(), 15);
}

TEST(Copy, SwapsSharedVariables) {
    auto w = shared(Array::of({1.}), "w"), v = shared(Array::of({100.}), "v");
    auto f = function({}, w * 2, {.updates = {{w, w + 1}}});
    auto g = f.copy({{w, v}});
    EXPECT_DOUBLE_EQ(g().item<double>(), 200);
    EXPECT_DOUBLE_EQ(v.get_value().item<double>(), 101);
    EXPECT_DOUBLE_EQ(w.get_value().item<double>(), 1);
    auto h = f.copy({}, true);
    h();
    EXPECT_DOUBLE_EQ(w.get_value().item<double>(), 1);
}

TEST(Threads, CallsFromSeveralThreads) {
    auto x = vector("x");
    auto n = shared(Array::scalar(0.0), "n");
    auto f = function({x}, sum(exp(x)), {.updates = {{n, n + 1}}});
    auto work = [&](double value) {
        for (int i = 0; i < 200; ++i)
            EXPECT_NEAR(f(Array::of({value, value})).item<double>(), 2 * std::exp(value), 1e-12);
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work, 0.1 * i);
    for (auto& thread : threads) thread.join();
    EXPECT_DOUBLE_EQ(n.get_value().item<double>(), 800);
}

TEST(Profile, CountsCallsAndNamesLines) {
    auto x = vector("x");
    auto f = function({x}, sum(exp(x)), {.name = "energy", .profile = true});
    for (int i = 0; i < 3; ++i) f(Array::of({1., 2.}));
    Profile profile = f.profile();
    EXPECT_EQ(profile.calls, 3);
    ASSERT_FALSE(profile.rows.empty());
    EXPECT_EQ(profile.rows[0].calls, 3);
    expect_words(profile.text(), {"energy", "3 calls", "test_function.cpp"});
    message_of(ErrorKind::Usage, [&] { function({x}, exp(x)).profile(); });
}

TEST(Modes, AgreeAndAreNamed) {
    auto x = vector("x");
    Variable y = sum(log(1 + exp(x)) * x);
    Array value = Array::of({-1., 0.5, 2.});
    double quick = function({x}, y, {.mode = compile::mode_named("quick")})(value).item<double>();
    for (const char* name : {"fast", "check", "FAST_RUN", "FAST_COMPILE", "DebugMode"})
        EXPECT_NEAR(function({x}, y, {.mode = compile::mode_named(name)})(value).item<double>(),
                    quick, 1e-12);
    expect_words(message_of(ErrorKind::Usage, [&] { compile::mode_named("slow"); }),
                 {"quick", "fast", "check"});
}

}  // namespace
}  // namespace croton
