// Kernels that run where a product is stored: which become part of its step, and that this changes
// no value, however the product is arranged.
#include <gtest/gtest.h>

#include <random>

#include "croton/api/function.hpp"
#include "croton/base/settings.hpp"
#include "croton/compile/build.hpp"
#include "croton/compile/epilogue.hpp"
#include "croton/compile/packed_program.hpp"
#include "croton/compile/reference.hpp"
#include "croton/debug/explain.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/compile/support.hpp"
#include "tests/unit/runtime/support.hpp"

namespace croton {
namespace {

Variable leaf(const char* type, const char* name) { return input(parse_type(type), name); }

std::vector<Array> random_arrays(const Variables& inputs, const std::vector<Sizes>& shapes) {
    std::vector<Array> values;
    for (size_t i = 0; i < inputs.size(); ++i)
        values.push_back(
            random_array(inputs[i].dtype(), shapes[i], static_cast<unsigned>(10 + 7 * i)));
    return values;
}

size_t epilogues(const runtime::Program& program) {
    size_t count = 0;
    for (const auto& step : program.steps) {
        auto product = std::get_if<runtime::ContractStep>(&step.kind);
        count += product && product->epilogue;
    }
    return count;
}

// Three calls, the last of them replayed, against the program of quick mode.
void expect_right(const runtime::Program& program, const Variables& inputs,
                  const Variables& outputs, const std::vector<Array>& values) {
    std::vector<std::pair<Variable, Array>> given;
    for (size_t i = 0; i < inputs.size(); ++i) given.emplace_back(inputs[i], values[i]);
    auto expected = compile::evaluate(outputs, given);
    runtime::Frame frame(program);
    for (int call = 0; call < 3; ++call) {
        auto found = frame.run(values);
        for (size_t k = 0; k < expected.size(); ++k) {
            ASSERT_EQ(shape_text(expected[k].shape()), shape_text(found[k].shape()));
            auto a = expected[k].to_vector<double>(), b = found[k].to_vector<double>();
            double bound = outputs[k].dtype() == DType::Float64 ? 1e-11 : 1e-3;
            for (size_t i = 0; i < a.size(); ++i)
                ASSERT_NEAR(a[i], b[i], bound * (1 + std::abs(a[i])))
                    << "call " << call << ", output " << k << ", element " << i;
        }
    }
}

void expect_fused(const Variables& inputs, const Variables& outputs,
                  const std::vector<Sizes>& shapes, size_t count = 1) {
    SCOPED_TRACE(shape_text(shapes[0]) + shape_text(shapes[1]));
    auto values = random_arrays(inputs, shapes);
    auto made = built(inputs, outputs);
    ASSERT_TRUE(made.assumptions_hold(values));
    EXPECT_EQ(epilogues(*made.program), count) << made.program->print();
    expect_right(*made.program, inputs, outputs, values);
    expect_right(read_back(*made.program), inputs, outputs, values);
}

TEST(Epilogue, ADenseLayerIsOneStepWithoutMemoryOfItsOwn) {
    auto x = leaf("f32[n,k]", "x"), w = leaf("f32[k,m]", "w"), b = leaf("f32[m]", "b");
    auto made = built({x, w, b}, {tanh(dot(x, w) + b)});
    EXPECT_EQ(made.program->steps.size(), 1u);
    EXPECT_EQ(made.program->slots, 0);
    for (const auto& value : made.program->values)
        EXPECT_TRUE(value.place == runtime::Place::Argument || value.place == runtime::Place::Fresh)
            << made.program->print();
    runtime::Frame frame(*made.program);
    auto values = random_arrays({x, w, b}, {{300, 200}, {200, 100}, {100}});
    for (int call = 0; call < 3; ++call) frame.run(values);
    EXPECT_EQ(frame.held_bytes(), 0);
}

// Sizes for each way of products: strips, strips of several blocks of depth, panels, panels of all
// of b, few rows, the transposed product, one row, one column; small ones; none at all.
TEST(Epilogue, OfEveryWayOfProducts) {
    for (const char* type : {"f32", "f64"}) {
        auto of = [&](const char* dims) { return cat(type, dims); };
        auto x = leaf(of("[n,k]").c_str(), "x"), w = leaf(of("[k,m]").c_str(), "w"),
             b = leaf(of("[m]").c_str(), "b"), r = leaf(of("[n,m]").c_str(), "r");
        Variable layer = tanh(dot(x, w) * 0.125 + b) * r + b;
        for (auto [n, k, m] : std::vector<std::array<int64_t, 3>>{{130, 300, 141},
                                                                  {67, 1300, 259},
                                                                  {1500, 101, 35},
                                                                  {701, 130, 131},
                                                                  {5, 200, 5003},
                                                                  {5003, 200, 5},
                                                                  {1, 500, 9001},
                                                                  {9001, 500, 1},
                                                                  {7, 3, 9},
                                                                  {1, 1, 1},
                                                                  {0, 3, 4},
                                                                  {3, 0, 4},
                                                                  {3, 4, 0}})
            for (const char* threads : {"1", "3"}) {
                Threads limited(threads);
                expect_fused({x, w, b, r}, {layer}, {{n, k}, {k, m}, {m}, {n, m}});
            }
    }
}

TEST(Epilogue, OnEveryLevelOfVectors) {
    auto x = leaf("f32[n,k]", "x"), w = leaf("f32[k,m]", "w"), b = leaf("f32[m]", "b");
    const std::string before = get_setting("cpu_level");
    for (const char* level : {"sse2", "avx2", "native"}) {
        set_setting("cpu_level", level);
        expect_fused({x, w, b}, {exp(dot(x, w) * 0.01 + b)}, {{130, 300}, {300, 141}, {141}});
        expect_fused({x, w, b}, {exp(dot(x, w) * 0.01 + b)}, {{1500, 101}, {101, 35}, {35}});
        expect_fused({x, w, b}, {exp(dot(x, w) * 0.01 + b)}, {{5, 200}, {200, 5003}, {5003}});
    }
    set_setting("cpu_level", before);
}

TEST(Epilogue, OperandsMayLieAnyhow) {
    auto x = leaf("f64[n,k]", "x"), w = leaf("f64[k,m]", "w"), t = leaf("f64[m,n]", "t"),
         column = leaf("f64[n,1]", "column");
    Variable turned = transpose(t), both = exp(dot(x, w) * 0.01 - turned) * column;
    expect_fused({x, w, t, column}, {both}, {{300, 130}, {130, 141}, {141, 300}, {300, 1}});
    Variable product = dot(transpose(w), transpose(x));  // (m, n)
    expect_fused({x, w, t}, {tanh(product * 0.1 + t)}, {{300, 130}, {130, 141}, {141, 300}});
}

TEST(Epilogue, OfBatches) {
    auto x = leaf("f32[p,n,k]", "x"), w = leaf("f32[p,k,m]", "w"), b = leaf("f32[m]", "b"),
         each = leaf("f32[p,1,m]", "each"), one = leaf("f32[k,m]", "one"),
         r = leaf("f32[p,n,m]", "r");
    for (auto [p, n, k, m] : std::vector<std::array<int64_t, 4>>{
             {5, 70, 130, 101}, {2, 5, 3, 4}, {40, 64, 70, 65}, {0, 3, 3, 3}}) {
        expect_fused({x, w, b, each}, {tanh(matmul(x, w) * 0.1 + b + each)},
                     {{p, n, k}, {p, k, m}, {m}, {p, 1, m}});
        // All rows are those of one tall matrix; not so for `each`.
        expect_fused({x, one, b, each}, {tanh(matmul(x, one) * 0.1 + b + each)},
                     {{p, n, k}, {k, m}, {m}, {p, 1, m}});
        expect_fused({x, one, r}, {tanh(matmul(x, one) * 0.1) + r}, {{p, n, k}, {k, m}, {p, n, m}});
    }
}

TEST(Epilogue, SeveralResults) {
    auto x = leaf("f64[n,k]", "x"), w = leaf("f64[k,m]", "w"), b = leaf("f64[m]", "b");
    Variable h = tanh(dot(x, w) * 0.1 + b), slope = 1 - sqr(h);
    expect_fused({x, w, b}, {h, slope}, {{200, 300}, {300, 141}, {141}});
    expect_fused({x, w, b}, {h, slope, gt(h, 0)}, {{200, 300}, {300, 141}, {141}});
}

TEST(Epilogue, AfterAnAddendThatDies) {
    auto x = leaf("f64[n,k]", "x"), w = leaf("f64[k,m]", "w"), y = leaf("f64[n,m]", "y");
    expect_fused({x, w, y}, {tanh(exp(y) + 0.1 * dot(x, w))}, {{200, 300}, {300, 141}, {200, 141}});
    Variable e = exp(y), both = tanh(e + 0.1 * dot(x, w)) * e;
    expect_fused({x, w, y}, {both}, {{200, 300}, {300, 141}, {200, 141}});
}

TEST(Epilogue, OfLayersAfterEachOther) {
    auto x = leaf("f32[n,k]", "x"), w = leaf("f32[k,k]", "w"), v = leaf("f32[k,k]", "v"),
         b = leaf("f32[k]", "b");
    Variable h = tanh(dot(x, w) * 0.1 + b), g = tanh(dot(h, v) * 0.1 + h + b),
             both = tanh(dot(g, w) * 0.1 + dot(h, w) * 0.1 + x);
    expect_fused({x, w, v, b}, {both}, {{200, 150}, {150, 150}, {150, 150}, {150}}, 3);
}

// Each of these would be wrong, or hold more memory.
TEST(Epilogue, WhatStaysAStepOfItsOwn) {
    auto x = leaf("f64[n,k]", "x"), w = leaf("f64[k,m]", "w"), row = leaf("f64[m]", "row");
    Variable p = dot(x, w);
    auto count = [](const Variables& inputs, const Variables& outputs) {
        return epilogues(*built(inputs, outputs).program);
    };
    EXPECT_EQ(count({x, w}, {p, tanh(p)}), 0u) << "the product is a result";
    EXPECT_EQ(count({x, w}, {gt(p, 0)}), 0u) << "nothing fits the product's memory";
    EXPECT_EQ(count({x, w}, {sum(tanh(p), {1})}), 0u) << "a reduction";
    EXPECT_EQ(count({x, w}, {dot(p, transpose(w)), tanh(p)}), 0u) << "another reader";
    auto tall = leaf("f64[?,4]", "tall"), single = leaf("f64[1,3]", "single"),
         any = leaf("f64[3,4]", "any");
    EXPECT_EQ(count({single, any, tall}, {tanh(dot(single, any) + tall)}), 0u) << "it is repeated";
    expect_right(*built({single, any, tall}, {tanh(dot(single, any) + tall)}).program,
                 {single, any, tall}, {tanh(dot(single, any) + tall)},
                 random_arrays({single, any, tall}, {{1, 3}, {3, 4}, {5, 4}}));
    // What is made of x dies with the product: its memory is the second result's.
    Variable h = exp(x), t = tanh(dot(h, w));
    EXPECT_EQ(count({x, w}, {t}), 1u);
    EXPECT_EQ(count({x, w}, {t, 1 - sqr(t)}), 0u) << "would hold three arrays";
}

TEST(Epilogue, ABlockDoesNotKnowWhereItLies) {
    for (bool asks : {false, true}) {
        kernel::Builder b("k", 2, 0);
        int in = b.input("p", DType::Float64, 0), out = b.output("r", DType::Float64),
            place = b.output("i", DType::Int64);
        b.begin(kernel::SectionKind::Map);
        b.store(out, b.load(in));
        b.store(place, asks ? b.index(1) : b.constant(DType::Int64, int64_t{1}));
        runtime::Program program;
        program.kernels.push_back(b.finish());
        runtime::KernelStep step{0, {0, 0, 1}, 2, {{0, 1}, {0, 1}, {0, 1}}};
        EXPECT_EQ(compile::can_be_epilogue(program, step, 0), !asks);
        step.maps[0] = {1, 0};
        EXPECT_FALSE(compile::can_be_epilogue(program, step, 0)) << "read from another place";
    }
}

TEST(Epilogue, AProductReadAtTwoPlaces) {
    auto s = leaf("f64[k,k]", "s"), b = leaf("f64[k]", "b");
    Variable q = tanh(dot(s, s)), both = q + transpose(q);
    expect_right(*built({s}, {both}).program, {s}, {both}, random_arrays({s}, {{170, 170}}));
    Variable p = dot(s, s), turned = tanh(reshape(p, {-1}) * 0.1);
    EXPECT_EQ(epilogues(*built({s}, {turned, tanh(p)}).program), 0u);
    expect_right(*built({s}, {turned, tanh(p)}).program, {s}, {turned, tanh(p)},
                 random_arrays({s}, {{170, 170}}));
}

TEST(Epilogue, UpdatesAreWrittenInPlaceAsBefore) {
    auto w = shared(random_array(DType::Float64, {3, 4}, 1), "w"),
         v = shared(random_array(DType::Float64, {3, 4}, 2), "v");
    auto x = leaf("f64[n,3]", "x"), g = leaf("f64[n,4]", "g");
    Variable step = tanh(dot(transpose(x), g)) + v;
    auto f = function({x, g}, std::vector<Out>{}, {.updates = {{v, step}, {w, w - step}}});
    EXPECT_EQ(epilogues(f.program()), 0u);
    const void* before = w.get_value(true).data();
    for (int call = 0; call < 3; ++call)
        f(random_array(DType::Float64, {5, 3}, 3), random_array(DType::Float64, {5, 4}, 4));
    EXPECT_EQ(w.get_value(true).data(), before);
}

TEST(Epilogue, InALoopsBody) {
    auto h0 = leaf("f32[n,k]", "h0"), xs = leaf("f32[t,n,k]", "xs"), w = leaf("f32[k,k]", "w"),
         b = leaf("f32[k]", "b");
    Variable all = scan(
                       [&](const Step& s) {
                           return StepResult(tanh(dot(s.states[0], w) * 0.1 + s.sequences[0] + b));
                       },
                       {.sequences = {xs}, .outputs_info = {h0}})
                       .outputs[0];
    for (auto [t, n, k] : std::vector<std::array<int64_t, 3>>{{5, 3, 4}, {4, 70, 260}, {1, 2, 2}}) {
        Variables inputs{h0, xs, w, b};
        auto values = random_arrays(inputs, {{n, k}, {t, n, k}, {k, k}, {k}});
        auto made = built(inputs, {all});
        size_t inside = 0;
        for (const auto& step : made.program->steps)
            if (auto loop = std::get_if<runtime::LoopStep>(&step.kind))
                inside += epilogues(*loop->body);
        EXPECT_EQ(inside, 1u) << made.program->print();
        expect_right(*made.program, inputs, {all}, values);
    }
}

TEST(Epilogue, ShowsInExplanationsAndProfiles) {
    auto x = leaf("f32[n,k]", "x"), w = leaf("f32[k,m]", "w"), b = leaf("f32[m]", "b");
    auto f = function({x, w, b}, {tanh(dot(x, w) + b)}, {.profile = true});
    auto values = random_arrays({x, w, b}, {{20, 10}, {10, 30}, {30}});
    for (int call = 0; call < 3; ++call) f(values[0], values[1], values[2]);
    EXPECT_NE(explain(f).find("kernel k0   matrix_product add tanh"), std::string::npos);
    auto profile = f.profile();
    ASSERT_EQ(profile.rows.size(), 1u);
    EXPECT_EQ(profile.rows[0].calls, 3);
    EXPECT_EQ(profile.rows[0].bytes, 20 * 30 * 4);
    EXPECT_GT(profile.rows[0].seconds, 0);
}

TEST(Epilogue, SizesThatDoNotFitAreDrawn) {
    auto x = leaf("f32[?,3]", "x"), w = leaf("f32[3,4]", "w"), b = leaf("f32[?]", "b");
    auto f = function({x, w, b}, {tanh(dot(x, w) + b)});
    auto values = random_arrays({x, w, b}, {{2, 3}, {3, 4}, {5}});
    try {
        f(values[0], values[1], values[2]);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Shape);
        std::string text = error.what();
        for (const char* part : {"(2, 4)", "(5,)", "add tanh"})
            EXPECT_NE(text.find(part), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace croton
