#pragma once
// Kernels that were compiled when Croton was built: one file beside libcroton, mapped and never
// written. Small graphs made of them start without LLVM.
//
// A header (magic, the file's size, what made it, how many entries), the entries sorted by key, a
// dictionary of what compiled kernels look like, and the kernels, deflated with it. The file is of
// use to the very build of Croton whose identity it carries, and each entry is checked when it is
// taken.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace croton::cpu {

class Precompiled {
  public:
    /// The file that the setting `precompiled` names. Null: none, or not of this build.
    static std::shared_ptr<const Precompiled> current();

    /// Null if there is no such file, or if another build made it.
    static std::shared_ptr<const Precompiled> open(const std::string& path);
    ~Precompiled();
    Precompiled(const Precompiled&) = delete;

    /// The content kept under a key. Nothing if it is missing or damaged.
    std::optional<std::string> find(std::string_view key) const;
    size_t size() const { return count_; }

    /// The whole file for contents by key.
    static std::string pack(const std::map<std::string, std::string>& contents);

  private:
    struct Header;
    struct Entry;
    Precompiled(const char* data, size_t size) : data_(data), size_(size) {}
    bool read_header();
    Entry entry(size_t index) const;
    std::optional<Entry> entry_of(std::string_view digits) const;

    const char* data_;
    size_t size_, count_ = 0;
    std::string_view dictionary_;
};

}  // namespace croton::cpu
