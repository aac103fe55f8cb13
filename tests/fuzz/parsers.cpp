#include "tests/fuzz/parsers.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "croton/base/error.hpp"
#include "croton/base/file.hpp"
#include "croton/base/format.hpp"
#include "croton/graph/attrs.hpp"
#include "croton/graph/text.hpp"
#include "croton/interop/idx.hpp"
#include "croton/interop/npy.hpp"
#include "croton/interop/safetensors.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/index_text.hpp"
#include "tests/fuzz/random_graph.hpp"

namespace croton::test {

namespace {
using Path = std::filesystem::path;

// What a reader gives is written and read again; `same` says how the two differ.
template <class Read, class Again>
std::string back_and_forth(Read read, Again again) {
    try {
        auto value = read();
        try {
            return again(value);
        } catch (const Error& error) {
            return cat("what was read is not readable when written: ", error.what());
        }
    } catch (const Error&) {
        return "";
    }
}

std::string read_graph(std::string_view text) {
    ParseOptions options;
    options.find_op = [](std::string_view name) { return find_op(name); };
    return back_and_forth([&] { return parse_graph(text, options); },
                          [&](const ParsedGraph& graph) {
                              PrintOptions all = {.inputs = graph.inputs, .name = graph.name};
                              all.shared_values = true;
                              auto again = parse_graph(print(graph.outputs, all), options);
                              return graph_difference(graph.outputs, again.outputs, graph.inputs,
                                                      again.inputs);
                          });
}

std::string read_kernel(std::string_view text) {
    return back_and_forth([&] { return kernel::parse(text); },
                          [](const kernel::Kernel& k) -> std::string {
                              std::string written = kernel::print(k);
                              return kernel::print(kernel::parse(written)) == written
                                         ? ""
                                         : "another kernel: " + written;
                          });
}

// Of readers of a word or two: their texts are the same once written.
template <class Parse, class Text>
std::string read_word(std::string_view word, Parse parse, Text text) {
    return back_and_forth([&] { return parse(word); },
                          [&](const auto& value) -> std::string {
                              std::string written = text(value);
                              return text(parse(written)) == written ? "" : "another: " + written;
                          });
}
std::string read_type(std::string_view word) {
    return read_word(word, parse_type, [](const TensorType& t) { return t.text(); });
}
std::string read_attr(std::string_view word) { return read_word(word, parse_attr, attr_text); }
std::string read_index(std::string_view word) { return read_word(word, parse_index, index_text); }

// --- files

Path file() {
    static const Path path = [] {
        Path memory = "/dev/shm";  // disks wait for what replaces a file
        Path folder =
            (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
            cat("croton-parsers-", getpid());
        std::filesystem::create_directories(folder);
        return folder / "file";
    }();
    return path;
}
Path holding(std::string_view bytes) {
    std::ofstream(file(), std::ios::binary) << bytes;
    return file();
}

bool same(const Array& a, const Array& b) { return a.identical(b); }
template <class Map>
bool same_arrays(const Map& a, const Map& b) {
    if (a.size() != b.size()) return false;
    for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j)
        if (i->first != j->first || !same(i->second, j->second)) return false;
    return true;
}

std::string read_npy(std::string_view bytes) {
    Path path = holding(bytes);
    return back_and_forth([&] { return load_npy(path); },
                          [&](const Array& array) -> std::string {
                              save_npy(path, array);
                              return same(array, load_npy(path)) ? "" : "another array";
                          });
}
std::string read_npz(std::string_view bytes) {
    Path path = holding(bytes);
    return back_and_forth([&] { return load_npz(path); },
                          [&](const std::map<std::string, Array>& arrays) -> std::string {
                              save_npz(path, arrays);
                              return same_arrays(arrays, load_npz(path)) ? "" : "other arrays";
                          });
}
std::string read_safetensors(std::string_view bytes) {
    Path path = holding(bytes);
    return back_and_forth(
        [&] { return load_safetensors(path); },
        [&](const Safetensors& found) -> std::string {
            save_safetensors(path, found.arrays, found.metadata);
            return same_arrays(found.arrays, load_safetensors(path).arrays) ? "" : "other arrays";
        });
}
std::string read_images(std::string_view bytes) {
    Path path = holding(bytes);
    return back_and_forth([&] { return read_idx(path); },
                          [](const Array&) -> std::string { return ""; });
}

// --- samples

std::vector<std::string> graphs() {
    std::vector<std::string> result;
    for (uint64_t seed = 1; result.size() < 40; ++seed) {
        RandomGraph g = random_graph(seed);
        result.push_back(print(g.outputs, {.inputs = g.inputs, .name = "f"}));
    }
    result.emplace_back(
        "graph f(%0: shared f32[2] = [1,2], %w: wildcard f64[] \"a\") {\n  // a comment\n"
        "  %loss = constant f64[2] base64 \"AAAAAAAA8D8AAAAAAAAAQA==\" \"table\"\n"
        "  %2 = mul(%0, 2.5)\n  %3 = add(%2, weak u64[] 3) : f32[2] \"sum\" @ train.py:12\n"
        "  %4 = mul(%loss, %w)\n  return %3, %4\n}\n");
    return result;
}

std::vector<std::string> kernels() {
    using namespace kernel;
    Builder b("all", 2, 1);
    int x = b.input("x", DType::BFloat16, 1), t = b.table("t", DType::Complex64, 2);
    int y = b.output("y", DType::Complex128), n = b.output("n", DType::Int64);
    b.begin(SectionKind::Outer);
    Scalar i = b.index(0), size = b.size(t, 1);
    Scalar at[] = {i, size};
    Scalar z = b.load_at(t, at);
    b.begin(SectionKind::Reduce);
    Scalar best = b.accumulate(Combine::ArgMin, b.load(x));
    b.begin(SectionKind::Map);
    b.store(n, best + size);
    b.store(y, z);
    return {print(b.finish()),
            "kernel axpy rank 1 outer 0 {\n  in x: f16 broadcast 0\n  out y: f32\n  map {\n"
            "    %0 = f32 load x\n    %1 = f32 constant 2.5\n    %2 = f32 mul %0, %1\n"
            "    f32 store y %2\n  }\n}\n"};
}

template <class Save>
std::string saved(Save save) {
    save(file());
    return read_file(file());
}
const Array& numbers() {
    static const Array array =
        Array::of(std::vector<double>{1.5, -2.5, 3.0, 0.0, 1e300, -0.0}, Sizes{2, 3});
    return array;
}

std::vector<Parser> all() {
    std::map<std::string, Array> arrays = {{"w", numbers()}, {"b", numbers().cast(DType::Int8)}};
    auto npz = [&](bool compress) {
        return saved([&](const Path& p) { save_npz(p, arrays, compress); });
    };
    return {
        {"graph", graphs(), read_graph},
        {"kernel", kernels(), read_kernel},
        {"type", {"f32[?,784]", "c128[]", "bf16[a,1,?]"}, read_type},
        {"attr", {"true", "-3", "0.5", "\"text\"", "f32", "[0,1,-2]"}, read_attr},
        {"index", {"$:5, ::-1, 2, :", "@, new, -3:$:2", ""}, read_index},
        {"npy",
         {saved([](const Path& p) { save_npy(p, numbers()); }),
          saved([](const Path& p) { save_npy(p, numbers().cast(DType::Bool)); })},
         read_npy},
        {"npz", {npz(false), npz(true)}, read_npz},
        {"safetensors",
         {saved([&](const Path& p) { save_safetensors(p, arrays, {{"format", "croton"}}); })},
         read_safetensors},
        {"idx",
         {std::string("\0\0\x08\x02\0\0\0\x02\0\0\0\x03"
                      "abcdef",
                      18)},
         read_images},
    };
}

}  // namespace

const std::vector<Parser>& parsers() {
    static const std::vector<Parser> made = all();
    return made;
}

}  // namespace croton::test
