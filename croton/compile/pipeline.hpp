#pragma once
// The pipeline of the rewriting stages: the table of contents of the compiler (pipeline.cpp).
#include "croton/compile/build.hpp"

namespace croton::compile {

/// Runs the rewriting stages over `outputs` (whose leaves have symbolic sizes), within the mode's
/// limits. Tells each step and stage in `events` if that is not null.
Variables rewrite_graph(const Variables& outputs, const Mode& mode, std::vector<Event>* events);

/// Names of the stages, in order.
std::vector<std::string> stage_names();

}  // namespace croton::compile
