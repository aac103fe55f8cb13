#pragma once
// Graphs as bytes, for machines only: what the disk cache keeps, and what its keys are hashes of.
// Writing takes a third of the time that the text form takes, reading a tenth; the bytes are a
// sixth.
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

struct UnpackedGraph {
    Variables inputs, outputs;
};

/// What pack() wrote. Types are those that were written: nothing is inferred. Nothing if the bytes
/// are not what pack() writes, or hold shared variables, whose values no other process has.
std::optional<UnpackedGraph> unpack(std::string_view bytes, const PackOptions& options);

}  // namespace croton
