// Kernels that run where host code takes their rows: which become part of its step, and that this
// changes no bit.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

#include "croton/api/function.hpp"
#include "croton/base/settings.hpp"
#include "croton/compile/build.hpp"
#include "croton/compile/packed_program.hpp"
#include "croton/compile/reference.hpp"
#include "croton/debug/explain.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/cumulative.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/compile/support.hpp"
#include "tests/unit/runtime/support.hpp"

namespace croton {
namespace {

Variable leaf(const char* type, const char* name) { return input(parse_type(type), name); }

// Many of them more than once, half of them counted from the end.
Array positions(int64_t count, int64_t below, unsigned seed = 5, DType dtype = DType::Int64) {
    std::mt19937 random(seed);
    std::vector<int64_t> values(static_cast<size_t>(count));
    for (int64_t& x : values) {
        x = static_cast<int64_t>(random() % static_cast<unsigned>(below));
        if (dtype != DType::UInt8 && random() % 2 == 0) x -= below;
    }
    return Array::of(values, {count}).cast(dtype);
}

Variable added(const Variable& x, const Variable& at, const Variable& y) {
    return inc_subtensor(take(x, at, 0, "raise"), y);
}

size_t prologues(const runtime::Program& program) {
    size_t count = 0;
    for (const auto& step : program.steps) {
        auto call = std::get_if<runtime::ExternStep>(&step.kind);
        count += call && call->prologue;
    }
    return count;
}

bool same_bits(const Array& a, const Array& b) {
    return a.shape() == b.shape() && a.dtype() == b.dtype() &&
           std::memcmp(a.data(), b.data(), static_cast<size_t>(a.nbytes())) == 0;
}

// The program whose values are a result as well has them in an array.
void expect_same_bits(const Variables& inputs, const Variable& values, const Variable& result,
                      const std::vector<Array>& arguments) {
    auto fused = built(inputs, {result}), apart = built(inputs, {result, values});
    ASSERT_TRUE(fused.assumptions_hold(arguments));
    EXPECT_EQ(prologues(*fused.program), 1u) << fused.program->print();
    EXPECT_EQ(prologues(*apart.program), 0u) << apart.program->print();
    runtime::Frame all(*apart.program);
    Array expected = all.run(arguments)[0];
    auto read = std::make_shared<const runtime::Program>(read_back(*fused.program));
    for (const runtime::Program* program : std::array{fused.program.get(), read.get()})
        for (const char* threads : {"1", "3"}) {
            Threads limited(threads);
            runtime::Frame frame(*program);
            for (int call = 0; call < 4; ++call)
                ASSERT_TRUE(same_bits(frame.run(arguments)[0], expected))
                    << "call " << call << ", " << threads << " threads";
        }
}

TEST(Prologue, RowsOfEveryCount) {
    for (const char* type : {"f32", "f64", "f16", "c128"}) {
        auto of = [&](const char* dims) { return cat(type, dims); };
        auto x = leaf(of("[m,k]").c_str(), "x"), a = leaf(of("[n,k]").c_str(), "a"),
             b = leaf(of("[k]").c_str(), "b"), at = leaf("i64[n]", "at");
        Variable y = a * b + a;
        for (auto [n, k] : std::vector<std::array<int64_t, 2>>{{0, 3},
                                                               {1, 3},
                                                               {1, 20000},
                                                               {3, 0},
                                                               {64, 128},
                                                               {65, 128},
                                                               {3, 9001},
                                                               {4001, 35},
                                                               {9000, 1},
                                                               {20001, 1}})
            for (int64_t m : {int64_t{7}, 300000 / (k + 1)}) {
                SCOPED_TRACE(cat(type, " ", n, " x ", k, " into ", m));
                std::vector<Array> arguments{random_array(x.dtype(), {m, k}, 1),
                                             random_array(x.dtype(), {n, k}, 2),
                                             random_array(x.dtype(), {k}, 3), positions(n, m)};
                expect_same_bits({x, a, b, at}, y, added(x, at, y), arguments);
                expect_same_bits({x, a, b, at}, y, set_subtensor(take(x, at, 0, "raise"), y),
                                 arguments);
            }
    }
}

// Sums by group: of few groups, whose elements go into sums side by side, and of many.
TEST(Prologue, ElementsOfVectors) {
    for (const char* type : {"f32", "i64"})
        for (const char* index : {"i64[n]", "i32[n]", "u8[n]"}) {
            auto a = leaf(cat(type, "[n]").c_str(), "a"), at = leaf(index, "at");
            for (int64_t groups : {1, 100, 140000})
                for (int64_t n : {0, 919, 16384, 16385, 50003}) {
                    if (at.dtype() == DType::UInt8 && groups > 100) continue;
                    SCOPED_TRACE(cat(type, " ", n, " into ", groups));
                    Variable y = a * a + a, zeros = constant(Array::zeros(a.dtype(), {groups}));
                    expect_same_bits(
                        {a, at}, y, added(zeros, at, y),
                        {random_array(a.dtype(), {n}, 2), positions(n, groups, 5, at.dtype())});
                }
        }
}

// Operands by strides, broadcast along rows or along columns; pairs of positions; sizes of 1.
TEST(Prologue, OperandsMayLieAnyhow) {
    auto x = leaf("f64[m,k]", "x"), t = leaf("f64[k,n]", "t"), c = leaf("f64[n,1]", "c"),
         at = leaf("i64[n]", "at"), other = leaf("i64[n]", "other"), v = leaf("f64[n]", "v");
    Variable turned = exp(transpose(t)) * c;
    std::vector<Array> arguments{random_array(DType::Float64, {5000, 40}, 1),
                                 random_array(DType::Float64, {40, 3000}, 2),
                                 random_array(DType::Float64, {3000, 1}, 3), positions(3000, 50)};
    expect_same_bits({x, t, c, at}, turned, added(x, at, turned), arguments);
    Variable column = exp(c);  // spread over the row
    expect_same_bits(
        {x, c, at}, column, added(x, at, column),
        {arguments[0], random_array(DType::Float64, {9000, 1}, 3), positions(9000, 50)});
    Variable one = exp(v);
    expect_same_bits({x, v, at, other}, one, put(x, one, {at, other}, 0, "add"),
                     {arguments[0], random_array(DType::Float64, {9000}, 3), positions(9000, 50),
                      positions(9000, 40, 9)});
    auto row = leaf("f64[?,k]", "row"), single = leaf("i64[?]", "single");
    Variable spread = exp(row);  // written everywhere
    expect_same_bits({x, row, single}, spread, added(x, single, spread),
                     {random_array(DType::Float64, {50, 9000}, 1),
                      random_array(DType::Float64, {1, 9000}, 2), positions(7, 50)});
}

TEST(Prologue, SizesThatChangeFromCallToCall) {
    auto x = leaf("f32[m,k]", "x"), a = leaf("f32[n,k]", "a"), at = leaf("i64[n]", "at");
    Variable result = added(x, at, tanh(a) * 2);
    auto f = function({x, a, at}, {result}),
         judge = function({x, a, at}, {result}, {.mode = compile::mode_named("quick")});
    for (int round = 0; round < 3; ++round)
        for (int64_t n : {3, 700, 20, 2000, 0}) {
            Array table = random_array(DType::Float32, {5000, 33}, 1), where = positions(n, 5000),
                  values = random_array(DType::Float32, {n, 33}, static_cast<unsigned>(n));
            auto found = f(table, values, where)[0].to_vector<double>(),
                 expected = judge(table, values, where)[0].to_vector<double>();
            for (size_t i = 0; i < found.size(); ++i)
                ASSERT_NEAR(found[i], expected[i], 1e-4) << n << ", element " << i;
        }
}

TEST(Prologue, AnUpdateIsOneStepInTheVariablesOwnMemory) {
    auto w = shared(random_array(DType::Float32, {2000, 128}, 1), "w");
    auto at = leaf("i64[n]", "at"), a = leaf("f32[n,128]", "a"), b = leaf("f32[n,128]", "b");
    auto f = function({at, a, b}, std::vector<Out>{},
                      {.updates = {{w, added(w, at, a * exp(b) * -0.5)}}});
    ASSERT_EQ(f.program().steps.size(), 1u) << f.program().print();
    EXPECT_EQ(f.program().slots, 0);
    Array expected = w.get_value();
    const void* before = w.get_value(true).data();
    Array where = positions(4000, 2000), x = random_array(DType::Float32, {4000, 128}, 2),
          y = random_array(DType::Float32, {4000, 128}, 3);
    auto w0 = leaf("f32[m,128]", "w0");
    auto judge = function({w0, at, a, b}, {added(w0, at, a * exp(b) * -0.5)},
                          {.mode = compile::mode_named("quick")});
    for (int call = 0; call < 3; ++call) {
        f(where, x, y);
        expected = judge(expected, where, x, y)[0];
    }
    EXPECT_EQ(w.get_value(true).data(), before);
    auto found = w.get_value().to_vector<double>(), wanted = expected.to_vector<double>();
    for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 1e-3);
}

// Of what is written into large arrays, a few rows at a time are there.
TEST(Prologue, HoldsSomeRows) {
    Threads one("1");
    auto x = leaf("f32[m,k]", "x"), a = leaf("f32[n,k]", "a"), at = leaf("i64[n]", "at");
    auto made = built({x, a, at}, {added(x, at, a * 2)});
    runtime::Frame frame(*made.program);
    for (int call = 0; call < 3; ++call) {
        frame.run(std::vector<Array>{random_array(DType::Float32, {1100, 128}, 1),
                                     random_array(DType::Float32, {4000, 128}, 2),
                                     positions(4000, 1100)});
    }
    EXPECT_EQ(frame.held_bytes(), 4 * 16384);
}

// Positions are looked at, and sizes fitted, before the first row is written.
TEST(Prologue, AFailingCallLeavesAllTablesAsTheyWere) {
    auto w = shared(random_array(DType::Float64, {2000, 40}, 1), "w");
    auto at = leaf("i64[?]", "at"), a = leaf("f64[?,40]", "a"), b = leaf("f64[?,40]", "b");
    auto f = function({at, a, b}, std::vector<Out>{}, {.updates = {{w, added(w, at, a * exp(b))}}});
    ASSERT_EQ(prologues(f.program()), 1u) << f.program().print();
    Array before = w.get_value(), good = random_array(DType::Float64, {600, 40}, 2);
    std::vector<int64_t> bad(600, 3);
    bad[599] = 2000;
    for (int call = 0; call < 4; ++call) {
        Array table = w.get_value();
        EXPECT_THROW(f(Array::of(bad, {600}), good, good), Error);
        EXPECT_THROW(f(positions(500, 2000), good, good), Error);
        try {
            f(positions(600, 2000), good, random_array(DType::Float64, {601, 40}, 2));
            FAIL() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Shape);
            std::string text = error.what();
            for (const char* part : {"(600, 40)", "(601, 40)", "in mul"})
                EXPECT_NE(text.find(part), std::string::npos) << text;
        }
        EXPECT_TRUE(same_bits(w.get_value(), table));
        f(positions(600, 2000), good, good);
    }
}

// Each of these would be wrong, fail too late, or hold more memory.
TEST(Prologue, WhatStaysAStepOfItsOwn) {
    auto x = leaf("f64[m,k]", "x"), a = leaf("f64[n,k]", "a"), at = leaf("i64[n]", "at"),
         square = leaf("i64[n,n]", "square"), cube = leaf("f64[n,n,k]", "cube");
    auto count = [](const Variables& inputs, const Variables& outputs) {
        return prologues(*built(inputs, outputs).program);
    };
    Variable y = exp(a);
    EXPECT_EQ(count({x, a, at}, {added(x, at, y), y}), 0u) << "a result";
    EXPECT_EQ(count({x, a, at}, {added(x, at, y), sum(y)}), 0u) << "a reduction beside it";
    EXPECT_EQ(count({x, a, at}, {added(x, at, y), added(a, at, y)}), 0u) << "taken twice";
    EXPECT_EQ(count({x, cube, square}, {added(x, square, exp(cube))}), 0u) << "two axes of them";
    EXPECT_EQ(count({x, a, at}, {inc_subtensor(take(x, at, 1, "raise"), exp(transpose(a)))}), 0u)
        << "positions along the second axis";
    Variable e = cumsum(a, 0), g = cumsum(a, 1);
    EXPECT_EQ(count({x, a, at}, {added(x, at, e * 2)}), 1u);
    EXPECT_EQ(count({x, a, at}, {added(x, at, e * g)}), 0u) << "two arrays would wait";
}

TEST(Prologue, WhatIsReadIsNotWrittenOver) {
    auto w = shared(random_array(DType::Float64, {50, 40}, 1), "w"),
         v = shared(random_array(DType::Float64, {2000, 40}, 2), "v");
    auto at = leaf("i64[n]", "at"), a = leaf("f64[n,40]", "a");
    auto row_of = [](const Variable& x) { return croton::at(x, {Slice(7, 8)}); };
    auto steps = [&](const Variable& to, const Variable& values) {
        auto f = function({at, a}, std::vector<Out>{},
                          {.updates = {{w, added(w, at, to)}, {v, values}}});
        return prologues(f.program());
    };
    EXPECT_EQ(steps(exp(a), v * 2), 1u);
    EXPECT_EQ(steps(a * row_of(w), v * 2), 0u) << "a row of the table itself";
    EXPECT_EQ(steps(a * row_of(v), v * 2), 0u) << "another variable that is updated";
    EXPECT_EQ(steps(a * take(w, at, 0, "raise"), v * 2), 0u) << "rows that may be written before";
}

TEST(Prologue, ShowsInExplanationsAndProfiles) {
    auto x = leaf("f32[m,k]", "x"), a = leaf("f32[n,k]", "a"), at = leaf("i64[n]", "at");
    auto f = function({x, a, at}, {added(x, at, tanh(a) * 2)}, {.profile = true});
    for (int64_t n : {20, 2000})
        for (int call = 0; call < 3; ++call)
            f(random_array(DType::Float32, {5000, 33}, 1), random_array(DType::Float32, {n, 33}, 2),
              positions(n, 5000));
    EXPECT_NE(explain(f).find("kernel k0   tanh mul put"), std::string::npos) << explain(f);
    auto profile = f.profile();
    ASSERT_EQ(profile.rows.size(), 1u);
    EXPECT_EQ(profile.rows[0].calls, 6);
    EXPECT_EQ(profile.rows[0].bytes, 5000 * 33 * 4);
    EXPECT_GT(profile.rows[0].seconds, 0);
}

TEST(Prologue, CheckModeAgrees) {
    auto x = leaf("f32[m,k]", "x"), a = leaf("f32[n,k]", "a"), at = leaf("i64[n]", "at");
    Variable result = added(x, at, tanh(a) * 2);
    auto f = function({x, a, at}, {result}, {.mode = compile::mode_named("check")});
    for (int call = 0; call < 3; ++call)
        f(random_array(DType::Float32, {5000, 33}, 1), random_array(DType::Float32, {2000, 33}, 2),
          positions(2000, 5000));
}

}  // namespace
}  // namespace croton
