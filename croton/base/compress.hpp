#pragma once
// Deflate, gzip and CRC-32 over zlib, which is seen here only.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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

/// Deflates bytes that come in pieces.
class Deflater {
  public:
    enum class Coding {
        Deflate,  ///< raw, as in zip files
        Zlib,     ///< with zlib's header and checksum, as in PNG files
    };
    explicit Deflater(Coding coding);
    ~Deflater();
    Deflater(Deflater&&) = delete;

    void add(std::string_view part);
    /// The whole compressed text; the object is used up.
    std::string finish();

  private:
    struct State;
    int step(int flush);
    std::unique_ptr<State> state_;
    std::string result_;
};

/// Short texts that are much like each other: raw deflate that begins as if `dictionary`, a text of
/// the same sort of up to 32 KiB, had gone before.
std::string deflate_like(std::string_view text, std::string_view dictionary);
/// Its inverse, given how many bytes come out. Nothing if the bytes are not that; a changed
/// dictionary may show as other text alone.
std::optional<std::string> inflate_like(std::string_view bytes, size_t size,
                                        std::string_view dictionary);

/// CRC-32 of zip, gzip and PNG, continued from `start`.
uint32_t crc32_of(std::string_view bytes, uint32_t start = 0);

}  // namespace croton
