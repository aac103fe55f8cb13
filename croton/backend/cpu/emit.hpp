#pragma once
// Kernels to LLVM IR. Vectors are written directly: a section's body is emitted once for a whole
// vector of lanes and once for what is left over, so that little code has to be generated.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <functional>
#include <string>

#include "croton/backend/cpu/jit.hpp"

namespace croton::cpu {

/// Own vector maths: scalar straight-line functions, widened while they are inlined.
class Maths {
  public:
    /// `library` is asked for the functions when the first one is called for; if it gives null,
    /// none is known.
    explicit Maths(std::function<llvm::Module*()> library) : library_(std::move(library)) {}
    /// Result of croton_<name>_<f32|f64> on all lanes of the arguments, or null if there is no such
    /// function in a form that can be widened.
    llvm::Value* call(llvm::IRBuilder<>& b, const std::string& name,
                      llvm::ArrayRef<llvm::Value*> arguments);

  private:
    llvm::Value* widen(llvm::IRBuilder<>& b, llvm::Function& function,
                       llvm::ArrayRef<llvm::Value*> arguments);
    std::function<llvm::Module*()> library_;
};

/// The value of one of two pieces of code, by a branch.
llvm::Value* either(llvm::IRBuilder<>& b, llvm::Value* condition,
                    llvm::function_ref<llvm::Value*()> yes, llvm::function_ref<llvm::Value*()> no);

/// A value in all lanes; complex numbers have a second part.
struct Lanes {
    llvm::Value* re = nullptr;
    llvm::Value* im = nullptr;
};

/// The opcodes that compute: from lanes to lanes, for vectors of any width (1: plain scalars).
class Scalars {
  public:
    Scalars(llvm::IRBuilder<>& b, const Level& level, Maths& maths)
        : b_(b), level_(level), maths_(maths) {}

    void set_width(unsigned width) { width_ = width; }
    unsigned width() const { return width_; }

    llvm::Type* scalar_type(DType dtype) const;  ///< of a part, for complex dtypes
    llvm::Type* type(DType dtype) const { return widened(scalar_type(dtype)); }
    llvm::Type* widened(llvm::Type* scalar) const;
    llvm::Value* splat(llvm::Value* scalar);
    llvm::Value* iota();  ///< 0, 1, 2, ... as int64
    Lanes constant(DType dtype, std::complex<double> number, int64_t integer);
    llvm::Value* number(DType dtype, double value);

    Lanes cast(Lanes x, DType from, DType to);
    Lanes bitcast(Lanes x, DType from, DType to);
    /// Any opcode but sources, stores and conversions; `dtype` is that of the arguments.
    Lanes compute(kernel::OpCode op, DType dtype, llvm::ArrayRef<Lanes> arguments);
    Lanes select(llvm::Value* condition, Lanes x, Lanes y);

    /// From and to the form in memory: bool is a byte, float16 and bfloat16 are two.
    llvm::Type* memory_type(DType dtype) const;
    llvm::Value* from_memory(DType dtype, llvm::Value* stored);
    llvm::Value* to_memory(DType dtype, llvm::Value* value);

    Lanes identity(kernel::Combine combine, DType state);
    Lanes combine(kernel::Combine combine, DType state, Lanes total, Lanes next);
    struct Extreme {
        llvm::Value *value, *position;
    };
    Extreme better(kernel::Combine combine, DType state, Extreme best, Extreme next);

    /// In code between these two, of eight vectors that a value of float64 has so many take their
    /// quotients from the multipliers (quotients.hpp). Whether their bits are right is said then.
    void share_quotients(int of_eight);
    llvm::Value* quotients_hold();

  private:
    llvm::Value* integer(kernel::OpCode op, DType dtype, llvm::ArrayRef<Lanes> a);
    llvm::Value* floating(kernel::OpCode op, DType dtype, llvm::ArrayRef<Lanes> a);
    llvm::Value* boolean(kernel::OpCode op, llvm::ArrayRef<Lanes> a);
    Lanes complex(kernel::OpCode op, DType dtype, llvm::ArrayRef<Lanes> a);
    llvm::Value* compare(kernel::OpCode op, DType dtype, llvm::Value* x, llvm::Value* y);
    llvm::Value* extreme(bool largest, DType dtype, llvm::Value* x, llvm::Value* y);
    llvm::Value* divide(kernel::OpCode op, DType dtype, llvm::Value* x, llvm::Value* y);
    llvm::Value* shift(kernel::OpCode op, DType dtype, llvm::Value* x, llvm::Value* count);
    llvm::Value* sign(DType dtype, llvm::Value* x);
    llvm::Value* round(kernel::OpCode op, DType dtype, llvm::Value* x);
    llvm::Value* function(kernel::OpCode op, DType dtype, llvm::ArrayRef<Lanes> a);
    llvm::Value* whole_quotient(kernel::OpCode op, DType dtype, llvm::Value* x, llvm::Value* y);
    llvm::Value* near_quotient(kernel::OpCode op, DType dtype, llvm::Value* x, llvm::Value* y);
    llvm::Value* shared_quotient(llvm::Value* x, llvm::Value* y);
    llvm::Value* quotient_of_products(llvm::Value* a, llvm::Value* b);
    void note_range(llvm::Value* a, llvm::Value* b);
    llvm::Value* per_lane(const std::string& helper, llvm::Type* result,
                          llvm::ArrayRef<llvm::Value*> arguments);
    Lanes complex_helper(const std::string& helper, DType dtype, llvm::ArrayRef<Lanes> a);
    llvm::Value* float_to_integer(llvm::Value* x, DType to);
    llvm::Value* half_of_product(llvm::Value* x, llvm::Type* target);
    llvm::Value* half_to_float(llvm::Value* bits);
    llvm::Value* float_to_half(llvm::Value* value);
    llvm::Value* float_to_bhalf(llvm::Value* value);
    llvm::Value* bits_of(llvm::Value* x, DType dtype);
    llvm::Value* integers(DType dtype, int64_t value);

    llvm::IRBuilder<>& b_;
    const Level& level_;
    Maths& maths_;
    unsigned width_ = 1;
    int shared_ = 0;                  ///< of eight vectors: quotients by products
    unsigned quotients_ = 0;          ///< so far
    llvm::Value* outside_ = nullptr;  ///< bits of exponents that are out of their range
    llvm::Value* digits_ = nullptr;   ///< whether divisors' digits are far from all ones
};

/// Adds functions to the module that together hold all sections of these kernels, and says where
/// each kernel went.
std::vector<Placement> emit_kernels(llvm::Module& module, std::span<const Source> sources,
                                    const Level& level, Maths& maths);

}  // namespace croton::cpu
