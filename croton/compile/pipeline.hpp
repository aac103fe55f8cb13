#pragma once
// The pipeline of the rewriting stages: the table of contents of the compiler (pipeline.cpp).
#include "croton/compile/build.hpp"

namespace croton::compile {

/// How much was done, in numbers that no clock disturbs.
struct RewriteWork {
    size_t visits = 0;  ///< how often a node was looked at
    size_t steps = 0;
};

/// Runs the rewriting stages over `outputs` (whose leaves have symbolic sizes), within the mode's
/// limits. Tells each step and stage in `events` and the work in `work` where those are not null.
Variables rewrite_graph(const Variables& outputs, const Mode& mode, std::vector<Event>* events,
                        RewriteWork* work = nullptr);

/// Names of the stages, in order.
std::vector<std::string> stage_names();

}  // namespace croton::compile
