#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

TEST(Shape, AsksForSizes) {
    Variable x = variable("f32[?,3]");
    Feed feed{{x, counting({2, 3}, DType::Float32)}};
    expect_array(value(shape(x), feed), {2}, {2, 3});
    EXPECT_EQ(value(size_of(x, -1), feed).item<int64_t>(), 3);
    EXPECT_EQ(value(size(x), feed).item<int64_t>(), 6);
    expect_error(ErrorKind::Index, "axis 2", [&] { size_of(x, 2); });
}

TEST(Reshape, InfersOneSizeAndKeepsHints) {
    Variable x = variable("f64[4,6]");
    EXPECT_EQ(reshape(x, {-1, 3}).type().text(), "f64[8,3]");
    Variable y = variable("f64[?,6]"), n = variable("i64[]", "n");
    EXPECT_EQ(reshape(y, {n, 2, -1}).type().text(), "f64[?,2,?]");
    EXPECT_EQ(reshape(y, {size_of(y, 0), 3, 2}).type().text(), "f64[?,3,2]");
    Variable z = variable("f64[batch,6]");
    EXPECT_EQ(reshape(z, {size_of(z, 0), 3, 2}).type().text(), "f64[batch,3,2]");
    EXPECT_EQ(reshape(variable("f64[?]"), shape(z)).type().text(), "f64[batch,6]");
    Feed feed{{y, counting({2, 6})}, {n, Array::scalar(int64_t{3})}};
    expect_array(value(reshape(y, {n, 2, -1}), feed), {3, 2, 2},
                 counting({12}).to_vector<double>());
}

TEST(Reshape, OfTransposedArrays) {
    Variable x = variable("f64[?,?]");
    Feed feed{{x, counting({2, 3})}};
    expect_array(value(ravel(transpose(x)), feed), {6}, {0, 3, 1, 4, 2, 5});
    expect_array(value(reshape(transpose(x), {3, 2, 1}), feed), {3, 2, 1}, {0, 3, 1, 4, 2, 5});
    expect_array(value(reshape(x, {1, 3, 1, 2}), feed), {1, 3, 1, 2}, {0, 1, 2, 3, 4, 5});
    Variable e = variable("f64[?,?]");
    expect_array(value(reshape(e, {0, 5}), {{e, counting({3, 0})}}), {0, 5}, {});
}

TEST(Reshape, RefusesSizesThatDoNotFit) {
    expect_error(ErrorKind::Shape, "cannot reshape",
                 [] { reshape(variable("f64[4,6]"), {5, -1}); });
    Variable x = variable("f64[?]");
    auto run = [&](const ShapeArg& sizes) { value(reshape(x, sizes), {{x, counting({6})}}); };
    expect_error(ErrorKind::Shape, "(6,)", [&] { run({4, -1}); });
    expect_error(ErrorKind::Shape, "(7,)", [&] { run({7}); });
    expect_error(ErrorKind::Value, "only one size can be -1", [&] { run({-1, -1}); });
    Variable sizes = variable("i64[?]", "sizes");
    expect_error(ErrorKind::Shape, "number of axes", [&] { reshape(x, sizes); });
    EXPECT_EQ(reshape(x, ShapeArg(sizes, 2)).rank(), 2);
    expect_error(ErrorKind::Type, "integer vector", [&] { reshape(x, variable("f64[2]")); });
}

TEST(Dimshuffle, OrdersInsertsAndDropsAxes) {
    Variable x = variable("f64[?,1,3]");
    EXPECT_EQ(dimshuffle(x, {2, new_axis, 0}).type().text(), "f64[3,1,?]");
    Feed feed{{x, counting({2, 1, 3})}};
    expect_array(value(dimshuffle(x, {2, new_axis, 0}), feed), {3, 1, 2}, {0, 3, 1, 4, 2, 5});
    expect_array(value(squeeze(x), feed), {2, 3}, {0, 1, 2, 3, 4, 5});
    expect_array(value(moveaxis(x, 0, -1), feed), {1, 3, 2}, {0, 3, 1, 4, 2, 5});
    expect_array(value(swapaxes(x, 0, 1), feed), {1, 2, 3}, {0, 1, 2, 3, 4, 5});
    EXPECT_EQ(expand_dims(x, {0, -1}).type().text(), "f64[1,?,1,3,1]");
    EXPECT_EQ(shape_padleft(x, 2).rank(), 5);
    EXPECT_EQ(shape_padright(x).rank(), 4);
    expect_error(ErrorKind::Shape, "cannot be dropped", [&] { dimshuffle(x, {0, 1}); });
    expect_error(ErrorKind::Shape, "cannot be dropped: its size is 2",
                 [&] { value(squeeze(x, {0}), feed); });
    expect_error(ErrorKind::Value, "twice", [&] { dimshuffle(x, {0, 0, 1, 2}); });
    expect_error(ErrorKind::Index, "no axis 3", [&] { dimshuffle(x, {3}); });
    expect_error(ErrorKind::Value, "2 axes for an array of 3", [&] { transpose(x, {0, 1}); });
}

TEST(BroadcastTo, RepeatsAndChecks) {
    Variable x = variable("f64[?,1]"), n = variable("i64[]", "n");
    Variable y = broadcast_to(x, {4, n, 2});
    EXPECT_EQ(y.type().text(), "f64[4,?,2]");
    Feed feed{{x, counting({3, 1})}, {n, Array::scalar(int64_t{3})}};
    expect_array(value(sum(y, 0), feed), {3, 2}, {0, 0, 4, 4, 8, 8});
    feed[1].second = Array::scalar(int64_t{2});
    expect_error(ErrorKind::Shape, "cannot broadcast an array of shape (3, 1)",
                 [&] { value(y, feed); });
    expect_error(ErrorKind::Shape, "cannot broadcast",
                 [] { broadcast_to(variable("f64[3]"), {2}); });
}

TEST(SpecifyShape, ChecksWhenRunning) {
    Variable x = variable("f64[?,?]");
    Variable y = specify_shape(x, {2, -1});
    EXPECT_EQ(y.type().text(), "f64[2,?]");
    expect_array(value(y, {{x, counting({2, 2})}}), {2, 2}, {0, 1, 2, 3});
    expect_error(ErrorKind::Shape, "axis 0 has 3 elements, not 2",
                 [&] { value(y, {{x, counting({3, 2})}}); });
}

TEST(Diagonal, OfAnyTwoAxes) {
    Variable x = variable("f64[?,?]");
    Feed feed{{x, counting({3, 4})}};
    expect_array(value(diagonal(x), feed), {3}, {0, 5, 10});
    expect_array(value(diagonal(x, 2), feed), {2}, {2, 7});
    expect_array(value(diagonal(x, -1), feed), {2}, {4, 9});
    expect_array(value(diagonal(x, 9), feed), {0}, {});
    Variable c = variable("f64[?,?,?]");
    expect_array(value(diagonal(c, 0, 0, 2), {{c, counting({2, 2, 2})}}), {2, 2}, {0, 5, 2, 7});
    EXPECT_EQ(value(trace(x), feed).item<double>(), 15);
    Variable v = variable("f64[?]");
    expect_array(value(diag(v, -1), {{v, counting({2})}}), {3, 3}, {0, 0, 0, 0, 0, 0, 0, 1, 0});
    expect_array(value(diag(v), {{v, counting({0})}}), {0, 0}, {});
    expect_array(value(diag(v, 1), {{v, counting({0})}}), {1, 1}, {0});
}

TEST(Joins, ConcatenateStackSplit) {
    Variable x = variable("f64[?,2]"), y = variable("f64[?,2]", "y");
    Feed feed{{x, counting({1, 2})}, {y, counting({2, 2})}};
    expect_array(value(concatenate({x, y}), feed), {3, 2}, {0, 1, 0, 1, 2, 3});
    expect_array(value(concatenate({y, x, y}), feed), {5, 2}, {0, 1, 2, 3, 0, 1, 0, 1, 2, 3});
    Feed empties{{x, counting({0, 2})}, {y, counting({2, 2})}};
    expect_array(value(concatenate({x, y}), empties), {2, 2}, {0, 1, 2, 3});
    expect_array(value(concatenate({y, x, x, y, x}), empties), {4, 2}, {0, 1, 2, 3, 0, 1, 2, 3});
    expect_array(value(concatenate({x, x}), empties), {0, 2}, {});
    EXPECT_EQ(concatenate({variable("f32[3]"), variable("i16[?]")}).type().text(), "f32[?]");
    expect_error(ErrorKind::Shape, "shapes (1, 2) and (2, 2)",
                 [&] { value(concatenate({y, x}, 1), feed); });
    expect_array(value(stack({x, x}, 1), feed), {1, 2, 2}, {0, 1, 0, 1});
    Variable n = variable("i64[]", "n");
    Variable v = variable("f64[?]");
    Feed parts{{v, counting({5})}, {n, Array::scalar(int64_t{3})}};
    auto pieces = split(v, {2, n});
    expect_array(value(pieces[0], parts), {2}, {0, 1});
    expect_array(value(pieces[1], parts), {3}, {2, 3, 4});
    Variable sizes = variable("i64[?]", "sizes");
    expect_array(
        value(split(v, sizes, 2, 0)[1], {{v, counting({5})}, {sizes, Array::of<int64_t>({4, 1})}}),
        {1}, {4});
}

TEST(Joins, TileRepeatRollFlip) {
    Variable x = variable("f64[?,?]"), n = variable("i64[]", "n");
    Feed feed{{x, counting({2, 2})}, {n, Array::scalar(int64_t{2})}};
    expect_array(value(tile(x, {n, 2}), feed), {4, 4},
                 {0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3});
    expect_array(value(tile(x, {2}), feed), {2, 4}, {0, 1, 0, 1, 2, 3, 2, 3});
    expect_array(value(tile(x, {2, 1, 1}), feed), {2, 2, 2}, {0, 1, 2, 3, 0, 1, 2, 3});
    expect_array(value(repeat(x, n, 0), feed), {4, 2}, {0, 1, 0, 1, 2, 3, 2, 3});
    expect_array(value(repeat(x, 2, 1), feed), {2, 4}, {0, 0, 1, 1, 2, 2, 3, 3});
    Variable v = variable("f64[?]");
    Feed line{{v, counting({4})}};
    expect_array(value(roll(v, 1), line), {4}, {3, 0, 1, 2});
    expect_array(value(roll(v, -5), line), {4}, {1, 2, 3, 0});
    expect_array(value(roll(v, 3), {{v, counting({0})}}), {0}, {});
    expect_array(value(flip(x, {1}), feed), {2, 2}, {1, 0, 3, 2});
}

TEST(Create, RangesAndMatrices) {
    expect_array(value(arange(4)), {4}, {0, 1, 2, 3});
    EXPECT_EQ(arange(4).type().text(), "i64[4]");
    expect_array(value(arange(5, 0, -2)), {3}, {5, 3, 1});
    expect_array(value(arange(1.0, 2.0, 0.25)), {4}, {1, 1.25, 1.5, 1.75});
    expect_array(value(arange(3, 3)), {0}, {});
    Variable n = variable("i64[]", "n");
    Feed feed{{n, Array::scalar(int64_t{3})}};
    expect_array(value(arange(n), feed), {3}, {0, 1, 2});
    expect_error(ErrorKind::Value, "step is zero", [] { arange(0, 3, 0); });
    expect_array(value(linspace(0.0, 1.0, 3)), {3}, {0, 0.5, 1});
    expect_array(value(eye(n), feed), {3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
    expect_array(value(eye(2, n, 1, DType::Int32), feed), {2, 3}, {0, 1, 0, 0, 0, 1});
    expect_array(value(tri(2, 3, 0, DType::Float32)), {2, 3}, {1, 0, 0, 1, 1, 0});
    Variable x = variable("f64[?,?]");
    Feed matrix{{x, counting({2, 3})}};
    expect_array(value(tril(x), matrix), {2, 3}, {0, 0, 0, 3, 4, 0});
    expect_array(value(triu(x, 1), matrix), {2, 3}, {0, 1, 2, 0, 0, 5});
    expect_array(value(zeros({n, 2}), feed), {3, 2}, {0, 0, 0, 0, 0, 0});
    expect_array(value(full({2}, n), feed), {2}, {3, 3});
    EXPECT_EQ(ones({2}, DType::Int8).type().text(), "i8[2]");
    expect_array(value(full_like(x, 7), matrix), {2, 3}, {7, 7, 7, 7, 7, 7});
    expect_array(value(make_vector({n, 1, n}), feed), {3}, {3, 1, 3});
}

}  // namespace
}  // namespace croton::test
