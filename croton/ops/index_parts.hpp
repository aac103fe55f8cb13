#pragma once
// What the files of the family index tell each other.
#include "croton/graph/op.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/index_text.hpp"
#include "croton/ops/strided.hpp"

namespace croton {

const OpRecord& subtensor_op();
const OpRecord& take_op();
const OpRecord& take_along_axis_op();
Family basic_index_records();
Family gather_records();

/// "set" or "add". Value error otherwise.
Write write_mode(const std::string& mode);
inline std::string mode_text(Write mode) { return mode == Write::Set ? "set" : "add"; }
/// Input `y` made fit to be written into places of input `x`: same dtype (floats into integers and
/// complex into real are a Type error) and no more axes than `selected`, which it must broadcast
/// to.
void take_written_value(TypeContext& context, size_t x, size_t y, const Dims& selected);

}  // namespace croton
