#pragma once
// How shape and view functions read values: by TensorRef::integer and real_element, and by nothing
// else. They count, and that is how the executor knows which sizes depend on sizes alone.
#include "croton/graph/op.hpp"

namespace croton {

/// Element of a vector, or the scalar.
double real_element(const TensorRef& r, int64_t position = 0);
/// How many elements this thread has read by those two.
int64_t elements_read();

}  // namespace croton
