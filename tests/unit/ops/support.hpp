#pragma once
#include <gtest/gtest.h>

#include "croton/compile/reference.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"

namespace croton::test {

using Numbers = std::vector<double>;
using Feed = std::vector<std::pair<Variable, Array>>;

inline Variable variable(std::string_view type, std::string name = "x") {
    return input(parse_type(type), std::move(name));
}
inline Array value(const Variable& v, const Feed& feed = {}) {
    return compile::evaluate({v}, feed)[0];
}
/// 0, 1, 2, ... in that shape.
inline Array counting(const Sizes& shape, DType dtype = DType::Float64) {
    Numbers numbers;
    for (int64_t i = 0; i < element_count(shape); ++i) numbers.push_back(static_cast<double>(i));
    return Array::of(numbers, shape).cast(dtype);
}
inline void expect_array(const Array& got, const Sizes& shape, const Numbers& numbers) {
    EXPECT_EQ(shape_text(got.shape()), shape_text(shape));
    EXPECT_EQ(got.to_vector<double>(), numbers);
}
/// Runs f, which must throw an Error of that kind whose message has the phrase.
template <class F>
void expect_error(ErrorKind kind, const std::string& phrase, F f) {
    try {
        f();
        ADD_FAILURE() << "no error; expected one that says: " << phrase;
    } catch (const Error& error) {
        EXPECT_EQ(error_name(error.kind()), error_name(kind)) << error.what();
        EXPECT_NE(std::string(error.what()).find(phrase), std::string::npos) << error.what();
    }
}

}  // namespace croton::test
