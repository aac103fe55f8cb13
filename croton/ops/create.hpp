#pragma once
// Arrays made from nothing but sizes, numbers and positions.
#include "croton/ops/shape.hpp"

namespace croton {

/// A plain number said on somebody's behalf: it and nodes made of it belong to his line.
inline Arg number_at(int64_t value, Site site) {
    return {weak_constant(Array::scalar(value), site), site};
}

/// The dtype that the setting floatX names.
DType default_float();

/// Scalars as the elements of a vector; cheap, meant for sizes.
Variable make_vector(const Args& scalars);
/// Whether the variable is a make_vector of known scalars (its node's inputs).
bool is_make_vector(const Variable& v);

/// An array with every element the same. Nothing is stored but the one value.
Variable full(const ShapeArg& shape, Arg value);
Variable full(const ShapeArg& shape, Arg value, DType dtype);
Variable zeros(const ShapeArg& shape, DType dtype);
inline Variable zeros(const ShapeArg& shape) { return zeros(shape, default_float()); }
Variable ones(const ShapeArg& shape, DType dtype);
inline Variable ones(const ShapeArg& shape) { return ones(shape, default_float()); }
/// With the sizes and the dtype of x.
Variable full_like(Arg x, Arg value);
inline Variable zeros_like(Arg x) { return full_like(x, number_at(0, x.site())); }
inline Variable ones_like(Arg x) { return full_like(x, number_at(1, x.site())); }
Variable zeros_like(Arg x, DType dtype);
Variable ones_like(Arg x, DType dtype);

/// start, start + step, ... up to but without stop.
Variable arange(Arg start, Arg stop, Arg step);
inline Variable arange(Arg start, Arg stop) {
    return arange(start, stop, number_at(1, start.site()));
}
inline Variable arange(Arg stop) { return arange(number_at(0, stop.site()), stop); }
/// Whether v is arange(n): 0, 1, 2, ...
bool counts_from_zero(const Variable& v);
/// `count` numbers from start to stop, both included.
Variable linspace(Arg start, Arg stop, Arg count);

/// Ones on a diagonal, `offset` above the main one.
Variable eye(Arg rows, Arg columns, Arg offset, Given<DType> dtype);
Variable eye(Arg rows);
/// Ones at and below a diagonal.
Variable tri(Arg rows, Arg columns, Arg offset, Given<DType> dtype);
/// x with zeros above (below) a diagonal of its last two axes.
Variable tril(Arg x, Arg offset = 0);
Variable triu(Arg x, Arg offset = 0);
/// Matrices of the given sizes whose diagonal is the last axis of x and which are zero elsewhere.
Variable diag_embed(Arg x, Arg rows, Arg columns, Given<int64_t> offset = 0);
/// Of a vector the square matrix with that diagonal, of a matrix its diagonal.
Variable diag(Arg x, int64_t offset = 0);

}  // namespace croton
