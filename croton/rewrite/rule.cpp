#include "croton/rewrite/rule.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>

#include "croton/base/format.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::rewrite {

Variable any_attrs(const Variable& pattern, const std::vector<std::string>& names) {
    const Node& from = pattern.node();
    auto node = new Node(NodeKind::Apply);
    Variable result(node, pattern.index());
    node->op = from.op;
    Attrs attrs = *from.attrs;
    for (auto& name : names) attrs.values[from.op->attribute_index(name)] = AttrWildcard{name};
    node->attrs = std::make_shared<const Attrs>(std::move(attrs));
    node->inputs = from.inputs;
    node->types = from.types;
    node->pattern = true;
    node->site = from.site;
    return result;
}

Value Match::value(std::string_view name) const {
    for (const Bound& bound : values_)
        if (bound.name == name) return bound.value;
    fail(ErrorKind::Internal, "the pattern binds no '", name, "'");
}

bool Match::bound(std::string_view name) const {
    return std::any_of(values_.begin(), values_.end(),
                       [&](const Bound& bound) { return bound.name == name; });
}

const AttrValue& Match::attr_value(std::string_view name) const {
    for (const BoundAttr& bound : attrs_)
        if (bound.name == name) return *bound.value;
    fail(ErrorKind::Internal, "the pattern binds no attribute '", name, "'");
}

std::optional<double> Match::number(std::string_view name) const {
    const Array* value = constant(name);
    if (!value || value->size() == 0 || is_complex(value->dtype())) return std::nullopt;
    if (value->size() == 1) return value->item<double>();
    auto all = value->to_vector<double>();
    bool equal = std::all_of(all.begin(), all.end(), [&](double x) { return x == all[0]; });
    return equal ? std::optional(all[0]) : std::nullopt;
}

// Patterns are small trees: recursion over the pattern is bounded by what a row can say.
class Matcher {
  public:
    Matcher(Arena& arena, NodeId root) : arena_(arena), match_(arena, root) {}
    /// One order only: bit k of `swaps` says whether the k-th commutative node is looked at with
    /// its inputs swapped.
    Matcher(Arena& arena, NodeId root, uint32_t swaps)
        : arena_(arena), match_(arena, root), swaps_(swaps) {}

    /// How many commutative nodes there were.
    int commutative_count() const { return commutative_; }

    bool visit(const Variable& pattern, Value value) {
        switch (pattern.kind()) {
            case NodeKind::Wildcard: return bind(pattern.name(), value);
            case NodeKind::Constant: return constant(*constant_value(pattern), value);
            case NodeKind::Apply: return apply(pattern.node(), pattern.index(), value);
            case NodeKind::Input:
            case NodeKind::Shared: break;
        }
        return false;
    }
    Match& result() { return match_; }

  private:
    bool bind(std::string_view name, Value value) {
        for (const auto& bound : match_.values_)
            if (bound.name == name) return bound.value == value;
        match_.values_.push_back({name, value});
        return true;
    }

    // A number in a pattern means a scalar of that value: a longer constant could stretch the
    // result.
    bool constant(const Array& wanted, Value value) {
        const Array* found = arena_.constant(value);
        if (!found || found->size() != 1 || found->rank() > arena_.type({match_.root(), 0}).rank())
            return false;
        for (int axis = 0; axis < found->rank(); ++axis)
            if (found->shape(axis) != 1) return false;
        if (is_complex(found->dtype()))
            return found->item<std::complex<double>>() == wanted.item<std::complex<double>>();
        return found->item<double>() == wanted.item<double>();
    }

    bool bind_attribute(std::string_view name, const AttrValue& value) {
        for (const auto& bound : match_.attrs_)
            if (bound.name == name) return attr_equal(*bound.value, value);
        match_.attrs_.push_back({name, &value});
        return true;
    }

    bool attributes(const Node& pattern, NodeId id) {
        const auto& wanted = pattern.attrs->values;
        if (wanted.empty()) return true;
        const auto& found = arena_.attrs(id).values;
        for (size_t i = 0; i < wanted.size(); ++i) {
            if (auto wild = std::get_if<AttrWildcard>(&wanted[i])) {
                if (!bind_attribute(wild->name, found[i])) return false;
            } else if (!attr_equal(wanted[i], found[i])) {
                return false;
            }
        }
        return true;
    }

    bool apply(const Node& pattern, uint32_t index, Value value) {
        if (arena_.kind(value.node) != NodeKind::Apply || arena_.op(value.node) != pattern.op ||
            value.index != index)
            return false;
        auto inputs = arena_.inputs(value.node);
        if (inputs.size() != pattern.inputs.size()) return false;
        if (!attributes(pattern, value.node)) return false;
        bool commutes = pattern.op->facts.commutative && inputs.size() == 2;
        if (swaps_) {
            bool swap = commutes && ((*swaps_ >> commutative_) & 1);
            commutative_ += commutes;
            if (!swap) return in_order(pattern, inputs);
            std::array<Value, 2> swapped{inputs[1], inputs[0]};
            return in_order(pattern, swapped);
        }
        size_t values = match_.values_.size(), attrs = match_.attrs_.size();
        if (in_order(pattern, inputs)) return true;
        if (!commutes) return false;
        match_.values_.resize(values);
        match_.attrs_.resize(attrs);
        std::array<Value, 2> swapped{inputs[1], inputs[0]};
        return in_order(pattern, swapped);
    }

    bool in_order(const Node& pattern, std::span<const Value> inputs) {
        for (size_t i = 0; i < inputs.size(); ++i)
            if (!visit(pattern.inputs[i], inputs[i])) return false;
        return true;
    }

    Arena& arena_;
    Match match_;
    std::optional<uint32_t> swaps_;
    int commutative_ = 0;
};

namespace {
std::optional<Match> match_in_other_orders(const Rule& rule, Arena& arena, NodeId root) {
    constexpr int most_commutative = 4;
    for (uint32_t swaps = 0, orders = 1; swaps < orders; ++swaps) {
        Matcher matcher(arena, root, swaps);
        bool fits = matcher.visit(rule.left, {root, rule.left.index()});
        orders = std::max(orders, 1u << std::min(matcher.commutative_count(), most_commutative));
        if (fits && rule.where(matcher.result())) return std::move(matcher.result());
    }
    return std::nullopt;
}
}  // namespace

std::optional<Match> match(const Rule& rule, Arena& arena, NodeId root) {
    Matcher matcher(arena, root);
    if (!matcher.visit(rule.left, {root, rule.left.index()})) return std::nullopt;
    if (rule.where(matcher.result())) return std::move(matcher.result());
    return rule.where.any_order() ? match_in_other_orders(rule, arena, root) : std::nullopt;
}

namespace {
class Filler {
  public:
    using Leaf = std::function<Variable(std::string_view)>;
    using Attr = std::function<const AttrValue&(std::string_view)>;
    Filler(const Leaf& leaf, const Attr& attr) : leaf_(leaf), attr_(attr) {}

    Variable visit(const Variable& pattern) {
        if (pattern.kind() == NodeKind::Wildcard) return leaf_(pattern.name());
        if (pattern.kind() != NodeKind::Apply) return pattern;
        auto found = done_.find(pattern.node_pointer());
        if (found == done_.end())
            found = done_.emplace(pattern.node_pointer(), build(pattern.node())).first;
        return found->second[pattern.index()];
    }

  private:
    Variables build(const Node& node) {
        Variables inputs;
        for (const auto& input : node.inputs) inputs.push_back(visit(input));
        NamedAttrs attrs;
        for (size_t i = 0; i < node.attrs->values.size(); ++i) {
            const AttrValue& value = node.attrs->values[i];
            auto wild = std::get_if<AttrWildcard>(&value);
            attrs.emplace_back(node.op->attributes[i].name, wild ? attr_(wild->name) : value);
        }
        return apply(*node.op, std::move(inputs), std::move(attrs));
    }
    const Leaf& leaf_;
    const Attr& attr_;
    std::unordered_map<const Node*, Variables> done_;
};
}  // namespace

Variable filled_pattern(const Variable& pattern, const Filler::Leaf& leaf,
                        const Filler::Attr& attr) {
    return Filler(leaf, attr).visit(pattern);
}

bool certainly_same(const Dims& a, const Dims& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (!a[i].certainly_equals(b[i])) return false;
    return true;
}

Variable instantiate(const Rule& rule, const Match& match) {
    SiteScope scope(match.arena().site(match.root()));
    if (auto build = std::get_if<Build>(&rule.right)) return (*build)(match);
    return filled_pattern(
        std::get<Variable>(rule.right), [&](std::string_view name) { return match[name]; },
        [&](std::string_view name) -> const AttrValue& { return match.attr_value(name); });
}

namespace {
// Of a path what names the file within the library.
std::string place_text(std::string_view path, uint32_t line) {
    auto folder = path.rfind("croton/");
    if (folder != std::string_view::npos) path.remove_prefix(folder + 7);
    return cat(path, ":", line);
}
}  // namespace

std::string place_of(const Rule& rule) {
    const Site& left = rule.left.site();
    if (left.known()) return place_text(left.file, left.line);
    return place_text(rule.site.file_name(), rule.site.line());
}
std::string place_of(const NodeRule& rule) { return place_of(rule.site); }
std::string place_of(const std::source_location& where) {
    return place_text(where.file_name(), where.line());
}

Condition floating(const std::string& name) {
    return {cat(name, " is floating"),
            [name](const Match& m) { return is_floating(m.type(name).dtype); }};
}
Condition continuous(const std::string& name) {
    return {cat(name, " is floating or complex"),
            [name](const Match& m) { return is_continuous(m.type(name).dtype); }};
}
Condition is_constant(const std::string& name) {
    return {cat(name, " is a constant"),
            [name](const Match& m) { return m.constant(name) != nullptr; }};
}
Condition both(const Condition& a, const Condition& b) {
    std::string words = cat(a.words(), ", ", b.words());
    return {std::move(words), [a, b](const Match& m) { return a(m) && b(m); }};
}
Condition Condition::in_any_order() const {
    Condition made = *this;
    made.any_order_ = true;
    return made;
}
Condition as_the_function_says(std::string words) { return {std::move(words), nullptr}; }
Condition shaped_like_result(const std::string& name) {
    return {cat(name, " has the sizes of the result"), [name](const Match& m) {
                return certainly_same(m.root_type().dims, m.type(name).dims);
            }};
}

}  // namespace croton::rewrite
