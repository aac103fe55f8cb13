#pragma once
// JSON (RFC 8259), strict: duplicate names, comments, trailing commas, lone surrogates and text
// that is not UTF-8 are errors. Whole numbers stay exact as far as int64_t goes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace croton {

class Json {
  public:
    using List = std::vector<Json>;
    /// Members in the order of the text.
    using Object = std::vector<std::pair<std::string, Json>>;

    Json() = default;  ///< null
    Json(bool value) : value_(value) {}
    Json(int value) : value_(int64_t{value}) {}
    Json(int64_t value) : value_(value) {}
    Json(double value) : value_(value) {}
    Json(const char* text) : value_(std::string(text)) {}
    Json(std::string text) : value_(std::move(text)) {}
    Json(List items) : value_(std::move(items)) {}
    Json(Object members) : value_(std::move(members)) {}

    /// Reads one value that fills the text. Value error, naming the byte, otherwise. Values may be
    /// nested 200 deep.
    static Json parse(std::string_view text);
    /// Without spaces. Value error for NaN and infinities, which JSON lacks, and for text that is
    /// not UTF-8.
    std::string text() const;

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
    /// Each gives the value, or a Value error that says what was expected and found.
    bool as_bool() const { return get<bool>("true or false"); }
    int64_t as_integer() const { return get<int64_t>("a whole number"); }
    double as_number() const;
    const std::string& as_text() const { return get<std::string>("a text"); }
    const List& as_list() const { return get<List>("a list"); }
    const Object& as_object() const { return get<Object>("an object"); }
    /// The member of that name, or nullptr. Value error if this is no object.
    const Json* find(std::string_view name) const;
    /// "null", "a text", ... for messages.
    std::string_view kind() const;

    friend bool operator==(const Json&, const Json&) = default;

  private:
    template <class T>
    const T& get(std::string_view expected) const {
        if (auto value = std::get_if<T>(&value_)) return *value;
        fail_kind(expected);
    }
    [[noreturn]] void fail_kind(std::string_view expected) const;
    void write(std::string& out) const;

    std::variant<std::nullptr_t, bool, int64_t, double, std::string, List, Object> value_ = nullptr;
};

/// Whether a text is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

}  // namespace croton
