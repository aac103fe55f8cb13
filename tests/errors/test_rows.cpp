// Every wrong program of the table ends in an Error of the right kind that says what its user
// needs.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

#include "tests/errors/row.hpp"

namespace croton::test {

Rows all_rows() {
    Rows all;
    for (auto part : {shape_rows, type_rows, index_rows, gradient_rows, function_rows, user_rows,
                      text_rows, file_rows, loop_rows})
        for (auto& row : part()) all.push_back(std::move(row));
    return all;
}

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

namespace {

// "file:line" of the first line below the row's name that holds the code.
std::string place_of(const Row& row, const std::string& code) {
    std::filesystem::path path = row.where.file_name();
    std::ifstream source(path);
    EXPECT_TRUE(source) << path << ": tests run in the root of the repository";
    bool inside = false;
    int number = 0;
    for (std::string text; std::getline(source, text);) {
        ++number;
        inside = inside || text.find("{\"" + row.name + "\"") != text.npos;
        if (inside && text.find(code) != text.npos && text.find("line(") == text.npos)
            return cat(path.filename().string(), ":", number);
    }
    return "no line with: " + code;
}

std::string name_of(const testing::TestParamInfo<Row>& info) {
    std::string name;
    for (char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return name;
}

class WrongProgram : public testing::TestWithParam<Row> {};

TEST_P(WrongProgram, IsToldWhatItNeeds) {
    const Row& row = GetParam();
    try {
        row.program();
        FAIL() << "this program was not found to be wrong";
    } catch (const Error& error) {
        std::string text = error.what();
        if (std::getenv("CROTON_SHOW_ERRORS"))
            std::cout << "## " << row.name << "\n"
                      << error_name(error.kind()) << ": " << text << "\n\n";
        EXPECT_EQ(error_name(error.kind()), error_name(row.kind)) << text;
        for (const auto& phrase : row.phrases) {
            std::string wanted = phrase.place ? place_of(row, phrase.text) : phrase.text;
            EXPECT_NE(text.find(wanted), text.npos)
                << "the message lacks: " << wanted << "\n--- it is:\n"
                << text;
        }
        EXPECT_EQ(text.find("assertion"), text.npos) << text;
    }
    // Any other exception ends the test as a failure: users are promised croton::Error.
}

INSTANTIATE_TEST_SUITE_P(Table, WrongProgram, testing::ValuesIn(all_rows()), name_of);

TEST(ErrorTable, NamesAreUniqueAndEveryRowAsksForWords) {
    std::set<std::string> names;
    for (const auto& row : all_rows()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_FALSE(row.phrases.empty()) << row.name;
    }
    EXPECT_GE(names.size(), 100u);
}

}  // namespace

Scratch::Scratch() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "croton-errors-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no folder for the test");
    path_ = pattern;
}
Scratch::~Scratch() { std::filesystem::remove_all(path_); }

Array counting(const Sizes& shape, DType dtype) {
    Array result = Array::empty(DType::Float64, shape);
    for (int64_t i = 0; i < result.size(); ++i)
        static_cast<double*>(result.data())[i] = static_cast<double>(i);
    return result.cast(dtype);
}

}  // namespace croton::test
