// Data files that are missing, cut, changed or something else.
#include <fstream>

#include "croton/base/compress.hpp"
#include "croton/base/file.hpp"
#include "croton/debug/drawing/figure.hpp"
#include "tests/errors/row.hpp"

namespace croton::test {

using enum ErrorKind;

namespace {
using Path = std::filesystem::path;

void put(const Path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}
// Keeps the first part of a file.
void cut(const Path& path, double part) {
    auto whole = static_cast<double>(std::filesystem::file_size(path));
    std::filesystem::resize_file(path, static_cast<uintmax_t>(whole * part));
}
// Changes the byte at that part of the file.
void flip(const Path& path, double part) {
    std::string bytes = read_file(path);
    auto place = static_cast<size_t>(static_cast<double>(bytes.size()) * part);
    bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
    put(path, bytes);
}
const std::string idx_head("\0\0\x08\x02\0\0\0\x02\0\0\0\x03", 12);  // uint8 of (2, 3)
}  // namespace

Rows file_rows() {
    return {
        {"a file that is not there",
         Io,
         [] {
             Scratch folder;
             load_npy(folder / "weights.npy");
         },
         {"weights.npy", "No such file"}},
        {"a folder instead of a file",
         Io,
         [] {
             Scratch folder;
             load_npy(folder.path());
         },
         {"croton-errors-"}},
        {"a cut npy file",
         Io,
         [] {
             Scratch folder;
             save_npy(folder / "a.npy", counting({100}));
             cut(folder / "a.npy", 0.7);
             load_npy(folder / "a.npy");
         },
         {"a.npy", "truncated", "(100,)", "float64", "800 bytes"}},
        {"an npy file cut in its header",
         Io,
         [] {
             Scratch folder;
             save_npy(folder / "a.npy", counting({1}));
             cut(folder / "a.npy", 0.3);
             load_npy(folder / "a.npy");
         },
         {"a.npy", "truncated", "header"}},
        {"an npy file of another sort",
         Io,
         [] {
             Scratch folder;
             put(folder / "a.npy", "PK\x03\x04 something else entirely");
             load_npy(folder / "a.npy");
         },
         {"a.npy", "not a .npy file", "NUMPY"}},
        {"an npy file of Python objects",
         Unsupported,
         [] {
             Scratch folder;
             std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\n";
             put(folder / "a.npy", cat(std::string("\x93NUMPY\x01\0", 8),
                                       static_cast<char>(header.size()), '\0', header));
             load_npy(folder / "a.npy");
         },
         {"a.npy", "'|O'", "pickled"}},
        {"an npy file of sizes that lie",
         Io,
         [] {
             Scratch folder;
             std::string header =
                 "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999, 9999), "
                 "}\n";
             put(folder / "a.npy", cat(std::string("\x93NUMPY\x01\0", 8),
                                       static_cast<char>(header.size()), '\0', header));
             load_npy(folder / "a.npy");
         },
         {"a.npy", "impossible", "999999999999999999"}},
        {"a cut npz file",
         Io,
         [] {
             Scratch folder;
             save_npz(folder / "a.npz", {{"w", counting({100})}}, true);
             cut(folder / "a.npz", 0.7);
             load_npz(folder / "a.npz");
         },
         {"a.npz", "not a whole zip archive"}},
        {"a changed npz file",
         Io,
         [] {
             Scratch folder;
             save_npz(folder / "a.npz", {{"w", counting({100})}});
             flip(folder / "a.npz", 0.5);
             load_npz(folder / "a.npz");
         },
         {"a.npz", "'w.npy'", "CRC-32"}},
        {"a changed compressed npz file",
         Io,
         [] {
             Scratch folder;
             save_npz(folder / "a.npz", {{"w", counting({1000})}}, true);
             flip(folder / "a.npz", 0.4);
             load_npz(folder / "a.npz");
         },
         {"a.npz", "'w.npy'"}},
        {"an npz file of another sort",
         Io,
         [] {
             Scratch folder;
             put(folder / "a.npz", "\x93NUMPY is not a zip archive, it is one array alone");
             load_npz(folder / "a.npz");
         },
         {"a.npz", "not a whole zip archive"}},
        {"a cut safetensors file",
         Io,
         [] {
             Scratch folder;
             save_safetensors(folder / "a.safetensors", {{"w", counting({100})}});
             cut(folder / "a.safetensors", 0.7);
             load_safetensors(folder / "a.safetensors");
         },
         {"a.safetensors", "not a whole safetensors file", "w"}},
        {"a safetensors file cut in its header",
         Io,
         [] {
             Scratch folder;
             save_safetensors(folder / "a.safetensors", {{"w", counting({3})}});
             cut(folder / "a.safetensors", 0.2);
             load_safetensors(folder / "a.safetensors");
         },
         {"a.safetensors", "not a whole safetensors file", "header"}},
        {"a safetensors file of another sort",
         Io,
         [] {
             Scratch folder;
             put(folder / "a.safetensors", "what is this? certainly no header of JSON");
             load_safetensors(folder / "a.safetensors");
         },
         {"a.safetensors", "not a whole safetensors file"}},
        {"complex128 in safetensors",
         Unsupported,
         [] {
             Scratch folder;
             save_safetensors(folder / "a.safetensors",
                              {{"w", Array::zeros(DType::Complex128, {3})}});
         },
         {"complex128", "two arrays"}},
        {"bfloat16 in npy",
         Unsupported,
         [] {
             Scratch folder;
             save_npy(folder / "a.npy", Array::zeros(DType::BFloat16, {3}));
         },
         {"bfloat16", "float32", "safetensors"}},
        {"a cut IDX file",
         Io,
         [] {
             Scratch folder;
             put(folder / "images", cat(idx_head, "1234"));
             read_idx(folder / "images");
         },
         {"images", "truncated", "(2, 3)", "6 bytes", "found 4"}},
        {"an IDX file with more than it says",
         Io,
         [] {
             Scratch folder;
             put(folder / "images", cat(idx_head, "1234567"));
             read_idx(folder / "images");
         },
         {"images", "more bytes", "(2, 3)"}},
        {"an IDX file cut in its header",
         Io,
         [] {
             Scratch folder;
             put(folder / "images", idx_head.substr(0, 6));
             read_idx(folder / "images");
         },
         {"images", "header"}},
        {"an IDX file of another sort",
         Io,
         [] {
             Scratch folder;
             put(folder / "images", "GIF89a and so on");
             read_idx(folder / "images");
         },
         {"images", "not an IDX file", "zero bytes"}},
        {"a cut gzip file",
         Io,
         [] {
             Scratch folder;
             // An IDX head, compressed by gzip; the last bytes (size and checksum) are missing.
             put(folder / "images.gz",
                 std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03\x63\x60\xe0\x60", 14));
             read_idx(folder / "images.gz");
         },
         {"images.gz"}},
        {"no Fashion-MNIST in the folder",
         Io,
         [] {
             Scratch folder;
             fashion_mnist("train", folder.path());
         },
         {"Fashion-MNIST", "train-images", "dataset-fashion-mnist", "CROTON_DATA"}},
        {"an unknown part of Fashion-MNIST",
         Value,
         [] { fashion_mnist("validation"); },
         {"validation", "train", "test"}},
        {"a folder that is not there",
         Io,
         [] {
             Scratch folder;
             save_npz(folder / "nowhere" / "a.npz", {{"w", counting({3})}});
         },
         {"nowhere", "No such file"}},
    };
}

}  // namespace croton::test
