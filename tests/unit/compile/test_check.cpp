// Check mode names what is guilty of a wrong value.
#include <gtest/gtest.h>

#include "croton/base/error.hpp"
#include "croton/compile/check.hpp"
#include "croton/kernel/kernel.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/special.hpp"
#include "croton/runtime/backend.hpp"

namespace croton::compile {
namespace {

// The interpreter with sines for cosines.
class WrongBackend : public runtime::Backend {
  public:
    std::string_view name() const override { return "wrong"; }
    std::shared_ptr<const runtime::KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                      runtime::CompileStats* stats) const override {
        std::vector<kernel::Kernel> wrong;
        for (const auto& k : kernels) {
            std::string text = kernel::print(k);
            for (size_t at; (at = text.find("cos")) != std::string::npos;)
                text.replace(at, 3, "sin");
            wrong.push_back(kernel::parse(text));
        }
        return runtime::backend("interp").compile(wrong, stats);
    }
};

std::string verdict(const BuildRequest& request, const Array& argument, const Array& result) {
    try {
        check_results(request, std::vector{argument}, std::vector{result});
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Compile);
        return error.what();
    }
    return "";
}

TEST(Check, NamesTheKernelOrSaysThatTheValueDoesNotComeBack) {
    runtime::backend("interp");
    runtime::register_backend(std::make_unique<WrongBackend>());
    auto x = input(parse_type("f64[?]"), "x");
    BuildRequest request;
    request.inputs = {x};
    request.outputs = {cos(x) + 1.0};
    request.name = "waves";
    request.mode = mode_named("fast");
    request.mode.backend = "interp";
    Array zeros = Array::of({0., 0.});
    EXPECT_EQ(verdict(request, zeros, Array::of({2., 2.})), "");
    std::string stray = verdict(request, zeros, Array::of({2., 1.}));
    EXPECT_NE(stray.find("waves gave a wrong value that does not come back"), stray.npos) << stray;
    request.mode.backend = "wrong";
    std::string kernel = verdict(request, zeros, Array::of({1., 1.}));
    for (const char* phrase : {"of function waves", "on back end wrong", "test_check.cpp"})
        EXPECT_NE(kernel.find(phrase), kernel.npos) << kernel;
}

}  // namespace
}  // namespace croton::compile
