#pragma once
// What the pipeline makes of small graphs, and the file that Croton carries them in.
#include <map>
#include <span>
#include <string>
#include <vector>

#include "croton/backend/cpu/level.hpp"
#include "croton/kernel/kernel.hpp"
#include "tools/precompile/graphs.hpp"

namespace croton::precompile {

/// The kernels of a graph's function, none of them compiled. Nothing is taken from the disk.
std::vector<kernel::Kernel> kernels_of(const Graph& graph);

/// What Precompiled::pack takes: one object for each code form and level.
std::map<std::string, std::string> compiled(std::span<const kernel::Kernel> kernels,
                                            std::span<const cpu::Level> levels);

}  // namespace croton::precompile
