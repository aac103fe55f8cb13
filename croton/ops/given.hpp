#pragma once
// Attribute arguments of op functions: a value or, in a rule's pattern, a wildcard.
#include <initializer_list>
#include <limits>
#include <type_traits>
#include <utility>

#include "croton/graph/attrs.hpp"

namespace croton {

/// A value of type T, or a wildcard that binds to it.
template <class T>
class Given {
  public:
    template <class V, class = std::enable_if_t<std::is_convertible_v<V, T>>>
    Given(V value) : value_(T(std::move(value))) {}
    Given(AttrWildcard wildcard) : value_(std::move(wildcard)) {}
    operator const AttrValue&() const { return value_; }

  private:
    AttrValue value_;
};

/// The axes of a reduction: one, several, none ({}) or all of them (the default of every function).
/// In attributes "all" is the list [all_axes], since an empty list means no axes, as in NumPy; type
/// rules replace it and negative axes by the sorted list of axes, so that nodes of real graphs hold
/// neither.
class Axes {
  public:
    static constexpr int64_t all_axes = std::numeric_limits<int64_t>::min();

    template <class V, class = std::enable_if_t<std::is_integral_v<V>>>
    Axes(V axis) : value_(Ints{static_cast<int64_t>(axis)}) {}
    Axes(std::initializer_list<int64_t> axes) : value_(Ints(axes)) {}
    Axes(Ints axes) : value_(std::move(axes)) {}
    Axes(AttrWildcard wildcard) : value_(std::move(wildcard)) {}
    static Axes all() { return {all_axes}; }
    operator const AttrValue&() const { return value_; }

  private:
    AttrValue value_;
};

}  // namespace croton
