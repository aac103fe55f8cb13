#pragma once
// The rule tables, one function a table, each defined in its family's file. Rows run in the order
// of the pipeline (compile/pipeline.cpp); within a table the first row that matches wins.
#include "croton/rewrite/rule.hpp"

namespace croton::rules {

const rewrite::Rules& algebra();     ///< sums, products, powers, cancellation, casts, choices
const rewrite::Rules& functions();   ///< symmetries, inverses and ranges of functions of one value
const rewrite::Rules& logic();       ///< comparisons, bits, choices
const rewrite::Rules& stability();   ///< softmax, log, exp, sigmoid: right numbers at the edges
const rewrite::Rules& shape();       ///< views, broadcasts, sizes without values
const rewrite::Rules& index();       ///< subtensors, updates of parts, joins
const rewrite::Rules& reduce();      ///< reductions
const rewrite::Rules& linalg();      ///< products, BLAS forms
const rewrite::Rules& specialise();  ///< last forms, which other rules would not recognise

/// Rules that no pattern can say (any number of inputs, any op of a kind).
const std::vector<rewrite::NodeRule>& node_rules();
/// The one that tables count on: a constant stands behind what it is added to or multiplies.
const rewrite::NodeRule& constants_last();

/// Every table by name, for the catalogue and the tests that run over all rows.
const std::vector<std::pair<std::string_view, const rewrite::Rules*>>& all_tables();

}  // namespace croton::rules
