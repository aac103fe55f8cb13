#pragma once
// What compiling does to loops, as rows: each is a pass over a graph. prepare_loops (loops.hpp)
// walks the table.
#include <source_location>
#include <string_view>
#include <vector>

#include "croton/compile/pipeline.hpp"

namespace croton::compile {

/// When a row runs, in this order. Rows of one stage run in the table's order.
enum class LoopStage : uint8_t {
    Begin,
    Tidy,  ///< again and again until nothing changes, also after later stages that changed
           ///< something
    Read,
    Unroll,
    Leave,   ///< over bodies that are rewritten
    Join,    ///< likewise
    Kernel,  ///< likewise, and only where kernels are fused
};

struct LoopPass {
    const Mode& mode;
    bool inside;  ///< the graph is the body of a loop
};

struct LoopRule {
    std::string_view name;
    std::string_view what;  ///< what becomes of which loops, in a sentence
    LoopStage stage;
    /// The outputs with loops changed; themselves, node for node, where there is nothing to do.
    Variables (*apply)(const Variables& outputs, const LoopPass& pass);
    std::source_location site = std::source_location::current();
};

const std::vector<LoopRule>& loop_rules();
std::string place_of(const LoopRule& rule);

}  // namespace croton::compile
