#include "croton/interop/safetensors.hpp"

#include <algorithm>

#include "croton/base/file.hpp"
#include "croton/base/json.hpp"
#include "croton/interop/byte_order.hpp"

namespace croton {

namespace {
constexpr std::string_view metadata_name = "__metadata__";
constexpr uint64_t length_bytes = 8, longest_header = 100'000'000;  // the format's own limit
constexpr size_t header_alignment = 8;

struct DTypeRow {
    std::string_view name;
    DType dtype;
};
constexpr DTypeRow dtype_rows[] = {
    {"BOOL", DType::Bool},   {"I8", DType::Int8},       {"I16", DType::Int16},
    {"I32", DType::Int32},   {"I64", DType::Int64},     {"U8", DType::UInt8},
    {"U16", DType::UInt16},  {"U32", DType::UInt32},    {"U64", DType::UInt64},
    {"F16", DType::Float16}, {"BF16", DType::BFloat16}, {"F32", DType::Float32},
    {"F64", DType::Float64}, {"C64", DType::Complex64},
};

/// One array as the header describes it.
struct Described {
    std::string name;
    DType dtype;
    Sizes shape;
    int64_t begin, end;
};

class Reader {
  public:
    explicit Reader(const std::filesystem::path& path) : file_(path), label_(path.string()) {}

    Safetensors read() {
        Json header = read_header();
        Safetensors result;
        std::vector<Described> all;
        for (const auto& [name, value] : header.as_object()) {
            if (name == metadata_name)
                for (const auto& [key, text] : object(value, name))
                    result.metadata[key] = as(text, name, &Json::as_text);
            else
                all.push_back(describe(name, value));
        }
        check_cover(all);
        for (const Described& one : all) result.arrays.emplace(one.name, read_array(one));
        return result;
    }

  private:
    template <class... Parts>
    [[noreturn]] void wrong(const Parts&... parts) const {
        fail(ErrorKind::Io, label_, " is not a whole safetensors file: ", parts...);
    }

    Json read_header() {
        if (file_.size() < length_bytes)
            wrong("it has ", file_.size(), " bytes, its header's length alone takes ",
                  length_bytes);
        uint64_t length = 0;
        file_.read(0, &length, sizeof length);
        if (length > longest_header || length > file_.size() - length_bytes)
            wrong("its header should take ", length, " bytes, but ", file_.size() - length_bytes,
                  " follow", length > longest_header ? " (the format allows 100000000)" : "");
        std::string text(length, '\0');
        file_.read(length_bytes, text.data(), text.size());
        data_ = length_bytes + length;
        if (!text.starts_with('{')) wrong("its header does not start with '{'");
        try {
            return Json::parse(text);
        } catch (const Error& error) {
            wrong("its header: ", error.what());
        }
    }

    /// A JSON value of one kind, or an error that names the array.
    template <class T>
    T as(const Json& value, const std::string& name, T (Json::*get)() const) const {
        try {
            return (value.*get)();
        } catch (const Error& error) {
            wrong("'", name, "': ", error.what());
        }
    }
    const Json::Object& object(const Json& value, const std::string& name) const {
        return as(value, name, &Json::as_object);
    }

    const Json& member(const Json& value, const std::string& name, std::string_view key) const {
        const Json* found = value.find(key);
        if (!found) wrong("array '", name, "' has no ", key);
        return *found;
    }

    std::vector<int64_t> sizes(const Json& value, const std::string& name) const {
        std::vector<int64_t> result;
        for (const Json& item : as(value, name, &Json::as_list)) {
            result.push_back(as(item, name, &Json::as_integer));
            if (result.back() < 0) wrong("array '", name, "' has the size ", result.back());
        }
        return result;
    }

    Described describe(const std::string& name, const Json& value) const {
        if (object(value, name).size() != 3)
            wrong("array '", name, "' should have dtype, shape and data_offsets only");
        Described one{name, {}, sizes(member(value, name, "shape"), name), 0, 0};
        const std::string& dtype = as(member(value, name, "dtype"), name, &Json::as_text);
        auto row = std::find_if(std::begin(dtype_rows), std::end(dtype_rows),
                                [&](const DTypeRow& r) { return r.name == dtype; });
        if (row == std::end(dtype_rows))
            fail(ErrorKind::Unsupported, label_, ": array '", name, "' holds elements of type ",
                 dtype, ", which Croton lacks");
        one.dtype = row->dtype;
        auto offsets = sizes(member(value, name, "data_offsets"), name);
        if (offsets.size() != 2 || offsets[0] > offsets[1])
            wrong("array '", name, "' should have two offsets in order");
        one.begin = offsets[0];
        one.end = offsets[1];
        auto bytes = checked_bytes(one.shape, dtype_size(one.dtype));
        if (!bytes || *bytes != one.end - one.begin)
            wrong("array '", name, "' of ", dtype, shape_text(one.shape), " has ",
                  one.end - one.begin, " bytes of data",
                  bytes ? cat(", expected ", *bytes) : std::string());
        return one;
    }

    /// The arrays, in the order of their data, must fill the file.
    void check_cover(std::vector<Described>& all) const {
        std::sort(all.begin(), all.end(), [](const Described& a, const Described& b) {
            return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
        });
        int64_t place = 0;
        for (const Described& one : all) {
            if (one.begin != place)
                wrong(one.begin < place ? "data overlap" : "a hole in the data", ": array '",
                      one.name, "' starts at ", one.begin, ", the one before it ends at ", place);
            place = one.end;
        }
        auto found = static_cast<int64_t>(file_.size() - data_);
        if (place != found)
            wrong(found < place ? "it is truncated" : "it is too long", ": its arrays take ", place,
                  " bytes, but found ", found);
    }

    Array read_array(const Described& one) const {
        Array array = Array::empty(one.dtype, one.shape);
        auto bytes = static_cast<size_t>(one.end - one.begin);
        file_.read(data_ + static_cast<uint64_t>(one.begin), array.data(), bytes);
        if (is_bool(one.dtype)) normalise_bools(array.data(), bytes);
        return array;
    }

    InputFile file_;
    std::string label_;
    uint64_t data_ = 0;
};

std::string_view name_of(DType dtype) {
    for (const DTypeRow& row : dtype_rows)
        if (row.dtype == dtype) return row.name;
    fail(ErrorKind::Unsupported, "safetensors files have no ", dtype_name(dtype),
         ": save real and imaginary parts as two arrays, or cast to complex64");
}

struct Named {
    std::string name;
    Array array;
};

std::vector<Named> in_file_order(const std::map<std::string, Array>& arrays) {
    std::vector<Named> all;
    for (const auto& [name, array] : arrays) {
        if (name == metadata_name || !is_utf8(name))
            fail(ErrorKind::Value, "an array in a safetensors file cannot have the name '", name,
                 "'");
        all.push_back({name, array.contiguous_copy()});
    }
    std::sort(all.begin(), all.end(), [](const Named& a, const Named& b) {
        int wide_a = dtype_size(a.array.dtype()), wide_b = dtype_size(b.array.dtype());
        return wide_a != wide_b ? wide_a > wide_b : a.name < b.name;
    });
    return all;
}

std::string header_of(const std::vector<Named>& all,
                      const std::map<std::string, std::string>& metadata) {
    Json::Object header;
    if (!metadata.empty()) {
        Json::Object texts;
        for (const auto& [key, text] : metadata) texts.emplace_back(key, text);
        header.emplace_back(std::string(metadata_name), std::move(texts));
    }
    int64_t place = 0;
    for (const auto& [name, array] : all) {
        Json::List shape;
        for (int64_t size : array.shape()) shape.emplace_back(size);
        Json::List offsets{place, place + array.nbytes()};
        place += array.nbytes();
        header.emplace_back(name, Json::Object{{"dtype", std::string(name_of(array.dtype()))},
                                               {"shape", std::move(shape)},
                                               {"data_offsets", std::move(offsets)}});
    }
    std::string text = Json(std::move(header)).text();
    text.append((header_alignment - text.size() % header_alignment) % header_alignment, ' ');
    if (text.size() > longest_header)
        fail(ErrorKind::Unsupported, "a safetensors header of ", text.size(),
             " bytes; the format allows ", longest_header);
    return text;
}
}  // namespace

Safetensors load_safetensors(const std::filesystem::path& path) { return Reader(path).read(); }

void save_safetensors(const std::filesystem::path& path, const std::map<std::string, Array>& arrays,
                      const std::map<std::string, std::string>& metadata) {
    std::vector<Named> all = in_file_order(arrays);
    std::string header = header_of(all, metadata), length;
    append_little<uint64_t>(length, header.size());
    AtomicFile file(path);
    file.write(length);
    file.write(header);
    for (const auto& [name, array] : all)
        file.write(array.data(), static_cast<size_t>(array.nbytes()));
    file.commit();
}

}  // namespace croton
