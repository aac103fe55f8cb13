// Comparing graphs by structure.
#include <deque>
#include <optional>

#include "croton/graph/text.hpp"

namespace croton {

namespace {
/// Grows a one-to-one correspondence from the outputs downwards until it breaks.
class Comparison {
  public:
    std::string run(const Variables& a, const Variables& b, const Variables& inputs_a,
                    const Variables& inputs_b) {
        auto& whole = scopes_.emplace_back();
        declare(whole, inputs_a, inputs_b);
        pair_all(whole, a, b, "outputs");
        while (difference_.empty() && !waiting_.empty()) {
            auto [scope, first, second] = waiting_.back();
            waiting_.pop_back();
            compare(*scope, *first, *second);
        }
        return difference_;
    }

  private:
    /// One to one between two sets.
    template <class Key>
    struct Pairs {
        std::unordered_map<Key, Key> forth, back;
        bool add(const Key& a, const Key& b) {
            return forth.emplace(a, b).first->second == b && back.emplace(b, a).first->second == a;
        }
        /// Null if neither is paired, else whether they are with each other.
        std::optional<bool> find(const Key& a, const Key& b) const {
            auto to = forth.find(a);
            auto from = back.find(b);
            if (to == forth.end() && from == back.end()) return {};
            return to != forth.end() && from != back.end() && to->second == b;
        }
    };
    /// The whole graph or an inner one: nodes belong to one, declared inputs are seen inside too.
    struct Scope {
        const Scope* outer = nullptr;
        Pairs<Variable> declared;
        Pairs<const Node*> nodes;
    };

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
    void declare(Scope& scope, const Variables& a, const Variables& b) {
        if (a.size() != b.size()) return differ(a.size(), " inputs against ", b.size());
        for (size_t i = 0; i < a.size(); ++i) {
            if (!same_type(a[i].type(), b[i].type()))
                differ("input ", i, ": ", a[i].type().text(), " against ", b[i].type().text());
            scope.declared.add(a[i], b[i]);
        }
    }

    void pair_all(Scope& scope, const Variables& a, const Variables& b, std::string_view what) {
        if (a.size() != b.size()) return differ(a.size(), " ", what, " against ", b.size());
        for (size_t i = 0; i < a.size(); ++i) pair(scope, a[i], b[i]);
    }

    void pair(Scope& scope, const Variable& a, const Variable& b) {
        if (!a || !b) {
            if (a || b) differ("a variable against none");
            return;
        }
        for (const Scope* s = &scope; s; s = s->outer)
            if (auto same = s->declared.find(a, b)) {
                if (!*same) differ_at(a.node(), b.node(), "other inputs");
                return;
            }
        if (a.index() != b.index())
            return differ_at(a.node(), b.node(), cat("output ", a.index(), " against ", b.index()));
        const Node *first = &a.node(), *second = &b.node();
        bool constants = first->kind == NodeKind::Constant && second->kind == NodeKind::Constant;
        if (constants) return compare(scope, *first, *second);
        auto& known = first->kind == NodeKind::Apply ? scope.nodes : leaves_;
        auto same = known.find(first, second);
        if (same && !*same)
            return differ_at(*first, *second, "shared in one graph, not in the other");
        if (same) return;
        known.add(first, second);
        waiting_.push_back({&scope, first, second});
    }

    void compare(Scope& scope, const Node& a, const Node& b) {
        if (a.kind != b.kind || a.op != b.op || a.weak != b.weak)
            return differ_at(a, b, "different");
        if (a.types.size() != b.types.size())
            return differ_at(a, b, cat(a.types.size(), " results against ", b.types.size()));
        for (size_t i = 0; i < a.types.size(); ++i)
            if (!same_type(a.types[i], b.types[i]))
                return differ_at(a, b, cat(a.types[i].text(), " against ", b.types[i].text()));
        if (a.kind == NodeKind::Constant && !a.constant->identical(*b.constant))
            return differ_at(a, b, "other values");
        if (a.kind != NodeKind::Apply) return;
        compare_attributes(scope, a, b);
        pair_all(scope, a.inputs, b.inputs, cat("inputs of ", a.op->name));
    }

    void compare_attributes(Scope& scope, const Node& a, const Node& b) {
        for (size_t i = 0; i < a.attrs->values.size(); ++i) {
            const auto& first = a.attrs->values[i];
            const auto& second = b.attrs->values[i];
            auto graph_a = subgraph_of(first), graph_b = subgraph_of(second);
            if (graph_a && graph_b)
                compare_graphs(scope, *graph_a, *graph_b);
            else if (!attr_equal(first, second))
                differ_at(a, b,
                          cat(a.op->attributes[i].name, "=", attr_text(first), " against ",
                              attr_text(second)));
        }
    }

    void compare_graphs(Scope& outer, const Subgraph& a, const Subgraph& b) {
        auto [found, fresh] = graphs_.emplace(&a, &b);
        if (found->second != &b) return differ("inner graph ", a.text(), ": used otherwise");
        if (!fresh) return;
        auto& scope = scopes_.emplace_back();
        scope.outer = &outer;
        declare(scope, a.inputs(), b.inputs());
        pair_all(scope, a.outputs(), b.outputs(), cat("outputs of the inner graph ", a.text()));
    }

    bool same_type(const TensorType& a, const TensorType& b) {
        if (a.dtype != b.dtype || a.rank() != b.rank()) return false;
        for (size_t i = 0; i < a.dims.size(); ++i)
            if (!same_dim(a.dims[i], b.dims[i])) return false;
        return true;
    }
    bool same_dim(Dim a, Dim b) {
        if (!a.symbolic() || !b.symbolic()) return a == b;
        return symbols_.add(a.code(), b.code());
    }

    struct Waiting {
        Scope* scope;
        const Node *a, *b;
    };
    std::deque<Scope> scopes_;
    Pairs<const Node*> leaves_;
    Pairs<int64_t> symbols_;
    std::unordered_map<const Subgraph*, const Subgraph*> graphs_;
    std::vector<Waiting> waiting_;
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
