// Calls that leave results in memory of the caller's.
#include <gtest/gtest.h>

#include <cmath>

#include "croton/api/function.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/api/support.hpp"

namespace croton {
namespace {
Variable vector(const char* name) { return input(parse_type("f64[?]"), name); }
Variable matrix(const char* name) { return input(parse_type("f64[?,?]"), name); }

// Some numbers, all different, none a zero.
Array numbers(Sizes shape) {
    Array result = Array::empty(DType::Float64, std::move(shape));
    for (int64_t i = 0; i < result.size(); ++i)
        result.data_as<double>()[i] = std::sin(1.0 + 0.7 * static_cast<double>(i));
    return result;
}

TEST(Destinations, ResultsAreLeftWhereTheCallerWants) {
    auto x = matrix("x"), w = matrix("w");
    auto f = function({x, w}, std::vector<Out>{tanh(dot(x, w)), sum(x, {1}), transpose(x)});
    Array a = numbers({6, 4}), b = numbers({4, 5});
    auto wanted = f(a, b);
    Array first = Array::empty(DType::Float64, {6, 5});
    Array wide = Array::zeros(DType::Float64, {6, 2});
    Array column = Array::view(DType::Float64, {6}, {wide.strides()[0]}, wide.data(), wide.owner());
    for (int call = 0; call < 4; ++call) {  // from the third on it is replayed
        first.assign(Array::zeros(DType::Float64, {6, 5}));
        auto r = f.call({a, b}, {.into = {first, column}});
        ASSERT_EQ(r.size(), 3u);
        EXPECT_EQ(r[0].data(), first.data());
        EXPECT_EQ(r[1].data(), wide.data());
        EXPECT_TRUE(first.identical(wanted[0]));
        EXPECT_TRUE(column.copy().identical(wanted[1]));
        EXPECT_TRUE(r[2].identical(wanted[2]));
        EXPECT_DOUBLE_EQ(wide.at<double>({3, 1}), 0);
    }
    auto chosen = f.call({a, b}, {.outputs = {{1, 0}}, .into = {{}, first}});
    EXPECT_EQ(chosen[1].data(), first.data());
    EXPECT_TRUE(chosen[0].identical(wanted[1]));
}

TEST(Destinations, ResultsMayBeLeftOverArguments) {
    auto x = vector("x"), y = vector("y");
    auto f = function({x, y}, std::vector<Out>{x + flip(y, {0}), x - y});
    for (int call = 0; call < 4; ++call) {
        Array both = Array::of({1., 2., 3., 4.});
        auto part = [&](int64_t from) {
            return Array::view(DType::Float64, {3}, {8}, both.data_as<double>() + from,
                               both.owner());
        };
        Array other = Array::empty(DType::Float64, {3});
        f.call({part(0), part(1)}, {.into = {part(0), other}});
        EXPECT_EQ(both.to_vector<double>(), (std::vector<double>{5, 5, 5, 4}));
        EXPECT_EQ(other.to_vector<double>(), (std::vector<double>{-1, -1, -1}));
    }
}

TEST(Destinations, WrongMemoryForResultsChangesNothing) {
    auto x = vector("x");
    auto n = shared(Array::of({1., 2., 3.}), "n");
    auto f = function({x}, std::vector<Out>{x * 2, n + x}, {.updates = {{n, n + x}}});
    Array a = Array::of({1., 1., 1.}), right = Array::empty(DType::Float64, {3});
    Array wrong = Array::empty(DType::Float64, {4});
    Array single = Array::empty(DType::Float32, {3});
    auto message = [&](ErrorKind kind, std::vector<std::optional<Array>> into) {
        return message_of(kind, [&] { f.call({a}, {.into = std::move(into)}); });
    };
    double now = 1;
    for (int call = 0; call < 4; ++call) {
        expect_words(message(ErrorKind::Shape, {right, wrong}),
                     {"result 1 has shape (3,)", "memory for it has shape (4,)"});
        EXPECT_DOUBLE_EQ(n.get_value().at<double>({0}), now);
        f.call({a}, {.into = {right, {}}});
        EXPECT_DOUBLE_EQ(n.get_value().at<double>({0}), ++now);
        EXPECT_DOUBLE_EQ(right.at<double>({2}), 2);
    }
    // Results that wait are looked at before updates happen as well.
    Array longer = Array::view(DType::Float64, {4}, {8}, wrong.data(), wrong.owner());
    Array inside = Array::view(DType::Float64, {3}, {8}, wrong.data(), wrong.owner());
    inside.assign(a);
    expect_words(message_of(ErrorKind::Shape, [&] { f.call({inside}, {.into = {longer}}); }),
                 {"result 0 has shape (3,)"});
    EXPECT_DOUBLE_EQ(n.get_value().at<double>({0}), now);

    expect_words(message(ErrorKind::Type, {single}), {"result 0", "float32", "rank 1", "f64[?]"});
    expect_words(message(ErrorKind::Usage, {right, {}, {}}), {"3 results", "has 2"});
    expect_words(message(ErrorKind::Usage, {right, right}), {"result 1", "result 0", "overlap"});
    Array repeated = Array::view(DType::Float64, {3}, {0}, right.data(), right.owner());
    expect_words(message(ErrorKind::Usage, {repeated}), {"result 0", "one place"});
    EXPECT_DOUBLE_EQ(n.get_value().at<double>({0}), now);
}

TEST(Destinations, MemoryForResultsInEveryMode) {
    auto x = matrix("x");
    auto w = shared(numbers({3, 3}), "w");
    for (const char* name : {"quick", "fast", "check"}) {
        auto f = function({x}, std::vector<Out>{exp(x), dot(x, w), x},
                          {.updates = {{w, w * 2.0}}, .mode = compile::mode_named(name)});
        w.set_value(numbers({3, 3}));
        Array a = numbers({4, 3});
        auto g = function({x}, std::vector<Out>{exp(x), dot(x, w), x},
                          {.mode = compile::mode_named(name)});
        std::vector<std::optional<Array>> into;
        for (int i = 0; i < 3; ++i) into.emplace_back(Array::empty(DType::Float64, {4, 3}));
        for (int call = 0; call < 3; ++call) {
            auto wanted = g(a);
            auto r = f.call({a}, {.into = into});
            for (size_t i = 0; i < 3; ++i) {
                EXPECT_EQ(r[i].data(), into[i]->data());
                EXPECT_TRUE(into[i]->identical(wanted[i])) << name << " " << i;
            }
        }
    }
    // No elements, no axes, sizes that the elements decide.
    auto v = vector("v");
    auto f = function({v}, std::vector<Out>{v * 2, sum(v), flatten(nonzero(v))});
    Array none = Array::empty(DType::Float64, {0}), total = Array::empty(DType::Float64, {});
    auto r = f.call({Array::empty(DType::Float64, {0})}, {.into = {none, total}});
    EXPECT_DOUBLE_EQ(total.item<double>(), 0);
    Array two = Array::empty(DType::Int64, {2});
    for (double last : {0., 0., 0., 5., 0.}) {
        Array a = Array::of({1., 2., last});
        auto leave = [&] { return f.call({a}, CallOptions{.into = {{}, {}, two}}); };
        if (last == 0) {
            EXPECT_EQ(leave()[2].to_vector<int64_t>(), (std::vector<int64_t>{0, 1}));
        } else {
            expect_words(message_of(ErrorKind::Shape, leave), {"result 2", "(3,)", "(2,)"});
        }
    }
}

}  // namespace
}  // namespace croton
