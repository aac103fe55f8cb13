#pragma once
// Accumulators of reductions that were made in pieces.
#include <cstdint>

#include "croton/kernel/kernel.hpp"

namespace croton::cpu {

/// What an accumulator's slots hold. ArgMax and ArgMin have a position, the largest int64 before
/// any value was folded in.
struct Partial {
    void* value;
    int64_t* position;
};

/// Folds `next` into `total`, as the section's code folds lanes: of equal extremes (and of NaNs)
/// the one with the lower position stays.
void fold_partial(kernel::Combine combine, DType state, Partial total, Partial next);

}  // namespace croton::cpu
