#pragma once
// Conditions that several tables share.
#include <algorithm>
#include <cmath>

#include "croton/base/format.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::rules {

using rewrite::Condition;
using rewrite::Match;

inline Condition integer_or_bool(const std::string& name) {
    return {cat(name, " is integer or bool"),
            [name](const Match& m) { return !is_continuous(m.type(name).dtype); }};
}
inline Condition is_bool_value(const std::string& name) {
    return {cat(name, " is bool"), [name](const Match& m) { return is_bool(m.type(name).dtype); }};
}
inline Condition not_complex(const std::string& name) {
    return {cat(name, " is not complex"),
            [name](const Match& m) { return !is_complex(m.type(name).dtype); }};
}
// Negation and absolute value mean what they say: unsigned integers wrap.
inline Condition signed_number(const std::string& name) {
    return {cat(name, " has a sign"),
            [name](const Match& m) { return !is_unsigned(m.type(name).dtype); }};
}
inline Condition rank_zero(const std::string& name) {
    return {cat(name, " is a scalar"), [name](const Match& m) { return m.type(name).rank() == 0; }};
}
// Two values that certainly have the same sizes.
inline Condition same_sizes(const std::string& a, const std::string& b) {
    return {cat(a, " and ", b, " have the same sizes"), [a, b](const Match& m) {
                return rewrite::certainly_same(m.type(a).dims, m.type(b).dims);
            }};
}
inline Condition constants(const std::string& a, const std::string& b) {
    return {cat(a, " and ", b, " are constants"),
            [a, b](const Match& m) { return m.constant(a) && m.constant(b); }};
}
// Constants that may be added before: a large one that another nearly cancels is there to round to.
inline Condition constants_added(bool subtracted) {
    auto holds = [subtracted](const Match& m) {
        if (!m.constant("c") || !m.constant("d")) return false;
        if (!is_floating(m.root_type().dtype)) return true;
        auto c = m.number("c"), d = m.number("d");
        if (!c || !d) return false;
        constexpr double large = 65536;
        double most = std::max(std::abs(*c), std::abs(*d));
        double together = std::abs(subtracted ? *c - *d : *c + *d);
        return most < large || together >= most / 2;
    };
    return {"c and d are constants, none is large beside what they make together", holds};
}
// Constants that may be multiplied (or the first divided by the second) before: the result must be
// there in the dtype.
inline Condition constants_multiplied(bool divided) {
    auto holds = [divided](const Match& m) {
        if (!m.constant("c") || !m.constant("d")) return false;
        DType dtype = m.root_type().dtype;
        auto c = m.number("c"), d = m.number("d");
        if (!is_floating(dtype) || !c || !d) return !is_floating(dtype);
        double together = std::abs(divided ? *c / *d : *c * *d);
        bool half = dtype == DType::Float16;
        double least = half ? 1e-4 : dtype == DType::Float64 ? 1e-300 : 1e-37;
        return together >= least && together <= (half ? 1e4 : 1 / least);
    };
    return {"c and d are constants, what they make together is in the dtype's range", holds};
}
// Numbers whose sums and products are not soon out of range.
inline Condition not_half(const std::string& name) {
    return {cat(name, " has more than the range of 16 bits"),
            [name](const Match& m) { return m.type(name).dtype != DType::Float16; }};
}
// The value is no scalar or row where the result is a matrix: what is done to it is done as often.
inline Condition rank_of_result(const std::string& name) {
    return {cat(name, " has the rank of the result"),
            [name](const Match& m) { return m.type(name).rank() == m.root_type().rank(); }};
}

}  // namespace croton::rules
