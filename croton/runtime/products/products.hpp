#pragma once
// Products of two matrices of float32 or float64, wherever their elements lie.
#include <cstdint>
#include <memory>

namespace croton::runtime {

/// A matrix by strides, which count elements and may be anything.
template <class T>
struct MatrixView {
    const T* data;
    int64_t rows, columns;
    int64_t row, column;  ///< from one row to the next, from one column to the next
    MatrixView transposed() const { return {data, columns, rows, column, row}; }
};

/// The right operand of many products to come, arranged once for all of them. Holds a copy: later
/// changes of b are not seen.
template <class T>
class PackedMatrix {
  public:
    explicit PackedMatrix(const MatrixView<T>& b);
    /// Strips of the columns, block by block of the rows; null if such a b is never packed.
    const T* strips() const { return static_cast<const T*>(memory_.get()); }
    int64_t bytes() const { return bytes_; }

  private:
    std::shared_ptr<void> memory_;
    int64_t bytes_ = 0;
};

/// Operands of a product that come packed as well. Few columns are made as the transposed product,
/// whose right operand is the transposed a.
template <class T>
struct PackedOperands {
    const PackedMatrix<T>* b = nullptr;
    const PackedMatrix<T>* a_transposed = nullptr;
};

/// Which of them a product by rows would read, and whether it gains at least 5 % by it: else that
/// is not worth the memory.
struct Packable {
    enum { neither, b, a_transposed } operand = neither;
    bool pays = false;
};
template <class T>
Packable packable(const MatrixView<T>& a, const MatrixView<T>& b);

/// Told of blocks of a result whose elements are final, each element once, while they lie in a near
/// cache: what is to be done to them is done at once. Several threads call it, on blocks of their
/// own.
class Finish {
  public:
    virtual void block(int64_t row, int64_t rows, int64_t column, int64_t columns) const = 0;

  protected:
    ~Finish() = default;
};

/// Whom to tell, where rows of the result are numbered from `first_row` on. Null: nobody.
struct Finishing {
    const Finish* finish = nullptr;
    int64_t first_row = 0;
};

/// Whether a product by rows of such sizes has read all of a before it writes.
template <class T>
bool reads_left_first(const MatrixView<T>& a, const MatrixView<T>& b);

/// c = alpha * a @ b + beta * c; c is not read where beta is 0. c[i, j] lies at i * row + j *
/// column and shares no memory with b. It may lie over a if beta is 0: a is copied unless
/// reads_left_first(). The result does not depend on the number of threads:
/// it is cut along its own axes only, nor on whether operands come packed as well.
template <class T>
void multiply(const MatrixView<T>& a, const MatrixView<T>& b, T alpha, T beta, T* c, int64_t row,
              int64_t column, PackedOperands<T> packed = {}, Finishing finishing = {});

/// What a thread keeps for panels and strips from one product to the next, for all programs: a
/// million elements for those that it calls for (two, where they lie by no lines), and some hundred
/// KiB for those that it helps with.
int64_t scratch_bytes();
/// Gives back the calling thread's.
void release_scratch();

extern template class PackedMatrix<float>;
extern template class PackedMatrix<double>;
extern template Packable packable(const MatrixView<float>&, const MatrixView<float>&);
extern template Packable packable(const MatrixView<double>&, const MatrixView<double>&);
extern template bool reads_left_first(const MatrixView<float>&, const MatrixView<float>&);
extern template bool reads_left_first(const MatrixView<double>&, const MatrixView<double>&);
extern template void multiply(const MatrixView<float>&, const MatrixView<float>&, float, float,
                              float*, int64_t, int64_t, PackedOperands<float>, Finishing);
extern template void multiply(const MatrixView<double>&, const MatrixView<double>&, double, double,
                              double*, int64_t, int64_t, PackedOperands<double>, Finishing);

}  // namespace croton::runtime
