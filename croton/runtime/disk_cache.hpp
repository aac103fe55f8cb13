#pragma once
// Bytes kept from one process to the next: compiled code, whole programs. A private folder with
// one immutable file an entry; no locks. Nothing here throws: a cache that cannot be used is one
// warning and then a cache that never has anything.
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace croton::runtime {

class DiskCache {
  public:
    /// The cache that the settings cache_dir and cache_megabytes name; null if it is "off" or its
    /// folder cannot be used (see set_cache_warning). An empty cache_dir is $XDG_CACHE_HOME/croton
    /// or ~/.cache/croton.
    static std::shared_ptr<DiskCache> current();

    /// `folder` is made where missing, with mode 0700. It must belong to the user, and nobody else
    /// may write to it: what lies there is run.
    DiskCache(std::string folder, int64_t most_bytes);

    /// Whether the folder can be read. (If it cannot be written, entries are not added.)
    bool usable() const { return usable_; }

    /// The entry's content, or nothing if it is missing, cut short or changed (such a file is
    /// removed). `kind` is the file name's ending. Counts as an access.
    std::optional<std::string> read(std::string_view key, std::string_view kind);

    /// Stores one content under one or several keys, replacing what was there. A reader sees the
    /// old entry or the new one, whenever it looks and however this process dies.
    void write(std::span<const std::string> keys, std::string_view kind, std::string_view content);
    void write(const std::string& key, std::string_view kind, std::string_view content) {
        write(std::span(&key, 1), kind, content);
    }

    /// Removes the entries that were not accessed for longest until the rest fits; also what dead
    /// processes left half written. Done now and then by write().
    void trim();

    std::string path_of(std::string_view key, std::string_view kind) const;

  private:
    bool prepare();
    bool write_file(const std::string& path, std::string_view content) const;

    std::string folder_;
    int64_t most_bytes_;
    bool usable_ = false;
    std::mutex mutex_;
    int64_t untrimmed_ = 0;  ///< bytes written since the last trim
    bool trimmed_ = false;
};

/// Where the one line about a cache that cannot be used goes; the default writes to stderr. Each
/// folder is complained about once a process.
void set_cache_warning(std::function<void(const std::string&)> hook);

}  // namespace croton::runtime
