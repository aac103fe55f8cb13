// The text form: what is printed, what reads back, what malformed text is told.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "tests/unit/graph/records.hpp"

namespace croton {
namespace {

ParsedGraph parsed(std::string_view text) { return parse_graph(text, {.find_op = test::find_op}); }

/// Prints, reads back, compares and prints again.
ParsedGraph round_trip(const Variables& outputs, PrintOptions options = {}) {
    std::string text = print(outputs, options);
    ParsedGraph read = parsed(text);
    EXPECT_EQ(graph_difference(outputs, read.outputs), "") << text;
    options.inputs = read.inputs;
    EXPECT_EQ(print(read.outputs, options), text);
    return read;
}

std::string error_of(std::string_view text, ErrorKind kind = ErrorKind::Value) {
    try {
        parsed(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error for: " << text;
    return "";
}

Variable named_input(const char* type, const char* name) {
    return input(parse_type(type), name, Site{});
}
Site line(uint32_t number) { return {"a/folder/train.py", number, ""}; }

TEST(Text, LooksAsDocumented) {
    Variable x = input(parse_type("f32[?,784]"), "x", line(3));
    SharedVariable w =
        shared_of_type(parse_type("f32[784]"), Array::zeros(DType::Float32, {784}), "w");
    w.node_pointer()->site = {};
    Variable y = apply(test::mul, {x, w}, {}, line(4))[0];
    y.named("logits");
    Variable z = apply(test::sum, {y}, {{"axes", Ints{0}}}, line(5))[0];
    Variable half = constant(Array::scalar(0.5F), Site{});
    Variable out = apply(test::mul, {z, half})[0];
    EXPECT_EQ(print({out}, {.name = "f"}),
              R"(graph f(%0: f32[?,784] "x" @ train.py:3, %1: shared f32[784] "w") {
  %2 = mul(%0, %1) : f32[?,784] "logits" @ train.py:4
  %3 = sum(%2) {axes=[0]} : f32[784] @ train.py:5
  %4 = mul(%3, f32[] 0.5) : f32[784]
  return %4
}
)");
}

TEST(Text, NamesSitesAndHeadComeBack) {
    Variable x = input(parse_type("f64[n,n,?]"), "an \"odd\"\nname", line(7));
    Variable y = apply(test::twice, {x}, {}, line(8))[1];
    y.named("second");
    ParsedGraph read = round_trip({y}, {.name = "two words", .sites = PrintOptions::Sites::Full});
    EXPECT_EQ(read.name, "two words");
    ASSERT_EQ(read.inputs.size(), 1u);
    EXPECT_EQ(read.inputs[0].name(), "an \"odd\"\nname");
    EXPECT_EQ(read.inputs[0].type(), x.type());
    EXPECT_EQ(read.outputs[0].index(), 1u);
    EXPECT_EQ(read.outputs[0].name(), "second");
    EXPECT_STREQ(read.outputs[0].site().file, "a/folder/train.py");
    EXPECT_EQ(read.outputs[0].site().line, 8u);
}

TEST(Text, SitesWithOddFileNames) {
    Variable x = named_input("f64[]", "x");
    Variable y = apply(test::exp, {x}, {}, {"C:\\my dir\\a,b \"c\".py", 12, ""})[0];
    ParsedGraph read = round_trip({y}, {.sites = PrintOptions::Sites::Full});
    EXPECT_STREQ(read.outputs[0].site().file, "C:\\my dir\\a,b \"c\".py");
    EXPECT_EQ(read.outputs[0].site().line, 12u);
    EXPECT_EQ(print({y}, {.sites = PrintOptions::Sites::None}).find('@'), std::string::npos);
}

TEST(Text, OpsWithOddNames) { round_trip({apply(test::odd_name, {named_input("f64[]", "")})[0]}); }

TEST(Text, UnusedInputsAndOrderAreKept) {
    Variable x = named_input("f64[]", "x"), y = named_input("f64[]", "y"),
             z = named_input("i8[2]", "z");
    ParsedGraph read = round_trip({apply(test::add, {x, y})[0]}, {.inputs = {z, y, x}});
    ASSERT_EQ(read.inputs.size(), 3u);
    EXPECT_EQ(read.inputs[0].name(), "z");
    EXPECT_EQ(read.inputs[2].name(), "x");
}

TEST(Text, ComputedInputsCutTheGraph) {
    Variables pair = apply(test::twice, {named_input("f64[?]", "x")});
    Variable y = apply(test::add, {apply(test::exp, {pair[0]})[0], pair[0]})[0];
    ParsedGraph read = parsed(print({y}, {.inputs = {pair[0]}}));
    EXPECT_EQ(toposort(read.outputs).size(), 3u);
    EXPECT_EQ(read.inputs[0].kind(), NodeKind::Input);
    EXPECT_TRUE(same_graph({y}, read.outputs, {pair[0]}, read.inputs));
    // The other output of a node that is cut in one place still has its line.
    Variable both = apply(test::add, {pair[0], pair[1]})[0];
    read = parsed(print({both}, {.inputs = {pair[0]}}));
    EXPECT_EQ(toposort(read.outputs).size(), 4u);
}

TEST(Text, ConstantsAreExact) {
    Variable x = named_input("f64[?]", "x");
    auto used = [&](Array value, bool weak = false) {
        Variable c = weak ? weak_constant(std::move(value)) : constant(std::move(value), Site{});
        ParsedGraph read = round_trip({apply(test::add, {x, c})[0], c});
        EXPECT_EQ(read.outputs[1].node().weak, weak);
        return print({c}, {.sites = PrintOptions::Sites::None});
    };
    for (double value : std::initializer_list<double>{
             0.1, -0.0, 1e300, 5e-324, INFINITY, -INFINITY, double(NAN), -double(NAN),
             std::bit_cast<double>(uint64_t{0x7ff0000000000001}), 3.0})
        used(Array::scalar(value)), used(Array::scalar(value), true);
    for (float value : std::initializer_list<float>{0.1F, -0.0F, 1e-45F, INFINITY, NAN, -NAN})
        used(Array::scalar(value));
    for (uint16_t bits :
         std::initializer_list<uint16_t>{0x3c00, 0x0001, 0x7c00, 0x7e00, 0x7e01, 0xfe00, 0x8000}) {
        Half half;
        half.bits = bits;
        used(Array::scalar(half));
        BHalf bhalf;
        bhalf.bits = bits;
        used(Array::scalar(bhalf));
    }
    used(Array::scalar(true), true), used(Array::scalar(false));
    used(Array::scalar<int64_t>(INT64_MIN), true), used(Array::scalar<int8_t>(-7));
    used(Array::scalar<uint64_t>(UINT64_MAX), true), used(Array::scalar<uint8_t>(255));
    used(Array::scalar(std::complex<double>(-0.0, 0.1)), true);
    used(Array::scalar(std::complex<float>(NAN, -2)));
    used(Array::of<int32_t>({1, 2, 3, 4, 5, 6}, {3, 2}));
    used(Array::of<std::complex<double>>({{1, 2}, {3, 4}}, {1, 2, 1}));
    used(Array::zeros(DType::Bool, {2, 0, 3}));
    used(Array::zeros(DType::Float32, {0}));
    EXPECT_NE(used(Array::scalar(2.0), true).find("return 2.0\n"), std::string::npos);
    EXPECT_NE(used(Array::of<int64_t>({1, 2, 3, 4}, {2, 2})).find("i64[2,2] [[1,2],[3,4]]"),
              std::string::npos);
}

TEST(Text, LongConstantsAreExactToo) {
    std::mt19937_64 random(7);
    for (int count : {9, 63, 64, 65, 66, 67, 1000}) {
        std::vector<double> values;
        for (int i = 0; i < count; ++i) values.push_back(std::bit_cast<double>(random()));
        Variable c = constant(Array::of(values, {count}), Site{});
        c.named("table");
        std::string text = print({c});
        EXPECT_EQ(text.find("base64") != std::string::npos, count > 64);
        ParsedGraph read = round_trip({apply(test::exp, {c})[0]});
        EXPECT_EQ(read.outputs[0].input(0).name(), "table");
    }
    std::vector<bool> flags(101, true);
    round_trip({constant(Array::zeros(DType::UInt8, {101}), Site{})});
    round_trip({constant(Array::zeros(DType::Complex64, {5, 20}), Site{})});
}

TEST(Text, StridedConstants) {
    Array table = Array::of<int64_t>({1, 2, 3, 4, 5, 6}, {2, 3});
    Array turned = Array::view(DType::Int64, {3, 2}, {8, 24}, table.data(), table.owner());
    Variable c = constant(turned, Site{});
    EXPECT_NE(print({c}).find("[[1,4],[2,5],[3,6]]"), std::string::npos);
}

TEST(Text, AttributesOfEveryKind) {
    Variable x = named_input("f64[]", "x");
    std::string plain = print({apply(test::zoo, {x}, {{"sizes", Ints{1}}})[0]});
    EXPECT_NE(plain.find("zoo(%0) {sizes=[1]} : f64[]\n"), std::string::npos) << plain;
    for (double scale :
         std::initializer_list<double>{0.1, -0.0, 1e22, 7.0, double(INFINITY), double(NAN)})
        for (const char* label : {"", "a \"b\" \\ {c}, =d\n", "?", "true", "[1]"})
            round_trip({apply(test::zoo, {x},
                              {{"flag", false},
                               {"count", int64_t{-5}},
                               {"scale", scale},
                               {"label", std::string(label)},
                               {"dtype", DType::Int8},
                               {"sizes", Ints{-1, 20, 3}}})[0]});
    round_trip({apply(test::zoo, {x}, {{"sizes", Ints{}}})[0]});
}

TEST(Text, SharedValues) {
    SharedVariable w = shared(Array::of<float>({1, 2}), "w", Site{});
    ParsedGraph read = parsed(print({w}, {.shared_values = true}));
    EXPECT_TRUE(SharedVariable(read.outputs[0]).get_value().identical(w.get_value()));
    EXPECT_EQ(read.outputs[0].type(), w.type());
    read = parsed(print({w}));
    EXPECT_EQ(SharedVariable(read.outputs[0]).get_value().shape(), Sizes{1});
}

TEST(Text, PatternsAndNothing) {
    Variable p = apply(test::zoo, {wildcard("x")}, {{"sizes", AttrWildcard{"s"}}})[0];
    ParsedGraph read = round_trip({p, Variable()});
    EXPECT_TRUE(read.outputs[0].node().pattern);
    EXPECT_FALSE(read.outputs[1]);
    EXPECT_EQ(read.inputs[0].name(), "x");
    Variable empty_name = wildcard("");
    round_trip({apply(test::exp, {empty_name})[0]});
}

TEST(Text, InnerGraphs) {
    Variable a = named_input("f64[?]", "a"), b = named_input("f64[?]", "b");
    SharedVariable w = shared(Array::of<double>({1}), "w", Site{});
    auto inner = std::make_shared<Subgraph>(
        "square", Variables{a, b},
        Variables{apply(test::mul, {a, a})[0], apply(test::add, {a, w})[0]});
    Variable x = named_input("f64[?]", "x");
    auto call = [&](const std::shared_ptr<Subgraph>& graph, const Variable& v) {
        return apply(test::call, {v, v}, {{"graph", std::shared_ptr<const Opaque>(graph)}})[0];
    };
    Variable c = named_input("f64[?]", "c"), d = named_input("f64[?]", "d");
    auto outer = std::make_shared<Subgraph>("outer", Variables{c, d},
                                            Variables{call(inner, apply(test::exp, {c})[0])});
    Variable y = apply(test::add, {call(inner, x), call(outer, w)})[0];
    Variable z = apply(test::add, {y, call(inner, y)})[0];
    std::string text = print({z});
    // Two graphs, each written once; the shared variable of the inner one stands in the outer head.
    EXPECT_NE(text.find("{graph=#0}"), std::string::npos) << text;
    EXPECT_LT(text.find("\"w\""), text.find("graph square")) << text;
    ParsedGraph read = round_trip({z});
    EXPECT_EQ(read.inputs.size(), 2u);
    auto graph = subgraph_of(read.outputs[0].input(1).node().attrs->values[0]);
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph->text(), "square");
    EXPECT_EQ(graph->inputs().size(), 2u);
    EXPECT_EQ(graph->outputs()[1].input(1).kind(), NodeKind::Shared);
}

TEST(Text, InnerGraphsMayBeMadeOfOuterVariables) {
    // The user's own x is the input of the inner graph, of the outer one, and of a node of both.
    Variable x = named_input("f64[?]", "x"), y = named_input("f64[?]", "y");
    Variable e = apply(test::exp, {x})[0];
    std::shared_ptr<const Opaque> graph =
        std::make_shared<Subgraph>("g", Variables{x}, Variables{e});
    auto call = [&](const Variable& v) { return apply(test::call, {v}, {{"graph", graph}})[0]; };
    Variable out = apply(test::add, {apply(test::add, {e, call(x)})[0], call(y)})[0];
    ParsedGraph read = round_trip({out});
    ASSERT_EQ(read.inputs.size(), 2u);
    auto inner = subgraph_of(read.outputs[0].input(1).node().attrs->values[0]);
    EXPECT_FALSE(inner->inputs()[0] == read.inputs[0]);
    EXPECT_TRUE(same_graph(inner->outputs(), {e}, inner->inputs(), {x}));
}

TEST(Text, NestingIsLimited) {
    std::string head;
    for (int i = 0; i < 100; ++i)
        head += cat("graph(%", i, ": f64[]) { %r", i, " = call(%", i, ") {graph=");
    EXPECT_NE(error_of("graph() { %a = call(1.0) {graph=" + head).find("nested deeper"),
              std::string::npos);
    Variable x = named_input("f64[]", "x");
    std::shared_ptr<const Opaque> graph =
        std::make_shared<Subgraph>("g", Variables{x}, Variables{x});
    for (int i = 0; i < 70; ++i) {
        Variable a = named_input("f64[]", "a");
        graph = std::make_shared<Subgraph>("g", Variables{a},
                                           apply(test::call, {a}, {{"graph", graph}}));
    }
    EXPECT_THROW(print(apply(test::call, {x}, {{"graph", graph}})), Error);
}

TEST(Text, WrittenByHand) {
    ParsedGraph read = parsed(R"(
        // types may be left out, ids may be names
        graph(%x: f32[?, 3], %w: f32[3]) {
            %y = mul(%x, %w) @ "a b.py":4
            %total = sum(%y) { axes = [0, 1] } "total"
            return %total, 2, -3.5e-2, true
        })");
    EXPECT_EQ(read.outputs[0].type(), parse_type("f32[]"));
    EXPECT_EQ(read.outputs[0].name(), "total");
    EXPECT_EQ(read.outputs[0].input(0).type(), parse_type("f32[?,3]"));
    EXPECT_EQ(read.outputs[0].input(0).site().text(), "a b.py:4");
    EXPECT_EQ(read.outputs[1].dtype(), DType::Int64);
    EXPECT_EQ(constant_value(read.outputs[2])->item<double>(), -0.035);
    EXPECT_EQ(read.outputs[3].dtype(), DType::Bool);
    EXPECT_TRUE(read.outputs[3].node().weak);
}

TEST(Text, MalformedTextNamesThePlace) {
    auto has = [](std::string_view text, std::string_view words,
                  ErrorKind kind = ErrorKind::Value) {
        std::string error = error_of(text, kind);
        EXPECT_NE(error.find(words), std::string::npos) << error;
    };
    has("", "line 1, column 1: expected 'graph', found the end of the text");
    has("graph(%0: f32[?]) {\n  %1 = exq(%0)\n return %1 }",
        "line 2, column 8: there is no op 'exq'");
    has("graph(%0: f32[?]) {\n  %1 = exp(%7)\n return %1 }",
        "line 2, column 12: %7 is not defined");
    has("graph(%0: f32[?], %0: f32[]) { return %0 }", "column 20: %0 is defined already");
    has("graph(%0: f32[?]) { %0 = exp(%0) return %0 }", "%0 is defined already");
    has("graph(%0: f32[?]) { %1, %1 = twice(%0) return %1 }", "%1 is defined already");
    has("graph(%0: q32[?]) { return %0 }", "unknown dtype 'q32'");
    has("graph(%0: f32[?) { return %0 }", "column 11");
    has("graph(%0: f32[?]) { %1 = exp(%0) : f64[?] return %1 }",
        "gives f32[?] here; the text says");
    has("graph(%0: f32[?]) { %1 = exp(%0) : f32[4] return %1 }", "the text says f32[4]");
    has("graph(%0: f32[?]) { %1 = twice(%0) return %1 }", "twice gives 2 results, not 1");
    has("graph(%0: f32[?]) { %1 = exp(%0) {axes=[0]} return %1 }", "exp has no attribute 'axes'");
    has("graph(%0: f32[?]) { %1 = sum(%0) {axes=1} return %1 }", "attribute 'axes' cannot be 1");
    has("graph(%0: f32[?]) { %1 = sum(%0) {axes=[a]} return %1 }", "'a' is not a whole number");
    has("graph(%0: f32[?]) { %1 = sum(%0) {keepdims=maybe} return %1 }", "'maybe' is not");
    has("graph(%0: f32[?]) { %1 = zoo(%0) {scale=1.2.3, sizes=[1]} return %1 }",
        "'1.2.3' is not a number");
    has("graph(%0: f32[?]) { %1 = call(%0) {graph=<thing>} return %1 }", "nobody here knows");
    has("graph(%0: f32[?]) { %1 = call(%0) {graph=#2} return %1 }", "no inner graph #2");
    has("graph(%0: f32[?]) { %1 = call(%0) {graph=graph g(%2: f32[?]) { return %2 }} : f32[?] "
        "return %2 }",
        "%2 is not defined above");
    has("graph(%0: f32[?] \"x) { return %0 }", "column 18: this quote is not closed");
    has("graph() { return f32[3] [1,2] }", "expected ','");
    has("graph() { return f32[2,2] [1,2,3,4] }", "expected '['");
    has("graph() { return f32[?] [1,2] }", "sizes must be numbers");
    has("graph() { return f32[99999999999,99999999999] [1,2] }", "too short");
    has("graph() { return u8[] 256 }", "\"256\" is not a number of dtype uint8");
    has("graph() { return i32[] 1.5 }", "is not a number of dtype int32");
    has("graph() { return f32[1] base64 \"AAA=\" }", "not base64 of 4 bytes");
    has("graph() { return f32[1] base64 \"A*AAAA==\" }", "not base64 of 4 bytes");
    has("graph(%0: f32[?]) { %1 = zoo(%0) return %1 }", "zoo needs its attribute 'sizes'");
    has("graph(%0: f32[?]) { %1 = call(%0) {graph=<none>} return %1 }", "needs its attribute");
    has("graph(%0: f32[?]) { %1 = zoo(%0) {sizes=?s} return %1 }", "open outside of a pattern");
    has("graph() { return five }", "expected %id, a number or a typed constant, found \"five\"");
    has("graph() { return 1 } rest", "expected the end of the text, found \"rest\"");
    has("graph() { 1 }", "or 'return'");
    has("graph(%0: f32[] @ a.py:x) { return %0 }", "expected a line number");
    has("graph(%0: f32[3], %1: f32[4]) {\n %2 = add(%0, %1)\n return %2 }", "line 2, column 7",
        ErrorKind::Shape);
    has("graph(%0: shared f32[3] = f32[2] [1,2]) { return %0 }", "has 3 elements",
        ErrorKind::Shape);
}

TEST(Text, EveryCutAndChangeIsAnErrorOrAGraph) {
    Variable x = named_input("f64[n,3]", "x");
    Variable a = named_input("f64[]", "a");
    std::shared_ptr<const Opaque> inner =
        std::make_shared<Subgraph>("g", Variables{a}, Variables{apply(test::exp, {a})[0]});
    Variable c = constant(Array::zeros(DType::Float32, {70}), Site{});
    Variable y = apply(test::call, {x}, {{"graph", inner}})[0];
    Variable z = apply(test::zoo, {x}, {{"label", std::string("q")}, {"scale", 0.25}})[0];
    std::string text = print({y, z, c, weak_constant(Array::scalar(std::complex<double>(1, 2)))});
    parsed(text);
    auto survive = [](const std::string& candidate) {
        try {
            parsed(candidate);
        } catch (const Error& error) {
            EXPECT_NE(error.kind(), ErrorKind::Internal) << error.what();
        }
    };
    std::string with = "%\"{}[](),:@=#<>?0-.n \n";
    for (size_t i = 0; i < text.size(); ++i) {
        survive(text.substr(0, i));
        survive(text.substr(0, i) + text.substr(i + 1));
        for (char letter : with) {
            std::string changed = text;
            changed[i] = letter;
            survive(changed);
        }
    }
}

Variable random_graph(std::mt19937_64& random, size_t nodes, Variables& pool) {
    auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
    pool = {named_input("f64[n]", "x"), named_input("f64[n]", ""),
            shared(Array::of<double>({1, 2}), "w", Site{})};
    while (pool.size() < nodes) {
        const Variable& v = pool[pick(pool.size())];
        const Variable& u = pool[pick(pool.size())];
        switch (pick(7)) {
            case 0: pool.push_back(apply(test::add, {u, v})[0]); break;
            case 1:
                pool.push_back(apply(test::mul, {u, v}, {}, line(uint32_t(pool.size())))[0]);
                break;
            case 2: pool.push_back(apply(test::twice, {v})[pick(2)]); break;
            case 3: pool.push_back(apply(test::exp, {v})[0].named(cat("v", pool.size()))); break;
            case 4:
                pool.push_back(apply(
                    test::add, {v, constant(Array::scalar(std::bit_cast<double>(random())))})[0]);
                break;
            case 5:
                pool.push_back(apply(test::mul, {v, weak_constant(Array::scalar(2.0))})[0]);
                break;
            case 6:
                pool.push_back(apply(test::zoo, {v},
                                     {{"scale", std::bit_cast<double>(random())},
                                      {"sizes", Ints{int64_t(random())}}})[0]);
                break;
        }
    }
    return pool.back();
}

TEST(Text, RandomGraphsRoundTrip) {
    for (uint64_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        Variables pool;
        random_graph(random, 4 + seed / 4, pool);
        round_trip({pool.back(), pool[pool.size() / 2], pool[1]});
    }
}

TEST(Text, AMillionNodes) {
    Variable v = named_input("f64[]", "x");
    for (int i = 0; i < 1000000; ++i) v = apply(test::exp, {v})[0];
    std::string text = print({v});
    ParsedGraph read = parsed(text);
    EXPECT_TRUE(same_graph({v}, read.outputs));
}

TEST(SameGraph, SeesEveryDifference) {
    Variable x = named_input("f64[n]", "x"), y = named_input("f64[n]", "y");
    auto exp = [](const Variable& v) { return apply(test::exp, {v})[0]; };
    auto add = [](const Variable& u, const Variable& v) { return apply(test::add, {u, v})[0]; };
    EXPECT_TRUE(same_graph({add(x, y)}, {add(y, x)}));  // leaves correspond, names do not count
    EXPECT_FALSE(same_graph({add(x, y)}, {add(y, x)}, {x, y}, {x, y}));
    EXPECT_TRUE(same_graph({add(x, y)}, {add(y, x)}, {x, y}, {y, x}));
    EXPECT_FALSE(same_graph({add(x, y)}, {add(x, x)}));
    EXPECT_FALSE(same_graph({add(x, x)}, {add(x, y)}));
    Variable e = exp(x);
    EXPECT_FALSE(same_graph({add(e, e)}, {add(exp(x), exp(x))}));
    EXPECT_FALSE(same_graph({e}, {apply(test::neg, {x})[0]}));
    EXPECT_FALSE(same_graph({e}, {e, e}));
    EXPECT_FALSE(same_graph({e}, {Variable()}));
    EXPECT_FALSE(same_graph({exp(named_input("f64[3]", ""))}, {exp(named_input("f64[?]", ""))}));
    EXPECT_TRUE(same_graph({exp(named_input("f64[p]", ""))}, {exp(named_input("f64[q]", ""))}));
    EXPECT_FALSE(
        same_graph({exp(named_input("f64[p,p]", ""))}, {exp(named_input("f64[p,q]", ""))}));
    EXPECT_FALSE(
        same_graph({exp(named_input("f64[p,q]", ""))}, {exp(named_input("f64[p,p]", ""))}));
    auto number = [&](double value) { return add(x, constant(Array::scalar(value), Site{})); };
    EXPECT_TRUE(same_graph({number(1)}, {number(1)}));
    EXPECT_FALSE(same_graph({number(0.0)}, {number(-0.0)}));
    EXPECT_FALSE(same_graph({number(1)}, {add(x, weak_constant(Array::scalar(1.0)))}));
    Variables pair = apply(test::twice, {x});
    EXPECT_FALSE(same_graph({pair[0]}, {pair[1]}));
    EXPECT_FALSE(same_graph({pair[0], pair[1]}, {pair[0], apply(test::twice, {x})[1]}));
    EXPECT_NE(graph_difference({e}, {apply(test::neg, {x})[0]}).find("exp"), std::string::npos);
}

TEST(SameGraph, LooksIntoInnerGraphs) {
    Variable x = named_input("f64[n]", "x");
    auto call = [&](const OpRecord& op) {
        Variable a = named_input("f64[n]", "a");
        std::shared_ptr<const Opaque> graph =
            std::make_shared<Subgraph>("g", Variables{a}, apply(op, {a}));
        return apply(test::call, {x}, {{"graph", graph}})[0];
    };
    EXPECT_TRUE(same_graph({call(test::exp)}, {call(test::exp)}));
    EXPECT_FALSE(same_graph({call(test::exp)}, {call(test::neg)}));
}

}  // namespace
}  // namespace croton
