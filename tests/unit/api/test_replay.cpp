// Calls after the first ones of a shape run from what those left ready: they must give what a
// function that was never called gives, whatever shapes, layouts and values come in whatever order.
#include <gtest/gtest.h>

#include <thread>

#include "croton/api/function.hpp"
#include "croton/croton.hpp"

namespace croton {
namespace {

// Numbers that differ, in memory laid out like this.
Array counting(Sizes shape, double from) {
    Array result = Array::empty(DType::Float64, shape);
    for (int64_t i = 0; i < result.size(); ++i)
        static_cast<double*>(result.data())[i] = from + 0.25 * static_cast<double>(i % 37);
    return result;
}

Array transposed(const Array& a) {
    Sizes shape(a.shape()), strides(a.strides());
    std::reverse(shape.begin(), shape.end());
    std::reverse(strides.begin(), strides.end());
    return Array::view(a.dtype(), shape, strides, a.data(), a.owner());
}
Array every_other(const Array& a) {  // of the last axis, from behind
    Sizes shape(a.shape()), strides(a.strides());
    char* last = static_cast<char*>(a.data()) + (shape.back() - 1) * strides.back();
    shape.back() /= 2;
    strides.back() *= -2;
    return Array::view(a.dtype(), shape, strides, last, a.owner());
}
Array repeated(const Array& row, int64_t times) {
    return Array::view(row.dtype(), {times, row.shape(0)}, {0, row.strides()[0]}, row.data(),
                       row.owner());
}

struct Graph {
    const char* name;
    std::function<Variables(const Variable& x, const Variable& n)> outputs;
};
// x is a matrix, n an integer scalar.
std::vector<Graph> graphs() {
    return {
        {"elementwise", [](auto& x, auto&) { return Variables{exp(x) * x - 1.0, neg(x)}; }},
        {"rows", [](auto& x, auto&) { return Variables{softmax(x), sum(x, 0), max(x)}; }},
        {"views",
         [](auto& x, auto&) {
             auto t = transpose(x);
             return Variables{t, flatten(t), at(t, {Slice(1, {})}) * 2.0, dot(x, t)};
         }},
        {"sizes",
         [](auto& x, auto&) {
             auto rows = size_of(x, 0);
             return Variables{mean(x, 0), arange(rows), full(ShapeArg({rows, 2}), 1.5),
                              x / cast(rows, DType::Float64), shape(x)};
         }},
        {"chosen element", [](auto& x, auto& n) { return Variables{at(x, {n}), at(x, {n, 0})}; }},
        {"chosen size",
         [](auto& x, auto& n) {
             auto part = at(x, {Slice({}, n)});
             return Variables{exp(part), sum(part), arange(n + 1), sum(exp(arange(n)))};
         }},
        {"a range",
         [](auto& x, auto& n) {
             return Variables{arange(n + 1) * 2, sum(exp(arange(n))), exp(x)};
         }},
        {"values choose sizes",
         [](auto& x, auto&) {
             auto found = at(x, {gt(x, 2.0)});
             return Variables{found, sum(found), exp(found)};
         }},
        {"branch",
         [](auto& x, auto& n) {
             return Variables{ifelse(gt(n, 1), exp(x), neg(x)) + 1.0,
                              sum(ifelse(gt(n, 1), x, at(x, {Slice(0, 1)})))};
         }},
        {"host code", [](auto& x, auto&) { return Variables{sort(x), sum(cumsum(x, 0))}; }},
        {"gather",
         [](auto& x, auto& n) {
             auto where = arange(size_of(x, 0)) * 0 + n;
             return Variables{take(x, where, 0), inc_subtensor(at(x, {n}), 1.0)};
         }},
    };
}

struct Call {
    Array x;
    int64_t n;
};
std::vector<Call> calls() {
    Array small = counting({3, 4}, 1), other = counting({3, 4}, -2), wide = counting({4, 6}, 0.5);
    Array large = counting({300, 200}, -3);
    std::vector<Call> list;
    auto add = [&](const Array& x, std::initializer_list<int64_t> ns) {
        for (int64_t n : ns) list.push_back({x, n});
    };
    add(small, {1, 1, 1, 2, 0, 1});
    add(other, {1, 2, 2, 2});  // elsewhere in memory
    add(wide, {2, 2, 3, 2});   // another shape
    add(small, {1, 2});        // and back
    add(transposed(counting({4, 3}, 1)), {1, 1, 2, 2});
    add(every_other(counting({3, 8}, 2)), {1, 1, 0, 2});
    add(repeated(counting({4}, 7), 3), {2, 2, 2, 1});
    add(counting({1, 4}, 1), {0, 0, 0});
    add(counting({3, 0}, 1), {2, 2, 2});
    add(large, {5, 5, 5, 9});
    add(every_other(large), {5, 5, 5});
    for (int i = 0; i < 3; ++i) {  // in turn
        add(small, {1});
        add(wide, {2});
        add(counting({2, 2}, 3), {1});
        add(transposed(wide), {1});
        add(counting({5, 2}, 3), {1});
    }
    add(small, {2, 2});
    return list;
}

// What calling gives: values, or the message.
struct Outcome {
    std::vector<Array> values;
    std::string error;
};
Outcome outcome_of(const Function& f, const Call& call) {
    try {
        return {f(call.x, Array::scalar(call.n)).values(), ""};
    } catch (const Error& error) {
        return {{}, error.what()};
    }
}
void expect_same(const Outcome& expected, const Outcome& found, const std::string& where) {
    ASSERT_EQ(expected.error, found.error) << where;
    ASSERT_EQ(expected.values.size(), found.values.size()) << where;
    for (size_t i = 0; i < found.values.size(); ++i)
        EXPECT_TRUE(expected.values[i].identical(found.values[i]))
            << where << ", output " << i << ": expected\n"
            << expected.values[i].text() << "\nfound\n"
            << found.values[i].text();
}

class Replay : public testing::TestWithParam<std::tuple<size_t, const char*>> {
  protected:
    Replay() {
        x_ = input(parse_type("f64[?,?]"), "x"), n_ = input(parse_type("i64[]"), "n");
        options_.mode = compile::mode_named(std::get<1>(GetParam()));
        options_.on_unused_input = "ignore";
    }
    Function make(FunctionOptions options) {
        std::vector<Out> outs;
        for (const auto& v : graphs()[std::get<0>(GetParam())].outputs(x_, n_)) outs.push_back(v);
        return function({x_, n_}, outs, options);
    }
    Variable x_, n_;
    FunctionOptions options_;
};

TEST_P(Replay, GivesWhatAFirstCallGives) {
    Function f = make(options_);
    std::vector<std::pair<Outcome, Outcome>> kept;
    size_t number = 0;
    for (const Call& call : calls()) {
        Outcome expected = outcome_of(f.copy(), call), found = outcome_of(f, call);
        expect_same(expected, found,
                    cat("call ", number++, " of ", shape_text(call.x.shape()), ", ", call.n));
        kept.emplace_back(expected, found);
    }
    for (size_t i = 0; i < kept.size(); ++i)
        expect_same(kept[i].first, kept[i].second, cat("result ", i, " afterwards"));
}

TEST_P(Replay, SeveralThreadsAtOnce) {
    Function f = make(options_);
    auto list = calls();
    std::vector<Outcome> expected(list.size());
    for (size_t i = 0; i < list.size(); ++i) expected[i] = outcome_of(f.copy(), list[i]);
    std::vector<std::vector<Outcome>> found(3, std::vector<Outcome>(list.size()));
    std::vector<std::thread> threads;
    for (size_t t = 0; t < found.size(); ++t)
        threads.emplace_back([&, t] {
            for (size_t i = 0; i < list.size(); ++i) found[t][i] = outcome_of(f, list[i]);
        });
    for (auto& thread : threads) thread.join();
    for (const auto& mine : found)
        for (size_t i = 0; i < list.size(); ++i) expect_same(expected[i], mine[i], cat("call ", i));
}

TEST_P(Replay, ProfilesCountEveryStepOfEveryCall) {
    options_.profile = true;
    Function f = make(options_);
    for (int i = 0; i < 5; ++i) outcome_of(f, calls()[0]);
    Profile profile = f.profile();
    EXPECT_EQ(profile.calls, 5);
    EXPECT_EQ(profile.rows.size(), f.program().steps.size());
    for (const auto& row : profile.rows) EXPECT_EQ(row.calls, 5) << row.what;
}

INSTANTIATE_TEST_SUITE_P(Graphs, Replay,
                         testing::Combine(testing::Range<size_t>(0, graphs().size()),
                                          testing::Values("fast", "quick")),
                         [](const auto& info) {
                             std::string name = graphs()[std::get<0>(info.param)].name;
                             std::replace(name.begin(), name.end(), ' ', '_');
                             return name + "_" + std::get<1>(info.param);
                         });

// --- shared variables
// -----------------------------------------------------------------------------

TEST(ReplayUpdates, AreDoneInPlaceOrNotAsTheHoldersAllow) {
    auto w = shared(counting({4}, 0), "w");
    auto x = input(parse_type("f64[?]"), "x");
    FunctionOptions options;
    options.updates = {{w, w + x}};
    auto f = function({x}, sum(w), options);
    std::vector<Array> held;
    Array one = Array::of({1., 1., 1., 1.});
    for (int i = 0; i < 12; ++i) {
        double before = w.get_value().at<double>({0});
        if (i % 3 == 1) held.push_back(w.get_value(true));  // somebody looks at it
        f(one);
        EXPECT_EQ(w.get_value().at<double>({0}), before + 1) << "call " << i;
        if (i % 4 == 2) {
            f(w.get_value(true));  // the argument is the variable's own memory
            EXPECT_EQ(w.get_value().at<double>({0}), 2 * (before + 1)) << "call " << i;
        }
    }
    w.set_value(counting({4}, 5));  // elsewhere
    f(one);
    EXPECT_EQ(w.get_value().at<double>({0}), 6);
    for (size_t i = 1; i < held.size(); ++i)
        EXPECT_GT(held[i].at<double>({0}), held[i - 1].at<double>({0})) << "looked at, unchanged";
}

TEST(ReplayUpdates, AFaultInAReplayedCallChangesNothing) {
    auto w = shared(counting({4}, 0), "w");
    auto where = input(parse_type("i64[?]"), "where");
    FunctionOptions options;
    options.updates = {{w, w + 1.0}};
    auto f = function({where}, take(w, where, 0), options);
    Array good = Array::of<int64_t>({1, 2}), bad = Array::of<int64_t>({1, 9});
    for (int i = 0; i < 5; ++i) {
        f(good);
        Array before = w.get_value();
        EXPECT_THROW(f(bad), Error);
        EXPECT_TRUE(before.identical(w.get_value())) << "call " << i;
    }
    EXPECT_EQ(f(good).only().at<double>({0}), 5.25);
}

TEST(ReplayUpdates, TrustedInputsOfAnotherShape) {
    auto x = input(parse_type("f64[?]"), "x"), y = input(parse_type("f64[?]"), "y");
    auto f = function({x, y}, x + y);
    f.trust_input(true);
    Array three = Array::of({1., 2., 3.}), one = Array::of({10.});
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(f(three, three).only().to_vector<double>(), (std::vector<double>{2, 4, 6}));
        EXPECT_EQ(f(three, one).only().to_vector<double>(), (std::vector<double>{11, 12, 13}));
    }
}

// --- memory
// ---------------------------------------------------------------------------------------

TEST(ReplayMemory, LargeSlotsGoWhenACallHasLittleUseForThem) {
    auto x = input(parse_type("f64[?]"), "x");
    auto f = function({x}, sum(sort(exp(x))));
    runtime::Frame frame(f.program());
    auto held_after = [&](int64_t size, int calls) {
        Array argument = counting({size}, 0);
        for (int i = 0; i < calls; ++i) frame.run({&argument, 1});
        return frame.held_bytes();
    };
    constexpr int64_t large = 3 << 20, small = 100;
    int64_t at_most = held_after(large, 3);
    EXPECT_GE(at_most, 8 * large);
    EXPECT_LT(held_after(small, 1), 8 * large);
    EXPECT_EQ(held_after(large, 1), at_most) << "replayed over new memory";
    EXPECT_LT(held_after(small, 3), 8 * large);
    EXPECT_EQ(held_after(large, 1), at_most);
    EXPECT_EQ(held_after(small, 2), at_most) << "shapes in turn keep what they need";
    Array argument = counting({large}, 0);
    Array expected = f(argument), found = frame.run({&argument, 1})[0];
    EXPECT_TRUE(expected.identical(found));
}

}  // namespace
}  // namespace croton
