#include <cmath>

#include "croton/ops/cast.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {
const std::vector<DType> every = {DType::Float64,  DType::Float32, DType::Float16,
                                  DType::BFloat16, DType::Int8,    DType::Int64,
                                  DType::UInt8,    DType::UInt64,  DType::Bool};
const std::vector<DType> complex_too = {DType::Complex128, DType::Complex64, DType::Float64,
                                        DType::Float32, DType::Int64};
const std::vector<DType> complexes = {DType::Complex128, DType::Complex64};

Build casting(DType dtype) {
    return [dtype](const Variables& v) { return cast(v[0], dtype); };
}
}  // namespace

Rows cast_rows() {
    return {
        row("cast", 1, casting(DType::Float32))
            .against([](double x) { return x; })
            .dtypes(every)
            .edges({0, -0.0, inf, -inf, nan, 1e-45, 3.5})
            .smooth_on(whole(-4, 4))
            .no_gradient(),  // numeric differences drown in float32's rounding
        row("cast", 1, casting(DType::Float64)).against([](double x) { return x; }).dtypes(every),
        row("cast", 1, casting(DType::Float16))
            .against([](double x) { return x; })
            .dtypes(every)
            .edges({0, -0.0, inf, -inf, nan, 6e-8, 65504, 65520, 1e6})
            .no_gradient(),
        row("cast", 1, casting(DType::Int32))
            .against([](double x) { return std::trunc(x) + 0.0; })
            .dtypes(every)
            .no_gradient(),
        row("cast", 1, casting(DType::Int8))
            .against([](double x) { return x < 128 ? x : x - 256; })
            .dtypes({DType::Int64, DType::UInt8})
            .on(whole(0, 255))
            .no_gradient(),
        row("cast", 1, casting(DType::Bool))
            .against([](double x) { return x != 0; })
            .dtypes(every)
            .edges({0, -0.0, nan, inf, 1e-30, 2})
            .on(whole(-1, 1))
            .no_gradient(),
        row("cast", 1, casting(DType::Complex128))
            .reference([](const std::vector<Array>& x) { return x[0].cast(DType::Complex128); })
            .shapes({{{}}, {{3, 2}}, {{0}}})
            .dtypes(every)
            .no_gradient(),  // of a complex result; tested in test_complex.cpp
        row("complex", complex)
            .reference([](const std::vector<Array>& x) {
                Array result = Array::empty(DType::Complex128, {3, 2});
                auto out = result.data_as<Complex>();
                for_each_index({3, 2}, [&](const Sizes& index) {
                    auto at = [&](const Array& part) {
                        return part.at<double>(broadcast_index(index, part.shape()));
                    };
                    *out++ = Complex(at(x[0]), at(x[1]));
                });
                return result;
            })
            .shapes({{{3, 2}, {3, 2}}, {{3, 1}, {2}}, {{}, {3, 2}}})
            .dtypes({DType::Float64, DType::Float32, DType::Float16, DType::Int64})
            .no_gradient(),
        row("real", real)
            .against([](double x) { return x; })
            .against_complex([](Complex x) { return x.real(); })
            .dtypes(complex_too)
            .no_gradient(),
        row("imag", imag)
            .against([](double) { return 0; })
            .against_complex([](Complex x) { return x.imag(); })
            .dtypes(complex_too)
            .no_gradient(),
        row("conj", conj)
            .against([](double x) { return x; })
            .against_complex([](Complex x) { return std::conj(x); })
            .dtypes(complex_too)
            .no_gradient(),
        row("angle", angle)
            .against([](double x) { return std::atan2(0, x); })
            .against_complex([](Complex x) { return std::arg(x); })
            .dtypes(complex_too)
            .within(2)
            .no_gradient(),
    };
}

}  // namespace croton::test
