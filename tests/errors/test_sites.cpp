// Expressions that are made of several ops belong to the line of the user who wrote one.
#include "croton/graph/traverse.hpp"
#include "tests/errors/row.hpp"

namespace croton::test {
namespace {

void expect_here(const Variables& made, const Variables& inputs, uint32_t line) {
    for (Node* node : toposort(made, inputs)) {
        if (node->kind != NodeKind::Apply) continue;
        EXPECT_EQ(std::string(node->site.file), "tests/errors/test_sites.cpp") << node->op->name;
        EXPECT_EQ(node->site.line, line) << node->op->name;
    }
}

#define EXPECT_HERE(expression) expect_here({expression}, {x, m, t, n, b}, __LINE__)

TEST(Sites, OfExpressionsMadeOfSeveralOps) {
    auto x = vector<double>("x");
    auto m = matrix<double>("m");
    auto t = tensor3<double>("t");
    auto n = scalar<int64_t>("n");
    auto b = vector<bool>("b");
    EXPECT_HERE(size(m));
    EXPECT_HERE(flatten(m));
    EXPECT_HERE(ravel(m));
    EXPECT_HERE(reshape(m, {n, -1}));
    EXPECT_HERE(transpose(m));
    EXPECT_HERE(matrix_transpose(m));
    EXPECT_HERE(swapaxes(m, 0, 1));
    EXPECT_HERE(moveaxis(t, 0, 2));
    EXPECT_HERE(expand_dims(x, 0));
    EXPECT_HERE(squeeze(dimshuffle(x, {new_axis, 0}), {0}));
    EXPECT_HERE(shape_padleft(x));
    EXPECT_HERE(shape_padright(x));
    EXPECT_HERE(broadcast_to(x, {n, 3}));
    EXPECT_HERE(broadcast_like(x, m));
    EXPECT_HERE(specify_shape(x, {n}));
    EXPECT_HERE(stack({x, x}));
    EXPECT_HERE(concatenate(Args{x, x}, 0));
    EXPECT_HERE(split(x, {2, n})[1]);
    EXPECT_HERE(tile(m, {2, n}));
    EXPECT_HERE(repeat(m, n, 1));
    EXPECT_HERE(roll(x, n));
    EXPECT_HERE(flip(m, {1}));
    EXPECT_HERE(zeros({n, 3}));
    EXPECT_HERE(ones({n, 3}));
    EXPECT_HERE(full({n}, 2.0, DType::Float32));
    EXPECT_HERE(zeros_like(x));
    EXPECT_HERE(zeros_like(x, DType::Int8));
    EXPECT_HERE(ones_like(x, DType::Int8));
    EXPECT_HERE(arange(n));
    EXPECT_HERE(linspace(0.0, 1.0, n));
    EXPECT_HERE(eye(n));
    EXPECT_HERE(diag(x));
    EXPECT_HERE(diag(m));
    EXPECT_HERE(trace(m));
    EXPECT_HERE(tensordot(m, t, 1));
    EXPECT_HERE(dot(t, t));
    EXPECT_HERE(outer(x, x));
    EXPECT_HERE(topk(x, n).first);
    EXPECT_HERE(at(m, {Slice(0, n), newaxis}));
    EXPECT_HERE(at(x, {b}));
    EXPECT_HERE(at(t, {cast(b, DType::Int64), everything, cast(b, DType::Int64)}));
    EXPECT_HERE(set_subtensor(at(m, {0}), x));
    EXPECT_HERE(inc_subtensor(take(m, cast(b, DType::Int64)), x));
    EXPECT_HERE(count(m));
    EXPECT_HERE(divmod(x, 2).second);
    EXPECT_HERE(ifelse(n, x, x + 1));
    RandomStream random(1);
    EXPECT_HERE(random.uniform({n}, 1.0, 2.0));
    EXPECT_HERE(random.normal({n}, 1.0, 2.0));
    EXPECT_HERE(random.integers({n}, 0, 10));
    EXPECT_HERE(random.bernoulli({n}, 0.5));
    EXPECT_HERE(random.poisson({n}, 2.0));
    EXPECT_HERE(random.binomial({n}, 9, 0.5));
    EXPECT_HERE(cumsum(m));
    EXPECT_HERE(cumprod(m));
    EXPECT_HERE(random.permutation(n));
    EXPECT_HERE(random.shuffled(x));
    EXPECT_HERE(random.choice(x, n));
    EXPECT_HERE(random.categorical(m));
}

TEST(Sites, OfGradientsAreThoseOfTheirOps) {
    auto x = vector<double>("x");
    auto y = exp(x);
    auto cost = sum(sqr(y));
    auto line = cost.site().line;
    auto slope = grad(cost, x);  // holds the nodes
    for (Node* node : toposort({slope}, {x})) {
        if (node->kind != NodeKind::Apply) continue;
        EXPECT_EQ(std::string(node->site.file), "tests/errors/test_sites.cpp") << node->op->name;
        EXPECT_TRUE(node->site.line == line || node->site.line == line - 1) << node->op->name;
    }
}

}  // namespace
}  // namespace croton::test
