#pragma once
// What cumulative ops compute. For the sources of ops/ only.
#include "croton/graph/op.hpp"

namespace croton {

void cumsum_run(ExternCall& call);
void cumprod_run(ExternCall& call);
void recurrence_run(ExternCall& call);

}  // namespace croton
