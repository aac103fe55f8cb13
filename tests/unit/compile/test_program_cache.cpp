// Programs that come back from the disk.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <regex>

#include "croton/api/function.hpp"
#include "croton/base/build_id.hpp"
#include "croton/base/settings.hpp"
#include "croton/compile/packed_program.hpp"
#include "croton/compile/program_cache.hpp"
#include "croton/debug/explain.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/scan.hpp"
#include "croton/ops/special.hpp"

namespace croton {
namespace {

namespace fs = std::filesystem;

class ProgramCache : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "croton-programs-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        settings().cache_dir = pattern;
    }
    void TearDown() override {
        settings().cache_dir = before_;
        fs::remove_all(folder_);
    }
    std::vector<fs::path> entries() const {
        std::vector<fs::path> found;
        for (const auto& entry : fs::directory_iterator(folder_))
            if (entry.path().string().ends_with("program")) found.push_back(entry.path());
        return found;
    }

    fs::path folder_;
    std::string before_ = settings().cache_dir;
};

// A loss with its gradient: sizes that are assumed equal, rewriting by stability rules, a product.
Function network(const FunctionOptions& options = {}) {
    Variable x = input(parse_type("f64[?,?]"), "x"), w = input(parse_type("f64[?,3]"), "w"),
             b = input(parse_type("f64[3]"), "b"), y = input(parse_type("i64[?]"), "y");
    Variable loss = mean(-log(pick(softmax(dot(x, w) + b), y)));
    return function({x, w, b, y}, {loss, grad(loss, w)}, options);
}
Results run(const Function& f) {
    return f(Array::of({1., 2., -1., 0.5}).reshape({2, 2}),
             Array::of({0.1, -0.2, 0.3, 1., 0., -1.}).reshape({2, 3}), Array::of({0., 1., 2.}),
             Array::of(std::vector<int64_t>{2, 0}, {2}));
}

// Symbols that have no name are new ones in each graph that is read: n237 becomes n0, and so on.
std::string symbols_by_order(const std::string& text) {
    static const std::regex symbol("\\bn[0-9]+\\b");
    std::map<std::string, size_t> numbers;
    std::string result;
    auto end = text.begin();
    for (std::sregex_iterator at(text.begin(), text.end(), symbol), last; at != last; ++at) {
        auto number = numbers.emplace(at->str(), numbers.size()).first->second;
        result.append(end, text.begin() + at->position()) += "n" + std::to_string(number);
        end = text.begin() + at->position() + at->length();
    }
    return result.append(end, text.end());
}

TEST_F(ProgramCache, ASecondCompilationReadsWhatTheFirstLeft) {
    Function cold = network();
    EXPECT_EQ(entries().size(), 1u);
    Function warm = network();
    EXPECT_EQ(entries().size(), 1u);
    EXPECT_EQ(symbols_by_order(cold.program().print()), symbols_by_order(warm.program().print()));
    Results a = run(cold), b = run(warm);
    for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(a[i].identical(b[i]));
    EXPECT_FALSE(cold.trace().from_cache);
    EXPECT_TRUE(warm.trace().from_cache);
}

TEST_F(ProgramCache, LoopsWithOpsThatHaveAttributesAreRead) {
    auto gated = [] {
        Variable x = input(parse_type("f64[?,?]"), "x"), w = input(parse_type("f64[3,3]"), "w"),
                 h = input(parse_type("f64[3]"), "h");
        auto step = [&](const Step& s) {
            return sigmoid(dot(s.states[0], w)) * sum(s.sequences[0], Axes{0});
        };
        Variable cost = sum(scan(step, {.sequences = {x}, .outputs_info = {h}}).outputs[0]);
        return function({x, w, h}, {cost, grad(cost, w)});
    };
    gated();
    EXPECT_TRUE(gated().trace().from_cache);
}

TEST_F(ProgramCache, ExplainsWhatWasNotDoneAgain) {
    Function cold = network();
    Function warm = network();
    ASSERT_GT(cold.trace().events.size(), 5u);
    ASSERT_EQ(warm.trace().events.size(), cold.trace().events.size());
    for (size_t i = 0; i < cold.trace().events.size(); ++i)
        EXPECT_EQ(warm.trace().events[i].what, cold.trace().events[i].what);
}

TEST_F(ProgramCache, ACorruptEntryIsMadeAnew) {
    Results right = run(network());
    auto file = entries().at(0);
    fs::permissions(file, fs::perms::owner_all);
    for (std::string_view content : {"", "assumptions 99", "nonsense"}) {
        std::ofstream(file) << content;
        Function f = network();
        EXPECT_FALSE(f.trace().from_cache) << content;
        EXPECT_TRUE(run(f)[1].identical(right[1]));
    }
    EXPECT_TRUE(network().trace().from_cache);
}

TEST_F(ProgramCache, AnotherModeIsAnotherEntry) {
    network();
    FunctionOptions options;
    options.mode = compile::default_mode().excluding({"log of picked softmax"});
    Function f = network(options);
    EXPECT_FALSE(f.trace().from_cache);
    EXPECT_EQ(entries().size(), 2u);
}

TEST_F(ProgramCache, WhatChangesAProgramChangesItsKey) {
    Variable x = input(parse_type("f64[?]"), "x");
    compile::BuildRequest request;
    request.inputs = {x};
    request.outputs = {tanh(x)};
    std::string key = compile::program_key(request, true);
    EXPECT_EQ(compile::program_key(request, true), key);
    auto other = [&](auto change) {
        compile::BuildRequest changed = request;
        change(changed);
        return compile::program_key(changed, true);
    };
    EXPECT_NE(other([](auto& r) { r.updates = {{0, 0}}; }), key);
    EXPECT_NE(other([](auto& r) { r.name = "step"; }), key);
    EXPECT_NE(other([](auto& r) { r.mode.fuse = false; }), key);
    EXPECT_NE(other([](auto& r) { r.mode.rule_limit = 3; }), key);
    EXPECT_NE(other([](auto& r) { r.outputs = {tanh(r.inputs[0]) + 1.0}; }), key);
    EXPECT_NE(compile::program_key(request, false), key);
    std::string before = settings().float_x;
    settings().float_x = "float32";
    EXPECT_NE(compile::program_key(request, true), key);
    settings().float_x = before;
}

TEST_F(ProgramCache, UpdatesAndLoopsRunTheSame) {
    auto steps = [] {
        SharedVariable w = shared(Array::of({0.5, -1., 2.}), "w");
        Variable x = input(parse_type("f64[?,3]"), "x");
        auto step = [&](const Step& s) { return tanh(s.states[0] * w + s.sequences[0]); };
        Variable last = scan(step, {.sequences = {x}, .outputs_info = {zeros_like(w)}}).outputs[0];
        FunctionOptions options;
        options.updates = {{w, w - 0.1 * grad(sum(last), w)}};
        Function f = function({x}, {sum(last)}, options);
        Array value = Array::of({1., 2., -1., 0.5, 0., 3.}).reshape({2, 3});
        for (int i = 0; i < 3; ++i) f(value);
        return std::pair(f.trace().from_cache, w.get_value());
    };
    auto cold = steps(), warm = steps();
    EXPECT_FALSE(cold.first);
    EXPECT_TRUE(warm.first);
    EXPECT_TRUE(warm.second.identical(cold.second));
}

TEST(PackedProgram, SpoiltBytesDoNoHarm) {
    std::string before = settings().cache_dir;
    settings().cache_dir = "off";
    Variable x = input(parse_type("f64[?,?]"), "x"), c = input(parse_type("bool[]"), "c");
    auto step = [&](const Step& s) { return dot(s.states[0], x) + sum(s.sequences[0]); };
    Variable states = scan(step, {.sequences = {x}, .outputs_info = {x}}).outputs[0];
    Function f = function({x, c}, {ifelse(c, sum(states), max(softmax(x)))});
    settings().cache_dir = before;
    PackOptions options{find_op};
    std::string good = *compile::pack_program(f.program(), options);
    EXPECT_EQ(symbols_by_order(compile::unpack_program(good, options)->print()),
              symbols_by_order(f.program().print()));
    for (size_t size = 0; size < good.size(); size += 7)
        EXPECT_FALSE(compile::unpack_program(good.substr(0, size), options));
    std::mt19937 random(5);
    for (int i = 0; i < 4000; ++i) {
        std::string bad = good;
        for (int k = 0; k <= i % 3; ++k) bad[random() % bad.size()] = static_cast<char>(random());
        if (auto read = compile::unpack_program(bad, options)) read->print();
    }
}

TEST_F(ProgramCache, GraphsOfTheUsersOwnOpsAreNotKept) {
    static const OpRecord mine{
        .name = "tanh",  // even if it is called like one of the catalogue
        .doc = "",
        .arguments = {{"x"}},
        .type = find_op("tanh")->type,
        .compute = find_op("tanh")->compute,
    };
    Variable x = input(parse_type("f64[?]"), "x");
    compile::BuildRequest request;
    request.inputs = {x};
    request.outputs = apply(mine, {x});
    EXPECT_EQ(compile::program_key(request, true), "");
    request.outputs = {tanh(x)};
    EXPECT_NE(compile::program_key(request, true), "");
    EXPECT_NE(compile::program_key(request, true), compile::program_key(request, false));
}

TEST(BuildId, IsTheLinkers) {
    EXPECT_EQ(build_id().size(), 40u) << build_id();
    EXPECT_EQ(build_id().find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace croton
