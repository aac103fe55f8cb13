#pragma once
// The op record: everything about an op in one place. Layers below and above reason by the kind of
// `compute` and by facts, never by an op's name.
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "croton/graph/variable.hpp"

namespace croton::kernel {
class Builder;
struct Scalar;
enum class Combine : uint8_t;
}  // namespace croton::kernel

namespace croton {

/// Which dtypes an argument takes.
enum class Accepts : uint8_t { Any, Numeric, Real, Continuous, Floating, Integer, Bool };

struct Argument {
    std::string_view name;
    Accepts accepts = Accepts::Any;
    bool variadic = false;  ///< the last argument may be any number of inputs
};

/// Read access to a node's attributes by name.
class AttrView {
  public:
    AttrView(const OpRecord& op, const Attrs* attrs) : op_(&op), attrs_(attrs) {}
    template <class T>
    const T& get(std::string_view name) const {
        return std::get<T>(value(name));
    }
    const AttrValue& value(std::string_view name) const;
    template <class T>
    std::shared_ptr<const T> opaque(std::string_view name) const {
        return std::static_pointer_cast<const T>(get<std::shared_ptr<const Opaque>>(name));
    }

  private:
    const OpRecord* op_;
    const Attrs* attrs_;
};
AttrView attrs_of(const Node& node);

/// What a type rule sees: it may convert inputs (casts) and normalise attributes (negative axes).
struct TypeContext {
    const OpRecord& op;
    Variables& inputs;
    Attrs& attrs;

    const TensorType& type(size_t i) const { return inputs[i].type(); }
    AttrView view() const { return {op, &attrs}; }
    template <class T>
    T& attr(std::string_view name);
};
using TypeRule = std::vector<TensorType> (*)(TypeContext&);

/// A strided value at run time, not owning its memory. Strides in bytes.
struct TensorRef {
    DType dtype = DType::Float64;
    Sizes shape, strides;
    void* data = nullptr;

    int rank() const { return static_cast<int>(shape.size()); }
    /// Integer element at a position of a vector or scalar: what shapes and indices are read with.
    int64_t integer(int64_t position = 0) const;
};
TensorRef ref(const Array& array);

// --- the kinds of compute ---------------------------------------------------------------------

/// Elementwise with broadcasting: one output element from one element of each input.
struct ScalarCompute {
    kernel::Scalar (*emit)(kernel::Builder&, std::span<const kernel::Scalar>, const AttrView&);
};

/// Folds the axes in attribute "axes" (Ints, normalised by the type rule); attribute "keepdims".
struct ReduceCompute {
    kernel::Combine combine;
    /// An extreme of no elements is the lowest (highest) value of the dtype and not an error.
    bool bounded = false;
};

/// Same memory, other shape and strides. Input 0 is viewed; other inputs are integers read at run
/// time. Returns false if the input must be copied to contiguous memory first (then called again).
struct ViewCompute {
    bool (*view)(const AttrView&, std::span<const TensorRef> inputs, TensorRef& out);
    /// For views that only permute, insert and drop axes: which input axis each output axis is, -1
    /// for an inserted one. Lets fusion look through the view. Null: not of that sort.
    std::vector<int> (*axes)(const AttrView&, int rank) = nullptr;
};

/// Output sizes at run time, from the inputs' sizes and the values of integer inputs.
using ShapeFunction = void (*)(const AttrView&, std::span<const TensorRef> inputs,
                               std::span<Sizes> outputs);

/// A contraction for a tuned library: matrix products (batched over leading axes).
struct ContractCompute {
    ShapeFunction shape;
    enum class Kind : uint8_t { MatMul, Gemm } kind;
};

/// Rows of an input that is never there as a whole: they are made when they are asked for.
class RowSource {
  public:
    virtual ~RowSource() = default;
    /// At most so many rows are there at once.
    virtual int64_t most() const = 0;
    /// Makes rows `begin` to `end` - 1 without gaps, in place of those that were there.
    virtual const char* rows(int64_t begin, int64_t end) = 0;
};

/// A call of host code on whole arrays.
struct ExternCall {
    AttrView attrs;
    std::span<const TensorRef> inputs;
    std::span<TensorRef> outputs;
    /// For ops without a shape function: makes output i with that shape (contiguous).
    std::function<void(size_t, Sizes)> allocate;
    /// If set, input `row_input` of the record comes from here: its data is null, its sizes and
    /// strides are those of the whole.
    RowSource* source = nullptr;
};
struct ExternCompute {
    ShapeFunction shape;  ///< null: sizes depend on values; run() calls allocate
    void (*run)(ExternCall&);
    /// The output may take over input `in_place`'s memory when nobody else needs it (-1: never).
    /// run() then finds the input's values in outputs[0] already if both data pointers agree.
    int in_place = -1;
    /// Fails where run() would fail, without writing; then an update of a shared variable may be
    /// done in the variable's own memory. Null: only run() can tell. The values of the first
    /// `unread` inputs do not matter to it, only their sizes: the others are there before any
    /// update begins.
    void (*check)(const AttrView&, std::span<const TensorRef> inputs) = nullptr;
    int unread = 0;
    /// The input whose rows (along its first axis, of which there are several) run() can take from
    /// a RowSource, where output 0 has at least `large_bytes`: it comes to the same bits. -1, or no
    /// function: there is none.
    int (*row_input)(const AttrView&, std::span<const TensorType* const> inputs) = nullptr;
    /// What is smaller stays in the second cache while it is written, if not much else comes by.
    static constexpr int64_t large_bytes = 1 << 19;
};

/// One element of the output at a time from any elements of the inputs (gathers, ranges, joins,
/// random bits): a kernel over the output's index space whose inputs are tables.
struct IndexedCompute {
    ShapeFunction shape;
    /// `tables` are the operand numbers of the inputs, `index` the output's position.
    kernel::Scalar (*emit)(kernel::Builder&, std::span<const int> tables,
                           std::span<const kernel::Scalar> index, const Node& node);
    /// Host code for the same, where that is better when the op shares a kernel with nobody: it
    /// copies whole parts, and needs no compiling. Null: always a kernel.
    void (*run)(ExternCall&) = nullptr;
};

/// Executes graphs: the control structure is the kind, the graphs are attributes or inputs.
struct InnerCompute {
    enum class Kind : uint8_t { Call, IfElse, Scan } kind;
};

/// Made of other ops, expanded when compilation begins: the default choice.
struct ExpandCompute {
    Variables (*expand)(const Node& node);
};

using Compute = std::variant<ScalarCompute, ReduceCompute, ViewCompute, IndexedCompute,
                             ContractCompute, ExternCompute, InnerCompute, ExpandCompute>;

// --- derivatives ------------------------------------------------------------------------------

/// Gradients with respect to an inner graph's inputs, for ops that hold graphs.
using InnerGradient = std::function<Variables(const Variables& outputs, const Variables& inputs,
                                              const Variables& seeds)>;

struct DerivativeContext {
    const Variable& node_output;  ///< output 0 of the node
    const InnerGradient& inner_gradient;
    const Variable& input(size_t i = 0) const { return node_output.node().inputs[i]; }
    size_t input_count() const { return node_output.node().inputs.size(); }
    Variable output(size_t i = 0) const {
        return {node_output.node_pointer(), static_cast<uint32_t>(i)};
    }
    const Node& node() const { return node_output.node(); }
    AttrView attrs() const { return attrs_of(node_output.node()); }
    template <class T>
    const T& attr(std::string_view name) const {
        return std::get<T>(attrs().value(name));
    }
};

/// Reverse mode: `seeds[i]` is the gradient of the cost with respect to output i, or null.
struct Pullback : DerivativeContext {
    const Variables& seeds;
    const std::vector<bool>& wanted;  ///< inputs whose gradient somebody needs
    const Variable& seed(size_t i = 0) const { return seeds[i]; }
};
/// Forward mode: `tangents[i]` belongs to input i, or null (zero).
struct Pushforward : DerivativeContext {
    const Variables& tangents;
    const Variable& tangent(size_t i = 0) const { return tangents[i]; }
};

/// One an input; null where the gradient is zero. For elementwise ops the driver sums out broadcast
/// axes and casts to the input's dtype: pullbacks write the mathematics only.
using Cotangents = Variables;
using PullbackFunction = Cotangents (*)(const Pullback&);
/// One an output.
using PushforwardFunction = Variables (*)(const Pushforward&);

/// Properties that rules and drivers may use. Combine with |.
struct Facts {
    bool commutative = false, associative = false, idempotent = false;
    bool odd = false, even = false, increasing = false, decreasing = false;
    bool not_differentiable = false;  ///< no gradient exists: asking for one is an error
    bool disconnected =
        false;              ///< counts as independent of its inputs when gradients are asked for
    bool impure = false;    ///< never merged, folded or removed (prints, breakpoints)
    bool by_sizes = false;  ///< reads its inputs' sizes and none of their elements
    std::optional<double> low = {}, high = {};  ///< range of the values
    friend constexpr Facts operator|(Facts a, const Facts& b) {
        a.commutative |= b.commutative;
        a.associative |= b.associative;
        a.idempotent |= b.idempotent;
        a.odd |= b.odd;
        a.even |= b.even;
        a.increasing |= b.increasing;
        a.decreasing |= b.decreasing;
        a.not_differentiable |= b.not_differentiable;
        a.disconnected |= b.disconnected;
        a.impure |= b.impure;
        a.by_sizes |= b.by_sizes;
        if (b.low) a.low = b.low;
        if (b.high) a.high = b.high;
        return a;
    }
};
namespace facts {
inline constexpr Facts commutative{.commutative = true};
inline constexpr Facts associative{.associative = true};
inline constexpr Facts idempotent{.idempotent = true};
inline constexpr Facts odd{.odd = true};
inline constexpr Facts even{.even = true};
inline constexpr Facts increasing{.increasing = true};
inline constexpr Facts decreasing{.decreasing = true};
inline constexpr Facts not_differentiable{.not_differentiable = true};
inline constexpr Facts disconnected{.disconnected = true};
inline constexpr Facts impure{.impure = true};
inline constexpr Facts by_sizes{.by_sizes = true};
constexpr Facts in_range(double low, double high) { return {.low = low, .high = high}; }
constexpr Facts at_least(double low) { return {.low = low}; }
}  // namespace facts

/// An axis of an input.
struct InputAxis {
    size_t input, axis;
};

struct OpRecord {
    std::string_view name;
    std::string_view doc;
    std::vector<Argument> arguments;
    std::vector<AttrSpec> attributes = {};
    TypeRule type;
    Compute compute;
    PullbackFunction pullback = nullptr;
    PushforwardFunction pushforward = nullptr;  ///< null: derived from the pullback
    Facts facts = {};
    std::string_view onnx = {};
    /// Pairs of sizes of the inputs that nearly always agree (axis `axis` of input `input`). A
    /// specialised program takes them to be equal; calls where they are not run a general one.
    std::vector<std::array<InputAxis, 2>> (*likely_equal)(const Node&) = nullptr;

    template <class Kind>
    const Kind* kind() const {
        return std::get_if<Kind>(&compute);
    }
    bool elementwise() const { return kind<ScalarCompute>() != nullptr; }
    /// Position of an attribute. Internal error if the record has none of that name.
    size_t attribute_index(std::string_view name) const;
};

/// What runs an op whose step calls host code: its own, or that of an Indexed op.
ExternCompute host_code(const OpRecord& op);

template <class T>
T& TypeContext::attr(std::string_view name) {
    return std::get<T>(attrs.values[op.attribute_index(name)]);
}

/// A graph with its own inputs, as calls and loops hold it.
class Subgraph : public Opaque {
  public:
    Subgraph(std::string name, Variables inputs, Variables outputs)
        : name_(std::move(name)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}
    std::string text() const override { return name_; }
    const Variables& inputs() const { return inputs_; }
    const Variables& outputs() const { return outputs_; }

  private:
    std::string name_;
    Variables inputs_, outputs_;
};

}  // namespace croton
