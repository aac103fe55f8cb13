#pragma once
// Which kernels compute some of their quotients on the multipliers. Division and square root share
// one unit, which takes a vector every four to eight cycles while the multipliers take two a cycle:
// where it sets the pace, part of its work is done by them (emit_quotients.cpp, same bits). No LLVM
// here.
#include "croton/backend/cpu/level.hpp"
#include "croton/backend/cpu/plan.hpp"

namespace croton::cpu {

/// Vectors that such code has side by side: the long chains of products of one are hidden behind
/// the others.
constexpr int vectors_side_by_side = 8;

/// Of so many vectors, how many have their quotients from the multipliers: both units are then busy
/// for about as long. 0: the kernel does not wait for the divider, or has no such form.
int quotients_by_products(const kernel::Kernel& kernel, const Plan& plan, const Level& level);

}  // namespace croton::cpu
