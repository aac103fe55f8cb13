#pragma once
// Graphs that fire the rules that no pattern can say, each its own: the tests run them, the page of
// rules shows what becomes of them.
#include <functional>
#include <string>
#include <vector>

#include "croton/graph/text.hpp"

namespace croton::test {

/// Vectors, a matrix, positions and a scalar; the real ones have the dtype.
struct Leaves {
    explicit Leaves(const std::string& real = "f64")
        : v(input(parse_type(real + "[?]"), "v")),
          x(input(parse_type(real + "[?,?]"), "x")),
          w(input(parse_type(real + "[?]"), "w")),
          i(input(parse_type("i64[?]"), "i")),
          s(input(parse_type(real + "[]"), "s")),
          six(input(parse_type(real + "[6]"), "six")) {}
    explicit Leaves(const Variables& all)
        : v(all[0]), x(all[1]), w(all[2]), i(all[3]), s(all[4]), six(all[5]) {}
    Variables all() const { return {v, x, w, i, s, six}; }
    Variable v, x, w, i, s, six;
};

struct Example {
    std::string rule;
    std::function<Variable(const Leaves&)> make;
};
/// At least one for each node rule.
const std::vector<Example>& examples();
/// The name under which example number `place` is tested.
std::string test_name(const Example& example, size_t place);

}  // namespace croton::test
