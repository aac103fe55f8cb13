#pragma once
// Optimisers: from a loss and its parameters to the updates of a training
// function.
#include <string_view>
#include <vector>

#include "croton/api/function.hpp"

namespace croton::optimizers {

/// Updates for FunctionOptions, and the shared variables that the optimiser
/// keeps between steps (save them with the parameters to continue a training).
struct Steps {
    Updates updates;
    std::vector<SharedVariable> state;
};

/// w -= rate * gradient.
Steps sgd(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate);
/// v = momentum * v - rate * gradient; w += v (Nesterov: w += momentum * v -
/// rate * gradient).
Steps momentum(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate,
               Arg momentum = 0.9, bool nesterov = false);
/// Adagrad (Duchi et al. 2011): s += gradient^2; w -= rate * gradient /
/// (sqrt(s) + epsilon).
Steps adagrad(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate,
              Arg epsilon = 1e-7);
/// RMSprop (Tieleman and Hinton 2012): s = decay * s + (1 - decay) *
/// gradient^2.
Steps rmsprop(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate = 1e-3,
              Arg decay = 0.9, Arg epsilon = 1e-7);
/// Adam (Kingma and Ba 2015) with bias correction.
Steps adam(const Variable& loss, const std::vector<SharedVariable>& parameters, Arg rate = 1e-3,
           Arg beta1 = 0.9, Arg beta2 = 0.999, Arg epsilon = 1e-8);

}  // namespace croton::optimizers
