// Right numbers at the edges: logarithms, exponentials, softmax and their kin.
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

const Rules& stability() {
    static const Variable x = wildcard("x");
    static const Rules rules = {
        // name              left            right      where it holds
        {"log of one plus", log(1 + x), log1p(x), floating("x")},
        {"exp minus one", exp(x) - 1, expm1(x), floating("x")},
    };
    return rules;
}

}  // namespace croton::rules
