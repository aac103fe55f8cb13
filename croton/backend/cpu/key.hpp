#pragma once
// What makes two kernels the same code.
#include <string>

#include "croton/backend/cpu/level.hpp"
#include "croton/backend/cpu/plan.hpp"
#include "croton/kernel/kernel.hpp"

namespace croton::cpu {

/// All that code depends on, as bytes; names and sites are left out.
std::string kernel_bytes(const kernel::Kernel& kernel);

/// The simplest kernel with the same code. Code knows an outer index and an inner one, not how many
/// axes each has, unless the kernel asks for positions or sizes.
kernel::Kernel code_form(const kernel::Kernel& kernel);

/// 32 hexadecimal digits: kernel, level, versions of Croton and LLVM.
std::string kernel_key(const kernel::Kernel& kernel, const Level& level);
/// The same of the code alone, of the plan's form and part: kernels of one code form share it.
std::string code_key(const kernel::Kernel& kernel, const Plan& plan, const Level& level);

}  // namespace croton::cpu
