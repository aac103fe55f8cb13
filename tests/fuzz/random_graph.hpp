#pragma once
// Random expressions with values for their inputs, made so that any right way to compute them gives
// the same numbers up to rounding: magnitudes stay bounded, and what jumps (comparisons, floor,
// casts to integers) is only asked of values that rounding cannot touch.
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "croton/graph/variable.hpp"

namespace croton::test {

struct RandomGraph {
    uint64_t seed = 0;
    Variables inputs;
    std::vector<Array> values;  ///< one an input
    Variables made;             ///< every intermediate result, in the order of making
    Variables outputs;          ///< some of them, and sometimes gradients

    /// The graph and its inputs' values as text.
    std::string text(const Variables& of) const;
};

/// The same seed gives the same graph.
RandomGraph random_graph(uint64_t seed);

}  // namespace croton::test
