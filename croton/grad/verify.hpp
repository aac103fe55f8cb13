#pragma once
// Derivatives against numbers: central differences of a function's values.
#include <functional>
#include <string>

#include "croton/graph/variable.hpp"

namespace croton {

/// The function whose derivatives are checked: one floating result from the inputs.
using CheckedFunction = std::function<Variable(const Variables& inputs)>;
/// Values of outputs for values of inputs. Handed in, since this folder knows no compiler.
using Evaluator = std::function<std::vector<Array>(
    const Variables& outputs, const std::vector<std::pair<Variable, Array>>& inputs)>;

struct VerifyOptions {
    uint64_t seed = 1;  ///< of the random projection and directions; named in the report
    /// Half the distance of the two values that are compared; 0: 1e-5 in float64 (relative to the
    /// size of the element where that is above 1), 1e-2 in float32 and below.
    double step = 0;
    /// Allowed |symbolic - numeric| / max(1, |symbolic|, |numeric|); 0: 1e-6 in float64, 1e-2 in
    /// float32 and below.
    double tolerance = 0;
    bool forward = true;           ///< check jvp against grad too
    int order = 1;                 ///< 2: check the gradient's gradient too, and so on
    int64_t every_element = 64;    ///< larger inputs are checked along 4 random directions
    std::vector<bool> check = {};  ///< which inputs (default: all floating ones)
};

/// The result with its largest error, for tests that want to print it.
struct VerifyResult {
    double worst = 0;  ///< largest relative error met
    int comparisons = 0;
};

/// Compares grad of sum(function * random projection) with central differences for each element of
/// each floating point, and jvp with grad along a random direction. Inputs get the points' types
/// with every size unknown, so that broadcasting is decided at run time. A Value error
/// ("GradientError:
/// ...") says op, input, element, both numbers and the relative error. Results must be real.
VerifyResult verify_grad(const CheckedFunction& function, const std::vector<Array>& points,
                         const Evaluator& evaluate, const VerifyOptions& options = {});

}  // namespace croton
