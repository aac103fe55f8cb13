// Readers meet damaged texts and files: bytes changed, left out, doubled, swapped with those of
// another sample, numbers made large. CROTON_FUZZ_SEED and CROTON_FUZZ_COUNT (cases a reader)
// choose others. The same readers under clang's libFuzzer, which looks for new paths:
// tests/fuzz/guided.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "croton/base/error.hpp"
#include "tests/fuzz/parsers.hpp"

namespace croton::test {
namespace {

class Damage {
  public:
    explicit Damage(uint64_t seed) : random_(seed) {}

    std::string of(const Parser& parser) {
        std::string bytes = sample(parser);
        for (size_t i = 0, count = 1 + below(4); i < count; ++i) damage(bytes, sample(parser));
        return bytes;
    }

  private:
    size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
    const std::string& sample(const Parser& parser) {
        return parser.samples[below(parser.samples.size())];
    }
    static std::string_view piece(const std::string& of, size_t first, size_t length) {
        return std::string_view(of).substr(std::min(first, of.size()), length);
    }

    void damage(std::string& bytes, const std::string& other) {
        static const char* const words[] = {"-1",
                                            "9223372036854775807",
                                            "99999999999999999999",
                                            "nan",
                                            "[]",
                                            "%0",
                                            "\"",
                                            "{",
                                            "}",
                                            "(",
                                            ")",
                                            ":",
                                            ",",
                                            "?",
                                            "graph"};
        size_t at = below(bytes.size() + 1), length = 1 + below(12);
        switch (below(7)) {
            case 0:
                if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
                break;
            case 1: bytes.erase(at, length); break;
            case 2: bytes.insert(at, piece(bytes, below(bytes.size() + 1), length)); break;
            case 3: bytes.insert(at, piece(other, below(other.size() + 1), 4 * length)); break;
            case 4: bytes.insert(at, words[below(std::size(words))]); break;
            case 5: bytes.resize(at); break;
            default:  // a line or a number of another place
                bytes.replace(at, length, piece(other, below(other.size() + 1), length));
        }
    }

    std::mt19937_64 random_;
};

uint64_t from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string shown(const std::string& bytes) {
    std::string result;
    for (char c : bytes.substr(0, 2000)) {
        bool plain = c == '\n' || (c >= ' ' && c <= '~');
        result += plain ? std::string(1, c) : "\\" + std::to_string(c & 255);
    }
    return result;
}

class Readers : public testing::TestWithParam<size_t> {
  protected:
    const Parser& parser() const { return parsers()[GetParam()]; }
};

TEST_P(Readers, TakeTheirSamples) {
    for (const auto& sample : parser().samples)
        EXPECT_EQ(parser().read(sample), "") << shown(sample);
}

TEST_P(Readers, RefuseDamageByAnErrorOrReadItAsItStands) {
    uint64_t seed = from_environment("CROTON_FUZZ_SEED", 20250601),
             count = from_environment("CROTON_FUZZ_COUNT", 2000);
    std::cout << "CROTON_FUZZ_SEED=" << seed << " CROTON_FUZZ_COUNT=" << count << std::endl;
    Damage damage(seed);
    for (uint64_t i = 0; i < count && !HasFailure(); ++i) {
        std::string bytes = damage.of(parser());
        try {
            EXPECT_EQ(parser().read(bytes), "") << shown(bytes);
        } catch (const std::exception& error) {
            ADD_FAILURE() << "not an Error: " << error.what() << "\n" << shown(bytes);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Readers, testing::Range<size_t>(0, 9),
                         [](const auto& info) { return parsers()[info.param].name; });

TEST(Readers, AreAllListed) { EXPECT_EQ(parsers().size(), 9u); }

}  // namespace
}  // namespace croton::test
