#include "croton/interop/idx.hpp"

#include <cstdlib>

#include "croton/base/compress.hpp"
#include "croton/interop/byte_order.hpp"

namespace croton {

namespace fs = std::filesystem;

namespace {
DType idx_dtype(int code, const fs::path& path) {
    switch (code) {
        case 0x08: return DType::UInt8;
        case 0x09: return DType::Int8;
        case 0x0b: return DType::Int16;
        case 0x0c: return DType::Int32;
        case 0x0d: return DType::Float32;
        case 0x0e: return DType::Float64;
        default:
            fail(ErrorKind::Io, path.string(), " is not an IDX file: element type code ", code,
                 " is none of 8, 9, 11, 12, 13, 14");
    }
}

void read_header(ByteStream& stream, void* to, size_t count, const fs::path& path) {
    size_t got = stream.read(to, count);
    if (got != count)
        fail(ErrorKind::Io, path.string(), " is not an IDX file: its header needs ", count,
             " more bytes, but ", got, " are there");
}

Sizes read_sizes(ByteStream& stream, int rank, const fs::path& path) {
    Sizes shape;
    for (int i = 0; i < rank; ++i) {
        unsigned char size[4];
        read_header(stream, size, sizeof size, path);
        shape.push_back(big_u32_at(size));
    }
    return shape;
}

/// The most that the file can hold, so that a corrupt header cannot ask for all memory: deflate
/// never shrinks data by more than 1032 to 1.
int64_t plausible_bytes(const InputFile& file) {
    return static_cast<int64_t>(file.size()) * 1032 + 1024;
}
}  // namespace

Array read_idx(const fs::path& path) {
    InputFile file(path);
    ByteStream stream = open_maybe_gzip(file);
    unsigned char magic[4];
    read_header(stream, magic, sizeof magic, path);
    if (magic[0] != 0 || magic[1] != 0)
        fail(ErrorKind::Io, path.string(),
             " is not an IDX file: it must start with two zero bytes");
    DType dtype = idx_dtype(magic[2], path);
    Sizes shape = read_sizes(stream, magic[3], path);
    auto bytes = checked_bytes(shape, dtype_size(dtype));
    if (!bytes || *bytes > plausible_bytes(file))
        fail(ErrorKind::Io, path.string(), " is truncated or corrupt: its header gives sizes ",
             shape_text(shape), " of ", dtype_name(dtype), ", more than a file of ", file.size(),
             " bytes can hold");
    Array result = Array::empty(dtype, shape);
    auto wanted = static_cast<size_t>(*bytes);
    size_t got = stream.read(result.data(), wanted);
    if (got != wanted)
        fail(ErrorKind::Io, path.string(), " is truncated: its header gives sizes ",
             shape_text(shape), " of ", dtype_name(dtype), ", which is ", wanted,
             " bytes, but found ", got);
    char extra;
    if (stream.read(&extra, 1) != 0)
        fail(ErrorKind::Io, path.string(), ": more bytes follow the ", wanted,
             " that its header gives (sizes ", shape_text(shape), " of ", dtype_name(dtype), ")");
    auto width = static_cast<size_t>(dtype_size(dtype));
    if (width > 1) swap_bytes(result.data(), wanted / width, width);
    return result;
}

namespace {
std::vector<fs::path> data_folders(const fs::path& folder) {
    if (!folder.empty()) return {folder};
    if (const char* data = std::getenv("CROTON_DATA"); data && *data)
        return {fs::path(data), fs::path(data) / "fashion-mnist"};
    return {"/usr/share/datasets/fashion-mnist", "/usr/local/share/datasets/fashion-mnist"};
}

fs::path find_data(const std::vector<fs::path>& folders, const std::string& name) {
    for (const auto& folder : folders)
        for (const char* ending : {".gz", ""}) {
            std::error_code none;
            fs::path path = folder / (name + ending);
            if (fs::exists(path, none)) return path;
        }
    fail(ErrorKind::Io, "Fashion-MNIST is not here: no ", name, ".gz in ",
         join(folders, " or ", [](const fs::path& folder) { return folder.string(); }),
         "; install Debian's or Ubuntu's package dataset-fashion-mnist (apt install "
         "dataset-fashion-mnist), or set CROTON_DATA to a folder that holds its four files");
}

void check_data(const Array& images, const Array& labels, const fs::path& path) {
    bool fits = images.dtype() == DType::UInt8 && images.rank() == 3 && images.shape(1) == 28 &&
                images.shape(2) == 28 && labels.dtype() == DType::UInt8 && labels.rank() == 1 &&
                labels.shape(0) == images.shape(0);
    if (!fits)
        fail(ErrorKind::Io, path.string(), " is not Fashion-MNIST: images ",
             dtype_name(images.dtype()), shape_text(images.shape()), " with labels ",
             dtype_name(labels.dtype()), shape_text(labels.shape()));
    auto first = labels.data_as<uint8_t>();
    for (int64_t i = 0; i < labels.size(); ++i)
        if (first[i] >= fashion_mnist_classes().size())
            fail(ErrorKind::Io, path.string(), " is not Fashion-MNIST: label ", int{first[i]},
                 " at place ", i);
}
}  // namespace

std::pair<Array, Array> fashion_mnist(std::string_view split, const fs::path& folder) {
    if (split != "train" && split != "test")
        fail(ErrorKind::Value, "Fashion-MNIST has the splits 'train' and 'test', not '", split,
             "'");
    std::string prefix = split == "train" ? "train" : "t10k";
    auto folders = data_folders(folder);
    fs::path images_path = find_data(folders, prefix + "-images-idx3-ubyte");
    Array images = read_idx(images_path);
    Array labels = read_idx(find_data(folders, prefix + "-labels-idx1-ubyte"));
    check_data(images, labels, images_path);
    return {images, labels};
}

const std::vector<std::string>& fashion_mnist_classes() {
    static const std::vector<std::string> names = {"T-shirt", "Trouser",   "Pullover", "Dress",
                                                   "Coat",    "Sandal",    "Shirt",    "Sneaker",
                                                   "Bag",     "Ankle boot"};
    return names;
}

}  // namespace croton
