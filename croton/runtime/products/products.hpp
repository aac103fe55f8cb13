#pragma once
// Products of two matrices of float32 or float64, wherever their elements lie.
#include <cstdint>

namespace croton::runtime {

/// A matrix by strides, which count elements and may be anything.
template <class T>
struct MatrixView {
    const T* data;
    int64_t rows, columns;
    int64_t row, column;  ///< from one row to the next, from one column to the next
    MatrixView transposed() const { return {data, columns, rows, column, row}; }
};

/// c = alpha * a @ b + beta * c; c is not read where beta is 0. c[i, j] lies at i * row + j *
/// column and shares no memory with a and b. The result does not depend on the number of threads:
/// it is cut along its own axes only.
template <class T>
void multiply(const MatrixView<T>& a, const MatrixView<T>& b, T alpha, T beta, T* c, int64_t row,
              int64_t column);

extern template void multiply(const MatrixView<float>&, const MatrixView<float>&, float, float,
                              float*, int64_t, int64_t);
extern template void multiply(const MatrixView<double>&, const MatrixView<double>&, double, double,
                              double*, int64_t, int64_t);

}  // namespace croton::runtime
