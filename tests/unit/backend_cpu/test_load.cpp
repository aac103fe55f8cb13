// Objects put into memory without LLVM: all that the code generator makes is understood, and bytes
// that are damaged are refused or come to no harm before they are run.
#include <gtest/gtest.h>

#include <random>

#include "croton/backend/cpu/generator.hpp"
#include "croton/base/build_id.hpp"
#include "croton/base/error.hpp"
#include "croton/kernel/builder.hpp"

namespace croton::cpu {
namespace {

using kernel::Builder;
using kernel::Combine;
using kernel::Kernel;
using kernel::SectionKind;

#if defined(__x86_64__)

/// out = f(x), element by element.
template <class F>
Kernel map_of(DType dtype, F f) {
    Builder b("map", 1, 0);
    int x = b.input("x", dtype), out = b.output("out", dtype);
    b.begin(SectionKind::Map);
    b.store(out, f(b, b.load(x)));
    return b.finish();
}

Kernel row_sums() {
    Builder b("sums", 2, 1);
    int x = b.input("x", DType::Float32), out = b.output("out", DType::Float32);
    b.begin(SectionKind::Reduce);
    auto total = b.accumulate(Combine::Sum, b.load(x));
    b.begin(SectionKind::Outer);
    b.store(out, total);
    return b.finish();
}

std::vector<Kernel> kernels() {
    auto power = [](auto& b, auto x) { return b.pow(x, x); };
    auto function = [](auto& b, auto x) { return b.tanh(x); };
    std::vector<Kernel> result = {row_sums()};
    // Without a vector form: helpers are called.
    result.push_back(map_of(DType::Int64, power));
    result.push_back(map_of(DType::Complex128, power));
    for (DType dtype : {DType::Float32, DType::Float64}) {
        result.push_back(map_of(dtype, power));
        result.push_back(map_of(dtype, function));
    }
    return result;
}

Object object_of(const Kernel& kernel, const Level& level) {
    Plan plan = make_plan(kernel);
    Source source{&kernel, &plan};
    return compile_object({&source, 1}, level);
}

TEST(Load, UnderstandsWhatTheGeneratorMakes) {
    for (const Level& level : portable_levels())
        for (const Kernel& kernel : kernels()) {
            Object object = object_of(kernel, level);
            auto code = load_object(object.bytes);
            ASSERT_TRUE(code) << level.name << " " << print(kernel);
            EXPECT_NE(code->function(object.placements[0].symbol), nullptr);
            EXPECT_THROW(code->function("another"), Error);
        }
}

TEST(Load, DamagedObjectsAreRefusedOrHarmless) {
    std::mt19937 random(1);
    for (const Kernel& kernel : kernels()) {
        std::string good = object_of(kernel, portable_levels()[0]).bytes;
        for (size_t size = 0; size < good.size(); size += 7)
            load_object(std::string_view(good).substr(0, size));
        for (int round = 0; round < 3000; ++round) {
            std::string bad = good;
            for (int n = 0; n < 3; ++n) bad[random() % bad.size()] = static_cast<char>(random());
            load_object(bad);
        }
    }
    EXPECT_EQ(load_object(""), nullptr);
    EXPECT_EQ(load_object(std::string(5000, 'x')), nullptr);
}

TEST(Load, OthersFunctionsCannotBeReached) {
    Object object = object_of(kernels()[1], portable_levels()[0]);
    auto place = object.bytes.find("croton_call_");
    ASSERT_NE(place, std::string::npos);
    object.bytes[place] = 'k';
    EXPECT_EQ(load_object(object.bytes), nullptr);
    EXPECT_THROW(link_object(object.bytes)->function(object.placements[0].symbol), Error);
}

#endif

TEST(BuildId, TellsTheLibraryOfAnAddress) {
    EXPECT_EQ(build_id_of(reinterpret_cast<const void*>(&build_id)), build_id());
    EXPECT_NE(build_id_of(reinterpret_cast<const void*>(&std::abort)), build_id());
    int here = 0;
    EXPECT_EQ(build_id_of(&here), "");
}

}  // namespace
}  // namespace croton::cpu
