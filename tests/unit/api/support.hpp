#pragma once
// What tests of functions share.
#include <gtest/gtest.h>

#include <string>

#include "croton/api/function.hpp"

namespace croton {

template <class Call>
std::string message_of(ErrorKind kind, Call call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error_name(error.kind()), error_name(kind)) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
}

inline void expect_words(const std::string& text, std::initializer_list<const char*> words) {
    for (const char* word : words)
        EXPECT_NE(text.find(word), std::string::npos) << "'" << word << "' is not in:\n" << text;
}

}  // namespace croton
