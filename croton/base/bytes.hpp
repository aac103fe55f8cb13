#pragma once
// Numbers and texts as bytes, short where they are small: what entries of the disk cache are made
// of.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace croton {

class ByteWriter {
  public:
    void byte(uint8_t value) { out_ += static_cast<char>(value); }
    void number(uint64_t value) {
        for (; value >= 128; value >>= 7) byte(static_cast<uint8_t>(value | 128));
        byte(static_cast<uint8_t>(value));
    }
    /// Small ones of both signs are short.
    void whole(int64_t value) {
        number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
    }
    void bytes(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }
    void real(double value) { bytes(&value, sizeof value); }
    void text(std::string_view text) {
        number(text.size());
        out_ += text;
    }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

/// Thrown where bytes are not what a writer wrote; whoever reads an entry catches it.
struct NotReadable {};

/// Reads what ByteWriter wrote. The bytes come from a file: nothing is believed beyond their end.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    static void require(bool condition) {
        if (!condition) throw NotReadable();
    }
    size_t left() const { return bytes_.size(); }
    std::string_view bytes(size_t size) {
        require(size <= bytes_.size());
        auto result = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return result;
    }
    uint8_t byte() { return static_cast<uint8_t>(bytes(1)[0]); }
    uint64_t number() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            uint8_t part = byte();
            value |= uint64_t{part & 127u} << shift;
            if (part < 128) return value;
        }
        throw NotReadable();
    }
    int64_t whole() {
        uint64_t value = number();
        return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
    /// A whole number within the limits.
    template <class T>
    T within(int64_t least, int64_t most) {
        int64_t value = whole();
        require(value >= least && value <= most);
        return static_cast<T>(value);
    }
    /// A number of things that take at least one byte each.
    size_t count() {
        uint64_t value = number();
        require(value <= left());
        return value;
    }
    double real() {
        double value;
        std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
        return value;
    }
    std::string_view text() { return bytes(count()); }
    /// One of so many values of an enumeration.
    template <class T>
    T one_of(int values) {
        uint8_t value = byte();
        require(value < values);
        return static_cast<T>(value);
    }
    bool flag() { return one_of<int>(2) != 0; }

  private:
    std::string_view bytes_;
};

}  // namespace croton
