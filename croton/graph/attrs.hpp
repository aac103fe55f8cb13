#pragma once
// Attributes: the constants that belong to an application of an op (axes, keepdims, ...). Equality,
// hashing, text, Python keywords all derive from the record's list of attribute specifications.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "croton/base/error.hpp"
#include "croton/type/dtype.hpp"

namespace croton {

using Ints = std::vector<int64_t>;

/// Something an op carries that is neither number nor text: an inner graph, a user's op.
class Opaque {
  public:
    virtual ~Opaque() = default;
    virtual bool equals(const Opaque& other) const { return this == &other; }
    virtual uint64_t hash() const { return reinterpret_cast<uintptr_t>(this); }
    /// One word for listings.
    virtual std::string text() const = 0;
};

/// In a rule's pattern: matches any value of the attribute and binds it to `name`.
struct AttrWildcard {
    std::string name;
    friend bool operator==(const AttrWildcard&, const AttrWildcard&) = default;
};

using AttrValue = std::variant<bool, int64_t, double, std::string, DType, Ints,
                               std::shared_ptr<const Opaque>, AttrWildcard>;

/// Text that parse_attr reads back (but for opaque values): true, 3, 0.5, "text", f32, [0,1].
std::string attr_text(const AttrValue& value);
/// Value error on malformed text.
AttrValue parse_attr(std::string_view text);
bool attr_equal(const AttrValue& a, const AttrValue& b);
uint64_t attr_hash(const AttrValue& value);

/// One attribute of a record. The default also fixes the type; `required` ones have no default.
struct AttrSpec {
    std::string name;
    AttrValue default_value;
    bool required = false;
    std::string doc = {};
};

/// Values in the order of the record's specifications. Immutable once a node holds them.
struct Attrs {
    std::vector<AttrValue> values;
    bool equals(const Attrs& other) const;
    uint64_t hash() const;
};

/// What op functions pass: names with values; what is left out takes the default.
using NamedAttrs = std::vector<std::pair<std::string_view, AttrValue>>;

}  // namespace croton
