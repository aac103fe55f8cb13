#pragma once
// Changes of dtype, and the parts of complex numbers.
#include "croton/graph/variable.hpp"
#include "croton/ops/given.hpp"

namespace croton {

/// Converts the dtype as NumPy's astype: floats to integers truncate, anything to bool is "!= 0",
/// complex to real drops the imaginary part. A variable that has the dtype comes back itself.
Variable cast(Arg x, Given<DType> dtype);

/// The complex number of two real parts: complex64 from float32 and smaller, else complex128.
Variable complex(Arg real, Arg imag);
/// The real part; real arrays come back unchanged.
Variable real(Arg x);
/// The imaginary part; zero for real arrays.
Variable imag(Arg x);
Variable conj(Arg x);
/// The argument in (-pi, pi]; for real arrays 0 or pi.
Variable angle(Arg x);

}  // namespace croton
