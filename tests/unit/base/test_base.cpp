// Errors, text, hashing, small vectors, sites and settings.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <thread>

#include "croton/base/error.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/inline_vector.hpp"
#include "croton/base/settings.hpp"
#include "croton/base/site.hpp"
#include "croton/base/small_vector.hpp"

namespace croton {
namespace {

TEST(Errors, CarryKindAndText) {
    try {
        fail(ErrorKind::Shape, "axis ", 3, " of ", shape_text(Sizes{2, 5}));
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Shape);
        EXPECT_STREQ(error.what(), "axis 3 of (2, 5)");
    }
}

TEST(Errors, KindsHaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (int kind = 0; kind <= static_cast<int>(ErrorKind::Internal); ++kind)
        names.insert(error_name(static_cast<ErrorKind>(kind)));
    EXPECT_EQ(names.size(), static_cast<size_t>(ErrorKind::Internal) + 1);
    EXPECT_EQ(error_name(ErrorKind::Shape), "ShapeError");
}

TEST(Errors, AssertionsAreInternalAndNameTheirPlace) {
    try {
        CROTON_ASSERT(1 + 1 == 3);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Internal);
        EXPECT_NE(std::string(error.what()).find("tests/unit/base/test_base.cpp:"),
                  std::string::npos);
    }
}

TEST(Format, ShapesLookLikeNumpys) {
    EXPECT_EQ(shape_text(Sizes{}), "()");
    EXPECT_EQ(shape_text(Sizes{3}), "(3,)");
    EXPECT_EQ(shape_text(Sizes{3, 4}), "(3, 4)");
}

TEST(Format, NumbersReadBackAsTheyWere) {
    EXPECT_EQ(number_text(0.1), "0.1");
    EXPECT_EQ(number_text(0.1f), "0.1");
    EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "inf");
    EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "-inf");
    EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
    EXPECT_TRUE(std::signbit(std::stod(number_text(-0.0))));
    std::mt19937_64 random(7);
    for (int i = 0; i < 1000; ++i) {
        const uint64_t bits = random();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value) || std::abs(value) < 1e-300) continue;  // stod refuses subnormals
        ASSERT_EQ(std::stod(number_text(value)), value);
    }
}

TEST(Hash, OneBitChangesTheContentHash) {
    std::string text(1000, 'x');
    std::set<std::string> seen{content_hash(text), content_hash(""), content_hash("x")};
    for (size_t i = 0; i < text.size(); ++i) {
        text[i] ^= 1;
        const std::string hash = content_hash(text);
        ASSERT_EQ(hash.size(), 32u);
        ASSERT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
        seen.insert(hash);
        text[i] ^= 1;
    }
    EXPECT_EQ(seen.size(), text.size() + 3);
    EXPECT_TRUE(seen.count(content_hash(text)));
}

TEST(Hash, SmallNumbersSpread) {
    std::set<uint64_t> seen;
    for (uint64_t a = 0; a < 100; ++a)
        for (uint64_t b = 0; b < 100; ++b) seen.insert(hash_combine(a, b));
    EXPECT_EQ(seen.size(), 10000u);
}

// The data of an empty vector is at no address; the undefined-behaviour sanitizer sees what is done
// with it.
TEST(Hash, NoBytesNeedNoAddress) {
    EXPECT_EQ(hash_bytes(nullptr, 0), hash_text(""));
    EXPECT_NE(hash_bytes(nullptr, 0, 1), hash_bytes(nullptr, 0, 2));
}

TEST(SmallVectors, ActAsVectorsDoAcrossTheInlineLimit) {
    std::mt19937 random(11);
    for (int round = 0; round < 200; ++round) {
        SmallVector<int, 3> small;
        std::vector<int> plain;
        for (int step = 0; step < 30; ++step) {
            const int value = static_cast<int>(random() % 100);
            const size_t at = plain.empty() ? 0 : random() % plain.size();
            switch (random() % 6) {
                case 0:
                case 1: small.push_back(value), plain.push_back(value); break;
                case 2:
                    small.insert(small.begin() + at, value);
                    plain.insert(plain.begin() + static_cast<int64_t>(at), value);
                    break;
                case 3:
                    if (plain.empty()) break;
                    small.erase(small.begin() + at);
                    plain.erase(plain.begin() + static_cast<int64_t>(at));
                    break;
                case 4: {
                    SmallVector<int, 3> copy(small);
                    small = std::move(copy);
                    EXPECT_TRUE(copy.empty());  // NOLINT(bugprone-use-after-move)
                    break;
                }
                case 5: small.resize(at + 1, value), plain.resize(at + 1, value); break;
            }
            ASSERT_EQ(std::vector<int>(small.begin(), small.end()), plain);
        }
    }
}

TEST(InlineVectors, ActAsVectorsDoAcrossTheInlineLimit) {
    std::mt19937 random(12);
    using Words = InlineVector<std::string, 2>;
    for (int round = 0; round < 200; ++round) {
        Words small;
        std::vector<std::string> plain;
        for (int step = 0; step < 30; ++step) {
            const std::string value = "a text that is not kept inside " + std::to_string(random());
            const size_t at = plain.empty() ? 0 : random() % plain.size();
            auto place = static_cast<std::ptrdiff_t>(at);
            switch (random() % 8) {
                case 0: small.push_back(value), plain.push_back(value); break;
                case 1:
                    if (plain.empty()) break;
                    small.push_back(small[at]), plain.push_back(std::string(plain[at]));
                    break;
                case 2:
                    small.insert(small.begin() + place, value);
                    plain.insert(plain.begin() + place, value);
                    break;
                case 3:
                    if (plain.empty()) break;
                    small.erase(small.begin() + place);
                    plain.erase(plain.begin() + place);
                    break;
                case 4: {
                    Words copy(small), moved(std::move(small));
                    EXPECT_TRUE(small.empty());  // NOLINT(bugprone-use-after-move)
                    EXPECT_TRUE(copy == moved);
                    small = std::move(moved);
                    break;
                }
                case 5: small.resize(at + 1), plain.resize(at + 1); break;
                case 6: {
                    small.insert(small.end(), small.begin(), small.begin() + place);
                    const std::vector<std::string> part(plain.begin(), plain.begin() + place);
                    plain.insert(plain.end(), part.begin(), part.end());
                    break;
                }
                case 7: small = Words(std::vector<std::string>(plain)); break;
            }
            ASSERT_EQ(std::vector<std::string>(small.begin(), small.end()), plain);
            if (plain.size() > 40) small.clear(), plain.clear();
        }
    }
}

TEST(Sites, KnowTheirLine) {
    const Site here = Site::of(std::source_location::current());
    EXPECT_TRUE(here.known());
    EXPECT_EQ(here.text(), cat("test_base.cpp:", here.line));
    EXPECT_EQ(here.code_text(), "const Site here = Site::of(std::source_location::current());");
    EXPECT_EQ(Site{}.text(), "?");
    EXPECT_EQ(Site{}.code_text(), "");
}

TEST(Sites, ScopesNestAndBelongToOneThread) {
    const Site outer{"a.py", 1, ""}, inner{"b.py", 2, ""}, other{"c.py", 3, ""};
    EXPECT_EQ(SiteScope::current_or(other), other);
    const SiteScope first(outer);
    {
        const SiteScope second(inner);
        EXPECT_EQ(SiteScope::current_or(other), inner);
        std::thread([&] { EXPECT_EQ(SiteScope::current_or(other), other); }).join();
    }
    EXPECT_EQ(SiteScope::current_or(other), outer);
}

TEST(Sites, InternedTextsAreShared) {
    const std::string a = "some text", b = "some text";
    EXPECT_EQ(intern(a), intern(b));
    EXPECT_NE(intern(a), intern("other text"));
}

TEST(Setting, RefusesWhatItDoesNotKnow) {
    EXPECT_THROW(set_setting("no such thing", "1"), Error);
    EXPECT_THROW(set_setting("floatX", "int8"), Error);
    EXPECT_THROW(set_setting("threads", "two"), Error);
    const std::string before = get_setting("floatX");
    set_setting("floatX", "float32");
    EXPECT_EQ(settings().float_x, "float32");
    EXPECT_EQ(get_setting("floatX"), "float32");
    set_setting("floatX", before);
}

}  // namespace
}  // namespace croton
