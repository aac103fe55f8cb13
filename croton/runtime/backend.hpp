#pragma once
// What a back end offers to the rest of Croton: kernels in, callable code out. Back ends are
// plug-ins: nobody includes their headers but the one file that lists them.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "croton/kernel/kernel.hpp"

namespace croton::runtime {

/// A launch with everything but addresses settled, made again and again. For one thread at a time.
class PreparedLaunch {
  public:
    PreparedLaunch() = default;
    PreparedLaunch(const PreparedLaunch&) = delete;
    virtual ~PreparedLaunch() = default;
    /// Appends the places (64 bits each) of the addresses that lie in operand `operand`: whoever
    /// adds a distance to all of them has moved the operand by it.
    virtual void add_places(int operand, std::vector<void*>& places) = 0;
    /// Runs all of it. Whether anything went wrong, which fault() tells.
    virtual bool run() = 0;
    const kernel::Fault& fault() const { return fault_; }

  protected:
    kernel::Fault fault_;
};

/// Kernels compiled together. Immutable; may run on several threads at once.
class KernelSet {
  public:
    virtual ~KernelSet() = default;
    /// Runs kernel `index`. The outer index runs over all of it unless `begin`, `end` name a part
    /// of axis 0's range (only for kernels with rank > 0 whose axis 0 is an outer axis or that
    /// consist of one Map section: then axis 0 may be split between threads). Throws nothing but a
    /// Compile error, where a part of the code is made when it is first wanted and cannot be made.
    virtual kernel::Fault run(int index, const kernel::Launch& launch, int64_t begin,
                              int64_t end) const = 0;
    /// Settles a launch's sizes and strides; nothing of `launch` needs to stay but its Stop. Null:
    /// there is no way that beats calling run(). The set must outlive the result.
    virtual std::unique_ptr<PreparedLaunch> prepare(int index, const kernel::Launch& launch) const {
        (void)index, (void)launch;
        return nullptr;
    }
    /// Text of what was made of a kernel (LLVM IR, C source, the kernel itself), for explanations.
    virtual std::string listing(int index) const = 0;
};

/// As KernelSet::prepare, but never null: at worst run() is called with what `launch` held.
std::unique_ptr<PreparedLaunch> prepare_launch(const KernelSet& set, int index,
                                               const kernel::Kernel& kernel,
                                               const kernel::Launch& launch);

struct CompileStats {
    double seconds = 0;
    int compiled = 0;    ///< kernels turned into code
    int from_cache = 0;  ///< kernels found in the disk cache
    int late = 0;        ///< kernels whose code is found or made when they first run
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual std::string_view name() const = 0;
    /// Compile error on failure. `stats` may be null.
    virtual std::shared_ptr<const KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                     CompileStats* stats) const = 0;
};

/// "interp", "cpu", ... Usage error listing the known names otherwise.
const Backend& backend(std::string_view name);
/// Adds a back end; a second one of the same name is ignored.
void register_backend(std::unique_ptr<Backend> backend);
/// Adds the back ends that Croton ships; backend() calls it once. Defined in api/backends.cpp, the
/// one place that knows them all.
void register_builtin_backends();

}  // namespace croton::runtime
