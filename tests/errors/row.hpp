#pragma once
// A table of wrong programs: what each must be told. A row runs a small program that must end in an
// Error of the given kind whose message says all the phrases. test_rows.cpp runs every row;
// `CROTON_SHOW_ERRORS=1 ctest -R errors -V` prints the messages as users see them.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <source_location>
#include <string>
#include <vector>

#include "croton/croton.hpp"

namespace croton::test {

/// What a message must say: a piece of text, or "file:line" of a piece of the row's own code.
struct Phrase {
    std::string text;
    bool place = false;
    Phrase(const char* text) : text(text) {}
    Phrase(std::string text, bool place = false) : text(std::move(text)), place(place) {}
};
/// The place of the first line of the row that holds this code.
inline Phrase line(std::string code) { return {std::move(code), true}; }

struct Row {
    std::string name;
    ErrorKind kind;
    std::function<void()> program;
    std::vector<Phrase> phrases;
    std::source_location where = std::source_location::current();
};
void PrintTo(const Row& row, std::ostream* out);  // for GoogleTest
using Rows = std::vector<Row>;

Rows shape_rows();     // sizes, known when building and when running
Rows type_rows();      // dtypes and ranks
Rows index_rows();     // axes and positions
Rows gradient_rows();  // derivatives that do not exist
Rows function_rows();  // functions made and called wrongly
Rows user_rows();      // user ops, inner graphs, choices
Rows text_rows();      // graph and kernel texts, names of modes, dtypes, settings
Rows file_rows();      // data files
Rows loop_rows();      // scan and its relatives

Rows all_rows();

/// A folder of its own that is removed with everything in it.
class Scratch {
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// 0, 1, 2, ... in that shape.
Array counting(const Sizes& shape, DType dtype = DType::Float64);

}  // namespace croton::test
