#include <cmath>

#include "croton/ops/compare.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
const std::vector<std::vector<double>> pairs = {
    {0, 0}, {0, -0.0}, {1, 2}, {2, 1}, {inf, inf}, {-inf, inf}, {nan, 1}, {1, nan}, {nan, nan}};
const std::vector<double> singles = {0, -0.0, 1, -1, 1e-30, inf, -inf, nan, -nan};
const std::vector<DType> ordered = {DType::Float64, DType::Float32, DType::Float16, DType::BFloat16,
                                    DType::Int64,   DType::UInt8,   DType::Bool};
const std::vector<DType> any = {DType::Float64, DType::Float16,   DType::Int64,     DType::UInt8,
                                DType::Bool,    DType::Complex64, DType::Complex128};
const std::vector<DType> bits = {DType::Int64, DType::Int8, DType::UInt8, DType::UInt32};

int64_t integer(double x) { return static_cast<int64_t>(x); }
}  // namespace

Rows compare_rows() {
    auto few = whole(-1, 2);  // equal elements are met
    auto compare = [&](std::string name, Variable (*f)(Arg, Arg), auto reference,
                       std::source_location where = std::source_location::current()) {
        return row(std::move(name), f, where)
            .against(reference)
            .dtypes(ordered)
            .on(few)
            .edge_pairs(pairs)
            .no_gradient();
    };
    auto bitwise = [&](std::string name, Variable (*f)(Arg, Arg), auto reference,
                       std::source_location where = std::source_location::current()) {
        return row(std::move(name), f, where)
            .against(reference)
            .dtypes(bits)
            .on(whole(-100, 100))
            .no_gradient();
    };
    return {
        compare("lt", lt, [](double x, double y) { return x < y; }),
        compare("le", le, [](double x, double y) { return x <= y; }),
        compare("gt", gt, [](double x, double y) { return x > y; }),
        compare("ge", ge, [](double x, double y) { return x >= y; }),
        compare("eq", eq, [](double x, double y) { return x == y; })
            .against_complex([](Complex x, Complex y) { return x == y ? 1.0 : 0.0; })
            .dtypes(any),
        compare("ne", ne, [](double x, double y) { return x != y; })
            .against_complex([](Complex x, Complex y) { return x != y ? 1.0 : 0.0; })
            .dtypes(any),
        compare("logical_and", logical_and, [](double x, double y) { return x != 0 && y != 0; }),
        compare("logical_or", logical_or, [](double x, double y) { return x != 0 || y != 0; }),
        compare("logical_xor", logical_xor,
                [](double x, double y) { return (x != 0) != (y != 0); }),
        row("logical_not", logical_not)
            .against([](double x) { return x == 0; })
            .against_complex([](Complex x) { return x == 0.0 ? 1.0 : 0.0; })
            .dtypes(any)
            .on(few)
            .edges(singles)
            .no_gradient(),
        bitwise("bitwise_and", bitwise_and,
                [](double x, double y) { return static_cast<double>(integer(x) & integer(y)); }),
        bitwise("bitwise_or", bitwise_or,
                [](double x, double y) { return static_cast<double>(integer(x) | integer(y)); }),
        bitwise("bitwise_xor", bitwise_xor,
                [](double x, double y) { return static_cast<double>(integer(x) ^ integer(y)); }),
        bitwise("bitwise_and", bitwise_and, [](double x, double y) { return x != 0 && y != 0; })
            .dtypes({DType::Bool}),
        row("invert", invert)
            .against([](double x) { return -x - 1; })
            .dtypes({DType::Int64, DType::Int8})
            .on(whole(-100, 100))
            .no_gradient(),
        row("invert", invert)
            .against([](double x) { return 255 - x; })
            .dtypes({DType::UInt8})
            .on(whole(0, 255))
            .no_gradient(),
        row("invert", invert)
            .against([](double x) { return x == 0; })
            .dtypes({DType::Bool})
            .no_gradient(),
        bitwise("left_shift", left_shift,
                [](double x, double y) { return x * std::ldexp(1.0, static_cast<int>(y)); })
            .dtypes({DType::Int64, DType::Int32})
            .on(1, whole(0, 12)),
        bitwise("left_shift", left_shift, [](double, double) { return 0; })
            .dtypes({DType::Int64, DType::Int8, DType::UInt8})
            .on(1, whole(64, 100)),
        bitwise(
            "right_shift", right_shift,
            [](double x, double y) { return std::floor(x / std::ldexp(1.0, static_cast<int>(y))); })
            .on(1, whole(0, 100)),
        row("isnan", isnan)
            .against([](double x) { return std::isnan(x); })
            .against_complex([](Complex) { return 0.0; })
            .dtypes(any)
            .edges(singles)
            .no_gradient(),
        row("isinf", isinf)
            .against([](double x) { return std::isinf(x); })
            .against_complex([](Complex) { return 0.0; })
            .dtypes(any)
            .edges(singles)
            .no_gradient(),
        row("isfinite", isfinite)
            .against([](double x) { return std::isfinite(x); })
            .against_complex([](Complex) { return 1.0; })
            .dtypes(any)
            .edges(singles)
            .no_gradient(),
        row("signbit", signbit)
            .against([](double x) { return std::signbit(x); })
            .dtypes(ordered)
            .edges(singles)
            .no_gradient(),
        row("where", where)
            .against([](double c, double x, double y) { return c != 0 ? x : y; })
            .against_complex([](Complex c, Complex x, Complex y) { return c != 0.0 ? x : y; })
            .dtypes(any)
            .fix(0, DType::Bool)
            .edge_pairs({{1, nan, 2}, {0, nan, 2}, {1, -0.0, inf}, {0, 3, -0.0}}),
        row("clip", clip)
            .against([](double x, double low, double high) {
                return std::isnan(x) ? x : std::fmin(std::fmax(x, low), high);
            })
            .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::Int64, DType::Int8})
            .on(1, whole(-2, -1))
            .on(2, whole(1, 2))
            .smooth_on(1, between(-2, -1))
            .smooth_on(2, between(1, 2))
            .edge_pairs({{nan, 0, 1}, {inf, 0, 1}, {-inf, 0, 1}, {5, 2, 1}, {1, 1, 1}}),
    };
}

}  // namespace croton::test
