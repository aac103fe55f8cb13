#pragma once
// Node rules that belong to the compiler itself: they need kernels or expansions.
#include "croton/rewrite/rule.hpp"

namespace croton::compile {

/// Nodes whose inputs are all constants become constants, unless the result is larger than both the
/// inputs and 64 kilobytes, or the op is impure or has host code that may fail.
const rewrite::NodeRule& constant_folding();
/// Composite ops and calls become what they stand for.
const rewrite::NodeRule& expansion();

}  // namespace croton::compile
