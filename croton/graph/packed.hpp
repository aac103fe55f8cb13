#pragma once
// Graphs as bytes, for machines only: what keys of the disk cache are hashes of. Writing takes a
// third of the time that the text form takes.
//
// Values have numbers in the order in which they stand: leaves of the head, then the outputs of
// each node. Op names, files, types and attributes are written where they occur first and named by
// number after that. Symbols of sizes keep their names; those that have none become new ones.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "croton/graph/op.hpp"

namespace croton {

struct PackOptions {
    /// The record of that name, or null. Must be given.
    std::function<const OpRecord*(std::string_view)> find_op;
    int64_t most_constant_bytes = INT64_MAX;
};

/// The graph between `inputs` (needed or not; computed variables become leaves) and `outputs`, with
/// names, sites and constants. Equal graphs made in the same way give equal bytes in every process.
/// Nothing if the bytes cannot tell it: there are ops that find_op does not know, opaque attributes
/// other than graphs, wildcards, graphs nested deeper than 32, or larger constants than allowed.
std::optional<std::string> pack(const Variables& inputs, const Variables& outputs,
                                const PackOptions& options);

}  // namespace croton
