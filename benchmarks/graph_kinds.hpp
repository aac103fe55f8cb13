#pragma once
// Graphs of five kinds and any size: the benchmark times their rewriting, a test counts its steps.
#include <random>

#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace croton::kinds {

inline Variable of_rank(const char* name, size_t rank) {
    return input(TensorType{DType::Float64, Dims(rank, Dim::symbol("n"))}, name);
}
inline Variable matrix(const char* name) { return of_rank(name, 2); }

// Alternating links of which some vanish by rules.
inline Variables chain(int nodes) {
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
inline Variables wide_sum(int nodes) {
    Variable x = matrix("x"), shared = exp(x), total = shared;
    for (int i = 0; i < nodes / 4; ++i) total = total + sin(shared * (1.0 + i));
    return {total};
}

// Layers with biases, and the gradient of the loss with respect to all parameters.
inline Variables deep_network(int nodes) {
    Variable v = matrix("x");
    Variables parameters;
    for (int layer = 0; layer < nodes / 14; ++layer) {
        Variable w = matrix("w"), b = of_rank("b", 1);
        parameters.insert(parameters.end(), {w, b});
        v = tanh(dot(v, w) + b);
    }
    Variable loss = mean(sqr(log(softmax(v))));
    Variables outputs = grad(loss, parameters);
    outputs.push_back(loss);
    return outputs;
}

// Groups of measurements with a slope, an intercept and a spread each, drawn from common ones: the
// log-density, and its gradient with respect to all parameters.
inline Variables hierarchical(int nodes) {
    Variable mu = of_rank("mu", 0), log_tau = of_rank("log tau", 0), tau = exp(log_tau);
    Variable density = -0.5 * sqr(mu) - 0.5 * sqr(log_tau);
    Variables parameters = {mu, log_tau};
    for (int group = 0; group < nodes / 62; ++group) {
        Variable a = of_rank("a", 0), b = of_rank("b", 0), log_sigma = of_rank("log sigma", 0);
        parameters.insert(parameters.end(), {a, b, log_sigma});
        Variable x = of_rank("x", 1), y = of_rank("y", 1);
        Variable scaled = (y - (mu + tau * a) - (mu + tau * b) * x) * exp(-log_sigma);
        density = density - 0.5 * sum(sqr(scaled)) - log_sigma;
        density = density - 0.5 * (sqr(a) + sqr(b)) - 0.5 * sqr(log_sigma);
    }
    Variables outputs = grad(density, parameters);
    outputs.push_back(density);
    return outputs;
}

inline Variables random_dag(int nodes) {
    std::mt19937 random(1);
    Variables pool = {matrix("x"), matrix("y"), matrix("z")};
    auto any = [&] {
        return pool[std::uniform_int_distribution<size_t>(pool.size() > 50 ? pool.size() - 50 : 0,
                                                          pool.size() - 1)(random)];
    };
    while (pool.size() < static_cast<size_t>(1.7 * nodes)) switch (random() % 6) {
            case 0: pool.push_back(any() + any()); break;
            case 1: pool.push_back(any() * any()); break;
            case 2: pool.push_back(any() - any()); break;
            case 3: pool.push_back(exp(any())); break;
            case 4: pool.push_back(-any()); break;
            default: pool.push_back(log(any()));
        }
    return Variables(pool.end() - 20, pool.end());
}

struct Kind {
    const char* name;
    Variables (*make)(int nodes);  ///< about so many nodes
};
inline constexpr Kind all[] = {{"chain", chain},
                               {"wide sum", wide_sum},
                               {"deep network", deep_network},
                               {"hierarchical", hierarchical},
                               {"random", random_dag}};

}  // namespace croton::kinds
