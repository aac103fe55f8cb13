#pragma once
// What became of a function: each rewriting step, each kernel, the memory plan.
#include <string>

#include "croton/api/function.hpp"

namespace croton {

/// The rewriting steps (number, rule, file:line of the rule, before and after, the user's line),
/// then the program (steps, values and where they live), then one line a kernel with what it reads
/// and writes. docs/read-an-explanation.md goes through an example.
std::string explain(const Function& function);

/// The kernels in text form, and with `listing` also what the back end made of each (LLVM IR).
std::string kernels_text(const Function& function, bool listing = false);

}  // namespace croton
