#pragma once
// Graphs for people's eyes: a tree with one line a value, and infix formulas.
#include <string>

#include "croton/graph/op.hpp"

namespace croton {

struct ListingOptions {
    int depth = 100;          ///< deeper levels are cut, with a word saying so
    bool print_ids = true;    ///< "[C]" behind each value: a value met again shows its id only
    bool print_type = false;  ///< "f32[?,784]"
    bool print_sites = true;  ///< "train.py:12"
    bool print_attributes = true;
    bool stop_on_name = false;  ///< do not go below values that have a name
};

/// A tree: each output, its inputs below it, and so on. Each value is drawn out once and
/// mentioned afterwards. Inner graphs follow at the end.
///
///   mul [A] "loss"  train.py:43
///   ├─ sum {axes=[0]} [B]  train.py:42
///   │  └─ x [C]
///   └─ sum [B]  ···
std::string debugprint(const Variables& outputs, const ListingOptions& options = {});
std::string debugprint(const Variable& output, const ListingOptions& options = {});

struct FormulaOptions {
    /// Longer formulas end in "...": sharing makes the text of a small graph endless.
    size_t max_length = 2000;
    /// Values below the root that have a name show it instead of their expression.
    bool stop_on_name = true;
};

/// The expression as a user would write it: "log(sum(exp(x), axis=1))", "-x * (y + 2)". Leaves
/// without a name show their type, as in "<f32[?,784]>"; attributes with defaults are left out.
std::string pp(const Variable& variable, const FormulaOptions& options = {});

}  // namespace croton
