#pragma once
// Check mode: is what the compiled program gives what the graph means? And if not, who is guilty?
#include <span>

#include "croton/compile/build.hpp"

namespace croton::compile {

/// Compares `results` of a call with the judge's values of the unrewritten graph. Where they differ
/// by more than rounding explains, throws a Compile error that names the first rewriting step after
/// which the value is wrong (rule, file:line, before and after), or the fusion, or the kernel that
/// the back end got wrong, with the user's line. Numbers that are finite where the judge's are not
/// count as right: that is what the stability rules are for.
void check_results(const BuildRequest& request, std::span<const Array> arguments,
                   std::span<const Array> results);

/// Whether two arrays agree up to rounding of their dtype: 1e-7 of the largest magnitude involved
/// for float64, 1e-3 for float32, 5e-2 for the 16-bit floats; everything else exactly.
bool agree(const Array& expected, const Array& found);

}  // namespace croton::compile
