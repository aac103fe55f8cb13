// Matrix products: transpositions cost nothing on their operands, addends go into gemm.
#include "croton/ops/linalg.hpp"

#include <algorithm>
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// gemm writes over its addend. That pays for a value that dies here; an argument would have to be
// copied first, and its update could no longer be made in place by the elementwise kernel that
// follows. Nor may either be stretched by the other: both have the sizes of the result.
bool may_take_addend(const Match& m) {
    const Dims &a = m.type("a").dims, &b = m.type("b").dims, &c = m.type("c").dims;
    if (m.arena().kind(m.value("c").node) != NodeKind::Apply || !shaped_like_result("c")(m))
        return false;
    return a.size() == 2 && b.size() == 2 && a[0].certainly_equals(c[0]) &&
           b[1].certainly_equals(c[1]) && is_continuous(m.root_type().dtype) && m.used_once("c");
}
const Condition addend_fits{"matrices, c dies here and has the sizes of the result",
                            may_take_addend};
const Condition scale_fits = both(addend_fits, rank_zero("s"));
// Over no inner elements the product is 0, and 0 * inf would be no number.
const Condition finite_scale = both(both(floating("a"), both(floating("b"), floating("s"))),
                                    {"s is a finite constant scalar", [](const Match& m) {
                                         auto s = m.number("s");
                                         return s && std::isfinite(*s) && m.type("s").rank() == 0;
                                     }});

// What is summed over rows or columns need not be computed: the sum goes to the factor that has
// the axis. Where the product itself is wanted, too, nothing is saved.
Variable product_of_sums(const Match& m) {
    const Variable &a = m["a"], &b = m["b"];
    NodeId product = m.arena().inputs(m.root())[0].node;
    if (a.rank() != 2 || b.rank() != 2 || !is_floating(m.root_type().dtype) ||
        a.dtype() != b.dtype() || m.arena().use_count(product) != 1)
        return {};
    const Ints& axes = m.attr<Ints>("axes");
    bool rows = std::count(axes.begin(), axes.end(), 0) > 0,
         columns = std::count(axes.begin(), axes.end(), 1) > 0;
    if (!rows && !columns) return {};
    Variable result =
        matrix_product(rows ? sum(a, Ints{0}, true) : a, columns ? sum(b, Ints{1}, true) : b);
    return m.attr<bool>("keepdims") ? result : squeeze(result, axes);
}
const Condition matrices{"a and b are matrices", [](const Match& m) {
                             return m.type("a").rank() == 2 && m.type("b").rank() == 2;
                         }};
}  // namespace

const Rules& linalg() {
    static const Variable a = wildcard("a"), b = wildcard("b"), c = wildcard("c"),
                          s = wildcard("s");
    static const Rules rules = {
        {"transposed product", dimshuffle(matrix_product(a, b), {1, 0}),
         matrix_product(dimshuffle(b, {1, 0}), dimshuffle(a, {1, 0})), matrices},
        {"product of negated left", matrix_product(-a, b), -matrix_product(a, b), floating("a")},
        {"product of negated right", matrix_product(a, -b), -matrix_product(a, b), floating("b")},
        {"product of scaled left", matrix_product(a * s, b), matrix_product(a, b) * s,
         finite_scale},
        {"product of scaled right", matrix_product(a, b * s), matrix_product(a, b) * s,
         finite_scale},
        {"sum of product", any_attrs(sum(matrix_product(a, b)), {"axes", "keepdims"}),
         product_of_sums,
         as_the_function_says("floating matrices, the product itself is not wanted")},
        {"product plus addend", c + matrix_product(a, b), gemm(a, b, c, 1, 1), addend_fits},
        {"addend minus product", c - matrix_product(a, b), gemm(a, b, c, -1, 1), addend_fits},
        {"product minus addend", matrix_product(a, b) - c, gemm(a, b, c, 1, -1), addend_fits},
        {"scaled product plus addend", c + matrix_product(a, b) * s, gemm(a, b, c, s, 1),
         scale_fits},
        {"addend minus scaled product", c - matrix_product(a, b) * s, gemm(a, b, c, -s, 1),
         scale_fits},
    };
    return rules;
}

}  // namespace croton::rules
