// The order of products: (A B) v costs a product of matrices, A (B v) two of a matrix and a vector.
#include <algorithm>
#include <array>

#include "croton/ops/linalg.hpp"
#include "croton/rules/node_rules.hpp"
#include "croton/rules/parts.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// Multiplications of one product: a number times sizes that have symbols.
struct Cost {
    double number = 1;
    std::vector<int64_t> symbols;
};
std::optional<Cost> cost_of(Dim rows, Dim inner, Dim columns) {
    Cost cost;
    for (Dim dim : {rows, inner, columns}) {
        if (dim.unknown()) return {};
        if (dim.known())
            cost.number *= static_cast<double>(dim.size());
        else
            cost.symbols.push_back(dim.code());
    }
    std::sort(cost.symbols.begin(), cost.symbols.end());
    return cost;
}

// Whether a is at most half of b, whatever the symbols: what only b has is taken to be 2 or more.
bool at_most_half(const Cost& a, const Cost& b) {
    if (!std::includes(b.symbols.begin(), b.symbols.end(), a.symbols.begin(), a.symbols.end()))
        return false;
    double factor = b.symbols.size() > a.symbols.size() ? 2 : 1;
    return b.number > 0 && 2 * a.number <= factor * b.number;
}

// Sums of two costs: less for certain, each part being at most half of the same one, or by number.
bool cheaper(const std::array<std::optional<Cost>, 2>& a,
             const std::array<std::optional<Cost>, 2>& b) {
    if (!a[0] || !a[1] || !b[0] || !b[1]) return false;
    bool numbers = a[0]->symbols.empty() && a[1]->symbols.empty() && b[0]->symbols.empty() &&
                   b[1]->symbols.empty();
    if (numbers) return a[0]->number + a[1]->number < b[0]->number + b[1]->number;
    return std::any_of(b.begin(), b.end(), [&](const auto& large) {
        return at_most_half(*a[0], *large) && at_most_half(*a[1], *large);
    });
}

bool product_of_matrices(Arena& arena, Value v) {
    static const OpRecord* product_op = record("matrix_product");
    return made_by(arena, v, product_op) && arena.type(v).rank() == 2 &&
           arena.type(arena.inputs(v.node)[0]).rank() == 2 &&
           arena.type(arena.inputs(v.node)[1]).rank() == 2;
}

Variables cheaper_order(Arena& arena, NodeId id) {
    if (!product_of_matrices(arena, {id, 0}) || !is_floating(arena.type({id, 0}).dtype)) return {};
    for (size_t side = 0; side < 2; ++side) {
        Value inner = arena.inputs(id)[side], other = arena.inputs(id)[1 - side];
        if (!product_of_matrices(arena, inner) || arena.use_count(inner.node) != 1 ||
            arena.type(inner).dtype != arena.type({id, 0}).dtype)
            continue;
        std::array<Value, 3> chain{arena.inputs(inner.node)[0], arena.inputs(inner.node)[1], other};
        if (side == 1) std::rotate(chain.begin(), chain.begin() + 2, chain.end());
        auto dim = [&](size_t i, size_t axis) { return arena.type(chain[i]).dims[axis]; };
        Dim m = dim(0, 0), k = dim(1, 0), n = dim(1, 1), p = dim(2, 1);
        std::array left{cost_of(m, k, n), cost_of(m, n, p)},
            right{cost_of(k, n, p), cost_of(m, k, p)};
        bool left_now = side == 0;
        if (!(left_now ? cheaper(right, left) : cheaper(left, right))) continue;
        Variable a = arena.variable(chain[0]), b = arena.variable(chain[1]),
                 c = arena.variable(chain[2]);
        Variable made = left_now ? matrix_product(a, matrix_product(b, c))
                                 : matrix_product(matrix_product(a, b), c);
        if (made.dtype() != arena.type({id, 0}).dtype) return {};
        return {with_sizes(made, arena.type({id, 0}).dims)};
    }
    return {};
}
}  // namespace

std::vector<NodeRule> chain_node_rules() {
    return {NodeRule{"products in the cheaper order", cheaper_order, about({"matrix_product"}),
                     below({"matrix_product"})}};
}

}  // namespace croton::rules
