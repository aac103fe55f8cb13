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

/// Folds `count` values into as many totals, one by one.
void fold_rows(kernel::Combine combine, DType state, void* totals, const void* next, int64_t count);

/// Folds each of `rows` rows of `lanes` values: the results lie at their start, side by side.
void fold_lanes(kernel::Combine combine, DType state, void* values, int64_t rows, int64_t lanes);

/// Stores folded values, as a kernel stores what it has folded in a wider dtype. Steps in bytes.
void store_folded(DType state, const char* from, int64_t from_step, DType dtype, char* to,
                  int64_t to_step, int64_t count);

}  // namespace croton::cpu
