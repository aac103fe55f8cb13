// Graphs as bytes: all of them read back, and no bytes do harm.
#include <gtest/gtest.h>

#include <random>

#include "croton/graph/packed.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "tests/unit/graph/records.hpp"
#include "tests/unit/graph/unpack.hpp"

namespace croton {
namespace {

using test::unpack;
using test::UnpackedGraph;

const PackOptions options{test::find_op};

std::string text(const Variables& inputs, const Variables& outputs) {
    return print(outputs, {.inputs = inputs, .sites = PrintOptions::Sites::Full});
}

/// Writes, reads back and compares structure, names, sites and constants.
UnpackedGraph round_trip(const Variables& inputs, const Variables& outputs) {
    auto bytes = pack(inputs, outputs, options);
    EXPECT_TRUE(bytes);
    auto read = unpack(*bytes, options);
    EXPECT_TRUE(read);
    EXPECT_EQ(graph_difference(outputs, read->outputs, inputs, read->inputs), "");
    EXPECT_EQ(text(read->inputs, read->outputs), text(inputs, outputs));
    EXPECT_EQ(*pack(read->inputs, read->outputs, options), *bytes);
    return *read;
}

Site line(uint32_t number) { return {"a/folder/train.py", number, ""}; }

Variable leaf(const char* type, const char* name) { return input(parse_type(type), name, line(7)); }

struct Sample {
    Variables inputs, outputs;
};

/// Names, sites, sharing, attributes of every type, several outputs, constants of every sort.
Sample sample() {
    Variable x = leaf("f64[n,?]", "x"), y = leaf("f64[n,?]", ""),
             unused = leaf("i8[3,m]", "unused");
    Variable both = apply(test::add, {x, y}, {}, line(9))[0];
    both.named("both");
    Variable number = constant(Array::of<double>({0.0, -0.0, NAN, INFINITY}), line(10));
    number.named("numbers");
    Variable weak = weak_constant(Array::scalar(int64_t{-3}), Site{"other.py", 4000000000U, ""});
    Variables pair = apply(test::twice, {both});
    pair[1].named("second");
    Variable zoo = apply(test::zoo, {both},
                         {{"flag", false},
                          {"count", int64_t{-1000000}},
                          {"scale", -0.0},
                          {"label", std::string("a \"b\"\n")},
                          {"dtype", DType::BFloat16},
                          {"sizes", Ints{-1, 0, int64_t{1} << 62}}})[0];
    Variable total = apply(test::sum, {pair[1]}, {{"axes", Ints{0}}})[0];
    Variable again = apply(test::sum, {zoo}, {{"axes", Ints{0}}, {"keepdims", true}})[0];
    return {{x, y, unused}, {total, again, both, pair[0], pair[1], number, weak}};
}

TEST(Packed, ReadsBackAsItWas) {
    auto [inputs, outputs] = sample();
    UnpackedGraph read = round_trip(inputs, outputs);
    EXPECT_TRUE(read.outputs[6].node().weak);
    EXPECT_EQ(read.outputs[6].site().line, 4000000000U);
    EXPECT_TRUE(read.outputs[5].node().constant->identical(*outputs[5].node().constant));
    EXPECT_EQ(read.outputs[4].name(), "second");
    EXPECT_EQ(read.outputs[3].name(), "");
    EXPECT_EQ(read.inputs[0].type().dims[0], Dim::symbol("n"));
}

TEST(Packed, SymbolsWithoutNamesAreNewOnesThatAgree) {
    Dim a = Dim::fresh(), b = Dim::fresh();
    Variable x = input(TensorType{DType::Float32, {a, b, a}}, "x", Site{});
    auto read = unpack(*pack({x}, {x}, options), options);
    const Dims& dims = read->inputs[0].type().dims;
    EXPECT_EQ(dims[0], dims[2]);
    EXPECT_FALSE(dims[0] == dims[1]);
    EXPECT_TRUE(dims[0].symbolic());
    EXPECT_FALSE(dims[0] == a);
    // The bytes do not depend on what symbols were made before.
    Variable other = input(TensorType{DType::Float32, {b, a, b}}, "x", Site{});
    EXPECT_EQ(*pack({x}, {x}, options), *pack({other}, {other}, options));
}

TEST(Packed, HoldsGraphsInsideOfGraphs) {
    Variable a = leaf("f64[?]", "a"), c = leaf("f64[?]", "c"), x = leaf("f64[?]", "x"),
             w = leaf("f64[?]", "w");
    auto inner =
        std::make_shared<Subgraph>("inner", Variables{a}, Variables{apply(test::mul, {a, w})[0]});
    auto call = [](const std::shared_ptr<Subgraph>& graph, const Variable& v) {
        return apply(test::call, {v}, {{"graph", std::shared_ptr<const Opaque>(graph)}})[0];
    };
    auto outer = std::make_shared<Subgraph>("outer", Variables{c},
                                            Variables{call(inner, apply(test::exp, {c})[0])});
    Variable y = apply(test::add, {call(inner, x), call(outer, w)})[0];
    UnpackedGraph read = round_trip({x, w}, {apply(test::add, {y, call(inner, y)})[0]});
    // What is inside and what is outside are one leaf.
    auto graph = subgraph_of(read.outputs[0].input(1).node().attrs->values[0]);
    EXPECT_EQ(graph->outputs()[0].input(1), read.inputs[1]);
}

TEST(Packed, AttributesInsideOfGraphsAreTheirOwn) {
    Variable a = leaf("f64[?]", "a"), x = leaf("f64[?]", "x");
    auto sum = [](const Variable& v, bool keepdims) {
        return apply(test::sum, {v}, {{"axes", Ints{0}}, {"keepdims", keepdims}})[0];
    };
    auto inner = std::make_shared<Subgraph>("inner", Variables{a},
                                            Variables{sum(a, true), sum(sum(a, true), false)});
    Variable y = apply(test::call, {x}, {{"graph", std::shared_ptr<const Opaque>(inner)}})[0];
    round_trip({x}, {sum(y, true), sum(y, false)});
}

TEST(Packed, ComputedInputsBecomeLeaves) {
    Variable x = leaf("f64[?]", "x");
    Variables pair = apply(test::twice, {x});
    Variable sum = apply(test::add, {pair[0], pair[1]})[0];
    auto read = unpack(*pack({pair[1], x}, {sum}, options), options);
    EXPECT_EQ(read->inputs[0].kind(), NodeKind::Input);
    EXPECT_EQ(read->outputs[0].input(1), read->inputs[0]);
    EXPECT_EQ(read->outputs[0].input(0).input(0), read->inputs[1]);
}

TEST(Packed, SaysWhatItCannotTell) {
    Variable x = leaf("f64[?]", "x");
    static const OpRecord mine = test::exp;
    EXPECT_FALSE(pack({x}, apply(mine, {x}), options));
    Variable large = constant(Array::zeros(DType::Float64, {100}));
    EXPECT_TRUE(pack({}, {large}, {test::find_op, 800}));
    EXPECT_FALSE(pack({}, {large}, {test::find_op, 799}));
    EXPECT_FALSE(pack({}, {wildcard("w")}, options));
    Variable deep = x;
    for (int i = 0; i < 40; ++i) {
        Variable a = leaf("f64[?]", "a");
        auto graph = std::make_shared<Subgraph>("g", Variables{a}, Variables{deep});
        deep = apply(test::call, {x}, {{"graph", std::shared_ptr<const Opaque>(graph)}})[0];
    }
    EXPECT_FALSE(pack({x}, {deep}, options));
}

TEST(Packed, SharedVariablesDoNotReadBack) {
    Variable w = shared(Array::scalar(1.0), "w");
    auto bytes = pack({w}, {w}, options);
    ASSERT_TRUE(bytes);
    EXPECT_FALSE(unpack(*bytes, options));
}

TEST(Packed, OtherGraphsAreOtherBytes) {
    Variable x = leaf("f64[?]", "x");
    std::string plain = *pack({x}, apply(test::exp, {x}, {}, line(1)), options);
    EXPECT_EQ(plain, *pack({x}, apply(test::exp, {x}, {}, line(1)), options));
    EXPECT_NE(plain, *pack({x}, apply(test::exp, {x}, {}, line(2)), options));
    EXPECT_NE(plain, *pack({x}, apply(test::neg, {x}, {}, line(1)), options));
    Variable named = apply(test::exp, {x}, {}, line(1))[0];
    named.named("y");
    EXPECT_NE(plain, *pack({x}, {named}, options));
}

TEST(Packed, SpoiltBytesDoNoHarm) {
    auto [inputs, outputs] = sample();
    const std::string bytes = *pack(inputs, outputs, options);
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(unpack(std::string_view(bytes).substr(0, size), options));
    EXPECT_FALSE(unpack(bytes + '\0', options));
    std::mt19937 random(5);
    for (int round = 0; round < 20000; ++round) {
        std::string spoilt = bytes;
        for (uint32_t changes = 1 + random() % 3; changes > 0; --changes)
            spoilt[random() % spoilt.size()] = static_cast<char>(random());
        unpack(spoilt, options);  // something or nothing
    }
}

}  // namespace
}  // namespace croton
