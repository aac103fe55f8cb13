// The suite's own eyes: a back end that is wrong in one element, one byte or one fault is caught.
#include "croton/base/error.hpp"
#include "croton/kernel/interpret.hpp"
#include "tests/backend/contract.hpp"
#include "tests/backend/values.hpp"

namespace croton::contract {
namespace {

class Comparison : public testing::Test {
  protected:
    Comparison() {
        kernel_ = batch_.add(
            "kernel k rank 1 outer 0 { in x: f32 out y: f32 map { %0 = f32 load x %1 = f32 neg %0"
            " f32 store y %1 } }");
        Layout sparse;
        sparse.gap = 2;
        sparse.reversed = 1;
        auto& p = batch_.problem(kernel_, {9}, random_, {sparse, sparse});
        fill_between(p.operands[0], random_, 1, 2);
    }
    Outcome answer() {
        return run(kernel(), problem(), [&](const kernel::Launch& launch, int64_t b, int64_t e) {
            return kernel::interpret(kernel(), launch, b, e);
        });
    }
    const kernel::Kernel& kernel() { return batch_.kernels[kernel_]; }
    Problem& problem() { return batch_.problems[0]; }
    std::string compare(Outcome actual) {
        Outcome expected = answer();
        return difference(kernel(), problem(), expected, actual).value_or("equal");
    }
    static char* byte(Buffer& buffer, ptrdiff_t offset) {
        return static_cast<char*>(buffer.first()) + offset;
    }

    Random random_{5};
    Batch batch_;
    size_t kernel_;
};

TEST_F(Comparison, SeesWrongElements) {
    EXPECT_EQ(compare(answer()), "equal");
    Outcome wrong = answer();
    auto values = wrong.operands[1].values<float>();
    values[4] = std::nextafter(values[4], 0.0f);
    wrong.operands[1].set(values);
    EXPECT_NE(compare(wrong).find("operand y: 1 of 9 elements differ; the first is element 4"),
              std::string::npos);
    problem().tolerances = {{1}};
    EXPECT_EQ(compare(wrong), "equal");
    values[4] = std::numeric_limits<float>::quiet_NaN();
    wrong.operands[1].set(values);
    EXPECT_NE(compare(wrong), "equal");
}

TEST_F(Comparison, SeesBytesOutsideOfTheElements) {
    // Around the memory, in a gap, and in an input.
    for (auto [operand, offset] : {std::pair<size_t, ptrdiff_t>{1, 4}, {1, -4}, {1, 8}, {0, 0}}) {
        Outcome wrong = answer();
        *byte(wrong.operands[operand], offset) ^= 1;
        EXPECT_NE(compare(wrong).find("was written and does not belong"), std::string::npos);
    }
}

TEST_F(Comparison, SeesFaults) {
    Outcome wrong = answer();
    wrong.fault.operand = 0;
    EXPECT_NE(compare(wrong).find("an unexpected fault"), std::string::npos);
}

TEST_F(Comparison, TellsZerosApartWhereAsked) {
    fill_between(problem().operands[0], random_, 0, 0);
    Outcome wrong = answer();
    wrong.operands[1].set(std::vector<float>(9, 0.0f));
    EXPECT_EQ(compare(wrong), "equal");
    problem().tolerances = {{0, 0, true}};
    EXPECT_NE(compare(wrong), "equal");
}

TEST(Distance, CountsUnitsInTheLastPlace) {
    EXPECT_EQ(ulps_apart(1.0f, 1.0f), 0);
    EXPECT_EQ(ulps_apart(1.0f, std::nextafter(1.0f, 2.0f)), 1);
    EXPECT_EQ(ulps_apart(1.0, 1.0 + 3 * std::numeric_limits<double>::epsilon()), 3);
    EXPECT_EQ(ulps_apart(-1.0, std::nextafter(-1.0, 0.0)), 1);
    EXPECT_EQ(ulps_apart(-1e-45f, 1e-45f), 2);
    EXPECT_EQ(ulps_apart(0.0, -0.0), 0);
    EXPECT_EQ(
        ulps_apart(std::numeric_limits<double>::infinity(), std::numeric_limits<double>::max()), 1);
    EXPECT_EQ(ulps_apart(std::nan(""), -std::nan("")), 0);
    EXPECT_TRUE(std::isinf(ulps_apart(std::nan(""), 1.0)));
}

class Interface : public testing::TestWithParam<Target> {};

TEST_P(Interface, CompilesReportsAndLists) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    Batch batch;
    for (const char* op : {"neg", "exp"})
        batch.add(cat("kernel apply_", op, " rank 1 outer 0 { in x: f32 out y: f32 map {",
                      " %0 = f32 load x %1 = f32 ", op, " %0 f32 store y %1 } }"));
    const auto& backend = runtime::backend(GetParam().backend);
    EXPECT_EQ(backend.name(), GetParam().backend);
    runtime::CompileStats stats;
    auto set = backend.compile(batch.kernels, &stats);
    EXPECT_EQ(stats.compiled + stats.from_cache, 2);
    EXPECT_GE(stats.seconds, 0);
    EXPECT_FALSE(set->listing(1).empty());
}

TEST(InterpBackend, RefusesBrokenKernels) {
    kernel::Kernel broken = kernel::parse("kernel broken rank 0 outer 0 { out y: f32 }");
    try {
        runtime::backend("interp").compile({&broken, 1}, nullptr);
        FAIL() << "it was compiled";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Compile);
        EXPECT_NE(std::string(error.what()).find("stored 0 times"), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(Backends, Interface, testing::ValuesIn(all_targets()),
                         [](const auto& info) { return info.param.text(); });

}  // namespace
}  // namespace croton::contract
