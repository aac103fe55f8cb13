#pragma once
// Reads what pack() wrote: the proof that the bytes, whose hash is a key of the disk cache, tell
// all of a graph.
#include "croton/graph/packed_parts.hpp"

namespace croton::test {

using namespace packed;

struct UnpackedGraph {
    Variables inputs, outputs;
};

class Unpacker final : PartsReader {
  public:
    Unpacker(std::string_view bytes, const PackOptions& options) : PartsReader(bytes, options) {}

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
        Variable made = constant(read_elements(type), Site{});
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

    using AttrsPointer = std::shared_ptr<const Attrs>;

    static AttrsPointer no_attrs() {
        static const auto none = std::make_shared<const Attrs>();
        return none;
    }

    AttrsPointer used_attrs(const OpRecord& op) {
        uint64_t number = in_.number();
        require(number < attrs_.size() && attrs_[number]);  // none is inside of itself
        require(fit(*attrs_[number], op));
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

    std::shared_ptr<const Opaque> read_opaque() override {
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

    int depth_ = 0;
    std::vector<Variable> values_;
    std::vector<AttrsPointer> attrs_;
    std::vector<std::shared_ptr<const Opaque>> graphs_;
};

/// Types are those that were written: nothing is inferred. Nothing if the bytes are not what pack()
/// writes, or hold shared variables, whose values they do not have.
inline std::optional<UnpackedGraph> unpack(std::string_view bytes, const PackOptions& options) {
    try {
        return Unpacker(bytes, options).run();
    } catch (const NotReadable&) {
        return {};
    } catch (const Error&) {  // sizes that no array can have
        return {};
    }
}

}  // namespace croton::test
