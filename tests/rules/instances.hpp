#pragma once
// Instances of the left sides of rows: graphs that a row fires on. The matrix judges them, the page
// of rules shows them.
//
// They are built from the row itself: each wildcard becomes a leaf of every sort, in turn and
// mixed, until the row's own matcher says yes. Where that cannot work (sizes that have to fit) an
// instance is written by hand (instances.cpp).
#include <functional>
#include <string>
#include <vector>

#include "croton/rewrite/rule.hpp"

namespace croton::test {

struct Row {
    std::string table;
    const rewrite::Rule* rule;
};
/// The rows of all tables, in order.
std::vector<Row> all_rows();
/// The name under which row number `place` is tested: "12_algebra_negated_twice".
std::string test_name(const Row& row, size_t place);

/// A left side and what the row makes of it. `wide` is the left side with float64 leaves in the
/// place of float32 ones, or null.
struct Fired {
    Variable before, after, wide;
};

/// What is told of each instance.
struct Seen {
    /// False: that was enough.
    std::function<bool(const Fired&)> fired;
    /// The right side cannot be built, and why.
    std::function<void(const std::string&)> broken;
};
void for_each_instance(const rewrite::Rule& rule, const Seen& seen);

/// Names that special instances and domains are given for; each must name a row.
std::vector<std::string> rows_with_instances_by_hand();

}  // namespace croton::test
