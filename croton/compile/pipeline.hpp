#pragma once
// The pipeline of the rewriting stages: the table of contents of the compiler (pipeline.cpp).
#include <algorithm>

#include "croton/compile/build.hpp"

namespace croton::compile {

/// How much was done, in numbers that no clock disturbs.
struct RewriteWork {
    size_t visits = 0;  ///< how often a node was looked at
    size_t steps = 0;
};

/// Rewriting of one graph, bodies of its loops included: steps of rules and rows about loops are
/// counted together, and the mode's limit holds for all of them.
struct Rewriting {
    const Mode& mode;
    std::vector<Event>* events = nullptr;  ///< told of each step and stage if not null
    int64_t taken = 0;                     ///< steps
    /// How many may still be taken; -1: any number.
    int64_t left() const {
        return mode.rule_limit < 0 ? -1 : std::max<int64_t>(mode.rule_limit - taken, 0);
    }
};

/// Runs the rewriting stages over `outputs` (whose leaves have symbolic sizes). Tells the work in
/// `work` where that is not null.
Variables rewrite_graph(const Variables& outputs, Rewriting& rewriting,
                        RewriteWork* work = nullptr);
Variables rewrite_graph(const Variables& outputs, const Mode& mode, std::vector<Event>* events,
                        RewriteWork* work = nullptr);

/// Names of the stages, in order.
std::vector<std::string> stage_names();

}  // namespace croton::compile
