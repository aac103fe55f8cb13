#pragma once
// Runs a compiled kernel on given memory: brings the launch into its simplest form, chooses how the
// loops are nested, and calls the sections' functions. No LLVM here and no allocation for launches
// of usual size.
#include <memory>
#include <vector>

#include "croton/backend/cpu/jit.hpp"
#include "croton/backend/cpu/late_code.hpp"
#include "croton/backend/cpu/plan.hpp"
#include "croton/backend/cpu/tailor.hpp"
#include "croton/base/block_copy.hpp"
#include "croton/runtime/backend.hpp"

namespace croton::cpu {

/// What an accumulator's slot holds before anything is folded into it.
struct Identity {
    int slot = -1;  ///< stream
    int item = 0;
    alignas(16) unsigned char bytes[16] = {};
    void fill(char* to, int64_t count) const;
};

/// A kernel with its code. Immutable.
struct Program {
    kernel::Kernel kernel;
    Plan plan;
    bool can_split = false;
    SectionCodes codes;                             ///< of a kernel without two forms
    std::unique_ptr<LateCode> rows, columns;        ///< null: of one form
    std::vector<std::vector<Identity>> identities;  ///< by section
    std::vector<Identity> running_start;            ///< by value that is folded across
    BlockCopier copier = nullptr;                   ///< for operands without dense lanes
    std::unique_ptr<Tailor> tailor;                 ///< null: all launches run the same code
};

/// Fills in everything but the code.
std::shared_ptr<Program> make_program(const kernel::Kernel& kernel, const Level& level);

/// As KernelSet::run.
kernel::Fault launch(const Program& program, const kernel::Launch& launch, int64_t begin,
                     int64_t end);

/// As KernelSet::prepare: null where the launch is not a handful of calls.
std::unique_ptr<runtime::PreparedLaunch> prepare(const Program& program,
                                                 const kernel::Launch& launch);

}  // namespace croton::cpu
