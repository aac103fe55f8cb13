#pragma once
// What computing an element of a node costs beside keeping it: what is computed anew and what is
// kept follows from it.
#include "croton/graph/variable.hpp"
#include "croton/kernel/cost.hpp"

namespace croton::compile {

using kernel::cost_of;
using kernel::cost_of_keeping;
using kernel::cost_of_keeping_in_row;

/// Of one element of an elementwise, reduce or indexed node; views cost nothing.
int cost_of_element(const Node& node);

}  // namespace croton::compile
