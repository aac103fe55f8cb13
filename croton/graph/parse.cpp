// Reading the text form of graphs; text.hpp shows it.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "croton/graph/literal.hpp"
#include "croton/graph/text.hpp"

namespace croton {

namespace {
constexpr int deepest_nesting = 64;

bool in_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// A place in the text, with the small steps that all parsing is made of.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : text_(text) {}

    size_t position() const { return at_; }
    std::string_view from(size_t start) const { return text_.substr(start, at_ - start); }
    size_t left() const { return text_.size() - at_; }

    [[noreturn]] void fail_at(size_t position, std::string_view message,
                              ErrorKind kind = ErrorKind::Value) const {
        auto before = text_.substr(0, position);
        auto line = std::count(before.begin(), before.end(), '\n') + 1;
        auto start = before.rfind('\n');
        auto column = position - (start == std::string_view::npos ? 0 : start + 1) + 1;
        fail(kind, "graph text, line ", line, ", column ", column, ": ", message);
    }
    [[noreturn]] void wrong(std::string_view wanted) const {
        auto rest = text_.substr(at_, 24);
        auto found = rest.substr(0, rest.find('\n'));
        fail_at(at_, cat("expected ", wanted, ", found ",
                         rest.empty() ? "the end of the text" : text::quoted(found)));
    }

    void skip_blanks() {
        for (;;) {
            while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])))
                ++at_;
            if (!text_.substr(at_).starts_with("//")) return;
            at_ = std::min(text_.find('\n', at_), text_.size());
        }
    }
    char peek() {
        skip_blanks();
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool accept(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) wrong(cat("'", c, "'"));
    }
    /// The name that comes next, not taken; "" if none does.
    std::string_view peek_name() {
        skip_blanks();
        size_t end = at_;
        while (end < text_.size() && in_name(text_[end])) ++end;
        return text_.substr(at_, end - at_);
    }
    std::string_view name(std::string_view what) {
        auto found = peek_name();
        if (found.empty()) wrong(what);
        at_ += found.size();
        return found;
    }
    bool accept_word(std::string_view word) {
        if (peek_name() != word) return false;
        at_ += word.size();
        return true;
    }
    void expect_word(std::string_view word) {
        if (!accept_word(word)) wrong(cat("'", word, "'"));
    }
    std::string quoted() {
        skip_blanks();
        size_t start = at_;
        expect('"');
        std::string result;
        for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            bool escaped = text_[at_] == '\\' && at_ + 1 < text_.size();
            if (escaped) ++at_;
            result += escaped && text_[at_] == 'n' ? '\n' : text_[at_];
        }
        if (at_ == text_.size()) fail_at(start, "this quote is not closed");
        ++at_;
        return result;
    }
    std::string name_or_quoted(std::string_view what) {
        return peek() == '"' ? quoted() : std::string(name(what));
    }
    /// Everything up to one of `ends`, without blanks behind.
    std::string_view until(std::string_view ends) {
        skip_blanks();
        size_t start = at_;
        at_ = std::min(text_.find_first_of(ends, at_), text_.size());
        auto taken = text_.substr(start, at_ - start);
        while (!taken.empty() && std::isspace(static_cast<unsigned char>(taken.back())))
            taken.remove_suffix(1);
        return taken;
    }
    /// The text from here through the bracket that closes the next one: "f32[?,784]".
    std::string_view through(char close) {
        skip_blanks();
        size_t end = text_.find(close, at_);
        if (end == std::string_view::npos) wrong(cat("something that ends in '", close, "'"));
        auto taken = text_.substr(at_, end + 1 - at_);
        at_ = end + 1;
        return taken;
    }

  private:
    std::string_view text_;
    size_t at_ = 0;
};

class Parser {
  public:
    Parser(std::string_view text, const ParseOptions& options) : in_(text), options_(options) {}

    ParsedGraph run() {
        ParsedGraph graph = parse_graph();
        if (in_.peek() != '\0') in_.wrong("the end of the text");
        return graph;
    }

  private:
    // --- graphs -------------------------------------------------------------------------------

    ParsedGraph parse_graph() {
        size_t start = in_.position();
        if (++depth_ > deepest_nesting)
            in_.fail_at(start, cat("graphs are nested deeper than ", deepest_nesting));
        size_t around = defined_.size();
        ParsedGraph graph;
        in_.expect_word("graph");
        if (in_.peek() != '(') graph.name = in_.name_or_quoted("a name or '('");
        in_.expect('(');
        while (!in_.accept(')')) {
            graph.inputs.push_back(parse_leaf());
            if (in_.peek() != ')') in_.expect(',');
        }
        in_.expect('{');
        while (!in_.accept_word("return")) parse_statement();
        while (!in_.accept('}')) {
            graph.outputs.push_back(parse_value());
            if (in_.peek() != '}') in_.expect(',');
        }
        --depth_;
        for (; defined_.size() > around; defined_.pop_back()) variables_.erase(defined_.back());
        return graph;
    }

    std::string_view parse_new_id() {
        in_.expect('%');
        size_t start = in_.position();
        auto id = in_.name("an id such as %7");
        if (variables_.contains(id)) in_.fail_at(start, cat("%", id, " is defined already"));
        return id;
    }

    // Until the end of the graph that is being read: what stands around it sees nothing of it.
    bool define(std::string_view id, const Variable& value) {
        bool fresh = variables_.emplace(id, value).second;
        if (fresh) defined_.push_back(id);
        return fresh;
    }

    Variable parse_leaf() {
        auto id = parse_new_id();
        in_.expect(':');
        Variable leaf;
        if (in_.accept_word("wildcard")) {
            leaf = wildcard(parse_name());
        } else if (in_.accept_word("shared")) {
            leaf = parse_shared();
        } else {
            TensorType type = parse_type_text();
            leaf = input(std::move(type), parse_name(), Site{});
        }
        leaf.node_pointer()->site = parse_site();
        define(id, leaf);
        return leaf;
    }

    Variable parse_shared() {
        TensorType type = parse_type_text();
        std::string name = parse_name();
        Sizes sizes;
        for (Dim dim : type.dims) sizes.push_back(dim.known() ? dim.size() : 1);
        if (in_.accept('=')) {
            size_t start = in_.position();
            Array value = parse_array();
            return placed(start, [&] { return shared_of_type(type, value, name); });
        }
        return shared_of_type(type, Array::zeros(type.dtype, sizes), name);
    }

    // --- statements ---------------------------------------------------------------------------

    void parse_statement() {
        if (in_.peek() != '%') in_.wrong("a line such as %7 = op(...), or 'return'");
        std::vector<std::string_view> ids;
        do {
            ids.push_back(parse_new_id());
        } while (in_.accept(','));
        in_.expect('=');
        size_t start = (in_.skip_blanks(), in_.position());
        auto op = in_.name_or_quoted("the name of an op, or 'constant'");
        bool applied = in_.peek() == '(';
        if (!applied && op != "constant") in_.expect('(');
        Variables results = applied ? parse_application(op, start) : parse_constant_line();
        if (results.size() != ids.size())
            in_.fail_at(start, cat(op, " gives ", results.size(), " results, not ", ids.size()));
        for (size_t i = 0; i < ids.size(); ++i)
            if (!define(ids[i], results[i]))
                in_.fail_at(start, cat("%", ids[i], " is defined already"));
    }

    Variables parse_constant_line() {
        Variable made = parse_constant();
        if (auto name = parse_name(); !name.empty()) made.named(std::move(name));
        made.node_pointer()->site = parse_site();
        return {made};
    }

    Variables parse_application(const std::string& name, size_t start) {
        const OpRecord* op = options_.find_op(name);
        if (!op) in_.fail_at(start, cat("there is no op '", name, "'"));
        Variables inputs;
        in_.expect('(');
        while (!in_.accept(')')) {
            inputs.push_back(parse_value());
            if (in_.peek() != ')') in_.expect(',');
        }
        NamedAttrs attrs = parse_attributes(*op);
        check_attributes(*op, attrs, inputs, start);
        Results stated = parse_results();
        Site site = parse_site();
        SiteScope scope(site);
        Variables made = placed(start, [&] { return apply(*op, inputs, std::move(attrs), site); });
        settle(made, stated, start);
        return made;
    }

    struct Results {
        std::vector<TensorType> types;
        std::vector<std::string> names;
    };

    Results parse_results() {
        Results results;
        if (in_.accept(':')) {
            do {
                results.types.push_back(parse_type_text());
                results.names.push_back(parse_name());
            } while (in_.accept(','));
        } else if (in_.peek() == '"') {
            results.names.push_back(parse_name());
        }
        return results;
    }

    /// The types that the text states must be those that the op gives.
    void settle(const Variables& made, const Results& stated, size_t start) {
        auto& node = *made[0].node_pointer();
        if (!stated.types.empty() && stated.types.size() != made.size())
            in_.fail_at(start, cat(node.op->name, " gives ", made.size(), " results, not ",
                                   stated.types.size()));
        for (size_t i = 0; i < stated.types.size(); ++i) {
            if (!agree(stated.types[i], node.types[i]))
                in_.fail_at(start, cat(node.op->name, " gives ", node.types[i].text(),
                                       " here; the text says ", stated.types[i].text()));
            node.types[i] = stated.types[i];
        }
        for (size_t i = 0; i < stated.names.size(); ++i)
            if (!stated.names[i].empty()) Variable(made[i]).named(stated.names[i]);
    }

    /// Symbols that an op makes are new ones every time, so any symbol agrees with any.
    static bool agree(const TensorType& stated, const TensorType& made) {
        if (stated.dtype != made.dtype || stated.rank() != made.rank()) return false;
        for (size_t i = 0; i < stated.dims.size(); ++i) {
            bool symbols = stated.dims[i].symbolic() && made.dims[i].symbolic();
            if (!symbols && !(stated.dims[i] == made.dims[i])) return false;
        }
        return true;
    }

    /// Runs code that builds nodes; its errors come out with the place.
    template <class Build>
    auto placed(size_t start, Build build) -> decltype(build()) {
        try {
            return build();
        } catch (const Error& error) {
            in_.fail_at(start, error.what(), error.kind());
        }
    }

    // --- attributes ---------------------------------------------------------------------------

    NamedAttrs parse_attributes(const OpRecord& op) {
        NamedAttrs attrs;
        if (!in_.accept('{')) return attrs;
        while (!in_.accept('}')) {
            size_t start = (in_.skip_blanks(), in_.position());
            auto name = in_.name("an attribute's name");
            const AttrSpec* spec = nullptr;
            for (const auto& candidate : op.attributes)
                if (candidate.name == name) spec = &candidate;
            if (!spec)
                in_.fail_at(start, cat(op.name, " has no attribute '", name, "'; it has: ",
                                       join(op.attributes, ", ",
                                            [](const AttrSpec& known) { return known.name; })));
            in_.expect('=');
            attrs.emplace_back(spec->name, parse_attribute(*spec));
            if (in_.peek() != '}') in_.expect(',');
        }
        return attrs;
    }

    /// What type rules rely on.
    void check_attributes(const OpRecord& op, const NamedAttrs& attrs, const Variables& inputs,
                          size_t start) const {
        bool pattern = std::any_of(inputs.begin(), inputs.end(),
                                   [](const Variable& v) { return v && v.node().pattern; });
        std::vector<std::string_view> given;
        for (const auto& [name, value] : attrs) {
            auto opaque = std::get_if<std::shared_ptr<const Opaque>>(&value);
            if (!opaque || *opaque) given.push_back(name);
            if (!pattern && std::holds_alternative<AttrWildcard>(value))
                in_.fail_at(start, cat("attribute '", name, "' is open outside of a pattern"));
        }
        for (const auto& spec : op.attributes)
            if (spec.required && std::find(given.begin(), given.end(), spec.name) == given.end())
                in_.fail_at(start, cat(op.name, " needs its attribute '", spec.name, "'"));
    }

    AttrValue parse_attribute(const AttrSpec& spec) {
        size_t start = (in_.skip_blanks(), in_.position());
        using OpaquePointer = std::shared_ptr<const Opaque>;
        bool wild = in_.peek() == '?';
        if (std::holds_alternative<OpaquePointer>(spec.default_value) && !wild)
            return parse_opaque();
        AttrValue value = in_.peek() == '"'
                              ? AttrValue(in_.quoted())
                              : placed(start, [&] { return parse_plain_attribute(spec); });
        if (!wild && value.index() != spec.default_value.index())
            in_.fail_at(start, cat("attribute '", spec.name, "' cannot be ", attr_text(value)));
        return value;
    }

    AttrValue parse_plain_attribute(const AttrSpec& spec) {
        if (in_.peek() == '[') {
            std::string packed;
            for (char c : in_.through(']'))
                if (!std::isspace(static_cast<unsigned char>(c))) packed += c;
            return parse_attr(packed);
        }
        auto text = in_.until(",}\n");
        if (std::holds_alternative<double>(spec.default_value) && !text.starts_with('?')) {
            double number = 0;
            if (!text::parse_element(text, DType::Float64, &number, 0))
                fail(ErrorKind::Value, "'", text, "' is not a number");
            return number;
        }
        return parse_attr(text);
    }

    std::shared_ptr<const Opaque> parse_opaque() {
        size_t start = in_.position();
        if (in_.accept('#')) {
            size_t number = 0;
            auto digits = in_.name("the number of an inner graph");
            std::from_chars(digits.data(), digits.data() + digits.size(), number);
            if (number >= graphs_.size() || !graphs_[number])
                in_.fail_at(start, cat("there is no inner graph #", digits, " above"));
            return graphs_[number];
        }
        if (in_.peek_name() == "graph") {
            size_t number = graphs_.size();  // outer graphs count before those inside them
            graphs_.emplace_back();
            ParsedGraph inner = parse_graph();
            return graphs_[number] = std::make_shared<Subgraph>(
                       std::move(inner.name), std::move(inner.inputs), std::move(inner.outputs));
        }
        if (in_.peek() != '<') in_.wrong("a graph or <...>");
        auto text = in_.through('>');
        if (text == "<none>") return nullptr;
        auto found =
            options_.find_opaque ? options_.find_opaque(text.substr(1, text.size() - 2)) : nullptr;
        if (!found) in_.fail_at(start, cat("nobody here knows what ", text, " is"));
        return found;
    }

    // --- values -------------------------------------------------------------------------------

    Variable parse_value() {
        if (in_.accept_word("none")) return {};
        if (in_.peek() != '%') return parse_constant();
        size_t start = in_.position();
        in_.expect('%');
        auto id = in_.name("an id such as %7");
        auto found = variables_.find(id);
        if (found == variables_.end()) in_.fail_at(start, cat("%", id, " is not defined above"));
        return found->second;
    }

    Variable parse_constant() {
        bool weak = in_.accept_word("weak");
        if (!weak && !names_a_type()) return parse_weak_literal();
        Array value = parse_array();
        if (weak) return weak_constant(std::move(value), Site{});
        return constant(std::move(value), Site{});
    }

    bool names_a_type() {
        auto word = in_.peek_name();
        return !word.empty() && dtype_from_name(word).has_value() && word != "bool";
    }

    Variable parse_weak_literal() {
        size_t start = (in_.skip_blanks(), in_.position());
        auto text = element();
        for (DType dtype : {DType::Bool, DType::Int64, DType::Float64}) {
            Array value = Array::zeros(dtype, {});
            if (text::parse_element(text, dtype, value.data(), 0))
                return weak_constant(std::move(value), Site{});
        }
        in_.fail_at(start,
                    cat("expected %id, a number or a typed constant, found ", text::quoted(text)));
    }

    std::string_view element() {
        if (in_.peek() == '(') return in_.through(')');
        return in_.until(",)]}@\"\n \t\r");
    }

    /// "f32[2] [1,2]" or "f32[2] base64 "..."".
    Array parse_array() {
        size_t start = (in_.skip_blanks(), in_.position());
        TensorType type = parse_type_text();
        Sizes shape;
        int64_t count = 1;
        for (Dim dim : type.dims) {
            if (!dim.known()) in_.fail_at(start, "a constant's sizes must be numbers");
            shape.push_back(dim.size());
            if (__builtin_mul_overflow(count, dim.size(), &count)) count = INT64_MAX;
        }
        // No text holds more elements than it has characters: checked before memory is asked for.
        if (static_cast<uint64_t>(count) > in_.left())
            in_.fail_at(start, "the text is too short for this many elements");
        Array value = Array::zeros(type.dtype, shape);
        if (in_.accept_word("base64")) {
            size_t place = in_.position();
            if (!text::parse_base64(in_.quoted(), value))
                in_.fail_at(place, cat("this is not base64 of ", value.nbytes(), " bytes"));
        } else {
            parse_elements(value);
        }
        return value;
    }

    void parse_elements(const Array& value) {
        if (value.size() == 0) {
            in_.expect('[');
            in_.expect(']');
        }
        for (int64_t i = 0; i < value.size(); ++i) {
            int opened = text::lists_opened(value.shape(), i);
            for (int k = 0; i > 0 && k < opened; ++k) in_.expect(']');
            if (i > 0) in_.expect(',');
            for (int k = 0; k < opened; ++k) in_.expect('[');
            size_t start = (in_.skip_blanks(), in_.position());
            auto text = element();
            if (!text::parse_element(text, value.dtype(), value.data(), i))
                in_.fail_at(start, cat(text::quoted(text), " is not a number of dtype ",
                                       dtype_name(value.dtype())));
        }
        for (int k = 0; value.size() > 0 && k < value.rank(); ++k) in_.expect(']');
    }

    // --- what stands behind -------------------------------------------------------------------

    TensorType parse_type_text() {
        size_t start = (in_.skip_blanks(), in_.position());
        if (in_.peek_name().empty()) in_.wrong("a type such as f32[?,784]");
        std::string packed;
        for (char c : in_.through(']'))
            if (!std::isspace(static_cast<unsigned char>(c))) packed += c;
        if (packed != last_text_) {  // neighbours often have the same type
            last_type_ = placed(start, [&] { return parse_type(packed); });
            last_text_ = packed;
        }
        return last_type_;
    }

    std::string parse_name() { return in_.peek() == '"' ? in_.quoted() : std::string(); }

    Site parse_site() {
        if (!in_.accept('@')) return {};
        std::string file =
            in_.peek() == '"' ? in_.quoted() : std::string(in_.until(" \t\n\r\",:()\\{}"));
        in_.expect(':');
        size_t start = in_.position();
        auto digits = in_.name("a line number");
        Site site{intern(file), 0, ""};
        auto last = digits.data() + digits.size();
        auto [end, code] = std::from_chars(digits.data(), last, site.line);
        if (code != std::errc() || end != last) in_.fail_at(start, "expected a line number");
        return site;
    }

    Cursor in_;
    const ParseOptions& options_;
    std::unordered_map<std::string_view, Variable> variables_;
    std::vector<std::string_view> defined_;  // in order
    std::vector<std::shared_ptr<const Subgraph>> graphs_;
    std::string last_text_;
    TensorType last_type_;
    int depth_ = 0;
};
}  // namespace

ParsedGraph parse_graph(std::string_view text, const ParseOptions& options) {
    CROTON_ASSERT(options.find_op);
    return Parser(text, options).run();
}

}  // namespace croton
