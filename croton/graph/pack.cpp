// Writing graphs as bytes; packed.hpp says what for.
#include <bit>
#include <unordered_map>

#include "croton/graph/packed.hpp"
#include "croton/graph/packed_parts.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

namespace {
using namespace packed;

class Writer {
  public:
    void byte(uint8_t value) { out_ += static_cast<char>(value); }
    void number(uint64_t value) {
        for (; value >= 128; value >>= 7) byte(static_cast<uint8_t>(value | 128));
        byte(static_cast<uint8_t>(value));
    }
    void whole(int64_t value) {  // small ones of both signs are short
        number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
    }
    void bytes(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }
    void text(std::string_view text) {
        number(text.size());
        out_ += text;
    }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

/// Numbers of things by the order of their first use.
template <class Key, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class Numbered {
  public:
    /// The number, and whether it is new.
    std::pair<size_t, bool> operator[](const Key& key) {
        auto [place, added] = numbers_.try_emplace(key, numbers_.size());
        return {place->second, added};
    }

  private:
    std::unordered_map<Key, size_t, Hash, Equal> numbers_;
};

struct TypeHash {
    size_t operator()(const TensorType& type) const { return type.hash(); }
};
struct AttrsHash {
    size_t operator()(const Attrs* attrs) const { return attrs->hash(); }
};
struct AttrsEqual {
    bool operator()(const Attrs* a, const Attrs* b) const { return a->equals(*b); }
};

class Packer {
  public:
    explicit Packer(const PackOptions& options) : options_(options) {}

    std::optional<std::string> run(const Variables& inputs, const Variables& outputs) {
        Scope scope;
        write_graph(inputs, outputs, scope);
        return tellable_ ? std::optional(out_.take()) : std::nullopt;
    }

  private:
    /// Inside of an inner graph the leaves around it are visible, but no other value.
    struct Scope {
        FlatMap<ValueKey, uint64_t> values, leaves;
        const Scope* outer = nullptr;
    };

    void write_graph(const Variables& inputs, const Variables& outputs, Scope& scope) {
        if (++depth_ > most_nesting) {
            tellable_ = false;
            return;
        }
        out_.number(inputs.size());
        for (const auto& input : inputs) write_leaf(input, scope);
        for (Node* node : toposort(outputs, inputs)) write_node(node, scope);
        out_.byte(static_cast<uint8_t>(Tag::End));
        out_.number(outputs.size());
        for (const auto& output : outputs) write_value(output, scope);
        --depth_;
    }

    static const uint64_t* number_of(ValueKey v, const Scope& scope) {
        if (auto found = scope.values.find(v)) return found;
        for (const Scope* around = scope.outer; around; around = around->outer)
            if (auto found = around->leaves.find(v)) return found;
        return nullptr;
    }

    // How far back it stands; 0 for nothing.
    void write_value(const Variable& v, const Scope& scope) {
        const uint64_t* number = v ? number_of(v, scope) : nullptr;
        out_.number(number ? next_ - *number : 0);
    }

    void write_leaf(const Variable& v, Scope& scope) {
        scope.values.insert(v, next_);
        scope.leaves.insert(v, next_++);
        bool input = v.kind() == NodeKind::Apply || v.kind() == NodeKind::Constant;
        tellable_ &= !v.node().pattern;
        out_.byte(static_cast<uint8_t>(input ? NodeKind::Input : v.kind()));
        write_type(v.type());
        out_.text(v.name());
        write_site(v.site());
    }

    void write_node(Node* node, Scope& scope) {
        size_t known = 0;
        for (uint32_t i = 0; i < node->types.size(); ++i)
            known += number_of({node, i}, scope) ? 1 : 0;
        if (known == node->types.size()) return;
        if (node->kind == NodeKind::Constant)
            write_constant(*node);
        else if (node->kind == NodeKind::Apply)
            write_applied(*node, scope);
        else {
            out_.byte(static_cast<uint8_t>(Tag::Leaf));
            return write_leaf(Variable(node, 0), scope);
        }
        for (uint32_t i = 0; i < node->types.size(); ++i) {
            out_.text(node->names[i]);
            scope.values.insert({node, i}, next_++);  // where a leaf has the place, it stays
        }
        write_site(node->site);
    }

    void write_constant(const Node& node) {
        out_.byte(static_cast<uint8_t>(Tag::Constant));
        out_.byte(node.weak);
        write_type(node.types[0]);
        Array value = node.constant->contiguous_copy();
        constant_bytes_ += value.nbytes();
        tellable_ &= constant_bytes_ <= options_.most_constant_bytes;
        if (tellable_) out_.bytes(value.data(), static_cast<size_t>(value.nbytes()));
    }

    void write_applied(const Node& node, const Scope& scope) {
        // Attributes may hold graphs, whose values come first.
        size_t attrs = node.attrs->values.empty() ? 0 : attrs_number(node, scope);
        out_.byte(static_cast<uint8_t>(Tag::Apply));
        write_op(*node.op);
        if (!node.attrs->values.empty()) out_.number(attrs);
        out_.number(node.inputs.size());
        for (const auto& input : node.inputs) write_value(input, scope);
        out_.number(node.types.size());
        for (const auto& type : node.types) write_type(type);
    }

    // --- what is written once -----------------------------------------------------------------

    void write_op(const OpRecord& op) {
        auto [number, added] = ops_[&op];
        out_.number(number);
        if (!added) return;
        tellable_ &= options_.find_op(op.name) == &op;
        out_.text(op.name);
    }

    size_t attrs_number(const Node& node, const Scope& scope) {
        auto [number, added] = attrs_[node.attrs.get()];
        if (!added) return number;
        out_.byte(static_cast<uint8_t>(Tag::Attrs));
        out_.number(node.attrs->values.size());
        for (const auto& value : node.attrs->values) write_attribute(value, scope);
        return number;
    }

    void write_attribute(const AttrValue& value, const Scope& scope) {
        out_.byte(static_cast<uint8_t>(value.index()));
        if (auto flag = std::get_if<bool>(&value))
            out_.byte(*flag);
        else if (auto whole = std::get_if<int64_t>(&value))
            out_.whole(*whole);
        else if (auto number = std::get_if<double>(&value))
            out_.bytes(number, sizeof *number);
        else if (auto text = std::get_if<std::string>(&value))
            out_.text(*text);
        else if (auto dtype = std::get_if<DType>(&value))
            out_.byte(static_cast<uint8_t>(*dtype));
        else if (auto ints = std::get_if<Ints>(&value))
            write_ints(*ints);
        else
            write_inner(value, scope);
    }

    void write_ints(const Ints& values) {
        out_.number(values.size());
        for (int64_t value : values) out_.whole(value);
    }

    // Nothing, or a graph, once.
    void write_inner(const AttrValue& value, const Scope& scope) {
        auto opaque = std::get_if<std::shared_ptr<const Opaque>>(&value);
        if (opaque && !*opaque) return out_.number(0);
        auto graph = subgraph_of(value);
        tellable_ &= graph != nullptr;
        if (!graph) return;
        auto [number, added] = graphs_[graph.get()];
        out_.number(1 + number);
        if (!added) return;
        out_.text(graph->text());
        Scope inside{.outer = &scope};
        write_graph(graph->inputs(), graph->outputs(), inside);
    }

    void write_type(const TensorType& type) {
        if (type_seen_ && type == last_type_) return out_.number(last_number_);
        auto [number, added] = types_[type];
        out_.number(number);
        if (added) {
            out_.byte(static_cast<uint8_t>(type.dtype));
            out_.number(type.dims.size());
            for (Dim dim : type.dims) write_dim(dim);
        }
        type_seen_ = true;
        last_type_ = type;
        last_number_ = number;
    }

    void write_dim(Dim dim) {
        if (dim.known() || dim.unknown()) return out_.whole(dim.known() ? dim.size() : -1);
        auto [number, added] = symbols_[dim.code()];
        out_.whole(-2 - static_cast<int64_t>(number));
        if (!added) return;
        std::string name = dim.text();
        out_.text(name == cat("n", -dim.code()) ? "" : name);
    }

    void write_site(const Site& site) {
        out_.number(site.line);
        if (site.line == 0) return;
        if (site.file == last_file_) return out_.number(last_file_number_);
        auto [number, added] = files_[site.file];  // equal names may lie in several places
        out_.number(number);
        if (added) out_.text(site.file);
        last_file_ = site.file;
        last_file_number_ = number;
    }

    const PackOptions& options_;
    Writer out_;
    bool tellable_ = true;
    int depth_ = 0;
    int64_t constant_bytes_ = 0;
    uint64_t next_ = 1;
    Numbered<const OpRecord*> ops_;
    Numbered<const Attrs*, AttrsHash, AttrsEqual> attrs_;
    Numbered<const Subgraph*> graphs_;
    Numbered<TensorType, TypeHash> types_;
    Numbered<int64_t> symbols_;
    Numbered<std::string_view> files_;
    TensorType last_type_;
    bool type_seen_ = false;
    size_t last_number_ = 0, last_file_number_ = 0;
    const char* last_file_ = nullptr;
};
}  // namespace

std::optional<std::string> pack(const Variables& inputs, const Variables& outputs,
                                const PackOptions& options) {
    CROTON_ASSERT(options.find_op);
    return Packer(options).run(inputs, outputs);
}

}  // namespace croton
