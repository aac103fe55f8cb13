#pragma once
// Writes kernels. Scalar recipes of ops and the fusion pass both go through this class.
#include <span>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "croton/kernel/kernel.hpp"

namespace croton::kernel {

class Builder;

/// A value under construction; arithmetic on it appends instructions to its builder.
struct Scalar {
    Builder* builder = nullptr;
    ValueId id = -1;
    DType dtype() const;
};

/// Instructions that were already emitted in a visible place are reused (local value numbering),
/// and arithmetic on constants is left to the rewrites. Usage:
///     Builder b("axpy", 1, 0);
///     int x = b.input("x", DType::Float32), y = b.output("y", DType::Float32);
///     b.begin(SectionKind::Map);
///     b.store(y, b.load(x) * 2.0);
///     Kernel k = b.finish();
class Builder {
  public:
    Builder(std::string name, int rank, int outer);

    int input(std::string name, DType dtype, uint64_t broadcast_axes = 0);
    int output(std::string name, DType dtype, uint64_t broadcast_axes = 0);
    int table(std::string name, DType dtype, int rank);

    /// Starts the next section; values of a finished Map or Reduce body are out of reach from here.
    void begin(SectionKind kind);
    Kernel finish();

    Scalar load(int operand);
    Scalar load_at(int operand, std::span<const Scalar> position);
    void store(int operand, Scalar value);
    /// Folds `value` over the inner axes of the current Reduce section; usable after it ends.
    Scalar accumulate(Combine combine, Scalar value);
    /// Folds `value` over the outer indices into an output that is broadcast along them.
    void across(Combine combine, Scalar value, int output);
    /// In a Loop section: a value that begins as `initial` (of an Outer section), and what it is at
    /// the current index. advance() says what it becomes, once each, when the body is written.
    Scalar carry(Scalar initial);
    /// What it is after the last index; usable after the section ends.
    Scalar advance(Scalar current, Scalar next);
    Scalar index(int axis);
    Scalar extent(int axis);
    Scalar size(int table, int axis);

    /// A constant of the given dtype (float16 and bfloat16 become float32).
    Scalar constant(DType dtype, double value);
    Scalar constant(DType dtype, int64_t value);
    Scalar constant(DType dtype, uint64_t value);
    Scalar constant(DType dtype, int value) { return constant(dtype, static_cast<int64_t>(value)); }
    Scalar constant(DType dtype, std::complex<double> value);
    /// A constant with the dtype of `like`.
    template <class Number>
    Scalar like(Scalar like, Number value) {
        return constant(like.dtype(), value);
    }

    Scalar cast(Scalar x, DType dtype);
    Scalar bitcast(Scalar x, DType dtype);
    /// Any opcode whose result dtype follows from its arguments.
    Scalar emit(OpCode op, std::span<const Scalar> arguments);
    Scalar emit(OpCode op, std::initializer_list<Scalar> arguments) {
        return emit(op, std::span(arguments.begin(), arguments.size()));
    }
    /// The functions of opcodes.def by name: b.tanh(x), b.maximum(x, y), ...
#define CROTON_OPCODE(name, arguments, typing) CROTON_BUILDER_##typing(name, arguments)
#define CROTON_BUILDER_1(name) \
    Scalar name(Scalar x) { return emit(OpCode::name##_, {x}); }
#define CROTON_BUILDER_2(name) \
    Scalar name(Scalar x, Scalar y) { return emit(OpCode::name##_, {x, y}); }
#define CROTON_BUILDER_same(name, arguments) CROTON_BUILDER_##arguments(name)
#define CROTON_BUILDER_boolean(name, arguments) CROTON_BUILDER_##arguments(name)
#define CROTON_BUILDER_real(name, arguments) CROTON_BUILDER_##arguments(name)
#define CROTON_BUILDER_paired(name, arguments) CROTON_BUILDER_##arguments(name)
#define CROTON_BUILDER_chosen(name, arguments)
#define CROTON_BUILDER_select(name, arguments) \
    Scalar name(Scalar c, Scalar x, Scalar y) { return emit(OpCode::name##_, {c, x, y}); }
#include "croton/kernel/opcodes.def"

    DType dtype_of(ValueId id) const { return dtypes_[static_cast<size_t>(id)]; }
    const Kernel& kernel() const { return kernel_; }

  private:
    Scalar append(Instruction instruction);
    Section& section() { return kernel_.sections.back(); }

    Kernel kernel_;
    std::vector<DType> dtypes_;
    // Local value numbering: hash of an instruction to the values that have it and are visible.
    std::unordered_multimap<uint64_t, Instruction> outer_seen_, inner_seen_;
};

inline DType Scalar::dtype() const { return builder->dtype_of(id); }
/// The dtype values of this dtype have inside kernels: float32 for the 16-bit floats.
inline DType compute_dtype(DType dtype) {
    return dtype == DType::Float16 || dtype == DType::BFloat16 ? DType::Float32 : dtype;
}

inline Scalar operator+(Scalar x, Scalar y) { return x.builder->add(x, y); }
inline Scalar operator-(Scalar x, Scalar y) { return x.builder->sub(x, y); }
inline Scalar operator*(Scalar x, Scalar y) { return x.builder->mul(x, y); }
inline Scalar operator/(Scalar x, Scalar y) { return x.builder->div(x, y); }
inline Scalar operator-(Scalar x) { return x.builder->neg(x); }
#define CROTON_SCALAR_WITH_NUMBER(op)                                     \
    template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>> \
    Scalar operator op(Scalar x, N y) {                                   \
        return x op x.builder->like(x, y);                                \
    }                                                                     \
    template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>> \
    Scalar operator op(N x, Scalar y) {                                   \
        return y.builder->like(y, x) op y;                                \
    }
CROTON_SCALAR_WITH_NUMBER(+)
CROTON_SCALAR_WITH_NUMBER(-)
CROTON_SCALAR_WITH_NUMBER(*)
CROTON_SCALAR_WITH_NUMBER(/)
#undef CROTON_SCALAR_WITH_NUMBER

}  // namespace croton::kernel
