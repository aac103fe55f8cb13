#include "croton/interop/zip.hpp"

#include <algorithm>
#include <optional>

#include "croton/base/compress.hpp"
#include "croton/base/error.hpp"
#include "croton/interop/byte_order.hpp"

namespace croton {

namespace {
// Signatures and sizes of the records, APPNOTE 4.3.
constexpr uint32_t local_mark = 0x04034b50, directory_mark = 0x02014b50, end_mark = 0x06054b50,
                   end64_mark = 0x06064b50, locator64_mark = 0x07064b50;
constexpr size_t local_bytes = 30, directory_bytes = 46, end_bytes = 22, end64_bytes = 56,
                 locator64_bytes = 20, longest_comment = 0xffff;
constexpr uint16_t flag_encrypted = 1, flag_utf8 = 1 << 11, zip64_extra = 1;
constexpr uint16_t stored = 0, deflated = 8, version_plain = 20, version_zip64 = 45;
constexpr uint16_t date_1980 = 0x21;
constexpr uint32_t in_zip64 = 0xffffffff;

uint16_t u16(std::string_view record, size_t place) {
    return little_at<uint16_t>(record.data() + place);
}
uint32_t u32(std::string_view record, size_t place) {
    return little_at<uint32_t>(record.data() + place);
}
uint64_t u64(std::string_view record, size_t place) {
    return little_at<uint64_t>(record.data() + place);
}

/// The zip64 part of an entry's extra fields, empty if there is none.
std::string_view find_zip64(std::string_view extra) {
    while (extra.size() >= 4) {
        size_t size = std::min<size_t>(u16(extra, 2), extra.size() - 4);
        if (u16(extra, 0) == zip64_extra) return extra.substr(4, size);
        extra.remove_prefix(4 + size);
    }
    return {};
}
}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path) : file_(path) {
    read_directory(find_directory());
}

void ZipReader::fail_corrupt(std::string_view what) const {
    fail(ErrorKind::Io, file_.path().string(), " is not a whole zip archive: ", what);
}

ZipReader::Directory ZipReader::find_directory() const {
    size_t window = std::min<uint64_t>(file_.size(), end_bytes + longest_comment);
    std::string tail(window, '\0');
    uint64_t tail_place = file_.size() - window;
    file_.read(tail_place, tail.data(), window);
    for (size_t place = window < end_bytes ? 0 : window - end_bytes + 1; place-- > 0;) {
        std::string_view record(tail.data() + place, end_bytes);
        // The comment must reach the end of the file, or the mark was part of something else.
        if (u32(record, 0) != end_mark || place + end_bytes + u16(record, 20) != window) continue;
        if (u16(record, 4) != 0 && u16(record, 4) != 0xffff)
            fail(ErrorKind::Unsupported, file_.path().string(), " is one of several zip volumes");
        bool zip64 =
            u16(record, 10) == 0xffff || u32(record, 12) == in_zip64 || u32(record, 16) == in_zip64;
        if (zip64) return find_directory64(tail_place + place);
        return {u16(record, 10), u32(record, 12), u32(record, 16)};
    }
    fail_corrupt(cat("no end record in its ", file_.size(), " bytes; it may be truncated"));
}

ZipReader::Directory ZipReader::find_directory64(uint64_t end_record) const {
    char locator[locator64_bytes], record[end64_bytes];
    if (end_record < locator64_bytes) fail_corrupt("the zip64 locator is missing");
    file_.read(end_record - locator64_bytes, locator, sizeof locator);
    if (little_at<uint32_t>(locator) != locator64_mark)
        fail_corrupt("the zip64 locator is missing");
    auto place = little_at<uint64_t>(locator + 8);
    if (place > file_.size() - end64_bytes) fail_corrupt("the zip64 end record lies outside");
    file_.read(place, record, sizeof record);
    if (little_at<uint32_t>(record) != end64_mark) fail_corrupt("the zip64 end record is missing");
    return {little_at<uint64_t>(record + 32), little_at<uint64_t>(record + 40),
            little_at<uint64_t>(record + 48)};
}

void ZipReader::read_directory(const Directory& directory) {
    if (directory.size > file_.size() || directory.place > file_.size() - directory.size)
        fail_corrupt("its directory lies outside");
    std::string records(directory.size, '\0');
    file_.read(directory.place, records.data(), records.size());
    std::string_view rest = records;
    for (uint64_t i = 0; i < directory.count; ++i) {
        if (rest.size() < directory_bytes || u32(rest, 0) != directory_mark)
            fail_corrupt(cat("entry ", i, " of its directory is broken"));
        size_t length = directory_bytes + u16(rest, 28) + u16(rest, 30) + u16(rest, 32);
        if (length > rest.size()) fail_corrupt(cat("entry ", i, " of its directory is cut"));
        entries_.push_back(parse_entry(rest.substr(0, length)));
        rest.remove_prefix(length);
    }
}

ZipEntry ZipReader::parse_entry(std::string_view record) const {
    ZipEntry entry;
    entry.name = record.substr(directory_bytes, u16(record, 28));
    entry.method = u16(record, 10);
    entry.crc = u32(record, 16);
    auto zip64 = find_zip64(record.substr(directory_bytes + u16(record, 28), u16(record, 30)));
    // The zip64 field holds just those values that do not fit their own places, in this order.
    auto value = [&](size_t place) -> uint64_t {
        if (u32(record, place) != in_zip64) return u32(record, place);
        if (zip64.size() < 8) fail_corrupt(cat("entry '", entry.name, "' lacks its zip64 sizes"));
        uint64_t wide = u64(zip64, 0);
        zip64.remove_prefix(8);
        return wide;
    };
    entry.size = value(24);
    entry.compressed_size = value(20);
    entry.header_place = value(42);
    if (u16(record, 8) & flag_encrypted)
        fail(ErrorKind::Unsupported, file_.path().string(), ": entry '", entry.name,
             "' is encrypted");
    if (entry.method != stored && entry.method != deflated)
        fail(ErrorKind::Unsupported, file_.path().string(), ": entry '", entry.name,
             "' is compressed by method ", entry.method, "; stored (0) and deflate (8) are read");
    // Deflate shrinks by at most 1032 to 1: a size beyond that is a lie that would cost memory.
    bool plausible = entry.method == stored ? entry.size == entry.compressed_size
                                            : entry.size / 1032 <= entry.compressed_size + 1;
    if (!plausible || entry.compressed_size > file_.size())
        fail_corrupt(cat("entry '", entry.name, "' cannot have ", entry.size, " bytes in ",
                         entry.compressed_size));
    return entry;
}

void ZipReader::read(const ZipEntry& entry, void* to) const {
    char header[local_bytes];
    file_.read(entry.header_place, header, sizeof header);
    std::string_view local(header, sizeof header);
    if (u32(local, 0) != local_mark)
        fail_corrupt(cat("entry '", entry.name, "' is not at byte ", entry.header_place));
    uint64_t place = entry.header_place + local_bytes + u16(local, 26) + u16(local, 28);
    if (place > file_.size() || entry.compressed_size > file_.size() - place)
        fail_corrupt(cat("entry '", entry.name, "' reaches beyond its end"));
    ByteStream stream(
        file_, entry.method == stored ? ByteStream::Coding::Plain : ByteStream::Coding::Deflate,
        place, entry.compressed_size);
    size_t got = stream.read(to, entry.size);
    char extra;
    if (got != entry.size || stream.read(&extra, 1) != 0)
        fail_corrupt(cat("entry '", entry.name, "' should have ", entry.size, " bytes, found ",
                         got == entry.size ? "more" : std::to_string(got)));
    uint32_t crc = crc32_of({static_cast<const char*>(to), entry.size});
    if (crc != entry.crc)
        fail(ErrorKind::Io, file_.path().string(), ": entry '", entry.name,
             "' is corrupt: its CRC-32 is ", crc, ", the archive says ", entry.crc);
}

namespace {
uint32_t checksum(std::span<const std::string_view> parts) {
    uint32_t crc = 0;
    for (auto part : parts) crc = crc32_of(part, crc);
    return crc;
}

std::string deflate_parts(std::span<const std::string_view> parts) {
    Deflater deflater(Deflater::Coding::Deflate);
    for (auto part : parts) deflater.add(part);
    return deflater.finish();
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 128; });
}

/// The fields that local and directory records share: version to extra length.
void append_common(std::string& out, const ZipEntry& entry, bool zip64, size_t extra) {
    append_little<uint16_t>(out, zip64 ? version_zip64 : version_plain);
    append_little<uint16_t>(out, is_ascii(entry.name) ? 0 : flag_utf8);
    append_little<uint16_t>(out, entry.method);
    append_little<uint16_t>(out, 0);
    append_little<uint16_t>(out, date_1980);
    append_little<uint32_t>(out, entry.crc);
    append_little<uint32_t>(out, zip64 ? in_zip64 : static_cast<uint32_t>(entry.compressed_size));
    append_little<uint32_t>(out, zip64 ? in_zip64 : static_cast<uint32_t>(entry.size));
    append_little<uint16_t>(out, static_cast<uint16_t>(entry.name.size()));
    append_little<uint16_t>(out, static_cast<uint16_t>(extra));
}
}  // namespace

bool ZipWriter::needs_zip64(const ZipEntry& entry) const {
    return std::max({entry.size, entry.compressed_size, entry.header_place}) >= zip64_from_;
}

void ZipWriter::write_local_header(const ZipEntry& entry) {
    bool zip64 = needs_zip64(entry);
    std::string out;
    append_little(out, local_mark);
    append_common(out, entry, zip64, zip64 ? 20 : 0);
    out += entry.name;
    if (zip64) {
        append_little<uint16_t>(out, zip64_extra);
        append_little<uint16_t>(out, 16);
        append_little(out, entry.size);
        append_little(out, entry.compressed_size);
    }
    file_.write(out);
}

void ZipWriter::write_directory_record(const ZipEntry& entry) {
    bool zip64 = needs_zip64(entry);
    std::string out;
    append_little(out, directory_mark);
    append_little<uint16_t>(out, (3 << 8) | version_zip64);  // made on Unix
    append_common(out, entry, zip64, zip64 ? 28 : 0);
    append_little<uint16_t>(out, 0);               // comment
    append_little<uint16_t>(out, 0);               // volume
    append_little<uint16_t>(out, 0);               // internal attributes
    append_little<uint32_t>(out, 0100644u << 16);  // a regular file, readable by all
    append_little<uint32_t>(out, zip64 ? in_zip64 : static_cast<uint32_t>(entry.header_place));
    out += entry.name;
    if (zip64) {
        append_little<uint16_t>(out, zip64_extra);
        append_little<uint16_t>(out, 24);
        append_little(out, entry.size);
        append_little(out, entry.compressed_size);
        append_little(out, entry.header_place);
    }
    file_.write(out);
}

void ZipWriter::add(const std::string& name, std::span<const std::string_view> parts) {
    if (name.size() > 0xffff)
        fail(ErrorKind::Value, "a name in a zip archive has at most 65535 bytes, not ",
             name.size());
    std::string compressed;
    ZipEntry entry{.name = name,
                   .header_place = file_.position(),
                   .crc = checksum(parts),
                   .method = compress_ ? deflated : stored};
    for (auto part : parts) entry.size += part.size();
    if (compress_) compressed = deflate_parts(parts);
    entry.compressed_size = compress_ ? compressed.size() : entry.size;
    write_local_header(entry);
    if (compress_)
        file_.write(compressed);
    else
        for (auto part : parts) file_.write(part);
    entries_.push_back(std::move(entry));
}

void ZipWriter::commit() {
    uint64_t place = file_.position();
    for (const auto& entry : entries_) write_directory_record(entry);
    uint64_t end = file_.position(), size = end - place, count = entries_.size();
    bool zip64 = count >= 0xffff || size >= zip64_from_ || place >= zip64_from_;
    std::string out;
    if (zip64) {
        append_little(out, end64_mark);
        append_little<uint64_t>(out, end64_bytes - 12);
        append_little<uint16_t>(out, (3 << 8) | version_zip64);
        append_little<uint16_t>(out, version_zip64);
        append_little<uint64_t>(out, 0);  // this volume and the directory's
        append_little(out, count);
        append_little(out, count);
        append_little(out, size);
        append_little(out, place);
        append_little(out, locator64_mark);
        append_little<uint32_t>(out, 0);
        append_little(out, end);
        append_little<uint32_t>(out, 1);
    }
    append_little(out, end_mark);
    append_little<uint32_t>(out, 0);
    append_little<uint16_t>(out, zip64 ? 0xffff : static_cast<uint16_t>(count));
    append_little<uint16_t>(out, zip64 ? 0xffff : static_cast<uint16_t>(count));
    append_little<uint32_t>(out, zip64 ? in_zip64 : static_cast<uint32_t>(size));
    append_little<uint32_t>(out, zip64 ? in_zip64 : static_cast<uint32_t>(place));
    append_little<uint16_t>(out, 0);
    file_.write(out);
    file_.commit();
}

}  // namespace croton
