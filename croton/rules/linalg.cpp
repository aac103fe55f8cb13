// Matrix products: transpositions cost nothing on their operands, addends go into gemm.
#include "croton/ops/linalg.hpp"

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// gemm writes over its addend. That pays for a value that dies here; an argument would have to be
// copied first, and its update could no longer be made in place by the elementwise kernel that
// follows. Nor may either be stretched by the other: both have the sizes of the result.
bool addend_fits(const Match& m) {
    const Dims &a = m.type("a").dims, &b = m.type("b").dims, &c = m.type("c").dims;
    if (m.arena().kind(m.value("c").node) != NodeKind::Apply || !shaped_like_result("c")(m))
        return false;
    return a.size() == 2 && b.size() == 2 && a[0].certainly_equals(c[0]) &&
           b[1].certainly_equals(c[1]) && is_continuous(m.root_type().dtype) && m.used_once("c");
}
bool scale_fits(const Match& m) { return addend_fits(m) && m.type("s").rank() == 0; }
bool matrices(const Match& m) { return m.type("a").rank() == 2 && m.type("b").rank() == 2; }
}  // namespace

const Rules& linalg() {
    static const Variable a = wildcard("a"), b = wildcard("b"), c = wildcard("c"),
                          s = wildcard("s");
    static const Rules rules = {
        {"transposed product", dimshuffle(matrix_product(a, b), {1, 0}),
         matrix_product(dimshuffle(b, {1, 0}), dimshuffle(a, {1, 0})), matrices},
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
