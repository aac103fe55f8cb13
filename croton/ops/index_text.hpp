#pragma once
// Indices as text, as the ops of the family index carry them: "$:5, ::-1, 2, :". Each item belongs
// to one axis. A bound is nothing, a number, or '$': the next integer input. An item without a
// colon drops its axis; '@' is an integer array (the next input); "new" is a new axis of size 1.
#include <optional>
#include <string>
#include <string_view>

#include "croton/base/small_vector.hpp"

namespace croton {

struct Bound {
    enum class Kind : uint8_t { None, Number, Input } kind = Kind::None;
    int64_t value = 0;  ///< the number, or which input (counted over the whole text)
    friend bool operator==(const Bound&, const Bound&) = default;
};

struct IndexItem {
    enum class Kind : uint8_t { Integer, Slice, Array, NewAxis } kind = Kind::Slice;
    Bound start, stop, step;  ///< Integer, Array: `start` only
    bool whole() const {
        return kind == Kind::Slice && start == Bound{} && stop == Bound{} && step == Bound{};
    }
};
using IndexItems = SmallVector<IndexItem, 6>;

/// Value error naming the text if it is malformed.
IndexItems parse_index(std::string_view text);
/// The canonical text.
std::string index_text(const IndexItems& items);

/// Where a slice of an axis of `size` elements begins and how many elements it takes: NumPy's
/// clipping. `step` is not zero.
struct SliceRange {
    int64_t first, step, length;
};
SliceRange slice_range(std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step,
                       int64_t size);

}  // namespace croton
