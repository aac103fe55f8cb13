#pragma once
// Kernels to object files, object files to callable code. LLVM stands behind a small door: it lies
// in a library of its own (generator.hpp), opened by the first kernel that has to be made.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "croton/backend/cpu/level.hpp"
#include "croton/backend/cpu/plan.hpp"

namespace croton::cpu {

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

/// Linked code of one kernel, or of a part of it.
struct KernelCode {
    SectionFunction function = nullptr;
    int64_t first = 0;  ///< added to the sections' selectors
    std::shared_ptr<const Code> code;
};

/// By section.
using SectionCodes = std::vector<KernelCode>;

/// Compile error if the bytes are no object file or need symbols that are not helpers. Opens no
/// LLVM for objects that load_object takes.
std::shared_ptr<const Code> link_object(std::string object);

/// The objects that compile_object makes on x86-64, put into memory without LLVM. Null: it has
/// something that this small linker does not know.
std::shared_ptr<const Code> load_object(std::string_view object);

}  // namespace croton::cpu
