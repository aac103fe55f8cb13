#pragma once
// The op behind all loops: one canonical form with states, sequences, stacked results and
// constants. Users write `scan` (scan.hpp).
#include <optional>
#include <string>
#include <vector>

#include "croton/graph/op.hpp"

namespace croton {

/// A loop taken apart. The body's inputs are states, elements of sequences and constants; its
/// outputs are the states' next values, values to stack and, if there is `stop`, whether to stop.
/// The body is closed: its leaves are its inputs and constants.
struct Loop {
    Variable steps;       ///< int64 scalar: how often, at most
    Variables initial;    ///< of the states
    Variables sequences;  ///< as many positions as steps along the first axis
    Variables constants;
    Variables states, elements, fixed;  ///< the body's inputs
    Variables next, stacked;            ///< the body's outputs
    Variable stop;                      ///< bool scalar; null: never
    /// Of each state: whether all its values are kept, the initial one in front, or the last only.
    std::vector<bool> traced;
    int64_t truncate = -1;   ///< gradients flow through so many of the last steps; -1: all
    bool recompute = false;  ///< gradients keep nothing of a step but its states
    /// Of loops with `stop` or `truncate`, whose segments are cut when a gradient is taken: what
    /// ScanOptions says. 0: gradients keep all.
    int64_t checkpoint = 0, checkpoint_bytes = 0;
    std::string name;

    Loop() = default;
    /// Of a node whose op is `loop`.
    explicit Loop(const Node& node);
    /// States, elements, constants: the body's inputs.
    Variables formal() const;
    /// Next states, values to stack, whether to stop: the body's outputs.
    Variables results() const;
    void set_results(const Variables& results);
    /// The op applied: final states or traces, stacks, then (with `stop`) the number of steps done.
    Variables apply(Site site) const;
};
bool is_loop(const Node& node);
/// The value of an integer constant.
std::optional<int64_t> known_integer(const Variable& v);
/// An int64 scalar constant: a number of steps.
Variable whole_number(int64_t value);
/// How messages name a state.
std::string loop_state_name(const Variable& state, size_t i);

}  // namespace croton
