// Writes the page of all rules, from their tables and from what the tests fire them on:
// croton_rules_page FILE.md
#include <cstdio>

#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
#include "croton/compile/fold.hpp"
#include "croton/compile/loop_rules.hpp"
#include "croton/compile/pipeline.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/graph/listing.hpp"
#include "croton/rules/tables.hpp"
#include "tests/rules/examples.hpp"
#include "tests/rules/instances.hpp"
#include "tests/rules/loop_examples.hpp"

namespace croton {
namespace {

constexpr std::string_view head =
    R"(# Rules

How expressions are rewritten: what stands before an arrow becomes what stands behind it. Leaves stand
for anything, `axes=?axes` for any axes, the same on both sides. An example shows what was really
rewritten, where a function makes the right side. Written by croton_rules_page from the tables and from
the graphs that the tests fire each rule on. Tests named `matrix` judge values over dtypes, sizes,
random numbers and edges (zeros of both signs, infinities, NaN, large numbers, no elements); those
named `graph` and `loops` do so for whole graphs, errors included.

)";

std::string arrow(const std::string& before, const std::string& after) {
    return cat("    ", before, "\n      -> ", after, "\n");
}

std::string shown(const Variable& v) { return pp(v, {.max_length = 300}); }

// The first instance that the row fires on.
std::string instance_of(const rewrite::Rule& rule) {
    std::string text;
    test::for_each_instance(rule, {[&](const test::Fired& fired) {
                                       text = arrow(shown(fired.before), shown(fired.after));
                                       return false;
                                   },
                                   [](const std::string&) {}});
    return text;
}

std::string section(const test::Row& row, size_t place) {
    const rewrite::Rule& rule = *row.rule;
    std::string text = cat("### ", rule.name, "\n\n");
    if (auto right = std::get_if<Variable>(&rule.right))
        text += arrow(shown(rule.left), shown(*right));
    else
        text += cat("    ", shown(rule.left), "\n\nExample:\n\n", instance_of(rule));
    text +=
        cat("\nWhere ", rule.where.words().empty() ? "it matches" : rule.where.words(), ". `",
            rewrite::place_of(rule), "`. Test: matrix `", test::test_name(row, place), "`.\n\n");
    return text;
}

// The example before and after what the rule did first to it.
std::string step_of(const test::Example& example) {
    test::Leaves leaves;
    auto named = compile::specialise(leaves.all(), {example.make(leaves)}, true);
    compile::Mode mode = compile::mode_named("fast");
    std::vector<compile::Event> events;
    compile::rewrite_graph(named.outputs, mode, &events);
    auto after_steps = [&](int count) {
        return shown(compile::rewrite_graph(named.outputs, mode.limited(count), nullptr)[0]);
    };
    for (const auto& event : events)
        if (event.what == example.rule)
            return arrow(after_steps(event.number - 1), after_steps(event.number));
    return "";
}

std::string section(const rewrite::NodeRule& rule) {
    std::string text, tests;
    const auto& all = test::examples();
    for (size_t place = 0; place < all.size(); ++place) {
        if (all[place].rule != rule.name) continue;
        if (text.empty()) text = step_of(all[place]);
        tests += cat(tests.empty() ? "" : ", ", "`", test::test_name(all[place], place), "`");
    }
    return cat("### ", rule.name, "\n\nExample:\n\n", text, "\n`", rewrite::place_of(rule),
               "`. Tests: graph ", tests, ".\n\n");
}

// Loops before and after a row that compiling walks: one line a loop.
std::string section(const compile::LoopRule& rule) {
    std::string text, tests;
    const auto& all = test::loop_examples();
    for (size_t place = 0; place < all.size(); ++place) {
        if (all[place].rule != rule.name) continue;
        if (text.empty()) {
            auto step = test::steps_of(all[place]).at(0);
            text = arrow(step.before, step.after);
        }
        tests += cat(tests.empty() ? "" : ", ", "`", test::test_name(all[place], place), "`");
    }
    return cat("### ", rule.name, "\n\n", rule.what, "\n\nExample:\n\n", text, "\n`",
               compile::place_of(rule), "`. Tests: loops ", tests, ".\n\n");
}

std::vector<rewrite::NodeRule> node_rules() {
    std::vector<rewrite::NodeRule> all = rules::node_rules();
    all.push_back(compile::constant_folding());
    all.push_back(compile::expansion());
    return all;
}

std::string page() {
    auto rows = test::all_rows();
    auto others = node_rules();
    const auto& loops = compile::loop_rules();
    std::string text = cat(head, rows.size() + others.size() + loops.size(),
                           " rules: ", rows.size(), " rows of tables, ", others.size(),
                           " that no pattern can say, ", loops.size(), " for loops.\n\n");
    for (size_t place = 0; place < rows.size(); ++place) {
        if (place == 0 || rows[place].table != rows[place - 1].table)
            text += cat("## ", rows[place].table, "\n\n");
        text += section(rows[place], place);
    }
    text += "## Rules that no pattern can say\n\n";
    for (const auto& rule : others) text += section(rule);
    text += "## Loops\n\nIn the order in which compiling walks them.\n\n";
    for (const auto& rule : loops) text += section(rule);
    return text;
}

}  // namespace
}  // namespace croton

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: croton_rules_page FILE.md\n");
        return 2;
    }
    try {
        croton::write_file(arguments[1], croton::page());
    } catch (const croton::Error& error) {
        std::fprintf(stderr, "croton_rules_page: %s\n", error.what());
        return 1;
    }
}
