// The disk cache under everything that happens to folders.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/settings.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::runtime {
namespace {

namespace fs = std::filesystem;

class DiskCacheTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "croton-cache-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        set_cache_warning([this](const std::string& line) { warnings_.push_back(line); });
    }
    void TearDown() override {
        set_cache_warning({});
        fs::permissions(root_, fs::perms::owner_all);
        fs::remove_all(root_);
    }
    static std::string key(int number) { return content_hash(cat("entry ", number)); }
    std::string folder() const { return (root_ / "deep" / "cache").string(); }
    std::vector<fs::path> files() const {
        std::vector<fs::path> result;
        for (const auto& entry : fs::directory_iterator(folder())) result.push_back(entry.path());
        return result;
    }

    /// Runs a check in a process of its own, for what cannot be undone.
    template <class Check>
    static bool holds_in_child(Check check) {
        pid_t child = ::fork();
        if (child == 0) ::_exit(check() ? 0 : 1);
        int status = -1;
        return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
    }

    fs::path root_;
    std::vector<std::string> warnings_;
    std::string bytes_ = std::string("bytes\0with\nanything", 19);
};

TEST_F(DiskCacheTest, KeepsBytesFromOneObjectToTheNext) {
    DiskCache(folder(), 1 << 20).write(key(1), "object", bytes_);
    DiskCache cache(folder(), 1 << 20);
    EXPECT_EQ(cache.read(key(1), "object"), bytes_);
    EXPECT_EQ(cache.read(key(2), "object"), std::nullopt);
    EXPECT_EQ(cache.read(key(1), "graph"), std::nullopt);
    cache.write(key(1), "object", "other");
    EXPECT_EQ(cache.read(key(1), "object"), "other");
    cache.write(key(3), "object", "");
    EXPECT_EQ(cache.read(key(3), "object"), "");
    EXPECT_EQ(files().size(), 2u) << "no half-written files are left";
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(DiskCacheTest, FolderAndFilesArePrivate) {
    DiskCache cache(folder(), 1 << 20);
    cache.write(key(1), "object", bytes_);
    struct stat about;
    ASSERT_EQ(::stat(folder().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0700u);
    ASSERT_EQ(::stat(cache.path_of(key(1), "object").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(DiskCacheTest, OneFileServesSeveralKeys) {
    DiskCache cache(folder(), 1 << 20);
    std::vector<std::string> keys = {key(1), key(2), key(3)};
    cache.write(keys, "object", bytes_);
    struct stat about;
    for (const auto& one : keys) {
        EXPECT_EQ(cache.read(one, "object"), bytes_);
        ASSERT_EQ(::stat(cache.path_of(one, "object").c_str(), &about), 0);
        EXPECT_EQ(about.st_nlink, 3u);
    }
    cache.write(keys, "object", "again");
    for (const auto& one : keys) EXPECT_EQ(cache.read(one, "object"), "again");
    EXPECT_EQ(files().size(), 3u);
}

TEST_F(DiskCacheTest, EveryFlippedByteAndEveryCutIsNoticed) {
    DiskCache cache(folder(), 1 << 20);
    cache.write(key(1), "object", bytes_);
    std::string path = cache.path_of(key(1), "object"), whole;
    {
        std::ifstream in(path, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
    }
    auto put = [&](std::string_view content) { std::ofstream(path, std::ios::binary) << content; };
    for (size_t n = 0; n < whole.size(); ++n) {
        std::string changed = whole;
        changed[n] = static_cast<char>(changed[n] ^ 0x20);
        put(changed);
        ASSERT_EQ(cache.read(key(1), "object"), std::nullopt) << "byte " << n;
        ASSERT_FALSE(fs::exists(path)) << "the broken entry is removed";
        put(whole.substr(0, n));
        ASSERT_EQ(cache.read(key(1), "object"), std::nullopt) << "cut at " << n;
    }
    put(whole + "x");
    EXPECT_EQ(cache.read(key(1), "object"), std::nullopt);
    cache.write(key(1), "object", bytes_);
    EXPECT_EQ(cache.read(key(1), "object"), bytes_);
}

TEST_F(DiskCacheTest, OldestAccessGoesFirst) {
    DiskCache cache(folder(), 5000);
    for (int n = 0; n < 4; ++n) {
        cache.write(key(n), "object", std::string(1000, 'a'));
        timespec long_ago[] = {{1000 + n, 0}, {1000 + n, 0}};
        ::utimensat(AT_FDCWD, cache.path_of(key(n), "object").c_str(), long_ago, 0);
    }
    EXPECT_TRUE(cache.read(key(0), "object"));  // the oldest becomes the newest
    cache.write(key(4), "object", std::string(2000, 'b'));
    cache.trim();
    EXPECT_TRUE(cache.read(key(0), "object"));
    EXPECT_FALSE(cache.read(key(1), "object"));
    EXPECT_FALSE(cache.read(key(2), "object"));
    EXPECT_TRUE(cache.read(key(3), "object"));
    EXPECT_TRUE(cache.read(key(4), "object"));
}

TEST_F(DiskCacheTest, RemainsOfDeadProcessesAreCleared) {
    DiskCache cache(folder(), 1 << 20);
    std::string dead = folder() + "/.new-1-1", young = folder() + "/.new-2-1";
    std::ofstream(dead) << "half";
    std::ofstream(young) << "half";
    timespec long_ago[] = {{1000, 0}, {1000, 0}};
    ::utimensat(AT_FDCWD, dead.c_str(), long_ago, 0);
    cache.trim();
    EXPECT_FALSE(fs::exists(dead));
    EXPECT_TRUE(fs::exists(young)) << "somebody may be writing it";
}

TEST_F(DiskCacheTest, FoldersThatCannotBeTrustedAreRefusedWithOneLine) {
    fs::create_directories(folder());
    ::chmod(folder().c_str(), 0777);
    for (int n = 0; n < 3; ++n) {
        DiskCache cache(folder(), 1 << 20);
        EXPECT_FALSE(cache.usable());
        cache.write(key(1), "object", bytes_);
        EXPECT_EQ(cache.read(key(1), "object"), std::nullopt);
    }
    ASSERT_EQ(warnings_.size(), 1u);
    EXPECT_NE(warnings_[0].find("other users may write to it"), std::string::npos);
}

TEST_F(DiskCacheTest, AFileInTheWayIsSurvived) {
    std::ofstream(root_ / "deep") << "a file";
    DiskCache cache(folder(), 1 << 20);
    EXPECT_FALSE(cache.usable());
    cache.write(key(1), "object", bytes_);
    EXPECT_EQ(cache.read(key(1), "object"), std::nullopt);
    EXPECT_EQ(warnings_.size(), 1u);
}

TEST_F(DiskCacheTest, AReadOnlyFolderStillGives) {
    DiskCache(folder(), 1 << 20).write(key(1), "object", bytes_);
    std::string path = DiskCache(folder(), 1 << 20).path_of(key(1), "object");
    bool root = ::geteuid() == 0;  // whom permissions do not hold back: the child becomes nobody
    constexpr uid_t nobody = 65534;
    if (root) {
        for (const auto& one : {root_.string(), (root_ / "deep").string(), folder(), path})
            ASSERT_EQ(::chown(one.c_str(), nobody, nobody), 0);
    }
    ASSERT_EQ(::chmod(folder().c_str(), 0500), 0);
    EXPECT_TRUE(holds_in_child([&] {
        if (root && ::setuid(nobody) != 0) return false;
        DiskCache cache(folder(), 1 << 20);
        bool right = cache.read(key(1), "object") == bytes_;
        cache.write(key(2), "object", bytes_);
        cache.write(key(3), "object", bytes_);
        return right && !cache.read(key(2), "object") && warnings_.size() == 1;
    }));
    ::chmod(folder().c_str(), 0700);
}

TEST_F(DiskCacheTest, AFullDiskIsSurvived) {
    // /dev/full takes the name of no folder, so a limit on file sizes plays the full disk.
    DiskCache cache(folder(), 1 << 20);
    EXPECT_TRUE(holds_in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit small{100, 100};
        ::setrlimit(RLIMIT_FSIZE, &small);
        cache.write(key(1), "object", std::string(10000, 'a'));
        return !cache.read(key(1), "object") && warnings_.size() == 1 && files().empty();
    }));
}

TEST_F(DiskCacheTest, WritersAndReadersNeedNoLocks) {
    std::string contents[2] = {std::string(20000, 'a'), std::string(30000, 'b')};
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            DiskCache cache(folder(), 1 << 20);
            for (int n = 0; n < 50; ++n) {
                cache.write(key(1), "object", contents[t % 2]);
                auto got = cache.read(key(1), "object");
                if (got && *got != contents[0] && *got != contents[1]) ++wrong;
                if (!got) ++wrong;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST_F(DiskCacheTest, SettingsNameTheFolder) {
    std::string before = settings().cache_dir;
    set_setting("cache_dir", "off");
    EXPECT_EQ(DiskCache::current(), nullptr);
    set_setting("cache_dir", folder());
    auto cache = DiskCache::current();
    ASSERT_NE(cache, nullptr);
    EXPECT_EQ(cache, DiskCache::current());
    cache->write(key(1), "object", bytes_);
    EXPECT_TRUE(fs::exists(folder() + "/" + key(1) + ".object"));
    set_setting("cache_dir", before);
}

TEST_F(DiskCacheTest, WithoutAHomeThereIsNoCacheAndOneLine) {
    EXPECT_TRUE(holds_in_child([&] {
        ::unsetenv("HOME");
        ::unsetenv("XDG_CACHE_HOME");
        settings().cache_dir = "";
        return !DiskCache::current() && !DiskCache::current() && warnings_.size() == 1;
    }));
}

}  // namespace
}  // namespace croton::runtime
