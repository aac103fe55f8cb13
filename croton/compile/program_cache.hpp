#pragma once
// Programs on disk: a program that is started again runs what it compiled before without rewriting,
// fusing or planning anything. Code of kernels lies there too, under the keys of the back end.
#include <optional>
#include <string>

#include "croton/compile/build.hpp"

namespace croton::compile {

struct KeptProgram {
    runtime::Program program;
    std::vector<SizeAssumption> assumptions;
};

/// The entry's key: a hash of the request's graph (with its constants and the user's lines), its
/// updates and name, the mode, the settings that compiling asks for and the build of Croton. "" if
/// bytes cannot tell the graph (graph/packed.hpp): it holds ops of the user's, opaque attributes
/// other than graphs, inner graphs nested too deep, or more than 4 MB of constants.
std::string program_key(const BuildRequest& request, bool assume);

/// What was kept under a key, or nothing. Bytes that do not read back are no entry.
std::optional<KeptProgram> kept_program(const std::string& key);

void keep_program(const std::string& key, const KeptProgram& kept);

}  // namespace croton::compile
