#include "croton/compile/build.hpp"

#include <chrono>

#include "croton/compile/graph_cache.hpp"
#include "croton/compile/loops.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/compile/reference.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/compile/translate.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::compile {

namespace {
double since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// From the disk if an earlier process left it there. In check mode everything is done and looked
// at.
Specialised rewritten_graph(const BuildRequest& request, bool assume, Trace& trace) {
    const Mode& mode = request.mode;
    bool cached = !mode.check && !mode.own_rules && runtime::DiskCache::current();
    std::string key = cached ? graph_key(request, assume) : "";
    if (!key.empty())
        if (auto kept = kept_graph(key)) {
            trace.graph_from_cache = true;
            return *kept;
        }
    Specialised result = specialise(request.inputs, request.outputs, assume);
    Rewriting rewriting{mode};
    result.outputs = rewrite_graph(prepare_loops(result.outputs, rewriting), rewriting);
    if (!key.empty()) keep_graph(key, result);
    return result;
}

std::shared_ptr<const runtime::Program> make_program(const BuildRequest& request, bool assume,
                                                     Trace& trace,
                                                     std::vector<SizeAssumption>& assumptions) {
    auto start = std::chrono::steady_clock::now();
    const Mode& mode = request.mode;
    Variables inputs = request.inputs, outputs = request.outputs;
    if (mode.rewrite) {
        Specialised rewritten = rewritten_graph(request, assume, trace);
        assumptions = std::move(rewritten.assumptions);
        inputs = std::move(rewritten.inputs);
        outputs = std::move(rewritten.outputs);
    }
    trace.rewrite_seconds = since(start);
    start = std::chrono::steady_clock::now();
    auto program = std::make_shared<runtime::Program>(
        translate(inputs, outputs, mode.fuse, request.name, request.updates));
    program->verify();
    trace.schedule_seconds = since(start);
    runtime::CompileStats stats;
    generate(*program, runtime::backend(mode.backend), &stats);
    trace.generate_seconds = stats.seconds;
    trace.compiled_kernels = stats.compiled;
    trace.cached_kernels = stats.from_cache;
    return program;
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
        built.program = make_program(request, true, *trace, built.assumptions);
    } catch (const Error& error) {
        // Sizes that were taken to be equal may contradict a type rule where a size of 1 was meant
        // to broadcast: what is true of all calls decides.
        if (error.kind() == ErrorKind::Interrupted || !request.mode.rewrite) throw;
        *trace = Trace();
        built.assumptions.clear();
        built.assumed = false;
        built.program = make_program(request, false, *trace, built.assumptions);
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
                std::vector<SizeAssumption> none;
                lazy->program = make_program(request, false, unused, none);
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
