#include "croton/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "croton/base/error.hpp"

namespace croton {

namespace fs = std::filesystem;

namespace {
constexpr size_t buffer_bytes = 1 << 16;
/// Linux moves at most this much in one call.
constexpr size_t largest_transfer = 1 << 30;

std::string reason(int code) { return std::generic_category().message(code); }

/// Where `path` leads through symbolic links, also when the last target does not exist yet.
fs::path follow_links(fs::path path) {
    for (int steps = 0; steps < 40; ++steps) {
        std::error_code none;
        if (!fs::is_symlink(fs::symlink_status(path, none))) return path;
        fs::path target = fs::read_symlink(path, none);
        if (none) return path;
        path = target.is_absolute() ? target : path.parent_path() / target;
    }
    return path;
}

fs::path temporary_name(const fs::path& target) {
    static std::atomic<uint64_t> counter{0};
    return target.parent_path() / cat(".croton-", ::getpid(), "-", counter++, ".tmp");
}
}  // namespace

InputFile::InputFile(fs::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(ErrorKind::Io, "cannot open ", path_.string(), ": ", reason(errno));
    struct stat info;
    const char* trouble = nullptr;
    if (::fstat(descriptor_, &info) != 0)
        trouble = "cannot be examined";
    else if (!S_ISREG(info.st_mode))
        trouble = S_ISDIR(info.st_mode) ? "is a folder" : "is not a regular file";
    if (trouble) {
        ::close(descriptor_);
        fail(ErrorKind::Io, "cannot read ", path_.string(), ": it ", trouble);
    }
    size_ = static_cast<uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::read_some(uint64_t place, void* to, size_t count) const {
    size_t done = 0;
    while (done < count) {
        auto got =
            ::pread(descriptor_, static_cast<char*>(to) + done,
                    std::min(count - done, largest_transfer), static_cast<off_t>(place + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(ErrorKind::Io, "cannot read ", path_.string(), ": ", reason(errno));
        if (got == 0) break;
        done += static_cast<size_t>(got);
    }
    return done;
}

void InputFile::read(uint64_t place, void* to, size_t count) const {
    size_t got = read_some(place, to, count);
    if (got != count)
        fail(ErrorKind::Io, path_.string(), " is truncated: ", count,
             " bytes were expected from byte ", place, ", but ", got, " are there");
}

std::string read_file(const fs::path& path) {
    InputFile file(path);
    std::string contents(file.size(), '\0');
    file.read(0, contents.data(), contents.size());
    return contents;
}

AtomicFile::AtomicFile(const fs::path& path)
    : path_(path), target_(follow_links(path)), temporary_(temporary_name(target_)) {
    struct stat old;
    bool replaces = ::stat(target_.c_str(), &old) == 0;
    if (replaces && !S_ISREG(old.st_mode))
        fail(ErrorKind::Io, "cannot write ", path_.string(), ": it is ",
             S_ISDIR(old.st_mode) ? "a folder" : "not a regular file");
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail_writing(errno);
    // Keeping the old permissions is a courtesy: a file system without them is no reason to fail.
    if (replaces && ::fchmod(descriptor_, old.st_mode & 07777) != 0) errno = 0;
}

AtomicFile::~AtomicFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
}

void AtomicFile::fail_writing(int code) const {
    fail(ErrorKind::Io, "cannot write ", path_.string(), ": ", reason(code));
}

void AtomicFile::put(const char* data, size_t count) {
    while (count > 0) {
        auto done = ::write(descriptor_, data, std::min(count, largest_transfer));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail_writing(errno);
        data += done;
        count -= static_cast<size_t>(done);
    }
}

void AtomicFile::write(const void* data, size_t count) {
    position_ += count;
    auto bytes = static_cast<const char*>(data);
    if (buffer_.size() + count <= buffer_bytes) {
        buffer_.append(bytes, count);
        return;
    }
    put(buffer_.data(), buffer_.size());
    buffer_.clear();
    put(bytes, count);
}

void AtomicFile::commit() {
    put(buffer_.data(), buffer_.size());
    buffer_.clear();
    // Some file systems do not offer synchronisation (EINVAL); any other answer is a real failure.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) fail_writing(errno);
    int closed = ::close(std::exchange(descriptor_, -1));
    if (closed != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) {
        int code = errno;
        ::unlink(temporary_.c_str());
        fail_writing(code);
    }
}

void write_file(const fs::path& path, std::string_view contents) {
    AtomicFile file(path);
    file.write(contents);
    file.commit();
}

}  // namespace croton
