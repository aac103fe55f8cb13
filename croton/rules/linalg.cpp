// Matrix products: transpositions cost nothing on their operands, addends go into gemm.
#include "croton/ops/linalg.hpp"

#include <algorithm>
#include <cmath>

#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/parts.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// gemm writes over its addend. That pays for a value that dies here, and for an argument whose sum
// with the product is a result: the update of a parameter, most often, which is then made where the
// parameter lies. (An argument that is not replaced is copied to where the result will be.) Another
// argument would have to be copied first, and its update could no longer be made in place by the
// elementwise kernel that follows. Nor may either be stretched by the other: both have the sizes of
// the result.
bool may_be_written_over(const Match& m) {
    const Arena& arena = m.arena();
    switch (arena.kind(m.value("c").node)) {
        case NodeKind::Apply: return m.used_once("c");
        case NodeKind::Input: return arena.leaves_graph(m.root());
        default: return false;
    }
}
// Whether the product of a and b below the node is there for it alone. Empty: it is not below it.
std::optional<bool> product_serves(const Match& m, NodeId node, int depth = 2) {
    static const OpRecord* const product = find_op("matrix_product");
    for (Value below : m.arena().inputs(node)) {
        auto inputs = m.arena().inputs(below.node);
        bool here = m.arena().op(below.node) == product && inputs[0] == m.value("a") &&
                    inputs[1] == m.value("b");
        auto found = here         ? std::optional(true)
                     : depth == 0 ? std::nullopt
                                  : product_serves(m, below.node, depth - 1);
        if (found) return *found && m.arena().use_count(below.node) == 1;
    }
    return {};
}
// What is wanted itself is not computed a second time in another form.
bool product_serves_root(const Match& m) { return product_serves(m, m.root()).value_or(false); }

bool batches_fit(const Dims& a, const Dims& b, const Dims& c) {
    for (size_t i = 0; i + 2 < c.size(); ++i) {
        auto size = [&](const Dims& own) {
            size_t missing = c.size() - own.size();
            return i < missing ? Dim(1) : own[i - missing];
        };
        Dim x = size(a), y = size(b);
        bool first = x.certainly_equals(c[i]), second = y.certainly_equals(c[i]);
        if (!(first && (second || y.is_one())) && !(second && x.is_one())) return false;
    }
    return true;
}
bool may_take_addend(const Match& m) {
    const Dims &a = m.type("a").dims, &b = m.type("b").dims, &c = m.type("c").dims;
    if (!may_be_written_over(m) || !shaped_like_result("c")(m) || !product_serves_root(m))
        return false;
    size_t rank = c.size();
    return std::min(a.size(), b.size()) >= 2 && std::max(a.size(), b.size()) == rank &&
           a[a.size() - 2].certainly_equals(c[rank - 2]) &&
           b[b.size() - 1].certainly_equals(c[rank - 1]) && batches_fit(a, b, c) &&
           is_continuous(m.root_type().dtype);
}
const Condition addend_fits{
    "c dies here, or is an argument and the sum a result; it has the sizes of the product, which "
    "is "
    "not wanted itself",
    may_take_addend};
const Condition scale_fits = both(addend_fits, rank_zero("s"));
const Condition beta_fits = both(addend_fits, rank_zero("t")).in_any_order();
const Condition scales_fit = both(beta_fits, rank_zero("s")).in_any_order();
// Over no inner elements the product is 0, and 0 * inf would be no number.
const Condition finite_scale = both(both(both(floating("a"), not_half("a")),
                                         both(both(floating("b"), not_half("b")), floating("s"))),
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
// A matrix with a vector on its diagonal scales rows or columns: the vector, if that is what it is.
Variable diagonal_of(const Match& m, std::string_view matrix) {
    static const OpRecord* diag_op = record("diag_embed");
    Value v = m.value(matrix);
    Arena& arena = m.arena();
    if (!made_by(arena, v, diag_op) || arena.attr_view(v.node).get<int64_t>("offset") != 0)
        return {};
    Variable vector = input_of(arena, v, 0);
    const Dims& dims = arena.type(v).dims;
    bool whole = vector.rank() == 1 && dims[0].certainly_equals(dims[1]) &&
                 dims[0].certainly_equals(vector.type().dims[0]);
    return whole && vector.dtype() == m.root_type().dtype ? vector : Variable();
}
Variable rows_scaled(const Match& m) {
    Variable d = diagonal_of(m, "a");
    return d && m.type("b").rank() == 2 ? expand_dims(d, 1) * m["b"] : Variable();
}
Variable columns_scaled(const Match& m) {
    Variable d = diagonal_of(m, "b");
    return d && m.type("a").rank() == 2 ? m["a"] * d : Variable();
}

// Ones on the diagonal and zeros elsewhere, as many rows as columns.
bool is_identity(const Match& m, std::string_view matrix) {
    static const OpRecord* eye_op = record("eye");
    Value v = m.value(matrix);
    Arena& arena = m.arena();
    if (!made_by(arena, v, eye_op)) return false;
    const Array* offset = arena.constant(arena.inputs(v.node)[2]);
    const Dims& dims = arena.type(v).dims;
    return offset && offset->item<int64_t>() == 0 && dims[0].certainly_equals(dims[1]);
}
Condition identity(const std::string& name) {
    return {cat(name, " is an identity"), [name](const Match& m) { return is_identity(m, name); }};
}

// Of a product only the diagonal: no other element is computed.
Variable diagonal_of_product(const Match& m) {
    const Variable &a = m["a"], &b = m["b"];
    if (a.rank() != 2 || b.rank() != 2 || a.dtype() != b.dtype() || !is_floating(a.dtype()) ||
        !a.type().dims[0].certainly_equals(b.type().dims[1]) ||
        m.arena().use_count(m.arena().inputs(m.root())[0].node) != 1)
        return {};
    return sum(a * dimshuffle(b, {1, 0}), Ints{1});
}

const Condition batched_matrices{
    "a and b have three axes, the product itself is not wanted", [](const Match& m) {
        return m.type("a").rank() == 3 && m.type("b").rank() == 3 && product_serves_root(m);
    }};
const Condition matrices{
    "a and b are matrices, the product itself is not wanted", [](const Match& m) {
        return m.type("a").rank() == 2 && m.type("b").rank() == 2 && product_serves_root(m);
    }};
}  // namespace

const Rules& linalg() {
    static const Variable a = wildcard("a"), b = wildcard("b"), c = wildcard("c"),
                          s = wildcard("s"), t = wildcard("t");
    static const Rules rules = {
        {"transposed batch of products", dimshuffle(matrix_product(a, b), {0, 2, 1}),
         matrix_product(dimshuffle(b, {0, 2, 1}), dimshuffle(a, {0, 2, 1})), batched_matrices},
        {"product of a diagonal", matrix_product(a, b), rows_scaled,
         as_the_function_says("a has a vector on its diagonal")},
        {"product with a diagonal", matrix_product(a, b), columns_scaled,
         as_the_function_says("b has a vector on its diagonal")},
        {"product of the identity", matrix_product(a, b), b,
         both(identity("a"), shaped_like_result("b"))},
        {"product with the identity", matrix_product(a, b), a,
         both(identity("b"), shaped_like_result("a"))},
        {"diagonal of a product", diagonal(matrix_product(a, b), 0, 0, 1), diagonal_of_product,
         as_the_function_says(
             "floating matrices of fitting sizes, the product itself is not wanted")},
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
        // With a scale of the addend first: it is taken along.
        {"scaled product plus scaled addend", c * t + matrix_product(a, b) * s, gemm(a, b, c, s, t),
         scales_fit},
        {"scaled addend minus scaled product", c * t - matrix_product(a, b) * s,
         gemm(a, b, c, -s, t), scales_fit},
        {"scaled product minus scaled addend", matrix_product(a, b) * s - c * t,
         gemm(a, b, c, s, -t), scales_fit},
        {"product plus scaled addend", c * t + matrix_product(a, b), gemm(a, b, c, 1, t),
         beta_fits},
        {"scaled addend minus product", c * t - matrix_product(a, b), gemm(a, b, c, -1, t),
         beta_fits},
        {"product minus scaled addend", matrix_product(a, b) - c * t, gemm(a, b, c, 1, -t),
         beta_fits},
        {"scaled product minus addend", matrix_product(a, b) * s - c, gemm(a, b, c, s, -1),
         scale_fits},
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
