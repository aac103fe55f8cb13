#include "croton/compile/program_cache.hpp"

#include <algorithm>
#include <sstream>

#include "croton/base/build_id.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/settings.hpp"
#include "croton/compile/packed_program.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::compile {

namespace {
constexpr std::string_view program_kind = "program";
constexpr int64_t most_constant_bytes = 4 << 20;

PackOptions pack_options() { return {find_op, most_constant_bytes}; }

// Whether the assumptions speak of axes that there are.
bool name_inputs(const KeptProgram& kept) {
    const auto& p = kept.program;
    auto axis_exists = [&](int input, int axis) {
        if (input < 0 || static_cast<size_t>(input) >= p.inputs.size() || axis < 0) return false;
        return axis <
               p.values[static_cast<size_t>(p.inputs[static_cast<size_t>(input)])].type.rank();
    };
    return std::all_of(kept.assumptions.begin(), kept.assumptions.end(), [&](const auto& a) {
        return axis_exists(a.input, a.axis) &&
               (a.other_input < 0 || axis_exists(a.other_input, a.other_axis));
    });
}

// "assumptions 2: 0 1 2 0 3 0 -1 784", a line end, and the program's bytes.
std::optional<KeptProgram> unpacked(const std::string& content) {
    size_t start = content.find('\n');
    if (start == std::string_view::npos) return {};
    std::istringstream in(content.substr(0, start));
    std::string word;
    size_t count = 0;
    KeptProgram result;
    if (!(in >> word >> count) || word != "assumptions" || count > content.size()) return {};
    result.assumptions.resize(count);
    for (auto& a : result.assumptions)
        if (!(in >> a.input >> a.axis >> a.other_input >> a.other_axis)) return {};
    auto program = unpack_program(std::string_view(content).substr(start + 1), pack_options());
    if (!program) return {};
    result.program = std::move(*program);
    if (!name_inputs(result)) return {};
    return result;
}

std::string updates_text(const BuildRequest& request) {
    return join(request.updates, ",",
                [](const auto& update) { return cat(update.first, ":", update.second); });
}
}  // namespace

std::string program_key(const BuildRequest& request, bool assume) {
    auto graph = pack(request.inputs, request.outputs, pack_options());
    if (!graph) return "";
    const Mode& mode = request.mode;
    return content_hash(cat("program ", build_id(), " ", assume, " ", mode.fuse, " ",
                            mode.rule_limit, " ", settings().float_x, " ", updates_text(request),
                            " ", join(mode.excluded, ",", [](const auto& name) { return name; }),
                            "\n", request.name, "\n", *graph));
}

std::optional<KeptProgram> kept_program(const std::string& key) {
    auto cache = runtime::DiskCache::current();
    auto content = cache ? cache->read(key, program_kind) : std::nullopt;
    return content ? unpacked(*content) : std::nullopt;
}

void keep_program(const std::string& key, const KeptProgram& kept) {
    auto cache = runtime::DiskCache::current();
    auto program = cache ? pack_program(kept.program, pack_options()) : std::nullopt;
    if (!program) return;
    std::string content = cat("assumptions ", kept.assumptions.size());
    for (const auto& a : kept.assumptions)
        content += cat(" ", a.input, " ", a.axis, " ", a.other_input, " ", a.other_axis);
    cache->write(key, program_kind, content + "\n" + *program);
}

}  // namespace croton::compile
