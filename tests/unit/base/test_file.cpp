// Files that are read by place and files that appear whole or not at all.
#include <sys/stat.h>
#include <unistd.h>

#include "croton/base/file.hpp"
#include "tests/unit/interop/scratch.hpp"

namespace croton {

namespace fs = std::filesystem;
using FileTest = Scratch;

TEST_F(FileTest, WritesAndReads) {
    std::string text(200000, 'x');
    text[77777] = 'y';
    write_file(at("a"), text);
    EXPECT_EQ(read_file(at("a")), text);
    write_file(at("a"), "short");
    EXPECT_EQ(read_file(at("a")), "short");
    EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, ManySmallAndLargePiecesKeepTheirOrder) {
    std::string expected;
    AtomicFile file(at("a"));
    for (int i = 0; i < 300; ++i) {
        std::string piece(static_cast<size_t>(i * i), static_cast<char>('a' + i % 26));
        file.write(piece);
        expected += piece;
        EXPECT_EQ(file.position(), expected.size());
    }
    file.commit();
    EXPECT_EQ(read_file(at("a")), expected);
}

TEST_F(FileTest, WithoutCommitTheOldFileStays) {
    write_file(at("a"), "old");
    {
        AtomicFile file(at("a"));
        file.write(std::string(100000, 'n'));
    }
    EXPECT_EQ(read_file(at("a")), "old");
    EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, KeepsPermissionsAndFollowsLinks) {
    write_file(at("real"), "old");
    fs::permissions(at("real"), fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("real", at("link"));
    write_file(at("link"), "new");
    EXPECT_TRUE(fs::is_symlink(at("link")));
    EXPECT_EQ(read_file(at("real")), "new");
    EXPECT_EQ(fs::status(at("real")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    mode_t old_mask = ::umask(027);
    write_file(at("fresh"), "");
    ::umask(old_mask);
    EXPECT_EQ(static_cast<int>(fs::status(at("fresh")).permissions()), 0640);
}

TEST_F(FileTest, ErrorsNameThePathAndTheReason) {
    auto missing = error_of([&] { read_file(at("missing")); });
    EXPECT_TRUE(says(missing, "IoError: cannot open " + at("missing").string()));
    EXPECT_TRUE(says(missing, "No such file or directory"));
    EXPECT_TRUE(says(error_of([&] { read_file(at("")); }), "it is a folder"));
    auto no_folder = error_of([&] { write_file(at("no/such/a"), "x"); });
    EXPECT_TRUE(says(no_folder, "IoError: cannot write " + at("no/such/a").string()));
    EXPECT_TRUE(says(no_folder, "No such file or directory"));
    EXPECT_TRUE(says(error_of([&] { write_file(at("."), "x"); }), "it is a folder"));
    EXPECT_TRUE(says(error_of([&] { write_file("/dev/full", "x"); }), "not a regular file"));
    put("short", "12345");
    InputFile file(at("short"));
    char to[10];
    EXPECT_TRUE(says(error_of([&] { file.read(2, to, 10); }), "truncated"));
    EXPECT_TRUE(says(error_of([&] { file.read(2, to, 10); }),
                     "10 bytes were expected from byte 2, "
                     "but 3 are there"));
}

TEST_F(FileTest, AFolderThatCannotBeWritten) {
    // Root may write everywhere, so root looks through the eyes of "nobody".
    constexpr uid_t nobody = 65534;
    bool root = ::geteuid() == 0;
    fs::permissions(at(""), fs::perms(0555));
    if (root) {
        ASSERT_EQ(::seteuid(nobody), 0);
    }
    auto text = error_of([&] { write_file(at("a"), "x"); });
    if (root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    fs::permissions(at(""), fs::perms::owner_all);
    EXPECT_TRUE(says(text, "Permission denied"));
}

}  // namespace croton
