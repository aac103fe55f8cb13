// Sums and products so far along every axis, whichever way the memory lies: along lines, many lines
// side by side, element by element.
#include <gtest/gtest.h>

#include <random>

#include "croton/api/function.hpp"
#include "croton/base/format.hpp"
#include "croton/ops/cumulative.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"

namespace croton {
namespace {

Array numbers(DType dtype, const Sizes& shape) {
    std::mt19937 random(7);
    Array values = Array::empty(DType::Float64, shape);
    for (int64_t k = 0; k < values.size(); ++k)
        values.data_as<double>()[k] = is_floating(dtype) ? 0.9 + 0.2 * double(random() % 100) / 100
                                                         : double(random() % 3) - 1;
    return values.cast(dtype);
}

/// What `next` makes of the value so far and an element's position, along an axis of dense arrays.
template <class Next>
std::vector<double> folded(const Sizes& shape, size_t axis, Next next) {
    size_t inner = 1, length = static_cast<size_t>(shape[axis]), all = 1;
    for (size_t a = 0; a < shape.size(); ++a) {
        all *= static_cast<size_t>(shape[a]);
        if (a > axis) inner *= static_cast<size_t>(shape[a]);
    }
    std::vector<double> made(all);
    for (size_t k = 0; k < all; ++k) {
        bool first = k / inner % length == 0;
        made[k] = next(first ? nullptr : &made[k - inner], k);
    }
    return made;
}

void expect_near(const Array& made, const std::vector<double>& wanted, double tolerance) {
    auto values = made.cast(DType::Float64).to_vector<double>();
    ASSERT_EQ(values.size(), wanted.size());
    for (size_t k = 0; k < wanted.size(); ++k)
        ASSERT_NEAR(values[k], wanted[k], tolerance * (1 + std::abs(wanted[k]))) << k;
}

const Sizes shapes[] = {{1000}, {3, 40}, {40, 3},    {5, 17, 9}, {0, 5},
                        {5, 0}, {1, 12}, {1300, 11}, {11, 1300}, {6, 1, 2100}};

TEST(Cumulative, SumsAndProductsAlongEveryAxis) {
    for (DType dtype : {DType::Float64, DType::Float32, DType::Float16, DType::Int64})
        for (const Sizes& shape : shapes)
            for (size_t axis = 0; axis < shape.size(); ++axis) {
                SCOPED_TRACE(cat(dtype_name(dtype), " ", shape_text(shape), " along ", axis));
                Array given = numbers(dtype, shape);
                auto x = given.cast(DType::Float64).to_vector<double>();
                TensorType type{dtype, Dims(shape.size(), Dim())};
                Variable v = input(type, "v");
                auto along = static_cast<int64_t>(axis);
                // Turned over, the operand has other strides than the result.
                Variable flipped = transpose(cumsum(transpose(v), -1 - along));
                Function f = function({v}, {cumsum(v, along), cumprod(v, along), flipped});
                Results made = f(given);
                double tolerance = dtype == DType::Float16   ? 2e-3
                                   : dtype == DType::Float32 ? 1e-6
                                                             : 1e-13;
                auto sums = folded(shape, axis, [&](const double* before, size_t k) {
                    return before ? *before + x[k] : x[k];
                });
                auto products = folded(shape, axis, [&](const double* before, size_t k) {
                    return before ? *before * x[k] : x[k];
                });
                expect_near(made[0], sums, tolerance);
                expect_near(made[1], products, tolerance);
                expect_near(made[2], sums, tolerance);
                if (HasFatalFailure()) return;
            }
}

TEST(Cumulative, RecurrencesAlongEveryAxis) {
    for (DType dtype : {DType::Float64, DType::Float32})
        for (const Sizes& shape : shapes)
            for (size_t axis = 0; axis < shape.size(); ++axis) {
                SCOPED_TRACE(cat(dtype_name(dtype), " ", shape_text(shape), " along ", axis));
                Array b_given = numbers(dtype, shape),
                      a_given = numbers(DType::Float64, shape).cast(dtype);
                auto x = b_given.cast(DType::Float64).to_vector<double>();
                TensorType type{dtype, Dims(shape.size(), Dim())};
                Variable a = input(type, "a"), b = input(type, "b");
                auto along = static_cast<int64_t>(axis);
                Variable turned =
                    transpose(linear_recurrence(transpose(a), transpose(b), -1 - along));
                Function f = function({a, b}, {linear_recurrence(a, b, along), turned});
                for (double scale : {0.9, 1.0}) {
                    Array factors = a_given.cast(DType::Float64).copy();
                    for (int64_t k = 0; k < factors.size(); ++k)
                        factors.data_as<double>()[k] = scale * (factors.data_as<double>()[k] - 0.1);
                    Array rounded = factors.cast(dtype);
                    auto y = rounded.cast(DType::Float64).to_vector<double>();
                    Results made = f(rounded, b_given);
                    auto wanted = folded(shape, axis, [&](const double* before, size_t k) {
                        return before ? y[k] * *before + x[k] : x[k];
                    });
                    double tolerance = dtype == DType::Float32 ? 1e-6 : 1e-12;
                    expect_near(made[0], wanted, tolerance);
                    expect_near(made[1], wanted, tolerance);
                    if (HasFatalFailure()) return;
                }
            }
}

// Lines longer than the stretches that are packed, in steps of either sign.
TEST(Cumulative, AlongLinesWithSteps) {
    for (DType dtype : {DType::Float64, DType::Float32})
        for (int64_t step : {1, -1, 2, -3}) {
            SCOPED_TRACE(cat(dtype_name(dtype), " in steps of ", step));
            Array given = numbers(dtype, {5000});
            auto all = given.cast(DType::Float64).to_vector<double>();
            Array factors = given.cast(DType::Float64).copy();
            for (int64_t k = 0; k < factors.size(); ++k) factors.data_as<double>()[k] -= 0.1;
            factors = factors.cast(dtype);
            auto below_one = factors.cast(DType::Float64).to_vector<double>();
            Variable v = input(TensorType{dtype, {Dim()}}, "v"),
                     w = input(TensorType{dtype, {Dim()}}, "w");
            Variable x = at(v, {Slice({}, {}, step)}), a = at(w, {Slice({}, {}, step)});
            Function f = function({v, w}, {cumsum(x, 0), linear_recurrence(a, x, 0)});
            Results made = f(given, factors);
            std::vector<double> sums, scaled;
            auto last = [](const std::vector<double>& v) { return v.empty() ? 0 : v.back(); };
            auto size = static_cast<int64_t>(all.size());
            for (int64_t i = step > 0 ? 0 : size - 1; i >= 0 && i < size; i += step) {
                double e = all[static_cast<size_t>(i)];
                double factor = below_one[static_cast<size_t>(i)];
                sums.push_back(last(sums) + e);
                scaled.push_back(factor * last(scaled) + e);
            }
            double tolerance = dtype == DType::Float32 ? 1e-5 : 1e-11;
            expect_near(made[0], sums, tolerance);
            expect_near(made[1], scaled, tolerance);
        }
}

}  // namespace
}  // namespace croton
