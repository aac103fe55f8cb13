#include "croton/runtime/blas.hpp"

#include <optional>

#include "croton/runtime/threads.hpp"

// The few entry points that are used, declared here so that no BLAS header is needed.
extern "C" {
void cblas_cgemm(int, int, int, int, int, int, const void*, const void*, int, const void*, int,
                 const void*, void*, int);
void cblas_zgemm(int, int, int, int, int, int, const void*, const void*, int, const void*, int,
                 const void*, void*, int);
}

namespace croton::runtime {

namespace {
constexpr int row_major = 101, plain = 111, transposed = 112;

// A matrix as BLAS wants it: a leading dimension and maybe a transposition.
template <class T>
struct Operand {
    const T* data;
    int leading;
    int order;
};

struct Matrix {
    const std::byte* data;
    int64_t rows, columns, row_stride, column_stride;  // strides in bytes
};

Matrix matrix_of(const TensorRef& r, int64_t offset) {
    size_t rank = r.shape.size();
    return {static_cast<const std::byte*>(r.data) + offset, r.shape[rank - 2], r.shape[rank - 1],
            r.strides[rank - 2], r.strides[rank - 1]};
}

template <class T>
void pack(const Matrix& m, std::vector<T>& packed) {
    packed.resize(static_cast<size_t>(m.rows * m.columns));
    for (int64_t i = 0; i < m.rows; ++i)
        for (int64_t j = 0; j < m.columns; ++j)
            std::memcpy(&packed[static_cast<size_t>(i * m.columns + j)],
                        m.data + i * m.row_stride + j * m.column_stride, sizeof(T));
}

// Uses the matrix in place if one of its strides is one element, else packs it into `packed`.
template <class T>
Operand<T> operand(const Matrix& m, std::vector<T>& packed) {
    constexpr int64_t item = sizeof(T);
    auto data = reinterpret_cast<const T*>(m.data);
    auto fits = [](int64_t stride, int64_t length) {
        return stride % item == 0 && stride >= length * item && stride / item < INT32_MAX;
    };
    bool one_row = m.rows == 1, one_column = m.columns == 1;
    if ((m.column_stride == item || one_column) && (one_row || fits(m.row_stride, m.columns)))
        return {data, static_cast<int>(one_row ? m.columns : m.row_stride / item), plain};
    if ((m.row_stride == item || one_row) && (one_column || fits(m.column_stride, m.rows)))
        return {data, static_cast<int>(one_column ? m.rows : m.column_stride / item), transposed};
    pack(m, packed);
    return {packed.data(), static_cast<int>(m.columns), plain};
}

void gemm(int ta, int tb, int m, int n, int k, std::complex<float> alpha,
          const std::complex<float>* a, int lda, const std::complex<float>* b, int ldb,
          std::complex<float> beta, std::complex<float>* c, int ldc) {
    cblas_cgemm(row_major, ta, tb, m, n, k, &alpha, a, lda, b, ldb, &beta, c, ldc);
}
void gemm(int ta, int tb, int m, int n, int k, std::complex<double> alpha,
          const std::complex<double>* a, int lda, const std::complex<double>* b, int ldb,
          std::complex<double> beta, std::complex<double>* c, int ldc) {
    cblas_zgemm(row_major, ta, tb, m, n, k, &alpha, a, lda, b, ldb, &beta, c, ldc);
}

// Complex products are the library's; threads share their rows.
template <class T>
void library_product(const Matrix& a, const Matrix& b, T alpha, T beta, T* out) {
    int64_t m = a.rows, n = b.columns, k = a.columns;
    if (m == 0 || n == 0) return;
    if (k == 0) {
        for (int64_t i = 0; i < m * n; ++i) out[i] = beta == T(0) ? T(0) : out[i] * beta;
        return;
    }
    thread_local std::vector<T> packed_a, packed_b;
    auto x = operand<T>(a, packed_a);
    auto y = operand<T>(b, packed_b);
    constexpr int64_t enough = 1 << 18;  // multiply-adds worth waking a thread for
    parallel_for(m, enough / std::max<int64_t>(n * k, 1) + 1, [&](int64_t begin, int64_t end) {
        const T* first = x.data + (x.order == plain ? begin * x.leading : begin);
        gemm(x.order, y.order, static_cast<int>(end - begin), static_cast<int>(n),
             static_cast<int>(k), alpha, first, x.leading, y.data, y.leading, beta, out + begin * n,
             static_cast<int>(n));
    });
}

// Floats go to our own loops by strides, if they lie where floats may lie.
template <class T>
std::optional<MatrixView<T>> view_in_place(const Matrix& m) {
    constexpr int64_t item = sizeof(T);
    if (m.row_stride % item != 0 || m.column_stride % item != 0 ||
        reinterpret_cast<uintptr_t>(m.data) % alignof(T) != 0)
        return {};
    return MatrixView<T>{reinterpret_cast<const T*>(m.data), m.rows, m.columns, m.row_stride / item,
                         m.column_stride / item};
}
template <class T>
MatrixView<T> view_of(const Matrix& m, std::vector<T>& packed) {
    if (auto view = view_in_place<T>(m)) return *view;
    pack(m, packed);
    return {packed.data(), m.rows, m.columns, m.columns, 1};
}

template <class T>
void product(const Matrix& a, const Matrix& b, T alpha, T beta, T* out, const PackedOperand* packed,
             Finishing finishing) {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
        thread_local std::vector<T> packed_a, packed_b;
        multiply(view_of(a, packed_a), view_of(b, packed_b), alpha, beta, out, b.columns,
                 int64_t{1}, packed ? packed->of<T>() : PackedOperands<T>{}, finishing);
    } else {
        CROTON_ASSERT(!finishing.finish);
        library_product(a, b, alpha, beta, out);
    }
}

template <class T>
void plain_product(const Matrix& a, const Matrix& b, T* out) {
    for (int64_t i = 0; i < a.rows; ++i)
        for (int64_t j = 0; j < b.columns; ++j) {
            T sum{};
            for (int64_t p = 0; p < a.columns; ++p) {
                T x, y;
                std::memcpy(&x, a.data + i * a.row_stride + p * a.column_stride, sizeof x);
                std::memcpy(&y, b.data + p * b.row_stride + j * b.column_stride, sizeof y);
                if constexpr (std::is_same_v<T, bool>)
                    sum = sum || (x && y);
                else if constexpr (std::is_integral_v<T>)
                    sum = static_cast<T>(static_cast<uint64_t>(sum) +
                                         static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
                else
                    sum += x * y;
            }
            out[i * b.columns + j] = sum;
        }
}

Array array_of(const TensorRef& r) {
    return Array::view(r.dtype, r.shape, r.strides, r.data, nullptr);
}

// The 16-bit floats are stored only: multiply in float32.
void half_matmul(const TensorRef& a, const TensorRef& b, const TensorRef* c, double alpha,
                 double beta, const TensorRef& out) {
    Array x = array_of(a).cast(DType::Float32), y = array_of(b).cast(DType::Float32);
    Array z = c ? array_of(*c).cast(DType::Float32) : Array::empty(DType::Float32, out.shape);
    TensorRef wide = ref(z);
    matmul(ref(x), ref(y), c ? &wide : nullptr, alpha, beta, wide);
    array_of(out).assign(z);
}

// Byte offset of batch `index` in an operand whose leading axes broadcast to those of the output.
int64_t batch_offset(const TensorRef& r, const Sizes& batch, int64_t index) {
    int64_t offset = 0;
    size_t own = r.shape.size() - 2, shift = batch.size() - own;
    for (size_t axis = batch.size(); axis-- > 0;) {
        int64_t position = index % batch[axis];
        index /= batch[axis];
        if (axis >= shift && r.shape[axis - shift] != 1)
            offset += position * r.strides[axis - shift];
    }
    return offset;
}

// A batch of a's matrices times one b is one tall matrix times b, if a's rows follow one another.
bool stacks(const TensorRef& a, const TensorRef& b) {
    size_t rank = a.shape.size();
    if (rank < 3 || b.shape.size() > rank) return false;
    for (size_t axis = 0; axis + 2 < b.shape.size(); ++axis)
        if (b.shape[axis] != 1) return false;
    for (size_t axis = 0; axis + 2 < rank; ++axis)
        if (a.strides[axis] != a.strides[axis + 1] * a.shape[axis + 1]) return false;
    return true;
}
Matrix stacked(const TensorRef& a) {
    Matrix m = matrix_of(a, 0);
    for (size_t axis = 0; axis + 2 < a.shape.size(); ++axis) m.rows *= a.shape[axis];
    return m;
}

// Few large products are shared out one by one, many small ones by the batch.
void each_of_batch(int64_t count, int64_t work_each, const std::function<void(int64_t)>& one) {
    constexpr int64_t enough = 1 << 18;  // multiply-adds of a piece
    if (count == 1 || (count < 4 * thread_count() && work_each > 16 * enough)) {
        for (int64_t i = 0; i < count; ++i) one(i);
        return;
    }
    parallel_for(count, std::max<int64_t>(1, enough / std::max<int64_t>(work_each, 1)),
                 [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i) one(i);
                 });
}

void multiply_matrices(DType dtype, const Matrix& a, const Matrix& b, double alpha, double beta,
                       void* out, const PackedOperand* packed, Finishing finishing) {
    visit_dtype(dtype, [&](auto tag) {
        using T = decltype(tag);
        if constexpr (std::is_floating_point_v<T> || detail::is_complex_type<T>)
            product<T>(a, b, static_cast<T>(alpha), static_cast<T>(beta), static_cast<T*>(out),
                       packed, finishing);
        else if constexpr (!detail::is_half_type<T>)
            plain_product<T>(a, b, static_cast<T*>(out));
    });
}
}  // namespace

PackedOperand::PackedOperand(const TensorRef& operand, bool left) : left_(left) {
    auto keep = [&](auto tag) {
        using T = decltype(tag);
        auto view = view_in_place<T>(matrix_of(operand, 0));
        if (view) matrix_ = PackedMatrix<T>(left ? view->transposed() : *view);
    };
    if (operand.rank() != 2) return;
    if (operand.dtype == DType::Float32) keep(float());
    if (operand.dtype == DType::Float64) keep(double());
}

int64_t PackedOperand::bytes() const {
    if (auto found = std::get_if<PackedMatrix<float>>(&matrix_)) return found->bytes();
    auto found = std::get_if<PackedMatrix<double>>(&matrix_);
    return found ? found->bytes() : 0;
}

namespace {
// What ask(a, b) says of the two matrices, if it is one product of two that lie in place.
template <class Answer, class Ask>
Answer of_matrices(const TensorRef& a, const TensorRef& b, const TensorRef& out, const Ask& ask) {
    if (out.rank() != 2 && !(b.rank() == 2 && stacks(a, b))) return {};
    auto asked = [&](auto tag) -> Answer {
        using T = decltype(tag);
        auto x = view_in_place<T>(stacked(a)), y = view_in_place<T>(matrix_of(b, 0));
        return x && y ? ask(*x, *y) : Answer{};
    };
    if (out.dtype == DType::Float32) return asked(float());
    if (out.dtype == DType::Float64) return asked(double());
    return {};
}
}  // namespace

Packable packable(const TensorRef& a, const TensorRef& b, const TensorRef& out) {
    const auto found = of_matrices<Packable>(
        a, b, out, [](const auto& x, const auto& y) { return packable(x, y); });
    return out.rank() > 2 && found.operand == Packable::a_transposed ? Packable{} : found;
}

bool reads_left_first(const TensorRef& a, const TensorRef& b, const TensorRef& out) {
    return of_matrices<bool>(a, b, out,
                             [](const auto& x, const auto& y) { return reads_left_first(x, y); });
}

void matmul(const TensorRef& a, const TensorRef& b, const TensorRef* c, double alpha, double beta,
            const TensorRef& out, const PackedOperand* packed, const Finish* finish) {
    if (out.dtype == DType::Float16 || out.dtype == DType::BFloat16) {
        half_matmul(a, b, c, alpha, beta, out);
        return;
    }
    if (c && beta != 0 && c->data != out.data) array_of(out).assign(array_of(*c));
    if (out.shape.size() == 2 || stacks(a, b)) {
        multiply_matrices(out.dtype, stacked(a), matrix_of(b, 0), alpha, beta, out.data, packed,
                          {finish});
        return;
    }
    Sizes batch(out.shape.begin(), out.shape.end() - 2);
    const int64_t rows = out.shape[batch.size()], columns = out.shape[batch.size() + 1];
    const auto size = rows * columns * static_cast<int64_t>(dtype_size(out.dtype));
    each_of_batch(element_count(batch), rows * columns * a.shape.back(), [&](int64_t i) {
        multiply_matrices(out.dtype, matrix_of(a, batch_offset(a, batch, i)),
                          matrix_of(b, batch_offset(b, batch, i)), alpha, beta,
                          static_cast<std::byte*>(out.data) + i * size, nullptr,
                          {finish, i * rows});
    });
}

}  // namespace croton::runtime
