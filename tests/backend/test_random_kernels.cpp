// Random kernels: they verify, come back from their text, and every back end agrees on them.
// CROTON_FUZZ_SEED and CROTON_FUZZ_COUNT choose other kernels and more of them.
#include <cstdlib>

#include "croton/base/error.hpp"
#include "tests/backend/random_kernel.hpp"

namespace croton::contract {
namespace {

uint64_t number_from(const char* variable, uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}
uint64_t first_seed() { return number_from("CROTON_FUZZ_SEED", 1000); }
uint64_t kernel_count(uint64_t otherwise) { return number_from("CROTON_FUZZ_COUNT", otherwise); }

TEST(RandomKernels, VerifyPrintAndParse) {
    std::array<int, kernel::opcode_count> seen{};
    for (uint64_t n = 0; n < kernel_count(2000); ++n) {
        Random random(first_seed() + n);
        Batch batch;
        add_random_kernel(batch, random);
        const auto& kernel = batch.kernels[0];
        ASSERT_NO_THROW(kernel::verify(kernel)) << "seed " << first_seed() + n;
        ASSERT_TRUE(kernel::parse(kernel::print(kernel)) == kernel)
            << "seed " << first_seed() + n << "\n"
            << kernel::print(kernel);
        for (const auto& section : kernel.sections)
            for (const auto& i : section.body) ++seen[static_cast<size_t>(i.op)];
    }
    for (int op = 0; op < kernel::opcode_count; ++op) {
        auto code = static_cast<kernel::OpCode>(op);
        // Not offered: bitcast; and complex angles, whose branch cut no error bound survives.
        if (code == kernel::OpCode::bitcast_ || code == kernel::OpCode::angle_) continue;
        EXPECT_GT(seen[static_cast<size_t>(op)], 0) << kernel::info(code).name << " never occurs";
    }
}

class RandomKernelsOn : public testing::TestWithParam<Target> {};

TEST_P(RandomKernelsOn, AgreeWithTheInterpreter) {
    if (auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    const uint64_t count = kernel_count(300), together = 25;
    for (uint64_t n = 0; n < count; n += together) {
        Batch batch;
        for (uint64_t k = n; k < std::min(n + together, count); ++k) {
            Random random(first_seed() + k);
            add_random_kernel(batch, random);
            batch.kernels.back().name = cat("seed_", first_seed() + k);
        }
        Random random(n);
        check(GetParam(), batch, random);
        if (HasFailure()) break;
    }
}

// What the generator claims holds: rounding every float32 intermediate differently (here: carrying
// it in float64) stays within the tolerance.
kernel::Kernel widened(kernel::Kernel kernel) {
    auto widen = [](DType& dtype) {
        if (dtype == DType::Float32) dtype = DType::Float64;
        if (dtype == DType::Complex64) dtype = DType::Complex128;
    };
    for (auto& section : kernel.sections) {
        std::vector<kernel::Instruction> body;
        for (auto i : section.body) {
            widen(i.dtype);
            body.push_back(i);
        }
        section.body = std::move(body);
        for (auto& a : section.accumulators) widen(a.dtype);
    }
    for (auto& operand : kernel.operands) {
        if (operand.dtype == DType::Float16 || operand.dtype == DType::BFloat16)
            operand.dtype = DType::Float32;
        widen(operand.dtype);
    }
    return kernel;
}

TEST(RandomKernels, TolerancesCoverOtherRoundings) {
    int compared = 0;
    for (uint64_t n = 0; n < 500; ++n) {
        Random random(first_seed() + n);
        Batch batch;
        add_random_kernel(batch, random);
        const auto& kernel = batch.kernels[0];
        kernel::Kernel wide = widened(kernel);
        kernel::verify(wide);
        for (auto& problem : batch.problems) {
            Problem wide_problem = problem;
            for (size_t k = 0; k < wide.operands.size(); ++k) {
                Buffer& narrow = problem.operands[k];
                Layout layout;
                for (size_t axis = 0; axis < narrow.sizes().size(); ++axis)
                    if (narrow.strides()[axis] == 0) layout.broadcast |= uint64_t{1} << axis;
                Buffer buffer(wide.operands[k].dtype, narrow.sizes(), layout);
                visit_dtype(buffer.dtype(), [&](auto tag) {
                    if (kernel.operands[k].kind != kernel::OperandKind::Out)
                        buffer.set(narrow.values<decltype(tag)>());
                });
                wide_problem.operands[k] = buffer;
            }
            auto judge = [](const kernel::Kernel& k, const Problem& p) {
                return run(k, p, [&](const kernel::Launch& launch, int64_t, int64_t) {
                    return kernel::interpret(k, launch);
                });
            };
            Outcome narrow = judge(kernel, problem), other = judge(wide, wide_problem);
            for (size_t k = 0; k < wide.operands.size(); ++k) {
                if (kernel.operands[k].kind != kernel::OperandKind::Out) continue;
                auto a = narrow.operands[k].values<std::complex<double>>();
                auto b = other.operands[k].values<std::complex<double>>();
                // Storing rounds on one side only.
                double unit = dtype_size(kernel.operands[k].dtype) == 2 ? 8e-3 : 2.4e-7;
                for (size_t m = 0; m < a.size(); ++m, ++compared)
                    ASSERT_LE(std::abs(a[m] - b[m]),
                              problem.tolerances[k].absolute + unit * (std::abs(a[m]) + 1e-3))
                        << "seed " << first_seed() + n << " operand " << k << " element " << m
                        << "\n"
                        << kernel::print(kernel);
            }
        }
    }
    EXPECT_GT(compared, 10000);
}

INSTANTIATE_TEST_SUITE_P(Backends, RandomKernelsOn, testing::ValuesIn(all_targets()),
                         [](const auto& info) { return info.param.text(); });

}  // namespace
}  // namespace croton::contract
