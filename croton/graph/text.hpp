#pragma once
// The text form of the user's graph: one line a node in order of computation, which reads back to
// an equal graph.
//
//   graph f(%0: f32[?,784] "x", %1: shared f32[?,?] "w") {
//     %2 = dot(%0, %1) : f32[?,?] "logits" @ train.py:12
//     %3 = sum(%2) {axes=[0]} : f32[?]
//     %4 = mul(%3, f32[] 0.5) : f32[?]
//     return %4
//   }
//
// Leaves stand in the head: `shared` marks shared variables (`= [1,2]` gives the value), `wildcard`
// those of patterns. Constants stand where they are used (`2.5`, `true` and `3` are weak numbers,
// `weak u64[] 3` another weak one, `f32[2] [1,2]` an array) unless they are long or have a name:
// then they have lines of their own (`%5 = constant f32[100] base64 "..." "table"`). Attributes
// with their default value are left out. An inner graph is written as a graph in the attribute;
// `#0` is the text's first inner graph again. Numbers are exact: the shortest decimal that reads
// back
// (`nan:7ff8000000000001` for NaNs with other bits than usual); base64 holds little-endian bytes in
// C order. `//` begins a comment. In text written by hand, types of results may be left out and ids
// may be names (`%loss`).
//
// Nothing recurses on the depth of a graph; inner graphs may be nested 64 deep.
#include <functional>
#include <string>
#include <string_view>

#include "croton/graph/op.hpp"

namespace croton {

struct PrintOptions {
    enum class Sites {
        None,
        Short,  ///< without the folder, as messages show them
        Full,
    };
    /// Come first in the head, needed or not; may be computed variables, which then become leaves.
    /// The other leaves follow in order of first use.
    Variables inputs = {};
    std::string name = {};
    Sites sites = Sites::Short;
    bool shared_values = false;   ///< print the values of shared variables too
    size_t inline_elements = 8;   ///< longer constants have lines of their own
    size_t base64_elements = 64;  ///< longer constants are written in base64
};

/// Value error if inner graphs are nested deeper than 64.
std::string print(const Variables& outputs, const PrintOptions& options = {});

struct ParseOptions {
    /// The record of that name, or null. Must be given.
    std::function<const OpRecord*(std::string_view)> find_op;
    /// An opaque attribute from its text(), for those that are not inner graphs. Null: an error.
    std::function<std::shared_ptr<const Opaque>(std::string_view)> find_opaque = nullptr;
};

struct ParsedGraph {
    std::string name;
    Variables inputs;  ///< the leaves of the head, shared variables among them
    Variables outputs;
};

/// Reads what print writes. Shared variables are new ones; those without a value are zeros (sizes
/// not known are 1). Malformed text, unknown ops and results whose type is not what the text says
/// are Value errors with line and column; what an op's type rule rejects keeps the rule's kind.
ParsedGraph parse_graph(std::string_view text, const ParseOptions& options);

/// Whether two graphs have the same structure: same ops, attributes (inner graphs by structure),
/// types, constants (by bits) and sharing of nodes. Leaves and symbolic sizes correspond one to
/// one; names and sites do not count. `inputs`, where given, must correspond in order.
bool same_graph(const Variables& a, const Variables& b, const Variables& inputs_a = {},
                const Variables& inputs_b = {});
/// "" if same_graph, else the first difference in words.
std::string graph_difference(const Variables& a, const Variables& b, const Variables& inputs_a = {},
                             const Variables& inputs_b = {});

/// A graph held in an attribute, or null.
std::shared_ptr<const Subgraph> subgraph_of(const AttrValue& value);

}  // namespace croton
