#pragma once
// Rules as rows: a name, a left side, a right side, and where it holds. Both sides are ordinary
// expressions whose leaves are wildcards; a function may stand on the right.
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "croton/rewrite/arena.hpp"

namespace croton::rewrite {

/// A pattern node whose named attributes match anything; on a right side they take what the left
/// side matched under the same attribute name.
Variable any_attrs(const Variable& pattern, const std::vector<std::string>& names);

/// What the wildcards of a left side stand for.
class Match {
  public:
    Match(Arena& arena, NodeId root) : arena_(&arena), root_(root) {}

    /// The variable bound to a wildcard, for building expressions and reading types.
    Variable operator[](std::string_view name) const { return arena_->variable(value(name)); }
    Value value(std::string_view name) const;
    bool bound(std::string_view name) const;
    /// The constant bound to a wildcard, or null.
    const Array* constant(std::string_view name) const { return arena_->constant(value(name)); }
    /// The only number of a constant of one element (or of equal elements), if it is one and real.
    std::optional<double> number(std::string_view name) const;
    const TensorType& type(std::string_view name) const { return arena_->type(value(name)); }
    /// The value of an attribute that the row leaves open; attr() is the same with its type.
    const AttrValue& attr_value(std::string_view name) const;
    template <class T>
    const T& attr(std::string_view name) const {
        return std::get<T>(attr_value(name));
    }
    /// Whether nobody else uses the value: a rewrite that makes it vanish then saves its work.
    bool used_once(std::string_view name) const { return arena_->use_count(value(name).node) == 1; }
    /// The node that matched.
    NodeId root() const { return root_; }
    Variable root_variable() const { return arena_->variable({root_, 0}); }
    const TensorType& root_type() const { return arena_->type({root_, 0}); }
    Arena& arena() const { return *arena_; }

  private:
    friend class Matcher;
    Arena* arena_;
    NodeId root_;
    // A row has a handful of wildcards: a search through them costs less than a map.
    struct Bound {
        std::string_view name;  // of the row
        Value value;
    };
    struct BoundAttr {
        std::string_view name;
        const AttrValue* value;  // of a node that the arena keeps
    };
    SmallVector<Bound, 6> values_;
    SmallVector<BoundAttr, 4> attrs_;
};

/// Where a row holds, and that in words for readers: "x is floating". Copies share what they say:
/// tables of hundreds of rows are made in the first compilation of each process.
class Condition {
  public:
    Condition() = default;  ///< holds everywhere
    Condition(std::nullptr_t) {}
    /// A null function holds everywhere.
    Condition(std::string words, std::function<bool(const Match&)> holds)
        : said_(std::make_shared<const Said>(Said{std::move(words), std::move(holds)})) {}
    bool operator()(const Match& m) const { return !said_ || !said_->holds || said_->holds(m); }
    std::string_view words() const { return said_ ? said_->words : std::string_view(); }
    /// The same, to be asked again with the inputs of commutative ops in other orders where it does
    /// not hold: for conditions that tell two wildcards of one sum or product apart.
    Condition in_any_order() const;
    bool any_order() const { return any_order_; }

  private:
    struct Said {
        std::string words;
        std::function<bool(const Match&)> holds;
    };
    std::shared_ptr<const Said> said_;
    bool any_order_ = false;
};
/// Null means: not here after all.
using Build = std::function<Variable(const Match&)>;

struct Rule {
    std::string_view name;
    Variable left;
    std::variant<Variable, Build> right;
    Condition where = nullptr;
    std::source_location site = std::source_location::current();

    Rule(std::string_view name, Variable left, Variable right, Condition where = nullptr,
         std::source_location site = std::source_location::current())
        : name(name),
          left(std::move(left)),
          right(std::move(right)),
          where(std::move(where)),
          site(site) {}
    Rule(std::string_view name, Variable left, Build right, Condition where = nullptr,
         std::source_location site = std::source_location::current())
        : name(name),
          left(std::move(left)),
          right(std::move(right)),
          where(std::move(where)),
          site(site) {}
};
using Rules = std::vector<Rule>;

/// A rule for every node of a kind that no pattern can say: looked at for each live Apply node.
struct NodeRule {
    std::string_view name;
    /// The replacement of the node's outputs (one a output; null: stays), or nothing.
    std::function<Variables(Arena&, NodeId)> apply;
    /// Nodes of other ops are not even shown to it. Null: all are.
    std::function<bool(const OpRecord&)> concerns = nullptr;
    /// A cheap look, to be taken first: whether the rule may apply. Null: it may.
    std::function<bool(const Arena&, NodeId)> when = nullptr;
    std::source_location site = std::source_location::current();
};

/// "rules/algebra.cpp:53": the line of the left side, for compilers place rows at the end of their
/// table.
std::string place_of(const Rule& rule);
std::string place_of(const NodeRule& rule);
std::string place_of(const std::source_location& where);

class RuleIndex;

/// Rules that run together until none applies.
struct RuleSet {
    std::string name;
    std::vector<const Rules*> tables;
    std::vector<const NodeRule*> node_rules = {};
    /// Rows may not bring composite ops in: the set expands them, and that would not end.
    bool expands = false;
    /// Made by the engine where it is missing; kept here it serves every compilation.
    std::shared_ptr<const RuleIndex> index = nullptr;
};

/// Tries to match the left side at a node.
std::optional<Match> match(const Rule& rule, Arena& arena, NodeId root);
/// The right side for a match; null if the rule's function says no.
Variable instantiate(const Rule& rule, const Match& match);

/// A pattern with its wildcards replaced: `leaf` gives what a named wildcard stands for, `attr`
/// what an attribute does that the pattern leaves open.
Variable filled_pattern(const Variable& pattern,
                        const std::function<Variable(std::string_view)>& leaf,
                        const std::function<const AttrValue&(std::string_view)>& attr);

/// Whether the sizes are equal in every call: same rank, same numbers or symbols.
bool certainly_same(const Dims& a, const Dims& b);

// --- conditions for rows ------------------------------------------------------------------------

/// Wildcard `name` has a floating dtype (a complex one counts for continuous()).
Condition floating(const std::string& name);
Condition continuous(const std::string& name);
Condition is_constant(const std::string& name);
Condition both(const Condition& a, const Condition& b);
/// For rows whose function decides: what it asks for, in words.
Condition as_the_function_says(std::string words);
/// The result's sizes are certainly those of the wildcard: it may replace the whole.
Condition shaped_like_result(const std::string& name);

}  // namespace croton::rewrite
