#include "croton/api/optimizers.hpp"

#include "croton/grad/grad.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/special.hpp"

namespace croton::optimizers {

namespace {
Variables gradients(const Variable& loss, const std::vector<SharedVariable>& parameters) {
    return grad(loss, Variables(parameters.begin(), parameters.end()));
}

// A setting of the optimiser in a parameter's dtype: 1 - decay would else be a float64 of its own.
Variable setting(const Arg& value, const SharedVariable& w) { return cast(value, w.dtype()); }

// Zeros of a parameter's present sizes, named after it.
SharedVariable zeros_for(const SharedVariable& w, std::string_view suffix, Steps& steps) {
    auto state = shared(Array::zeros(w.dtype(), w.value_shape()), cat(w.name(), suffix));
    steps.state.push_back(state);
    return state;
}
}  // namespace

Steps sgd(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate) {
    Steps steps;
    auto g = gradients(loss, parameters);
    for (size_t i = 0; i < parameters.size(); ++i)
        steps.updates.emplace_back(parameters[i], parameters[i] - rate * g[i]);
    return steps;
}

Steps momentum(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate,
               Arg momentum, bool nesterov) {
    Steps steps;
    auto g = gradients(loss, parameters);
    for (size_t i = 0; i < parameters.size(); ++i) {
        const auto& w = parameters[i];
        auto v = zeros_for(w, ".velocity", steps);
        Variable next = momentum * v - rate * g[i];
        steps.updates.emplace_back(v, next);
        steps.updates.emplace_back(w, w + (nesterov ? momentum * next - rate * g[i] : next));
    }
    return steps;
}

Steps adagrad(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate,
              Arg epsilon) {
    Steps steps;
    auto g = gradients(loss, parameters);
    for (size_t i = 0; i < parameters.size(); ++i) {
        auto s = zeros_for(parameters[i], ".squares", steps);
        Variable next = s + g[i] * g[i];
        steps.updates.emplace_back(s, next);
        steps.updates.emplace_back(parameters[i],
                                   parameters[i] - rate * g[i] / (sqrt(next) + epsilon));
    }
    return steps;
}

Steps rmsprop(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate,
              Arg decay, Arg epsilon) {
    Steps steps;
    auto g = gradients(loss, parameters);
    for (size_t i = 0; i < parameters.size(); ++i) {
        auto s = zeros_for(parameters[i], ".squares", steps);
        Variable keep = setting(decay, parameters[i]);
        Variable next = keep * s + (1 - keep) * (g[i] * g[i]);
        steps.updates.emplace_back(s, next);
        steps.updates.emplace_back(parameters[i],
                                   parameters[i] - rate * g[i] / (sqrt(next) + epsilon));
    }
    return steps;
}

Steps adam(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate, Arg beta1,
           Arg beta2, Arg epsilon) {
    Steps steps;
    if (parameters.empty()) return steps;
    auto g = gradients(loss, parameters);
    DType dtype = parameters[0].dtype();
    auto t = shared(Array::zeros(dtype, {}), "adam.step");
    steps.state.push_back(t);
    Variable now = t + 1;
    steps.updates.emplace_back(t, now);
    Variable b1 = setting(beta1, parameters[0]), b2 = setting(beta2, parameters[0]);
    Variable corrected = rate * sqrt(1 - pow(b2, now)) / (1 - pow(b1, now));
    for (size_t i = 0; i < parameters.size(); ++i) {
        const auto& w = parameters[i];
        auto m = zeros_for(w, ".mean", steps), s = zeros_for(w, ".squares", steps);
        Variable mean = b1 * m + (1 - b1) * g[i];
        Variable squares = b2 * s + (1 - b2) * (g[i] * g[i]);
        steps.updates.emplace_back(m, mean);
        steps.updates.emplace_back(s, squares);
        steps.updates.emplace_back(w, w - corrected * mean / (sqrt(squares) + epsilon));
    }
    return steps;
}

}  // namespace croton::optimizers
