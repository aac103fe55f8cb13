// Writing the text form of graphs; text.hpp shows it.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "croton/graph/literal.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"

namespace croton {

std::shared_ptr<const Subgraph> subgraph_of(const AttrValue& value) {
    auto opaque = std::get_if<std::shared_ptr<const Opaque>>(&value);
    return opaque ? std::dynamic_pointer_cast<const Subgraph>(*opaque) : nullptr;
}

namespace {
constexpr int deepest_nesting = 64;

bool is_leaf(const Node& node) {
    return node.kind != NodeKind::Apply && node.kind != NodeKind::Constant;
}

/// Leaves of a graph and of the graphs inside it that no graph around them declares as its own.
class FreeLeaves {
  public:
    Variables find(const Variables& outputs, const Variables& declared) {
        wait_for(outputs, declared, nullptr);
        while (!waiting_.empty()) {
            auto [outputs_here, scope] = std::move(waiting_.back());
            waiting_.pop_back();
            for (Node* node : toposort(outputs_here, scope->declared)) visit(node, scope);
        }
        return std::move(found_);
    }

  private:
    struct Scope {
        Variables declared;
        std::unordered_set<Variable> set;
        std::shared_ptr<const Scope> outer;
    };
    using ScopePointer = std::shared_ptr<const Scope>;

    void wait_for(const Variables& outputs, const Variables& declared, const ScopePointer& outer) {
        auto scope =
            std::make_shared<Scope>(Scope{declared, {declared.begin(), declared.end()}, outer});
        waiting_.emplace_back(outputs, std::move(scope));
    }

    void visit(Node* node, const ScopePointer& scope) {
        Variable leaf(node, 0);
        if (is_leaf(*node) && !declared_in(scope.get(), leaf) && seen_.insert(node).second)
            found_.push_back(leaf);
        if (!node->attrs) return;
        for (const auto& value : node->attrs->values)
            if (auto graph = subgraph_of(value); graph && seen_.insert(graph.get()).second)
                wait_for(graph->outputs(), graph->inputs(), scope);
    }

    static bool declared_in(const Scope* scope, const Variable& leaf) {
        for (; scope; scope = scope->outer.get())
            if (scope->set.contains(leaf)) return true;
        return false;
    }

    Variables found_;
    std::vector<std::pair<Variables, ScopePointer>> waiting_;
    std::unordered_set<const void*> seen_;
};

class Printer {
  public:
    explicit Printer(const PrintOptions& options) : options_(options) {}

    std::string run(const Variables& outputs) {
        Variables head = options_.inputs;
        for (auto& leaf : FreeLeaves().find(outputs, head)) head.push_back(leaf);
        print_graph(options_.name, head, outputs);
        return out_ + '\n';
    }

  private:
    using Ids = std::unordered_map<Variable, uint64_t>;

    void print_graph(const std::string& name, const Variables& head, const Variables& outputs) {
        if (++depth_ > deepest_nesting)
            fail(ErrorKind::Value, "graphs nested deeper than ", deepest_nesting,
                 " cannot be printed");
        // Inside, the leaves around are visible, but no node: one below a leaf that is declared
        // anew would mean something else.
        Ids visible = leaves_, around = std::exchange(ids_, leaves_);
        out_ += "graph";
        if (!name.empty()) out_ += ' ' + name_text(name);
        out_ += '(';
        for (size_t i = 0; i < head.size(); ++i) {
            if (i > 0) out_ += ", ";
            print_leaf(head[i]);
        }
        leaves_ = ids_;
        out_ += ") {\n";
        for (Node* node : toposort(outputs, head)) print_node(node);
        indent();
        out_ += "return";
        print_values(outputs, " ");
        out_ += '\n';
        ids_ = std::move(around);
        leaves_ = std::move(visible);
        --depth_;
        indent();
        out_ += '}';
    }

    void indent() { out_.append(2 * static_cast<size_t>(depth_), ' '); }

    static std::string name_text(std::string_view name) {
        return text::is_name(name) ? std::string(name) : text::quoted(name);
    }

    void define(const Variable& v) {
        out_ += '%' + std::to_string(next_id_);
        ids_.insert_or_assign(v, next_id_++);
    }

    void print_leaf(const Variable& v) {
        define(v);
        out_ += ": ";
        if (v.kind() == NodeKind::Wildcard) {
            out_ += "wildcard";
        } else {
            if (v.kind() == NodeKind::Shared) out_ += "shared ";
            out_ += v.type().text();
        }
        print_name(v);
        if (v.kind() == NodeKind::Shared && options_.shared_values) {
            Array value = SharedVariable(v).get_value();
            out_ += " = " + cat(dtype_short(value.dtype()), "[", join(value.shape(), ","), "] ");
            out_ += data_text(value);
        }
        print_site(v.site());
    }

    void print_name(const Variable& v) {
        if (!v.name().empty()) out_ += ' ' + text::quoted(v.name());
    }

    void print_site(Site site) {
        if (options_.sites == PrintOptions::Sites::None || !site.known()) return;
        std::string_view file = site.file;
        auto slash = file.rfind('/');
        if (options_.sites == PrintOptions::Sites::Short && slash != std::string_view::npos)
            file.remove_prefix(slash + 1);
        bool plain = file.find_first_of(" \t\n\r\",:()\\{}") == std::string_view::npos;
        out_ += " @ " + (plain && !file.empty() ? std::string(file) : text::quoted(file)) + ':' +
                std::to_string(site.line);
    }

    bool stands_inline(const Node& node) const {
        return node.kind == NodeKind::Constant && node.names.empty() &&
               (node.constant->rank() == 0 ||
                static_cast<size_t>(node.constant->size()) <= options_.inline_elements);
    }

    void print_node(Node* node) {
        if (stands_inline(*node)) return;
        Variables results;
        for (uint32_t i = 0; i < node->types.size(); ++i) results.emplace_back(node, i);
        // Nothing is left to define if the head cuts all of it off.
        if (std::all_of(results.begin(), results.end(),
                        [&](const Variable& v) { return ids_.contains(v); }))
            return;
        indent();
        for (size_t i = 0; i < results.size(); ++i) {
            if (i > 0) out_ += ", ";
            if (ids_.contains(results[i]))
                out_ += '%' + std::to_string(next_id_++);  // nobody uses it under this name
            else
                define(results[i]);
        }
        out_ += " = ";
        if (node->kind == NodeKind::Constant) {
            out_ += "constant " + constant_text(*node);
            print_name(results[0]);
        } else {
            print_application(*node, results);
        }
        print_site(node->site);
        out_ += '\n';
    }

    void print_application(const Node& node, const Variables& results) {
        out_ += name_text(node.op->name) + '(';
        print_values(node.inputs, "");
        out_ += ')';
        print_attributes(node);
        for (size_t i = 0; i < results.size(); ++i) {
            if (!node.pattern) (out_ += i == 0 ? " : " : ", ") += type_text(node.types[i]);
            print_name(results[i]);
        }
    }

    /// Neighbours often have the same type.
    const std::string& type_text(const TensorType& type) {
        if (!(type == last_type_) || last_text_.empty()) {
            last_type_ = type;
            last_text_ = type.text();
        }
        return last_text_;
    }

    void print_attributes(const Node& node) {
        std::string_view before = " {";
        for (size_t i = 0; i < node.attrs->values.size(); ++i) {
            const auto& spec = node.op->attributes[i];
            const auto& value = node.attrs->values[i];
            if (!spec.required && attr_equal(value, spec.default_value)) continue;
            out_ += cat(before, spec.name, "=");
            print_attribute(value);
            before = ", ";
        }
        if (before != " {") out_ += '}';
    }

    void print_attribute(const AttrValue& value) {
        auto graph = subgraph_of(value);
        if (!graph) {
            auto number = std::get_if<double>(&value);
            out_ += number ? text::element_text(DType::Float64, number, 0) : attr_text(value);
        } else if (auto found = graphs_.find(graph.get()); found != graphs_.end()) {
            out_ += '#' + std::to_string(found->second);
        } else {
            graphs_.emplace(graph.get(), graphs_.size());
            print_graph(graph->text(), graph->inputs(), graph->outputs());
        }
    }

    void print_values(const Variables& values, std::string_view before) {
        for (const auto& v : values) {
            out_ += before;
            print_value(v);
            before = ", ";
        }
    }

    void print_value(const Variable& v) {
        if (!v)
            out_ += "none";
        else if (auto found = ids_.find(v); found != ids_.end())
            out_ += '%' + std::to_string(found->second);
        else
            out_ += constant_text(v.node());
    }

    /// Plain literals are weak numbers; everything else names its type.
    std::string constant_text(const Node& node) const {
        const Array& value = *node.constant;
        DType dtype = value.dtype();
        bool literal = dtype == DType::Bool || dtype == DType::Int64 || dtype == DType::Float64;
        std::string data = data_text(value);
        if (node.weak && literal && value.rank() == 0) return data;
        return (node.weak ? "weak " : "") + node.types[0].text() + ' ' + data;
    }

    std::string data_text(const Array& value) const {
        bool list = static_cast<size_t>(value.size()) <= options_.base64_elements;
        return list ? text::array_text(value) : "base64 \"" + text::base64_of(value) + '"';
    }

    const PrintOptions& options_;
    std::string out_;
    Ids ids_, leaves_;  ///< all values of the graph being printed; leaves visible in it
    std::unordered_map<const Subgraph*, size_t> graphs_;
    TensorType last_type_;
    std::string last_text_;
    uint64_t next_id_ = 0;
    int depth_ = 0;
};
}  // namespace

std::string print(const Variables& outputs, const PrintOptions& options) {
    return Printer(options).run(outputs);
}

}  // namespace croton
