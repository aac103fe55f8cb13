// How rewriting time grows with the graph: 10,000 and 100,000 nodes of several kinds. Near-linear
// means a ratio near 10; the house allows 15.
//
//     ninja benchmarks && benchmarks/rewrite_scaling
#include <chrono>
#include <cstdio>
#include <random>

#include "croton/compile/pipeline.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace {

using namespace croton;

Variable matrix(const char* name) {
    return input(TensorType{DType::Float64, Dims{Dim::symbol("n"), Dim::symbol("n")}}, name);
}

// Alternating links of which some vanish by rules.
Variables chain(int nodes) {
    Variable x = matrix("x"), v = x;
    for (int i = 0; i < nodes; ++i) switch (i % 5) {
            case 0: v = tanh(v); break;
            case 1: v = v + x; break;
            case 2: v = -v; break;
            case 3: v = -v; break;
            default: v = v * 0.5;
        }
    return {v};
}

// One value with very many users, summed.
Variables wide_sum(int nodes) {
    Variable x = matrix("x"), shared = exp(x), total = shared;
    for (int i = 0; i < nodes / 3; ++i) total = total + sin(shared * (1.0 + i));
    return {total};
}

// Layers with biases, and the gradient of the loss with respect to all parameters.
Variables deep_network(int nodes) {
    Variable v = matrix("x");
    Variables parameters;
    for (int layer = 0; layer < nodes / 14; ++layer) {
        Variable w = matrix("w");
        Variable b = input(TensorType{DType::Float64, Dims{Dim::symbol("n")}}, "b");
        parameters.insert(parameters.end(), {w, b});
        v = tanh(dot(v, w) + b);
    }
    Variable loss = mean(sqr(log(softmax(v))));
    Variables outputs = grad(loss, parameters);
    outputs.push_back(loss);
    return outputs;
}

Variables random_dag(int nodes) {
    std::mt19937 random(1);
    Variables pool = {matrix("x"), matrix("y"), matrix("z")};
    auto any = [&] {
        return pool[std::uniform_int_distribution<size_t>(pool.size() > 50 ? pool.size() - 50 : 0,
                                                          pool.size() - 1)(random)];
    };
    while (pool.size() < static_cast<size_t>(nodes)) switch (random() % 6) {
            case 0: pool.push_back(any() + any()); break;
            case 1: pool.push_back(any() * any()); break;
            case 2: pool.push_back(any() - any()); break;
            case 3: pool.push_back(exp(any())); break;
            case 4: pool.push_back(-any()); break;
            default: pool.push_back(log(any()));
        }
    return Variables(pool.end() - 20, pool.end());
}

struct Timed {
    size_t nodes;
    double milliseconds;
};

Timed rewrite(const Variables& outputs) {
    Timed result{toposort(outputs).size(), 0};
    auto start = std::chrono::steady_clock::now();
    compile::rewrite_graph(outputs, compile::mode_named("fast"), nullptr);
    result.milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return result;
}

}  // namespace

int main() {
    struct Kind {
        const char* name;
        Variables (*make)(int nodes);
    };
    std::printf("%-14s %10s %10s %8s %10s %10s %8s %8s\n", "graph", "nodes", "ms", "us/node",
                "nodes", "ms", "us/node", "ratio");
    for (Kind kind : {Kind{"chain", chain}, Kind{"wide sum", wide_sum},
                      Kind{"deep network", deep_network}, Kind{"random", random_dag}}) {
        Timed small = rewrite(kind.make(10000)), large = rewrite(kind.make(100000));
        auto each = [](Timed t) { return 1e3 * t.milliseconds / static_cast<double>(t.nodes); };
        std::printf("%-14s %10zu %10.1f %8.2f %10zu %10.1f %8.2f %8.1f\n", kind.name, small.nodes,
                    small.milliseconds, each(small), large.nodes, large.milliseconds, each(large),
                    large.milliseconds / small.milliseconds);
        std::fflush(stdout);
    }
    return 0;
}
