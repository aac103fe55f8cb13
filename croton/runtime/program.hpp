#pragma once
// A compiled function as data: a flat list of steps over numbered values. Prints, verifies, runs.
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "croton/graph/op.hpp"
#include "croton/runtime/backend.hpp"

namespace croton::runtime {

/// Number of a value in its program.
using Id = int32_t;

/// Where a value's memory comes from.
enum class Place : uint8_t {
    Argument,  ///< handed in by the caller (inputs and shared variables alike)
    Constant,  ///< `constant` of the value
    Slot,      ///< buffer `slot` of the frame, reused between values and between calls
    View,      ///< memory of value `source`
    Fresh,     ///< new memory in every call: what a call returns
    Rows,      ///< never there as a whole: see Prologue
};

struct Value {
    TensorType type;
    Place place = Place::Slot;
    int slot = -1;     ///< Slot
    Id source = -1;    ///< View: whose memory; Slot, Fresh: value whose memory may be taken over
    Array constant;    ///< Constant
    std::string name;  ///< the user's, for messages
    Site site;         ///< the user's line
};

/// Which of its own axes an operand walks along each kernel axis; -1: none.
using AxisMap = SmallVector<int8_t, 8>;

/// Runs kernel `kernel` of the program's kernel set. Extents are the broadcast of the In operands'
/// sizes, or come from the shape function of `shape_op` where no In operand has the axis.
struct KernelStep {
    int kernel;
    std::vector<Id> operands;   ///< in the order of the kernel's operands, outputs last
    int outputs = 1;            ///< how many of them are outputs
    std::vector<AxisMap> maps;  ///< In: [rank]; Out: own axis -> kernel axis or -1 (size 1)
    const OpRecord* shape_op = nullptr;  ///< sets extents of the first axes from its output's sizes
    std::shared_ptr<const Attrs> shape_attrs = nullptr;
    std::vector<Id> shape_inputs = {};
    AxisMap shape_map = {};     ///< own axis of shape_op's output -> kernel axis
    int steps_axis = -1;        ///< loops: the axis whose extent is the integer shape_inputs[0]
    bool splittable = false;    ///< axis 0 may be split between threads
    bool reject_empty = false;  ///< a reduction without identity over no elements: an error
    std::string what = {};      ///< the expression, for messages and profiles
};

struct ViewStep {
    const OpRecord* op;
    std::shared_ptr<const Attrs> attrs;
    std::vector<Id> inputs;
    Id output;
};

/// Makes an input of host code row by row, when it is asked for (RowSource): a kernel of one Map
/// section whose only result is that input, over the result's own axes (but those of size 1). Its
/// value (Place::Rows) is neither read nor written by any step: some rows at a time lie in working
/// memory.
struct Prologue {
    KernelStep kernel;
    int input;  ///< of the step, which is the kernel's result
    Site site;
    std::string label;
    Id values() const { return kernel.operands.back(); }
};

struct ExternStep {
    const OpRecord* op;
    std::shared_ptr<const Attrs> attrs;
    std::vector<Id> inputs;
    std::vector<Id> outputs;
    std::optional<Prologue> prologue = {};
};

/// What is made of a product element by element: a kernel of one Map section over the product's own
/// axes. The product is `kernel`'s operand `product`, which is one of the kernel's outputs as well:
/// it lies where that result will lie, and nobody else sees it.
struct Epilogue {
    KernelStep kernel;
    int product;
    Site site;
    std::string label;
};

/// alpha * a @ b + beta * c, batched over leading axes; inputs {a, b} or {a, b, c, alpha, beta}.
struct ContractStep {
    const OpRecord* op;
    std::shared_ptr<const Attrs> attrs;
    std::vector<Id> inputs;
    Id output;  ///< the product, or what the epilogue leaves in its place
    std::optional<Epilogue> epilogue = {};
};

struct Program;

/// Runs one of two programs. `then_inputs[i]` is the value handed to input i of `then_program`.
struct BranchStep {
    Id condition;
    std::shared_ptr<const Program> then_program, else_program;
    std::vector<Id> then_inputs, else_inputs;
    std::vector<Id> outputs;
};

/// Runs `body` a number of times. Its inputs are states, elements of sequences and constants, its
/// outputs the states' next values, values to stack and, if `until`, whether to stop.
struct LoopStep {
    std::shared_ptr<const Program> body;
    int states = 0, sequences = 0;
    bool until = false;
    std::vector<bool> traced;     ///< of each state: all values are kept, the initial one in front
    std::vector<bool> backwards;  ///< of each stack: in memory its last step comes first
    std::vector<int> passed_on;   ///< of each state: the state whose value it becomes, or -1
    std::vector<Id> inputs;       ///< steps, initial states, sequences, constants
    std::vector<Id> outputs;      ///< final states or traces, stacks, steps done if `until`
    std::vector<std::string> names;         ///< the user's, of the inputs
    std::vector<std::string> result_names;  ///< as messages name states and what is stacked
};

using StepKind = std::variant<KernelStep, ViewStep, ExternStep, ContractStep, BranchStep, LoopStep>;

struct Step {
    StepKind kind;
    Site site;
    std::string label;  ///< op name or fused expression
    std::vector<Id> reads() const;
    std::vector<Id> writes() const;
    /// The kernel that it runs: a product's is its epilogue's, host code's its prologue's. Null:
    /// none.
    const KernelStep* kernel() const;
};

struct Program {
    std::string name;
    std::vector<Value> values;
    std::vector<Id> inputs;  ///< Argument values, in calling order
    std::vector<Id> outputs;
    std::vector<Step> steps;
    int slots = 0;
    /// Steps from here on cannot fail once their sizes are known to fit: they alone may write over
    /// arguments (see Value::source of Fresh values). The executor checks all their sizes first.
    size_t tail = SIZE_MAX;
    std::vector<kernel::Kernel> kernels;
    std::shared_ptr<const KernelSet> code;

    /// What the step needs the elements of: not of what it asks for its sizes alone. Of a view, its
    /// own id.
    std::vector<Id> elements_read(const Step& step) const;

    std::string print() const;
    /// Internal error unless each value is written once before it is read and no two values that
    /// live at the same time share a slot.
    void verify() const;
};

/// What a profile keeps a step.
struct StepTiming {
    int64_t calls = 0;
    double seconds = 0;
    int64_t bytes = 0;  ///< written, last call
};

/// What a call may do with its arguments' memory.
struct Permissions {
    std::span<const bool> write = {};   ///< argument i: an output may be left there (an update)
    std::span<const bool> borrow = {};  ///< output i may share memory with an argument's owner,
    size_t borrow_from = 0;             ///< if the argument is this one or a later one
    /// Where output i is to be left, if its data is not null; it is then not among the results (an
    /// empty array stands there). Shape error if the output has another shape.
    std::span<const TensorRef> into = {};
    std::span<const std::string> into_names = {};  ///< the user's, for that error; may be shorter
    /// Of argument i: calls that bring the same number bring the same elements, so that operands of
    /// products that it holds may be kept packed. 0, or none: they may be others in each call.
    std::span<const uint64_t> versions = {};
};

class Packs;

/// Working memory of one running call; reused between calls, never shared by two at once.
class Frame {
  public:
    /// Frames of one program may share what is kept packed; by itself a frame has its own.
    explicit Frame(const Program& program, std::shared_ptr<Packs> packs = nullptr);
    ~Frame();
    Frame(const Frame&) = delete;

    /// Runs the program on `arguments` and returns its outputs. Outputs never share memory with
    /// arguments or with the frame, unless the program says so (Place::View of an argument gets
    /// copied). Errors come out with step, line and shapes drawn.
    std::vector<Array> run(std::span<const Array> arguments, Permissions permissions = {});
    /// Called after each step with its number, if set: for checks and displays.
    std::function<void(size_t, std::span<const TensorRef>)> after_step;
    /// Set before run(): fills timings, one a step.
    std::vector<StepTiming>* timings = nullptr;
    /// Drops what was packed of arguments.
    void forget_packed();
    /// Bytes held by the frame's slots, and by what is kept packed.
    int64_t held_bytes() const;

  private:
    friend class Executor;
    struct State;
    std::unique_ptr<State> state_;
};

/// Asks running calls to stop with an Interrupted error, if this returns true: before the next
/// step, or within a step that is a loop. Set by the Python binding (Ctrl-C). Null: never.
extern bool (*interrupt_requested)();

}  // namespace croton::runtime
