#pragma once
// Matrix products: OpenBLAS for floating and complex dtypes, a plain loop for the others.
#include "croton/graph/op.hpp"

namespace croton::runtime {

/// out = alpha * a @ b + beta * c, batched over leading axes with NumPy's broadcasting. All
/// operands have out's dtype. `c` may be null (beta is 0 then) or equal to out in memory. Strides
/// are free; operands that BLAS cannot read in place are packed. Shapes were checked before.
void matmul(const TensorRef& a, const TensorRef& b, const TensorRef* c, double alpha, double beta,
            const TensorRef& out);

}  // namespace croton::runtime
