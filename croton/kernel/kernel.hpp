#pragma once
// The kernel language: loops over an index space around straight-line scalar code. Everything that
// a back end compiles is said in it; README.md shows an example.
#include <complex>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "croton/base/site.hpp"
#include "croton/base/small_vector.hpp"
#include "croton/type/dtype.hpp"

namespace croton::kernel {

enum class OpCode : uint8_t {
#define CROTON_OPCODE(name, arguments, typing) name##_,
#include "croton/kernel/opcodes.def"
};

enum class Typing : uint8_t { same, boolean, real, paired, chosen, select };

struct OpCodeInfo {
    std::string_view name;
    int arguments;  ///< -1: as many as the operand has axes
    Typing typing;
};
const OpCodeInfo& info(OpCode op);
/// From its name; nothing if unknown.
std::optional<OpCode> opcode_from_name(std::string_view name);
/// Whether the opcode takes arguments of this dtype (for select: its last two). False for the
/// sources, stores and conversions, whose dtypes follow rules of their own.
bool takes(OpCode op, DType dtype);
/// exp, sin, ... hypot: what takes a dozen instructions or more.
inline constexpr bool is_function(OpCode op) { return op >= OpCode::exp_ && op <= OpCode::hypot_; }
inline constexpr int opcode_count = 0
#define CROTON_OPCODE(name, arguments, typing) +1
#include "croton/kernel/opcodes.def"
    ;

/// Number of an SSA value: its place among all values of the kernel, in order of definition.
using ValueId = int32_t;

/// One scalar instruction. Stores define no value (`result` is -1).
struct Instruction {
    OpCode op;
    DType dtype;  ///< of the result; for stores, of the argument
    ValueId result = -1;
    SmallVector<ValueId, 3> arguments = {};
    int operand = -1;  ///< load, load_at, store, size
    int axis = -1;     ///< index, extent, size
    /// constant: integers and bool in `integer` (uint64 by bits), floats and complex in `number`.
    int64_t integer = 0;
    std::complex<double> number = 0;
    /// Numbers compare by their bits: 0.0 and -0.0 differ, a NaN equals itself.
    friend bool operator==(const Instruction& a, const Instruction& b);
};

/// How an accumulator folds values together. Max, Min propagate NaN; ArgMax, ArgMin give the int64
/// position (of the flattened reduced axes) of the first extreme, the first NaN winning.
enum class Combine : uint8_t { Sum, Prod, Max, Min, ArgMax, ArgMin, Any, All };
std::string_view combine_name(Combine combine);
std::optional<Combine> combine_from_name(std::string_view name);
/// Whether values of this dtype can be folded so. Without elements: Sum and Any 0, Prod and All 1,
/// Max the lowest and Min the highest value (infinities for floats), ArgMax and ArgMin 0.
bool takes(Combine combine, DType dtype);

/// One result of a reduce section. The order of summation is free.
struct Accumulator {
    Combine combine;
    ValueId value;   ///< folded at each inner index; of the section's body or earlier
    ValueId result;  ///< visible to later sections
    DType dtype;  ///< of the result: the value's, or int64 for ArgMax and ArgMin, bool for Any, All
    friend bool operator==(const Accumulator&, const Accumulator&) = default;
};

/// Folds a value over all outer indices, at each inner index (in an Outer section: in all). The
/// result is written when the last outer index is done: no section sees it. The order is free.
struct Across {
    Combine combine;  ///< all but ArgMax and ArgMin
    ValueId value;
    int operand;  ///< Out, broadcast along the outer axes (in an Outer section along all axes)
    friend bool operator==(const Across&, const Across&) = default;
};

/// A value that a loop section hands from one inner index to the next.
struct Carried {
    ValueId initial;  ///< what it begins as: of an Outer section
    ValueId current;  ///< what the body finds
    ValueId next;     ///< what the body makes of it
    ValueId result;   ///< what it ends as; visible to later sections
    DType dtype;
    friend bool operator==(const Carried&, const Carried&) = default;
};

enum class SectionKind : uint8_t {
    Outer,   ///< once per outer index; its values are visible to all later sections
    Map,     ///< once per inner index; later inner sections find its values at the same index
    Reduce,  ///< the same, and then the accumulators are folded
    Loop,    ///< once per inner index, in order; the only inner section of its kernel
};

struct Section {
    SectionKind kind;
    std::vector<Instruction> body;
    std::vector<Accumulator> accumulators = {};  ///< Reduce only
    std::vector<Carried> carried = {};           ///< Loop only
    std::vector<Across> across = {};             ///< not in Loop
    friend bool operator==(const Section&, const Section&) = default;
};

enum class OperandKind : uint8_t {
    In,     ///< read at the current index; strides per kernel axis come with each launch (0:
            ///< broadcast)
    Out,    ///< written at the current index, in an inner section or (not depending on inner axes)
            ///< in Outer; or at the end, by an Across
    Table,  ///< read at computed positions, with its own rank, sizes and strides
};

struct Operand {
    OperandKind kind;
    DType dtype;   ///< as stored in memory, float16 and bfloat16 included
    int rank = 0;  ///< Table: own rank; In and Out: ignored (the kernel's)
    /// In, Out: bit i is set if the operand certainly has stride 0 along kernel axis i.
    uint64_t broadcast_axes = 0;
    std::string name;
    friend bool operator==(const Operand&, const Operand&) = default;
};

/// `rank` loops: axes 0..outer-1 are the outer index, the rest the inner one. For each outer index
/// the sections run in order. A value of a Map or Reduce section that a later one uses is kept for
/// each inner index: working memory as long as a row, in place of computing the value again. An Out
/// operand is written at most once at each position; a launch may give an In and an Out operand the
/// same memory if their strides are equal (in-place).
/// How elements that reductions fold lie in memory: side by side, in rows that are not short, or
/// next to those of other outer indices.
enum class Folding : uint8_t { Unknown, Rows, Columns };

struct Kernel {
    std::string name;
    int rank = 0;
    int outer = 0;
    std::vector<Operand> operands;
    std::vector<Section> sections;
    int values = 0;           ///< how many SSA values there are
    std::vector<Site> sites;  ///< the user's lines that this kernel computes (not part of equality)
    Folding folding = Folding::Unknown;  ///< a guess, not part of equality
    bool operator==(const Kernel& other) const;
};

/// Text form; parse(print(k)) == k.
std::string print(const Kernel& kernel);
/// Value error with line and column. The result has the form of a kernel, no more: see verify.
Kernel parse(std::string_view text);
/// Internal error naming the first broken rule: each value defined once before its use and visible
/// there (Outer sections see no value of inner ones but folds), dtypes as the opcode demands,
/// operands and axes in range, one store for each output.
void verify(const Kernel& kernel);

/// Whether each value, by id, is kept for every inner index: defined in one inner section and used
/// in another.
std::vector<bool> kept_values(const Kernel& kernel);
/// Whether elements of each operand are read: some are asked for their sizes alone.
std::vector<bool> loaded_operands(const Kernel& kernel);
/// dtype of every value, by id.
std::vector<DType> value_dtypes(const Kernel& kernel);
/// The loop section of a kernel that has one, or null.
const Section* loop_section(const Kernel& kernel);
/// Whether the kernel folds values over its outer indices.
bool folds_across(const Kernel& kernel);
/// Whether a launch may be cut along axis 0: it is an outer axis (and nothing is folded across it),
/// or the kernel is one Map section.
bool can_split(const Kernel& kernel);
/// Whether operands `in` and `out` may be given the same memory (with equal strides): they have one
/// dtype, and what is loaded from `in` is loaded before `out` overwrites it.
bool can_share(const Kernel& kernel, int in, int out);

/// Tells launches that take long whether to go on.
class Stop {
  public:
    virtual ~Stop() = default;
    /// Asked by loop sections every some ten microseconds, by each thread that runs a part of the
    /// launch.
    virtual bool asked() = 0;
};

/// What a launch hands over. Strides are in bytes.
struct Launch {
    const int64_t* extents;         ///< [rank]
    void* const* pointers;          ///< [operands]; first element
    const int64_t* const* strides;  ///< [operands][rank], for tables [operands][table rank]
    const int64_t* const* sizes;    ///< [operands][table rank]; unused (may be null) for In and Out
    Stop* stop = nullptr;           ///< null: nobody stops it
};

/// A position along an axis at which load_at gives zero without a fault: what a kernel says when it
/// wants no element of a table that may be empty.
inline constexpr int64_t nowhere = std::numeric_limits<int64_t>::min();

/// What went wrong. Set by load_at out of bounds (the load then gives zero), first failure only,
/// and by loops that were told to stop: not all outputs are written then.
struct Fault {
    int operand = -1;  ///< -1: no load was out of bounds
    int axis = 0;
    int64_t index = 0;
    int64_t size = 0;
    bool stopped = false;
    bool any() const { return operand >= 0 || stopped; }
};

/// Runs the kernel scalar by scalar: the definition of what every back end must compute. Sums and
/// products of float16, bfloat16 and float32 are accumulated in float64. If the kernel can be
/// split, `begin` and `end` limit axis 0 (end -1: all of it); else they are ignored.
Fault interpret(const Kernel& kernel, const Launch& launch, int64_t begin = 0, int64_t end = -1);

}  // namespace croton::kernel
