// .npz: archives written by other programs (their bytes are in the test), round trips, damage.
#include "croton/interop/npy.hpp"
#include "croton/interop/zip.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

namespace {
std::map<std::string, Array> two_arrays() {
    return {{"w", Array::of(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3})},
            {"deep/b", Array::of<int64_t>({7, 8})},
            {"größe", Array::scalar(2.5)},
            {"empty", Array::zeros(DType::Float32, {0, 3})}};
}

void expect_equal(const std::map<std::string, Array>& got,
                  const std::map<std::string, Array>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (const auto& [name, array] : expected) {
        ASSERT_TRUE(got.contains(name)) << name;
        EXPECT_TRUE(got.at(name).identical(array)) << name;
    }
}
}  // namespace

using NpzTest = Scratch;

TEST_F(NpzTest, ComesBackStoredAndCompressed) {
    save_npz(at("a.npz"), two_arrays());
    expect_equal(load_npz(at("a.npz")), two_arrays());
    save_npz(at("b.npz"), two_arrays(), true);
    expect_equal(load_npz(at("b.npz")), two_arrays());
    save_npz(at("c.npz"), {});
    expect_equal(load_npz(at("c.npz")), {});
    std::map<std::string, Array> large = {{"z", Array::zeros(DType::Float64, {1000, 300})}};
    save_npz(at("d.npz"), large, true);
    EXPECT_LT(std::filesystem::file_size(at("d.npz")), 10000u);
    expect_equal(load_npz(at("d.npz")), large);
}

TEST_F(NpzTest, EqualContentsGiveEqualFiles) {
    save_npz(at("a.npz"), two_arrays(), true);
    save_npz(at("b.npz"), two_arrays(), true);
    EXPECT_EQ(read_file(at("a.npz")), read_file(at("b.npz")));
}

TEST_F(NpzTest, ReadsWhatNumPyWrites) {
    // numpy.savez_compressed(file, a=numpy.arange(3, dtype="uint8")) of NumPy 2, whose local header
    // is in zip64 form.
    static const unsigned char archive[] = {
#include "tests/unit/interop/numpy_archive.inc"
    };
    std::string text(reinterpret_cast<const char*>(archive), sizeof archive);
    expect_equal(load_npz(put("a.npz", text)), {{"a", Array::of<uint8_t>({0, 1, 2})}});
}

TEST_F(NpzTest, Zip64FormsAreWrittenAndRead) {
    for (uint64_t from : {uint64_t{0}, uint64_t{60}, uint64_t{150}}) {
        ZipWriter writer(at("a.zip"), from == 60, from);
        const std::string_view first[] = {"some ", "text"}, second[] = {std::string_view()};
        const std::string long_text(200, 'q');
        const std::string_view third[] = {long_text};
        writer.add("first", first);
        writer.add("second", second);
        writer.add("third", third);
        writer.commit();
        ZipReader reader(at("a.zip"));
        ASSERT_EQ(reader.entries().size(), 3u);
        std::string got(9, ' ');
        ASSERT_EQ(reader.entries()[0].size, 9u);
        reader.read(reader.entries()[0], got.data());
        EXPECT_EQ(got, "some text");
        EXPECT_EQ(reader.entries()[1].size, 0u);
        got.resize(200);
        reader.read(reader.entries()[2], got.data());
        EXPECT_EQ(got, long_text);
    }
}

TEST_F(NpzTest, EveryCutIsAnError) {
    save_npz(at("a.npz"), two_arrays(), true);
    std::string good = read_file(at("a.npz"));
    for (size_t size = 0; size < good.size(); ++size)
        EXPECT_TRUE(
            says(error_of([&] { load_npz(put("cut.npz", good.substr(0, size))); }), "IoError: "))
            << size;
}

TEST_F(NpzTest, EveryFlippedByteIsAnErrorOrHarmless) {
    // Dates, versions and attributes may change unseen; names, sizes and contents may not.
    for (bool compress : {false, true}) {
        std::map<std::string, Array> arrays = {{"w", Array::of({1.5f, 2.5f, 3.5f})}};
        save_npz(at("a.npz"), arrays, compress);
        std::string good = read_file(at("a.npz"));
        size_t harmless = 0;
        for (size_t place = 0; place < good.size(); ++place) {
            std::string bad = good;
            bad[place] = static_cast<char>(bad[place] ^ 0x55);
            auto path = put("bad.npz", bad);
            std::map<std::string, Array> got;
            if (error_of([&] { got = load_npz(path); }) != "no error") continue;
            ++harmless;
            ASSERT_EQ(got.size(), 1u);
            EXPECT_TRUE(got.begin()->second.identical(arrays["w"])) << place;
        }
        EXPECT_LT(harmless, good.size() / 2);
    }
}

TEST_F(NpzTest, DamageIsNamed) {
    save_npz(at("a.npz"), {{"w", Array::of({1.5f, 2.5f, 3.5f})}});
    std::string good = read_file(at("a.npz"));
    std::string bad = good;
    bad[good.find('\n') + 5] ^= 1;
    auto text = error_of([&] { load_npz(put("bad.npz", bad)); });
    EXPECT_TRUE(says(text, "IoError: " + at("bad.npz").string()));
    EXPECT_TRUE(says(text, "entry 'w.npy' is corrupt: its CRC-32 is"));
    EXPECT_TRUE(says(error_of([&] { load_npz(put("bad.npz", "no archive at all")); }),
                     "is not a whole zip archive: no end record in its 17 bytes"));
    ZipWriter writer(at("text.npz"), false);
    const std::string_view parts[] = {"hello"};
    writer.add("readme.txt", parts);
    writer.commit();
    EXPECT_TRUE(says(error_of([&] { load_npz(at("text.npz")); }),
                     "entry 'readme.txt': only arrays (.npy) are read"));
    bad = good;
    for (const char* mark : {"PK\3\4", "PK\1\2"}) bad[bad.find(mark) + (mark[2] == 3 ? 6 : 8)] |= 1;
    EXPECT_TRUE(says(error_of([&] { load_npz(put("bad.npz", bad)); }), "'w.npy' is encrypted"));
    bad = good;
    bad[bad.find("PK\1\2") + 10] = 14;
    EXPECT_TRUE(
        says(error_of([&] { load_npz(put("bad.npz", bad)); }), "is compressed by method 14"));
}

TEST_F(NpzTest, TheSameNameTwiceIsAnError) {
    save_npy(at("x.npy"), Array::of({1.0}));
    std::string one = read_file(at("x.npy"));
    const std::string_view parts[] = {one};
    ZipWriter writer(at("a.npz"), false);
    writer.add("x.npy", parts);
    writer.add("x.npy", parts);
    writer.commit();
    EXPECT_TRUE(says(error_of([&] { load_npz(at("a.npz")); }), "entry 'x.npy' is there twice"));
}

}  // namespace croton
