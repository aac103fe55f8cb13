// The rule matrix: every row of every table fires on instances of its left side (instances.hpp),
// and the judge finds the same values before and after. Places where the left side's own value is
// not finite are not judged: the stability rules know better there.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "croton/base/format.hpp"
#include "croton/compile/reference.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "tests/rules/instances.hpp"

namespace croton::test {
namespace {

using rewrite::Rule;

// --- what is known to be wrong, and why ---------------------------------------------------------

using Reasons = std::map<std::string, std::string, std::less<>>;

const Reasons known_wrong = {};
const Reasons never_fires = {};

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
            x = static_cast<double>((k * 5 + 2) % (leaf.type().dims[0].known() ? 3 : size));
        else if (whole)
            x = values == Values::Edges ? static_cast<double>(integer_edges[edge])
                                        : std::floor(x * 3);
        else if (values == Values::Edges && !(is_complex(leaf.dtype()) && edge > 11))
            x = real_edges[edge], y = is_complex(leaf.dtype()) ? std::round(y) : 0;
        if (values == Values::EmptyEdges && !whole) x = infinity;
        if (leaf.name().starts_with("share")) x = std::clamp(x, 0.0, 1.0);
        if (leaf.name().starts_with("moderate"))
            x = std::isnan(x) ? 0 : std::clamp(x, is_unsigned(leaf.dtype()) ? 0.0 : -6.0, 6.0);
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

// What is wrong with a firing; "" if nothing is.
std::string judge(const Fired& fired) {
    for (Values values :
         {Values::Random, Values::Edges, Values::Empty, Values::EmptyEdges, Values::Single}) {
        Given given = values_of_leaves(fired.before, values);
        Array before, truth, after;
        try {
            before = value_of(fired.before, given);
            truth = fired.wide ? value_of(fired.wide, given) : before;
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

struct Verdict {
    int fired = 0;
    std::string wrong;  // the first thing that is
};
Verdict verdict_of(const Rule& rule) {
    Verdict verdict;
    auto note = [&](const std::string& found) {
        ++verdict.fired;
        if (verdict.wrong.empty()) verdict.wrong = found;
    };
    auto judged = [&](const Fired& fired) {
        note(judge(fired));
        return true;
    };
    for_each_instance(rule, {judged, note});
    return verdict;
}

class RuleMatrix : public testing::TestWithParam<Row> {};

TEST_P(RuleMatrix, FiresAndKeepsValues) {
    const Rule& rule = *GetParam().rule;
    auto where = cat(GetParam().table, ": '", rule.name, "' (", rewrite::place_of(rule), ")");
    Verdict verdict = verdict_of(rule);
    auto silent = never_fires.find(rule.name);
    EXPECT_EQ(verdict.fired == 0, silent != never_fires.end())
        << where
        << (verdict.fired == 0 ? " never fired: give it an instance by hand"
                               : " fires now: take it out of `never_fires`");
    if (auto wrong = known_wrong.find(rule.name); wrong != known_wrong.end())
        EXPECT_NE(verdict.wrong, "") << where << " is right now: take it out of `known_wrong`";
    else
        EXPECT_EQ(verdict.wrong, "") << where;
}

INSTANTIATE_TEST_SUITE_P(Tables, RuleMatrix, testing::ValuesIn(all_rows()),
                         [](const auto& info) { return test_name(info.param, info.index); });

TEST(RuleTables, NamesAreUniqueAndListedOnesExist) {
    std::map<std::string, int, std::less<>> count;
    for (const auto& row : all_rows()) ++count[std::string(row.rule->name)];
    for (const auto& [name, times] : count) EXPECT_EQ(times, 1) << name << " names several rows";
    for (const auto* list : {&known_wrong, &never_fires})
        for (const auto& [name, reason] : *list) EXPECT_TRUE(count.contains(name)) << name;
    for (const auto& name : rows_with_instances_by_hand())
        EXPECT_TRUE(count.contains(name)) << name;
}

// The matrix itself can fail: rows of wrong values or sizes are found out.
TEST(RuleTables, AWrongRowIsFound) {
    Variable x = wildcard("x"), y = wildcard("y");
    Rule sign("wrong sign", abs(x), x), sum("wrong sum", x + (y - y), x * 2),
        shape("wrong shape", x + (y - y), x);
    for (const auto* rule : {&sign, &sum, &shape})
        EXPECT_NE(verdict_of(*rule).wrong, "") << rule->name;
}

}  // namespace
}  // namespace croton::test
