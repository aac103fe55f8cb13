#pragma once
// Gives every size a name. Two axes with the same symbol have the same size, and that is what
// fusion, memory planning and the rules about broadcasting work with.
#include "croton/graph/variable.hpp"

namespace croton::compile {

/// Sizes that a specialised program takes to be equal: axis `axis` of input `input` and the one
/// named by the other pair (or the number `other_axis` where `other_input` is -1). Checked at each
/// call; a call that breaks one runs the general program.
struct SizeAssumption {
    int input, axis, other_input, other_axis;
};

struct Specialised {
    Variables inputs;  ///< new leaves, in the order of the old ones
    Variables outputs;
    std::vector<SizeAssumption> assumptions;
};

/// Rebuilds the graph over leaves whose unknown sizes have symbols. With `assume`, two sizes that
/// meet in an elementwise op are taken to be equal where both come straight from inputs
/// (broadcasting an axis that only happens to have one element is left to the general program).
Specialised specialise(const Variables& inputs, const Variables& outputs, bool assume);

}  // namespace croton::compile
