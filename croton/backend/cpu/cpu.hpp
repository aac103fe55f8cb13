#pragma once
// The `cpu` back end: kernels become machine code through LLVM. README.md tells how.
#include <memory>

#include "croton/runtime/backend.hpp"

namespace croton::cpu {

/// Named "cpu". Its compile() gives a Device error if settings().cpu_level asks for instructions
/// that the machine lacks.
std::unique_ptr<runtime::Backend> make_cpu_backend();

}  // namespace croton::cpu
