// The rule matrix: every row of every table fires on an instance of its left side, and the judge
// finds the same values before and after.
//
// Instances are built from the row itself: each wildcard becomes a leaf of every sort below, in
// turn and mixed, until the row's own matcher says yes. Where that cannot work (sizes that have to
// fit) an instance stands in `by_hand`. Places where the left side's own value is not finite are
// not judged: the stability rules know better there.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <unordered_map>

#include "croton/base/format.hpp"
#include "croton/compile/reference.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/tables.hpp"

namespace croton {
namespace {

using rewrite::Rule;

// --- what is known to be wrong, and why ---------------------------------------------------------

using Reasons = std::map<std::string, std::string, std::less<>>;

const Reasons known_wrong = {};
const Reasons never_fires = {};

// Wildcards that are probabilities: the row is judged for values in 0..1. Far outside, the left
// side cancels and is the worse one.
const std::multimap<std::string, std::string, std::less<>> probabilities = {
    {"cross-entropy of sigmoid", "y"},
};
bool is_probability(std::string_view rule, const std::string& wildcard) {
    auto [first, last] = probabilities.equal_range(rule);
    return std::any_of(first, last, [&](const auto& row) { return row.second == wildcard; });
}

// --- leaves -------------------------------------------------------------------------------------

enum class Sort {
    F64,
    I64,
    F32,
    Bool,
    U8,
    I8,
    C128,
    Column,         // float64 (n, 1)
    Vector,         // float64 (n)
    Scalar,         // float64 ()
    Scalar32,       // float32 ()
    Classes,        // int64 (n), each below n
    Computed,       // float64 (n, n), a node that nobody else uses
    ConstantF64,    // a number that is no power of two
    ConstantPower,  // a power of two
    ConstantI64,
    ConstantBool,  // false in the first place, true in the others
    ConstantTrue,
};
constexpr int sort_count = static_cast<int>(Sort::ConstantTrue) + 1;

Dim n() { return Dim::symbol("n"); }

Variable matrix_of(DType dtype, const std::string& name) {
    return input(TensorType{dtype, Dims{n(), n()}}, name);
}

// With `wide` the float32 leaves are float64: the same values, judged without their rounding.
Variable leaf(Sort sort, const std::string& name, int ordinal, bool wide) {
    DType single = wide ? DType::Float64 : DType::Float32;
    switch (sort) {
        case Sort::F64: return matrix_of(DType::Float64, name);
        case Sort::I64: return matrix_of(DType::Int64, name);
        case Sort::F32: return matrix_of(single, name);
        case Sort::Bool: return matrix_of(DType::Bool, name);
        case Sort::U8: return matrix_of(DType::UInt8, name);
        case Sort::I8: return matrix_of(DType::Int8, name);
        case Sort::C128: return matrix_of(DType::Complex128, name);
        case Sort::Column: return input(TensorType{DType::Float64, Dims{n(), Dim(1)}}, name);
        case Sort::Vector: return input(TensorType{DType::Float64, Dims{n()}}, name);
        case Sort::Scalar: return input(TensorType{DType::Float64, {}}, name);
        case Sort::Scalar32: return input(TensorType{single, {}}, name);
        case Sort::Classes: return input(TensorType{DType::Int64, Dims{n()}}, "classes " + name);
        case Sort::Computed: return sin(matrix_of(DType::Float64, name));
        case Sort::ConstantF64: return constant(Array::scalar(1.7 + ordinal));
        case Sort::ConstantPower: return constant(Array::scalar(std::ldexp(-1.0, 2 - ordinal)));
        case Sort::ConstantI64: return constant(Array::scalar(int64_t{3} + ordinal));
        case Sort::ConstantBool: return constant(Array::scalar(ordinal != 0));
        case Sort::ConstantTrue: return constant(Array::scalar(true));
    }
    return {};
}

// --- instances ----------------------------------------------------------------------------------

// Values for attributes that a row leaves open.
using OpenAttrs = std::map<std::string, AttrValue, std::less<>>;
const std::vector<OpenAttrs> open_attributes = {
    {{"axes", Ints{1}}, {"keepdims", false}, {"axis", int64_t{1}}},
    {{"axes", Ints{1}}, {"keepdims", true}, {"axis", int64_t{0}}},
    {{"axes", Ints{0, 1}}, {"keepdims", false}, {"axis", int64_t{1}}},
};

std::vector<std::string> wildcards(const Variable& pattern) {
    std::vector<std::string> names;
    for (const auto& leaf : leaves({pattern}))
        if (leaf.kind() == NodeKind::Wildcard &&
            std::find(names.begin(), names.end(), leaf.name()) == names.end())
            names.push_back(leaf.name());
    return names;
}

Variable instance_of(const Rule& rule, const std::vector<Sort>& sorts, const OpenAttrs& open,
                     bool wide) {
    auto names = wildcards(rule.left);
    std::map<std::string, Variable> chosen;
    for (size_t i = 0; i < names.size(); ++i)
        chosen[names[i]] =
            leaf(sorts[i], is_probability(rule.name, names[i]) ? "share " + names[i] : names[i],
                 static_cast<int>(i), wide);
    return rewrite::filled_pattern(
        rule.left, [&](std::string_view name) { return chosen.at(std::string(name)); },
        [&](std::string_view name) -> const AttrValue& {
            auto given = open.find(name);
            if (given == open.end()) fail(ErrorKind::Unsupported, "no value for attribute ", name);
            return given->second;
        });
}

Variable sized(const char* type, const char* name) { return input(parse_type(type), name); }

const std::multimap<std::string, std::function<Variable()>, std::less<>> by_hand = {
    {"reshape of reshape",
     [] { return reshape(reshape(sized("f64[4,3]", "x"), Ints{12}), Ints{2, 6}); }},
    {"reshape to sizes it has", [] { return reshape(sized("f64[4,3]", "x"), Ints{4, 3}); }},
    {"softmax by hand, axis put back",
     [] {
         Variable e = exp(sized("f64[4,3]", "x"));
         return e / expand_dims(sum(e, Ints{1}), Ints{1});
     }},
    {"broadcast to sizes it has",
     [] { return broadcast_to(sized("f64[4,3]", "x"), ShapeArg(Ints{4, 3})); }},
};

// --- firing -------------------------------------------------------------------------------------

struct Fired {
    Variable before, after;
};

bool takes_its_place(const TensorType& before, const TensorType& after) {
    if (before.dtype != after.dtype || before.rank() != after.rank()) return false;
    for (size_t i = 0; i < before.dims.size(); ++i)
        if (before.dims[i].known() && after.dims[i].known() && !(before.dims[i] == after.dims[i]))
            return false;
    return true;
}

std::optional<Fired> fire(const Rule& rule, const Variable& instance) {
    rewrite::Arena arena({instance});
    rewrite::Value root = arena.outputs()[0];
    auto found = rewrite::match(rule, arena, root.node);
    if (!found) return {};
    Variable after = rewrite::instantiate(rule, *found);
    if (!after || !takes_its_place(instance.type(), after.type())) return {};
    return Fired{arena.variable(root), after};
}

// --- values -------------------------------------------------------------------------------------

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<double> real_edges = {0.0, -0.0, 0.5, -0.5, 1,        -1,        2,   -2,
                                        9.5, -9.5, 1e3, 1e8,  infinity, -infinity, NAN, 3};
const std::vector<int64_t> integer_edges = {0,    1,
                                            -1,   2,
                                            -2,   3,
                                            7,    -7,
                                            100,  127,
                                            -128, 128,
                                            255,  std::numeric_limits<int64_t>::max(),
                                            -55,  std::numeric_limits<int64_t>::min()};

// EmptyEdges: arrays without elements beside infinite scalars.
enum class Values { Random, Edges, Empty, EmptyEdges, Single };
int64_t size_for(Values values) {
    switch (values) {
        case Values::Random: return 5;
        case Values::Edges: return static_cast<int64_t>(real_edges.size());
        case Values::Empty:
        case Values::EmptyEdges: return 0;
        case Values::Single: return 1;
    }
    return 0;
}

// Where leaf number `ordinal` finds its edge value: two leaves meet in every pair of values.
size_t edge_at(const Sizes& index, size_t ordinal) {
    int64_t i = index.empty() ? 8 : index[0], j = index.size() < 2 ? i : index[1];
    int64_t place = ordinal % 3 == 0 ? i : ordinal % 3 == 1 ? j : i + j;
    return static_cast<size_t>(place) % real_edges.size();
}

Array values_for(const Variable& leaf, size_t ordinal, Values values) {
    int64_t size = size_for(values);
    Sizes shape;
    for (Dim dim : leaf.type().dims) shape.push_back(dim.known() ? dim.size() : size);
    std::mt19937_64 random(17 + ordinal);
    std::uniform_real_distribution<double> real(-3, 3);
    std::vector<std::complex<double>> elements;
    Sizes index(shape.size(), 0);
    bool whole = !is_continuous(leaf.dtype());
    for (int64_t k = 0; k < element_count(shape); ++k) {
        int64_t rest = k;
        for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
            index[axis] = rest % shape[axis];
        size_t edge = edge_at(index, ordinal);
        double x = real(random), y = is_complex(leaf.dtype()) ? real(random) : 0;
        if (leaf.name().starts_with("classes"))
            x = static_cast<double>((k * 5 + 2) % size);
        else if (whole)
            x = values == Values::Edges ? static_cast<double>(integer_edges[edge])
                                        : std::floor(x * 3);
        else if (values == Values::Edges && !(is_complex(leaf.dtype()) && edge > 11))
            x = real_edges[edge], y = is_complex(leaf.dtype()) ? std::round(y) : 0;
        if (values == Values::EmptyEdges && !whole) x = infinity;
        if (leaf.name().starts_with("share")) x = std::clamp(x, 0.0, 1.0);
        elements.emplace_back(x, y);
    }
    if (is_complex(leaf.dtype())) return Array::of(elements, shape);
    std::vector<double> plain;
    for (auto e : elements) plain.push_back(e.real());
    Array result = Array::of(plain, shape);
    if (!whole) return result.cast(leaf.dtype());
    // Through int64, so that small integers wrap instead of being cut.
    std::vector<int64_t> integers;
    for (double x : plain) integers.push_back(convert_number<int64_t>(x));
    return Array::of(integers, shape).cast(leaf.dtype());
}

using Given = std::map<std::string, Array>;

Given values_of_leaves(const Variable& graph, Values values) {
    Given given;
    size_t ordinal = 0;
    for (const auto& leaf : leaves({graph}))
        if (leaf.kind() == NodeKind::Input)
            given.emplace(leaf.name(), values_for(leaf, ordinal++, values));
    return given;
}

Array value_of(const Variable& graph, const Given& given) {
    std::vector<std::pair<Variable, Array>> inputs;
    for (const auto& leaf : leaves({graph}))
        if (leaf.kind() == NodeKind::Input)
            inputs.emplace_back(leaf, given.at(leaf.name()).cast(leaf.dtype()));
    return compile::evaluate({graph}, inputs)[0];
}

// `truth` is the left side's value in higher precision where there is one, `before` its own.
std::string difference(const Array& truth, const Array& before, const Array& after) {
    if (!(before.shape() == after.shape()))
        return cat("shape ", shape_text(before.shape()), " became ", shape_text(after.shape()));
    if (before.dtype() != after.dtype()) return "another dtype";
    if (!is_continuous(before.dtype()))
        return before.identical(after) ? "" : cat(before.text(), " became ", after.text());
    bool single = before.dtype() == DType::Float32 || before.dtype() == DType::Complex64;
    double allowed = single ? 1e-4 : 1e-9;
    auto t = truth.to_vector<std::complex<double>>(), b = before.to_vector<std::complex<double>>(),
         a = after.to_vector<std::complex<double>>();
    for (size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(std::abs(t[i])) || !std::isfinite(std::abs(b[i]))) continue;
        if (!(std::abs(a[i] - t[i]) <= allowed * (1 + std::abs(t[i]))))
            return cat("element ", i, ": ", number_text(t[i].real()), "+", number_text(t[i].imag()),
                       "j became ", number_text(a[i].real()), "+", number_text(a[i].imag()), "j");
    }
    return "";
}

// What is wrong with a firing; "" if nothing is. `wide` is the instance in float64, or null.
std::string judge(const Fired& fired, const Variable& wide) {
    for (Values values :
         {Values::Random, Values::Edges, Values::Empty, Values::EmptyEdges, Values::Single}) {
        Given given = values_of_leaves(fired.before, values);
        Array before, truth, after;
        try {
            before = value_of(fired.before, given);
            truth = wide ? value_of(wide, given) : before;
        } catch (const Error&) {
            continue;  // e.g. the largest of no elements
        }
        std::string found;
        try {
            after = value_of(fired.after, given);
            found = difference(truth, before, after);
        } catch (const Error& error) {
            found = error.what();
        }
        if (found.empty()) continue;
        for (const auto& [name, array] : given) found += cat("\n  ", name, " = ", array.text());
        return cat(found, "\nbefore:\n", print({fired.before}), "after:\n", print({fired.after}));
    }
    return "";
}

// --- one row ------------------------------------------------------------------------------------

struct Row {
    std::string table;
    const Rule* rule;
};

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    for (const auto& [table, rules] : rules::all_tables())
        for (const auto& rule : *rules) rows.push_back({std::string(table), &rule});
    return rows;
}

class Trial {
  public:
    explicit Trial(const Rule& rule) : rule_(rule), names_(wildcards(rule.left)) {}

    void run() {
        auto [first, last] = by_hand.equal_range(rule_.name);
        for (; first != last; ++first) attempt_by_hand(first->second());
        for (int sort = 0; sort < sort_count; ++sort)
            attempt(std::vector<Sort>(names_.size(), static_cast<Sort>(sort)));
        if (names_.size() == 2) return run_all_pairs();
        std::mt19937_64 random(std::hash<std::string_view>{}(rule_.name));
        std::uniform_int_distribution<int> any(0, sort_count - 1);
        for (int i = 0; names_.size() > 2 && i < (fired_ > 0 ? 2000 : 6000) && mixed_ < 60; ++i) {
            std::vector<Sort> sorts;
            for (size_t k = 0; k < names_.size(); ++k)
                sorts.push_back(static_cast<Sort>(any(random)));
            int before = fired_;
            attempt(sorts);
            mixed_ += fired_ > before;
        }
    }

    int fired() const { return fired_; }
    const std::string& wrong() const { return wrong_; }

  private:
    // A row may be wrong for one pair only, e.g. a column that stands for a whole matrix.
    void run_all_pairs() {
        for (int first = 0; first < sort_count; ++first)
            for (int second = 0; second < sort_count; ++second)
                if (first != second) attempt({static_cast<Sort>(first), static_cast<Sort>(second)});
    }

    void note(const std::string& found) {
        ++fired_;
        if (wrong_.empty()) wrong_ = found;
    }

    void attempt_by_hand(const Variable& instance) {
        if (auto fired = fire(rule_, instance)) note(judge(*fired, {}));
    }

    void attempt(const std::vector<Sort>& sorts) {
        for (const auto& open : open_attributes) {
            Variable instance, wide;
            try {
                instance = instance_of(rule_, sorts, open, false);
                wide = instance_of(rule_, sorts, open, true);
            } catch (const Error&) {
                return;  // these sorts cannot stand there
            }
            std::optional<Fired> fired;
            try {
                fired = fire(rule_, instance);
            } catch (const Error& error) {
                return note(cat("the right side cannot be built: ", error.what(), "\nfor:\n",
                                print({instance})));
            }
            if (fired) note(judge(*fired, wide));
        }
    }

    const Rule& rule_;
    std::vector<std::string> names_;
    int fired_ = 0, mixed_ = 0;
    std::string wrong_;
};

class RuleMatrix : public testing::TestWithParam<Row> {};

TEST_P(RuleMatrix, FiresAndKeepsValues) {
    const Rule& rule = *GetParam().rule;
    auto where = cat(GetParam().table, ": '", rule.name, "' (", rule.left.site().text(), ")");
    Trial trial(rule);
    trial.run();
    auto silent = never_fires.find(rule.name);
    EXPECT_EQ(trial.fired() == 0, silent != never_fires.end())
        << where
        << (trial.fired() == 0 ? " never fired: give it an instance in `by_hand`"
                               : " fires now: take it out of `never_fires`");
    if (auto wrong = known_wrong.find(rule.name); wrong != known_wrong.end())
        EXPECT_NE(trial.wrong(), "") << where << " is right now: take it out of `known_wrong`";
    else
        EXPECT_EQ(trial.wrong(), "") << where;
}

INSTANTIATE_TEST_SUITE_P(Tables, RuleMatrix, testing::ValuesIn(all_rows()), [](const auto& info) {
    std::string name = cat(info.index, "_", info.param.table, "_", info.param.rule->name);
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

TEST(RuleTables, NamesAreUniqueAndListedOnesExist) {
    std::map<std::string, int, std::less<>> count;
    for (const auto& row : all_rows()) ++count[std::string(row.rule->name)];
    for (const auto& [name, times] : count) EXPECT_EQ(times, 1) << name << " names several rows";
    for (const auto* list : {&known_wrong, &never_fires})
        for (const auto& [name, reason] : *list) EXPECT_TRUE(count.contains(name)) << name;
    for (const auto& [name, wildcard] : probabilities) EXPECT_TRUE(count.contains(name)) << name;
    for (const auto& [name, build] : by_hand) EXPECT_TRUE(count.contains(name)) << name;
}

// The matrix itself can fail: rows of wrong values or sizes are found out.
TEST(RuleTables, AWrongRowIsFound) {
    Variable x = wildcard("x"), y = wildcard("y");
    Rule sign("wrong sign", abs(x), x), sum("wrong sum", x + (y - y), x * 2),
        shape("wrong shape", x + (y - y), x);
    for (const auto* rule : {&sign, &sum, &shape}) {
        Trial trial(*rule);
        trial.run();
        EXPECT_NE(trial.wrong(), "") << rule->name;
    }
}

}  // namespace
}  // namespace croton
