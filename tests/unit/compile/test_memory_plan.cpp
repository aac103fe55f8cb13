// What the memory plan holds beside the least that any plan could: the most bytes that live at
// once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <random>

#include "benchmarks/graph_kinds.hpp"
#include "croton/compile/build.hpp"
#include "croton/compile/reference.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace croton::compile {
namespace {

struct Held {
    int64_t held, least;
    std::vector<int64_t> alive;  // after each step
};

// Values in slots, each from the step that writes it to the last that reads it; those that take
// over another's memory are one with it.
Held held_by(const Variables& inputs, const Variables& outputs, const std::vector<Array>& values) {
    BuildRequest request{inputs, outputs, {}, "f", mode_named("fast")};
    Built built = build(request);
    const auto& program = built.assumptions_hold(values) ? *built.program : *built.general();
    struct Interval {
        size_t first = SIZE_MAX, last = 0;
        int64_t bytes = 0;
    };
    std::map<runtime::Id, Interval> live;
    auto base = [&](runtime::Id id) {
        for (;;) {
            const auto& v = program.values[static_cast<size_t>(id)];
            bool over = v.place == runtime::Place::Slot && v.source >= 0;
            if (v.place != runtime::Place::View && !over) return id;
            id = v.source;
        }
    };
    runtime::Frame frame(program);
    frame.after_step = [&](size_t n, std::span<const TensorRef> refs) {
        auto note = [&](runtime::Id id) {
            runtime::Id at = base(id);
            if (program.values[static_cast<size_t>(at)].place != runtime::Place::Slot) return;
            auto& interval = live[at];
            interval.first = std::min(interval.first, n);
            interval.last = std::max(interval.last, n);
            const auto& ref = refs[static_cast<size_t>(at)];
            interval.bytes = byte_count(ref.dtype, ref.shape);
        };
        for (auto id : program.elements_read(program.steps[n])) note(id);
        for (auto id : program.steps[n].writes()) note(id);
    };
    frame.run(values);
    frame.after_step = nullptr;
    for (int i = 0; i < 3; ++i) frame.run(values);
    Held result{frame.held_bytes(), 0, {}};
    for (size_t n = 0; n < program.steps.size(); ++n) {
        int64_t now = 0;
        for (const auto& [id, interval] : live)
            if (interval.first <= n && n <= interval.last) now += interval.bytes;
        result.least = std::max(result.least, now);
        result.alive.push_back(now);
    }
    return result;
}

Array random_array(const std::string& type, uint32_t seed) {
    TensorType t = parse_type(type);
    Sizes shape;
    for (Dim d : t.dims) shape.push_back(d.size());
    Array a = Array::zeros(t.dtype, shape);
    std::mt19937 random(seed);
    Array wide = Array::zeros(DType::Float64, shape);
    for (int64_t i = 0; i < wide.size(); ++i)
        wide.data_as<double>()[i] = std::uniform_real_distribution<double>(-0.1, 0.1)(random);
    return wide.cast(t.dtype);
}

struct Graph {
    Variables inputs, outputs;
    std::vector<Array> values;
    Variable leaf(const char* type) {
        values.push_back(random_array(type, static_cast<uint32_t>(values.size() + 1)));
        TensorType t = parse_type(type);
        inputs.push_back(input(tensor_type(t.dtype, t.rank())));
        return inputs.back();
    }
};

Graph network() {
    Graph g;
    Variable x = g.leaf("f32[128,784]"), y = g.leaf("f32[128,10]");
    Variables p = {g.leaf("f32[784,500]"), g.leaf("f32[500]"),    g.leaf("f32[500,500]"),
                   g.leaf("f32[500]"),     g.leaf("f32[500,10]"), g.leaf("f32[10]")};
    Variable h = x;
    for (size_t i = 0; i < 4; i += 2) h = tanh(dot(h, p[i]) + p[i + 1]);
    Variable loss = -mean(sum(y * log_softmax(dot(h, p[4]) + p[5]), {1}));
    g.outputs = grad(loss, p);
    g.outputs.push_back(loss);
    return g;
}

Graph deep() {
    Graph g;
    Variable h = g.leaf("f32[32,64]");
    Variables p;
    for (int i = 0; i < 100; ++i) {
        p.push_back(g.leaf("f32[64,64]"));
        h = tanh(dot(h, p.back()));
    }
    g.outputs = grad(mean(sqr(h)), p);
    return g;
}

Graph attention() {
    Graph g;
    Variable x = g.leaf("f32[8,128,256]");
    Variables p;
    auto project = [&](const Variable& v) {
        p.push_back(g.leaf("f32[256,256]"));
        return dot(v, p.back());
    };
    auto heads = [&](const Variable& v) {
        return dimshuffle(reshape(v, {8, 128, 4, 64}), {0, 2, 1, 3});
    };
    Variable q = heads(project(x)), k = heads(project(x)), v = heads(project(x));
    Variable weights = softmax(matmul(q, dimshuffle(k, {0, 1, 3, 2})) * 0.125);
    Variable mixed = reshape(dimshuffle(matmul(weights, v), {0, 2, 1, 3}), {8, 128, 256});
    Variable out = x + project(mixed);
    Variable hidden = maximum(project(out), 0);
    p.push_back(x);
    g.outputs = grad(mean(sqr(out + project(hidden))), p);
    return g;
}

// The same with sizes that are asked for, also long after what they are the sizes of was read last.
Graph open_attention() {
    Graph g;
    Variable x = g.leaf("f32[8,128,256]");
    Variable batch = at(shape(x), {0}), length = at(shape(x), {1});
    Variable flat = reshape(x, {batch * length, 256});
    Variables p;
    auto heads = [&] {
        p.push_back(g.leaf("f32[256,256]"));
        Variable v = reshape(dot(flat, p.back()), {batch, length, 4, 64});
        return reshape(dimshuffle(v, {0, 2, 1, 3}), {batch * 4, length, 64});
    };
    Variable q = heads(), k = heads(), v = heads();
    Variable scores = matmul(q, dimshuffle(k, {0, 2, 1})) * 0.125;
    Variable weights = softmax(reshape(scores, {batch * 4 * length, length}));
    Variable mixed = matmul(reshape(weights, {batch * 4, length, length}), v);
    mixed = dimshuffle(reshape(mixed, {batch, 4, length, 64}), {0, 2, 1, 3});
    p.push_back(g.leaf("f32[256,256]"));
    Variable loss = mean(sqr(dot(reshape(mixed, {batch * length, 256}), p.back())));
    p.push_back(x);
    g.outputs = grad(loss, p);
    return g;
}

Graph norm() {
    Graph g;
    Variable x = g.leaf("f32[1024,768]"), gamma = g.leaf("f32[768]"), beta = g.leaf("f32[768]");
    Variable dy = g.leaf("f32[1024,768]");
    Variable centred = x - mean(x, {1}, true);
    Variable y = centred / sqrt(mean(sqr(centred), {1}, true) + 1e-5) * gamma + beta;
    g.outputs = grad(sum(y * dy), {x, gamma, beta});
    return g;
}

Graph cross_entropy() {
    Graph g;
    Variable x = g.leaf("f32[512,1000]"), y = g.leaf("f32[512,1000]");
    Variable loss = -mean(sum(y * log_softmax(x), {1}));
    g.outputs = {grad(loss, x)};
    g.outputs.push_back(loss);
    return g;
}

// A Hessian times a vector.
Graph curvature() {
    Graph g;
    Variable x = g.leaf("f64[100,20]"), w = g.leaf("f64[20,50]"), v = g.leaf("f64[50]");
    Variable direction = g.leaf("f64[20,50]");
    Variable loss = mean(sqr(dot(tanh(dot(x, w)), v)));
    Variable slope = grad(loss, w);
    g.outputs = grad(sum(slope * direction), {w, v});
    return g;
}

struct Named {
    const char* name;
    Graph (*make)();
};
class MemoryPlan : public testing::TestWithParam<Named> {};

TEST_P(MemoryPlan, HoldsLittleMoreThanWhatLivesAtOnce) {
    Graph graph = GetParam().make();
    Held held = held_by(graph.inputs, graph.outputs, graph.values);
    EXPECT_GT(held.least, 0);
    // A line of the caches is the least that a value takes.
    EXPECT_LE(static_cast<double>(held.held), 1.1 * static_cast<double>(held.least) + 64);
}

// Names of results that kernels store although no step reads their elements and no call returns
// them.
std::string stored_for_nobody(const runtime::Program& program) {
    std::vector<bool> read(program.values.size(), false);
    auto mark = [&](runtime::Id id) {
        for (; !read[static_cast<size_t>(id)];
             id = program.values[static_cast<size_t>(id)].source) {
            read[static_cast<size_t>(id)] = true;
            if (program.values[static_cast<size_t>(id)].place != runtime::Place::View) break;
        }
    };
    for (const auto& step : program.steps)
        if (!std::holds_alternative<runtime::ViewStep>(step.kind))
            for (auto id : program.elements_read(step)) mark(id);
    for (auto id : program.outputs) mark(id);
    std::string result;
    for (const auto& step : program.steps)
        for (auto id : step.writes())
            if (step.kernel() && !read[static_cast<size_t>(id)])
                result += cat("%", id, " of ", step.label, "; ");
    return result;
}

// Sizes that gradients ask for are those of something that is there anyway.
TEST_P(MemoryPlan, StoresNothingForItsSizeAlone) {
    Graph graph = GetParam().make();
    Built built = build({graph.inputs, graph.outputs, {}, "f", mode_named("fast")});
    EXPECT_EQ(stored_for_nobody(*built.program), "");
}

INSTANTIATE_TEST_SUITE_P(Graphs, MemoryPlan,
                         testing::Values(Named{"network", network}, Named{"deep", deep},
                                         Named{"attention", attention},
                                         Named{"open_attention", open_attention},
                                         Named{"norm", norm}, Named{"cross_entropy", cross_entropy},
                                         Named{"curvature", curvature}),
                         [](const auto& info) { return std::string(info.param.name); });

// Gradients of weights that are asked for after that of what the network reads: each is computed
// when the error of its layer is there, and what the layer kept goes.
TEST(MemoryOrder, WhatFreesMemoryComesEarly) {
    Graph g;
    Variable x = g.leaf("f32[256,64]"), h = x;
    Variables p = {x};
    for (int i = 0; i < 40; ++i) {
        p.push_back(g.leaf("f32[64,64]"));
        h = tanh(dot(h, p.back()));
    }
    g.outputs = grad(mean(sqr(h)), p);
    Held held = held_by(g.inputs, g.outputs, g.values);
    auto largest = std::max_element(held.alive.begin(), held.alive.end());
    auto steps = static_cast<double>(held.alive.end() - largest);
    double mean = std::accumulate(largest, held.alive.end(), 0.0) / steps;
    EXPECT_GT(steps, 80);
    EXPECT_LT(mean, 0.6 * static_cast<double>(*largest));  // 0.8 with all of them at the end
}

// A reshape of what does not lie in order packs it: in memory of the plan from the second call on.
TEST(PackedViews, LieInTheWorkspace) {
    Variable x = input(tensor_type(DType::Float32, 3), "x");
    Variable batch = at(shape(x), {0}), length = at(shape(x), {1});
    auto heads = [&](const Variable& v) {
        return reshape(dimshuffle(reshape(v, {batch, length, 4, 16}), {0, 2, 1, 3}),
                       {batch * 4, length, 16});
    };
    Variable out = sum(sqr(matmul(heads(sin(x)), dimshuffle(heads(cos(x)), {0, 2, 1}))));
    BuildRequest request{{x}, {out}, {}, "f", mode_named("fast")};
    Built built = build(request);
    runtime::Frame frame(*built.program);
    Array value = random_array("f32[8,32,64]", 1), other = random_array("f32[8,32,64]", 2);
    std::vector<Array> first = {value}, second = {other};
    double expected = frame.run(first)[0].item<double>(), elsewhere = 0;
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(frame.run(first)[0].item<double>(), expected);
        double found = frame.run(second)[0].item<double>();
        if (i > 0) {
            EXPECT_EQ(found, elsewhere);
        }
        elsewhere = found;
    }
    EXPECT_NE(expected, elsewhere);
    constexpr int64_t bytes = 8 * 32 * 64 * 4;
    EXPECT_GE(frame.held_bytes(), 3 * bytes);  // two packed arrays and their product, at least
    Array wanted = compile::evaluate({out}, {{x, value}})[0];
    EXPECT_NEAR(wanted.item<double>(), expected, 1e-3 * std::abs(expected));
}

// A result's memory is there from the beginning of a call: what is dead when it is written lies in
// it.
TEST(Lodging, WhatIsDeadBeforeAResultLiesInItsMemory) {
    Graph g;
    Variable h = g.leaf("f32[64,256]");
    for (int i = 0; i < 3; ++i) h = tanh(dot(h, g.leaf("f32[256,256]")));
    g.outputs = {h};
    Held held = held_by(g.inputs, g.outputs, g.values);
    constexpr int64_t layer = 64 * 256 * 4;
    EXPECT_EQ(held.least, 2 * layer);
    EXPECT_EQ(held.held, 0);  // each layer lies over the one that it is made of
}

// A product has read its left operand before it writes; what reads that again needs it to stay.
TEST(Lodging, ALeftOperandThatIsReadAgainStays) {
    constexpr int64_t layer = 64 * 256 * 4;
    auto held = [](auto next) {
        Graph g;
        Variable h = g.leaf("f32[64,256]");
        for (int i = 0; i < 4; ++i) h = next(h, g.leaf("f32[256,256]"));
        g.outputs = {sum(h)};
        BuildRequest request{g.inputs, g.outputs, {}, "f", mode_named("fast")};
        Built built = build(request);
        runtime::Frame frame(*built.program);
        Array first = frame.run(g.values)[0];  // nothing lies over anything yet
        for (int call = 0; call < 4; ++call) EXPECT_TRUE(frame.run(g.values)[0].identical(first));
        return frame.held_bytes();
    };
    EXPECT_LE(held([](auto& h, auto w) { return tanh(dot(h, w)); }), layer + 64);
    EXPECT_LE(held([](auto& h, auto w) { return tanh(dot(h, w)) * h; }), 2 * layer + 64);
    EXPECT_GE(held([](auto& h, auto w) { return tanh(dot(h, w)) * h; }), 2 * layer);
}

bool same_bytes(const Array& a, const Array& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.data(), b.data(), static_cast<size_t>(byte_count(a.dtype(), a.shape()))) ==
               0;
}

// The results of calls that are replayed, whichever memory the caller gives for them.
TEST(Lodging, ResultsStay) {
    Graph g;
    Variable x = g.leaf("f32[64,256]"), w = g.leaf("f32[256,256]"), h = x;
    Variables layers;
    for (int i = 0; i < 5; ++i) layers.push_back(h = tanh(dot(h, w) + sum(h, {1}, true)));
    g.outputs = {layers[4], sum(layers[3] * layers[1], {0}), layers[3] - x};
    BuildRequest request{g.inputs, g.outputs, {}, "f", mode_named("fast")};
    Built built = build(request);
    runtime::Frame frame(*built.program);
    std::vector<Array> wanted = frame.run(g.values), before;
    for (int call = 0; call < 6; ++call) {
        std::vector<Array> given;
        std::vector<TensorRef> into;
        for (const Array& result : wanted) {
            given.push_back(Array::zeros(result.dtype(), result.shape()));
            into.push_back(ref(given.back()));
        }
        runtime::Permissions permissions;
        if (call % 2 == 1) permissions.into = into;
        std::vector<Array> found = frame.run(g.values, permissions);
        const auto& results = call % 2 == 1 ? given : found;
        for (size_t i = 0; i < wanted.size(); ++i) {
            EXPECT_TRUE(same_bytes(results[i], wanted[i])) << call << " " << i;
            // Those of the call before are nobody else's.
            EXPECT_TRUE(before.empty() || same_bytes(before[i], wanted[i])) << call << " " << i;
        }
        before = results;
    }
}

TEST(Lodging, WhatAResultIsMadeOfLiesElsewhere) {
    Graph g;
    Variable x = g.leaf("f32[256,256]"), w = g.leaf("f32[256,256]"), h = dot(x, w);
    g.outputs = {exp(dimshuffle(h, {1, 0})) * h};
    BuildRequest request{g.inputs, g.outputs, {}, "f", mode_named("fast")};
    Built built = build(request);
    runtime::Frame frame(*built.program);
    Array wanted = frame.run(g.values)[0];
    for (int call = 0; call < 4; ++call) EXPECT_TRUE(same_bytes(frame.run(g.values)[0], wanted));
}

}  // namespace
}  // namespace croton::compile
