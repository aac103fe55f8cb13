#pragma once
// A strided array of numbers in host memory: what constants hold, calls take and calls return.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "croton/base/error.hpp"
#include "croton/base/small_vector.hpp"
#include "croton/type/tensor_type.hpp"

namespace croton {

/// Shared by reference: copying an Array shares its memory, `copy()` makes new memory. Strides are
/// in bytes and may be zero or negative. Memory is aligned to 64 bytes where Croton allocates it.
// The analyzer takes the address that allocation hands back for one never set.
// NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign)
class Array {
  public:
    /// An empty float64 vector.
    Array();
    /// New uninitialised C-contiguous memory.
    static Array empty(DType dtype, Sizes shape);
    static Array zeros(DType dtype, Sizes shape);
    /// Elements in C order; Value error if their number does not fit the shape.
    template <class T>
    static Array of(const std::vector<T>& values, Sizes shape);
    template <class T>
    static Array of(std::initializer_list<T> values) {
        return of(std::vector<T>(values), {static_cast<int64_t>(values.size())});
    }
    template <class T>
    static Array scalar(T value) {
        Array result = empty(dtype_of<T>(), {});
        *static_cast<T*>(result.data()) = value;
        return result;
    }
    /// Somebody else's memory, kept alive by `owner`. Nothing is copied.
    static Array view(DType dtype, Sizes shape, Sizes strides, void* data,
                      std::shared_ptr<const void> owner);

    DType dtype() const { return dtype_; }
    int rank() const { return static_cast<int>(shape_.size()); }
    const Sizes& shape() const { return shape_; }
    int64_t shape(int axis) const { return shape_[static_cast<size_t>(axis)]; }
    const Sizes& strides() const { return strides_; }
    int64_t size() const;  ///< number of elements
    int64_t nbytes() const { return size() * dtype_size(dtype_); }
    void* data() const { return data_; }
    const std::shared_ptr<const void>& owner() const { return owner_; }
    bool contiguous() const;  ///< C order without gaps
    /// This type with every size known.
    TensorType type() const;

    template <class T>
    T* data_as() const {
        require_dtype(dtype_of<T>());
        return static_cast<T*>(data_);
    }
    /// The only element. Shape error if there are several; converted to T.
    template <class T>
    T item() const;
    /// Element at an index, converted to T. Index error if out of bounds.
    template <class T>
    T at(const Sizes& index) const;
    /// All elements in C order, converted to T.
    template <class T>
    std::vector<T> to_vector() const;

    /// New contiguous memory with the same elements.
    Array copy() const;
    /// This array if contiguous, else a copy.
    Array contiguous_copy() const { return contiguous() ? *this : copy(); }
    /// Converted elements as C++ and NumPy convert (floats to ints truncate, anything to bool is
    /// "!= 0", complex to real drops the imaginary part).
    Array cast(DType dtype) const;
    /// Same elements, C order; one size may be -1. Shares memory if contiguous.
    Array reshape(Sizes shape) const;
    /// Copies the elements of `source` (same shape) into this array's memory, converting.
    void assign(const Array& source) const;
    /// NumPy-like text, long arrays shortened.
    std::string text() const;
    /// Same dtype, shape and bits (NaNs of equal bits are equal).
    bool identical(const Array& other) const;

  private:
    struct Bare {};
    explicit Array(Bare) {}  // no memory: the default constructor allocates through view()
    void require_dtype(DType wanted) const;
    DType dtype_ = DType::Float64;
    Sizes shape_, strides_;
    void* data_ = nullptr;
    std::shared_ptr<const void> owner_;
};

/// From the first byte of an array's elements to behind the last one; empty if it has none.
struct Extent {
    const char *begin, *end;
    bool meets(const Extent& other) const { return begin < other.end && other.begin < end; }
    bool holds(const void* place) const { return begin <= place && place < end; }
};
Extent extent_of(const Array& array);

/// C-contiguous strides in bytes.
Sizes contiguous_strides(const Sizes& shape, int item_size);
/// Product of sizes; the largest int64_t if it is larger than that.
int64_t element_count(std::span<const int64_t> shape);
/// Bytes of an array. Value error for negative sizes, Device error if there are more bytes than an
/// int64_t can count.
int64_t byte_count(DType dtype, std::span<const int64_t> shape);
/// 64-byte aligned memory, zero bytes allowed. Device error when memory is out, saying how much was
/// asked for.
std::shared_ptr<void> allocate_aligned(size_t bytes);
/// The same for working memory that stays for many calls: nothing is kept of it when it is freed.
std::shared_ptr<void> allocate_lasting(size_t bytes);
/// Calls visit(byte_offsets) for each element of `shape` in C order, offsets running over several
/// operands' strides at once.
void for_each_offset(const Sizes& shape, std::span<const Sizes> strides,
                     const std::function<void(std::span<const int64_t>)>& visit);

/// Number conversion between any two element types with Array::cast's rules.
template <class To, class From>
To convert_number(From value);

}  // namespace croton

#include "croton/type/array_inline.hpp"
