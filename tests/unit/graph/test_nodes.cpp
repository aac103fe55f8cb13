// How nodes lie in memory: large graphs cost what is read of it.
#include <gtest/gtest.h>

#include "croton/graph/op.hpp"
#include "tests/unit/graph/records.hpp"

namespace croton {
namespace {

template <class List>
bool lies_inside(const List& list, const Node& node) {
    auto place = reinterpret_cast<uintptr_t>(list.data()),
         start = reinterpret_cast<uintptr_t>(&node);
    return place >= start && place < start + sizeof node;
}

TEST(Nodes, OfTwoInputsAndOneOutputAreOnePieceOfThreeCacheLines) {
    EXPECT_LE(sizeof(Node), 184U);
    Variable x = input(parse_type("f64[?,?,?,?]"), "x");
    Variable sum = apply(test::add, {x, x})[0];
    EXPECT_TRUE(lies_inside(sum.node().inputs, sum.node()));
    EXPECT_TRUE(lies_inside(sum.node().types, sum.node()));
    EXPECT_TRUE(lies_inside(sum.node().types[0].dims, sum.node()));
}

TEST(Nodes, AnyOutputMayHaveAName) {
    Variables pair = apply(test::twice, {input(parse_type("f64[?]"), "x")});
    EXPECT_TRUE(pair[0].node().names.empty());
    EXPECT_EQ(pair[1].name(), "");
    pair[1].named("second");
    EXPECT_EQ(pair[0].name(), "");
    EXPECT_EQ(pair[1].name(), "second");
    OutputNames copy = pair[0].node().names;
    copy.set(0, "other");
    EXPECT_EQ(copy[0], "other");
    EXPECT_EQ(pair[0].name(), "");
}

}  // namespace
}  // namespace croton
