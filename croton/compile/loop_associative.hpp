#pragma once
// Loops that are something simpler. For the sources of compile/ only.
#include "croton/graph/variable.hpp"

namespace croton::compile {

/// Loops of one number, h = a * h + b with a and b that do not depend on it, become linear_steps
/// where that is faster: a is read as it lies or is the same in all steps, b likewise for sums. So
/// do largest and smallest values, of which the last is read: they become reductions.
Variables without_recurrences(const Variables& outputs);

}  // namespace croton::compile
