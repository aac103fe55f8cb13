#include "croton/base/json.hpp"

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "croton/base/error.hpp"

namespace croton {

namespace {
constexpr int deepest = 200;

/// Length of the UTF-8 character at the start of a text, 0 if it is malformed.
size_t utf8_length(std::string_view text) {
    auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char first = byte(0);
    if (first < 0x80) return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    // Overlong forms, surrogates and numbers beyond U+10FFFF show in the second byte.
    bool wrong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                 (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
    return wrong ? 0 : length;
}

void append_utf8(std::string& out, uint32_t code) {
    auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        put(0x80 | (code & 63));
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 63));
        put(0x80 | (code & 63));
    } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 63));
        put(0x80 | (code >> 6 & 63));
        put(0x80 | (code & 63));
    }
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Json parse() {
        Json result = value(0);
        skip_space();
        if (at_ < text_.size()) wrong("the text should end here");
        return result;
    }

  private:
    [[noreturn]] void wrong(std::string_view what) const {
        fail(ErrorKind::Value, "JSON: ", what, " (byte ", at_, " of ", text_.size(), ")");
    }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool accept(char c) {
        if (peek() != c || at_ >= text_.size()) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        skip_space();
        if (!accept(c)) wrong(cat("'", c, "' was expected"));
    }
    void skip_space() {
        while (at_ < text_.size() &&
               std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }
    bool accept_word(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }

    Json value(int depth) {
        if (depth > deepest) wrong(cat("values are nested more than ", deepest, " deep"));
        skip_space();
        char c = peek();
        if (c == '{') return object(depth);
        if (c == '[') return list(depth);
        if (c == '"') return string();
        if (c == '-' || (c >= '0' && c <= '9')) return number();
        if (accept_word("true")) return true;
        if (accept_word("false")) return false;
        if (accept_word("null")) return {};
        wrong("a value was expected");
    }

    Json object(int depth) {
        expect('{');
        Json::Object members;
        std::unordered_set<std::string> names;
        skip_space();
        if (accept('}')) return members;
        do {
            skip_space();
            if (peek() != '"') wrong("a name in quotes was expected");
            std::string name = string();
            if (!names.insert(name).second) wrong(cat("the name '", name, "' is there twice"));
            expect(':');
            members.emplace_back(std::move(name), value(depth + 1));
            skip_space();
        } while (accept(','));
        expect('}');
        return members;
    }

    Json list(int depth) {
        expect('[');
        Json::List items;
        skip_space();
        if (accept(']')) return items;
        do {
            items.push_back(value(depth + 1));
            skip_space();
        } while (accept(','));
        expect(']');
        return items;
    }

    size_t digits() {
        size_t start = at_;
        while (peek() >= '0' && peek() <= '9') ++at_;
        if (at_ == start) wrong("a digit was expected");
        return at_ - start;
    }

    Json number() {
        size_t start = at_;
        accept('-');
        bool zero = peek() == '0';
        if (digits() > 1 && zero) wrong("a number starts with a needless zero");
        bool whole = true;
        if (accept('.')) {
            whole = false;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            whole = false;
            ++at_;
            if (!accept('+')) accept('-');
            digits();
        }
        std::string_view shown = text_.substr(start, at_ - start);
        const char *first = shown.data(), *last = first + shown.size();
        int64_t integer = 0;
        if (whole && std::from_chars(first, last, integer).ec == std::errc()) return integer;
        double real = 0;
        if (std::from_chars(first, last, real).ec != std::errc())
            wrong(cat("the number ", shown, " does not fit a double"));
        return real;
    }

    uint32_t hex4() {
        uint32_t code = 0;
        if (text_.size() - at_ < 4) wrong("four hexadecimal digits were expected");
        auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
        if (error != std::errc() || end != text_.data() + at_ + 4)
            wrong("four hexadecimal digits were expected");
        at_ += 4;
        return code;
    }

    uint32_t unicode_escape() {
        uint32_t code = hex4();
        if (code >= 0xdc00 && code < 0xe000) wrong("half a surrogate pair");
        if (code < 0xd800 || code >= 0xe000) return code;
        if (!accept_word("\\u")) wrong("half a surrogate pair");
        uint32_t low = hex4();
        if (low < 0xdc00 || low >= 0xe000) wrong("half a surrogate pair");
        return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }

    void escape(std::string& out) {
        char c = peek();
        ++at_;
        switch (c) {
            case '"':
            case '\\':
            case '/': out += c; break;
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': append_utf8(out, unicode_escape()); break;
            default: --at_; wrong("an unknown escape");
        }
    }

    std::string string() {
        expect('"');
        std::string out;
        while (!accept('"')) {
            if (at_ >= text_.size()) wrong("a text does not end");
            if (accept('\\')) {
                escape(out);
                continue;
            }
            if (static_cast<unsigned char>(peek()) < ' ') wrong("a bare control character");
            size_t length = utf8_length(text_.substr(at_));
            if (length == 0) wrong("bytes that are not UTF-8");
            out += text_.substr(at_, length);
            at_ += length;
        }
        return out;
    }

    std::string_view text_;
    size_t at_ = 0;
};

void write_text(std::string& out, const std::string& text) {
    if (!is_utf8(text)) fail(ErrorKind::Value, "JSON holds UTF-8 only; this is not: '", text, "'");
    out += '"';
    for (char c : text) {
        static constexpr char digits[] = "0123456789abcdef";
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) >= ' ') {
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += "\\u00";
            out += digits[c >> 4];
            out += digits[c & 15];
        }
    }
    out += '"';
}
}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

Json Json::parse(std::string_view text) { return Parser(text).parse(); }

std::string Json::text() const {
    std::string out;
    write(out);
    return out;
}

void Json::write(std::string& out) const {
    if (is_null()) {
        out += "null";
    } else if (auto truth = std::get_if<bool>(&value_)) {
        out += *truth ? "true" : "false";
    } else if (auto integer = std::get_if<int64_t>(&value_)) {
        out += std::to_string(*integer);
    } else if (auto real = std::get_if<double>(&value_)) {
        if (!std::isfinite(*real)) fail(ErrorKind::Value, "JSON has no ", number_text(*real));
        out += number_text(*real);
    } else if (auto text = std::get_if<std::string>(&value_)) {
        write_text(out, *text);
    } else if (auto items = std::get_if<List>(&value_)) {
        out += '[';
        for (size_t i = 0; i < items->size(); ++i) {
            if (i > 0) out += ',';
            (*items)[i].write(out);
        }
        out += ']';
    } else {
        out += '{';
        bool first = true;
        for (const auto& [name, member] : std::get<Object>(value_)) {
            if (!std::exchange(first, false)) out += ',';
            write_text(out, name);
            out += ':';
            member.write(out);
        }
        out += '}';
    }
}

double Json::as_number() const {
    if (auto integer = std::get_if<int64_t>(&value_)) return static_cast<double>(*integer);
    return get<double>("a number");
}

const Json* Json::find(std::string_view name) const {
    for (const auto& [key, member] : as_object())
        if (key == name) return &member;
    return nullptr;
}

std::string_view Json::kind() const {
    static constexpr std::string_view kinds[] = {
        "null", "true or false", "a whole number", "a number", "a text", "a list", "an object"};
    return kinds[value_.index()];
}

void Json::fail_kind(std::string_view expected) const {
    fail(ErrorKind::Value, "JSON: ", expected, " was expected, not ", kind());
}

}  // namespace croton
