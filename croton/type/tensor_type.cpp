#include "croton/type/tensor_type.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cctype>
#include <charconv>
#include <map>
#include <mutex>

#include "croton/base/error.hpp"

namespace croton {

namespace {
// Symbols are numbered from -2 downwards; names of anonymous ones are made from the number.
struct SymbolTable {
    std::mutex mutex;
    std::map<std::string, int64_t, std::less<>> codes;
    std::map<int64_t, std::string> names;
    std::atomic<int64_t> next{-2};
};
SymbolTable& symbols() {
    static auto& table = *new SymbolTable;
    return table;
}
Dim dim_of_code(int64_t code) { return std::bit_cast<Dim>(code); }
}  // namespace

Dim Dim::symbol(std::string_view name) {
    auto& table = symbols();
    std::lock_guard lock(table.mutex);
    auto found = table.codes.find(name);
    if (found != table.codes.end()) return dim_of_code(found->second);
    int64_t code = table.next--;
    table.codes.emplace(name, code);
    table.names.emplace(code, name);
    return dim_of_code(code);
}

Dim Dim::fresh() { return dim_of_code(symbols().next--); }

std::string Dim::text() const {
    if (known()) return std::to_string(code_);
    if (unknown()) return "?";
    auto& table = symbols();
    std::lock_guard lock(table.mutex);
    auto found = table.names.find(code_);
    return found != table.names.end() ? found->second : cat("n", -code_);
}

std::string TensorType::text() const {
    return cat(dtype_short(dtype), "[", join(dims, ",", [](Dim d) { return d.text(); }), "]");
}

uint64_t TensorType::hash() const {
    uint64_t seed = static_cast<uint64_t>(dtype) + 17;
    for (Dim dim : dims) seed = hash_combine(seed, static_cast<uint64_t>(dim.code()));
    return seed;
}

TensorType tensor_type(DType dtype, int rank) {
    return {dtype, Dims(static_cast<size_t>(rank), Dim())};
}

namespace {
Dim parse_dim(std::string_view text, std::string_view whole) {
    if (text == "?") return Dim();
    if (text.empty()) fail(ErrorKind::Value, "empty size in type '", whole, "'");
    if (text[0] >= '0' && text[0] <= '9') {
        int64_t size = 0;
        auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), size);
        if (code != std::errc() || end != text.data() + text.size())
            fail(ErrorKind::Value, "bad size '", text, "' in type '", whole, "'");
        return Dim(size);
    }
    auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    if (!std::all_of(text.begin(), text.end(), part))
        fail(ErrorKind::Value, "bad size '", text, "' in type '", whole,
             "': a size is a number, ? or a name");
    return Dim::symbol(text);
}

std::string known_dtypes() {
    std::string names;
    for (int i = 0; i < dtype_count; ++i)
        names += cat(i ? ", " : "", dtype_short(static_cast<DType>(i)));
    return names;
}
}  // namespace

TensorType parse_type(std::string_view text) {
    auto open = text.find('[');
    if (open == std::string_view::npos || text.back() != ']')
        fail(ErrorKind::Value, "a type looks like f32[?,784], not '", text, "'");
    auto dtype = dtype_from_name(text.substr(0, open));
    if (!dtype)
        fail(ErrorKind::Value, "unknown dtype '", text.substr(0, open), "' in '", text,
             "'; known are: ", known_dtypes());
    TensorType type{*dtype, {}};
    auto inside = text.substr(open + 1, text.size() - open - 2);
    while (!inside.empty()) {
        auto comma = inside.find(',');
        type.dims.push_back(parse_dim(inside.substr(0, comma), text));
        if (comma == std::string_view::npos) break;
        inside.remove_prefix(comma + 1);
    }
    return type;
}

Dim broadcast_dim(Dim a, Dim b, int axis) {
    if (a.is_one()) return b;
    if (b.is_one()) return a;
    if (a == b) return a;
    if (a.known() && b.known())
        fail(ErrorKind::Shape, "sizes ", a.size(), " and ", b.size(), " do not broadcast in axis ",
             axis);
    if (a.known()) return a;  // the other is this size or 1: the result has it either way
    if (b.known()) return b;
    return Dim();
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
    size_t rank = std::max(a.size(), b.size());
    Dims result(rank, Dim());
    for (size_t i = 0; i < rank; ++i) {
        bool in_a = i + a.size() >= rank, in_b = i + b.size() >= rank;
        Dim from_a = in_a ? a[i + a.size() - rank] : Dim(1);
        Dim from_b = in_b ? b[i + b.size() - rank] : Dim(1);
        result[i] = broadcast_dim(from_a, from_b, static_cast<int>(i));
    }
    return result;
}

int normalize_axis(int64_t axis, int rank, std::string_view what) {
    int64_t result = axis < 0 ? axis + rank : axis;
    if (result < 0 || result >= rank)
        fail(ErrorKind::Index, what, ": axis ", axis, " is out of bounds for an array of rank ",
             rank);
    return static_cast<int>(result);
}

}  // namespace croton
