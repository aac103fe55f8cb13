// .npy against bytes written out from NumPy's format description, and damaged files.
#include <sys/resource.h>

#include <csignal>

#include "croton/interop/npy.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

namespace {
/// A version 1.0 file: dictionary padded so that the data start at a multiple of 64.
std::string npy(const std::string& dictionary, const std::string& data, char major = 1) {
    size_t prefix = major == 1 ? 10 : 12;
    std::string text = dictionary;
    while ((prefix + text.size() + 1) % 64 != 0) text += ' ';
    text += '\n';
    std::string file = "\x93NUMPY";
    file += major;
    file += '\0';
    for (size_t i = 0; i < prefix - 8; ++i) file += static_cast<char>(text.size() >> (8 * i));
    return file + text + data;
}

std::string header(const std::string& descr, const std::string& shape, bool fortran = false) {
    return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
           ", 'shape': " + shape + ", }";
}
}  // namespace

using NpyTest = Scratch;

TEST_F(NpyTest, ReadsEachElementType) {
    struct Row {
        std::string descr, data;
        Array expected;
    };
    const Row rows[] = {
        {"|b1", bytes("\x01\x00"), Array::of({true, false})},
        {"|i1", bytes("\x7f\x80"), Array::of<int8_t>({127, -128})},
        {"<i2", bytes("\x01\x02\xff\xff"), Array::of<int16_t>({0x201, -1})},
        {">i2", bytes("\x01\x02\xff\xfe"), Array::of<int16_t>({0x102, -2})},
        {"<i4", bytes("\x01\0\0\0\0\0\0\x80"), Array::of<int32_t>({1, INT32_MIN})},
        {">i4", bytes("\0\0\0\x01\x80\0\0\0"), Array::of<int32_t>({1, INT32_MIN})},
        {"<i8", bytes("\x05\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff"),
         Array::of<int64_t>({5, -2})},
        {">u8", bytes("\0\0\0\0\0\0\0\x05\xff\xff\xff\xff\xff\xff\xff\xff"),
         Array::of<uint64_t>({5, UINT64_MAX})},
        {"|u1", bytes("\x00\xff"), Array::of<uint8_t>({0, 255})},
        {"<u2", bytes("\x01\x02\xff\xff"), Array::of<uint16_t>({0x201, 65535})},
        {"<u4", bytes("\x01\0\0\0\xff\xff\xff\xff"), Array::of<uint32_t>({1, UINT32_MAX})},
        {"<f2", bytes("\x00\x3c\x00\xc0"), Array::of({Half(1.0f), Half(-2.0f)})},
        {">f2", bytes("\x3c\x00\xc0\x00"), Array::of({Half(1.0f), Half(-2.0f)})},
        {"<f4", bytes("\0\0\x80\x3f\0\0\0\xc0"), Array::of({1.0f, -2.0f})},
        {">f4", bytes("\x3f\x80\0\0\xc0\0\0\0"), Array::of({1.0f, -2.0f})},
        {"<f8", bytes("\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0"), Array::of({1.0, -2.0})},
        {"=f8", bytes("\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0"), Array::of({1.0, -2.0})},
        {"<c8", bytes("\0\0\x80\x3f\0\0\0\xc0\0\0\0\0\0\0\0\x40"),
         Array::of<std::complex<float>>({{1, -2}, {0, 2}})},
        {">c8", bytes("\x3f\x80\0\0\xc0\0\0\0\0\0\0\0\x40\0\0\0"),
         Array::of<std::complex<float>>({{1, -2}, {0, 2}})},
        {">c16",
         bytes("\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0"
               "\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"),
         Array::of<std::complex<double>>({{1, -2}, {0, 2}})},
    };
    for (const auto& row : rows) {
        Array array = load_npy(put("a.npy", npy(header(row.descr, "(2,)"), row.data)));
        EXPECT_TRUE(array.identical(row.expected)) << row.descr << ": " << array.text();
    }
}

TEST_F(NpyTest, ReadsVersionsShapesAndHabitsOfHeaders) {
    std::string six = bytes("\1\2\3\4\5\6");
    auto read = [&](const std::string& dictionary, char major = 1) {
        return load_npy(put("a.npy", npy(dictionary, six, major)));
    };
    Array expected = Array::of(std::vector<uint8_t>{1, 2, 3, 4, 5, 6}, {2, 3});
    EXPECT_TRUE(read(header("|u1", "(2, 3)")).identical(expected));
    EXPECT_TRUE(read(header("|u1", "(2, 3)"), 2).identical(expected));
    EXPECT_TRUE(read(header("|u1", "(2, 3)"), 3).identical(expected));
    EXPECT_TRUE(
        read("{\"shape\":(2,3,),\"fortran_order\":False,\"descr\":\"u1\"}").identical(expected));
    EXPECT_TRUE(
        read("{'shape':(2L,3L,),'fortran_order':False,'descr':\"|u1\"}").identical(expected));
    EXPECT_EQ(read(header("|u1", "()")).shape(), Sizes{});
    EXPECT_EQ(read(header("|u1", "(0,)")).shape(), Sizes{0});
    EXPECT_EQ(read(header("|u1", "(7, 0, 3)")).shape(), (Sizes{7, 0, 3}));
}

TEST_F(NpyTest, FortranOrderBecomesStrides) {
    Array array = load_npy(
        put("a.npy", npy(header("<i2", "(2, 3)", true), bytes("\1\0\2\0\3\0\4\0\5\0\6\0"))));
    EXPECT_EQ(array.strides(), (Sizes{2, 4}));
    EXPECT_EQ(array.to_vector<int>(), (std::vector<int>{1, 3, 5, 2, 4, 6}));
}

TEST_F(NpyTest, StrangeTruthValuesBecomeTrue) {
    Array array = load_npy(put("a.npy", npy(header("|b1", "(3,)"), bytes("\x02\x00\xff"))));
    EXPECT_TRUE(array.identical(Array::of({true, false, true})));
}

TEST_F(NpyTest, WritesTheBytesThatTheFormatAsksFor) {
    save_npy(at("a.npy"), Array::of(std::vector<float>{1, -2}, {1, 2}));
    EXPECT_EQ(read_file(at("a.npy")),
              npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
                  bytes("\0\0\x80\x3f\0\0\0\xc0")));
    save_npy(at("b.npy"), Array::scalar(true));
    EXPECT_EQ(read_file(at("b.npy")), npy(header("|b1", "()"), "\1"));
    EXPECT_EQ(files(), 2u);
}

TEST_F(NpyTest, EveryElementTypeComesBack) {
    for (int i = 0; i < dtype_count; ++i) {
        auto dtype = static_cast<DType>(i);
        if (dtype == DType::BFloat16) continue;
        Array array = Array::of({0.0, 1.0, 2.5, 100.0, 1.0, 0.0}).cast(dtype).reshape({3, 2});
        save_npy(at("a.npy"), array);
        EXPECT_TRUE(load_npy(at("a.npy")).identical(array)) << dtype_name(dtype);
    }
    EXPECT_TRUE(says(error_of([&] { save_npy(at("b"), Array::of({BHalf(1.0f)})); }),
                     "UnsupportedError: NumPy's files have no bfloat16"));
    EXPECT_EQ(files(), 1u);
}

TEST_F(NpyTest, StridedArraysAreWrittenInOrder) {
    Array array = Array::of(std::vector<int>{0, 1, 2, 3, 4, 5}, {2, 3});
    Array turned =
        Array::view(DType::Int32, {3, 2}, {-4, 12}, array.data_as<int>() + 2, array.owner());
    save_npy(at("a.npy"), turned);
    EXPECT_EQ(load_npy(at("a.npy")).to_vector<int>(), (std::vector<int>{2, 5, 1, 4, 0, 3}));
}

TEST_F(NpyTest, DamageIsNamed) {
    struct Row {
        std::string file, phrase;
    };
    std::string good = npy(header("<f4", "(2, 3)"), std::string(24, 'x'));
    const Row rows[] = {
        {"", "IoError: "},
        {"\x93NUMP", "it does not start with"},
        {"PK\3\4 and more text", "it does not start with"},
        {npy(header("<f4", "(2, 3)"), std::string(24, 'x'), 4), "UnsupportedError"},
        {good.substr(0, 11), "truncated"},
        {good.substr(0, 70), "truncated"},
        {good.substr(0, good.size() - 1),
         "is truncated: shape (2, 3) of float32 takes 24 bytes, but found 23"},
        {npy(header("<f4", "(2, -3)"), ""), "header cannot be read"},
        {npy(header("<f4", "(2, 3"), ""), "header cannot be read"},
        {npy(header("<f4", "(99999999999999999999,)"), ""), "header cannot be read"},
        {npy(header("<f4", "(9223372036854775807, 2)"), ""), "impossible shape"},
        {npy(header("<f4", "(4611686018427387904,)"), ""), "impossible shape"},
        {npy("{'descr': '<f4', 'shape': (2,), }", "12345678"), "header cannot be read"},
        {npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", ""),
         "header cannot be read"},
        {npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", ""), "header cannot be read"},
        {npy(header("<f4", "(2,)") + " 1", ""), "header cannot be read"},
        {npy("", ""), "header cannot be read"},
        {npy(header("|O", "(2,)"), ""), "UnsupportedError"},
        {npy(header("|O", "(2,)"), ""), "pickled Python objects"},
        {npy(header("<U5", "(2,)"), ""), "'<U5', which Croton lacks"},
        {npy(header("<M8[ns]", "(2,)"), ""), "UnsupportedError"},
        {npy(header("", "(2,)"), ""), "UnsupportedError"},
        {npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", ""), "records"},
    };
    for (const auto& row : rows) {
        auto text = error_of([&] { load_npy(put("bad.npy", row.file)); });
        EXPECT_TRUE(says(text, row.phrase)) << row.file;
        EXPECT_TRUE(says(text, at("bad.npy").string()));
    }
}

TEST_F(NpyTest, EveryCutOfAFileIsAnError) {
    std::string good = npy(header("<f4", "(2, 3)"), std::string(24, 'x'));
    for (size_t size = 0; size < good.size(); ++size)
        EXPECT_TRUE(
            says(error_of([&] { load_npy(put("cut.npy", good.substr(0, size))); }), "IoError: "))
            << size;
}

TEST_F(NpyTest, AFullDiskLeavesTheOldFileAndNothingElse) {
    save_npy(at("a.npy"), Array::of({1.0, 2.0}));
    // A limit on file sizes stands for the full disk: the system refuses to write on.
    rlimit old;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit tight{100000, old.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    auto text = error_of([&] { save_npy(at("a.npy"), Array::zeros(DType::Float64, {100000})); });
    auto zip_text =
        error_of([&] { save_npz(at("a.npz"), {{"w", Array::zeros(DType::Float64, {100000})}}); });
    setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_TRUE(says(text, "IoError: cannot write " + at("a.npy").string() + ": File too large"));
    EXPECT_TRUE(says(zip_text, "IoError: cannot write " + at("a.npz").string()));
    EXPECT_TRUE(load_npy(at("a.npy")).identical(Array::of({1.0, 2.0})));
    EXPECT_EQ(files(), 1u);
}

}  // namespace croton
