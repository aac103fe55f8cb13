// Last forms: what is cheaper to compute, but would hide from other rules what it is.
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/rules/conditions.hpp"
#include "croton/rules/tables.hpp"

namespace croton::rules {

using namespace rewrite;

namespace {
// Numbers of the result's dtype from the truth itself.
const Condition truth_alone = both(is_bool_value("c"), shaped_like_result("c"));
Variable as_number(const Match& m) { return cast(m["c"], m.root_type().dtype); }
Variable as_opposite_number(const Match& m) {
    return cast(logical_not(m["c"]), m.root_type().dtype);
}
}  // namespace

const Rules& specialise() {
    static const Variable c = wildcard("c");
    static const Rules rules = {
        // A product with such a choice becomes a choice of products (stability.cpp) first.
        {"one or zero", where(c, 1, 0), as_number, truth_alone},
        {"zero or one", where(c, 0, 1), as_opposite_number, truth_alone},
    };
    return rules;
}

}  // namespace croton::rules
