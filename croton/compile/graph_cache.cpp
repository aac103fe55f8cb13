#include "croton/compile/graph_cache.hpp"

#include <sstream>

#include "croton/base/build_id.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/graph/packed.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::compile {

namespace {
constexpr std::string_view graph_kind = "graph";
constexpr int64_t most_constant_bytes = 4 << 20;

PackOptions pack_options() { return {find_op, most_constant_bytes}; }

// "assumptions 2: 0 1 2 0 3 0 -1 784", a line end, and the graph's bytes.
std::optional<Specialised> unpacked(const std::string& content) {
    size_t start = content.find('\n');
    if (start == std::string_view::npos) return {};
    std::istringstream in(content.substr(0, start));
    std::string word;
    size_t count = 0;
    Specialised result;
    if (!(in >> word >> count) || word != "assumptions" || count > content.size()) return {};
    result.assumptions.resize(count);
    for (auto& a : result.assumptions)
        if (!(in >> a.input >> a.axis >> a.other_input >> a.other_axis)) return {};
    auto graph = unpack(std::string_view(content).substr(start + 1), pack_options());
    if (!graph) return {};
    result.inputs = std::move(graph->inputs);
    result.outputs = std::move(graph->outputs);
    return result;
}
}  // namespace

std::string graph_key(const BuildRequest& request, bool assume) {
    auto graph = pack(request.inputs, request.outputs, pack_options());
    if (!graph) return "";
    const Mode& mode = request.mode;
    return content_hash(cat("graph ", build_id(), " ", assume, " ", mode.rule_limit, " ",
                            join(mode.excluded, ",", [](const auto& name) { return name; }), "\n",
                            *graph));
}

std::optional<Specialised> kept_graph(const std::string& key) {
    auto cache = runtime::DiskCache::current();
    auto content = cache ? cache->read(key, graph_kind) : std::nullopt;
    return content ? unpacked(*content) : std::nullopt;
}

void keep_graph(const std::string& key, const Specialised& rewritten) {
    auto cache = runtime::DiskCache::current();
    auto graph = cache ? pack(rewritten.inputs, rewritten.outputs, pack_options()) : std::nullopt;
    if (!graph) return;
    std::string content = cat("assumptions ", rewritten.assumptions.size());
    for (const auto& a : rewritten.assumptions)
        content += cat(" ", a.input, " ", a.axis, " ", a.other_input, " ", a.other_axis);
    cache->write(key, graph_kind, content + "\n" + *graph);
}

}  // namespace croton::compile
