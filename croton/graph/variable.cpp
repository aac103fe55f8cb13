#include "croton/graph/variable.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include "croton/base/memory.hpp"
#include "croton/base/settings.hpp"
#include "croton/base/slab_pool.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/graph/elements.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

namespace {
// Never destroyed: other static variables may hold nodes.
// NOLINTNEXTLINE(misc-no-recursion): only within fork, when it is made
SlabPool& node_pool() {
    static SlabPool& pool = *new SlabPool(sizeof(Node));
    static const int registered = ::pthread_atfork(
        [] { node_pool().lock(); }, [] { node_pool().unlock(); }, [] { node_pool().unlock(); });
    (void)registered;
    return pool;
}
}  // namespace

// Tools that look for misuse of memory are to see each node by itself.
void* Node::operator new(size_t size) {
    return watched_memory ? ::operator new(size) : node_pool().allocate();
}
void Node::operator delete(void* node) noexcept {
    watched_memory ? ::operator delete(node) : node_pool().free(node);
}

// Nodes whose count falls to zero while another is being destroyed wait on its list: a chain of a
// million nodes dies in a loop, not in a million nested destructors. The list lives on the stack:
// thread-local objects die before static variables do.
void Variable::destroy(Node* node) {
    thread_local std::vector<Node*>* waiting = nullptr;
    if (waiting) {
        fetch_ahead(node);
        waiting->push_back(node);
        return;
    }
    std::vector<Node*> own;
    waiting = &own;
    delete node;
    while (!own.empty()) {
        Node* next = own.back();
        own.pop_back();
        delete next;
    }
    waiting = nullptr;
}

void Variable::fail_nothing() {
    fail(ErrorKind::Usage,
         "a variable that is nothing was used: one made by Variable(), moved from, or a gradient "
         "that does not exist");
}

const std::string& OutputNames::operator[](size_t output) const {
    static const std::string none;
    return names_ && output < names_->size() ? (*names_)[output] : none;
}

void OutputNames::set(size_t output, std::string name) {
    if (!names_) names_ = std::make_unique<std::vector<std::string>>();
    names_->resize(std::max(names_->size(), output + 1));
    (*names_)[output] = std::move(name);
}

Variable& Variable::named(std::string name) {
    node();
    node_->names.set(index_, std::move(name));
    return *this;
}

namespace {
Node* leaf(NodeKind kind, TensorType type, std::string name, Site site) {
    auto node = new Node(kind);
    node->types.push_back(std::move(type));
    node->site = SiteScope::current_or(site);
    if (!name.empty()) node->names.set(0, std::move(name));
    return node;
}

void check_float64(const TensorType& type) {
    const auto& action = settings().warn_float64;
    if (action == "ignore" || type.dtype != DType::Float64) return;
    if (action == "raise")
        fail(ErrorKind::Type, "a float64 variable is created while warn_float64 is 'raise'");
    std::fprintf(stderr, "croton: warning: a float64 variable is created\n");
}
}  // namespace

Variable input(TensorType type, std::string name, Site site) {
    check_float64(type);
    return {leaf(NodeKind::Input, std::move(type), std::move(name), site), 0};
}

Variable constant(Array value, Site site) {
    Node* node = leaf(NodeKind::Constant, value.type(), "", site);
    node->constant = std::make_unique<const Array>(std::move(value));
    return {node, 0};
}

Variable weak_constant(Array scalar, Site site) {
    Variable result = constant(std::move(scalar), site);
    result.node_pointer()->weak = true;
    return result;
}

SharedVariable shared_of_type(TensorType type, Array value, std::string name, Site site) {
    check_float64(type);
    Node* node = leaf(NodeKind::Shared, std::move(type), std::move(name), site);
    Variable handle(node, 0);
    node->shared = std::make_shared<SharedStorage>();
    SharedVariable result(handle);
    result.set_value(value);
    return result;
}

SharedVariable shared(Array value, std::string name, Site site) {
    return shared_of_type(tensor_type(value.dtype(), value.rank()), value, std::move(name), site);
}

Variable wildcard(std::string name) {
    Node* node = leaf(NodeKind::Wildcard, {}, std::move(name), {});
    node->pattern = true;
    return {node, 0};
}

SharedVariable::SharedVariable(Variable variable) : Variable(std::move(variable)) {
    if (!*this || kind() != NodeKind::Shared)
        fail(ErrorKind::Type, "a shared variable is needed, not ", described(*this));
}

Array SharedVariable::get_value(bool borrow) const {
    auto& place = storage();
    std::lock_guard lock(place.mutex);
    if (!borrow) return place.value.copy();
    place.version = 0;
    return place.value;
}

Sizes SharedVariable::value_shape() const {
    std::lock_guard lock(storage().mutex);
    return storage().value.shape();
}

uint64_t new_version() {
    static std::atomic<uint64_t> last = 1;
    return ++last;
}

void SharedVariable::set_value(const Array& value, bool borrow) const {
    if (!borrow) return give_value(value.copy());
    replace_value(value, 0);
}

void SharedVariable::give_value(Array value) const { replace_value(value, new_version()); }

void SharedVariable::replace_value(const Array& value, uint64_t version) const {
    if (value.dtype() != dtype() || value.rank() != rank())
        fail(
            ErrorKind::Type, "shared variable ", described(*this), " cannot take a value of type ",
            value.type().text(),
            value.dtype() != dtype() ? cat("; convert it to ", dtype_name(dtype()), " first") : "");
    for (int axis = 0; axis < rank(); ++axis) {
        Dim dim = type().dims[static_cast<size_t>(axis)];
        if (dim.known() && dim.size() != value.shape(axis))
            fail(ErrorKind::Shape, "shared variable ", described(*this), " has ", dim.size(),
                 " elements in axis ", axis, "; the new value has shape ",
                 shape_text(value.shape()));
    }
    auto& place = storage();
    std::lock_guard lock(place.mutex);
    place.value = value;
    place.version = version;
}

void SharedVariable::set_default_update(const Variable& expression) const {
    auto& place = storage();
    if (!expression) {
        place.default_update = place.self = Variable();
        return;
    }
    Variable self = croton::input(type(), name(), site());
    place.default_update = substitute(expression, {{*this, self}});
    place.self = self;
}

Variable SharedVariable::default_update() const {
    auto& place = storage();
    if (!place.default_update) return {};
    return substitute(place.default_update, {{place.self, *this}});
}

const Array* constant_value(const Variable& variable) {
    return variable && variable.kind() == NodeKind::Constant ? variable.node().constant.get()
                                                             : nullptr;
}

// --- applying ops -------------------------------------------------------------------------------

size_t OpRecord::attribute_index(std::string_view wanted) const {
    for (size_t i = 0; i < attributes.size(); ++i)
        if (attributes[i].name == wanted) return i;
    fail(ErrorKind::Internal, "op ", name, " has no attribute '", wanted, "'");
}

const AttrValue& AttrView::value(std::string_view name) const {
    return attrs_->values[op_->attribute_index(name)];
}

AttrView attrs_of(const Node& node) { return {*node.op, node.attrs.get()}; }

ExternCompute host_code(const OpRecord& op) {
    if (auto own = op.kind<ExternCompute>()) return *own;
    auto indexed = op.kind<IndexedCompute>();
    return indexed ? ExternCompute{indexed->shape, indexed->run} : ExternCompute{nullptr, nullptr};
}

namespace {
std::shared_ptr<const Attrs> no_attrs() {
    static const auto none = std::make_shared<const Attrs>();
    return none;
}

Attrs fill_defaults(const OpRecord& op, NamedAttrs& given) {
    Attrs result;
    for (const auto& spec : op.attributes) result.values.push_back(spec.default_value);
    for (auto& [name, value] : given) {
        size_t at = op.attribute_index(name);
        bool wild = std::holds_alternative<AttrWildcard>(value);
        if (!wild && value.index() != op.attributes[at].default_value.index())
            fail(ErrorKind::Type, op.name, ": attribute '", name, "' cannot be ", attr_text(value));
        result.values[at] = std::move(value);
    }
    return result;
}

bool accepts(Accepts wanted, DType dtype) {
    switch (wanted) {
        case Accepts::Any: return true;
        case Accepts::Numeric: return !is_bool(dtype);
        case Accepts::Real: return !is_complex(dtype);
        case Accepts::Continuous: return is_continuous(dtype);
        case Accepts::Floating: return is_floating(dtype);
        case Accepts::Integer: return is_integer(dtype);
        case Accepts::Bool: return is_bool(dtype);
    }
    return false;
}

std::string_view accepts_text(Accepts wanted) {
    switch (wanted) {
        case Accepts::Any: return "anything";
        case Accepts::Numeric: return "numbers (not bool)";
        case Accepts::Real: return "real numbers (not complex)";
        case Accepts::Continuous: return "floating or complex numbers";
        case Accepts::Floating: return "floating numbers";
        case Accepts::Integer: return "integers";
        case Accepts::Bool: return "bool";
    }
    return "?";
}

const Argument& argument_at(const OpRecord& op, size_t i) {
    return i < op.arguments.size() ? op.arguments[i] : op.arguments.back();
}

void check_arguments(const OpRecord& op, const Variables& inputs) {
    bool variadic = !op.arguments.empty() && op.arguments.back().variadic;
    size_t needed = op.arguments.size() - (variadic ? 1 : 0);
    if (inputs.size() < needed || (!variadic && inputs.size() > needed))
        fail(ErrorKind::Usage, op.name, " takes ", needed, variadic ? " or more" : "",
             " arguments, not ", inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
        const auto& argument = argument_at(op, i);
        if (!inputs[i])
            fail(ErrorKind::Usage, op.name, ": argument '", argument.name, "' is missing");
        if (!inputs[i].node().pattern && !accepts(argument.accepts, inputs[i].dtype()))
            fail(ErrorKind::Type, op.name, ": argument '", argument.name, "' takes ",
                 accepts_text(argument.accepts), ", not ", dtype_name(inputs[i].dtype()));
    }
}

bool any_pattern(const Variables& inputs) {
    for (const auto& input : inputs)
        if (input && input.node().pattern) return true;
    return false;
}

std::string label_of(const Variable& input, size_t i) {
    if (!input.name().empty()) return input.name();
    auto number = constant_value(input);
    return number && number->size() == 1 ? number->text() : cat("argument ", i);
}

// The message, then each input with its type and the line that made it, then the user's line.
[[noreturn]] void fail_drawn(const Error& error, const OpRecord& op, const Attrs& attrs,
                             const Variables& inputs, Site site) {
    if (is_drawn(error.what())) throw error;
    std::vector<DrawnValue> values;
    for (size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i] && std::find(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(i),
                                   inputs[i]) == inputs.begin() + static_cast<std::ptrdiff_t>(i))
            values.push_back(
                drawn_type(label_of(inputs[i], i), inputs[i].type(), inputs[i].site()));
    throw Error(error.kind(), drawn(error.what(), values, shown_name(op, attrs), site,
                                    error.kind() == ErrorKind::Shape && op.elementwise()));
}

Variables outputs_of(Node* node) {
    Variables result;
    for (uint32_t i = 0; i < node->types.size(); ++i) result.emplace_back(node, i);
    return result;
}

Variables make_node(const OpRecord& op, Variables inputs, std::shared_ptr<const Attrs> attrs,
                    std::vector<TensorType> types, Site site) {
    auto node = new Node(NodeKind::Apply);
    node->op = &op;
    node->attrs = std::move(attrs);
    node->types = std::move(types);
    node->site = site;
    node->pattern = any_pattern(inputs);
    node->inputs = std::move(inputs);
    return outputs_of(node);
}

// Neighbours often have equal attributes (the axes of sums, the pattern of a dimshuffle): one
// object for them is less to read. Those of the node that is rebuilt are looked at, then what was
// made last for an op of that kind, no more. Inner graphs stay apart: equal ones may come from
// different lines.
std::shared_ptr<const Attrs> shared_attrs(const OpRecord& op, Attrs attrs,
                                          const std::shared_ptr<const Attrs>& like) {
    if (attrs.values.empty()) return no_attrs();
    if (like && like->equals(attrs)) return like;
    bool opaque = std::any_of(attrs.values.begin(), attrs.values.end(), [](const AttrValue& value) {
        return std::holds_alternative<std::shared_ptr<const Opaque>>(value);
    });
    if (opaque) return std::make_shared<const Attrs>(std::move(attrs));
    thread_local std::array<std::weak_ptr<const Attrs>, 64> latest;
    auto& slot = latest[mix(reinterpret_cast<uintptr_t>(&op)) % latest.size()];
    if (auto last = slot.lock(); last && last->equals(attrs)) return last;
    auto made = std::make_shared<const Attrs>(std::move(attrs));
    slot = made;
    return made;
}

Variables apply_attrs(const OpRecord& op, Variables inputs, Attrs attrs, Site site,
                      const std::shared_ptr<const Attrs>& like = nullptr) {
    site = SiteScope::current_or(site);
    Variables given = inputs;
    SiteScope scope(site);  // type rules may build graphs
    try {
        check_arguments(op, inputs);
        std::vector<TensorType> types(1);
        if (!any_pattern(inputs)) {
            TypeContext context{op, inputs, attrs};
            types = op.type(context);
        }
        return make_node(op, std::move(inputs), shared_attrs(op, std::move(attrs), like),
                         std::move(types), site);
    } catch (const Error& error) {
        fail_drawn(error, op, attrs, given, site);
    }
}
}  // namespace

void detail::fail_composed(const Error& error, std::string_view name, const Arg& x, Site site) {
    if (is_drawn(error.what())) throw error;
    std::vector<DrawnValue> values;
    if (const Variable& v = x.variable())
        values.push_back(drawn_type(label_of(v, 0), v.type(), v.site()));
    throw Error(error.kind(), drawn(error.what(), values, name, site, false));
}

Variables apply(const OpRecord& op, Variables inputs, NamedAttrs named, Site site) {
    return apply_attrs(op, std::move(inputs), fill_defaults(op, named), site);
}

Variable apply_one(const OpRecord& op, const std::vector<Arg>& arguments, NamedAttrs attrs) {
    Variables inputs;
    for (const auto& argument : arguments) inputs.push_back(argument.variable());
    Site site = arguments.empty() ? Site{} : arguments[0].site();
    return apply(op, std::move(inputs), std::move(attrs), site)[0];
}

Variables apply_like(const Node& node, Variables inputs) {
    return apply_attrs(*node.op, std::move(inputs), *node.attrs, node.site, node.attrs);
}

TensorRef ref(const Array& array) {
    return {array.dtype(), array.shape(), array.strides(), array.data()};
}

namespace {
thread_local int64_t reads = 0;

template <class T>
T read_element(const TensorRef& r, int64_t position) {
    ++reads;
    auto place =
        static_cast<const std::byte*>(r.data) + (r.rank() == 0 ? 0 : position * r.strides[0]);
    return visit_dtype(r.dtype, [&](auto tag) {
        decltype(tag) value;
        std::memcpy(&value, place, sizeof value);
        return convert_number<T>(value);
    });
}
}  // namespace

int64_t elements_read() { return reads; }
int64_t TensorRef::integer(int64_t position) const {
    return read_element<int64_t>(*this, position);
}
double real_element(const TensorRef& r, int64_t position) {
    return read_element<double>(r, position);
}

}  // namespace croton
