#pragma once
// What makes two kernels the same code.
#include <string>

#include "croton/backend/cpu/level.hpp"
#include "croton/kernel/kernel.hpp"

namespace croton::cpu {

/// All that code depends on, as bytes; names and sites are left out.
std::string kernel_bytes(const kernel::Kernel& kernel);

/// 32 hexadecimal digits: kernel, level, versions of Croton and LLVM.
std::string kernel_key(const kernel::Kernel& kernel, const Level& level);

}  // namespace croton::cpu
