#pragma once
// Rewritten graphs on disk: a program that is started again compiles the graph it compiled before
// without rewriting it.
#include <optional>
#include <string>

#include "croton/compile/build.hpp"

namespace croton::compile {

/// The entry's key: a hash of the request's graph (with its constants and the user's lines), the
/// mode and the build of Croton. "" if bytes cannot tell the graph (graph/packed.hpp): it holds ops
/// of the user's, opaque attributes other than graphs, inner graphs nested too deep, or more than
/// 4 MB of constants.
std::string graph_key(const BuildRequest& request, bool assume);

/// What was kept under a key, or nothing. Bytes that do not read back are no entry.
std::optional<Specialised> kept_graph(const std::string& key);

void keep_graph(const std::string& key, const Specialised& rewritten);

}  // namespace croton::compile
