#include "croton/compile/graph_cache.hpp"

#include <sstream>

#include "croton/base/build_id.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::compile {

namespace {
constexpr std::string_view graph_kind = "graph";
constexpr int64_t most_constant_bytes = 4 << 20;
constexpr int most_nesting = 32;

// Whether the text form says all there is to say.
class Tellable {
  public:
    bool graph(const Variables& outputs, int depth = 0) {
        if (depth > most_nesting) return false;
        for (const Node* node : toposort(outputs)) {
            if (node->constant &&
                (constant_bytes_ += node->constant->nbytes()) > most_constant_bytes)
                return false;
            if (node->kind == NodeKind::Apply && !applied(*node, depth)) return false;
        }
        return true;
    }

  private:
    bool applied(const Node& node, int depth) {
        if (find_op(node.op->name) != node.op) return false;
        for (const auto& value : node.attrs->values) {
            if (!std::holds_alternative<std::shared_ptr<const Opaque>>(value)) continue;
            auto inner = subgraph_of(value);
            if (!inner || !graph(inner->outputs(), depth + 1)) return false;
        }
        return true;
    }
    int64_t constant_bytes_ = 0;
};

std::string text_of(const Variables& inputs, const Variables& outputs, const std::string& name) {
    PrintOptions options;
    options.inputs = inputs;
    options.name = name;
    options.sites = PrintOptions::Sites::Full;
    return print(outputs, options);
}

// "assumptions 2: 0 1 2 0 3 0 -1 784" and the graph in lines of their own.
std::optional<Specialised> unpacked(const std::string& content) {
    std::istringstream in(content);
    std::string word;
    size_t count = 0;
    Specialised result;
    if (!(in >> word >> count) || word != "assumptions" || count > content.size()) return {};
    result.assumptions.resize(count);
    for (auto& a : result.assumptions)
        if (!(in >> a.input >> a.axis >> a.other_input >> a.other_axis)) return {};
    size_t start = content.find('\n');
    if (start == content.npos) return {};
    ParsedGraph graph = parse_graph(std::string_view(content).substr(start), {find_op});
    result.inputs = std::move(graph.inputs);
    result.outputs = std::move(graph.outputs);
    return result;
}
}  // namespace

std::string graph_key(const BuildRequest& request, bool assume) {
    if (!Tellable().graph(request.outputs)) return "";
    const Mode& mode = request.mode;
    return content_hash(cat("graph ", build_id(), " ", assume, " ", mode.rule_limit, " ",
                            join(mode.excluded, ",", [](const auto& name) { return name; }), "\n",
                            text_of(request.inputs, request.outputs, "")));
}

std::optional<Specialised> kept_graph(const std::string& key) {
    auto cache = runtime::DiskCache::current();
    auto content = cache ? cache->read(key, graph_kind) : std::nullopt;
    if (!content) return {};
    try {
        return unpacked(*content);
    } catch (const Error&) {
        return {};  // not what its name says: made anew and replaced
    }
}

void keep_graph(const std::string& key, const Specialised& rewritten) {
    auto cache = runtime::DiskCache::current();
    if (!cache || !Tellable().graph(rewritten.outputs)) return;
    std::string content = cat("assumptions ", rewritten.assumptions.size());
    for (const auto& a : rewritten.assumptions)
        content += cat(" ", a.input, " ", a.axis, " ", a.other_input, " ", a.other_axis);
    cache->write(key, graph_kind,
                 content + "\n" + text_of(rewritten.inputs, rewritten.outputs, ""));
}

}  // namespace croton::compile
