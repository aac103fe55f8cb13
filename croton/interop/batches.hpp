#pragma once
// Minibatches of a data set held in memory.
#include <vector>

#include "croton/type/array.hpp"

namespace croton {

/// A random order of 0..count-1 that depends on the seed alone: Fisher-Yates over SplitMix64
/// (Steele et al. 2014), the same on every machine and in every language.
std::vector<int64_t> permutation(int64_t count, uint64_t seed);

/// Rows of several arrays in a shuffled order, batch by batch. The arrays share their first size.
class Batches {
  public:
    /// Shape error if first sizes differ, Value error for a size below 1. A last batch that is not
    /// full is left out if `drop_last`.
    Batches(std::vector<Array> arrays, int64_t size, bool drop_last = false);
    int64_t count() const;  ///< batches an epoch
    /// Orders the rows anew.
    void shuffle(uint64_t seed);
    /// Batch `i` of each array, in new memory.
    std::vector<Array> get(int64_t i) const;

  private:
    std::vector<Array> arrays_;
    std::vector<int64_t> order_;
    int64_t size_;
    bool drop_last_;
};

}  // namespace croton
