// The reference that the build wrote has every op of the catalogue, with words and derivative.
#include <gtest/gtest.h>

#include <cstdlib>

#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
#include "croton/ops/catalogue.hpp"

namespace croton {
namespace {

TEST(Reference, HasEveryOp) {
    const char* path = std::getenv("CROTON_REFERENCE");
    ASSERT_TRUE(path) << "run by ctest, which names the page";
    std::string page = read_file(path);
    for (const auto& [family, records] : catalogue())
        for (const auto* op : records) {
            size_t at = page.find(cat("### ", op->name, "\n"));
            ASSERT_NE(at, page.npos) << op->name;
            std::string section = page.substr(at, page.find("\n### ", at + 1) - at);
            EXPECT_NE(section.find(op->doc), section.npos) << op->name;
            EXPECT_NE(section.find("Derivative: "), section.npos) << op->name;
            for (const auto& argument : op->arguments)
                EXPECT_NE(section.find(cat("- ", argument.name)), section.npos) << op->name;
        }
    EXPECT_NE(page.find("dx = g * cos(x)"), page.npos) << "the derivative of sin as a formula";
}

}  // namespace
}  // namespace croton
