#pragma once
// Parts of the pages in docs/ that a program writes:
//
//     <!-- generated: NAME -->
//     ...
//     <!-- end -->
//
// test_pages.cpp compares each part with what its generator gives now. To write them anew:
// CROTON_UPDATE_DOCS=1 ctest --test-dir build/dev -R docs
#include <functional>
#include <map>
#include <string>

namespace croton::test {

using Generators = std::map<std::string, std::function<std::string()>>;

/// One expression at every stage (docs/tour.md).
void add_tour(Generators& generators);
/// The tables of dtypes, settings and modes (docs/promotion.md, docs/settings.md).
void add_tables(Generators& generators);

/// Text as a fenced block.
std::string fenced(const std::string& language, std::string text);

}  // namespace croton::test
