// Updates through positions: the gradient of a lookup never becomes a dense array.
#include <gtest/gtest.h>

#include "croton/api/function.hpp"
#include "croton/grad/grad.hpp"
#include "croton/graph/text.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/reduce.hpp"

namespace croton {
namespace {

size_t steps_named(const Function& f, std::string_view op) {
    size_t count = 0;
    for (const auto& step : f.program().steps)
        if (auto host = std::get_if<runtime::ExternStep>(&step.kind)) count += host->op->name == op;
    return count;
}
// Kernels over as many elements as the table has: none is wanted.
bool touches_whole_table(const Function& f) {
    for (const auto& step : f.program().steps)
        if (step.label.find("sub") != std::string::npos &&
            step.label.find("take") == std::string::npos)
            return true;
    return false;
}

TEST(Scatter, AnUpdateTouchesTheNamedRowsOnly) {
    SharedVariable w = shared(Array::of({1., 2., 3., 4., 5., 6.}).reshape({3, 2}), "w");
    Variable i = input(parse_type("i64[?]"), "i"), t = input(parse_type("f64[?,?]"), "t");
    Variable loss = sum(sqr(take(w, i, 0, "raise") - t));
    FunctionOptions options;
    options.updates = {{w, w - grad(loss, w) * 0.25}};
    Function f = function({i, t}, {loss}, options);
    EXPECT_EQ(steps_named(f, "put"), 1u);
    EXPECT_FALSE(touches_whole_table(f)) << f.program().print();
    // Row 2 is named twice: 2 * (w - t) of both is taken off, a quarter of it each.
    auto at = Array::of(std::vector<int64_t>{2, 0, 2}, {3});
    f(at, Array::of({4., 6., 0., 0., 5., 4.}).reshape({3, 2}));
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{0.5, 1, 3, 4, 4.5, 5}));
    // A position out of bounds leaves the table as it was.
    EXPECT_THROW(
        f(Array::of(std::vector<int64_t>{0, 3}, {2}), Array::zeros(DType::Float64, {2, 2})), Error);
    EXPECT_EQ(w.get_value().to_vector<double>(), (std::vector<double>{0.5, 1, 3, 4, 4.5, 5}));
}

}  // namespace
}  // namespace croton
