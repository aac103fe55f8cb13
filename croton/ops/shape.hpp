#pragma once
// Shapes: asking for them, and the same elements under another shape. All of these but the joins
// at the end are views: no element is copied unless reshape must.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

/// Sizes handed to a function: numbers and integer scalars in any mixture, `{128, n, -1}`, or an
/// integer vector whose length its type knows.
class ShapeArg {
  public:
    ShapeArg(std::initializer_list<Arg> sizes,
             std::source_location where = std::source_location::current())
        : ShapeArg(std::vector<Arg>(sizes), where) {}
    ShapeArg(const std::vector<Arg>& sizes,
             std::source_location where = std::source_location::current());
    ShapeArg(const Ints& sizes, std::source_location where = std::source_location::current());
    /// Shape error if the length of the vector is not known; give it as `rank` then.
    ShapeArg(const Variable& vector, std::source_location where = std::source_location::current());
    ShapeArg(const Variable& vector, int rank,
             std::source_location where = std::source_location::current())
        : vector_(vector), rank_(rank), site_(Site::of(where)) {}

    const Variable& vector() const { return vector_; }
    /// The vector as an argument, with the place where it was handed over.
    Arg arg() const { return {vector_, site_}; }
    int rank() const { return rank_; }
    /// One "unknown" an axis: the type rules read the sizes off the vector.
    Ints hints() const { return Ints(static_cast<size_t>(rank_), -1); }

  private:
    Variable vector_;
    int rank_;
    Site site_;
};

/// The sizes as an int64 vector.
Variable shape(Arg x);
/// The size of one axis, an int64 scalar.
Variable size_of(Arg x, Given<int64_t> axis);
/// The number of elements.
Variable size(Arg x);

/// The same elements in C order with the sizes of the vector; one of them may be -1 and is then
/// what is left. `sizes`: one an axis of the result, known sizes (they must be right) or -1.
Variable reshape(Arg x, Arg shape, Given<Ints> sizes);
Variable reshape(Arg x, const ShapeArg& shape);
/// One axis; or the first `ndim` - 1 axes as they are and the rest as one.
Variable flatten(Arg x, int ndim = 1);
inline Variable ravel(Arg x) { return flatten(x); }

/// Marks a new axis of size 1 in dimshuffle's order.
inline constexpr int64_t new_axis = -1;
/// Axes in a new order: `order` says for each axis of the result which axis of x it is, or
/// new_axis. Axes left out must have size 1 (checked when running if it is not known before).
Variable dimshuffle(Arg x, Axes order);
/// Axes reversed, or in the given order (which may be negative).
Variable transpose(Arg x, Ints axes = {});
/// The last two axes exchanged.
Variable matrix_transpose(Arg x);
Variable swapaxes(Arg x, int64_t axis1, int64_t axis2);
Variable moveaxis(Arg x, int64_t from, int64_t to);
/// Inserts axes of size 1 so that they stand at these places in the result.
Variable expand_dims(Arg x, Ints axes);
template <class Axis, class = std::enable_if_t<std::is_integral_v<Axis>>>
Variable expand_dims(const Arg& x, Axis axis) {
    return expand_dims(x, Ints{static_cast<int64_t>(axis)});
}
/// Drops these axes, whose size must be 1; without axes those known to have size 1.
Variable squeeze(Arg x);
Variable squeeze(Arg x, Ints axes);
/// Axes of size 1 in front until there are `ndim` axes.
Variable shape_padleft(Arg x, int count = 1);
Variable shape_padright(Arg x, int count = 1);

/// Repeats axes of size 1 (and missing ones in front) to the sizes of the vector, without copying.
Variable broadcast_to(Arg x, Arg shape, Given<Ints> sizes);
Variable broadcast_to(Arg x, const ShapeArg& shape);
/// x with the sizes of y.
Variable broadcast_like(Arg x, const Variable& y);
/// x itself, promised to have these sizes (-1: any); Shape error when running otherwise.
Variable specify_shape(Arg x, Arg shape, Given<Ints> sizes);
Variable specify_shape(Arg x, const ShapeArg& shape);

/// The diagonal along two axes, which becomes the last axis. Positive offsets lie above.
Variable diagonal(Arg x, Given<int64_t> offset = 0, Given<int64_t> axis1 = 0,
                  Given<int64_t> axis2 = 1);

/// Arrays joined along an axis they have; their other sizes must agree.
Variable concatenate(const Args& parts, Given<int64_t> axis = 0);
/// Arrays of one shape joined along a new axis.
Variable stack(const Args& parts, int64_t axis = 0);
/// Pieces along an axis: of the given sizes, ...
Variables split(Arg x, const std::vector<Arg>& sizes, int64_t axis = 0);
/// ... or `count` pieces whose sizes are the elements of an integer vector.
Variables split(Arg x, const Variable& sizes, int count, int64_t axis);
/// The array laid beside itself so many times along each axis.
Variable tile(Arg x, const std::vector<Arg>& repeats);
/// Each element (row, ...) so many times along the axis.
Variable repeat(Arg x, Arg repeats, int64_t axis);
/// Elements moved along an axis; what leaves at one end enters at the other.
Variable roll(Arg x, Arg shift, Given<int64_t> axis = 0);
/// Axes in reverse order of elements.
Variable flip(Arg x, Ints axes);

}  // namespace croton
