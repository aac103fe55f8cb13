// The text form of kernels. README.md shows it; the printer below is its grammar.
#include <bit>
#include <cctype>
#include <charconv>

#include "croton/base/error.hpp"
#include "croton/kernel/kernel.hpp"

namespace croton::kernel {

namespace {

constexpr std::string_view kind_names[] = {"in", "out", "table"};
constexpr std::string_view section_names[] = {"outer", "map", "reduce", "loop"};

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool continues_name(char c) {
    return starts_name(c) || std::isdigit(static_cast<unsigned char>(c));
}

bool is_name(std::string_view text) {
    if (text.empty() || !starts_name(text[0])) return false;
    for (char c : text)
        if (!continues_name(c)) return false;
    return true;
}

// ------------------------------------------------------------------------------------- printing

/// A name as it is, anything else in quotes.
std::string name_text(std::string_view name) {
    if (is_name(name)) return std::string(name);
    std::string text = "\"";
    for (char c : name) {
        if (c == '"' || c == '\\') text += '\\';
        if (c == '\n')
            text += "\\n";
        else
            text += c;
    }
    return text + "\"";
}

/// NaNs other than the two usual ones keep their bits.
std::string float_text(double value) {
    auto bits = std::bit_cast<uint64_t>(value);
    if (value == value || (bits << 1) == 0xfff0000000000000) return number_text(value);
    return cat("nan:", bits);
}

class Printer {
  public:
    explicit Printer(const Kernel& kernel) : kernel_(kernel) {}

    std::string run() {
        out_ << "kernel " << name_text(kernel_.name) << " rank " << kernel_.rank << " outer "
             << kernel_.outer << " {\n";
        for (const auto& site : kernel_.sites) out_ << "  // " << site.text() << "\n";
        for (const auto& operand : kernel_.operands) print_operand(operand);
        for (const auto& section : kernel_.sections) print_section(section);
        out_ << "}\n";
        return out_.str();
    }

  private:
    void print_operand(const Operand& operand) {
        out_ << "  " << kind_names[static_cast<int>(operand.kind)] << " " << name_text(operand.name)
             << ": " << dtype_short(operand.dtype);
        if (operand.rank != 0) out_ << " rank " << operand.rank;
        if (operand.broadcast_axes != 0) {
            out_ << " broadcast";
            for (int axis = 0; axis < 64; ++axis)
                if (operand.broadcast_axes >> axis & 1) out_ << " " << axis;
        }
        out_ << "\n";
    }

    void print_section(const Section& section) {
        out_ << "  " << section_names[static_cast<int>(section.kind)] << " {\n";
        for (const auto& c : section.carried)
            out_ << "    %" << c.current << " = " << dtype_short(c.dtype) << " state %" << c.initial
                 << "\n";
        for (const auto& i : section.body) print_instruction(i);
        for (const auto& c : section.carried)
            out_ << "    %" << c.result << " = " << dtype_short(c.dtype) << " next %" << c.next
                 << " of %" << c.current << "\n";
        for (const auto& a : section.accumulators)
            out_ << "    %" << a.result << " = " << dtype_short(a.dtype) << " fold "
                 << combine_name(a.combine) << " %" << a.value << "\n";
        for (const auto& a : section.across)
            out_ << "    across " << combine_name(a.combine) << " %" << a.value << " into "
                 << operand_text(a.operand) << "\n";
        out_ << "  }\n";
    }

    void print_instruction(const Instruction& i) {
        out_ << "    ";
        if (i.result >= 0) out_ << "%" << i.result << " = ";
        out_ << dtype_short(i.dtype) << " " << info(i.op).name;
        if (i.operand >= 0) out_ << " " << operand_text(i.operand);
        if (i.axis >= 0) out_ << " axis " << i.axis;
        if (i.op == OpCode::constant_) out_ << " " << constant_text(i);
        for (size_t n = 0; n < i.arguments.size(); ++n)
            out_ << (n == 0 ? " %" : ", %") << i.arguments[n];
        out_ << "\n";
    }

    static std::string constant_text(const Instruction& i) {
        if (is_complex(i.dtype))
            return cat("(", float_text(i.number.real()), ", ", float_text(i.number.imag()), ")");
        if (is_floating(i.dtype)) return float_text(i.number.real());
        if (i.dtype == DType::UInt64) return cat(static_cast<uint64_t>(i.integer));
        return cat(i.integer);
    }

    /// By name if it is one of its own, else by number.
    std::string operand_text(int number) const {
        auto k = static_cast<size_t>(number);
        if (k >= kernel_.operands.size()) return cat("#", number);
        const auto& name = kernel_.operands[k].name;
        for (size_t other = 0; other < kernel_.operands.size(); ++other)
            if (other != k && kernel_.operands[other].name == name) return cat("#", number);
        return is_name(name) && name != "axis" ? name : cat("#", number);
    }

    const Kernel& kernel_;
    std::ostringstream out_;
};

// -------------------------------------------------------------------------------------- parsing

/// What the text consists of: names, numbers ("-1.5e3", "nan:7"), quoted texts, single characters.
struct Token {
    enum Kind { Name, Number, Quoted, Character, End } kind = End;
    std::string text;
    size_t line = 1, column = 1;
};

class Lexer {
  public:
    explicit Lexer(std::string_view text) : rest_(text) { advance(); }
    const Token& peek() const { return token_; }
    Token next() {
        Token taken = token_;
        advance();
        return taken;
    }

  private:
    void drop(size_t count) {
        for (; count > 0; --count) {
            bool newline = rest_[0] == '\n';
            line_ += newline;
            column_ = newline ? 1 : column_ + 1;
            rest_.remove_prefix(1);
        }
    }

    void skip_blanks() {
        for (;;) {
            while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) drop(1);
            if (!rest_.starts_with("//")) return;
            drop(std::min(rest_.find('\n'), rest_.size()));
        }
    }

    void advance() {
        skip_blanks();
        token_ = {Token::End, "the end of the text", line_, column_};
        if (rest_.empty()) return;
        char c = rest_[0];
        if (c == '"') return quoted();
        size_t length = 1;
        token_.kind = Token::Character;
        auto in_number = [](char d) { return continues_name(d) || d == '.' || d == ':'; };
        bool dash = c == '-' && rest_.size() > 1 && in_number(rest_[1]);
        if (dash || std::isdigit(static_cast<unsigned char>(c)) || rest_.starts_with("nan:")) {
            token_.kind = Token::Number;
            auto exponent = [&](size_t n) {
                return (rest_[n] == '-' || rest_[n] == '+') && rest_[n - 1] == 'e';
            };
            while (length < rest_.size() && (in_number(rest_[length]) || exponent(length)))
                ++length;
        } else if (starts_name(c)) {
            token_.kind = Token::Name;
            while (length < rest_.size() && continues_name(rest_[length])) ++length;
        }
        token_.text = rest_.substr(0, length);
        drop(length);
    }

    void quoted() {
        token_.kind = Token::Quoted;
        token_.text.clear();
        for (drop(1); !rest_.empty() && rest_[0] != '"'; drop(1)) {
            bool escaped = rest_[0] == '\\' && rest_.size() > 1;
            if (escaped) drop(1);
            token_.text += escaped && rest_[0] == 'n' ? '\n' : rest_[0];
        }
        if (rest_.empty())
            fail(ErrorKind::Value, "kernel text, line ", token_.line, ", column ", token_.column,
                 ": this quote is not closed");
        drop(1);
    }

    std::string_view rest_;
    size_t line_ = 1, column_ = 1;
    Token token_;
};

class Parser {
  public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    Kernel run() {
        expect("kernel");
        kernel_.name = name("the kernel's name");
        expect("rank");
        kernel_.rank = integer<int>();
        expect("outer");
        kernel_.outer = integer<int>();
        expect("{");
        while (!accept("}")) parse_item();
        if (lexer_.peek().kind != Token::End) wrong("the end of the text");
        return std::move(kernel_);
    }

  private:
    [[noreturn]] void wrong(std::string_view wanted) const { wrong(wanted, lexer_.peek()); }
    [[noreturn]] void wrong(std::string_view wanted, const Token& token) const {
        fail(ErrorKind::Value, "kernel text, line ", token.line, ", column ", token.column,
             ": expected ", wanted, ", found '", token.text, "'");
    }

    bool at(std::string_view text) const {
        const auto& token = lexer_.peek();
        return (token.kind == Token::Name || token.kind == Token::Character) && token.text == text;
    }
    bool accept(std::string_view text) {
        if (!at(text)) return false;
        lexer_.next();
        return true;
    }
    void expect(std::string_view text) {
        if (!accept(text)) wrong(cat("'", text, "'"));
    }

    std::string name(std::string_view what) {
        auto kind = lexer_.peek().kind;
        if (kind != Token::Name && kind != Token::Quoted) wrong(what);
        return lexer_.next().text;
    }

    template <class Number>
    Number integer() {
        Token token = lexer_.next();
        Number number = 0;
        auto last = token.text.data() + token.text.size();
        auto [end, code] = std::from_chars(token.text.data(), last, number);
        if (token.kind != Token::Number || code != std::errc() || end != last)
            wrong("a whole number", token);
        return number;
    }

    double floating() {
        Token token = lexer_.next();
        std::string_view text = token.text;
        if (text.starts_with("nan:")) {
            uint64_t bits = 0;
            auto [end, code] = std::from_chars(text.data() + 4, text.data() + text.size(), bits);
            auto number = std::bit_cast<double>(bits);
            if (code != std::errc() || end != text.data() + text.size() || number == number)
                wrong("the bits of a NaN", token);
            return number;
        }
        // Written out: from_chars leaves a NaN's sign open.
        if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
        if (text == "-nan") return -std::numeric_limits<double>::quiet_NaN();
        double number = 0;
        auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        bool value = token.kind == Token::Number || token.kind == Token::Name;
        if (!value || code != std::errc() || end != text.data() + text.size())
            wrong("a number", token);
        return number;
    }

    DType dtype() {
        auto found = dtype_from_name(lexer_.peek().text);
        if (lexer_.peek().kind != Token::Name || !found) wrong("a dtype");
        lexer_.next();
        return *found;
    }

    ValueId value() {
        expect("%");
        return integer<ValueId>();
    }

    int operand() {
        if (accept("#")) return integer<int>();
        if (lexer_.peek().kind != Token::Name) wrong("an operand");
        for (size_t k = 0; k < kernel_.operands.size(); ++k)
            if (kernel_.operands[k].name == lexer_.peek().text) {
                lexer_.next();
                return static_cast<int>(k);
            }
        wrong("an operand");
    }

    void parse_item() {
        for (int kind = 0; kind < 3; ++kind)
            if (accept(kind_names[kind])) return parse_operand(static_cast<OperandKind>(kind));
        for (int kind = 0; kind < 4; ++kind)
            if (accept(section_names[kind])) return parse_section(static_cast<SectionKind>(kind));
        wrong("in, out, table, outer, map, reduce, loop or '}'");
    }

    void parse_operand(OperandKind kind) {
        Operand operand{kind, DType::Bool};
        operand.name = name("the operand's name");
        expect(":");
        operand.dtype = dtype();
        if (accept("rank")) operand.rank = integer<int>();
        if (accept("broadcast"))
            while (lexer_.peek().kind == Token::Number) {
                Token token = lexer_.peek();
                int axis = integer<int>();
                if (axis < 0 || axis > 63) wrong("an axis", token);
                operand.broadcast_axes |= uint64_t{1} << axis;
            }
        kernel_.operands.push_back(std::move(operand));
    }

    void parse_section(SectionKind kind) {
        kernel_.sections.push_back({kind, {}});
        expect("{");
        while (!accept("}")) parse_line();
    }

    void parse_line() {
        if (accept("across")) return parse_across();
        ValueId result = -1;
        if (at("%")) {
            result = value();
            expect("=");
            ++kernel_.values;
        }
        DType type = dtype();
        auto& section = kernel_.sections.back();
        if (accept("state"))
            section.carried.push_back({value(), result, -1, -1, type});
        else if (accept("next"))
            parse_next(type, result);
        else if (accept("fold"))
            section.accumulators.push_back(parse_fold(type, result));
        else
            section.body.push_back(parse_instruction(type, result));
    }

    void parse_next(DType type, ValueId result) {
        ValueId next = value();
        expect("of");
        Token token = lexer_.peek();
        ValueId current = value();
        for (Carried& carried : kernel_.sections.back().carried)
            if (carried.current == current && carried.next < 0 && carried.dtype == type) {
                carried.next = next;
                carried.result = result;
                return;
            }
        wrong("a state of this dtype that has no next value yet", token);
    }

    Accumulator parse_fold(DType type, ValueId result) {
        Combine how = combine();
        return {how, value(), result, type};
    }

    void parse_across() {
        Combine how = combine();
        ValueId from = value();
        expect("into");
        kernel_.sections.back().across.push_back({how, from, operand()});
    }

    Combine combine() {
        auto found = combine_from_name(lexer_.peek().text);
        if (!found) wrong("sum, prod, max, min, argmax, argmin, any or all");
        lexer_.next();
        return *found;
    }

    Instruction parse_instruction(DType type, ValueId result) {
        auto op = opcode_from_name(lexer_.peek().text);
        if (lexer_.peek().kind != Token::Name || !op) wrong("an opcode");
        lexer_.next();
        Instruction i{*op, type, result};
        if (*op == OpCode::load_ || *op == OpCode::load_at_ || *op == OpCode::store_ ||
            *op == OpCode::size_)
            i.operand = operand();
        if (accept("axis")) i.axis = integer<int>();
        if (*op == OpCode::constant_) parse_constant(i);
        // Lines end where their arguments end: the table's rank says how many load_at takes.
        int expected = info(*op).arguments < 0 ? table_rank(i.operand) : info(*op).arguments;
        for (int n = 0; n < expected; ++n) {
            if (n > 0) expect(",");
            i.arguments.push_back(value());
        }
        return i;
    }

    int table_rank(int operand) const {
        auto k = static_cast<size_t>(operand);
        return k < kernel_.operands.size() ? kernel_.operands[k].rank : 0;
    }

    void parse_constant(Instruction& i) {
        if (is_complex(i.dtype)) {
            expect("(");
            double real = floating();
            expect(",");
            double imaginary = floating();
            expect(")");
            i.number = {real, imaginary};
        } else if (is_floating(i.dtype))
            i.number = floating();
        else if (i.dtype == DType::UInt64)
            i.integer = static_cast<int64_t>(integer<uint64_t>());
        else
            i.integer = integer<int64_t>();
    }

    Lexer lexer_;
    Kernel kernel_;
};

}  // namespace

std::string print(const Kernel& kernel) { return Printer(kernel).run(); }
Kernel parse(std::string_view text) { return Parser(text).run(); }

}  // namespace croton::kernel
