#pragma once
// Values of loops that are equal in every step. For the sources of compile/ only.
#include <vector>

#include "croton/compile/equal_values.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

/// Numbers of the values of a graph around loops, found when they are first asked for.
class Surroundings {
  public:
    explicit Surroundings(const Variables& outputs) : outputs_(outputs) {}
    std::vector<EqualValues::Number> operator()(const Variables& values) {
        if (!known_) values_.add(toposort(outputs_));
        known_ = true;
        std::vector<EqualValues::Number> numbers;
        for (const auto& v : values) numbers.push_back(values_(v));
        return numbers;
    }

  private:
    const Variables& outputs_;
    EqualValues values_;
    bool known_ = false;
};

/// Whether two values of a loop's body are, for a loop whose inputs stand in the graph around it.
bool equal_in_each_step(const Loop& loop, const Variable& a, const Variable& b,
                        Surroundings& outside);

}  // namespace croton::compile
