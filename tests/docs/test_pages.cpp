// Generated parts of the pages are what their generators give; CROTON_UPDATE_DOCS=1 writes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
#include "tests/docs/pages.hpp"

namespace croton::test {

std::string fenced(const std::string& language, std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return cat("```", language, "\n", text, "\n```\n");
}

namespace {

const std::string begin_mark = "\n<!-- generated: ", end_mark = "\n<!-- end -->";

Generators generators() {
    Generators all;
    add_tour(all);
    add_tables(all);
    return all;
}

// The page with every part written anew; the names of the parts go into `seen`.
std::string renewed(const std::string& page, const Generators& all, std::set<std::string>& seen) {
    std::string result;
    size_t at = 0;
    for (size_t begin; (begin = page.find(begin_mark, at)) != page.npos;) {
        size_t name = begin + begin_mark.size(), stop = page.find(" -->\n", name);
        size_t end = page.find(end_mark, stop);
        if (stop == page.npos || end == page.npos) {
            ADD_FAILURE() << "a generated part without an end: " << page.substr(begin, 60);
            return page;
        }
        std::string part = page.substr(name, stop - name);
        result += page.substr(at, stop + 5 - at);
        auto generator = all.find(part);
        if (generator == all.end())
            ADD_FAILURE() << "nothing generates '" << part << "'";
        else
            result += generator->second();
        seen.insert(part);
        at = end + 1;
    }
    return result + page.substr(at);
}

TEST(Pages, GeneratedPartsAreFresh) {
    auto all = generators();
    std::set<std::string> seen;
    for (const auto& entry : std::filesystem::directory_iterator("docs")) {
        if (entry.path().extension() != ".md") continue;
        std::string page = read_file(entry.path()), fresh = renewed(page, all, seen);
        if (std::getenv("CROTON_UPDATE_DOCS")) {
            if (fresh != page) write_file(entry.path(), fresh);
            continue;
        }
        EXPECT_EQ(page, fresh) << entry.path().string()
                               << " is stale: CROTON_UPDATE_DOCS=1 ctest -R docs writes it anew";
    }
    for (const auto& [name, generator] : all)
        EXPECT_TRUE(seen.contains(name)) << "no page shows '" << name << "'";
}

// --- READMEs

std::vector<std::filesystem::path> folders() {
    std::vector<std::filesystem::path> all = {"croton",   "python", "tests", "benchmarks",
                                              "examples", "tools",  "docs",  "cmake"};
    for (const char* parent : {"croton", "croton/backend"})
        for (const auto& entry : std::filesystem::directory_iterator(parent))
            if (entry.is_directory()) all.push_back(entry.path());
    return all;
}

// Names in backquotes that look like files of the folder itself.
std::vector<std::string> files_named(const std::string& page) {
    std::vector<std::string> files;
    for (size_t at = 0; (at = page.find('`', at)) != page.npos;) {
        size_t end = page.find('`', at + 1);
        if (end == page.npos) break;
        std::string word = page.substr(at + 1, end - at - 1);
        bool file = word.ends_with(".hpp") || word.ends_with(".cpp") || word.ends_with(".py");
        if (file && word.find_first_of("<*_? .") != 0 && word.find('*') == word.npos)
            files.push_back(word);
        at = end + 1;
    }
    return files;
}

TEST(Readmes, EveryFolderHasOneOfAScreenThatNamesRealFiles) {
    for (const auto& folder : folders()) {
        auto path = folder / "README.md";
        ASSERT_TRUE(std::filesystem::exists(path)) << path;
        std::string page = read_file(path);
        EXPECT_LT(std::count(page.begin(), page.end(), '\n'), 100) << path << " is no page";
        for (const auto& file : files_named(page))
            EXPECT_TRUE(std::filesystem::exists(folder / file) || std::filesystem::exists(file) ||
                        std::filesystem::exists("croton" / std::filesystem::path(file)) ||
                        std::filesystem::exists("tests" / std::filesystem::path(file)))
                << path << " names " << file;
    }
}

}  // namespace
}  // namespace croton::test
