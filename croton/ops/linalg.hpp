#pragma once
// Products of matrices with NumPy's rules about axes.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

// --- the two ops that libraries compute; rules are written with these

/// (..., m, k) by (..., k, n): leading axes broadcast, both operands have at least two axes.
Variable matrix_product(Arg a, Arg b);
/// beta * c + alpha * matrix_product(a, b); c has the product's sizes, alpha and beta are scalars.
Variable gemm(Arg a, Arg b, Arg c, Arg alpha, Arg beta);

// --- made of them

/// NumPy's dot: scalars multiply; otherwise the last axis of a is summed with the second last (or
/// only) axis of b, and the other axes of a come before those of b.
Variable dot(Arg a, Arg b);
/// NumPy's @: as matrix_product, and a vector stands for a row on the left, a column on the right.
Variable matmul(Arg a, Arg b);
/// Sums over pairs of axes; the other axes of a come before those of b.
Variable tensordot(Arg a, Arg b, Axes axes_a, Axes axes_b);
/// Over the last `count` axes of a and the first of b.
Variable tensordot(Arg a, Arg b, int count = 2);
/// All products of elements of a and elements of b (both flattened).
Variable outer(Arg a, Arg b);
/// dot of each a[i] with b[i]; vectors and matrices in any combination.
Variable batched_dot(Arg a, Arg b);
/// Sum of a diagonal of the first two axes.
Variable trace(Arg x, int64_t offset = 0);

}  // namespace croton
