#include "croton/runtime/disk_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/settings.hpp"

namespace croton::runtime {

namespace {
// --- one warning a folder

struct Warnings {
    std::mutex mutex;
    std::function<void(const std::string&)> hook;
    std::set<std::string> told;
};
Warnings& warnings() {
    static auto& instance = *new Warnings;
    return instance;
}

void warn(const std::string& folder, std::string_view what) {
    auto& state = warnings();
    std::lock_guard lock(state.mutex);
    if (!state.told.insert(folder).second) return;
    std::string line =
        cat("croton: compiled code is not kept in ", folder.empty() ? "a cache" : folder, ": ",
            what, " (the setting cache_dir names another folder, or 'off')");
    if (state.hook)
        state.hook(line);
    else
        // Nobody is left to tell if stderr is closed.
        (void)!::write(STDERR_FILENO, (line + "\n").data(), line.size() + 1);
}

std::string last_error() { return std::strerror(errno); }

// --- files

class File {
  public:
    File(const std::string& path, int flags, mode_t mode = 0)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    explicit operator bool() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }

    bool write_all(std::string_view bytes) const {
        while (!bytes.empty()) {
            ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) return false;
            bytes.remove_prefix(static_cast<size_t>(done));
        }
        return true;
    }

    std::optional<std::string> read_all() const {
        struct stat about;
        if (::fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) return {};
        std::string bytes(static_cast<size_t>(about.st_size), '\0');
        size_t have = 0;
        while (have < bytes.size()) {
            ssize_t done = ::read(descriptor_, bytes.data() + have, bytes.size() - have);
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) break;
            have += static_cast<size_t>(done);
        }
        bytes.resize(have);
        return bytes;
    }

  private:
    int descriptor_;
};

bool make_folders(const std::string& path) {
    for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
        if (::mkdir(path.substr(0, end).c_str(), 0700) != 0 && errno != EEXIST) break;
    return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

// --- entries: magic, size of the content, its hash, the content

constexpr std::string_view magic = "CROTONC1";
constexpr size_t header_size = 8 + 8 + 32;

std::string header_of(std::string_view content) {
    uint64_t size = content.size();
    return cat(magic, std::string_view(reinterpret_cast<const char*>(&size), 8),
               content_hash(content));
}

bool is_temporary(std::string_view name) { return name.starts_with(".new-"); }

std::string temporary_name() {
    static std::atomic<int> count{0};
    return cat(".new-", ::getpid(), "-", ++count);
}

std::string default_folder() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/')
        return cat(cache, "/croton");
    if (const char* home = std::getenv("HOME"); home && *home == '/')
        return cat(home, "/.cache/croton");
    return {};
}
}  // namespace

void set_cache_warning(std::function<void(const std::string&)> hook) {
    auto& state = warnings();
    std::lock_guard lock(state.mutex);
    state.hook = std::move(hook);
    state.told.clear();
}

std::shared_ptr<DiskCache> DiskCache::current() {
    static std::mutex mutex;
    static auto& open = *new std::pair<std::string, std::shared_ptr<DiskCache>>;
    std::string folder = settings().cache_dir;
    if (folder == "off") return nullptr;
    if (folder.empty()) folder = default_folder();
    if (folder.empty()) {
        warn("", "neither XDG_CACHE_HOME nor HOME is set");
        return nullptr;
    }
    int64_t most = settings().cache_megabytes << 20;
    std::lock_guard lock(mutex);
    if (!open.second || open.first != folder || open.second->most_bytes_ != most)
        open = {folder, std::make_shared<DiskCache>(folder, most)};
    return open.second->usable() ? open.second : nullptr;
}

DiskCache::DiskCache(std::string folder, int64_t most_bytes)
    : folder_(std::move(folder)), most_bytes_(most_bytes), usable_(prepare()) {}

bool DiskCache::prepare() {
    while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
    bool made = make_folders(folder_);
    std::string reason = made ? "" : last_error();
    struct stat about;
    if (::stat(folder_.c_str(), &about) != 0) {
        warn(folder_, reason.empty() ? last_error() : reason);
    } else if (!S_ISDIR(about.st_mode)) {
        warn(folder_, "it is not a folder");
    } else if (about.st_uid != ::geteuid()) {
        warn(folder_, "it belongs to another user");
    } else if ((about.st_mode & 022) != 0) {
        warn(folder_, "other users may write to it");
    } else {
        return true;
    }
    return false;
}

std::string DiskCache::path_of(std::string_view key, std::string_view kind) const {
    return cat(folder_, "/", key, ".", kind);
}

std::optional<std::string> DiskCache::read(std::string_view key, std::string_view kind) {
    if (!usable_) return {};
    std::string path = path_of(key, kind);
    File file(path, O_RDONLY | O_NOFOLLOW);
    if (!file) return {};
    auto bytes = file.read_all();
    if (!bytes || bytes->size() < header_size ||
        std::string_view(*bytes).substr(0, header_size) !=
            header_of(std::string_view(*bytes).substr(header_size))) {
        ::unlink(path.c_str());
        return {};
    }
    ::futimens(file.get(), nullptr);  // the modification time says when it was last of use
    bytes->erase(0, header_size);
    return bytes;
}

bool DiskCache::write_file(const std::string& path, std::string_view content) const {
    File file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file && file.write_all(header_of(content)) && file.write_all(content)) return true;
    std::string reason = last_error();
    if (file) ::unlink(path.c_str());
    warn(folder_, reason);
    return false;
}

void DiskCache::write(std::span<const std::string> keys, std::string_view kind,
                      std::string_view content) {
    if (!usable_ || keys.empty()) return;
    std::string first = cat(folder_, "/", temporary_name());
    if (!write_file(first, content)) return;
    // Entries with the same content share one file where the file system allows it.
    for (const auto& key : keys.subspan(1)) {
        std::string next = cat(folder_, "/", temporary_name());
        if (::link(first.c_str(), next.c_str()) != 0 && !write_file(next, content)) break;
        (void)::rename(next.c_str(), path_of(key, kind).c_str());
        ::unlink(next.c_str());  // still there if renaming failed, or if both names were one file
    }
    if (::rename(first.c_str(), path_of(keys[0], kind).c_str()) != 0) {
        warn(folder_, last_error());
        ::unlink(first.c_str());
    }
    bool full;
    {
        std::lock_guard lock(mutex_);
        untrimmed_ += static_cast<int64_t>(content.size() + header_size);
        full = !trimmed_ || untrimmed_ > most_bytes_ / 16;
        if (full) untrimmed_ = 0;
        trimmed_ = true;
    }
    if (full) trim();
}

void DiskCache::trim() {
    struct Entry {
        std::string name;
        timespec used;
        int64_t bytes;
    };
    DIR* folder = ::opendir(folder_.c_str());
    if (!folder) return;
    std::vector<Entry> entries;
    int64_t total = 0;
    while (const dirent* item = ::readdir(folder)) {
        struct stat about;
        if (::fstatat(::dirfd(folder), item->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(about.st_mode)) continue;
        if (is_temporary(item->d_name)) {
            if (about.st_mtim.tv_sec + 3600 < ::time(nullptr))
                ::unlinkat(::dirfd(folder), item->d_name, 0);
            continue;
        }
        int64_t bytes = about.st_size / static_cast<int64_t>(std::max<nlink_t>(about.st_nlink, 1));
        entries.push_back({item->d_name, about.st_mtim, bytes});
        total += bytes;
    }
    if (total > most_bytes_) {
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return a.used.tv_sec != b.used.tv_sec ? a.used.tv_sec < b.used.tv_sec
                                                  : a.used.tv_nsec < b.used.tv_nsec;
        });
        for (const Entry& entry : entries) {
            if (total <= most_bytes_) break;
            if (::unlinkat(::dirfd(folder), entry.name.c_str(), 0) == 0) total -= entry.bytes;
        }
    }
    ::closedir(folder);
}

}  // namespace croton::runtime
