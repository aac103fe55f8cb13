#pragma once
// Short ways to say what the tests of gradients say often.
#include <gtest/gtest.h>

#include "croton/compile/reference.hpp"
#include "croton/grad/grad.hpp"
#include "croton/grad/verify.hpp"

namespace croton::test {

inline Variable in(const char* type, const char* name = "") {
    return input(parse_type(type), name, Site{"user/model.py", 7, ""});
}
inline Array numbers(std::initializer_list<double> values, Sizes shape) {
    return Array::of(std::vector<double>(values), shape);
}
inline Array numbers(std::initializer_list<double> values) { return Array::of<double>(values); }
inline Array number(double value) { return Array::scalar(value); }

using Feeds = std::vector<std::pair<Variable, Array>>;
inline std::vector<double> value(const Variable& v, const Feeds& feeds = {}) {
    return compile::evaluate({v}, feeds)[0].to_vector<double>();
}
inline VerifyResult verify(const CheckedFunction& function, const std::vector<Array>& points,
                           VerifyOptions options = {}) {
    return verify_grad(function, points, compile::evaluate, options);
}
/// What an Error says, with its kind checked.
template <class Body>
std::string error_of(ErrorKind kind, Body body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
}
#define EXPECT_HAS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << text

}  // namespace croton::test
