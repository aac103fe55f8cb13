#pragma once
// The user's graph: immutable nodes behind counted handles. Copying a Variable copies a handle;
// building graphs is safe from several threads; destruction never recurses.
#include <atomic>
#include <complex>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "croton/base/error.hpp"
#include "croton/base/inline_vector.hpp"
#include "croton/base/site.hpp"
#include "croton/graph/attrs.hpp"
#include "croton/type/array.hpp"
#include "croton/type/tensor_type.hpp"

namespace croton {

struct OpRecord;
struct Node;

enum class NodeKind : uint8_t {
    Input,     ///< a value that calls supply
    Constant,  ///< a value known now
    Shared,    ///< a value that lives between calls
    Apply,     ///< an op applied to inputs
    Wildcard,  ///< in rules' patterns: any value
};

/// One value of a graph: output `index` of a node. A default-made Variable is null and stands for
/// "nothing" (no gradient, argument left out).
class Variable {
  public:
    Variable() = default;
    Variable(Node* node, uint32_t index);
    Variable(const Variable& other);
    Variable(Variable&& other) noexcept
        : node_(std::exchange(other.node_, nullptr)), index_(other.index_) {}
    Variable& operator=(Variable other) noexcept {
        std::swap(node_, other.node_);
        std::swap(index_, other.index_);
        return *this;
    }
    ~Variable();

    explicit operator bool() const { return node_ != nullptr; }
    /// Usage error if this is nothing, as for all that follows.
    const Node& node() const {
        if (!node_) fail_nothing();
        return *node_;
    }
    Node* node_pointer() const { return node_; }
    uint32_t index() const { return index_; }
    const TensorType& type() const;
    DType dtype() const { return type().dtype; }
    int rank() const { return type().rank(); }
    NodeKind kind() const;
    /// The op that computes this, or null for leaves.
    const OpRecord* op() const;
    bool is(const OpRecord& record) const { return node_ && op() == &record; }
    /// Input `i` of the node that computes this.
    const Variable& input(size_t i) const;
    const Site& site() const;

    /// "" if none was given.
    const std::string& name() const;
    /// Names this output (for listings and messages). Not to be called while others read the name.
    Variable& named(std::string name);

    /// Identity of the handle's target, not equality of values (that is eq()).
    friend bool operator==(const Variable& a, const Variable& b) {
        return a.node_ == b.node_ && a.index_ == b.index_;
    }

  private:
    [[noreturn]] static void fail_nothing();
    static void destroy(Node* node);
    Node* node_ = nullptr;
    uint32_t index_ = 0;
};
/// Most nodes have two inputs or fewer, and one output.
using Variables = InlineVector<Variable, 2>;

struct VariableHash {
    size_t operator()(const Variable& v) const {
        return mix(reinterpret_cast<uintptr_t>(v.node_pointer()) + v.index());
    }
};

/// A number that stands for what memory holds: another one each time, from 2 on.
uint64_t new_version();

/// Where a shared variable's value lives. Lock `mutex` to read or replace `value`.
struct SharedStorage {
    std::mutex mutex;
    Array value;
    /// Stays as long as the value's elements do. 0: nobody can tell, since somebody outside has
    /// been given the value's memory, or had it before.
    uint64_t version = 0;
    /// What a call sets it to if the call's updates do not mention it: an expression in which
    /// `self` stands for the variable (so that no cycle of handles keeps both alive). Null:
    /// nothing.
    Variable default_update, self;
};

/// What the user calls a node's outputs: nothing for most nodes, then it takes no memory.
class OutputNames {
  public:
    OutputNames() = default;
    OutputNames(const OutputNames& other) { *this = other; }
    OutputNames& operator=(const OutputNames& other) {
        if (this != &other)
            names_ =
                other.names_ ? std::make_unique<std::vector<std::string>>(*other.names_) : nullptr;
        return *this;
    }
    bool empty() const { return !names_; }
    /// "" if none was given.
    const std::string& operator[](size_t output) const;
    void set(size_t output, std::string name);

  private:
    std::unique_ptr<std::vector<std::string>> names_;
};

/// Small, and in one piece for nearly all nodes: graphs of a hundred thousand of them leave the
/// caches of the processor, and then time is what is read.
struct Node {
    explicit Node(NodeKind kind) : kind(kind) {}
    /// From a pool of nodes.
    static void* operator new(size_t size);
    static void operator delete(void* node) noexcept;
    std::atomic<uint32_t> references{0};
    NodeKind kind;
    bool weak = false;     ///< Constant made from a plain number: yields its dtype to arrays
    bool pattern = false;  ///< Wildcard, or an Apply with one below it: types are not known
    mutable std::atomic<uint64_t> mark{0};  ///< for NodeNumbers alone
    const OpRecord* op = nullptr;
    Variables inputs;
    std::shared_ptr<const Attrs> attrs;
    InlineVector<TensorType, 1> types;
    Site site;
    OutputNames names;
    std::unique_ptr<const Array> constant;  ///< Constant
    std::shared_ptr<SharedStorage> shared;  ///< Shared
};

/// Asks for a node that will be read soon: it lies in three lines of the caches.
inline void fetch_ahead(const Node* node) {
    auto bytes = reinterpret_cast<const char*>(node);
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + 64);
    __builtin_prefetch(bytes + 128);
}

inline Variable::Variable(Node* node, uint32_t index) : node_(node), index_(index) {
    if (node_) node_->references.fetch_add(1, std::memory_order_relaxed);
}
inline Variable::Variable(const Variable& other) : Variable(other.node_, other.index_) {}
inline Variable::~Variable() {
    if (node_ && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(node_);
}
inline const TensorType& Variable::type() const { return node().types[index_]; }
inline NodeKind Variable::kind() const { return node().kind; }
inline const OpRecord* Variable::op() const { return node().op; }
inline const Variable& Variable::input(size_t i) const { return node().inputs[i]; }
inline const Site& Variable::site() const { return node().site; }
inline const std::string& Variable::name() const { return node().names[index_]; }

/// A shared variable: a leaf whose value outlives calls.
class SharedVariable : public Variable {
  public:
    SharedVariable() = default;
    /// Type error if the variable is not a shared one.
    explicit SharedVariable(Variable variable);
    /// A copy of the value, or the value itself with borrow: from then on, until it is replaced by
    /// a value of its own, nothing that is made of its elements is kept.
    Array get_value(bool borrow = false) const;
    /// Type error if dtype or rank differ; the value is copied unless borrow.
    void set_value(const Array& value, bool borrow = false) const;
    /// The same with an array whose memory nobody else knows.
    void give_value(Array value) const;
    Sizes value_shape() const;
    SharedStorage& storage() const { return *node().shared; }
    /// The update that calls apply by themselves; null removes it.
    void set_default_update(const Variable& expression) const;
    Variable default_update() const;

  private:
    void replace_value(const Array& value, uint64_t version) const;
};

/// New leaves. Names are for people; dtype and sizes are the type's.
Variable input(TensorType type, std::string name = "",
               Site site = Site::of(std::source_location::current()));
Variable constant(Array value, Site site = Site::of(std::source_location::current()));
/// A plain number: dtype bool, int64, float64 or complex128, and weak.
Variable weak_constant(Array scalar, Site site = {});
/// Sizes are unknown by default (the value may change its sizes); pass a type to fix them.
SharedVariable shared(Array value, std::string name = "",
                      Site site = Site::of(std::source_location::current()));
SharedVariable shared_of_type(TensorType type, Array value, std::string name = "", Site site = {});
Variable wildcard(std::string name);

/// An argument of an op function: a variable, a number or an array, with the place in the user's
/// program where it was handed over.
class Arg {
  public:
    Arg(const Variable& variable, std::source_location where = std::source_location::current())
        : variable_(variable), site_(Site::of(where)) {}
    template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
    Arg(Number value, std::source_location where = std::source_location::current())
        : Arg(number(value), Site::of(where)) {}
    Arg(std::complex<double> value, std::source_location where = std::source_location::current())
        : Arg(Array::scalar(value), Site::of(where)) {}
    Arg(const Array& value, std::source_location where = std::source_location::current())
        : variable_(constant(value, Site::of(where))), site_(Site::of(where)) {}
    Arg(const Variable& variable, Site site) : variable_(variable), site_(site) {}

    const Variable& variable() const { return variable_; }
    operator const Variable&() const { return variable_; }
    Site site() const { return site_; }

  private:
    Arg(const Array& scalar, Site site) : variable_(weak_constant(scalar, site)), site_(site) {}
    template <class Number>
    static Array number(Number value) {
        if constexpr (std::is_same_v<Number, bool>)
            return Array::scalar(value);
        else if constexpr (std::is_floating_point_v<Number>)
            return Array::scalar(static_cast<double>(value));
        else if constexpr (std::is_same_v<Number, uint64_t>)
            return Array::scalar(value);
        else
            return Array::scalar(static_cast<int64_t>(value));
    }
    Variable variable_;
    Site site_;
};
using Args = std::vector<Arg>;

/// Applies an op: fills in attribute defaults, lets the record's type rule check and convert the
/// inputs, and makes the node at `site` (the innermost SiteScope's, if any). Errors of the rule
/// come out with the expression and the inputs' creation sites drawn below the message.
Variables apply(const OpRecord& op, Variables inputs, NamedAttrs attrs = {}, Site site = {});
/// The same for ops with one output.
Variable apply_one(const OpRecord& op, const std::vector<Arg>& inputs, NamedAttrs attrs = {});
/// The same op and attributes on other inputs (types are inferred anew).
Variables apply_like(const Node& node, Variables inputs);

namespace detail {
[[noreturn]] void fail_composed(const Error& error, std::string_view name, const Arg& x, Site site);
}
/// Builds an expression of several ops for a user who wrote one: body(x)'s nodes belong to the
/// place where x was handed over, and errors come out drawn under `name`.
template <class Body>
auto composed(std::string_view name, const Arg& x, Body body) {
    Site site = SiteScope::current_or(x.site());
    SiteScope scope(site);
    try {
        return body(x.variable());
    } catch (const Error& error) {
        detail::fail_composed(error, name, x, site);
    }
}

/// The value if this is a constant (no folding), else null.
const Array* constant_value(const Variable& variable);

}  // namespace croton

template <>
struct std::hash<croton::Variable> : croton::VariableHash {};
