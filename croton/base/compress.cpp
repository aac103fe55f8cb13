#include "croton/base/compress.hpp"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "croton/base/error.hpp"

namespace croton {

namespace {
constexpr size_t chunk_bytes = 1 << 18;
constexpr int raw_window = -15, gzip_window = 15 + 16;
}  // namespace

struct ByteStream::Inflater {
    z_stream stream{};
    std::vector<unsigned char> chunk = std::vector<unsigned char>(chunk_bytes);
    bool finished = false;
    explicit Inflater(Coding coding) {
        if (inflateInit2(&stream, coding == Coding::Gzip ? gzip_window : raw_window) != Z_OK)
            fail(ErrorKind::Device, "out of memory for decompression");
    }
    ~Inflater() { inflateEnd(&stream); }
};

ByteStream::ByteStream(const InputFile& file, Coding coding, uint64_t place, uint64_t count)
    : file_(file), coding_(coding), place_(place), end_(place + count) {
    if (coding != Coding::Plain) inflater_ = std::make_unique<Inflater>(coding);
}

ByteStream::~ByteStream() = default;

size_t ByteStream::read(void* to, size_t count) {
    return coding_ == Coding::Plain ? read_plain(to, count) : read_inflated(to, count);
}

size_t ByteStream::read_plain(void* to, size_t count) {
    size_t wanted = static_cast<size_t>(std::min<uint64_t>(count, end_ - place_));
    size_t got = file_.read_some(place_, to, wanted);
    place_ += got;
    return got;
}

bool ByteStream::refill() {
    auto& stream = inflater_->stream;
    if (stream.avail_in > 0) return true;
    size_t got = read_plain(inflater_->chunk.data(), inflater_->chunk.size());
    stream.next_in = inflater_->chunk.data();
    stream.avail_in = static_cast<uInt>(got);
    return got > 0;
}

void ByteStream::end_of_member() {
    if (coding_ == Coding::Gzip && refill())
        inflateReset(&inflater_->stream);  // another member follows
    else
        inflater_->finished = true;
}

size_t ByteStream::read_inflated(void* to, size_t count) {
    auto& stream = inflater_->stream;
    size_t done = 0;
    while (done < count && !inflater_->finished) {
        if (!refill())
            fail(ErrorKind::Io, file_.path().string(),
                 " is truncated: its compressed data end too early, after ", done, " of ", count,
                 " bytes of the part being read");
        size_t room = std::min(count - done, chunk_bytes);
        stream.next_out = static_cast<Bytef*>(to) + done;
        stream.avail_out = static_cast<uInt>(room);
        int code = inflate(&stream, Z_NO_FLUSH);
        done += room - stream.avail_out;
        if (code == Z_STREAM_END)
            end_of_member();
        else if (code != Z_OK && code != Z_BUF_ERROR)
            fail(ErrorKind::Io, file_.path().string(), ": its compressed data are corrupt (",
                 stream.msg ? stream.msg : "zlib gives no reason", ")");
    }
    return done;
}

ByteStream open_maybe_gzip(const InputFile& file) {
    unsigned char start[2] = {};
    bool gzip = file.read_some(0, start, 2) == 2 && start[0] == 0x1f && start[1] == 0x8b;
    return ByteStream(file, gzip ? ByteStream::Coding::Gzip : ByteStream::Coding::Plain, 0,
                      file.size());
}

struct Deflater::State {
    z_stream stream{};
    Bytef chunk[1 << 15];
};

Deflater::Deflater(Coding coding) : state_(std::make_unique<State>()) {
    int window = coding == Coding::Zlib ? 15 : raw_window;
    if (deflateInit2(&state_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        fail(ErrorKind::Device, "out of memory for compression");
}

Deflater::~Deflater() { deflateEnd(&state_->stream); }

void Deflater::add(std::string_view part) {
    auto& stream = state_->stream;
    while (!part.empty()) {
        auto count = static_cast<uInt>(std::min<size_t>(part.size(), 1 << 30));
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
        stream.avail_in = count;
        while (stream.avail_in > 0) step(Z_NO_FLUSH);
        part.remove_prefix(count);
    }
}

std::string Deflater::finish() {
    while (step(Z_FINISH) != Z_STREAM_END) {
    }
    return std::move(result_);
}

int Deflater::step(int flush) {
    auto& stream = state_->stream;
    stream.next_out = state_->chunk;
    stream.avail_out = sizeof state_->chunk;
    int code = deflate(&stream, flush);
    result_.append(reinterpret_cast<char*>(state_->chunk), sizeof state_->chunk - stream.avail_out);
    return code;
}

namespace {
Bytef* bytes_of(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib only reads them
}
}  // namespace

std::string deflate_like(std::string_view text, std::string_view dictionary) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_window, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        fail(ErrorKind::Device, "out of memory for compression");
    deflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
    std::string result(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    stream.next_in = bytes_of(text);
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    deflate(&stream, Z_FINISH);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

std::optional<std::string> inflate_like(std::string_view bytes, size_t size,
                                        std::string_view dictionary) {
    z_stream stream{};
    if (inflateInit2(&stream, raw_window) != Z_OK) return {};
    inflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
    std::string result(size, '\0');
    stream.next_in = bytes_of(bytes);
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(size);
    bool complete = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size;
    inflateEnd(&stream);
    return complete ? std::optional(std::move(result)) : std::nullopt;
}

uint32_t crc32_of(std::string_view bytes, uint32_t start) {
    return static_cast<uint32_t>(
        crc32_z(start, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace croton
