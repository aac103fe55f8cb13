// Reading graphs from bytes; packed.hpp says what for. The bytes come from a file: every number is
// looked at before it is believed.
#include <cstring>

#include "croton/base/format.hpp"
#include "croton/graph/packed.hpp"
#include "croton/graph/packed_parts.hpp"

namespace croton {

namespace {
using namespace packed;

/// The place of a type among the alternatives of an attribute.
template <class T, class... All>
constexpr size_t place_of(const std::variant<All...>*) {
    size_t place = 0;
    static_cast<void>(((std::is_same_v<T, All> ? false : (++place, true)) && ...));
    return place;
}
template <class T>
constexpr size_t index_of = place_of<T>(static_cast<const AttrValue*>(nullptr));

/// Thrown and caught in this file: the bytes are not what pack() writes.
struct NotPacked {};

void require(bool condition) {
    if (!condition) throw NotPacked();
}

class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    size_t left() const { return bytes_.size(); }
    std::string_view bytes(size_t size) {
        require(size <= bytes_.size());
        auto result = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return result;
    }
    uint8_t byte() { return static_cast<uint8_t>(bytes(1)[0]); }
    uint64_t number() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            uint8_t part = byte();
            value |= uint64_t{part & 127u} << shift;
            if (part < 128) return value;
        }
        throw NotPacked();
    }
    int64_t whole() {
        uint64_t value = number();
        return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
    /// A number of things that take at least one byte each.
    size_t count() {
        uint64_t value = number();
        require(value <= left());
        return value;
    }
    std::string_view text() { return bytes(count()); }
    template <class T>
    T one_of(int values) {
        uint8_t value = byte();
        require(value < values);
        return static_cast<T>(value);
    }
    DType dtype() { return one_of<DType>(dtype_count); }

  private:
    std::string_view bytes_;
};

class Unpacker {
  public:
    Unpacker(std::string_view bytes, const PackOptions& options) : in_(bytes), options_(options) {}

    UnpackedGraph run() {
        UnpackedGraph graph = read_graph();
        require(in_.left() == 0);
        return graph;
    }

  private:
    UnpackedGraph read_graph() {
        require(++depth_ <= most_nesting);
        UnpackedGraph graph;
        for (size_t count = in_.count(); count > 0; --count) graph.inputs.push_back(read_leaf());
        while (read_node()) {
        }
        for (size_t count = in_.count(); count > 0; --count) graph.outputs.push_back(read_value());
        --depth_;
        return graph;
    }

    bool read_node() {
        switch (in_.one_of<Tag>(static_cast<int>(Tag::Attrs) + 1)) {
            case Tag::End: return false;
            case Tag::Leaf: read_leaf(); return true;
            case Tag::Constant: read_constant(); return true;
            case Tag::Apply: read_applied(); return true;
            case Tag::Attrs: read_attrs(); return true;
        }
        return false;
    }

    Variable read_value() {
        uint64_t back = in_.number();
        require(back <= values_.size());
        return back == 0 ? Variable() : values_[values_.size() - back];
    }

    Variable read_leaf() {
        require(static_cast<NodeKind>(in_.byte()) == NodeKind::Input);
        TensorType type = read_type();
        std::string name(in_.text());
        auto node = new Node(NodeKind::Input);
        values_.emplace_back(node, 0);
        node->types.push_back(std::move(type));
        if (!name.empty()) node->names.set(0, std::move(name));
        node->site = read_site();
        return values_.back();
    }

    // Names and site of a node that is made otherwise.
    void finish(Node& node) {
        for (uint32_t i = 0; i < node.types.size(); ++i)
            if (auto name = in_.text(); !name.empty()) node.names.set(i, std::string(name));
        node.site = read_site();
    }

    void read_constant() {
        bool weak = in_.byte() != 0;
        TensorType type = read_type();
        Sizes shape;
        for (Dim dim : type.dims) {
            require(dim.known());
            shape.push_back(dim.size());
        }
        int64_t bytes = byte_count(type.dtype, shape);
        auto content = in_.bytes(static_cast<size_t>(bytes));
        Array value = Array::empty(type.dtype, shape);
        if (bytes > 0) std::memcpy(value.data(), content.data(), content.size());
        Variable made = constant(std::move(value), Site{});
        made.node_pointer()->weak = weak;
        values_.push_back(made);
        finish(*made.node_pointer());
    }

    void read_applied() {
        auto node = new Node(NodeKind::Apply);
        Variable made(node, 0);
        node->op = read_op();
        node->attrs = node->op->attributes.empty() ? no_attrs() : used_attrs(*node->op);
        for (size_t count = in_.count(); count > 0; --count) {
            node->inputs.push_back(read_value());
            require(static_cast<bool>(node->inputs.back()));
        }
        for (size_t count = in_.count(); count > 0; --count) node->types.push_back(read_type());
        require(!node->types.empty());
        for (uint32_t i = 0; i < node->types.size(); ++i) values_.emplace_back(node, i);
        finish(*node);
    }

    // --- what is written once -----------------------------------------------------------------

    const OpRecord* read_op() {
        uint64_t number = in_.number();
        require(number <= ops_.size());
        if (number == ops_.size()) {
            ops_.push_back(options_.find_op(in_.text()));
            require(ops_.back() != nullptr);
        }
        return ops_[number];
    }

    using AttrsPointer = std::shared_ptr<const Attrs>;

    static AttrsPointer no_attrs() {
        static const auto none = std::make_shared<const Attrs>();
        return none;
    }

    AttrsPointer used_attrs(const OpRecord& op) {
        uint64_t number = in_.number();
        require(number < attrs_.size() && attrs_[number]);  // none is inside of itself
        const auto& values = attrs_[number]->values;
        require(values.size() == op.attributes.size());
        for (size_t i = 0; i < values.size(); ++i)
            require(values[i].index() == op.attributes[i].default_value.index());
        return attrs_[number];
    }

    // They have their number before those of the graphs that they hold.
    void read_attrs() {
        size_t place = attrs_.size();
        attrs_.emplace_back();
        Attrs attrs;
        for (size_t count = in_.count(); count > 0; --count)
            attrs.values.push_back(read_attribute());
        attrs_[place] = std::make_shared<const Attrs>(std::move(attrs));
    }

    AttrValue read_attribute() {
        switch (in_.byte()) {
            case index_of<bool>: return in_.byte() != 0;
            case index_of<int64_t>: return in_.whole();
            case index_of<double>: return read_double();
            case index_of<std::string>: return std::string(in_.text());
            case index_of<DType>: return in_.dtype();
            case index_of<Ints>: return read_ints();
            case index_of<std::shared_ptr<const Opaque>>: return read_inner();
            default: throw NotPacked();
        }
    }

    double read_double() {
        double value;
        std::memcpy(&value, in_.bytes(sizeof value).data(), sizeof value);
        return value;
    }

    Ints read_ints() {
        Ints values;
        for (size_t count = in_.count(); count > 0; --count) values.push_back(in_.whole());
        return values;
    }

    std::shared_ptr<const Opaque> read_inner() {
        uint64_t number = in_.number();
        if (number == 0) return nullptr;
        require(number <= graphs_.size() + 1);
        if (number <= graphs_.size()) {
            require(graphs_[number - 1] != nullptr);  // none is inside of itself
            return graphs_[number - 1];
        }
        graphs_.emplace_back();
        std::string name(in_.text());
        UnpackedGraph inner = read_graph();
        return graphs_[number - 1] = std::make_shared<Subgraph>(
                   std::move(name), std::move(inner.inputs), std::move(inner.outputs));
    }

    TensorType read_type() {
        uint64_t number = in_.number();
        require(number <= types_.size());
        if (number == types_.size()) {
            TensorType type{in_.dtype(), {}};
            for (size_t count = in_.count(); count > 0; --count) type.dims.push_back(read_dim());
            types_.push_back(std::move(type));
        }
        return types_[number];
    }

    Dim read_dim() {
        int64_t code = in_.whole();
        if (code == -1) return Dim();
        if (code >= 0) return Dim(code);
        uint64_t number = static_cast<uint64_t>(-2 - code);
        require(number <= symbols_.size());
        if (number == symbols_.size()) {
            auto name = in_.text();
            symbols_.push_back(name.empty() ? Dim::fresh() : Dim::symbol(name));
        }
        return symbols_[number];
    }

    Site read_site() {
        uint64_t line = in_.number();
        if (line == 0) return {};
        uint64_t number = in_.number();
        require(line <= UINT32_MAX && number <= files_.size());
        if (number == files_.size()) files_.push_back(intern(in_.text()));
        return {files_[number], static_cast<uint32_t>(line), ""};
    }

    Reader in_;
    const PackOptions& options_;
    int depth_ = 0;
    std::vector<Variable> values_;
    std::vector<const OpRecord*> ops_;
    std::vector<AttrsPointer> attrs_;
    std::vector<std::shared_ptr<const Opaque>> graphs_;
    std::vector<TensorType> types_;
    std::vector<Dim> symbols_;
    std::vector<const char*> files_;
};
}  // namespace

std::optional<UnpackedGraph> unpack(std::string_view bytes, const PackOptions& options) {
    CROTON_ASSERT(options.find_op);
    try {
        return Unpacker(bytes, options).run();
    } catch (const NotPacked&) {
        return {};
    } catch (const Error&) {  // sizes that no array can have
        return {};
    }
}

}  // namespace croton
