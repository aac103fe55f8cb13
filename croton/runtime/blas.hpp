#pragma once
// Matrix products: own tiles for float32 and float64 (and the 16-bit floats), OpenBLAS for complex
// dtypes, a plain loop for the others.
#include <variant>

#include "croton/graph/op.hpp"
#include "croton/runtime/products/products.hpp"

namespace croton::runtime {

/// The operand that packable() names of a product that is done again and again, arranged once. Of
/// matrices of float32 and float64; of others nothing is kept.
class PackedOperand {
  public:
    PackedOperand(const TensorRef& operand, bool left);
    template <class T>
    PackedOperands<T> of() const {
        auto found = std::get_if<PackedMatrix<T>>(&matrix_);
        if (!found) return {};
        return left_ ? PackedOperands<T>{nullptr, found} : PackedOperands<T>{found, nullptr};
    }
    int64_t bytes() const;

  private:
    std::variant<std::monostate, PackedMatrix<float>, PackedMatrix<double>> matrix_;
    bool left_;
};

/// The same for whole arrays; neither of them where a batch is not one tall product.
Packable packable(const TensorRef& a, const TensorRef& b, const TensorRef& out);
/// Whether all of a has been read when the first element of out is written.
bool reads_left_first(const TensorRef& a, const TensorRef& b, const TensorRef& out);

/// out = alpha * a @ b + beta * c, batched over leading axes with NumPy's broadcasting. All
/// operands have out's dtype. `c` may be null (beta is 0 then) or equal to out in memory. Strides
/// are free; operands that BLAS cannot read in place are packed. Shapes were checked before.
/// `packed`, if given, was made of the same operand. `finish` is told of each block of the result
/// that is final, rows of all matrices numbered through; for float32 and float64 only.
void matmul(const TensorRef& a, const TensorRef& b, const TensorRef* c, double alpha, double beta,
            const TensorRef& out, const PackedOperand* packed = nullptr,
            const Finish* finish = nullptr);

}  // namespace croton::runtime
