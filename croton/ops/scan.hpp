#pragma once
// Loops in the graph: a body is written once, over formal elements and states, and runs once a
// step. This is Theano's language (taps, initial states, updates); it is translated to the op
// `loop` (loop.hpp) when it is written, and nothing else knows of it.
#include <functional>
#include <limits>

#include "croton/graph/variable.hpp"

namespace croton {

// --- the friendly side --------------------------------------------------------------------------

/// What a body is called with, once, to be written down. Each element stands for one step.
struct Step {
    Variables sequences;  ///< an element a tap of each sequence, in the order given
    Variables states;     ///< past values, by output and then by tap, in the order given
    Variables constants;  ///< non_sequences as they were given
};

/// What a body gives back: outputs in the order of outputs_info, new values for shared variables,
/// and, if it says so, a bool scalar after whose first true step the loop ends (that step counts).
struct StepResult {
    Variables outputs;
    std::vector<std::pair<SharedVariable, Variable>> updates = {};
    Variable until = {};

    StepResult() = default;
    StepResult(Variable output) : outputs{std::move(output)} {}
    StepResult(Variables outputs) : outputs(std::move(outputs)) {}
    StepResult(Variables outputs, std::vector<std::pair<SharedVariable, Variable>> updates,
               Variable until = {})
        : outputs(std::move(outputs)), updates(std::move(updates)), until(std::move(until)) {}
};
using ScanBody = std::function<StepResult(const Step&)>;

/// Read along its first axis, one position a step. Tap k is what lies k steps ahead of the step
/// (behind it if negative); the loop then runs only where all taps exist.
struct ScanSequence {
    Variable values;
    Ints taps = {0};
    ScanSequence(Variable values, Ints taps = {0})
        : values(std::move(values)), taps(std::move(taps)) {}
};

/// An output of the body. Without an initial value it is collected only. With one it is handed to
/// later steps: tap -k is its value k steps ago. If taps other than -1 are asked for, the initial
/// value has an axis in front, oldest first, as long as the oldest tap.
struct ScanOutput {
    Variable initial;
    Ints taps = {-1};
    ScanOutput() = default;
    ScanOutput(Variable initial, Ints taps = {-1})
        : initial(std::move(initial)), taps(std::move(taps)) {}
};

/// How many steps: a number, an integer scalar, or nothing.
class StepCount {
  public:
    StepCount() = default;
    template <class T, class = std::enable_if_t<std::is_constructible_v<Arg, const T&>>>
    StepCount(const T& value, std::source_location where = std::source_location::current())
        : value_(Arg(value, where)) {}
    operator const Variable&() const { return value_; }
    explicit operator bool() const { return static_cast<bool>(value_); }

  private:
    Variable value_;
};

struct ScanOptions {
    std::vector<ScanSequence> sequences = {};
    std::vector<ScanOutput> outputs_info = {};  ///< empty: nothing is recurrent
    Variables non_sequences = {};
    /// Nothing: as long as the shortest sequence.
    StepCount n_steps = {};
    /// Gradients flow through the last so many steps only; -1: through all.
    int64_t truncate_gradient = -1;
    bool go_backwards = false;  ///< sequences are read from their end
    /// Shared variables that the body uses must be among the non_sequences, and sequences must have
    /// equal lengths.
    bool strict = false;
    std::string name = {};
    /// Gradients recompute steps instead of keeping what they need of each: states are kept every
    /// so many steps only, and what the steps between two of them need is there once. 0: all is
    /// kept; checkpoint_sqrt: about the square root of the steps. Results are the same to rounding,
    /// at the price of running the body once more. Memory falls where only the last values of the
    /// outputs are read, or outputs that are smaller than the states: whatever else is read is
    /// stored. With `until` or truncate_gradient the body runs twice more: which steps a gradient
    /// takes shows when the loop has run.
    int64_t checkpoint = 0;
    /// The same by a budget: all is kept if that fits in so many bytes, else as little as one level
    /// of checkpoints can. Counted are states and what products, host code and inner loops of the
    /// body give. 0: no budget.
    int64_t checkpoint_bytes = 0;
};
inline constexpr int64_t checkpoint_sqrt = -1;

struct ScanResult {
    /// One an output of the body: its values of all steps, stacked along a new first axis.
    Variables outputs;
    /// What the shared variables that the body changes (random streams too) are after the loop: for
    /// the updates of a function. Random streams move on without them too.
    std::vector<std::pair<Variable, Variable>> updates;
};

/// Writes the body down and applies it. Its nodes belong to the body's own lines, the loop to
/// `where`. Usage error for taps that make no sense or a body that does
/// not fit outputs_info; Type error naming the state and both types where a state would change
/// dtype or rank, Shape error where known sizes change. When running: Value error for a negative
/// number of steps, Shape error for a sequence that is too short for the steps asked for or a state
/// that changes its sizes.
ScanResult scan(const ScanBody& body, const ScanOptions& options,
                std::source_location where = std::source_location::current());

/// f of each element; what `scan` gives without states.
ScanResult map(const ScanBody& body, const Variables& sequences, ScanOptions options = {},
               std::source_location where = std::source_location::current());
/// Only the last values of the states: of all steps, in order, or from the end of the sequences.
/// The body is handed the element first. A loop of no steps has no last value: an error when
/// running.
ScanResult reduce(const ScanBody& body, const Variables& sequences, const Variables& initial,
                  ScanOptions options = {},
                  std::source_location where = std::source_location::current());
ScanResult foldl(const ScanBody& body, const Variables& sequences, const Variables& initial,
                 ScanOptions options = {},
                 std::source_location where = std::source_location::current());
ScanResult foldr(const ScanBody& body, const Variables& sequences, const Variables& initial,
                 ScanOptions options = {},
                 std::source_location where = std::source_location::current());
/// Of all outputs the values at steps n, 2n, ... (1-based) and at the last step, and gradients that
/// keep no other states (with `until` or truncate_gradient the values of all steps are there while
/// the loop runs). Usage error for taps of outputs other than -1.
ScanResult scan_checkpoints(const ScanBody& body, const ScanOptions& options,
                            int64_t save_every_n = 10,
                            std::source_location where = std::source_location::current());

// --- plain loops --------------------------------------------------------------------------------
// Only final values are given, those at the start if the loop runs no step. Bodies that draw random
// numbers or change shared variables are a Usage error: scan hands out the updates.

/// States after `count` rounds of body(i, states), i = 0, 1, ... (int64).
Variables for_loop(Arg count, const Variables& initial,
                   const std::function<Variables(const Variable& i, const Variables& states)>& body,
                   std::source_location where = std::source_location::current());
/// then() if the scalar condition holds, else otherwise(): only one of them is computed. As many
/// values of the same ranks from both.
Variables cond(Arg condition, const std::function<Variables()>& then,
               const std::function<Variables()>& otherwise);
/// States after rounds of `body` for as long as `condition`, a bool scalar, holds (it is asked
/// before each round, so the loop may run none), at most `limit` of them.
Variables while_loop(const std::function<Variable(const Variables& states)>& condition,
                     const std::function<Variables(const Variables& states)>& body,
                     const Variables& initial, Arg limit = std::numeric_limits<int64_t>::max(),
                     std::source_location where = std::source_location::current());

}  // namespace croton
