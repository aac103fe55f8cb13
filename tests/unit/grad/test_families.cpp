// Derivatives of shapes, indexing, matrix products and control against numbers; whole Jacobians.
#include "croton/graph/listing.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "tests/unit/grad/support.hpp"

namespace croton {
namespace {
using test::error_of;
using test::in;
using test::number;
using test::numbers;
using test::value;
using test::verify;

const Array a23 = numbers({0.3, -0.7, 1.1, 0.6, 0.9, -0.2}, {2, 3});
const Array b34 = numbers({0.1, 0.4, -0.3, 0.8, 1.2, -0.9, 0.5, 0.2, -0.6, 0.7, 1.4, -1.1}, {3, 4});
const Array v3 = numbers({0.5, 1.5, -0.8});
const Array v2 = numbers({-0.4, 0.9});
const Array c223 =
    numbers({0.3, -0.7, 1.1, 0.6, 0.9, -0.2, 1.3, 0.7, -1.1, 0.2, 0.8, 0.4}, {2, 2, 3});

struct Case {
    const char* name;
    CheckedFunction function;
    std::vector<Array> points;
};

TEST(Families, AgainstNumbers) {
    using V = const Variables&;
    Array places = Array::of<int64_t>({2, 0, 2, -1});
    Array choice = Array::of<int64_t>({2, 0});
    const std::vector<Case> cases = {
        {"reshape", [](V v) { return sqr(reshape(v[0], {3, -1})); }, {a23}},
        {"flatten", [](V v) { return sin(flatten(v[0])); }, {a23}},
        {"transpose", [](V v) { return transpose(v[0]) * v[1]; }, {a23, v2}},
        {"dimshuffle", [](V v) { return sin(dimshuffle(v[0], {new_axis, 1, 0})); }, {a23}},
        {"expand, squeeze", [](V v) { return sqr(squeeze(expand_dims(v[0], 1), {1})); }, {a23}},
        {"broadcast_to", [](V v) { return sin(broadcast_to(v[0], {2, 3})); }, {v3}},
        {"diagonal", [](V v) { return sqr(diagonal(v[0])); }, {b34}},
        {"concatenate", [](V v) { return sqr(concatenate({v[0], v[0] * 2, v[1]}, 0)); }, {v3, v2}},
        {"stack", [](V v) { return sin(stack({v[0], exp(v[0])}, 1)); }, {v3}},
        {"split",
         [](V v) {
             auto s = split(v[0], {1, 2}, 1);
             return s[0] * s[1];
         },
         {a23}},
        {"tile, repeat", [](V v) { return sqr(tile(repeat(v[0], 2, 0), {2, 2})); }, {a23}},
        {"roll, flip", [](V v) { return v[0] * flip(roll(v[0], 1, 1), {0}); }, {a23}},
        {"pad", [](V v) { return shape_padleft(v[0]) * shape_padright(v[0]); }, {v3}},
        {"at slice", [](V v) { return sqr(at(v[0], {Slice({}, {}, -1), Slice(1, 3)})); }, {a23}},
        {"at integer", [](V v) { return exp(at(v[0], {-1})); }, {a23}},
        {"at array", [](V v) { return sin(at(v[0], {everything, v[1]})); }, {a23, places}},
        {"at two arrays", [](V v) { return sqr(at(v[0], {v[1], v[1]})); }, {b34, choice}},
        {"at mixed",
         [](V v) { return sqr(at(v[0], {v[1], newaxis, Slice(1, 3)})); },
         {b34, choice}},
        {"set", [](V v) { return sqr(set_subtensor(at(v[0], {everything, 1}), v[1])); }, {a23, v2}},
        {"inc", [](V v) { return sqr(inc_subtensor(at(v[0], {1}), v[1])); }, {a23, v3}},
        {"set array",
         [](V v) { return sqr(set_subtensor(at(v[0], {v[2]}), v[1])); },
         {a23, v3, Array::of<int64_t>({1})}},
        {"inc array, repeated",
         [](V v) { return sqr(inc_subtensor(at(v[0], {v[2]}), v[1])); },
         {v3, v2, Array::of<int64_t>({2, 2})}},
        {"take_along_axis",
         [](V v) { return sqr(take_along_axis(v[0], v[1], 1)); },
         {a23, Array::of<int64_t>({2, 0}, {2, 1})}},
        {"dot matrices", [](V v) { return sin(dot(v[0], v[1])); }, {a23, b34}},
        {"dot matrix vector", [](V v) { return sin(dot(v[0], v[1])); }, {a23, v3}},
        {"dot vector matrix", [](V v) { return sin(dot(v[0], v[1])); }, {v2, a23}},
        {"dot vectors", [](V v) { return sin(dot(v[0], v[1])); }, {v3, v3}},
        {"matmul batched", [](V v) { return sin(matmul(v[0], v[1])); }, {c223, b34}},
        {"matmul broadcast",
         [](V v) { return sin(matmul(v[1], v[0])); },
         {c223, a23.reshape({3, 2})}},
        {"gemm",
         [](V v) { return sin(gemm(v[0], v[1], v[2], v[3], v[4])); },
         {a23, b34, numbers({1, 2, 3, 4, 5, 6, 7, 8}, {2, 4}), number(0.7), number(-0.3)}},
        {"tensordot",
         [](V v) { return sin(tensordot(v[0], v[1], {2, 1}, {1, 0})); },
         {c223, numbers({0.1, 0.2, 0.3, -0.4, 0.5, 0.6}, {2, 3})}},
        {"outer", [](V v) { return sin(outer(v[0], v[1])); }, {v2, v3}},
        {"trace", [](V v) { return exp(trace(v[0])); }, {b34}},
        {"tril, diag", [](V v) { return tril(v[0]) * 2 + sum(diag(at(v[0], {0}))); }, {b34}},
        {"pick", [](V v) { return exp(pick(v[0], v[1])); }, {a23, choice}},
        {"cross-entropy",
         [](V v) { return categorical_crossentropy(softmax(v[0]), v[1]); },
         {a23, choice}},
        {"ifelse", [](V v) { return ifelse(gt(sum(v[0]), 0), sqr(v[0]), exp(v[0])); }, {v3}},
        {"call",
         [](V v) {
             Variable x = in("f64[?]"), y = in("f64[?]");
             Callable f({x, y}, {sin(x) * y, x + y});
             Variables r = f.call({v[0], v[1]});
             return r[0] * r[1];
         },
         {v3, numbers({1.2, -0.3, 0.6})}},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.name);
        try {
            EXPECT_GT(verify(one.function, one.points, {.order = 2}).comparisons, 2);
        } catch (const Error& error) {
            ADD_FAILURE() << error.what();
        }
    }
}

TEST(Families, GradientsAndFriends) {
    Variable x = in("f64[?]", "x");
    test::Feeds feeds{{x, numbers({2, 5})}};
    using Doubles = std::vector<double>;
    EXPECT_EQ(value(grad(sum(x * zero_grad(x)), x), feeds), (Doubles{2, 5}));
    EXPECT_EQ(value(grad(sum(x * disconnected_grad(x)), x), feeds), (Doubles{2, 5}));
    EXPECT_EQ(value(grad(sum(zero_grad(sqr(x))), x), feeds), (Doubles{0, 0}));
    EXPECT_EQ(value(grad(sum(grad_clip(x, -1, 3) * x * 2), x), feeds), (Doubles{4 + 3, 10 + 3}));
    EXPECT_HAS(error_of(ErrorKind::Value, [&] { grad(sum(disconnected_grad(sqr(x))), x); }),
               "does not depend on");
    EXPECT_HAS(error_of(ErrorKind::Value, [&] { grad(sum(cast(shape(x), DType::Float64)), x); }),
               "does not depend on");
}

TEST(Jacobian, RowsColumnsAndScalars) {
    Variable x = in("f64[3]", "x"), n = in("f64[?]", "n"), m = in("f64[?,?]", "m");
    test::Feeds feeds{{x, numbers({1, 2, 3})}, {m, a23}};
    auto same = [&](const Variable& v, const std::vector<double>& expected) {
        auto found = value(v, feeds);
        ASSERT_EQ(found.size(), expected.size());
        for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12);
    };
    same(jacobian(sqr(x), x), {2, 0, 0, 0, 4, 0, 0, 0, 6});
    same(jacobian(dot(m, x), x), {0.3, -0.7, 1.1, 0.6, 0.9, -0.2});  // only x's size is known
    same(jacobian(sum(sqr(x)), x), {2, 4, 6});
    Array by_matrix = compile::evaluate({jacobian(x * sum(m), m)}, feeds)[0];
    EXPECT_EQ(by_matrix.shape(), (Sizes{3, 2, 3}));
    Array none = compile::evaluate({jacobian(at(x, {Slice(0, 0)}), x)}, feeds)[0];
    EXPECT_EQ(none.shape(), (Sizes{0, 3}));
    same(hessian(sum(x * x * x) + prod(x), x), {6, 3, 2, 3, 12, 1, 2, 1, 18});
    same(hessian(sum(x), x), std::vector<double>(9, 0));
    feeds.emplace_back(n, numbers({1, 2}));  // no size is known: a loop
    same(jacobian(sqr(n) + sum(n), n), {3, 1, 1, 5});
    same(hessian(sum(n * n * n) + prod(n), n), {6, 1, 1, 12});
    EXPECT_HAS(error_of(ErrorKind::Type, [&] { jacobian(exp(m), m); }), "at most one axis");
    EXPECT_HAS(error_of(ErrorKind::Type, [&] { hessian(sum(m), m); }), "must be vectors");
    EXPECT_HAS(error_of(ErrorKind::Value, [&] { jacobian(exp(x), n); }), "does not depend on");
}

TEST(Text, RealGraphsAndTheirGradientsReadBack) {
    Variable x = in("f32[?,784]", "x"), y = in("i64[?]", "y");
    SharedVariable w = shared(Array::zeros(DType::Float32, {784, 10}), "w");
    SharedVariable b = shared(Array::zeros(DType::Float32, {10}), "b");
    Variable logits = dot(x, w) + b;
    Variable cost = mean(categorical_crossentropy(softmax(logits), y));
    Variables outputs = grad(cost, {w, b});
    outputs.push_back(at(logits, {everything, Slice(at(y, {0}), {}, 2), newaxis, ellipsis}));
    outputs.push_back(Callable({x}, {exp(x) * w.get_value().size()})({logits}));
    std::string text = print(outputs);
    ParsedGraph read = parse_graph(text, {.find_op = find_op});
    EXPECT_EQ(graph_difference(outputs, read.outputs), "");
    croton::verify(read.outputs);
    EXPECT_EQ(print(read.outputs, {.inputs = read.inputs}), text);
}

TEST(Formula, IndexingAndProducts) {
    Variable x = in("f64[?,?]", "x"), i = in("i64[]", "i"), rows = in("i64[?]", "rows");
    EXPECT_EQ(pp(at(x, {Slice(1, i), 0})), "x[1:i, 0]");
    EXPECT_EQ(pp(exp(at(x + 1, {Slice({}, {}, -1)}))), "exp((x + 1)[::-1])");
    EXPECT_HAS(pp(set_subtensor(at(x, {Slice(1, i)}), 3.0)), "set_index(x[1:i");
    EXPECT_EQ(pp(dot(x, x) * 2), "x @ x * 2");
    EXPECT_EQ(pp(sum(x, 1, true) / x), "sum(x, axis=1, keepdims=True) / x");
    EXPECT_EQ(pp(eq(x, 1)), "x == 1");
}

}  // namespace
}  // namespace croton
