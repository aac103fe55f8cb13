// Writing graphs as bytes; packed.hpp says what for.
#include "croton/graph/packed_parts.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

namespace {
using namespace packed;

struct AttrsHash {
    size_t operator()(const Attrs* attrs) const { return attrs->hash(); }
};
struct AttrsEqual {
    bool operator()(const Attrs* a, const Attrs* b) const { return a->equals(*b); }
};

class Packer final : PartsWriter {
  public:
    explicit Packer(const PackOptions& options) : PartsWriter(options) {}

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
        write_elements(*node.constant);
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

    size_t attrs_number(const Node& node, const Scope& scope) {
        auto [number, added] = attrs_[node.attrs.get()];
        if (!added) return number;
        out_.byte(static_cast<uint8_t>(Tag::Attrs));
        out_.number(node.attrs->values.size());
        for (const auto& value : node.attrs->values) {
            around_ = &scope;
            write_attribute(value);
        }
        return number;
    }

    // A graph, once.
    void write_opaque(const AttrValue& value) override {
        auto graph = subgraph_of(value);
        tellable_ &= graph != nullptr;
        if (!graph) return;
        auto [number, added] = graphs_[graph.get()];
        out_.number(1 + number);
        if (!added) return;
        out_.text(graph->text());
        Scope inside{.outer = around_};
        write_graph(graph->inputs(), graph->outputs(), inside);
    }

    int depth_ = 0;
    uint64_t next_ = 1;
    const Scope* around_ = nullptr;  ///< of the attribute that is being written
    Numbered<const Attrs*, AttrsHash, AttrsEqual> attrs_;
    Numbered<const Subgraph*> graphs_;
};
}  // namespace

std::optional<std::string> pack(const Variables& inputs, const Variables& outputs,
                                const PackOptions& options) {
    CROTON_ASSERT(options.find_op);
    return Packer(options).run(inputs, outputs);
}

}  // namespace croton
