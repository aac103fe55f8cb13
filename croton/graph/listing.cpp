#include "croton/graph/listing.hpp"

#include <algorithm>
#include <unordered_set>

#include "croton/graph/literal.hpp"
#include "croton/graph/text.hpp"

namespace croton {

namespace {
/// 0: A, 25: Z, 26: AA, ...
std::string letters(size_t number) {
    std::string text;
    for (++number; number > 0; number = (number - 1) / 26)
        text += static_cast<char>('A' + (number - 1) % 26);
    std::reverse(text.begin(), text.end());
    return text;
}

std::string attributes_text(const Node& node) {
    std::string text;
    for (size_t i = 0; i < node.attrs->values.size(); ++i) {
        const auto& spec = node.op->attributes[i];
        const auto& value = node.attrs->values[i];
        if (!spec.required && attr_equal(value, spec.default_value)) continue;
        text += cat(text.empty() ? " {" : ", ", spec.name, "=", attr_text(value));
    }
    return text.empty() ? text : text + '}';
}

std::string short_constant(const Array& value) {
    if (value.rank() == 0) return text::element_text(value.dtype(), value.data(), 0);
    return value.size() <= 8 ? text::array_text(value) : "<" + value.type().text() + ">";
}

class Lister {
  public:
    explicit Lister(const ListingOptions& options) : options_(options) {}

    std::string run(const Variables& outputs) {
        list_all(outputs);
        for (size_t i = 0; i < graphs_.size(); ++i) {
            const Subgraph& graph = *graphs_[i];
            out_ += cat(i == 0 ? "\nInner graphs:\n" : "", "\n", graph.text(), "(");
            out_ += join(graph.inputs(), ", ", [&](const auto& v) { return label(v); }) + ")\n";
            list_all(graph.outputs());
        }
        return out_;
    }

  private:
    /// A line to come: the strokes before it and those before what hangs below it.
    struct Line {
        Variable value;
        std::string before, below;
        int depth;
    };

    void list_all(const Variables& outputs) {
        for (size_t i = outputs.size(); i-- > 0;) waiting_.push_back({outputs[i], "", "", 0});
        while (!waiting_.empty()) {
            Line line = std::move(waiting_.back());
            waiting_.pop_back();
            list(line);
        }
    }

    void list(const Line& line) {
        out_ += line.before;
        if (!line.value) {
            out_ += "none\n";
            return;
        }
        const Node& node = line.value.node();
        bool applied = node.kind == NodeKind::Apply;
        bool again = !seen_.insert(line.value).second;
        out_ += label(line.value);
        if (applied && !again) describe(line.value);
        if (applied && again) out_ += "  ···";
        bool named = options_.stop_on_name && line.depth > 0 && !line.value.name().empty();
        bool deep = applied && !again && !named && line.depth >= options_.depth;
        if (deep) out_ += "  (deeper levels are not shown)";
        out_ += '\n';
        if (applied && !again && !named && !deep) push_inputs(line, node);
    }

    void push_inputs(const Line& line, const Node& node) {
        for (size_t i = node.inputs.size(); i-- > 0;) {
            bool last = i + 1 == node.inputs.size();
            waiting_.push_back({node.inputs[i], line.below + (last ? "└─ " : "├─ "),
                                line.below + (last ? "   " : "│  "), line.depth + 1});
        }
    }

    std::string label(const Variable& v) {
        const Node& node = v.node();
        bool applied = node.kind == NodeKind::Apply;
        std::string text;
        if (applied)
            text = std::string(node.op->name);
        else if (!v.name().empty())
            text = v.name();
        else if (node.kind == NodeKind::Constant)
            text = short_constant(*node.constant);
        else
            text = "<" + v.type().text() + ">";
        if (applied && node.types.size() > 1) text += cat(".", v.index());
        if (options_.print_ids) text += " [" + id(v) + "]";
        return text;
    }

    std::string id(const Variable& v) {
        return letters(ids_.emplace(v, ids_.size()).first->second);
    }

    void describe(const Variable& v) {
        const Node& node = v.node();
        if (options_.print_attributes) out_ += attributes_text(node);
        if (options_.print_type) out_ += " " + v.type().text();
        if (!v.name().empty()) out_ += " " + text::quoted(v.name());
        if (options_.print_sites && node.site.known()) out_ += "  " + node.site.text();
        for (const auto& value : node.attrs->values)
            if (auto graph = subgraph_of(value); graph && known_graphs_.insert(graph.get()).second)
                graphs_.push_back(graph);
    }

    const ListingOptions& options_;
    std::string out_;
    std::vector<Line> waiting_;
    std::unordered_map<Variable, size_t> ids_;
    std::unordered_set<Variable> seen_;
    std::vector<std::shared_ptr<const Subgraph>> graphs_;
    std::unordered_set<const Subgraph*> known_graphs_;
};
}  // namespace

std::string debugprint(const Variables& outputs, const ListingOptions& options) {
    return Lister(options).run(outputs);
}

std::string debugprint(const Variable& output, const ListingOptions& options) {
    return debugprint(Variables{output}, options);
}

// --- formulas -----------------------------------------------------------------------------------

namespace {
/// How tightly things bind, as in Python.
enum Binding : int {
    loosest,
    comparison,
    bit_or,
    bit_xor,
    bit_and,
    shift,
    sum,
    product,
    sign,
    power,
    atom,
};

struct Notation {
    std::string_view op, symbol;
    Binding binding;
    bool right_first = false;  ///< a ** b ** c is a ** (b ** c)
};

/// The ops that are written with signs. Ops with an attribute "index" are written with brackets,
/// every other one as a call.
constexpr Notation notations[] = {
    {"add", "+", sum},
    {"sub", "-", sum},
    {"mul", "*", product},
    {"div", "/", product},
    {"floor_div", "//", product},
    {"mod", "%", product},
    {"dot", "@", product},
    {"matmul", "@", product},
    {"matrix_product", "@", product},
    {"neg", "-", sign},
    {"pow", "**", power, true},
    {"lt", "<", comparison},
    {"le", "<=", comparison},
    {"gt", ">", comparison},
    {"ge", ">=", comparison},
    {"eq", "==", comparison},
    {"ne", "!=", comparison},
    {"bitwise_or", "|", bit_or},
    {"bitwise_xor", "^", bit_xor},
    {"bitwise_and", "&", bit_and},
    {"left_shift", "<<", shift},
    {"right_shift", ">>", shift},
    {"invert", "~", sign},
};

const Notation* notation_of(const OpRecord& op, size_t arguments) {
    for (const auto& notation : notations)
        if (notation.op == op.name && arguments == (notation.binding == sign ? 1u : 2u))
            return &notation;
    return nullptr;
}

/// Sets out pieces of text and values still to be written on one stack, so that depth costs memory
/// and not stack frames.
class FormulaWriter {
  public:
    explicit FormulaWriter(const FormulaOptions& options) : options_(options) {}

    std::string run(const Variable& root) {
        root_ = root;
        waiting_.push_back({"", root, loosest});
        while (!waiting_.empty() && out_.size() <= options_.max_length) {
            Piece piece = std::move(waiting_.back());
            waiting_.pop_back();
            out_ += piece.text;
            if (piece.value)
                write(piece.value, piece.binding);
            else if (piece.text.empty())
                out_ += "none";
        }
        if (waiting_.empty() && out_.size() <= options_.max_length) return out_;
        out_.resize(options_.max_length);
        // Not in the middle of a letter of several bytes.
        while (!out_.empty() && (out_.back() & 0x80)) out_.pop_back();
        return out_ + "...";
    }

  private:
    struct Piece {
        std::string text;
        Variable value;
        int binding = loosest;  ///< anything looser needs parentheses here
    };

    void write(const Variable& v, int binding) {
        const Node& node = v.node();
        bool hidden = options_.stop_on_name && !(v == root_) && !v.name().empty();
        if (node.kind != NodeKind::Apply || hidden) {
            std::string text = leaf_text(v);
            bool negative = text.starts_with("-") && binding > sign;
            out_ += negative ? "(" + text + ")" : text;
            return;
        }
        pieces_.clear();
        if (auto notation = notation_of(*node.op, node.inputs.size()))
            write_signs(node, *notation, binding);
        else if (auto index = index_of(node))
            write_index(v, *index);
        else
            write_call(v);
        waiting_.insert(waiting_.end(), std::make_move_iterator(pieces_.rbegin()),
                        std::make_move_iterator(pieces_.rend()));
    }

    static std::string leaf_text(const Variable& v) {
        if (!v.name().empty()) return v.name();
        if (auto value = constant_value(v)) return number_like(*value);
        if (v.kind() == NodeKind::Wildcard) return "_";
        return "<" + v.type().text() + ">";
    }

    /// Numbers as one writes them by hand: "2", not "2.0".
    static std::string number_like(const Array& value) {
        std::string text = short_constant(value);
        return value.rank() == 0 && text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
    }

    void write_signs(const Node& node, const Notation& notation, int binding) {
        bool inside = notation.binding < binding;
        if (inside) put("(");
        if (notation.binding == sign) {
            put(std::string(notation.symbol));
            put(node.inputs[0], sign);
        } else {
            // The side that does not come first by itself, and both of a comparison, need more.
            bool left_first = !notation.right_first && notation.binding != comparison;
            put(node.inputs[0], notation.binding + (left_first ? 0 : 1));
            put(cat(" ", notation.symbol, " "));
            put(node.inputs[1], notation.binding + (notation.right_first ? 0 : 1));
        }
        if (inside) put(")");
    }

    static const std::string* index_of(const Node& node) {
        for (size_t i = 0; i < node.attrs->values.size(); ++i)
            if (node.op->attributes[i].name == "index")
                return std::get_if<std::string>(&node.attrs->values[i]);
        return nullptr;
    }

    /// x[1:n]: the last inputs stand where the index has '$' and '@'. Writes are calls:
    /// "set_index(x[1:n], y, mode="add")".
    void write_index(const Variable& v, std::string index) {
        while (index.ends_with(", :")) index.resize(index.size() - 3);
        const Node& node = v.node();
        auto places =
            std::count_if(index.begin(), index.end(), [](char c) { return c == '$' || c == '@'; });
        size_t count = std::min(static_cast<size_t>(places), node.inputs.size() - 1);
        size_t next = node.inputs.size() - count, others = next;
        if (others > 1) put(cat(node.op->name, "("));
        put(node.inputs[0], atom);
        put("[");
        size_t start = 0;
        for (size_t i = 0; i < index.size(); ++i)
            if ((index[i] == '$' || index[i] == '@') && next < node.inputs.size()) {
                if (i > start) put(index.substr(start, i - start));
                put(node.inputs[next++], loosest);
                start = i + 1;
            }
        put(index.substr(start) + "]");
        if (others == 1) return;
        for (size_t i = 1; i < others; ++i) put(", "), put(node.inputs[i], loosest);
        put(keywords_of(node) + ")");
    }

    void write_call(const Variable& v) {
        const Node& node = v.node();
        put(cat(node.op->name, "("));
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            if (i > 0) put(", ");
            put(node.inputs[i], loosest);
        }
        std::string keywords = keywords_of(node);
        if (node.inputs.empty() && !keywords.empty()) keywords.erase(0, 2);
        put(keywords + ")");
        if (node.types.size() > 1) put(cat("[", v.index(), "]"));
    }

    static std::string keywords_of(const Node& node) {
        std::string text;
        for (size_t i = 0; i < node.attrs->values.size(); ++i) {
            const auto& spec = node.op->attributes[i];
            const auto& value = node.attrs->values[i];
            bool usual = !spec.required && attr_equal(value, spec.default_value);
            usual |= spec.name == "index" && std::holds_alternative<std::string>(value);
            if (!usual && !all_axes(node, spec, value)) text += ", " + keyword(spec.name, value);
        }
        return text;
    }

    /// NumPy's way to say "over everything" is to say nothing.
    static bool all_axes(const Node& node, const AttrSpec& spec, const AttrValue& value) {
        auto axes = std::get_if<Ints>(&value);
        return spec.name == "axes" && axes && node.op->kind<ReduceCompute>() &&
               axes->size() == node.inputs[0].type().dims.size();
    }

    static std::string keyword(std::string_view name, const AttrValue& value) {
        if (auto flag = std::get_if<bool>(&value)) return cat(name, "=", *flag ? "True" : "False");
        auto axes = std::get_if<Ints>(&value);
        if (!axes || name != "axes") return cat(name, "=", attr_text(value));
        if (axes->size() == 1) return cat("axis=", (*axes)[0]);
        return cat("axis=(", join(*axes), ")");
    }

    void put(std::string text) { pieces_.push_back({std::move(text), {}, loosest}); }
    void put(const Variable& value, int binding) { pieces_.push_back({"", value, binding}); }

    const FormulaOptions& options_;
    Variable root_;
    std::vector<Piece> waiting_, pieces_;
    std::string out_;
};
}  // namespace

std::string pp(const Variable& variable, const FormulaOptions& options) {
    return variable ? FormulaWriter(options).run(variable) : "none";
}

}  // namespace croton
