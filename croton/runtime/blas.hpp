#pragma once
// Matrix products: own tiles for float32 and float64 (and the 16-bit floats), OpenBLAS for complex
// dtypes, a plain loop for the others.
#include "croton/graph/op.hpp"

namespace croton::runtime {

/// out = alpha * a @ b + beta * c, batched over leading axes with NumPy's broadcasting. All
/// operands have out's dtype. `c` may be null (beta is 0 then) or equal to out in memory. Strides
/// are free; operands that BLAS cannot read in place are packed. Shapes were checked before.
void matmul(const TensorRef& a, const TensorRef& b, const TensorRef* c, double alpha, double beta,
            const TensorRef& out);

}  // namespace croton::runtime
