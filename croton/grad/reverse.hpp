#pragma once
// What the drivers of both directions share. For the sources of grad/ only.
#include <optional>
#include <utility>

#include "croton/grad/grad.hpp"
#include "croton/graph/node_numbers.hpp"

namespace croton::derivatives {

/// The nodes between `stops` (not above them) and `outputs`, with numbers, and which values have
/// certainly the same shape as which: elementwise ops pass shapes on, so that gradients need no
/// summing out of broadcast axes there although the sizes are not known.
class Region {
  public:
    Region(const Variables& outputs, const Variables& stops);

    const std::vector<Node*>& nodes() const { return nodes_; }
    static constexpr size_t outside = ~size_t{0};
    /// Position in nodes(), or `outside`.
    size_t position(const Node* node) const;
    bool same_shape(const Variable& a, const Variable& b) const;

  private:
    uint64_t shape_id(const Variable& v) const;
    std::optional<uint64_t> common_shape(const Node& node) const;

    std::vector<Node*> nodes_;
    NodeNumbers positions_;
    std::vector<uint64_t> shape_ids_;  ///< of each node's first output; the others follow
};

/// Gradients of (outputs . seeds) with respect to `wrt`, null where nothing flows. Nothing flows
/// through `stops`; what `known` says replaces what is found. `connected[i]` tells whether a path
/// leads from an output to wrt[i]. Null seeds are zero.
struct ReverseResult {
    Variables gradients;
    std::vector<bool> connected;
};
ReverseResult pull(const Variables& outputs, const Variables& seeds, const Variables& wrt,
                   const Variables& stops, const Substitution& known = {});

/// The cotangents of a node's inputs as the record's pullback (or that of its expansion) gives
/// them, brought to each input's shape and dtype unless `raw`; null where nothing flows.
Variables pull_node(const Variable& first_output, const Variables& seeds,
                    const std::vector<bool>& wanted, const Region& region, bool raw = false);

/// For DerivativeContext: differentiates inner graphs.
const InnerGradient& inner_gradient();

/// The line of a node for nodes made on its behalf.
SiteScope scope_of(const Node& node);

/// "exp(x) (f64[?], made at train.py:12)".
std::string description(const Variable& v);

}  // namespace croton::derivatives
