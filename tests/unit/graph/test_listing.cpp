// Listings and formulas.
#include <gtest/gtest.h>

#include "croton/graph/listing.hpp"
#include "tests/unit/graph/records.hpp"

namespace croton {
namespace {

Variable var(const char* name) { return input(parse_type("f64[?,?]"), name, Site{}); }
Variable number(double value) { return weak_constant(Array::scalar(value)); }
template <class... V>
Variable on(const OpRecord& op, const V&... v) {
    return apply(op, {v...}, {}, {"dir/model.py", 12, ""})[0];
}

TEST(Listing, SharedValuesAreDrawnOnce) {
    Variable x = var("x");
    Variable s = apply(test::sum, {x}, {{"axes", Ints{0}}}, {"model.py", 3, ""})[0];
    Variable y = on(test::mul, on(test::exp, s), s);
    y.named("loss");
    EXPECT_EQ(debugprint(y),
              "mul [A] \"loss\"  model.py:12\n"
              "├─ exp [B]  model.py:12\n"
              "│  └─ sum [C] {axes=[0]}  model.py:3\n"
              "│     └─ x [D]\n"
              "└─ sum [C]  ···\n");
    EXPECT_EQ(debugprint(y, {.print_ids = false,
                             .print_type = true,
                             .print_sites = false,
                             .print_attributes = false}),
              "mul f64[?] \"loss\"\n"
              "├─ exp f64[?]\n"
              "│  └─ sum f64[?]\n"
              "│     └─ x\n"
              "└─ sum  ···\n");
}

TEST(Listing, DepthIsCutInWords) {
    Variable v = var("x");
    for (int i = 0; i < 1000000; ++i) v = apply(test::exp, {v})[0];
    std::string text = debugprint(v, {.depth = 3});
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
    EXPECT_NE(text.find("(deeper levels are not shown)"), std::string::npos);
    EXPECT_LT(debugprint(v).size(), 100000u);
}

TEST(Listing, SeveralOutputsNamesAndConstants) {
    Variable x = var("x");
    Variables pair = apply(test::twice, {x});
    Variable inner = on(test::exp, x).named("middle");
    EXPECT_EQ(debugprint({pair[1], Variable(), on(test::add, inner, number(2))},
                         {.print_ids = false, .print_sites = false, .stop_on_name = true}),
              "twice.1\n"
              "└─ x\n"
              "none\n"
              "add\n"
              "├─ exp \"middle\"\n"
              "└─ 2.0\n");
}

TEST(Listing, InnerGraphsFollow) {
    Variable a = var("a");
    std::shared_ptr<const Opaque> graph =
        std::make_shared<Subgraph>("body", Variables{a}, Variables{on(test::exp, a)});
    Variable y = apply(test::call, {var("x")}, {{"graph", graph}})[0];
    std::string text = debugprint(on(test::add, y, y));
    EXPECT_NE(text.find("Inner graphs:\n\nbody(a [D])\nexp [E]"), std::string::npos) << text;
}

TEST(Formula, Precedence) {
    Variable x = var("x"), y = var("y"), z = var("z");
    auto same = [](const Variable& v, std::string_view text) { EXPECT_EQ(pp(v), text); };
    same(on(test::mul, on(test::add, x, y), z), "(x + y) * z");
    same(on(test::add, on(test::mul, x, y), z), "x * y + z");
    same(on(test::sub, x, on(test::sub, y, z)), "x - (y - z)");
    same(on(test::sub, on(test::sub, x, y), z), "x - y - z");
    same(on(test::sub, x, on(test::add, y, z)), "x - (y + z)");
    same(on(test::pow, x, on(test::pow, y, z)), "x ** y ** z");
    same(on(test::pow, on(test::pow, x, y), z), "(x ** y) ** z");
    same(on(test::neg, on(test::pow, x, y)), "-x ** y");
    same(on(test::pow, on(test::neg, x), y), "(-x) ** y");
    same(on(test::neg, on(test::neg, x)), "--x");
    same(on(test::neg, on(test::add, x, y)), "-(x + y)");
    same(on(test::mul, on(test::neg, x), on(test::add, y, number(2))), "-x * (y + 2)");
    same(on(test::pow, number(-2), x), "(-2) ** x");
    same(on(test::add, x, number(-2)), "x + -2");
    same(on(test::exp, on(test::add, x, number(0.5))), "exp(x + 0.5)");
}

TEST(Formula, CallsAttributesAndLeaves) {
    Variable x = var("x");
    Variable e = on(test::exp, x);
    EXPECT_EQ(pp(apply(test::sum, {e}, {{"axes", Ints{1}}})[0]), "sum(exp(x), axis=1)");
    EXPECT_EQ(pp(apply(test::sum, {e}, {{"axes", Ints{0, 1}}})[0]), "sum(exp(x))");
    EXPECT_EQ(pp(apply(test::sum, {e}, {{"axes", Ints{1}}, {"keepdims", true}})[0]),
              "sum(exp(x), axis=1, keepdims=True)");
    EXPECT_EQ(pp(on(test::exp, var(""))), "exp(<f64[?,?]>)");
    EXPECT_EQ(pp(apply(test::twice, {x})[1]), "twice(x)[1]");
    EXPECT_EQ(pp(Variable()), "none");
    e.named("e");
    EXPECT_EQ(pp(e), "exp(x)");
    EXPECT_EQ(pp(on(test::exp, e)), "exp(e)");
    EXPECT_EQ(pp(on(test::exp, e), {.stop_on_name = false}), "exp(exp(x))");
}

TEST(Formula, LengthIsCut) {
    Variable v = var("x");
    for (int i = 0; i < 1000000; ++i) v = on(test::exp, v);
    std::string text = pp(v, {.max_length = 50});
    EXPECT_EQ(text.size(), 53u);
    EXPECT_TRUE(text.starts_with("exp(exp(exp(") && text.ends_with("...")) << text;
    Variable w = var("y");
    for (int i = 0; i < 100; ++i) w = on(test::add, w, w);  // 2^100 leaves
    EXPECT_LE(pp(w).size(), 2003u);
}

}  // namespace
}  // namespace croton
