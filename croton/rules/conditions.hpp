#pragma once
// Conditions that several tables share.
#include "croton/base/format.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::rules {

using rewrite::Condition;
using rewrite::Match;

inline Condition integer_or_bool(std::string name) {
    return {cat(name, " is integer or bool"),
            [name](const Match& m) { return !is_continuous(m.type(name).dtype); }};
}
inline Condition is_bool_value(std::string name) {
    return {cat(name, " is bool"), [name](const Match& m) { return is_bool(m.type(name).dtype); }};
}
inline Condition not_complex(std::string name) {
    return {cat(name, " is not complex"),
            [name](const Match& m) { return !is_complex(m.type(name).dtype); }};
}
// Negation and absolute value mean what they say: unsigned integers wrap.
inline Condition signed_number(std::string name) {
    return {cat(name, " has a sign"),
            [name](const Match& m) { return !is_unsigned(m.type(name).dtype); }};
}
inline Condition rank_zero(std::string name) {
    return {cat(name, " is a scalar"), [name](const Match& m) { return m.type(name).rank() == 0; }};
}
// Two values that certainly have the same sizes.
inline Condition same_sizes(std::string a, std::string b) {
    return {cat(a, " and ", b, " have the same sizes"), [a, b](const Match& m) {
                return rewrite::certainly_same(m.type(a).dims, m.type(b).dims);
            }};
}
inline Condition constants(std::string a, std::string b) {
    return {cat(a, " and ", b, " are constants"),
            [a, b](const Match& m) { return m.constant(a) && m.constant(b); }};
}

}  // namespace croton::rules
