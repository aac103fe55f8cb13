#pragma once
// Programs as bytes, for machines only: what the disk cache keeps of a compilation. Memory is
// planned and kernels are written; the code of kernels is not in it (back ends keep that).
#include "croton/graph/packed.hpp"
#include "croton/runtime/program.hpp"

namespace croton::compile {

/// Nothing if the bytes cannot tell it: steps of ops that find_op does not know, attributes that
/// are neither numbers nor texts, more constants than allowed.
std::optional<std::string> pack_program(const runtime::Program& program,
                                        const PackOptions& options);

/// What pack_program() wrote. Nothing if the bytes are of another form: every number that places
/// something is within its limits, and the program verifies.
std::optional<runtime::Program> unpack_program(std::string_view bytes, const PackOptions& options);

}  // namespace croton::compile
