#pragma once
// Indexing as NumPy does it: integers, slices with bounds known or not, newaxis, ellipsis, integer
// and bool arrays; and the same places set or incremented, which gives a new array.
#include <optional>
#include <variant>

#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

// --- the friendly side

/// The end of a slice: a number, an integer scalar or nothing.
class SliceEnd {
  public:
    SliceEnd() = default;
    SliceEnd(std::nullopt_t) {}
    template <class T, class = std::enable_if_t<std::is_constructible_v<Arg, const T&>>>
    SliceEnd(const T& value, std::source_location where = std::source_location::current())
        : value_(Arg(value, where)) {}
    const std::optional<Arg>& value() const { return value_; }

  private:
    std::optional<Arg> value_;
};

struct Slice {
    SliceEnd start, stop, step;
    Slice() = default;
    Slice(SliceEnd start, SliceEnd stop, SliceEnd step = {})
        : start(std::move(start)), stop(std::move(stop)), step(std::move(step)) {}
};
/// The slice ":".
inline const Slice everything;
struct Ellipsis {};
struct NewAxis {};
inline constexpr Ellipsis ellipsis;
inline constexpr NewAxis newaxis;

/// One item of an index: a position, an array of positions or of bools, a slice, a mark.
class IndexArg {
  public:
    template <class T, class = std::enable_if_t<std::is_constructible_v<Arg, const T&> &&
                                                !std::is_floating_point_v<T>>>
    IndexArg(const T& position, std::source_location where = std::source_location::current())
        : value_(Arg(position, where)) {}
    IndexArg(const Arg& position) : value_(position) {}
    IndexArg(Slice slice) : value_(std::move(slice)) {}
    IndexArg(Ellipsis mark) : value_(mark) {}
    IndexArg(NewAxis mark) : value_(mark) {}

    const std::variant<Arg, Slice, Ellipsis, NewAxis>& value() const { return value_; }

  private:
    std::variant<Arg, Slice, Ellipsis, NewAxis> value_;
};
using Index = std::vector<IndexArg>;

/// x[...]: at(x, {Slice(1, n), 3, ellipsis, newaxis, rows}).
Variable at(Arg x, const Index& index);
/// A copy of the array that `indexed` is a part of (what at, take or subtensor gave), with that
/// part replaced by y, or y added to it. y broadcasts. Repeated indices add up in inc_subtensor; of
/// repeated indices in set_subtensor the last one counts.
Variable set_subtensor(const Variable& indexed, Arg y);
Variable inc_subtensor(const Variable& indexed, Arg y);

// --- the ops

/// Basic indexing: `index` as in index_text.hpp, '$' standing for the bounds in their order.
Variable subtensor(Arg x, const Args& bounds, Given<std::string> index);
/// The same places of x set to y, or y added to them; mode "set" or "add".
Variable set_index(Arg x, Arg y, const Args& bounds, Given<std::string> index,
                   Given<std::string> mode);

/// Elements (rows, ...) at integer positions along an axis. The axis is replaced by the axes of
/// `indices`. Negative positions count from the end; mode "raise" (Index error when running),
/// "wrap" or "clip" says what happens to those out of bounds.
Variable take(Arg x, Arg indices, Given<int64_t> axis, Given<std::string> mode);
inline Variable take(Arg x, Arg indices, Given<int64_t> axis = 0) {
    return take(x, indices, axis, std::string("raise"));
}
/// Several arrays of positions, which broadcast together and index axis, axis + 1, ...
Variable gather(Arg x, const Args& indices, Given<int64_t> axis, Given<std::string> mode);
/// Those places set to y or y added; mode "set" or "add".
Variable put(Arg x, Arg y, const Args& indices, Given<int64_t> axis, Given<std::string> mode);
/// Positions along an axis of x as they count from its front: negative ones count from the end.
/// Index error when running for those out of bounds. Of x only the sizes matter.
Variable position_along(Arg x, Arg indices, Given<int64_t> axis);
/// x[i, j, indices[i, j, k], ...]: one position an element along the axis; the other axes of
/// `indices` have x's sizes or size 1.
Variable take_along_axis(Arg x, Arg indices, Given<int64_t> axis);

/// Any mixture of slices, integers, arrays and new axes; inputs in the order of the text.
Variable advanced_index(Arg x, const Args& inputs, Given<std::string> index);

/// Positions of the nonzero elements: an int64 matrix, one row an axis.
Variable nonzero(Arg x);

}  // namespace croton
