#pragma once
// How a kernel is cut into functions and what they find in their frame. The emitter writes code
// against it, the launcher fills frames by it. No LLVM here.
//
// A section becomes a function over a nest of two loops, `rows` times `count`, whose lanes run
// along `count`. Everything that varies over the nest is a stream: an address (or number) that
// advances by `step` from lane to lane and by `row` from row to row.
#include <cstdint>
#include <string>
#include <vector>

#include "croton/kernel/kernel.hpp"

namespace croton::cpu {

/// Words (int64) at the start of every frame.
enum FrameWord { rows_word, count_word, fault_word, stop_word, extents_word };

enum class StreamKind : uint8_t {
    In,        ///< an operand's address; step is 0 or the item size
    Out,       ///< an operand's address; step is the item size
    Index,     ///< position along kernel axis `number`
    Position,  ///< place among the flattened inner axes, for ArgMax and ArgMin
    Slot,      ///< address of a value kept between sections; step is 0 or the item size
    Kept,      ///< address in a row of values kept for each inner index; step is the item size
    Running,   ///< the same for values that are folded across the outer indices
};

struct Stream {
    StreamKind kind;
    int number = 0;        ///< operand or axis
    DType dtype;           ///< as it lies in memory; Int64 for Index and Position
    int item = 8;          ///< its size in bytes
    int word = 0;          ///< frame words: where, step, row
    bool uniform = false;  ///< broadcast along every axis
    bool at_end = false;   ///< Out: written when a fold across has ended
    int apart = 1;  ///< of tailored code: lanes are so many items (of numbers: so much) apart
    bool streaming = false;  ///< of tailored code, Out: stored past the caches, in whole lines
};

/// A table operand in the frame: address, sizes, strides.
struct TablePlan {
    int word = -1;
    int rank = 0;
};

struct AccumulatorPlan {
    int slot = -1;           ///< stream of the running value
    int position_slot = -1;  ///< ArgMax, ArgMin: stream of its position
    DType state;             ///< dtype of the running value: wider than the result for sums
};

/// A value that is folded across the outer indices.
struct RunningPlan {
    int stream = -1;           ///< of the running values
    std::vector<int> targets;  ///< streams of the operands that get what they end as
    kernel::Combine combine;
    bool row = false;  ///< one for each inner index; else one for all
};

struct SectionPlan {
    kernel::SectionKind kind;
    std::vector<int> ins, outs;      ///< operand streams, and kept values that it reads and writes
    std::vector<int> numbers;        ///< Index and Position streams
    std::vector<int> reads, writes;  ///< slot streams
    std::vector<AccumulatorPlan> accumulators;  ///< of a loop section: its states
    std::vector<int> across;  ///< Running streams, one a fold across; -1: equal to an earlier one
};

/// Which ways of running a kernel its code serves. Kernels that fold inner axes beside outer ones
/// run row after row, lanes along an inner axis, or by blocks of columns, lanes along an outer one:
/// a launch takes one of these ways, and few programs ever take both.
enum class Form : uint8_t { Whole, Rows, Columns };

struct Plan {
    Form form = Form::Whole;
    size_t first_section = 0, last_section = SIZE_MAX;  ///< of which there is code: a part's
    int rank = 0, outer = 0;
    int extents = 0;  ///< frame words that say how long axes are: none if the code does not ask
    std::vector<Stream> streams;
    int inputs_and_outputs = 0;  ///< streams before this are operands, numbers and kept values
    std::vector<int> operand_streams;  ///< by operand; -1 for tables and unused ones
    std::vector<TablePlan> tables;     ///< by operand
    std::vector<int> value_slots;      ///< by value: the slot stream it is read from; -1: none
    std::vector<int> kept_streams;   ///< by value: where it is kept for each inner index; -1: none
    std::vector<int> index_streams;  ///< by axis; -1: none
    int position_stream = -1;
    std::vector<RunningPlan> running;
    std::vector<SectionPlan> sections;
    int words = 0;
    int slot_bytes = 0;   ///< of one lane of all slots together
    int kept_bytes = 0;   ///< of all values kept at one inner index
    int lane_bytes = 4;   ///< width of a lane; vectors have vector_bytes / lane_bytes of them
    bool scalar = false;  ///< complex numbers: one element at a time
    bool has_tables = false;
    bool tailored = false;  ///< to one kind of launch: tailor.hpp
    /// Tailored too: one function runs all sections, row after row. In the frame is then how many
    /// rows, in the place of each stream's step how far it is from row to row, and `apart` is what
    /// its lanes are (0: they stand still). Slots are not in memory.
    bool whole_rows = false;
    bool heads = false;   ///< rows of outputs begin within lines, all at one place: tailor.hpp
    int by_products = 0;  ///< in tailored code: quotients.hpp
};

Plan make_plan(const kernel::Kernel& kernel);

/// Whether there is code for rows and for columns; else all code is in one piece.
bool has_two_forms(const Plan& plan);
/// The plan for code of one form.
Plan plan_of_form(const Plan& plan, Form form);
/// The same in parts, which several threads may make: long kernels have two or more, of some
/// sections each. They follow from the kernel alone, so code is found by any number of threads.
std::vector<Plan> parts_of_form(const kernel::Kernel& kernel, const Plan& plan, Form form);
/// About how long its code is, in instructions.
int64_t code_length(const kernel::Kernel& kernel, const Plan& plan);

/// What a kernel's function is told to run: a section over a nest of loops, or (Reduce and Loop
/// sections) with lanes along an outer axis, the running values then lying in memory. Without lanes
/// a Loop section runs for one outer index after the other.
inline int64_t section_selector(size_t section, bool lanes) {
    return static_cast<int64_t>(2 * section + (lanes ? 1 : 0));
}
bool has_lanes_form(const kernel::Kernel& kernel, size_t section);

/// Values that are computed anew in each section that uses them.
bool is_rematerialised(kernel::OpCode op);

/// dtype in which a fold runs.
DType state_dtype(kernel::Combine combine, DType value);
inline bool is_arg(kernel::Combine combine) {
    return combine == kernel::Combine::ArgMax || combine == kernel::Combine::ArgMin;
}

}  // namespace croton::cpu
