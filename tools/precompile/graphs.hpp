#pragma once
// The small graphs whose kernels come compiled with Croton: what a user's first lines are made of.
#include <functional>
#include <string>

#include "croton/graph/variable.hpp"

namespace croton::precompile {

struct Graph {
    std::string name;
    Variables inputs, outputs;
};

/// Each op of the catalogue alone and its gradient, numbers and arrays, float64, float32, int64 and
/// bool where it takes them; with a number beside an array; with usual constants; casts; reductions
/// along axes; a few fusions that every other program begins with.
void for_each_graph(const std::function<void(const Graph&)>& use);

}  // namespace croton::precompile
