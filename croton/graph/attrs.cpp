#include "croton/graph/attrs.hpp"

#include <bit>
#include <charconv>

#include "croton/base/hash.hpp"

namespace croton {

namespace {
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (c == '\n')
            result += "\\n";
        else
            result += c;
    }
    return result + '"';
}

std::string unquoted(std::string_view text) {
    std::string result;
    for (size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] != '\\')
            result += text[i];
        else if (text[++i] == 'n')
            result += '\n';
        else
            result += text[i];
    }
    return result;
}

struct TextOf {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const {
        std::string text = number_text(value);
        bool plain = text.find_first_not_of("-0123456789") == std::string::npos;
        return plain ? text + ".0" : text;
    }
    std::string operator()(const std::string& value) const { return quoted(value); }
    std::string operator()(DType value) const { return std::string(dtype_short(value)); }
    std::string operator()(const Ints& value) const { return cat("[", join(value, ","), "]"); }
    std::string operator()(const std::shared_ptr<const Opaque>& value) const {
        return value ? cat("<", value->text(), ">") : "<none>";
    }
    std::string operator()(const AttrWildcard& value) const { return cat("?", value.name); }
};

int64_t parse_int(std::string_view text) {
    int64_t value = 0;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size())
        fail(ErrorKind::Value, "'", text, "' is not a whole number");
    return value;
}

double parse_double(std::string_view text) {
    double value = 0;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size())
        fail(ErrorKind::Value, "'", text, "' is not an attribute value");
    return value;
}

Ints parse_ints(std::string_view inside) {
    Ints result;
    while (!inside.empty()) {
        auto comma = inside.find(',');
        result.push_back(parse_int(inside.substr(0, comma)));
        if (comma == std::string_view::npos) break;
        inside.remove_prefix(comma + 1);
    }
    return result;
}
}  // namespace

std::string attr_text(const AttrValue& value) { return std::visit(TextOf{}, value); }

AttrValue parse_attr(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    if (text.empty()) fail(ErrorKind::Value, "empty attribute value");
    if (text.front() == '"' && text.size() >= 2 && text.back() == '"') return unquoted(text);
    if (text.front() == '[' && text.back() == ']')
        return parse_ints(text.substr(1, text.size() - 2));
    if (text.front() == '?') return AttrWildcard{std::string(text.substr(1))};
    if (auto dtype = dtype_from_name(text)) return *dtype;
    bool whole = text.find_first_not_of("-0123456789") == std::string_view::npos;
    if (whole) return parse_int(text);
    return parse_double(text);
}

bool attr_equal(const AttrValue& a, const AttrValue& b) {
    if (a.index() != b.index()) return false;
    if (auto opaque = std::get_if<std::shared_ptr<const Opaque>>(&a)) {
        const auto& other = std::get<std::shared_ptr<const Opaque>>(b);
        return *opaque == other || (*opaque && other && (*opaque)->equals(*other));
    }
    if (auto number = std::get_if<double>(&a))  // by bits: NaN equals itself, 0.0 is not -0.0
        return std::bit_cast<uint64_t>(*number) == std::bit_cast<uint64_t>(std::get<double>(b));
    return a == b;
}

uint64_t attr_hash(const AttrValue& value) {
    struct HashOf {
        uint64_t operator()(bool v) const { return v; }
        uint64_t operator()(int64_t v) const { return static_cast<uint64_t>(v); }
        uint64_t operator()(double v) const { return std::bit_cast<uint64_t>(v); }
        uint64_t operator()(const std::string& v) const { return hash_text(v); }
        uint64_t operator()(DType v) const { return static_cast<uint64_t>(v); }
        uint64_t operator()(const Ints& v) const { return hash_bytes(v.data(), v.size() * 8); }
        uint64_t operator()(const std::shared_ptr<const Opaque>& v) const {
            return v ? v->hash() : 0;
        }
        uint64_t operator()(const AttrWildcard& v) const { return hash_text(v.name); }
    };
    return hash_combine(value.index(), std::visit(HashOf{}, value));
}

bool Attrs::equals(const Attrs& other) const {
    if (values.size() != other.values.size()) return false;
    for (size_t i = 0; i < values.size(); ++i)
        if (!attr_equal(values[i], other.values[i])) return false;
    return true;
}

uint64_t Attrs::hash() const {
    uint64_t seed = values.size();
    for (const auto& value : values) seed = hash_combine(seed, attr_hash(value));
    return seed;
}

}  // namespace croton
