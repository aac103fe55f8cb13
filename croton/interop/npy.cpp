#include "croton/interop/npy.hpp"

#include <charconv>

#include "croton/base/file.hpp"
#include "croton/interop/byte_order.hpp"
#include "croton/interop/zip.hpp"

namespace croton {

namespace {
constexpr std::string_view magic = "\x93NUMPY";
constexpr size_t prefix_v1 = 10, prefix_v2 = 12, data_alignment = 64;
constexpr size_t longest_header = 1 << 20;
constexpr size_t highest_rank = 64;

struct NpyHeader {
    DType dtype = DType::Float64;
    bool swapped = false, fortran = false;
    Sizes shape;
    int64_t bytes = 0;
};

/// Reads the Python dictionary of a header. `label` names the file in errors.
class HeaderParser {
  public:
    HeaderParser(std::string_view text, const std::string& label) : rest_(text), label_(label) {}

    NpyHeader parse() {
        expect('{');
        while (!accept('}')) {
            std::string_view key = text();
            expect(':');
            value_of(key);
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_space();
        if (!rest_.empty() || !seen_descr_ || !seen_order_ || !seen_shape_) broken();
        auto bytes = checked_bytes(header_.shape, dtype_size(header_.dtype));
        if (!bytes)
            fail(ErrorKind::Io, label_, ": its header gives the impossible shape ",
                 shape_text(header_.shape));
        header_.bytes = *bytes;
        return header_;
    }

  private:
    [[noreturn]] void broken() const {
        fail(ErrorKind::Io, label_, " is not a .npy file: its header cannot be read at '",
             rest_.substr(0, 40), "'");
    }
    void skip_space() {
        while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t'))
            rest_.remove_prefix(1);
    }
    bool accept(char c) {
        skip_space();
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!accept(c)) broken();
    }
    bool accept_word(std::string_view word) {
        skip_space();
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    std::string_view text() {
        skip_space();
        if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) broken();
        auto end = rest_.find(rest_[0], 1);
        if (end == std::string_view::npos) broken();
        std::string_view result = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return result;
    }
    int64_t whole_number() {
        skip_space();
        int64_t value = 0;
        auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (code != std::errc() || value < 0) broken();
        rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
        accept('L');  // Python 2 wrote long integers so
        return value;
    }
    void value_of(std::string_view key) {
        if (key == "descr" && !seen_descr_) {
            seen_descr_ = true;
            element_type();
        } else if (key == "fortran_order" && !seen_order_) {
            seen_order_ = true;
            header_.fortran = accept_word("True");
            if (!header_.fortran && !accept_word("False")) broken();
        } else if (key == "shape" && !seen_shape_) {
            seen_shape_ = true;
            shape();
        } else {
            broken();
        }
    }
    void shape() {
        expect('(');
        while (!accept(')')) {
            if (header_.shape.size() == highest_rank)
                fail(ErrorKind::Unsupported, label_, ": an array of more than ", highest_rank,
                     " axes");
            header_.shape.push_back(whole_number());
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
    }
    void element_type() {
        if (accept('['))
            fail(ErrorKind::Unsupported, label_,
                 " holds records (a structured dtype); save each "
                 "field as an array of its own");
        std::string_view descr = text();
        static constexpr std::pair<std::string_view, DType> rows[] = {
            {"b1", DType::Bool},      {"i1", DType::Int8},        {"i2", DType::Int16},
            {"i4", DType::Int32},     {"i8", DType::Int64},       {"u1", DType::UInt8},
            {"u2", DType::UInt16},    {"u4", DType::UInt32},      {"u8", DType::UInt64},
            {"f2", DType::Float16},   {"f4", DType::Float32},     {"f8", DType::Float64},
            {"c8", DType::Complex64}, {"c16", DType::Complex128},
        };
        bool ordered =
            !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
        for (const auto& [code, dtype] : rows)
            if (descr.substr(ordered ? 1 : 0) == code) {
                header_.dtype = dtype;
                header_.swapped = descr[0] == '>';
                return;
            }
        fail(ErrorKind::Unsupported, label_, " holds elements of NumPy's type '", descr,
             "', which Croton lacks",
             descr.find('O') != std::string_view::npos ? " (pickled Python objects)" : "");
    }

    std::string_view rest_;
    const std::string& label_;
    NpyHeader header_;
    bool seen_descr_ = false, seen_order_ = false, seen_shape_ = false;
};

/// Where the dictionary starts and how long it is, from a file's first bytes.
struct HeaderPlace {
    size_t place, size;
    size_t end() const { return place + size; }
};

HeaderPlace find_header(std::string_view start, const std::string& label) {
    if (start.size() < prefix_v1 || !start.starts_with(magic))
        fail(ErrorKind::Io, label, " is not a .npy file: it does not start with \\x93NUMPY");
    int major = static_cast<unsigned char>(start[6]);
    if (major < 1 || major > 3)
        fail(ErrorKind::Unsupported, label, " has version ", major,
             " of the .npy format; 1 to 3 are read");
    if (major == 1) return {prefix_v1, little_at<uint16_t>(start.data() + 8)};
    if (start.size() < prefix_v2) fail(ErrorKind::Io, label, " is truncated in its header");
    return {prefix_v2, little_at<uint32_t>(start.data() + 8)};
}

void check_header_size(const HeaderPlace& header, uint64_t available, const std::string& label) {
    if (header.end() > available || header.size > longest_header)
        fail(ErrorKind::Io, label, " is truncated or corrupt: its header should end at byte ",
             header.end(), " of ", available);
}

void check_data_size(const NpyHeader& header, uint64_t available, const std::string& label) {
    if (static_cast<uint64_t>(header.bytes) > available)
        fail(ErrorKind::Io, label, " is truncated: shape ", shape_text(header.shape), " of ",
             dtype_name(header.dtype), " takes ", header.bytes, " bytes, but found ", available);
}

/// The array whose elements, as the file has them, lie at `data`.
Array finish(const NpyHeader& header, void* data, std::shared_ptr<const void> owner) {
    auto bytes = static_cast<size_t>(header.bytes);
    auto width = static_cast<size_t>(dtype_size(header.dtype));
    if (is_bool(header.dtype)) normalise_bools(data, bytes);
    if (header.swapped) {
        size_t part = is_complex(header.dtype) ? width / 2 : width;
        swap_bytes(data, bytes / part, part);
    }
    Sizes shape = header.shape;
    if (header.fortran) std::reverse(shape.begin(), shape.end());
    Sizes strides = contiguous_strides(shape, static_cast<int>(width));
    if (header.fortran) std::reverse(strides.begin(), strides.end());
    return Array::view(header.dtype, header.shape, strides, data, std::move(owner));
}

/// An array from a whole .npy file in memory, which it keeps.
Array from_memory(std::shared_ptr<void> memory, size_t size, const std::string& label) {
    auto first = static_cast<char*>(memory.get());
    HeaderPlace place = find_header({first, size}, label);
    check_header_size(place, size, label);
    NpyHeader header = HeaderParser({first + place.place, place.size}, label).parse();
    check_data_size(header, size - place.end(), label);
    char* data = first + place.end();
    if (place.end() % data_alignment != 0) {  // files of old NumPys: 16
        std::memmove(first, data, static_cast<size_t>(header.bytes));
        data = first;
    }
    return finish(header, data, std::move(memory));
}

std::string element_code(DType dtype) {
    if (dtype == DType::BFloat16)
        fail(ErrorKind::Unsupported,
             "NumPy's files have no bfloat16: cast the array to float32, "
             "or save it as safetensors");
    char kind = is_bool(dtype)       ? 'b'
                : is_unsigned(dtype) ? 'u'
                : is_integer(dtype)  ? 'i'
                : is_complex(dtype)  ? 'c'
                                     : 'f';
    int size = dtype_size(dtype);
    return cat(size == 1 ? '|' : '<', kind, size);
}

/// Everything before the data: magic, version 1.0, dictionary, padding to 64 bytes.
std::string header_of(const Array& array) {
    std::string dictionary =
        cat("{'descr': '", element_code(array.dtype()),
            "', 'fortran_order': False, 'shape': ", shape_text(array.shape()), ", }");
    size_t used = prefix_v1 + dictionary.size() + 1;
    dictionary.append((data_alignment - used % data_alignment) % data_alignment, ' ');
    dictionary += '\n';
    if (dictionary.size() > 0xffff)
        fail(ErrorKind::Unsupported, "an array of ", array.rank(), " axes in a .npy file");
    std::string header = cat(magic, '\x01', '\0');
    append_little<uint16_t>(header, static_cast<uint16_t>(dictionary.size()));
    return header + dictionary;
}

std::string_view bytes_of(const Array& contiguous) {
    return {static_cast<const char*>(contiguous.data()), static_cast<size_t>(contiguous.nbytes())};
}
}  // namespace

Array load_npy(const std::filesystem::path& path) {
    InputFile file(path);
    std::string label = path.string(), start(prefix_v2, '\0');
    start.resize(file.read_some(0, start.data(), start.size()));
    HeaderPlace place = find_header(start, label);
    check_header_size(place, file.size(), label);
    std::string text(place.size, '\0');
    file.read(place.place, text.data(), text.size());
    NpyHeader header = HeaderParser(text, label).parse();
    check_data_size(header, file.size() - place.end(), label);
    auto memory = allocate_aligned(static_cast<size_t>(header.bytes));
    file.read(place.end(), memory.get(), static_cast<size_t>(header.bytes));
    return finish(header, memory.get(), memory);
}

void save_npy(const std::filesystem::path& path, const Array& array) {
    std::string header = header_of(array);
    Array contiguous = array.contiguous_copy();
    AtomicFile file(path);
    file.write(header);
    file.write(bytes_of(contiguous));
    file.commit();
}

std::map<std::string, Array> load_npz(const std::filesystem::path& path) {
    ZipReader zip(path);
    std::map<std::string, Array> arrays;
    for (const auto& entry : zip.entries()) {
        std::string label = cat(path.string(), ", entry '", entry.name, "'");
        if (!entry.name.ends_with(".npy"))
            fail(ErrorKind::Unsupported, label, ": only arrays (.npy) are read");
        auto memory = allocate_aligned(entry.size);
        zip.read(entry, memory.get());
        Array array = from_memory(std::move(memory), entry.size, label);
        auto name = entry.name.substr(0, entry.name.size() - 4);
        if (!arrays.emplace(std::move(name), std::move(array)).second)
            fail(ErrorKind::Io, label, " is there twice");
    }
    return arrays;
}

void save_npz(const std::filesystem::path& path, const std::map<std::string, Array>& arrays,
              bool compress) {
    ZipWriter zip(path, compress);
    for (const auto& [name, array] : arrays) {
        Array contiguous = array.contiguous_copy();
        std::string header = header_of(contiguous);
        const std::string_view parts[] = {header, bytes_of(contiguous)};
        zip.add(name + ".npy", parts);
    }
    zip.commit();
}

}  // namespace croton
