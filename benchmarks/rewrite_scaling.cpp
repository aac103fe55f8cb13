// How rewriting time grows with the graph: 1,000, 10,000 and 100,000 nodes of five kinds. Then what
// a chain of a million nodes costs, from building to destruction. Processor time, in which other
// processes do not count; the least of several runs, the first of which pays for the tables.
//
//     ninja benchmarks && benchmarks/rewrite_scaling [growth | million]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "benchmarks/graph_kinds.hpp"
#include "croton/api/function.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/graph/traverse.hpp"

namespace {

using namespace croton;

double processor_ms() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Timed {
    size_t nodes;
    double each;  ///< microseconds a node
};

Timed rewrite(Variables (*make)(int), int size) {
    Variables outputs = make(size);
    Timed result{toposort(outputs).size(), 1e300};
    for (int run = 0; run < (size > 50000 ? 4 : 12); ++run) {
        double start = processor_ms();
        compile::rewrite_graph(outputs, compile::mode_named("fast"), nullptr);
        double each = 1e3 * (processor_ms() - start) / static_cast<double>(result.nodes);
        result.each = std::min(result.each, each);
    }
    return result;
}

void print_growth() {
    std::printf("%-14s %21s %21s %21s %10s %10s\n", "rewriting", "nodes, us a node",
                "nodes, us a node", "nodes, us a node", "10k : 1k", "100k : 10k");
    for (const auto& kind : kinds::all) {
        Timed timed[3];
        std::printf("%-14s", kind.name);
        for (int i = 0, size = 1000; i < 3; ++i, size *= 10) {
            timed[i] = rewrite(kind.make, size);
            std::printf(" %12zu %8.2f", timed[i].nodes, timed[i].each);
        }
        std::printf(" %10.2f %10.2f\n", timed[1].each / timed[0].each,
                    timed[2].each / timed[1].each);
        std::fflush(stdout);
    }
}

// Prints what a piece of work cost, in processor and in real time.
template <class Work>
void phase(const char* name, Work work) {
    timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    double start = processor_ms();
    work();
    double used = processor_ms() - start;
    clock_gettime(CLOCK_MONOTONIC, &after);
    double passed = static_cast<double>(after.tv_sec - before.tv_sec) +
                    1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::printf("  %-14s %8.2f s of processor, %8.2f s, peak %6ld MiB\n", name, 1e-3 * used, passed,
                usage.ru_maxrss >> 10);
    std::fflush(stdout);
}

void print_million() {
    constexpr int links = 500000;
    std::printf("chain of a million nodes in quick mode\n");
    Variable x = input(parse_type("f64[?]"), "x"), y, slope;
    Function f;
    phase("build", [&] {
        y = x;
        for (int i = 0; i < links; ++i) y = (y + 0.5) * 0.5;
    });
    phase("differentiate", [&] { slope = grad(sum(y), x); });
    FunctionOptions options;
    options.mode = compile::mode_named("quick");
    phase("compile", [&] { f = function({x}, {y, slope}, options); });
    phase("run", [&] { f(Array::of({0., 1., -3.})); });
    phase("run again", [&] { f(Array::of({0., 1., -3.})); });
    phase("destroy", [&] {
        f = Function();
        y = slope = Variable();
    });
}

}  // namespace

int main(int count, char** words) {
    std::string_view part = count > 1 ? words[1] : "";
    if (part != "million") print_growth();
    if (part != "growth") print_million();
    return 0;
}
