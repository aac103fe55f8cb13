#include "croton/compile/build.hpp"

#include <chrono>

#include "croton/compile/loops.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/compile/program_cache.hpp"
#include "croton/compile/reference.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/compile/translate.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::compile {

namespace {
double since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Specialised rewritten_graph(const BuildRequest& request, bool assume) {
    if (!request.mode.rewrite) return {request.inputs, request.outputs, {}};
    Specialised result = specialise(request.inputs, request.outputs, assume);
    Rewriting rewriting{request.mode};
    result.outputs = rewrite_graph(prepare_loops(result.outputs, rewriting), rewriting);
    return result;
}

void generate_code(runtime::Program& program, const Mode& mode, Trace& trace) {
    runtime::CompileStats stats;
    generate(program, runtime::backend(mode.backend), &stats);
    trace.generate_seconds = stats.seconds;
    trace.compiled_kernels = stats.compiled;
    trace.cached_kernels = stats.from_cache;
    trace.late_kernels = stats.late;
}

KeptProgram new_program(const BuildRequest& request, bool assume, Trace& trace) {
    auto start = std::chrono::steady_clock::now();
    Specialised graph = rewritten_graph(request, assume);
    trace.rewrite_seconds = since(start);
    start = std::chrono::steady_clock::now();
    KeptProgram made{
        translate(graph.inputs, graph.outputs, request.mode.fuse, request.name, request.updates),
        std::move(graph.assumptions)};
    made.program.verify();
    trace.schedule_seconds = since(start);
    return made;
}

// What an earlier process left on the disk, with its code; nothing if it is of no use.
std::optional<KeptProgram> finished_program(const std::string& key, const Mode& mode,
                                            Trace& trace) {
    auto start = std::chrono::steady_clock::now();
    auto kept = kept_program(key);
    if (!kept) return {};
    trace.read_seconds = since(start);
    try {
        generate_code(kept->program, mode, trace);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Compile) throw;
        trace = Trace();
        return {};
    }
    trace.from_cache = true;
    return kept;
}

// From the disk if an earlier process left it there. In check mode everything is done and looked
// at.
KeptProgram make_program(const BuildRequest& request, bool assume, Trace& trace) {
    const Mode& mode = request.mode;
    bool cached = mode.rewrite && !mode.check && !mode.own_rules && runtime::DiskCache::current();
    std::string key = cached ? program_key(request, assume) : "";
    if (!key.empty())
        if (auto kept = finished_program(key, mode, trace)) return std::move(*kept);
    KeptProgram made = new_program(request, assume, trace);
    generate_code(made.program, mode, trace);
    if (!key.empty()) keep_program(key, made);
    return made;
}

std::shared_ptr<const runtime::Program> shared_program(KeptProgram made) {
    return std::make_shared<const runtime::Program>(std::move(made.program));
}
}  // namespace

bool Built::assumptions_hold(std::span<const Array> arguments) const {
    for (const auto& a : assumptions) {
        int64_t size = arguments[static_cast<size_t>(a.input)].shape(a.axis);
        int64_t other = a.other_input < 0
                            ? a.other_axis
                            : arguments[static_cast<size_t>(a.other_input)].shape(a.other_axis);
        if (size != other) return false;
    }
    return true;
}

Built build(const BuildRequest& request) {
    Built built;
    auto trace = std::make_shared<Trace>();
    try {
        KeptProgram made = make_program(request, true, *trace);
        built.assumptions = std::move(made.assumptions);
        built.program = shared_program(std::move(made));
    } catch (const Error& error) {
        // Sizes that were taken to be equal may contradict a type rule where a size of 1 was meant
        // to broadcast: what is true of all calls decides.
        if (error.kind() == ErrorKind::Interrupted || !request.mode.rewrite) throw;
        *trace = Trace();
        built.assumed = false;
        KeptProgram made = make_program(request, false, *trace);
        built.assumptions = std::move(made.assumptions);
        built.program = shared_program(std::move(made));
    }
    built.trace = trace;
    if (!built.assumptions.empty()) {
        struct Lazy {
            std::once_flag once;
            std::shared_ptr<const runtime::Program> program;
        };
        auto lazy = std::make_shared<Lazy>();
        built.general = [lazy, request = request] {
            std::call_once(lazy->once, [&] {
                Trace unused;
                lazy->program = shared_program(make_program(request, false, unused));
            });
            return lazy->program;
        };
    }
    return built;
}

std::vector<Event> rewriting_events(const BuildRequest& request, const Built& built) {
    std::vector<Event> events;
    if (!request.mode.rewrite) return events;
    Rewriting rewriting{request.mode, &events};
    Variables outputs = specialise(request.inputs, request.outputs, built.assumed).outputs;
    rewrite_graph(prepare_loops(outputs, rewriting), rewriting);
    return events;
}

}  // namespace croton::compile
