#pragma once
// Numbers and arrays in the graph's text form: exact both ways.
#include <string>
#include <string_view>

#include "croton/type/array.hpp"

namespace croton::text {

/// Element `index` of contiguous memory: "3", "0.1", "true", "(1,-0.5)", "nan:7fc00001".
std::string element_text(DType dtype, const void* data, int64_t index);
/// Reads element_text's output into element `index`; false if it is not a number of that dtype.
bool parse_element(std::string_view text, DType dtype, void* data, int64_t index);

/// Elements in C order as nested lists: "[[1,2],[3,4]]"; a scalar has no brackets.
std::string array_text(const Array& array);
/// How many of the innermost axes begin at element `index` of an array of that shape.
int lists_opened(const Sizes& shape, int64_t index);

std::string base64_of(const Array& array);
/// Fills `array` (contiguous); false if the text is not base64 of exactly its bytes.
bool parse_base64(std::string_view text, const Array& array);

/// A text in quotes, as attr_text writes it.
std::string quoted(std::string_view text);
/// Letters, digits and underscores, not beginning with a digit.
bool is_name(std::string_view text);

}  // namespace croton::text
