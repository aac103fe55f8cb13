// Random graphs: rewritten = rewritten and fused = the judge, and for some of them the compiled
// code too. CROTON_FUZZ_SEED and CROTON_FUZZ_COUNT choose others; a failure prints the seed of its
// graph, which gives that graph alone with CROTON_FUZZ_COUNT=1.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "croton/base/settings.hpp"
#include "croton/compile/build.hpp"
#include "croton/compile/check.hpp"
#include "croton/compile/packed_program.hpp"
#include "croton/compile/reference.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/interop/npy.hpp"
#include "croton/ops/catalogue.hpp"
#include "tests/fuzz/random_graph.hpp"

namespace croton::test {
namespace {

constexpr uint64_t compiled_every = 20;  // code generation costs more than all the rest
constexpr size_t compiled_together = 10;

uint64_t from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::vector<Array> judged(const RandomGraph& g, const Variables& outputs) {
    std::vector<std::pair<Variable, Array>> given;
    for (size_t i = 0; i < g.inputs.size(); ++i) given.emplace_back(g.inputs[i], g.values[i]);
    return compile::evaluate(outputs, given);
}

// As a later process reads it from the disk cache.
runtime::Program read_back(const runtime::Program& program, const char* backend) {
    PackOptions options{find_op};
    auto bytes = compile::pack_program(program, options);
    EXPECT_TRUE(bytes);
    auto read = compile::unpack_program(*bytes, options);
    EXPECT_TRUE(read);
    EXPECT_EQ(compile::pack_program(*read, options), bytes);
    compile::generate(*read, runtime::backend(backend));
    return *read;
}

// The same results where the caller has memory for them.
void expect_in_given_memory(runtime::Frame& frame, const std::vector<Array>& values,
                            const std::vector<Array>& results) {
    std::vector<Array> given;
    std::vector<TensorRef> into;
    for (const Array& result : results) {
        given.push_back(Array::zeros(result.dtype(), result.shape()));
        into.push_back(ref(given.back()));
    }
    frame.run(values, {.into = into});
    for (size_t i = 0; i < results.size(); ++i)
        EXPECT_TRUE(results[i].identical(given[i])) << "in the caller's memory, output " << i;
}

std::vector<Array> built(const Variables& inputs, const Variables& outputs,
                         const std::vector<Array>& values, bool fuse, const char* backend) {
    compile::BuildRequest request;
    request.inputs = inputs;
    request.outputs = outputs;
    request.name = "random";
    request.mode = compile::mode_named("fast");
    request.mode.fuse = fuse;
    request.mode.backend = backend;
    auto made = compile::build(request);
    auto program =
        read_back(made.assumptions_hold(values) ? *made.program : *made.general(), backend);
    runtime::Frame frame(program);
    auto results = frame.run(values);
    // The second call is recorded, the third replayed, over arguments elsewhere in memory.
    std::vector<Array> elsewhere;
    for (int round = 0; round < 2; ++round) {
        auto again = frame.run(elsewhere.empty() ? values : elsewhere);
        for (size_t i = 0; i < results.size(); ++i)
            EXPECT_TRUE(results[i].identical(again[i])) << "call " << round + 2 << ", output " << i;
        for (const Array& value : values)
            elsewhere.push_back(value.contiguous() ? value.copy() : value);
    }
    expect_in_given_memory(frame, values, results);
    return results;
}

// The judge computes in the dtypes of the graph, where 1 - erf(x) in float32 may lose every digit
// and what rewriting makes of it does not. The same graph over float64 leaves says who is right:
// whether `found` is as near to that as `expected` is, element by element.
bool nearer_to_the_truth(const RandomGraph& g, const Variable& output, const Array& expected,
                         const Array& found) {
    if (!is_floating(expected.dtype()) || !(expected.shape() == found.shape())) return false;
    Substitution wider;
    std::vector<std::pair<Variable, Array>> given;
    for (size_t i = 0; i < g.inputs.size(); ++i) {
        const Variable& v = g.inputs[i];
        bool narrow = is_floating(v.dtype()) && v.dtype() != DType::Float64;
        Variable leaf = narrow ? input(TensorType{DType::Float64, v.type().dims}, v.name()) : v;
        if (narrow) wider.emplace(v, leaf);
        given.emplace_back(leaf, narrow ? g.values[i].cast(DType::Float64) : g.values[i]);
    }
    if (wider.empty()) return false;
    auto truth = compile::evaluate({substitute(output, wider)}, given)[0].to_vector<double>();
    auto e = expected.to_vector<double>(), f = found.to_vector<double>();
    for (size_t i = 0; i < truth.size(); ++i)
        if (!(std::abs(f[i] - truth[i]) <= std::abs(e[i] - truth[i]))) return false;
    return true;
}

// The first of `outputs` whose value differs from the judge's, and how; "" if all agree.
std::string disagreement(const RandomGraph& g, const Variables& outputs, bool fuse,
                         const char* backend) {
    std::vector<Array> expected = judged(g, outputs), found;
    try {
        found = built(g.inputs, outputs, g.values, fuse, backend);
    } catch (const Error& error) {
        return cat(g.text(outputs), "fails: ", error.what());
    }
    for (size_t i = 0; i < outputs.size(); ++i)
        if (!compile::agree(expected[i], found[i]) &&
            !nearer_to_the_truth(g, outputs[i], expected[i], found[i]))
            return cat(g.text({outputs[i]}), "expected ", expected[i].type().text(), " ",
                       expected[i].text(), "\nfound ", found[i].type().text(), " ",
                       found[i].text());
    return "";
}

// As disagreement(), for the smallest part of the graph that shows it.
std::string smallest_disagreement(const RandomGraph& g, bool fuse, const char* backend) {
    std::string whole = disagreement(g, g.outputs, fuse, backend);
    if (whole.empty()) return "";
    Variables parts = g.made;
    parts.insert(parts.end(), g.outputs.begin(), g.outputs.end());
    for (const auto& part : parts)
        if (auto found = disagreement(g, {part}, fuse, backend); !found.empty()) return found;
    return whole;
}

// Several graphs in one function: one module to compile.
std::string compiled_disagreement(const std::vector<RandomGraph>& graphs) {
    Variables inputs, outputs;
    std::vector<Array> values, expected;
    for (const auto& g : graphs) {
        inputs.insert(inputs.end(), g.inputs.begin(), g.inputs.end());
        outputs.insert(outputs.end(), g.outputs.begin(), g.outputs.end());
        values.insert(values.end(), g.values.begin(), g.values.end());
        for (auto& value : judged(g, g.outputs)) expected.push_back(value);
    }
    bool right = true;
    try {
        auto found = built(inputs, outputs, values, true, "cpu");
        for (size_t i = 0; i < found.size(); ++i) right &= compile::agree(expected[i], found[i]);
    } catch (const Error&) {
        right = false;
    }
    if (right) return "";
    for (const auto& g : graphs)
        if (auto alone = smallest_disagreement(g, true, "cpu"); !alone.empty()) return alone;
    std::string seeds;
    for (const auto& g : graphs) seeds += cat(" ", g.seed);
    return cat("only together, graphs of seeds", seeds);
}

class RandomGraphs : public testing::Test {
  protected:
    RandomGraphs() { set_setting("cache_dir", "off"); }
    ~RandomGraphs() override { set_setting("cache_dir", ""); }
};

TEST_F(RandomGraphs, EveryWayGivesTheSameValues) {
    uint64_t seed = from_environment("CROTON_FUZZ_SEED", 20250601),
             count = from_environment("CROTON_FUZZ_COUNT", 2000);
    std::cout << "CROTON_FUZZ_SEED=" << seed << " CROTON_FUZZ_COUNT=" << count << std::endl;
    std::vector<RandomGraph> batch;
    int wrong = 0;
    size_t nodes = 0;
    auto report = [&](const char* how, const std::string& found) {
        if (found.empty()) return;
        ++wrong;
        ADD_FAILURE() << how << "\n" << found;
    };
    for (uint64_t i = 0; i < count && wrong < 10; ++i) {
        RandomGraph g = random_graph(seed + i);
        nodes += g.made.size();
        try {
            judged(g, g.outputs);
        } catch (const Error& error) {
            ADD_FAILURE() << "the judge refuses " << g.text(g.outputs) << error.what();
            ++wrong;
            continue;
        }
        report("rewritten", smallest_disagreement(g, false, "interp"));
        report("rewritten and fused", smallest_disagreement(g, true, "interp"));
        if (i % compiled_every == 0) batch.push_back(std::move(g));
        if (batch.size() == compiled_together || (i + 1 == count && !batch.empty())) {
            report("compiled", compiled_disagreement(batch));
            batch.clear();
        }
    }
    std::cout << nodes << " results of ops in " << count << " graphs" << std::endl;
}

// For a judge that shares nothing with ours: tests/python/test_random_graphs.py reads these files
// and computes every graph with NumPy.
TEST_F(RandomGraphs, AreWrittenForAnotherJudge) {
    const char* wanted = std::getenv("CROTON_FUZZ_WRITE");
    std::filesystem::path folder =
        wanted ? std::filesystem::path(wanted) : std::filesystem::path(testing::TempDir());
    uint64_t seed = from_environment("CROTON_FUZZ_SEED", 20250601),
             count = wanted ? from_environment("CROTON_FUZZ_COUNT", 2000) : 5;
    std::ofstream texts(folder / "graphs.txt");
    std::map<std::string, Array> values;
    for (uint64_t i = 0; i < count; ++i) {
        RandomGraph g = random_graph(seed + i);
        texts << "seed " << g.seed << "\n"
              << print(g.outputs, {.inputs = g.inputs, .sites = PrintOptions::Sites::None}) << "\n";
        std::string of = cat(g.seed, "/");
        for (size_t k = 0; k < g.inputs.size(); ++k) values[cat(of, "in", k)] = g.values[k];
        auto results = judged(g, g.outputs);
        for (size_t k = 0; k < results.size(); ++k) values[cat(of, "out", k)] = results[k];
    }
    texts.close();
    ASSERT_TRUE(texts.good());
    save_npz(folder / "values.npz", values);
    EXPECT_EQ(load_npz(folder / "values.npz").size(), values.size());
}

TEST_F(RandomGraphs, ASeedGivesOneGraph) {
    for (uint64_t seed : {1, 2, 3}) {
        RandomGraph a = random_graph(seed), b = random_graph(seed);
        EXPECT_EQ(a.text(a.outputs), b.text(b.outputs));
    }
}

}  // namespace
}  // namespace croton::test
