// The page of rules that the build wrote has every rule: before and after, where it stands, its
// tests; and the page that compares with Theano names rules that exist.
#include <gtest/gtest.h>

#include <cstdlib>

#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
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

}  // namespace
}  // namespace croton
