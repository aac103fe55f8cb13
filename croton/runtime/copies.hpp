#pragma once
// Copies between layouts by all threads.
#include "croton/graph/op.hpp"

namespace croton::runtime {

/// Every element of `source` into the same place of `target`, which has its dtype and shape. Large
/// ones are cut along the axis that gives most pieces.
void copy_elements(const TensorRef& target, const TensorRef& source);

}  // namespace croton::runtime
