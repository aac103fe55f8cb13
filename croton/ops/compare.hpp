#pragma once
// Comparisons, logic, bits and choices, element by element.
#include "croton/graph/variable.hpp"

namespace croton {

/// Comparisons give bool. C++'s == on variables asks whether both are the same
/// variable; equality of the elements is eq.
Variable lt(Arg x, Arg y);
Variable le(Arg x, Arg y);
Variable gt(Arg x, Arg y);
Variable ge(Arg x, Arg y);
Variable eq(Arg x, Arg y);
Variable ne(Arg x, Arg y);

/// Logic on any dtype (nonzero is true); gives bool.
Variable logical_and(Arg x, Arg y);
Variable logical_or(Arg x, Arg y);
Variable logical_xor(Arg x, Arg y);
Variable logical_not(Arg x);

/// Bits of integers; on bool the logical operations.
Variable bitwise_and(Arg x, Arg y);
Variable bitwise_or(Arg x, Arg y);
Variable bitwise_xor(Arg x, Arg y);
Variable invert(Arg x);
/// A count outside of 0..bits-1 gives 0; shifting a negative number right gives -1 then.
Variable left_shift(Arg x, Arg count);
Variable right_shift(Arg x, Arg count);

/// Questions about floats; integers are finite, of complex numbers both parts are asked.
Variable isnan(Arg x);
Variable isinf(Arg x);
Variable isfinite(Arg x);
/// Whether the sign is minus, that of -0.0 and NaN included.
Variable signbit(Arg x);

/// x where the condition holds, y elsewhere.
Variable where(Arg condition, Arg x, Arg y);
/// minimum(maximum(x, low), high); NaN stays.
Variable clip(Arg x, Arg low, Arg high);

// There is no operator!: `!x` asks whether the handle is null.
inline Variable operator<(Arg x, Arg y) { return lt(x, y); }
inline Variable operator<=(Arg x, Arg y) { return le(x, y); }
inline Variable operator>(Arg x, Arg y) { return gt(x, y); }
inline Variable operator>=(Arg x, Arg y) { return ge(x, y); }
inline Variable operator&(Arg x, Arg y) { return bitwise_and(x, y); }
inline Variable operator|(Arg x, Arg y) { return bitwise_or(x, y); }
inline Variable operator^(Arg x, Arg y) { return bitwise_xor(x, y); }
inline Variable operator~(Arg x) { return invert(x); }

}  // namespace croton
