#pragma once
// A folder of its own for each test, and the kind and words of the error that a call gives.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "croton/base/error.hpp"
#include "croton/base/file.hpp"

namespace croton {

class Scratch : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "croton-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path at(const std::string& name) const { return folder_ / name; }
    /// Writes bytes without any help of the code under test.
    std::filesystem::path put(const std::string& name, const std::string& bytes) const {
        std::ofstream(at(name), std::ios::binary) << bytes;
        return at(name);
    }
    size_t files() const {
        return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_),
                                                 std::filesystem::directory_iterator()));
    }

  private:
    std::filesystem::path folder_;
};

/// "IoError: message" of what `call` throws, "no error" if it throws nothing.
template <class Call>
std::string error_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return cat(error_name(error.kind()), ": ", error.what());
    }
    return "no error";
}

inline ::testing::AssertionResult says(const std::string& text, const std::string& phrase) {
    if (text.find(phrase) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "'" << text << "' does not say '" << phrase << "'";
}

/// Bytes of a literal that holds zeros.
template <size_t N>
std::string bytes(const char (&literal)[N]) {
    return std::string(literal, N - 1);
}

}  // namespace croton
