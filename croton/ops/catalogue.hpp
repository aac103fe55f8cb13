#pragma once
// The list of all op records: families are listed here, ops in their family's file.
#include <string_view>
#include <vector>

#include "croton/graph/op.hpp"

namespace croton {

using Family = std::vector<const OpRecord*>;

/// Records of each family, in the order of their files.
const std::vector<std::pair<std::string_view, Family>>& catalogue();
/// The record of that name, or null.
const OpRecord* find_op(std::string_view name);

}  // namespace croton
