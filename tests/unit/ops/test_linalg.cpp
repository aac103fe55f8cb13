#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

TEST(Dot, FollowsNumPysRanks) {
    auto array = [](const Sizes& shape) { return constant(counting(shape)); };
    EXPECT_EQ(value(dot(array({3}), array({3}))).item<double>(), 5);
    expect_array(value(dot(array({2, 3}), array({3}))), {2}, {5, 14});
    expect_array(value(dot(array({2}), array({2, 3}))), {3}, {3, 4, 5});
    expect_array(value(dot(array({2, 2}), array({2, 2}))), {2, 2}, {2, 3, 6, 11});
    expect_array(value(dot(2, array({2}))), {2}, {0, 2});
    expect_array(value(dot(array({1, 2, 2}), array({2, 2}))), {1, 2, 2}, {2, 3, 6, 11});
    expect_array(value(dot(array({1, 2}), array({2, 2, 1}))), {1, 2, 1}, {1, 3});
    expect_array(value(dot(array({2}), array({2, 2, 1}))), {2, 1}, {1, 3});
    expect_array(value(dot(array({0}), array({0}))), {}, {0});
    expect_array(value(dot(array({2, 0}), array({0, 1}))), {2, 1}, {0, 0});
    EXPECT_EQ(dot(variable("i32[?]"), variable("i32[?]")).type().text(), "i32[]");
    expect_error(ErrorKind::Shape, "3 columns meet 2 rows",
                 [&] { dot(array({1, 3}), array({2, 1})); });
    Variable x = variable("f64[?,?]"), y = variable("f64[?,?]", "y");
    expect_error(ErrorKind::Shape, "(1, 3) and (2, 1)",
                 [&] { value(dot(x, y), {{x, counting({1, 3})}, {y, counting({2, 1})}}); });
}

TEST(Matmul, BroadcastsLeadingAxes) {
    auto array = [](const Sizes& shape) { return constant(counting(shape)); };
    expect_array(value(matmul(array({2, 1, 2}), array({2, 1}))), {2, 1, 1}, {1, 3});
    expect_array(value(matmul(array({2, 1, 1, 2}), array({3, 2, 1}))), {2, 3, 1, 1},
                 {1, 3, 5, 3, 13, 23});
    expect_array(value(matmul(array({2}), array({2, 2, 1}))), {2, 1}, {1, 3});
    expect_array(value(matmul(array({2, 1, 2}), array({2}))), {2, 1}, {1, 3});
    EXPECT_EQ(value(matmul(array({2}), array({2}))).item<double>(), 1);
    expect_error(ErrorKind::Type, "not scalars", [&] { matmul(2, array({2})); });
    expect_error(ErrorKind::Shape, "do not broadcast",
                 [&] { matmul(array({2, 1, 1}), array({3, 1, 1})); });
}

TEST(Matmul, OfOtherDtypes) {
    for (DType dtype : {DType::Int32, DType::UInt8, DType::Float16, DType::BFloat16, DType::Float32,
                        DType::Complex64, DType::Complex128}) {
        Variable x = constant(counting({2, 2}, dtype));
        Array got = value(matrix_product(x, x));
        EXPECT_EQ(got.dtype(), dtype);
        expect_array(got, {2, 2}, {2, 3, 6, 11});
    }
    expect_error(ErrorKind::Type, "not defined for bool",
                 [] { matmul(variable("b1[?,?]"), variable("b1[?,?]")); });
}

TEST(Gemm, ScalesAndAdds) {
    Variable a = constant(counting({2, 2})), c = constant(counting({2, 2}));
    expect_array(value(gemm(a, a, c, 2.0, -1.0)), {2, 2}, {4, 5, 10, 19});
    Variable x = variable("f64[?,?]");
    expect_error(ErrorKind::Shape, "addend has shape (1, 2)",
                 [&] { value(gemm(a, a, x, 1.0, 1.0), {{x, counting({1, 2})}}); });
}

TEST(Tensordot, AnyPairsOfAxes) {
    Variable a = constant(counting({2, 3, 2})), b = constant(counting({3, 2, 2}));
    // Elements by the definition.
    Array x = counting({2, 3, 2}), y = counting({3, 2, 2});
    Numbers want;
    for (int64_t i = 0; i < 2; ++i)
        for (int64_t j = 0; j < 2; ++j) {
            double total = 0;
            for (int64_t k = 0; k < 3; ++k)
                for (int64_t l = 0; l < 2; ++l)
                    total += x.at<double>({l, k, i}) * y.at<double>({k, l, j});
            want.push_back(total);
        }
    expect_array(value(tensordot(a, b, {1, 0}, {0, 1})), {2, 2}, want);
    expect_array(value(tensordot(a, a, {0, 1, 2}, {0, 1, -1})), {}, {506});
    EXPECT_EQ(tensordot(a, b, 0).rank(), 6);
    expect_array(value(outer(constant(counting({2})), constant(counting({3})))), {2, 3},
                 {0, 0, 0, 0, 1, 2});
    Variable batch = constant(counting({2, 2, 2})), rows = constant(counting({2, 2}));
    expect_array(value(batched_dot(batch, rows)), {2, 2}, {1, 3, 23, 33});
    expect_array(value(batched_dot(rows, rows)), {2}, {1, 13});
    expect_error(ErrorKind::Shape, "axis 0 of a has 2 elements",
                 [&] { tensordot(a, b, {0}, {0}); });
    expect_error(ErrorKind::Value, "twice", [&] { tensordot(a, b, {0, 0}, {1, 2}); });
}

}  // namespace
}  // namespace croton::test
