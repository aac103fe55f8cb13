#pragma once
// The order of a program's steps: what lets memory go comes early.
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Moves kernels and products forward to where all they read is there, if what dies with them is
/// larger than what they make: the gradient of a weight is computed when the error of its layer is
/// there, not after that of the first layer, for which all errors and all layers' values would have
/// to be kept. Other steps keep their order, and so does everything that frees nothing. Before
/// memory is planned.
void order_steps(runtime::Program& program);

}  // namespace croton::compile
