// The arena, the matcher and the engine on small graphs.
#include <gtest/gtest.h>

#include <set>

#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rewrite/engine.hpp"

namespace croton::rewrite {
namespace {

Variable matrix(const char* name) { return input(parse_type("f64[?,?]"), name); }

const Variable x = wildcard("x"), y = wildcard("y");

struct Outcome {
    Variables outputs;
    std::vector<Step> steps;
};

struct Limits {
    int64_t limit = -1;
    std::set<std::string, std::less<>> excluded = {};
};

Outcome rewritten(const Variables& outputs, const Rules& rules, const Limits& limits = {}) {
    Arena arena(outputs);
    Engine engine(arena, true);
    engine.limit = limits.limit;
    engine.excluded = limits.excluded;
    engine.run({"test", {&rules}});
    return {arena.extract(), engine.steps()};
}

std::optional<Match> matched(const Variable& left, const Variable& graph,
                             const Condition& where = nullptr) {
    static std::vector<std::unique_ptr<Arena>> kept;  // matches point into their arena
    auto& arena = kept.emplace_back(std::make_unique<Arena>(Variables{graph}));
    return match(Rule("test", left, x, where), *arena, arena->outputs()[0].node);
}

std::string text(const Variables& outputs) {
    return print(outputs, {.sites = PrintOptions::Sites::None});
}

// --- provenance ---------------------------------------------------------------------------------

TEST(Engine, AStepKnowsRuleRowAndUser) {
    Variable a = matrix("a");
    const int row = __LINE__ + 1;
    const Rules rules = {{"exp of log", exp(log(x)), x}};
    const int user = __LINE__ + 1;
    Variable graph = exp(log(a));
    auto [outputs, steps] = rewritten({graph + 1}, rules);
    ASSERT_EQ(steps.size(), 1u);
    EXPECT_EQ(steps[0].number, 1);
    EXPECT_EQ(steps[0].rule, "exp of log");
    EXPECT_TRUE(steps[0].where.ends_with(cat("test_engine.cpp:", row))) << steps[0].where;
    EXPECT_EQ(steps[0].site.line, static_cast<uint32_t>(user));
    EXPECT_EQ(steps[0].before, "exp(log(a))");
    EXPECT_EQ(steps[0].after, "a");
    EXPECT_EQ(text(outputs), text({a + 1}));
}

TEST(Engine, WhatARuleMakesBelongsToTheUsersLine) {
    Variable a = matrix("a");
    const Rules rules = {{"square", x * x, sqr(x)}};
    const int user = __LINE__ + 1;
    Variable graph = a * a;
    auto [outputs, steps] = rewritten({graph}, rules);
    EXPECT_EQ(outputs[0].op()->name, "sqr");
    EXPECT_EQ(outputs[0].site().line, static_cast<uint32_t>(user));
}

// --- limits -------------------------------------------------------------------------------------

const Rules& root_rules() {
    static const Rules rules = {{"root of square", sqrt(sqr(x)), abs(x)}};
    return rules;
}

TEST(Engine, TheLimitStopsAfterSoManySteps) {
    Variables outputs;
    for (const char* name : {"a", "b", "c", "d"}) outputs.push_back(sqrt(sqr(matrix(name))));
    for (int64_t limit : {0, 1, 3, 4, 9}) {
        auto [after, steps] = rewritten(outputs, root_rules(), {.limit = limit});
        EXPECT_EQ(steps.size(), static_cast<size_t>(std::min<int64_t>(limit, 4)));
        auto done = std::count_if(after.begin(), after.end(),
                                  [](const Variable& v) { return v.op()->name == "abs"; });
        EXPECT_EQ(done, std::min<int64_t>(limit, 4));
    }
}

TEST(Engine, ExcludedRulesDoNotRun) {
    Variable a = matrix("a");
    const Rules rules = {{"one", exp(log(x)), x}, {"other", sqrt(sqr(x)), abs(x)}};
    auto [outputs, steps] = rewritten({exp(log(a)), sqrt(sqr(a))}, rules, {.excluded = {"one"}});
    ASSERT_EQ(steps.size(), 1u);
    EXPECT_EQ(steps[0].rule, "other");
    EXPECT_EQ(text(outputs), text({exp(log(a)), abs(a)}));
}

TEST(Engine, RulesThatUndoEachOtherAreAnError) {
    const Rules rules = {{"there", sin(x), cos(x)}, {"back", cos(x), sin(x)}};
    try {
        rewritten({sin(matrix("a"))}, rules);
        FAIL() << "rewriting ended";
    } catch (const Error& error) {
        std::string what = error.what();
        EXPECT_EQ(error.kind(), ErrorKind::Internal);
        EXPECT_NE(what.find("'test' does not end"), std::string::npos) << what;
        EXPECT_TRUE(what.find("there") != std::string::npos ||
                    what.find("back") != std::string::npos)
            << what;
    }
}

TEST(Engine, WhatARuleMakesIsRewrittenToo) {
    Variable a = matrix("a");
    const Rules rules = {{"to three", sin(x), exp(log(sqrt(sqr(x))))},
                         {"exp of log", exp(log(x)), x},
                         {"root of square", sqrt(sqr(x)), abs(x)}};
    EXPECT_EQ(text(rewritten({sin(a)}, rules).outputs), text({abs(a)}));
}

TEST(Engine, AnotherTypeIsNotPutInPlace) {
    Variable a = matrix("a");
    const Rules rules = {{"another rank", exp(x), [](const Match& m) { return sum(m["x"]); }}};
    auto [outputs, steps] = rewritten({exp(a)}, rules);
    EXPECT_TRUE(steps.empty());
    EXPECT_TRUE(outputs[0] == exp(a) || outputs[0].op()->name == "exp");
}

TEST(Engine, NodeRulesReplaceAndSayWhere) {
    Variable a = matrix("a");
    const NodeRule twice{"negated exp", [](Arena& arena, NodeId id) -> Variables {
                             if (arena.op(id)->name != "exp") return {};
                             return {log(arena.variable(arena.inputs(id)[0]))};
                         }};
    Arena arena({exp(a) + 1});
    Engine engine(arena, true);
    engine.run({"test", {}, {&twice}});
    EXPECT_EQ(text(arena.extract()), text({log(a) + 1}));
    ASSERT_EQ(engine.steps().size(), 1u);
    EXPECT_NE(engine.steps()[0].where.find("test_engine.cpp:"), std::string::npos);
}

// --- matching -----------------------------------------------------------------------------------

TEST(Matching, CommutativeOpsMatchBothWays) {
    Variable a = matrix("a"), b = matrix("b");
    auto swapped = matched(x + exp(y), exp(b) + a);
    ASSERT_TRUE(swapped);
    EXPECT_EQ((*swapped)["x"], a);
    EXPECT_EQ((*swapped)["y"], b);
    EXPECT_TRUE(matched(x + exp(y), a + exp(b)));
    EXPECT_FALSE(matched(x - exp(y), exp(b) - a));
}

TEST(Matching, AFailedOrderLeavesNoBindings) {
    Variable a = matrix("a"), b = matrix("b");
    auto found = matched((x * y) + exp(x), exp(a) + (a * b));
    ASSERT_TRUE(found);
    EXPECT_EQ((*found)["x"], a);
    EXPECT_EQ((*found)["y"], b);
}

TEST(Matching, AWildcardIsOneValue) {
    Variable a = matrix("a"), b = matrix("b");
    EXPECT_TRUE(matched(x - x, a - a));
    EXPECT_FALSE(matched(x - x, a - b));
    EXPECT_TRUE(matched(x - x, exp(a) - exp(a)));  // equal nodes are one
}

TEST(Matching, NumbersMatchByValueInAnyDtype) {
    Variable a = matrix("a"), i = input(parse_type("i32[?]"), "i");
    EXPECT_TRUE(matched(x + 1, a + 1.0));
    EXPECT_TRUE(matched(x + 1, 1 + i));
    EXPECT_FALSE(matched(x + 1, a + 2));
    EXPECT_FALSE(matched(x + 1, a + Array::of<double>({1, 1})));
}

TEST(Matching, OpenAttributesBindByName) {
    Variable a = matrix("a");
    Variable open = any_attrs(sum(exp(x)), {"axes", "keepdims"});
    auto found = matched(open, sum(exp(a), 1, true));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->attr<Ints>("axes"), Ints{1});
    EXPECT_TRUE(found->attr<bool>("keepdims"));
    const Rules rules = {{"sum of exp", open, any_attrs(sum(log(x)), {"axes", "keepdims"})}};
    EXPECT_EQ(text(rewritten({sum(exp(a), 1, true)}, rules).outputs), text({sum(log(a), 1, true)}));
}

TEST(Matching, ConditionsDecide) {
    Variable a = matrix("a"), i = input(parse_type("i64[?]"), "i");
    EXPECT_TRUE(matched(x * x, a * a, floating("x")));
    EXPECT_FALSE(matched(x * x, i * i, floating("x")));
    EXPECT_TRUE(matched(x + y, a + constant(Array::scalar(2.5)), is_constant("y")));
    EXPECT_FALSE(matched(x + y, a + a, is_constant("y")));
}

TEST(Matching, ConditionsMayAskForAnyOrder) {
    Variable a = matrix("a"), s = input(parse_type("f64[]"), "s");
    Condition scalar{"y is a scalar", [](const Match& m) { return m.type("y").rank() == 0; }};
    for (const Variable& graph : {a * s, s * a}) {
        auto found = matched(x * y, graph, scalar.in_any_order());
        ASSERT_TRUE(found);
        EXPECT_EQ((*found)["x"], a);
    }
    EXPECT_FALSE(matched(x * y, s * a, scalar));
    EXPECT_FALSE(matched(x * y, a * a, scalar.in_any_order()));
    // The order of both nodes decides.
    for (const Variable& graph : {a * s + exp(a), s * a + exp(a), exp(a) + a * s, exp(a) + s * a})
        EXPECT_TRUE(matched(exp(x) + x * y, graph, scalar.in_any_order()));
}

TEST(Matching, AFunctionMaySayNo) {
    const Rules rules = {{"never", exp(x), [](const Match&) { return Variable(); }}};
    EXPECT_TRUE(rewritten({exp(matrix("a"))}, rules).steps.empty());
}

// --- the arena ----------------------------------------------------------------------------------

TEST(ArenaTest, EqualNodesMerge) {
    Variable a = matrix("a"), b = matrix("b");
    Arena arena({sin(a) + b, sin(a) + b, sin(a)});
    EXPECT_EQ(arena.live_count(), 4u);
    EXPECT_EQ(arena.outputs()[0], arena.outputs()[1]);
    EXPECT_FALSE(arena.outputs()[0] == arena.outputs()[2]);
    EXPECT_EQ(arena.use_count(arena.outputs()[2].node), 2u);
}

TEST(ArenaTest, OtherAttributesOrConstantsAreOtherNodes) {
    Variable a = matrix("a");
    Arena arena({sum(a, 0), sum(a, 1), sum(a, 0), a + 1.0, a + 2.0, a + 1.0});
    const auto& out = arena.outputs();
    EXPECT_EQ(out[0], out[2]);
    EXPECT_FALSE(out[0] == out[1]);
    EXPECT_EQ(out[3], out[5]);
    EXPECT_FALSE(out[3] == out[4]);
}

TEST(ArenaTest, ReplacingMergesWhatBecomesEqual) {
    Variable a = matrix("a"), b = matrix("b");
    Variable roundabout = exp(log(a));
    Arena arena({sin(roundabout) + b, sin(a) + b});
    EXPECT_FALSE(arena.outputs()[0] == arena.outputs()[1]);
    arena.replace(arena.add(roundabout), arena.add(a));
    EXPECT_EQ(arena.outputs()[0], arena.outputs()[1]);
    EXPECT_EQ(arena.live_count(), 4u);
    EXPECT_EQ(arena.order().size(), 4u);
    Variables out = arena.extract();
    EXPECT_EQ(out[0], out[1]);
    EXPECT_EQ(text({out[0]}), text({sin(a) + b}));
}

// What rewriting adds has higher numbers than what reads it.
TEST(ArenaTest, OrderPutsInputsFirst) {
    Variable a = matrix("a"), b = matrix("b");
    Variables many;
    for (int i = 0; i < 40; ++i) many.push_back(sin(a + i));
    Arena arena({concatenate(Args(many.begin(), many.end()), 0), exp(sin(b))});
    const auto count = static_cast<NodeId>(arena.node_count());
    for (NodeId id = 0; id < count; ++id)
        if (arena.op(id) && arena.op(id)->name == "sin")
            arena.replace({id, 0}, arena.add(cos(arena.variable(arena.inputs(id)[0]) * 2.0)));
    std::vector<bool> seen(arena.node_count());
    auto order = arena.order();
    EXPECT_EQ(order.size(), arena.live_count());
    for (auto id : order) {
        for (auto v : arena.inputs(id)) EXPECT_TRUE(seen[v.node]);
        seen[id] = true;
    }
}

TEST(ArenaTest, OneNodeMayBeSeveralOutputs) {
    Variable a = matrix("a"), s = sin(a), c = cos(a);
    Arena arena({s, c, s, s});
    arena.replace(arena.add(s), arena.add(c));
    EXPECT_EQ(arena.use_count(arena.add(c).node), 4U);
    arena.replace(arena.add(c), arena.add(exp(a)));
    for (const auto& v : arena.extract()) EXPECT_EQ(v.op()->name, "exp");
}

TEST(ArenaTest, WhatNobodyUsesDies) {
    Variable a = matrix("a");
    Variable dear = exp(sin(a));
    Arena arena({dear + a});
    Value old = arena.add(dear);
    arena.replace(old, arena.add(a));
    EXPECT_FALSE(arena.alive(old.node));
    EXPECT_EQ(arena.live_count(), 2u);
    EXPECT_EQ(text(arena.extract()), text({a + a}));
    EXPECT_EQ(arena.resolve(old), arena.add(a));
}

TEST(ArenaTest, UntouchedGraphsComeBackAsTheyAre) {
    Variable a = matrix("a");
    Variable whole = exp(sin(a)) + a;
    EXPECT_EQ(Arena({whole}).extract()[0], whole);
}

TEST(ArenaTest, NamesAndSitesStay) {
    Variable a = matrix("a");
    const uint32_t line = __LINE__ + 1;
    Variable top = sin(exp(log(a)));
    top.named("top");
    Arena arena({top});
    arena.replace(arena.add(top.input(0)), arena.add(a));
    Variable after = arena.extract()[0];
    EXPECT_EQ(after.name(), "top");
    EXPECT_EQ(after.site().line, line);
    EXPECT_EQ(after.input(0), a);
    verify({after});
}

TEST(ArenaTest, TheOnlyNameOfEqualNodesStaysAndNoneIsWrittenTo) {
    Variable a = matrix("a");
    Variable plain = sin(a), dear = sin(a);
    dear.named("dear");
    Variables after = Arena({plain, dear}).extract();
    EXPECT_EQ(after[0], after[1]);
    EXPECT_EQ(after[0].name(), "dear");
    EXPECT_EQ(plain.name(), "");
}

TEST(ArenaTest, OutputsMayBeReplaced) {
    Variable a = matrix("a"), b = matrix("b");
    Arena arena({a + b, b});
    arena.replace(arena.outputs()[0], arena.outputs()[1]);
    EXPECT_EQ(arena.extract(), (Variables{b, b}));
}

TEST(ArenaTest, AnotherDtypeOrRankIsAMistakeOfOurs) {
    Variable a = matrix("a"), v = input(parse_type("f64[?]"), "v"),
             i = input(parse_type("i64[?,?]"), "i");
    Arena arena({exp(a), exp(v), i + i});
    for (size_t other : {1, 2}) {
        try {
            arena.replace(arena.outputs()[0], arena.outputs()[other]);
            FAIL() << "replaced by output " << other;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Internal);
        }
    }
}

TEST(ArenaTest, PresentNodesStandForFormerOnes) {
    Variable a = matrix("a"), b = matrix("b");
    Variable back = exp(log(a)), middle = sin(back), top = middle + b;
    Arena arena({top, cos(b)});
    NodeId id = arena.add(middle).node;
    EXPECT_EQ(arena.current(id), middle);
    arena.replace(arena.add(back), arena.add(a));
    Variable present = arena.current(id);
    EXPECT_EQ(present.input(0), a);
    EXPECT_EQ(arena.current(id), present);
    EXPECT_EQ(arena.add(present), arena.add(middle));
    Variables out = arena.extract();
    EXPECT_EQ(out[0].input(0), present);
    EXPECT_EQ(text(out), text({sin(a) + b, cos(b)}));
}

TEST(ArenaTest, TheDeadMayBeUsedAgain) {
    Variable a = matrix("a"), b = matrix("b");
    Variable inner = log(a), dear = exp(inner);
    Arena arena({dear + b, sin(a)});
    Value old = arena.add(dear), log_a = arena.add(inner);
    arena.replace(old, arena.add(a));
    EXPECT_FALSE(arena.alive(log_a.node));
    // In the meantime what it reads has been replaced.
    arena.replace(arena.add(a), arena.add(b));
    arena.replace(arena.outputs()[1], arena.add(sqrt(arena.variable(log_a))));
    EXPECT_TRUE(arena.alive(log_a.node));
    EXPECT_EQ(arena.use_count(log_a.node), 1u);
    EXPECT_EQ(text(arena.extract()), text({b + b, sqrt(log(b))}));
    std::vector<NodeId> disturbed;
    arena.take_disturbed(disturbed);
    EXPECT_EQ(std::count(disturbed.begin(), disturbed.end(), log_a.node), 1);
    arena.take_disturbed(disturbed);
    EXPECT_TRUE(disturbed.empty());
}

// A rule may ask whether its value is used elsewhere: it is looked at again when that changes.
TEST(Engine, WhatIsLeftWithOneUserIsLookedAtAgain) {
    Variable a = matrix("a"), e = exp(a);
    const Rules rules = {
        {"alone",
         sin(exp(x)),
         cos(x),
         {"exp(x) is used once",
          [](const Match& m) {
              return m.arena().use_count(m.arena().inputs(m.root())[0].node) == 1;
          }}},
        {"back", log(exp(x)), x},
    };
    // The sine comes first, while the logarithm still uses the exponential.
    auto [outputs, steps] = rewritten({sin(e), log(e)}, rules);
    EXPECT_EQ(text(outputs), text({cos(a), a}));
}

// What became equal by merging, far above the step, is looked at again.
TEST(Engine, WhatBecameEqualIsLookedAtAgain) {
    Variable a = matrix("a"), one = exp(log(a)), other = a;
    for (int i = 0; i < 8; ++i) {
        one = sin(one);
        other = sin(other);
    }
    const Rules equal = {{"equal", x - x, x * 0}}, back = {{"back", exp(log(x)), x}};
    Arena arena({one - other});
    Engine engine(arena, false);
    engine.run({"settles the difference", {&equal}});
    engine.run({"makes its sides one", {&equal, &back}});
    EXPECT_EQ(text(arena.extract()), text({other * 0}));
}

// A second set sees what the first has settled only with rules that are new.
TEST(Engine, SettledNodesAreShownNewRulesOnly) {
    Variable a = matrix("a"), v = a;
    for (int i = 0; i < 50; ++i) v = sin(cos(v));
    const Rules first = {{"never", sin(sqr(x)), x}}, second = {{"late", sin(cos(x)), cos(sin(x))}};
    Arena arena({v});
    Engine engine(arena, false);
    engine.run({"one", {&first}});
    EXPECT_EQ(engine.visit_count(), 50u);  // cosines have no rules
    engine.run({"two", {&first}});
    EXPECT_EQ(engine.visit_count(), 50u);
    engine.limit = 1;
    engine.run({"three", {&first, &second}});
    EXPECT_EQ(engine.visit_count(), 51u);
    EXPECT_EQ(engine.step_count(), 1);
}

TEST(Index, TurnsRowsDownByOpsAndNumbers) {
    Variable a = matrix("a"), b = matrix("b");
    const Rules rules = {{"test", x + 2, x}, {"test", exp(x) * y, x}, {"test", x - exp(y), x}};
    auto may = [&](size_t row, const Variable& graph) {
        Arena arena({graph});
        return GuardedRule(rules[row], &rules).may_match(Glance(arena, arena.outputs()[0].node));
    };
    EXPECT_TRUE(may(0, a + 2));
    EXPECT_TRUE(may(0, 2 + a));  // addition commutes
    EXPECT_FALSE(may(0, a + 3));
    EXPECT_FALSE(may(0, a + b));
    EXPECT_TRUE(may(0, a + constant(Array::of({2., 3.}))));  // for the matcher to say
    EXPECT_TRUE(may(1, exp(a) * b));
    EXPECT_TRUE(may(1, b * exp(a)));
    EXPECT_FALSE(may(1, sin(a) * b));
    EXPECT_TRUE(may(2, a - exp(b)));
    EXPECT_FALSE(may(2, exp(a) - b));
    EXPECT_EQ(GuardedRule(rules[1], &rules).depth(), 2);
}

TEST(ArenaTest, EveryUserIsListed) {
    Variable a = matrix("a"), e = exp(a);
    Arena arena({e * e, e + 1, sin(e)});
    NodeId id = arena.add(e).node;
    std::set<NodeId> users;
    for (NodeId user : arena.users(id)) users.insert(user);
    std::set<NodeId> expected;
    for (Value output : arena.outputs()) expected.insert(output.node);
    EXPECT_EQ(users, expected);
    EXPECT_EQ(arena.use_count(id), 4u);
}

}  // namespace
}  // namespace croton::rewrite
