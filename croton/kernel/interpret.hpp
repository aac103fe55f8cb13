#pragma once
// The interpreter, decoded once and run many times. Constant folding, the `interp` back end and
// the tests of all other back ends stand on it.
#include <memory>

#include "croton/kernel/kernel.hpp"

namespace croton::kernel {

/// Immutable; runs on several threads at once.
class Interpreter {
  public:
    /// Internal error if the kernel breaks a rule of `verify`.
    explicit Interpreter(Kernel kernel);
    ~Interpreter();
    Interpreter(Interpreter&&) noexcept;
    Interpreter& operator=(Interpreter&&) noexcept;

    /// The whole launch, or the part [begin, end) of axis 0 if the kernel can be split.
    Fault run(const Launch& launch, int64_t begin = 0, int64_t end = -1) const;
    const Kernel& kernel() const { return kernel_; }

  private:
    Kernel kernel_;
    struct Decoded;
    class Run;
    std::unique_ptr<const Decoded> decoded_;
};

}  // namespace croton::kernel
