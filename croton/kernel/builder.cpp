#include "croton/kernel/builder.hpp"

#include <cstring>

#include "croton/base/error.hpp"
#include "croton/base/hash.hpp"

namespace croton::kernel {

namespace {
constexpr OpCodeInfo infos[] = {
#define CROTON_OPCODE(name, arguments, typing) {#name, arguments, Typing::typing},
#include "croton/kernel/opcodes.def"
};

uint64_t hash_of(const Instruction& i) {
    uint64_t hash = hash_combine(static_cast<uint64_t>(i.op), static_cast<uint64_t>(i.dtype));
    for (ValueId argument : i.arguments) hash = hash_combine(hash, static_cast<uint64_t>(argument));
    hash =
        hash_combine(hash, static_cast<uint64_t>(i.operand) * 64 + static_cast<uint64_t>(i.axis));
    hash = hash_combine(hash, static_cast<uint64_t>(i.integer));
    return hash_combine(hash, hash_bytes(&i.number, sizeof i.number));
}

// Same instruction but for the result; constants by bits, so that 0.0 and -0.0 and NaNs stay apart.
bool same(const Instruction& a, const Instruction& b) {
    return a.op == b.op && a.dtype == b.dtype && a.arguments == b.arguments &&
           a.operand == b.operand && a.axis == b.axis && a.integer == b.integer &&
           // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bits are what is asked for
           std::memcmp(&a.number, &b.number, sizeof a.number) == 0;
}
}  // namespace

bool operator==(const Instruction& a, const Instruction& b) {
    return a.result == b.result && same(a, b);
}

std::optional<OpCode> opcode_from_name(std::string_view name) {
    for (int op = 0; op < opcode_count; ++op)
        if (infos[op].name == name) return static_cast<OpCode>(op);
    return {};
}

const OpCodeInfo& info(OpCode op) { return infos[static_cast<size_t>(op)]; }

bool Kernel::operator==(const Kernel& other) const {
    return name == other.name && rank == other.rank && outer == other.outer &&
           operands == other.operands && sections == other.sections && values == other.values;
}

std::string_view combine_name(Combine combine) {
    switch (combine) {
        case Combine::Sum: return "sum";
        case Combine::Prod: return "prod";
        case Combine::Max: return "max";
        case Combine::Min: return "min";
        case Combine::ArgMax: return "argmax";
        case Combine::ArgMin: return "argmin";
        case Combine::Any: return "any";
        case Combine::All: return "all";
    }
    return "?";
}

std::optional<Combine> combine_from_name(std::string_view name) {
    for (int combine = 0; combine <= static_cast<int>(Combine::All); ++combine)
        if (combine_name(static_cast<Combine>(combine)) == name)
            return static_cast<Combine>(combine);
    return {};
}

Builder::Builder(std::string name, int rank, int outer) {
    kernel_.name = std::move(name);
    kernel_.rank = rank;
    kernel_.outer = outer;
}

int Builder::input(std::string name, DType dtype, uint64_t broadcast_axes) {
    kernel_.operands.push_back({OperandKind::In, dtype, 0, broadcast_axes, std::move(name)});
    return static_cast<int>(kernel_.operands.size()) - 1;
}

int Builder::output(std::string name, DType dtype, uint64_t broadcast_axes) {
    kernel_.operands.push_back({OperandKind::Out, dtype, 0, broadcast_axes, std::move(name)});
    return static_cast<int>(kernel_.operands.size()) - 1;
}

int Builder::table(std::string name, DType dtype, int rank) {
    kernel_.operands.push_back({OperandKind::Table, dtype, rank, 0, std::move(name)});
    return static_cast<int>(kernel_.operands.size()) - 1;
}

void Builder::begin(SectionKind kind) {
    kernel_.sections.push_back({kind, {}});
    inner_seen_.clear();
}

Kernel Builder::finish() {
    kernel_.values = static_cast<int>(dtypes_.size());
    return std::move(kernel_);
}

Scalar Builder::append(Instruction instruction) {
    CROTON_ASSERT(!kernel_.sections.empty());
    bool outer = section().kind == SectionKind::Outer;
    uint64_t hash = hash_of(instruction);
    for (auto* seen : {&outer_seen_, &inner_seen_}) {
        auto [first, last] = seen->equal_range(hash);
        for (; first != last; ++first)
            if (same(first->second, instruction)) return {this, first->second.result};
    }
    instruction.result = static_cast<ValueId>(dtypes_.size());
    dtypes_.push_back(instruction.dtype);
    section().body.push_back(instruction);
    (outer ? outer_seen_ : inner_seen_).emplace(hash, instruction);
    return {this, instruction.result};
}

Scalar Builder::load(int operand) {
    Instruction i{OpCode::load_,
                  compute_dtype(kernel_.operands[static_cast<size_t>(operand)].dtype)};
    i.operand = operand;
    return append(i);
}

Scalar Builder::load_at(int operand, std::span<const Scalar> position) {
    Instruction i{OpCode::load_at_,
                  compute_dtype(kernel_.operands[static_cast<size_t>(operand)].dtype)};
    i.operand = operand;
    for (Scalar place : position) i.arguments.push_back(place.id);
    return append(i);
}

void Builder::store(int operand, Scalar value) {
    DType stored = compute_dtype(kernel_.operands[static_cast<size_t>(operand)].dtype);
    Scalar converted = cast(value, stored);
    Instruction i{OpCode::store_, stored};
    i.operand = operand;
    i.arguments.push_back(converted.id);
    section().body.push_back(i);
}

Scalar Builder::accumulate(Combine combine, Scalar value) {
    CROTON_ASSERT(section().kind == SectionKind::Reduce);
    DType dtype = value.dtype();
    if (combine == Combine::ArgMax || combine == Combine::ArgMin) dtype = DType::Int64;
    if (combine == Combine::Any || combine == Combine::All) {
        value = cast(value, DType::Bool);
        dtype = DType::Bool;
    }
    for (const auto& known : section().accumulators)
        if (known.combine == combine && known.value == value.id) return {this, known.result};
    auto result = static_cast<ValueId>(dtypes_.size());
    dtypes_.push_back(dtype);
    section().accumulators.push_back({combine, value.id, result, dtype});
    return {this, result};
}

void Builder::across(Combine combine, Scalar value, int output) {
    Scalar stored = cast(value, kernel_.operands[static_cast<size_t>(output)].dtype);
    section().across.push_back({combine, stored.id, output});
}

Scalar Builder::carry(Scalar initial) {
    CROTON_ASSERT(section().kind == SectionKind::Loop);
    auto current = static_cast<ValueId>(dtypes_.size());
    dtypes_.push_back(initial.dtype());
    section().carried.push_back({initial.id, current, -1, -1, initial.dtype()});
    return {this, current};
}

Scalar Builder::advance(Scalar current, Scalar next) {
    for (Carried& carried : section().carried) {
        if (carried.current != current.id) continue;
        carried.next = next.id;
        carried.result = static_cast<ValueId>(dtypes_.size());
        dtypes_.push_back(carried.dtype);
        return {this, carried.result};
    }
    fail(ErrorKind::Internal, "%", current.id, " is not carried by this section");
}

Scalar Builder::index(int axis) {
    Instruction i{OpCode::index_, DType::Int64};
    i.axis = axis;
    return append(i);
}

Scalar Builder::extent(int axis) {
    Instruction i{OpCode::extent_, DType::Int64};
    i.axis = axis;
    return append(i);
}

Scalar Builder::size(int table, int axis) {
    Instruction i{OpCode::size_, DType::Int64};
    i.operand = table;
    i.axis = axis;
    return append(i);
}

Scalar Builder::constant(DType dtype, double value) {
    dtype = compute_dtype(dtype);
    if (!is_continuous(dtype)) return constant(dtype, static_cast<int64_t>(value));
    Instruction i{OpCode::constant_, dtype};
    i.number = value;
    return append(i);
}

Scalar Builder::constant(DType dtype, std::complex<double> value) {
    if (!is_complex(dtype)) return constant(dtype, value.real());
    Instruction i{OpCode::constant_, dtype};
    i.number = value;
    return append(i);
}

Scalar Builder::constant(DType dtype, int64_t value) {
    dtype = compute_dtype(dtype);
    if (is_continuous(dtype)) return constant(dtype, static_cast<double>(value));
    Instruction i{OpCode::constant_, dtype};
    i.integer = is_bool(dtype) ? value != 0 : value;
    return append(i);
}

Scalar Builder::constant(DType dtype, uint64_t value) {
    if (is_continuous(compute_dtype(dtype))) return constant(dtype, static_cast<double>(value));
    return constant(dtype, static_cast<int64_t>(value));
}

Scalar Builder::cast(Scalar x, DType dtype) {
    dtype = compute_dtype(dtype);
    if (x.dtype() == dtype) return x;
    Instruction i{OpCode::cast_, dtype};
    i.arguments.push_back(x.id);
    return append(i);
}

Scalar Builder::bitcast(Scalar x, DType dtype) {
    if (x.dtype() == dtype) return x;
    Instruction i{OpCode::bitcast_, dtype};
    i.arguments.push_back(x.id);
    return append(i);
}

Scalar Builder::emit(OpCode op, std::span<const Scalar> arguments) {
    const auto& about = info(op);
    CROTON_ASSERT(about.arguments == static_cast<int>(arguments.size()));
    DType first = arguments[about.typing == Typing::select ? 1 : 0].dtype();
    DType dtype = first;
    if (about.typing == Typing::boolean) dtype = DType::Bool;
    if (about.typing == Typing::real) dtype = real_dtype(first);
    if (about.typing == Typing::paired) dtype = complex_dtype(first);
    Instruction i{op, dtype};
    for (Scalar argument : arguments) i.arguments.push_back(argument.id);
    return append(i);
}

}  // namespace croton::kernel
