#pragma once
// Generated code only knows dense lanes: what lies in memory otherwise goes through dense tiles.
#include <cstdint>
#include <limits>

#include "croton/backend/cpu/launch.hpp"

namespace croton::cpu {

constexpr int64_t tile_budget = 32768;  // bytes of packed tiles: they stay in the first-level cache

/// Two loops over which a section's function runs.
struct Nest {
    int64_t rows = 1, count = 1;
    const int64_t* row = nullptr;   ///< stride by stream; null: there is one row
    const int64_t* lane = nullptr;  ///< null: there is one lane
    int64_t row_chunk = std::numeric_limits<int64_t>::max();
};

/// Whether code can walk along lanes of this step.
inline bool has_dense_lanes(const Stream& stream, int64_t step) {
    if (stream.kind > StreamKind::Out) return true;
    return step == stream.item || (step == 0 && stream.kind == StreamKind::In);
}

/// Aims the section's streams at place (r, c) of the nest; at (0, 0) they stand as `at` says.
void place_streams(const Plan& plan, const SectionPlan& section, const Nest& nest, int64_t* frame,
                   const int64_t* at, int64_t r, int64_t c);

/// Runs a section over a nest tile by tile, streams without dense lanes being copied into and out
/// of dense tiles, which begin where lines do if rows do. The steps in the frame are to be set anew
/// afterwards.
void run_packed(const Program& program, SectionFunction function, int64_t selector,
                const SectionPlan& section, const Nest& nest, int64_t* frame, const int64_t* at);

}  // namespace croton::cpu
