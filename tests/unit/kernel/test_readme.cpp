// The kernels shown in the READMEs are what the printer prints.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "croton/kernel/kernel.hpp"

namespace croton::kernel {
namespace {

std::vector<std::string> kernels_in(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << path << ": tests run in the root of the repository";
    std::vector<std::string> blocks;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line == "```kernel") {
            blocks.emplace_back();
            inside = true;
        } else if (line == "```")
            inside = false;
        else if (inside)
            blocks.back() += line + "\n";
    }
    return blocks;
}

TEST(Readme, ShownKernelsParseVerifyAndPrintTheSame) {
    for (const char* path : {"croton/kernel/README.md", "croton/backend/interp/README.md"}) {
        auto blocks = kernels_in(path);
        EXPECT_FALSE(blocks.empty()) << path;
        for (const auto& block : blocks) {
            Kernel kernel = parse(block);
            verify(kernel);
            EXPECT_EQ(print(kernel), block) << path;
        }
    }
}

}  // namespace
}  // namespace croton::kernel
