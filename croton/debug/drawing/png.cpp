#include <cstdlib>

#include "croton/base/compress.hpp"
#include "croton/debug/drawing/canvas.hpp"

namespace croton::drawing {

namespace {
void append_big(std::string& out, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void append_chunk(std::string& out, std::string_view type, std::string_view data) {
    append_big(out, static_cast<uint32_t>(data.size()));
    out += type;
    out += data;
    append_big(out, crc32_of(data, crc32_of(type)));
}

std::string row_bytes(const Pixels& pixels, int y) {
    std::string row;
    for (int x = 0; x < pixels.width; ++x) {
        Colour c = pixels.at(x, y);
        for (uint8_t part : {c.red, c.green, c.blue}) row += static_cast<char>(part);
    }
    return row;
}

/// Differences to the byte above (filter 2) or to the pixel on the left (filter 1), whichever is
/// smaller in sum: flat areas become zeros, which deflate well.
std::string filtered(const std::string& row, const std::string& above) {
    std::string best;
    long best_cost = -1;
    for (char filter : {1, 2}) {
        std::string out(1, filter);
        long cost = 0;
        for (size_t i = 0; i < row.size(); ++i) {
            char before = filter == 2 ? above[i] : i >= 3 ? row[i - 3] : '\0';
            auto difference = static_cast<signed char>(row[i] - before);
            cost += std::abs(difference);
            out += static_cast<char>(difference);
        }
        if (best_cost < 0 || cost < best_cost) {
            best = std::move(out);
            best_cost = cost;
        }
    }
    return best;
}
}  // namespace

std::string encode_png(const Pixels& pixels) {
    std::string header;
    append_big(header, static_cast<uint32_t>(pixels.width));
    append_big(header, static_cast<uint32_t>(pixels.height));
    header += {8, 2, 0, 0, 0};  // bits, RGB, deflate, adaptive filters, not interlaced
    Deflater deflater(Deflater::Coding::Zlib);
    std::string above(static_cast<size_t>(pixels.width) * 3, '\0');
    for (int y = 0; y < pixels.height; ++y) {
        std::string row = row_bytes(pixels, y);
        deflater.add(filtered(row, above));
        above = std::move(row);
    }
    std::string out = "\x89PNG\r\n\x1a\n";
    append_chunk(out, "IHDR", header);
    append_chunk(out, "IDAT", deflater.finish());
    append_chunk(out, "IEND", "");
    return out;
}

}  // namespace croton::drawing
