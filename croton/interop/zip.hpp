#pragma once
// Zip archives as far as .npz files need them (PKWARE's APPNOTE 6.3: stored and deflated entries,
// zip64 sizes, CRC-32), internal to interop.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "croton/base/file.hpp"

namespace croton {

struct ZipEntry {
    std::string name;
    uint64_t size = 0;             ///< decoded bytes
    uint64_t compressed_size = 0;  ///< bytes in the archive
    uint64_t header_place = 0;     ///< of the local header
    uint32_t crc = 0;
    uint16_t method = 0;  ///< 0 stored, 8 deflated
};

/// Reads an archive's directory. Io errors name the file and what is wrong with it; encryption,
/// several volumes and other compressions are Unsupported errors.
class ZipReader {
  public:
    explicit ZipReader(const std::filesystem::path& path);
    const std::vector<ZipEntry>& entries() const { return entries_; }
    /// Decodes an entry into `size` bytes at `to` and checks its CRC-32.
    void read(const ZipEntry& entry, void* to) const;

  private:
    struct Directory {
        uint64_t count, size, place;
    };
    Directory find_directory() const;
    Directory find_directory64(uint64_t end_record) const;
    void read_directory(const Directory& directory);
    ZipEntry parse_entry(std::string_view record) const;
    [[noreturn]] void fail_corrupt(std::string_view what) const;

    InputFile file_;
    std::vector<ZipEntry> entries_;
};

/// Writes an archive that appears when commit() is called. All entries carry the date 1980-01-01,
/// so that equal contents give equal files.
class ZipWriter {
  public:
    /// Sizes and places of `zip64_from` and more are written in zip64 form (lowered by tests only).
    explicit ZipWriter(const std::filesystem::path& path, bool compress,
                       uint64_t zip64_from = 0xffffffff)
        : file_(path), compress_(compress), zip64_from_(zip64_from) {}
    /// Adds an entry whose contents are the parts one after the other.
    void add(const std::string& name, std::span<const std::string_view> parts);
    void commit();

  private:
    bool needs_zip64(const ZipEntry& entry) const;
    void write_local_header(const ZipEntry& entry);
    void write_directory_record(const ZipEntry& entry);

    AtomicFile file_;
    bool compress_;
    uint64_t zip64_from_;
    std::vector<ZipEntry> entries_;
};

}  // namespace croton
