#pragma once
// Graphs with loops that fire the rows of compile/loop_rules.hpp: the tests run them, the page of
// rules shows what becomes of them.
#include "tests/rules/examples.hpp"

namespace croton::test {

struct LoopExample {
    std::string rule;
    std::function<Variables(const Leaves&)> make;
};
/// At least one for each row.
const std::vector<LoopExample>& loop_examples();
std::string test_name(const LoopExample& example, size_t place);

/// What the row did to the example's loops, as text before and after; nothing if it did not fire.
struct LoopStep {
    std::string before, after;
};
std::vector<LoopStep> steps_of(const LoopExample& example);

}  // namespace croton::test
