// JSON: what RFC 8259 allows and forbids.
#include <cmath>

#include "croton/base/json.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

TEST(Json, ReadsValues) {
    EXPECT_TRUE(Json::parse(" null\n").is_null());
    EXPECT_TRUE(Json::parse("true").as_bool());
    EXPECT_EQ(Json::parse("-9223372036854775808").as_integer(), INT64_MIN);
    EXPECT_EQ(Json::parse("9223372036854775807").as_integer(), INT64_MAX);
    EXPECT_EQ(Json::parse("9223372036854775808").as_number(), 9223372036854775808.0);
    EXPECT_EQ(Json::parse("-0").as_integer(), 0);
    EXPECT_EQ(Json::parse("1.5e-3").as_number(), 0.0015);
    EXPECT_EQ(Json::parse("2E+2").as_number(), 200);
    EXPECT_EQ(Json::parse(R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 é")").as_text(),
              "a\"\\/\b\f\n\r\t\u00e9\U0001F600 é");
    EXPECT_EQ(Json::parse("[ ]").as_list().size(), 0u);
    EXPECT_EQ(Json::parse("[1, [2] ,3]").as_list()[1].as_list()[0].as_integer(), 2);
    Json object = Json::parse(R"( { "b" : 1 , "a" : {} } )");
    EXPECT_EQ(object.as_object()[0].first, "b");
    EXPECT_EQ(object.find("a")->kind(), "an object");
    EXPECT_EQ(object.find("c"), nullptr);
}

TEST(Json, RefusesWhatTheStandardForbids) {
    const std::string rows[] = {"",
                                " ",
                                "nul",
                                "truely",
                                "True",
                                "NaN",
                                "Infinity",
                                "+1",
                                "01",
                                "-",
                                "-01",
                                "1.",
                                ".5",
                                "1e",
                                "1e+",
                                "0x10",
                                "1 2",
                                "1e999",
                                "[",
                                "[1",
                                "[1,",
                                "[1,]",
                                "[,1]",
                                "[1 2]",
                                "]",
                                "{",
                                "{\"a\"",
                                "{\"a\":",
                                "{\"a\":1",
                                "{\"a\":1,}",
                                "{\"a\" 1}",
                                "{a:1}",
                                "{'a':1}",
                                "{\"a\":1,\"a\":2}",
                                "{\"a\":1 \"b\":2}",
                                "\"",
                                "\"a",
                                "\"\\",
                                "\"\\x\"",
                                "\"\\u12\"",
                                "\"\\u12g4\"",
                                "\"\\ud800\"",
                                "\"\\ud800\\u0041\"",
                                "\"\\udc00\"",
                                "\"a\nb\"",
                                bytes("\"a\0b\""),
                                "\"\x80\"",
                                "\"\xc0\xaf\"",
                                "\"\xed\xa0\x80\"",
                                "\"\xf4\x90\x80\x80\"",
                                "\"\xe2\x82\"",
                                "// 1",
                                "/**/1",
                                "\xef\xbb\xbf"
                                "1",
                                std::string(300, '['),
                                bytes("1\0")};
    for (const auto& row : rows)
        EXPECT_TRUE(says(error_of([&] { Json::parse(row); }), "ValueError: JSON: ")) << row;
    EXPECT_TRUE(
        says(error_of([] { Json::parse("[1, x]"); }), "a value was expected (byte 4 of 6)"));
}

TEST(Json, WritesWhatItReads) {
    for (std::string text : {"null", "true", "-7", "0.1", "1e-30", R"("a\"\\é\n\u0001")", "[]",
                             "{}", R"({"b":[1,2.5,{"c":null}],"a":"x"})"}) {
        EXPECT_EQ(Json::parse(text).text(), text);
        EXPECT_TRUE(Json::parse(Json::parse(text).text()) == Json::parse(text));
    }
    EXPECT_TRUE(says(error_of([] { Json(NAN).text(); }), "JSON has no nan"));
    EXPECT_TRUE(says(error_of([] { Json("\xff").text(); }), "UTF-8 only"));
}

TEST(Json, WrongKindsAreNamed) {
    EXPECT_TRUE(says(error_of([] { Json(1.5).as_integer(); }),
                     "a whole number was expected, not a number"));
    EXPECT_TRUE(
        says(error_of([] { Json("x").as_object(); }), "an object was expected, not a text"));
    EXPECT_TRUE(says(error_of([] { Json().find("x"); }), "an object was expected, not null"));
}

}  // namespace croton
