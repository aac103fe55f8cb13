// The page of rules that the build wrote has every rule: before and after, where it stands, its
// tests; and the page that compares with Theano names rules that exist.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
#include "croton/compile/loop_rules.hpp"
#include "croton/rules/tables.hpp"

namespace croton {
namespace {

std::string section_of(const std::string& page, std::string_view rule) {
    size_t at = page.find(cat("### ", rule, "\n"));
    if (at == page.npos) return "";
    return page.substr(at, page.find("\n### ", at + 1) - at);
}

std::string written_page() {
    const char* path = std::getenv("CROTON_RULES");
    return path ? read_file(path) : "";
}

TEST(RulesPage, HasEveryRow) {
    std::string page = written_page();
    ASSERT_NE(page, "") << "run by ctest, which names the page";
    size_t count = 0;
    for (const auto& [table, rules] : rules::all_tables())
        for (const auto& rule : *rules) {
            std::string section = section_of(page, rule.name);
            EXPECT_NE(section.find("      -> "), section.npos) << rule.name;
            EXPECT_NE(section.find(rewrite::place_of(rule)), section.npos) << rule.name;
            EXPECT_NE(section.find("Test: matrix `"), section.npos) << rule.name;
            ++count;
        }
    EXPECT_NE(page.find(cat(count, " rows of tables")), page.npos);
    EXPECT_GE(count, 250u);
}

TEST(RulesPage, HasEveryNodeRule) {
    std::string page = written_page();
    ASSERT_NE(page, "") << "run by ctest, which names the page";
    for (const auto& rule : rules::node_rules()) {
        std::string section = section_of(page, rule.name);
        EXPECT_NE(section.find("      -> "), section.npos) << rule.name;
        EXPECT_NE(section.find(rewrite::place_of(rule)), section.npos) << rule.name;
        EXPECT_NE(section.find("Tests: graph `"), section.npos) << rule.name;
    }
}

TEST(RulesPage, HasEveryRowOfLoops) {
    std::string page = written_page();
    ASSERT_NE(page, "") << "run by ctest, which names the page";
    for (const auto& rule : compile::loop_rules()) {
        std::string section = section_of(page, rule.name);
        EXPECT_NE(section.find(rule.what), section.npos) << rule.name;
        EXPECT_NE(section.find("      -> "), section.npos) << rule.name;
        EXPECT_NE(section.find(compile::place_of(rule)), section.npos) << rule.name;
        EXPECT_NE(section.find("Tests: loops `"), section.npos) << rule.name;
    }
}

std::set<std::string, std::less<>> names_of_all_rules() {
    std::set<std::string, std::less<>> names = {"fold constants", "expand"};
    for (const auto& [table, rules] : rules::all_tables())
        for (const auto& rule : *rules) names.emplace(rule.name);
    for (const auto& rule : rules::node_rules()) names.emplace(rule.name);
    for (const auto& rule : compile::loop_rules()) names.emplace(rule.name);
    return names;
}

TEST(RulesOfTheano, AreComparedWithRulesThatExist) {
    auto names = names_of_all_rules();
    std::string page = read_file("docs/rewrites-of-theano.md");
    size_t count = 0;
    for (size_t at = 0; (at = page.find('"', at)) != page.npos; ++count) {
        size_t end = page.find('"', at + 1);
        ASSERT_NE(end, page.npos) << page.substr(at, 60);
        std::string name = page.substr(at + 1, end - at - 1);
        EXPECT_TRUE(names.contains(name)) << name;
        at = end + 1;
    }
    EXPECT_GT(count, 100u);
}

}  // namespace
}  // namespace croton
