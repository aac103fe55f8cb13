#pragma once
// The type of a variable: element type and, for each axis, a size that is known, unknown or
// symbolic.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "croton/base/hash.hpp"
#include "croton/base/small_vector.hpp"
#include "croton/type/dtype.hpp"

namespace croton {

/// The size of one axis. A known size is a hint that sharpens code; two axes that carry the same
/// symbol have the same size in every call.
class Dim {
  public:
    constexpr Dim() = default;                    ///< unknown
    constexpr Dim(int64_t size) : code_(size) {}  ///< known; must not be negative
    /// The dimension named `name`; equal names are equal dimensions.
    static Dim symbol(std::string_view name);
    /// A symbol that nobody else has.
    static Dim fresh();

    constexpr bool known() const { return code_ >= 0; }
    constexpr bool symbolic() const { return code_ < -1; }
    constexpr bool unknown() const { return code_ == -1; }
    constexpr int64_t size() const { return code_; }
    /// Whether both certainly have the same size in every call.
    constexpr bool certainly_equals(Dim other) const { return code_ != -1 && code_ == other.code_; }
    constexpr bool is_one() const { return code_ == 1; }
    constexpr int64_t code() const { return code_; }
    /// "784", "?" or the symbol's name.
    std::string text() const;
    friend constexpr bool operator==(Dim, Dim) = default;

  private:
    int64_t code_ = -1;
};

using Dims = SmallVector<Dim, 4>;

struct TensorType {
    DType dtype = DType::Float64;
    Dims dims;

    int rank() const { return static_cast<int>(dims.size()); }
    bool scalar() const { return dims.empty(); }
    /// "f32[?,784]"; scalars are "f32[]".
    std::string text() const;
    uint64_t hash() const;
    friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// A type of that rank with every size unknown.
TensorType tensor_type(DType dtype, int rank);
/// Reads what text() writes. Value error with the offending place otherwise.
TensorType parse_type(std::string_view text);

/// Size of a broadcast axis: NumPy's rule on hints. A known 1 gives way; two different known sizes
/// are a Shape error (`axis` goes into the message).
Dim broadcast_dim(Dim a, Dim b, int axis);
/// Broadcast of shapes aligned at their last axes.
Dims broadcast_dims(const Dims& a, const Dims& b);

/// An axis in 0..rank-1 from one that may be negative. Index error naming `what` otherwise.
int normalize_axis(int64_t axis, int rank, std::string_view what);

}  // namespace croton
