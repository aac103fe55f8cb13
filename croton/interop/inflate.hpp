#pragma once
// Streams of bytes that come plain or compressed.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "croton/base/file.hpp"

namespace croton {

/// Part of a file, read from front to back. Corrupt or truncated compression is an Io error that
/// names the file.
class ByteStream {
  public:
    enum class Coding {
        Plain,
        Deflate,  ///< raw, as in zip files
        Gzip,     ///< one or several gzip members; lengths and CRC-32 are checked
    };
    /// `count` bytes of `file` from `place`. The file must outlive the stream.
    ByteStream(const InputFile& file, Coding coding, uint64_t place, uint64_t count);
    ~ByteStream();
    ByteStream(ByteStream&&) = delete;

    /// Up to `count` decoded bytes; fewer only at the end.
    size_t read(void* to, size_t count);

  private:
    struct Inflater;
    size_t read_plain(void* to, size_t count);
    size_t read_inflated(void* to, size_t count);
    bool refill();
    void end_of_member();

    const InputFile& file_;
    Coding coding_;
    uint64_t place_, end_;
    std::unique_ptr<Inflater> inflater_;
};

/// The file's contents, decompressed if it starts like a gzip file, whatever its name.
ByteStream open_maybe_gzip(const InputFile& file);

}  // namespace croton
