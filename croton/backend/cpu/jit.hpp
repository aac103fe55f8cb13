#pragma once
// LLVM behind a small door: kernels to object files, object files to callable code. No LLVM headers
// here, for each of them costs every includer seconds.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "croton/backend/cpu/level.hpp"
#include "croton/backend/cpu/plan.hpp"

namespace croton::cpu {

/// The level with the processor and features of this machine where it says native.
Level resolved(Level level);

struct Source {
    const kernel::Kernel* kernel;
    const Plan* plan;
};

/// Where a kernel is in an object: its sections' selectors count from `first`.
struct Placement {
    std::string symbol;
    int64_t first = 0;
};

struct Object {
    std::string bytes;
    std::vector<Placement> placements;  ///< by source
};

/// One object file with all these kernels. Compile error on failure. Thread-safe.
Object compile_object(std::span<const Source> sources, const Level& level);

/// The LLVM IR that compile_object makes machine code of.
std::string ir_text(const Source& source, const Level& level);

using SectionFunction = void (*)(int64_t* frame, int64_t selector);

/// Linked code; unloaded with the last reference.
class Code {
  public:
    virtual ~Code() = default;
    /// Compile error if the object has no such function.
    virtual SectionFunction function(const std::string& symbol) const = 0;
};
/// Compile error if the bytes are no object file or need symbols that are not helpers.
std::shared_ptr<const Code> link_object(std::string object);

}  // namespace croton::cpu
