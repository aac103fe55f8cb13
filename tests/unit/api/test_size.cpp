// Graphs of a million nodes through the whole library.
#include <gtest/gtest.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/special.hpp"

namespace croton {
namespace {

// y = ((x + 0.5) * 0.5 + 0.5) * 0.5 ... of a million nodes; a fixed point at 0.5, and a gradient
// that vanishes. Built, differentiated, compiled in quick mode, run and destroyed: a stack that
// grows with the graph would overflow.
TEST(Size, AMillionNodesThroughQuickMode) {
    constexpr int links = 500000;
    Variable x = input(parse_type("f64[?]"), "x"), y = x;
    for (int i = 0; i < links; ++i) y = (y + 0.5) * 0.5;
    Variable slope = grad(sum(y), x);
    FunctionOptions options;
    options.mode = compile::mode_named("quick");
    Function f = function({x}, {y, slope}, options);
    auto results = f(Array::of({0., 1., -3.}));
    EXPECT_EQ(results[0].to_vector<double>(), (std::vector<double>{0.5, 0.5, 0.5}));
    EXPECT_EQ(results[1].to_vector<double>(), (std::vector<double>{0, 0, 0}));
}

}  // namespace
}  // namespace croton
