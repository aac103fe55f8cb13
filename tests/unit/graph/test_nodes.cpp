// How nodes lie in memory: large graphs cost what is read of it.
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "croton/graph/node_numbers.hpp"
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
    EXPECT_LE(sizeof(Node), 192U);
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

TEST(NodeNumbers, KeepTheFirstNumberOfANode) {
    Variable x = input(parse_type("f64[?]"), "x"), y = input(parse_type("f64[?]"), "y");
    NodeNumbers numbers;
    EXPECT_EQ(numbers.find(&x.node()), NodeNumbers::none);
    EXPECT_TRUE(numbers.insert(&x.node(), 7));
    EXPECT_FALSE(numbers.insert(&x.node(), 8));
    EXPECT_EQ(numbers.find(&x.node()), 7U);
    EXPECT_FALSE(numbers.contains(&y.node()));
    EXPECT_THROW(numbers.insert(&y.node(), 1U << 28), Error);
}

// More tables at once than can lie in nodes; each knows its own numbers, also after others died.
TEST(NodeNumbers, OfManyTablesDoNotMeet) {
    Variable x = input(parse_type("f64[?]"), "x"), y = input(parse_type("f64[?]"), "y");
    std::vector<std::unique_ptr<NodeNumbers>> tables;
    for (uint32_t i = 0; i < 150; ++i) {
        tables.push_back(std::make_unique<NodeNumbers>());
        EXPECT_FALSE(tables.back()->contains(&x.node()));
        EXPECT_TRUE(tables.back()->insert(&x.node(), i));
        EXPECT_TRUE(tables.back()->insert(&y.node(), 1000 + i));
    }
    for (uint32_t i = 0; i < 150; i += 2) tables[i].reset();
    NodeNumbers later;
    EXPECT_TRUE(later.insert(&x.node(), 5));
    for (uint32_t i = 1; i < 150; i += 2) {
        EXPECT_EQ(tables[i]->find(&x.node()), i);
        EXPECT_FALSE(tables[i]->insert(&x.node(), 3));
        EXPECT_EQ(tables[i]->find(&y.node()), 1000 + i);
    }
    EXPECT_EQ(later.find(&x.node()), 5U);
}

TEST(NodeNumbers, OfSeveralThreadsOverOneGraph) {
    Variables nodes;
    for (int i = 0; i < 500; ++i) nodes.push_back(input(parse_type("f64[?]"), "x"));
    std::vector<std::thread> threads;
    std::vector<int> wrong(4, 0);
    for (uint32_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int round = 0; round < 50; ++round) {
                NodeNumbers numbers;
                for (uint32_t i = 0; i < nodes.size(); ++i)
                    wrong[t] += !numbers.insert(&nodes[i].node(), i + t);
                for (uint32_t i = 0; i < nodes.size(); ++i)
                    wrong[t] += numbers.find(&nodes[i].node()) != i + t;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(Nodes, OfEqualAttributesShareThem) {
    Variable x = input(parse_type("f64[?]"), "x");
    Variable one = apply(test::sum, {x}, {{"axes", Ints{0}}})[0];
    Variable two = apply(test::sum, {x}, {{"axes", Ints{0}}})[0];
    Variable other = apply(test::sum, {x}, {{"axes", Ints{}}})[0];
    EXPECT_EQ(one.node().attrs, two.node().attrs);
    EXPECT_NE(one.node().attrs, other.node().attrs);
    EXPECT_EQ(apply_like(one.node(), {x})[0].node().attrs, one.node().attrs);
}

}  // namespace
}  // namespace croton
