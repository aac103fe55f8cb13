// Comparing graphs by structure.
#include "croton/graph/text.hpp"

namespace croton {

namespace {
/// Grows a one-to-one correspondence from the outputs downwards until it breaks.
class Comparison {
  public:
    std::string run(const Variables& a, const Variables& b, const Variables& inputs_a,
                    const Variables& inputs_b) {
        declare(inputs_a, inputs_b);
        pair_all(a, b, "outputs");
        while (difference_.empty() && !waiting_.empty()) {
            auto [first, second] = waiting_.back();
            waiting_.pop_back();
            compare(*first, *second);
        }
        return difference_;
    }

  private:
    static std::string describe(const Node& node) {
        switch (node.kind) {
            case NodeKind::Input: return cat("the input ", node.types[0].text());
            case NodeKind::Constant: return cat("the constant ", node.constant->text());
            case NodeKind::Shared: return cat("the shared variable ", node.types[0].text());
            case NodeKind::Wildcard: return "a wildcard";
            case NodeKind::Apply: break;
        }
        return cat(node.op->name, " made at ", node.site.text());
    }

    template <class... Parts>
    void differ(const Parts&... parts) {
        if (difference_.empty()) difference_ = cat(parts...);
    }
    void differ_at(const Node& a, const Node& b, std::string_view how) {
        differ(describe(a), " against ", describe(b), ": ", how);
    }

    /// Inputs of a whole graph or of an inner one: they correspond in order.
    void declare(const Variables& a, const Variables& b) {
        if (a.size() != b.size()) return differ(a.size(), " inputs against ", b.size());
        for (size_t i = 0; i < a.size(); ++i) {
            if (!same_type(a[i].type(), b[i].type()))
                differ("input ", i, ": ", a[i].type().text(), " against ", b[i].type().text());
            forth_.emplace(a[i], b[i]);
            back_.emplace(b[i], a[i]);
        }
    }

    void pair_all(const Variables& a, const Variables& b, std::string_view what) {
        if (a.size() != b.size())
            return differ(a.size(), " ", what, " against ", b.size());
        for (size_t i = 0; i < a.size(); ++i) pair(a[i], b[i]);
    }

    void pair(const Variable& a, const Variable& b) {
        if (!a || !b) {
            if (a || b) differ("a variable against none");
            return;
        }
        if (a.kind() == NodeKind::Constant && b.kind() == NodeKind::Constant)
            return compare(a.node(), b.node());
        if (a.index() != b.index())
            return differ_at(a.node(), b.node(),
                             cat("output ", a.index(), " against ", b.index()));
        auto [to, fresh] = forth_.emplace(a, b);
        auto [from, fresh_back] = back_.emplace(b, a);
        if (!(to->second == b) || !(from->second == a))
            return differ_at(a.node(), b.node(), "shared in one graph, not in the other");
        if (fresh && fresh_back) waiting_.emplace_back(&a.node(), &b.node());
    }

    void compare(const Node& a, const Node& b) {
        if (a.kind != b.kind || a.op != b.op || a.weak != b.weak)
            return differ_at(a, b, "different");
        for (size_t i = 0; i < a.types.size(); ++i)
            if (!same_type(a.types[i], b.types[i]))
                return differ_at(a, b, cat(a.types[i].text(), " against ", b.types[i].text()));
        if (a.kind == NodeKind::Constant && !a.constant->identical(*b.constant))
            return differ_at(a, b, "other values");
        if (a.kind != NodeKind::Apply) return;
        if (nodes_.emplace(&a, &b).first->second != &b || nodes_back_.emplace(&b, &a).first->second != &a)
            return differ_at(a, b, "shared in one graph, not in the other");
        compare_attributes(a, b);
        pair_all(a.inputs, b.inputs, cat("inputs of ", a.op->name));
    }

    void compare_attributes(const Node& a, const Node& b) {
        for (size_t i = 0; i < a.attrs->values.size(); ++i) {
            const auto& first = a.attrs->values[i];
            const auto& second = b.attrs->values[i];
            auto graph_a = subgraph_of(first), graph_b = subgraph_of(second);
            if (graph_a && graph_b)
                compare_graphs(*graph_a, *graph_b);
            else if (!attr_equal(first, second))
                differ_at(a, b, cat(a.op->attributes[i].name, "=", attr_text(first), " against ",
                                    attr_text(second)));
        }
    }

    void compare_graphs(const Subgraph& a, const Subgraph& b) {
        auto [found, fresh] = graphs_.emplace(&a, &b);
        if (found->second != &b) return differ("inner graph ", a.text(), ": used otherwise");
        if (!fresh) return;
        declare(a.inputs(), b.inputs());
        pair_all(a.outputs(), b.outputs(), cat("outputs of the inner graph ", a.text()));
    }

    bool same_type(const TensorType& a, const TensorType& b) {
        if (a.dtype != b.dtype || a.rank() != b.rank()) return false;
        for (size_t i = 0; i < a.dims.size(); ++i)
            if (!same_dim(a.dims[i], b.dims[i])) return false;
        return true;
    }
    bool same_dim(Dim a, Dim b) {
        if (!a.symbolic() || !b.symbolic()) return a == b;
        return symbols_.emplace(a.code(), b.code()).first->second == b.code() &&
               symbols_back_.emplace(b.code(), a.code()).first->second == a.code();
    }

    std::unordered_map<Variable, Variable> forth_, back_;
    std::unordered_map<const Node*, const Node*> nodes_, nodes_back_;
    std::unordered_map<const Subgraph*, const Subgraph*> graphs_;
    std::unordered_map<int64_t, int64_t> symbols_, symbols_back_;
    std::vector<std::pair<const Node*, const Node*>> waiting_;
    std::string difference_;
};
}  // namespace

std::string graph_difference(const Variables& a, const Variables& b, const Variables& inputs_a,
                             const Variables& inputs_b) {
    return Comparison().run(a, b, inputs_a, inputs_b);
}

bool same_graph(const Variables& a, const Variables& b, const Variables& inputs_a,
                const Variables& inputs_b) {
    return graph_difference(a, b, inputs_a, inputs_b).empty();
}

}  // namespace croton
