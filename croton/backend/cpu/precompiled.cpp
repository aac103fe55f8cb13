#include "croton/backend/cpu/precompiled.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <compare>
#include <cstring>
#include <mutex>

#include "croton/base/build_id.hpp"
#include "croton/base/compress.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/settings.hpp"
#include "croton/version.hpp"

namespace croton::cpu {

namespace {
/// The 32 digits of a content hash as bytes.
struct Hash {
    unsigned char bytes[16];
    explicit Hash(std::string_view digits) {
        auto value = [&](size_t n) {
            char c = n < digits.size() ? digits[n] : '0';
            return c <= '9' ? c - '0' : c - 'a' + 10;
        };
        for (size_t n = 0; n < sizeof bytes; ++n)
            bytes[n] = static_cast<unsigned char>(value(2 * n) << 4 | value(2 * n + 1));
    }
    Hash() = default;
    auto operator<=>(const Hash&) const = default;
};

constexpr char magic[8] = {'C', 'R', 'O', 'T', 'O', 'N', 'K', '1'};
constexpr size_t most_content = size_t{1} << 24;
constexpr size_t most_dictionary = size_t{1} << 15;  // as far as deflate looks back

Hash made_by() { return Hash(content_hash(build_id())); }

/// With the key, so that no damaged table of entries can lead to another kernel's code.
Hash check_of(const Hash& key, std::string_view content) {
    std::string_view digits(reinterpret_cast<const char*>(key.bytes), sizeof key.bytes);
    return Hash(content_hash(cat(digits, content)));
}

std::string default_path() {
    return cat(library_folder(), "/croton-", CROTON_VERSION_MAJOR, ".", CROTON_VERSION_MINOR,
               ".kernels");
}

std::string dictionary_of(const std::map<std::string, std::string>& contents) {
    std::string result;
    for (const auto& [key, content] : contents) {
        result += content;
        if (result.size() >= most_dictionary) break;
    }
    result.resize(std::min(result.size(), most_dictionary));
    return result;
}

template <class T>
std::string_view bytes_of(const T& record) {
    return {reinterpret_cast<const char*>(&record), sizeof record};
}
}  // namespace

struct Precompiled::Header {
    char magic[8];
    uint64_t file_size;
    Hash made_by;
    uint64_t count, dictionary;  ///< of entries; of bytes behind them
};
struct Precompiled::Entry {
    Hash key, check;
    uint64_t offset;
    uint32_t stored, size;  ///< deflated bytes, and what they become
};

std::shared_ptr<const Precompiled> Precompiled::current() {
    static std::mutex mutex;
    static auto& open = *new std::pair<std::string, std::shared_ptr<const Precompiled>>;
    std::string path = settings().precompiled;
    if (path == "off") return nullptr;
    if (path.empty()) path = default_path();
    std::lock_guard lock(mutex);
    if (open.first != path) open = {path, Precompiled::open(path)};
    return open.second;
}

std::shared_ptr<const Precompiled> Precompiled::open(const std::string& path) {
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return nullptr;
    struct stat about;
    void* data = MAP_FAILED;
    if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0)
        data = ::mmap(nullptr, static_cast<size_t>(about.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    ::close(file);
    if (data == MAP_FAILED) return nullptr;
    std::shared_ptr<Precompiled> set(
        new Precompiled(static_cast<const char*>(data), static_cast<size_t>(about.st_size)));
    return set->read_header() ? set : nullptr;
}

Precompiled::~Precompiled() { ::munmap(const_cast<char*>(data_), size_); }

bool Precompiled::read_header() {
    Header header;
    if (size_ < sizeof header) return false;
    std::memcpy(&header, data_, sizeof header);
    size_t rest = size_ - sizeof header;
    if (std::memcmp(header.magic, magic, sizeof magic) != 0 || header.file_size != size_ ||
        header.made_by != made_by() || header.count > rest / sizeof(Entry) ||
        header.dictionary > rest - header.count * sizeof(Entry) ||
        header.dictionary > most_dictionary)
        return false;
    count_ = header.count;
    dictionary_ = {data_ + sizeof header + count_ * sizeof(Entry), header.dictionary};
    return true;
}

Precompiled::Entry Precompiled::entry(size_t index) const {
    Entry entry;
    std::memcpy(&entry, data_ + sizeof(Header) + index * sizeof entry, sizeof entry);
    return entry;
}

std::optional<Precompiled::Entry> Precompiled::entry_of(std::string_view digits) const {
    Hash key(digits);
    size_t low = 0, high = count_;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        (entry(middle).key < key ? low = middle + 1 : high = middle);
    }
    if (low == count_ || entry(low).key != key) return {};
    return entry(low);
}

std::optional<std::string> Precompiled::find(std::string_view key) const {
    auto found = entry_of(key);
    if (!found || found->offset > size_ || found->stored > size_ - found->offset ||
        found->size > most_content)
        return {};
    auto content = inflate_like({data_ + found->offset, found->stored}, found->size, dictionary_);
    return content && check_of(found->key, *content) == found->check ? content : std::nullopt;
}

std::string Precompiled::pack(const std::map<std::string, std::string>& contents) {
    std::string dictionary = dictionary_of(contents), table, kernels;
    size_t start = sizeof(Header) + contents.size() * sizeof(Entry) + dictionary.size();
    for (const auto& [key, content] : contents) {
        std::string stored = deflate_like(content, dictionary);
        Entry entry{.key = Hash(key),
                    .check = check_of(Hash(key), content),
                    .offset = start + kernels.size(),
                    .stored = static_cast<uint32_t>(stored.size()),
                    .size = static_cast<uint32_t>(content.size())};
        table += bytes_of(entry);
        kernels += stored;
    }
    Header header{.magic = {},
                  .file_size = start + kernels.size(),
                  .made_by = made_by(),
                  .count = contents.size(),
                  .dictionary = dictionary.size()};
    std::memcpy(header.magic, magic, sizeof magic);
    return cat(bytes_of(header), table, dictionary, kernels);
}

}  // namespace croton::cpu
