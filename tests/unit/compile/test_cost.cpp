// The table of costs says of each opcode what computing it anew is worth.
#include <gtest/gtest.h>

#include "croton/compile/cost.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"

namespace croton::compile {
namespace {

using kernel::OpCode;

TEST(Cost, EveryFunctionIsKeptInARowRatherThanComputedAgain) {
#define CROTON_OPCODE(name, arguments, typing)                                                \
    if (kernel::is_function(OpCode::name##_)) {                                               \
        EXPECT_GT(cost_of(OpCode::name##_, DType::Float32), cost_of_keeping_in_row) << #name; \
        EXPECT_GT(cost_of(OpCode::name##_, DType::Float64), cost_of_keeping_in_row) << #name; \
    }
#include "croton/kernel/opcodes.def"
}

TEST(Cost, ArithmeticIsComputedAgain) {
    for (DType dtype : {DType::Float32, DType::Float64, DType::Int64})
        for (OpCode op : {OpCode::add_, OpCode::mul_, OpCode::lt_, OpCode::select_, OpCode::neg_})
            EXPECT_EQ(cost_of(op, dtype), 1) << dtype_name(dtype);
    EXPECT_EQ(cost_of(OpCode::load_, DType::Float64), 0);
    EXPECT_GT(cost_of(OpCode::floor_div_, DType::Int64), cost_of_keeping_in_row);
    EXPECT_EQ(cost_of(OpCode::mul_, DType::Complex128), 1);
    EXPECT_EQ(cost_of(OpCode::exp_, DType::Complex128), 4 * cost_of(OpCode::exp_, DType::Float64));
}

TEST(Cost, OfNodesIsThatOfTheirOpcodes) {
    Variable x = input(parse_type("f64[?,?]"), "x");
    EXPECT_EQ(cost_of_element(exp(x).node()), cost_of(OpCode::exp_, DType::Float64));
    EXPECT_EQ(cost_of_element((x + x).node()), 1);
    EXPECT_EQ(cost_of_element(transpose(x).node()), 0);
    // A comparison costs what its arguments are, not its bool.
    EXPECT_EQ(cost_of_element(lt(x, x).node()), 1);
}

}  // namespace
}  // namespace croton::compile
