#pragma once
// The pipeline of the rewriting stages: the table of contents of the compiler (pipeline.cpp).
#include "croton/compile/build.hpp"

namespace croton::compile {

/// Runs the rewriting stages over `outputs` (whose leaves have symbolic sizes), within the mode's
/// limits. Steps and texts go into `trace`.
Variables rewrite_graph(const Variables& outputs, const Mode& mode, bool keep_trace, Trace& trace);

/// Names of the stages, in order.
std::vector<std::string> stage_names();

}  // namespace croton::compile
