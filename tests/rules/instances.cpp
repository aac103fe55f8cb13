#include "tests/rules/instances.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "croton/base/format.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/linalg.hpp"
#include "croton/ops/nnet.hpp"
#include "croton/ops/reduce.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/special.hpp"
#include "croton/rules/tables.hpp"

namespace croton::test {

namespace {
// Wildcards that a row is judged for in a part of their domain only: the first word of their
// leaves' names says which (test_matrix.cpp knows them).
struct Domain {
    std::string rule, wildcard, word;
};
const std::vector<Domain> domains = {
    // Probabilities: far outside, the left side cancels and is the worse one.
    {"cross-entropy of sigmoid", "y", "share"},
    // Numbers near 1e8 swallow the logarithm on the left side only.
    {"log of softmax by hand", "x", "moderate"},
    // Where nothing saturates: else numbers are equal that x tells apart.
    {"argmax of softmax", "x", "moderate"},
    {"argmin of softmax", "x", "moderate"},
    {"argmax of log of softmax", "x", "moderate"},
    {"argmin of log of softmax", "x", "moderate"},
    {"argmax of sigmoid", "x", "moderate"},
    {"argmax of exp", "x", "moderate"},
    {"argmax of tanh", "x", "moderate"},
};
std::string leaf_name(std::string_view rule, const std::string& wildcard) {
    for (const Domain& domain : domains)
        if (domain.rule == rule && domain.wildcard == wildcard)
            return cat(domain.word, " ", wildcard);
    return wildcard;
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

Variable instance_of(const rewrite::Rule& rule, const std::vector<Sort>& sorts,
                     const OpenAttrs& open, bool wide) {
    auto names = wildcards(rule.left);
    std::map<std::string, Variable> chosen;
    for (size_t i = 0; i < names.size(); ++i)
        chosen[names[i]] =
            leaf(sorts[i], leaf_name(rule.name, names[i]), static_cast<int>(i), wide);
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
    {"log of softmax by hand, axis put back",
     [] {
         Variable x = sized("f64[4,3]", "x");
         return x - expand_dims(logsumexp(x, Ints{1}), Ints{1});
     }},
    {"sum of exps of a difference, axis put back",
     [] {
         Variable x = sized("f64[4,3]", "x"), s = sized("f64[4]", "s");
         return logsumexp(x - expand_dims(s, Ints{1}), Ints{1}) + s;
     }},
    {"sum of exps of a difference, axis taken away",
     [] {
         Variable x = sized("f64[4,3]", "x"), s = sized("f64[4,1]", "s");
         return logsumexp(x - s, Ints{1}) + squeeze(s, Ints{1});
     }},
    {"log of sum of several exps",
     [] {
         Variable x = sized("f64[4,3]", "x"), y = sized("f64[3]", "y"), z = sized("f64[]", "z");
         return log(exp(x) + (exp(y) + exp(z)));
     }},
    {"log of softmax at positions",
     [] { return log(take(softmax(sized("f64[4,3]", "x"), 1), sized("i64[4]", "classes y"), 0)); }},
    {"log of softmax at pairs of positions",
     [] {
         return log(at(softmax(sized("f64[4,3]", "x"), 1),
                       {constant(Array::of(std::vector<int64_t>{0, 3, 1}, {3})),
                        constant(Array::of(std::vector<int64_t>{2, 0, 1}, {3}))}));
     }},
    {"log of softmax at a position a row",
     [] {
         return log(take_along_axis(
             softmax(sized("f64[4,3]", "x"), 1),
             constant(Array::of(std::vector<int64_t>{2, 0, 1, 1}, {4}).reshape({4, 1})), 1));
     }},
    {"log of part of softmax",
     [] { return log(at(softmax(sized("f64[4,3]", "x"), 1), {everything, 1})); }},
    {"log of product", [] { return log(prod(sigmoid(sized("f64[4,3]", "x")), Ints{1})); }},
    {"log of scaled", [] { return log(erfc(sized("f64[4,3]", "x")) * 0.5); }},
    {"log of divided", [] { return log(sum(exp(sized("f64[4,3]", "x")), Ints{1}) / 7.0); }},
    {"log of sum of weighted exps",
     [] {
         Variable w = softmax(sized("f64[3]", "w"));
         return log(sum(w * exp(sized("f64[4,3]", "x")), Ints{1}));
     }},
    {"product of a diagonal",
     [] { return matrix_product(diag(sized("f64[4]", "v")), sized("f64[4,3]", "x")); }},
    {"product with a diagonal",
     [] { return matrix_product(sized("f64[4,3]", "x"), diag(sized("f64[3]", "v"))); }},
    {"product of the identity", [] { return matrix_product(eye(4), sized("f64[4,3]", "x")); }},
    {"product with the identity", [] { return matrix_product(sized("f64[4,3]", "x"), eye(3)); }},
    {"transposed batch of products",
     [] {
         Variable product = matrix_product(sized("f64[2,4,3]", "x"), sized("f64[2,3,5]", "y"));
         return dimshuffle(product, {0, 2, 1});
     }},
    {"sum of products with the same along the axes",
     [] { return sum(sized("f64[4,3]", "x") * sized("f64[4,1]", "y"), Ints{1}); }},
    {"sum of products with the same along the axes",
     [] { return sum(sized("f64[1,3]", "y") * sized("f64[4,3]", "x"), Ints{0}, true); }},
    {"sum of quotients by the same along the axes",
     [] { return sum(sized("f64[4,3]", "x") / sized("f64[4,1]", "y"), Ints{1}); }},
    {"small power", [] { return pow(sized("f64[4,3]", "x"), 5.0); }},
    {"small power", [] { return pow(sized("f64[4,3]", "x"), 8.0); }},
    {"small power", [] { return pow(sized("f32[?,?]", "x"), 7.0); }},
    {"small power", [] { return pow(sized("f64[?,?]", "x"), -6.0); }},
    {"square of a truth", [] { return sqr(cast(sized("b1[4,3]", "c"), DType::Float64)); }},
    {"square of a truth", [] { return sqr(cast(sized("b1[4,3]", "c"), DType::Int32)); }},
    {"sizes said that are known",
     [] { return specify_shape(sized("f64[4,3]", "x"), ShapeArg(Ints{-1, 3})); }},
    {"assertion of what is true",
     [] { return assert_(sized("f64[?,3]", "x"), constant(Array::scalar(true)), "never"); }},
    {"product plus addend",
     [] {
         return exp(sized("f64[2,4,5]", "c")) +
                matrix_product(sized("f64[2,4,3]", "a"), sized("f64[2,3,5]", "b"));
     }},
    {"product plus addend",
     [] {
         return exp(sized("f64[2,4,5]", "c")) +
                matrix_product(sized("f64[4,3]", "a"), sized("f64[2,3,5]", "b"));
     }},
    {"product plus scaled addend",
     [] {
         return exp(sized("f64[2,4,5]", "c")) * sized("f64[]", "t") +
                matrix_product(sized("f64[2,4,3]", "a"), sized("f64[1,3,5]", "b"));
     }},
    {"broadcast to sizes it has",
     [] { return broadcast_to(sized("f64[4,3]", "x"), ShapeArg(Ints{4, 3})); }},
};

// --- firing -------------------------------------------------------------------------------------

bool takes_its_place(const TensorType& before, const TensorType& after) {
    if (before.dtype != after.dtype || before.rank() != after.rank()) return false;
    for (size_t i = 0; i < before.dims.size(); ++i)
        if (before.dims[i].known() && after.dims[i].known() && !(before.dims[i] == after.dims[i]))
            return false;
    return true;
}

std::optional<Fired> fire(const rewrite::Rule& rule, const Variable& instance) {
    rewrite::Arena arena({instance});
    rewrite::Value root = arena.outputs()[0];
    auto found = rewrite::match(rule, arena, root.node);
    if (!found) return {};
    Variable after = rewrite::instantiate(rule, *found);
    if (!after || !takes_its_place(instance.type(), after.type())) return {};
    return Fired{arena.variable(root), after, {}};
}

class Trial {
  public:
    Trial(const rewrite::Rule& rule, const Seen& seen)
        : rule_(rule), seen_(seen), names_(wildcards(rule.left)) {}

    void run() {
        auto [first, last] = by_hand.equal_range(rule_.name);
        for (; first != last && !enough_; ++first) attempt_by_hand(first->second());
        for (int sort = 0; sort < sort_count; ++sort)
            attempt(std::vector<Sort>(names_.size(), static_cast<Sort>(sort)));
        if (names_.size() == 2) return run_all_pairs();
        std::mt19937_64 random(std::hash<std::string_view>{}(rule_.name));
        std::uniform_int_distribution<int> any(0, sort_count - 1);
        for (int i = 0, mixed = 0;
             names_.size() > 2 && i < (fired_ > 0 ? 2000 : 6000) && mixed < 60 && !enough_; ++i) {
            std::vector<Sort> sorts;
            for (size_t k = 0; k < names_.size(); ++k)
                sorts.push_back(static_cast<Sort>(any(random)));
            int before = fired_;
            attempt(sorts);
            mixed += fired_ > before;
        }
    }

  private:
    // A row may be wrong for one pair only, e.g. a column that stands for a whole matrix.
    void run_all_pairs() {
        for (int first = 0; first < sort_count; ++first)
            for (int second = 0; second < sort_count; ++second)
                if (first != second) attempt({static_cast<Sort>(first), static_cast<Sort>(second)});
    }

    void note(const Fired& fired) {
        ++fired_;
        enough_ = !seen_.fired(fired);
    }

    void attempt_by_hand(const Variable& instance) {
        if (auto fired = fire(rule_, instance)) note(*fired);
    }

    void attempt(const std::vector<Sort>& sorts) {
        for (const auto& open : open_attributes) {
            if (enough_) return;
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
                ++fired_;
                seen_.broken(cat("the right side cannot be built: ", error.what(), "\nfor:\n",
                                 print({instance})));
                continue;
            }
            if (!fired) continue;
            fired->wide = wide;
            note(*fired);
        }
    }

    const rewrite::Rule& rule_;
    const Seen& seen_;
    std::vector<std::string> names_;
    int fired_ = 0;
    bool enough_ = false;
};
}  // namespace

void for_each_instance(const rewrite::Rule& rule, const Seen& seen) { Trial(rule, seen).run(); }

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    for (const auto& [table, rules] : rules::all_tables())
        for (const auto& rule : *rules) rows.push_back({std::string(table), &rule});
    return rows;
}

std::string test_name(const Row& row, size_t place) {
    std::string name = cat(place, "_", row.table, "_", row.rule->name);
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
}

std::vector<std::string> rows_with_instances_by_hand() {
    std::vector<std::string> names;
    for (const Domain& domain : domains) names.push_back(domain.rule);
    for (const auto& [name, build] : by_hand) names.push_back(name);
    return names;
}

}  // namespace croton::test
