// IDX files byte by byte, plain and compressed, whole and damaged; Fashion-MNIST where installed.
#include <cstdlib>

#include "croton/interop/idx.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

namespace {
/// A gzip member (RFC 1952) of one stored block (RFC 1951), written without the code under test.
std::string gzipped(const std::string& text) {
    uint32_t crc = ~0u;
    for (unsigned char c : text) {
        crc ^= c;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    std::string out = bytes("\x1f\x8b\x08\0\0\0\0\0\0\x03\x01");
    auto number = [&out](uint64_t value, int count) {
        for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i));
    };
    number(text.size(), 2);
    number(~text.size(), 2);
    out += text;
    number(~crc, 4);
    number(text.size(), 4);
    return out;
}

const std::string images = bytes(
    "\0\0\x08\x03"
    "\0\0\0\x02"
    "\0\0\0\x01"
    "\0\0\0\x03"
    "abcdef");
}  // namespace

using IdxTest = Scratch;

TEST_F(IdxTest, ReadsEachElementType) {
    auto read = [&](const std::string& text) { return read_idx(put("a", text)); };
    EXPECT_TRUE(read(images).identical(
        Array::of(std::vector<uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}, {2, 1, 3})));
    EXPECT_TRUE(
        read(bytes("\0\0\x09\x01\0\0\0\x02\x7f\x80")).identical(Array::of<int8_t>({127, -128})));
    EXPECT_TRUE(read(bytes("\0\0\x0b\x01\0\0\0\x02\x01\x02\xff\xfe"))
                    .identical(Array::of<int16_t>({0x102, -2})));
    EXPECT_TRUE(read(bytes("\0\0\x0c\x01\0\0\0\x01\x01\x02\x03\x04"))
                    .identical(Array::of<int32_t>({0x1020304})));
    EXPECT_TRUE(read(bytes("\0\0\x0d\x01\0\0\0\x01\xc0\0\0\0")).identical(Array::of({-2.0f})));
    EXPECT_TRUE(
        read(bytes("\0\0\x0e\x01\0\0\0\x01\x3f\xf0\0\0\0\0\0\0")).identical(Array::of({1.0})));
    EXPECT_TRUE(read(bytes("\0\0\x08\x00\x07")).identical(Array::scalar<uint8_t>(7)));
}

TEST_F(IdxTest, ReadsGzipWhateverItsName) {
    EXPECT_TRUE(read_idx(put("a", gzipped(images))).identical(read_idx(put("b.gz", images))));
    std::string two_members = gzipped(images.substr(0, 10)) + gzipped(images.substr(10));
    EXPECT_TRUE(read_idx(put("c", two_members)).identical(read_idx(at("a"))));
}

TEST_F(IdxTest, DamageIsNamed) {
    struct Row {
        std::string file, phrase;
    };
    std::string packed = gzipped(images);
    std::string wrong_sum = packed;
    wrong_sum[packed.size() - 6] ^= 1;
    const Row rows[] = {
        {"", "its header needs 4 more bytes, but 0 are there"},
        {images.substr(0, 9), "its header needs 4 more bytes, but 1 are there"},
        {images.substr(0, 21),
         "is truncated: its header gives sizes (2, 1, 3) of uint8, which is 6 bytes, but found 5"},
        {images + "x", "more bytes follow the 6 that its header gives"},
        {"PK\3\4....", "must start with two zero bytes"},
        {bytes("\0\0\x0a\x01\0\0\0\0"), "element type code 10"},
        {bytes("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "can hold"},
        {bytes("\0\0\x08\x01\xff\xff\xff\xff"), "more than a file of 8 bytes can hold"},
        {packed.substr(0, packed.size() - 1), "is truncated"},
        {packed.substr(0, packed.size() / 2), "is truncated"},
        {wrong_sum, "corrupt (incorrect data check)"},
        {gzipped(images.substr(0, 21)), "which is 6 bytes, but found 5"},
        {packed + "rubbish", "corrupt"},
    };
    for (const auto& row : rows) {
        auto text = error_of([&] { read_idx(put("bad.idx", row.file)); });
        EXPECT_TRUE(says(text, "IoError: "));
        EXPECT_TRUE(says(text, row.phrase));
        EXPECT_TRUE(says(text, at("bad.idx").string()));
    }
    EXPECT_TRUE(says(error_of([&] { read_idx(at("none")); }), "No such file or directory"));
}

TEST_F(IdxTest, EveryCutOfAPackedFileIsAnError) {
    std::string packed = gzipped(images);
    for (size_t size = 0; size < packed.size(); ++size)
        EXPECT_TRUE(
            says(error_of([&] { read_idx(put("cut", packed.substr(0, size))); }), "IoError: "))
            << size;
}

namespace {
std::string fake_images(int count) {
    return bytes("\0\0\x08\x03\0\0\0") + static_cast<char>(count) + bytes("\0\0\0\x1c\0\0\0\x1c") +
           std::string(static_cast<size_t>(count) * 784, 'p');
}
std::string fake_labels(const std::string& labels) {
    return bytes("\0\0\x08\x01\0\0\0") + static_cast<char>(labels.size()) + labels;
}
}  // namespace

TEST_F(IdxTest, FashionMnistFromAGivenFolder) {
    put("t10k-images-idx3-ubyte", fake_images(2));
    put("t10k-labels-idx1-ubyte.gz", gzipped(fake_labels("\1\x09")));
    auto [pictures, labels] = fashion_mnist("test", at(""));
    EXPECT_EQ(pictures.shape(), (Sizes{2, 28, 28}));
    EXPECT_TRUE(labels.identical(Array::of<uint8_t>({1, 9})));
    setenv("CROTON_DATA", at("").c_str(), 1);
    EXPECT_EQ(fashion_mnist("test").first.shape(), (Sizes{2, 28, 28}));
    auto missing = error_of([&] { fashion_mnist("train"); });
    unsetenv("CROTON_DATA");
    EXPECT_TRUE(says(missing, "IoError: Fashion-MNIST is not here"));
    EXPECT_TRUE(says(missing, "apt install dataset-fashion-mnist"));
    EXPECT_TRUE(says(missing, at("").string()));
    EXPECT_TRUE(says(error_of([&] { fashion_mnist("validation"); }), "ValueError"));
    put("t10k-labels-idx1-ubyte.gz", fake_labels("\1"));
    EXPECT_TRUE(says(error_of([&] { fashion_mnist("test", at("")); }), "is not Fashion-MNIST"));
    put("t10k-labels-idx1-ubyte.gz", fake_labels("\1\x0a"));
    EXPECT_TRUE(says(error_of([&] { fashion_mnist("test", at("")); }), "label 10 at place 1"));
}

TEST_F(IdxTest, FashionMnistOfThePackage) {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
        GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
    auto [pictures, labels] = fashion_mnist("test");
    EXPECT_EQ(pictures.shape(), (Sizes{10000, 28, 28}));
    std::vector<int> counts(10);
    for (int label : labels.to_vector<int>()) ++counts[static_cast<size_t>(label)];
    EXPECT_EQ(counts, std::vector<int>(10, 1000));
    // The first of the test images is an ankle boot (figure 1 of the data set's paper).
    EXPECT_EQ(fashion_mnist_classes()[labels.at<uint8_t>({0})], "Ankle boot");
}

}  // namespace croton
