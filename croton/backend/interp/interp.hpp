#pragma once
// The reference back end: the kernel interpreter behind the Backend interface. Slow, complete, and
// the judge of the others.
#include <memory>

#include "croton/runtime/backend.hpp"

namespace croton::interp {

/// Its name is "interp". compile() decodes the kernels (Compile error for one that breaks a rule).
std::unique_ptr<runtime::Backend> make_interp_backend();

}  // namespace croton::interp
