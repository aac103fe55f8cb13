#pragma once
// What computing an element costs beside keeping it, in additions: the constants that decide what
// is computed anew and what is kept.
#include "croton/graph/op.hpp"
#include "croton/graph/variable.hpp"

namespace croton::compile {

/// A function (exp, sin, ...). An element's store and load once it has left the cache, or its
/// place in a row of working memory, cost about as much.
inline constexpr int cost_of_function = 12, cost_of_keeping = 12;

/// Of one element of an elementwise, reduce or indexed node; views cost nothing.
int cost_of_element(const Node& node);

}  // namespace croton::compile
