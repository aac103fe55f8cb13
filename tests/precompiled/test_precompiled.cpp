// The kernels that come compiled with Croton: small graphs start without LLVM, on each level of
// vectors, with the results that code made on the spot gives; a file that is damaged or of another
// build is of no effect.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "croton/backend/cpu/code_store.hpp"
#include "croton/backend/cpu/cpu.hpp"
#include "croton/backend/cpu/generator.hpp"
#include "croton/backend/cpu/key.hpp"
#include "croton/backend/cpu/precompiled.hpp"
#include "croton/base/build_id.hpp"
#include "croton/base/error.hpp"
#include "croton/base/file.hpp"
#include "croton/base/settings.hpp"
#include "croton/croton.hpp"
#include "croton/runtime/backend.hpp"
#include "croton/version.hpp"
#include "tools/precompile/kernels.hpp"

namespace croton {
namespace {

using cpu::Precompiled;
using kernel::Kernel;
using precompile::Graph;

/// No disk cache, and settings as they were afterwards.
class Precompilation : public testing::Test {
  protected:
    void SetUp() override { settings().cache_dir = "off"; }
    void TearDown() override { settings() = before_; }

    Settings before_ = settings();
};

/// Every `stride`-th of the small graphs, so that a run of all levels takes seconds.
std::vector<Graph> graphs(size_t stride, size_t first = 0) {
    std::vector<Graph> result;
    size_t n = 0;
    precompile::for_each_graph([&](const Graph& graph) {
        if (n++ % stride == first % stride) result.push_back(graph);
    });
    return result;
}

/// Values of cpu_level that this machine has.
std::vector<std::string> levels() {
    std::vector<std::string> result = {"native"};
    for (const auto& level : cpu::portable_levels()) try {
            cpu::find_level(level.name);
            result.push_back(level.name);
        } catch (const Error&) {  // not this machine
        }
    return result;
}

// Values that are of use to logarithms, powers and indices alike.
Array values(const Variable& like, unsigned seed) {
    Sizes shape;
    for (int axis = 0; axis < like.rank(); ++axis) shape.push_back(19);
    std::mt19937 random(seed);
    Array result = Array::empty(DType::Float64, shape);
    auto at = static_cast<double*>(result.data());
    for (int64_t i = 0; i < result.size(); ++i)
        at[i] = static_cast<double>(random() % 4096) / 1024.0;
    return result.cast(like.dtype());
}

std::vector<Array> results_of(const Graph& graph) {
    FunctionOptions options;
    options.on_unused_input = "ignore";
    Function f = function({graph.inputs.begin(), graph.inputs.end()},
                          {graph.outputs.begin(), graph.outputs.end()}, options);
    std::vector<std::optional<Array>> arguments;
    for (const auto& input : graph.inputs)
        arguments.emplace_back(values(input, static_cast<unsigned>(arguments.size())));
    return f.call(arguments).values();
}

bool same_bits(const Array& a, const Array& b) {
    return a.dtype() == b.dtype() && a.shape() == b.shape() &&
           std::memcmp(
               a.data(), b.data(),
               static_cast<size_t>(a.size()) * static_cast<size_t>(dtype_size(a.dtype()))) == 0;
}

int compiled_of(const Graph& graph) {
    runtime::CompileStats stats;
    runtime::backend("cpu").compile(precompile::kernels_of(graph), &stats);
    return stats.compiled;
}

TEST_F(Precompilation, TheFileOfThisBuildIsThere) {
    auto set = Precompiled::current();
    ASSERT_TRUE(set) << "no croton-*.kernels beside libcroton, or one of another build";
    EXPECT_GT(set->size(), 2000u);
    EXPECT_LT(std::filesystem::file_size(cat(library_folder(), "/croton-", CROTON_VERSION_MAJOR,
                                             ".", CROTON_VERSION_MINOR, ".kernels")),
              5u << 19);
}

// Launches ask for them, not compile().
TEST_F(Precompilation, BothFormsAreThere) {
    auto set = Precompiled::current();
    ASSERT_TRUE(set);
    size_t kernels = 0;
    for (const Graph& graph : graphs(1))
        for (const Kernel& kernel : precompile::kernels_of(graph)) {
            cpu::Plan plan = cpu::make_plan(kernel);
            if (!cpu::has_two_forms(plan)) continue;
            ++kernels;
            for (const auto& level : cpu::portable_levels())
                for (cpu::Form form : {cpu::Form::Rows, cpu::Form::Columns})
                    for (const auto& part : cpu::parts_of_form(kernel, plan, form))
                        EXPECT_TRUE(set->find(cpu::code_key(kernel, part, level))) << graph.name;
        }
    EXPECT_GT(kernels, 10u);
}

// In a process of its own: what other tests compile does not count.
TEST_F(Precompilation, SmallGraphsStartWithoutLlvm) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            for (const auto& level : levels()) {
                settings().cpu_level = level;
                precompile::for_each_graph([&](const Graph& graph) {
                    if (compiled_of(graph) == 0) return;
                    std::fprintf(stderr, "%s is compiled anew on %s\n", graph.name.c_str(),
                                 level.c_str());
                    std::_Exit(1);
                });
            }
            auto x = scalar<double>("x");
            bool right = function({x}, x + 1.0)(full<double>({}, 2.0)).item<double>() == 3.0;
            std::fprintf(stderr, "all were there");
            std::_Exit(!right || cpu::code_generator_is_open() ? 2 : 0);
        },
        testing::ExitedWithCode(0), "all were there");
}

TEST_F(Precompilation, ResultsAreThoseOfCodeMadeOnTheSpot) {
    size_t first = 0;
    for (const auto& level : levels()) {
        settings().cpu_level = level;
        for (const Graph& graph : graphs(13, first++)) {
            settings().precompiled = "";
            auto given = results_of(graph);
            settings().precompiled = "off";
            auto fresh = results_of(graph);
            ASSERT_EQ(given.size(), fresh.size());
            for (size_t i = 0; i < given.size(); ++i)
                EXPECT_TRUE(same_bits(given[i], fresh[i])) << graph.name << " on " << level;
        }
    }
}

TEST_F(Precompilation, CanBeTurnedOff) {
    settings().precompiled = "off";
    EXPECT_EQ(compiled_of(graphs(1)[0]), 1);
    settings().precompiled = "/nowhere";
    EXPECT_EQ(compiled_of(graphs(1)[0]), 1);
    settings().precompiled = "";
    EXPECT_EQ(compiled_of(graphs(1)[0]), 0);
}

// What lets a few hundred kernels serve arrays of every rank.
TEST_F(Precompilation, KernelsOfOneCodeFormHaveTheSameCode) {
    auto object_of = [](const Kernel& kernel, const cpu::Level& level) {
        cpu::Plan plan = cpu::make_plan(kernel);
        cpu::Source source{&kernel, &plan};
        return cpu::compile_object({&source, 1}, level).bytes;
    };
    size_t changed = 0;
    for (const Graph& graph : graphs(17))
        for (Kernel kernel : precompile::kernels_of(graph)) {
            Kernel form = cpu::code_form(kernel);
            if (form.rank == kernel.rank && form.outer == kernel.outer) continue;
            ++changed;
            for (const auto& level : cpu::portable_levels())
                EXPECT_EQ(object_of(kernel, level), object_of(form, level)) << print(kernel);
        }
    EXPECT_GT(changed, 10u);
}

/// A file of a few kernels, and what they are.
class PrecompiledFile : public Precompilation {
  protected:
    void SetUp() override {
        Precompilation::SetUp();
        std::string pattern = (std::filesystem::temp_directory_path() / "croton-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        std::vector<Kernel> kernels;
        for (const Graph& graph : graphs(150))
            for (auto& kernel : precompile::kernels_of(graph)) kernels.push_back(kernel);
        contents_ = precompile::compiled(kernels, cpu::portable_levels());
        packed_ = Precompiled::pack(contents_);
    }
    void TearDown() override {
        std::filesystem::remove_all(folder_);
        Precompilation::TearDown();
    }
    std::shared_ptr<const Precompiled> open(std::string_view bytes) const {
        std::string path = folder_ + "/set";
        AtomicFile file(path);
        file.write(bytes);
        file.commit();
        return Precompiled::open(path);
    }

    std::string folder_, packed_;
    std::map<std::string, std::string> contents_;
};

TEST_F(PrecompiledFile, GivesWhatItHolds) {
    auto set = open(packed_);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->size(), contents_.size());
    for (const auto& [key, content] : contents_) EXPECT_EQ(set->find(key), content);
    EXPECT_FALSE(set->find(std::string(32, '0')));
    EXPECT_FALSE(set->find(std::string(32, 'f')));
    EXPECT_FALSE(set->find(""));
    EXPECT_TRUE(open(Precompiled::pack({})));
}

TEST_F(PrecompiledFile, DamageIsNeverBelieved) {
    std::mt19937 random(1);
    int lost = 0;
    for (int round = 0; round < 400; ++round) {
        std::string bad = packed_;
        bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
        auto set = open(bad);
        for (const auto& [key, content] : contents_) {
            auto found = set ? set->find(key) : std::nullopt;
            if (!found) ++lost;
            EXPECT_EQ(found.value_or(content), content);
        }
    }
    EXPECT_GT(lost, 100);
    for (size_t size = 0; size < packed_.size(); size += 1 + packed_.size() / 50)
        EXPECT_FALSE(open(packed_.substr(0, size)));
}

TEST_F(PrecompiledFile, OfAnotherBuildIsRefused) {
    std::string other = packed_;
    other[16] ^= 1;  // behind the magic and the size: what made it
    EXPECT_FALSE(open(other));
    settings().precompiled = folder_ + "/set";
    EXPECT_FALSE(Precompiled::current());
}

}  // namespace
}  // namespace croton
