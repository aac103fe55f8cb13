// safetensors: bytes from the format's description, round trips, every rule broken once.
#include "croton/interop/safetensors.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

namespace {
std::string file_of(const std::string& header, const std::string& data) {
    std::string length;
    for (int i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> (8 * i));
    return length + header + data;
}
}  // namespace

using SafetensorsTest = Scratch;

TEST_F(SafetensorsTest, ReadsTheFormat) {
    std::string header = R"({"b":{"shape":[2,1],"dtype":"I16","data_offsets":[8,12]},)"
                         R"("__metadata__":{"format":"pt","epoch":"3"},)"
                         R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                         R"("none":{"dtype":"F64","shape":[0,3],"data_offsets":[12,12]},)"
                         R"("one":{"dtype":"BOOL","shape":[],"data_offsets":[12,13]}}   )";
    auto path = put("a", file_of(header, bytes("\0\0\x80\x3f\0\0\0\xc0\1\0\xff\xff\2")));
    Safetensors got = load_safetensors(path);
    ASSERT_EQ(got.arrays.size(), 4u);
    EXPECT_TRUE(got.arrays.at("a").identical(Array::of({1.0f, -2.0f})));
    EXPECT_TRUE(got.arrays.at("b").identical(Array::of(std::vector<int16_t>{1, -1}, {2, 1})));
    EXPECT_EQ(got.arrays.at("none").shape(), (Sizes{0, 3}));
    EXPECT_TRUE(got.arrays.at("one").identical(Array::scalar(true)));
    EXPECT_EQ(got.metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"epoch", "3"}}));
    EXPECT_TRUE(load_safetensors(put("e", file_of("{}", ""))).arrays.empty());
}

TEST_F(SafetensorsTest, WritesTheFormat) {
    save_safetensors(at("a"), {{"a", Array::of<int16_t>({1, -1})}, {"z", Array::scalar(1.0f)}},
                     {{"k", "v"}});
    EXPECT_EQ(read_file(at("a")),
              file_of(R"({"__metadata__":{"k":"v"},)"
                      R"("z":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                      R"("a":{"dtype":"I16","shape":[2],"data_offsets":[4,8]}}     )",
                      bytes("\0\0\x80\x3f\1\0\xff\xff")));
}

TEST_F(SafetensorsTest, EveryElementTypeComesBackAligned) {
    std::map<std::string, Array> arrays;
    for (int i = 0; i < dtype_count; ++i) {
        auto dtype = static_cast<DType>(i);
        if (dtype == DType::Complex128) continue;
        arrays[std::string(dtype_name(dtype))] = Array::of({0.0, 1.0, 2.5}).cast(dtype);
    }
    Array whole = Array::of({1, 2, 3});
    arrays["turned"] =
        Array::view(DType::Int32, {3}, {-4}, whole.data_as<int>() + 2, whole.owner());
    save_safetensors(at("a"), arrays);
    Safetensors got = load_safetensors(at("a"));
    ASSERT_EQ(got.arrays.size(), arrays.size());
    for (const auto& [name, array] : arrays)
        EXPECT_TRUE(got.arrays.at(name).identical(array)) << name;
    uint64_t length = 0;
    InputFile(at("a")).read(0, &length, 8);
    EXPECT_EQ(length % 8, 0u);
}

TEST_F(SafetensorsTest, RefusesWhatTheFormatCannotHold) {
    auto save = [&](const std::string& name, const Array& array) {
        return error_of([&] { save_safetensors(at("x"), {{name, array}}); });
    };
    EXPECT_TRUE(says(save("a", Array::scalar(std::complex<double>(1))), "have no complex128"));
    EXPECT_TRUE(says(save("__metadata__", Array::scalar(1.0)), "ValueError"));
    EXPECT_TRUE(says(save("\xff", Array::scalar(1.0)), "ValueError"));
    EXPECT_EQ(files(), 0u);
}

TEST_F(SafetensorsTest, EachRuleIsChecked) {
    auto one = [](const std::string& fields) {
        return file_of("{\"a\":{" + fields + "}}", "12345678");
    };
    std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
    ASSERT_EQ(error_of([&] { load_safetensors(put("g", one(good))); }), "no error");
    struct Row {
        std::string file, phrase;
    };
    const Row rows[] = {
        {"1234567", "it has 7 bytes"},
        {bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "the format allows 100000000"},
        {bytes("\x09\0\0\0\0\0\0\0{}"), "its header should take 9 bytes, but 2 follow"},
        {file_of("", ""), "does not start with '{'"},
        {file_of(" {}", ""), "does not start with '{'"},
        {file_of("{", ""), "its header: JSON"},
        {file_of("{}x", ""), "its header: JSON"},
        {file_of(R"({"a":1,"a":2})", ""), "the name 'a' is there twice"},
        {file_of(R"({"a":1})", ""), "'a': JSON: an object was expected"},
        {file_of(R"({"__metadata__":{"k":1}})", ""), "a text was expected"},
        {one(R"("dtype":"F32","shape":[2])"), "should have dtype, shape and data_offsets only"},
        {one(good + ",\"x\":1"), "should have dtype, shape and data_offsets only"},
        {one(R"("dtype":"F32","shapes":[2],"data_offsets":[0,8])"), "'a' has no shape"},
        {one(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])"), "UnsupportedError"},
        {one(R"("dtype":4,"shape":[2],"data_offsets":[0,8])"), "a text was expected"},
        {one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "a whole number was expected"},
        {one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "the size -2"},
        {one(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), "a list was expected"},
        {one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "two offsets in order"},
        {one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "two offsets in order"},
        {one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
         "has 8 bytes of data, expected 12"},
        {one(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8])"),
         "has 8 bytes of data"},
        {one(R"("dtype":"I8","shape":[6],"data_offsets":[2,8])"), "a hole in the data"},
        {one(R"("dtype":"I8","shape":[6],"data_offsets":[0,6])"),
         "it is too long: its arrays take 6 bytes, but found 8"},
        {one(R"("dtype":"I8","shape":[9],"data_offsets":[0,9])"),
         "it is truncated: its arrays take 9 bytes, but found 8"},
        {file_of(R"({"a":{"dtype":"I8","shape":[6],"data_offsets":[0,6]},)"
                 R"("b":{"dtype":"I8","shape":[4],"data_offsets":[4,8]}})",
                 "12345678"),
         "data overlap: array 'b' starts at 4, the one before it ends at 6"},
    };
    for (const auto& row : rows) {
        auto text = error_of([&] { load_safetensors(put("bad", row.file)); });
        EXPECT_TRUE(says(text, row.phrase)) << row.file;
        EXPECT_TRUE(says(text, at("bad").string()));
    }
}

TEST_F(SafetensorsTest, EveryCutIsAnError) {
    save_safetensors(at("a"), {{"a", Array::of({1.0, 2.0})}, {"b", Array::of({true})}},
                     {{"k", "v"}});
    std::string good = read_file(at("a"));
    for (size_t size = 0; size < good.size(); ++size)
        EXPECT_TRUE(says(error_of([&] { load_safetensors(put("cut", good.substr(0, size))); }),
                         "IoError: "))
            << size;
}

}  // namespace croton
