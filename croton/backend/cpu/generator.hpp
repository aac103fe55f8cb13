#pragma once
// LLVM lies in a library of its own beside libcroton, opened by the first kernel that has to be
// made: whoever finds all code made before (on disk, in the set of precompiled kernels) never pays
// for relocating and constructing what LLVM consists of.
#include "croton/backend/cpu/jit.hpp"

namespace croton::cpu {

/// What that library offers. Thread-safe.
class CodeGenerator {
  public:
    virtual ~CodeGenerator() = default;
    virtual Object compile(std::span<const Source> sources, const Level& level) const = 0;
    virtual std::string ir_text(const Source& source, const Level& level) const = 0;
    virtual std::shared_ptr<const Code> link(std::string object) const = 0;
};

/// Compile error if the library is not there or belongs to another build.
const CodeGenerator& code_generator();

/// Whether this process has opened it.
bool code_generator_is_open();

/// link_object by LLVM's linker. Inside of that library.
std::shared_ptr<const Code> link_by_llvm(const std::string& object);

}  // namespace croton::cpu

/// What that library shows.
extern "C" const croton::cpu::CodeGenerator* croton_code_generator();
