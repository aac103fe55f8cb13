#pragma once
// Loops over strided memory for ops that run as host code. For the sources of ops/ only.
#include "croton/graph/op.hpp"

namespace croton {

enum class Write : uint8_t { Set, Add };

/// Sets each element of `to` to that of `from`, or adds it (bool: or). Both have the shape and the
/// dtype of `to`; `from` gives data and strides only (0: broadcast).
void write_elements(const TensorRef& to, const void* from, const Sizes& from_strides, Write mode);
/// What is written at places one after the other: it lies at `data`, or a row a place comes from
/// `source`.
struct Written {
    const void* data;
    RowSource* source = nullptr;
};
/// The same for a part of an array at several places, one after the other: byte offsets from
/// `part.data`. The places have the given shape (in C order); what is written moves by `along` from
/// place to place and by `across` within the part. `reach`: so many bytes from `part.data` on are
/// an array without gaps that holds all places, or 0. With a source, the shape has one axis.
void write_parts(const TensorRef& part, std::span<const int64_t> places, Written from,
                 const Sizes& shape, const Sizes& along, const Sizes& across, Write mode,
                 int64_t reach);
/// Adds elements, `from_step` bytes apart, at the positions that an int64 or int32 vector names
/// (from the end where negative) to a vector without gaps. Index error for a position outside of
/// it, when some are added already.
void add_elements_at(const TensorRef& to, const TensorRef& index, Written from, int64_t from_step);
[[noreturn]] void fail_out_of_bounds(int64_t index, size_t axis, int64_t size);
/// Copies all elements of x, which has the shape and dtype of `to`.
void copy_elements(const TensorRef& to, const TensorRef& x);
/// The strides under which x broadcasts to the shape. Shape error (beginning with `what`) if it
/// does not.
Sizes broadcast_strides(const TensorRef& x, const Sizes& shape, std::string_view what);

/// Walks an index space in C order, keeping byte offsets of one operand a strides list.
template <size_t N>
class Walk {
  public:
    Walk(const Sizes& shape, const std::array<const Sizes*, N>& strides)
        : shape_(shape), strides_(strides), index_(shape.size(), 0) {
        offsets.fill(0);
    }
    std::array<int64_t, N> offsets;
    /// Goes to the next index; false after the last.
    bool next() {
        for (size_t axis = shape_.size(); axis-- > 0;) {
            ++index_[axis];
            for (size_t k = 0; k < N; ++k) offsets[k] += (*strides_[k])[axis];
            if (index_[axis] < shape_[axis]) return true;
            for (size_t k = 0; k < N; ++k) offsets[k] -= (*strides_[k])[axis] * index_[axis];
            index_[axis] = 0;
        }
        return false;
    }

  private:
    const Sizes& shape_;
    std::array<const Sizes*, N> strides_;
    Sizes index_;
};

}  // namespace croton
