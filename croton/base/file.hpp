#pragma once
// Files read by place and files that appear whole or not at all.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace croton {

/// An open regular file. All failures are Io errors with the path and the system's reason.
class InputFile {
  public:
    explicit InputFile(std::filesystem::path path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// Bytes in the file when it was opened.
    uint64_t size() const { return size_; }
    /// Reads up to `count` bytes at `place`; fewer only at the end of the file.
    size_t read_some(uint64_t place, void* to, size_t count) const;
    /// Reads exactly `count` bytes; Io error saying how many were there if the file ends before.
    void read(uint64_t place, void* to, size_t count) const;

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
    uint64_t size_ = 0;
};

/// The whole file.
std::string read_file(const std::filesystem::path& path);

/// A file that is written under a temporary name in its folder and takes its real name in
/// commit(), replacing what was there. Without commit() the destructor removes it, so that a reader
/// never sees half a file and a full disk leaves the old one. Permissions are those of the file
/// replaced, or the usual ones; a symbolic link is followed, so that its target is replaced.
class AtomicFile {
  public:
    explicit AtomicFile(const std::filesystem::path& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(const void* data, size_t count);
    void write(std::string_view text) { write(text.data(), text.size()); }
    /// Bytes written so far.
    uint64_t position() const { return position_; }
    /// Puts the contents safely on the disk and gives the file its name.
    void commit();

  private:
    void put(const char* data, size_t count);
    [[noreturn]] void fail_writing(int code) const;

    std::filesystem::path path_, target_, temporary_;
    std::string buffer_;
    int descriptor_ = -1;
    uint64_t position_ = 0;
};

/// Writes the whole file through an AtomicFile.
void write_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace croton
