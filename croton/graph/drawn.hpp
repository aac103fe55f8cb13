#pragma once
// How messages show values: one below the other, sizes aligned at their last axes, each with the
// line that made it; the expression that failed comes last.
//
//     cannot broadcast sizes 10 and 12 in axis 1
//
//         logits    f32[32,10]    train.py:41    logits = T.dot(x, w)
//         b            f32[12]    train.py:17    b = T.fvector("b")
//                          ^^
//         in add at train.py:43    logits + b
#include <string>
#include <string_view>
#include <vector>

#include "croton/base/site.hpp"
#include "croton/type/tensor_type.hpp"

namespace croton {

class Variable;
struct Attrs;
struct OpRecord;

struct DrawnValue {
    std::string label;
    std::string head;                ///< what stands before the sizes: "f32[", "f32 ("
    std::vector<std::string> sizes;  ///< one an axis
    std::string tail;                ///< what stands behind them
    Site site = {};
};

/// A value known by its type, and one whose sizes are known.
DrawnValue drawn_type(std::string label, const TensorType& type, Site site);
DrawnValue drawn_shape(std::string label, DType dtype, const Sizes& shape, Site site);

/// The message with the values below it. `broadcast` marks the axes (aligned at the last one) in
/// which two values have different sizes other than 1. At most eight values are shown.
std::string drawn(std::string_view message, const std::vector<DrawnValue>& values,
                  std::string_view expression, Site site, bool broadcast);
/// Whether the message has been drawn already, further inside.
bool is_drawn(std::string_view message);

/// "'x' (f64[?], made at train.py:3)": a variable in a sentence. Unnamed ones are "a variable".
std::string described(const Variable& variable);
/// The name of an op in a message; ops that apply what an attribute holds (a user's op, a graph) go
/// under its name.
std::string shown_name(const OpRecord& op, const Attrs& attrs);

}  // namespace croton
