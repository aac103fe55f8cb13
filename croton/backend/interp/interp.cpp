#include "croton/backend/interp/interp.hpp"

#include <chrono>

#include "croton/base/error.hpp"
#include "croton/kernel/interpret.hpp"

namespace croton::interp {

namespace {

class InterpKernels : public runtime::KernelSet {
  public:
    explicit InterpKernels(std::span<const kernel::Kernel> kernels) {
        kernels_.reserve(kernels.size());
        for (const auto& kernel : kernels) kernels_.emplace_back(kernel);
    }
    kernel::Fault run(int index, const kernel::Launch& launch, int64_t begin,
                      int64_t end) const override {
        return kernels_[static_cast<size_t>(index)].run(launch, begin, end);
    }
    std::string listing(int index) const override {
        return kernel::print(kernels_[static_cast<size_t>(index)].kernel());
    }

  private:
    std::vector<kernel::Interpreter> kernels_;
};

class InterpBackend : public runtime::Backend {
  public:
    std::string_view name() const override { return "interp"; }
    std::shared_ptr<const runtime::KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                      runtime::CompileStats* stats) const override {
        auto start = std::chrono::steady_clock::now();
        std::shared_ptr<const runtime::KernelSet> result;
        try {
            result = std::make_shared<InterpKernels>(kernels);
        } catch (const Error& error) {
            fail(ErrorKind::Compile, error.what());
        }
        if (stats) {
            std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
            *stats = {elapsed.count(), static_cast<int>(kernels.size()), 0};
        }
        return result;
    }
};

}  // namespace

std::unique_ptr<runtime::Backend> make_interp_backend() {
    return std::make_unique<InterpBackend>();
}

}  // namespace croton::interp
