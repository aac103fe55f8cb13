// What is derived from each row of the matrix.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "croton/api/function.hpp"
#include "croton/base/format.hpp"
#include "croton/compile/reference.hpp"
#include "croton/grad/grad.hpp"
#include "croton/grad/verify.hpp"
#include "croton/graph/text.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/reduce.hpp"
#include "tests/ops/row.hpp"

namespace croton::test {

namespace {

// --- comparing ----------------------------------------------------------------------------------

// Distance from `got` to `want` in units in the last place that `dtype` has at `want`, or at
// `scale` if that is larger.
double ulps_between(double got, double want, DType dtype, double scale) {
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) == std::isnan(got) ? 0 : inf;
    if (got == want) return std::signbit(got) == std::signbit(want) || scale > 0 ? 0 : inf;
    if (std::isinf(got) || std::isinf(want)) return inf;
    int digits = 53, lowest = -1021;
    if (dtype == DType::Float32 || dtype == DType::Complex64) digits = 24, lowest = -125;
    if (dtype == DType::Float16) digits = 11, lowest = -13;
    if (dtype == DType::BFloat16) digits = 8, lowest = -125;
    int exponent = 0;
    std::frexp(std::max(std::abs(want), scale), &exponent);
    return std::abs(got - want) / std::ldexp(1.0, std::max(exponent, lowest) - digits);
}

double rounded_to(double value, DType dtype) {
    return Array::scalar(value).cast(dtype).item<double>();
}

struct Comparison {
    const Row& row;
    std::string what;
    double more_ulps = 0;
    int64_t failures = 0;

    void element(double got, double want, DType dtype, const std::string& at, double scale) {
        if (is_floating(dtype) && dtype != DType::Float64) want = rounded_to(want, dtype);
        double ulps = ulps_between(got, want, dtype, scale);
        bool right = is_continuous(dtype) ? ulps <= row.ulps + more_ulps : got == want;
        if (!right && ++failures <= 3)
            ADD_FAILURE() << row.op << " (row at line " << row.line << "), " << what << ", " << at
                          << ": got " << number_text(got) << ", expected " << number_text(want)
                          << " (" << ulps << " ulps, allowed " << row.ulps << ")";
    }
    void arrays(const Array& got, const Array& want) {
        ASSERT_EQ(shape_text(got.shape()), shape_text(want.shape())) << row.op << ", " << what;
        for_each_index(got.shape(), [&](const Sizes& index) {
            auto at = cat("element ", shape_text(index));
            if (!is_complex(got.dtype()))
                return element(got.at<double>(index), want.at<double>(index), got.dtype(), at,
                               row.scale);
            auto g = got.at<Complex>(index), w = want.at<Complex>(index);
            // The error of either part is a fraction of the whole number.
            double scale = std::isfinite(std::abs(w)) ? std::abs(w) : 0;
            element(g.real(), w.real(), got.dtype(), at + ".real", scale);
            element(g.imag(), w.imag(), got.dtype(), at + ".imag", scale);
        });
    }
};

// --- forward ------------------------------------------------------------------------------------

Sizes broadcast_shape(const std::vector<Array>& inputs) {
    Sizes result;
    for (const auto& input : inputs) {
        Sizes shape = input.shape();
        while (result.size() < shape.size()) result.insert(result.begin(), 1);
        size_t skip = result.size() - shape.size();
        for (size_t i = 0; i < shape.size(); ++i)
            if (result[i + skip] == 1) result[i + skip] = shape[i];
    }
    return result;
}

template <class T, class F>
Array elementwise(const F& f, const std::vector<Array>& inputs) {
    Sizes shape = broadcast_shape(inputs);
    std::vector<T> values;
    for_each_index(shape, [&](const Sizes& index) {
        std::vector<T> x;
        for (const auto& input : inputs)
            x.push_back(input.at<T>(broadcast_index(index, input.shape())));
        values.push_back(f(x));
    });
    return Array::of(values, shape);
}

Array expected(const Row& row, const std::vector<Array>& inputs) {
    if (row.whole) return row.whole(inputs);
    bool any_complex = false;
    for (const auto& input : inputs) any_complex |= is_complex(input.dtype());
    if (any_complex) return elementwise<Complex>(row.complex, inputs);
    return elementwise<double>(row.real, inputs);
}

std::vector<Array> by_reference(const Variables& outputs, const Variables& inputs,
                                const std::vector<Array>& values) {
    std::vector<std::pair<Variable, Array>> pairs;
    for (size_t i = 0; i < inputs.size(); ++i) pairs.emplace_back(inputs[i], values[i]);
    return compile::evaluate(outputs, pairs);
}

Variables variables_for(const std::vector<Array>& values) {
    Variables inputs;
    for (size_t i = 0; i < values.size(); ++i)
        inputs.push_back(input(tensor_type(values[i].dtype(), values[i].rank()), cat("x", i)));
    return inputs;
}

void check_forward(const Row& row, const std::vector<Array>& values, const std::string& what) {
    Variables inputs = variables_for(values);
    Variable output = row.apply(inputs);
    std::vector<Array> got = by_reference({output}, inputs, values);
    ASSERT_EQ(got[0].dtype(), output.dtype()) << row.op << ", " << what;
    ASSERT_EQ(got[0].rank(), output.rank()) << row.op << ", " << what;
    Comparison{row, what}.arrays(got[0], expected(row, values));
}

std::vector<Array> draw_all(const Row& row, const std::vector<Sizes>& shapes, DType swept,
                            uint64_t seed) {
    std::vector<Array> values;
    for (size_t i = 0; i < row.arity; ++i)
        values.push_back(draw(row.dtype_of(i, swept), shapes[i], row.domains[i], seed + i));
    return values;
}

std::string describe(const std::vector<Array>& values) {
    return join(values, " and ", [](const Array& a) { return a.type().text(); });
}

class OpMatrix : public testing::TestWithParam<size_t> {
  protected:
    const Row& row() const { return all_rows()[GetParam()]; }
};

// Larger and smaller sizes, zeros of them, broadcasting, each dtype of the row.
void check_random(const Row& row) {
    for (DType dtype : row.sweep) {
        if (is_complex(dtype) && row.elementwise() && !row.complex) continue;
        uint64_t seed = row.line;
        for (const auto& shapes : row.all_shapes()) {
            auto values = draw_all(row, shapes, dtype, seed += 10);
            check_forward(row, values, describe(values));
        }
    }
}

std::vector<Array> edge_columns(const Row& row, DType dtype) {
    auto count = static_cast<int64_t>(row.edge_tuples.size());
    std::vector<Array> values;
    for (size_t i = 0; i < row.arity; ++i) {
        Array column = Array::empty(DType::Float64, {count});
        for (size_t k = 0; k < row.edge_tuples.size(); ++k)
            column.data_as<double>()[k] = row.edge_tuples[k].at(i);
        values.push_back(column.cast(row.dtype_of(i, dtype)));
    }
    return values;
}

void check_edges(const Row& row) {
    if (row.edge_tuples.empty()) return;
    for (DType dtype : row.sweep)
        if (is_floating(dtype))
            check_forward(row, edge_columns(row, dtype), cat("edge values in ", dtype_name(dtype)));
}

void check_strided(const Row& row) {
    DType dtype = row.sweep[0];
    for (const auto& shapes : row.all_shapes()) {
        auto values = draw_all(row, shapes, dtype, row.line + 7);
        for (auto& value : values) value = strided_copy(value);
        check_forward(row, values, "strided " + describe(values));
    }
}

TEST_P(OpMatrix, RandomValues) { check_random(row()); }
TEST_P(OpMatrix, EdgeValues) { check_edges(row()); }
TEST_P(OpMatrix, StridedInputs) { check_strided(row()); }

// One function serves every size: those of a row are made once for each dtype and ranks.
class CompiledRow {
  public:
    CompiledRow(const Row& row, std::string mode) : row_(row), mode_(std::move(mode)) {}

    void check(const std::vector<Array>& values) {
        std::string types = describe_ranks(values);
        auto found = functions_.find(types);
        if (found == functions_.end()) found = functions_.emplace(types, make(values)).first;
        std::vector<std::optional<Array>> arguments(values.begin(), values.end());
        Array got = found->second.call(arguments).only();
        Comparison{row_, mode_ + ", " + describe(values), compiled_ulps}.arrays(
            got, expected(row_, values));
    }

  private:
    // What compiled maths may add to the judge's error (croton/backend/cpu/maths/README.md).
    static constexpr double compiled_ulps = 4;

    static std::string describe_ranks(const std::vector<Array>& values) {
        return join(values, " ",
                    [](const Array& a) { return tensor_type(a.dtype(), a.rank()).text(); });
    }
    Function make(const std::vector<Array>& values) const {
        Variables inputs = variables_for(values);
        FunctionOptions options;
        options.mode = compile::mode_named(mode_);
        options.on_unused_input = "ignore";
        return function({inputs.begin(), inputs.end()}, row_.apply(inputs), options);
    }

    const Row& row_;
    std::string mode_;
    std::map<std::string, Function> functions_;
};

void check_compiled(const Row& row, const std::string& mode) {
    CompiledRow compiled(row, mode);
    // Every dtype is interpreted; these show what compiling makes of narrow, wide and other ones.
    std::set<DType> dtypes = {row.sweep[0], row.sweep[row.sweep.size() / 2], row.sweep.back()};
    for (DType dtype : dtypes) {
        if (is_complex(dtype) && row.elementwise() && !row.complex) continue;
        uint64_t seed = row.line + 3;
        for (const auto& shapes : row.all_shapes())
            compiled.check(draw_all(row, shapes, dtype, seed += 10));
        if (!row.edge_tuples.empty() && is_floating(dtype))
            compiled.check(edge_columns(row, dtype));
    }
    for (const auto& shapes : row.all_shapes()) {
        auto values = draw_all(row, shapes, row.sweep[0], row.line + 7);
        for (auto& value : values) value = strided_copy(value);
        compiled.check(values);
    }
}

TEST_P(OpMatrix, Compiled) { check_compiled(row(), "fast"); }

// --- derivatives --------------------------------------------------------------------------------

std::vector<Array> smooth_points(const Row& row, const std::vector<Sizes>& shapes, uint64_t seed) {
    std::vector<Array> values;
    for (size_t i = 0; i < row.arity; ++i)
        values.push_back(
            draw(row.dtype_of(i, DType::Float64), shapes[i], row.smooth_domain(i), seed + i));
    return values;
}

// Against central differences in float64; the gradient's gradient too; forward mode against both.
TEST_P(OpMatrix, Gradients) {
    const Row& row = this->row();
    if (!row.any_gradient()) return;
    uint64_t seed = row.line;
    for (const auto& shapes : row.all_shapes()) {
        auto points = smooth_points(row, shapes, seed += 10);
        VerifyOptions options{.seed = seed, .order = row.once.empty() ? 2 : 1};
        options.check = row.differentiated;
        try {
            verify_grad(row.build, points, compile::evaluate, options);
        } catch (const Error& error) {
            ADD_FAILURE() << row.op << " (row at line " << row.line << ") of " << describe(points)
                          << ": " << error.what();
        }
    }
}

// Optimised gradients are those of the plain graph.
TEST_P(OpMatrix, CompiledGradients) {
    const Row& row = this->row();
    if (!row.any_gradient()) return;
    auto points = smooth_points(row, row.all_shapes().back(), row.line + 5);
    Variables inputs = variables_for(points), wrt;
    for (size_t i = 0; i < inputs.size(); ++i)
        if (row.differentiated[i]) wrt.push_back(inputs[i]);
    Variable y = row.apply(inputs);
    if (!is_floating(y.dtype())) return;
    Variables gradients = grad(sum(y * y), wrt, {.disconnected = Disconnected::Ignore});
    std::vector<std::pair<Variable, Array>> pairs;
    for (size_t i = 0; i < inputs.size(); ++i) pairs.emplace_back(inputs[i], points[i]);
    auto expected = compile::evaluate(gradients, pairs);
    FunctionOptions options;
    options.mode = compile::mode_named("fast");
    options.on_unused_input = "ignore";
    auto f =
        function({inputs.begin(), inputs.end()}, {gradients.begin(), gradients.end()}, options);
    auto got = f.call({points.begin(), points.end()});
    for (size_t i = 0; i < expected.size(); ++i) {
        Row loose = row;
        loose.within(1 << 14).at_scale(1);  // sums are reordered, differences cancel
        Comparison{loose, cat("compiled gradient ", i, " of ", describe(points))}.arrays(
            got[i], expected[i]);
    }
}

// --- structure ----------------------------------------------------------------------------------

// The same row of the same op is the same node again: attributes come back from themselves.
TEST_P(OpMatrix, TypesAreStable) {
    const Row& row = this->row();
    auto values = draw_all(row, row.all_shapes()[0], row.sweep[0], 1);
    Variable output = row.apply(variables_for(values));
    if (output.kind() != NodeKind::Apply) return;
    Variables again = apply_like(output.node(), output.node().inputs);
    EXPECT_EQ(again[output.index()].type(), output.type());
    EXPECT_TRUE(again[0].node().attrs->equals(*output.node().attrs));
}

// What only the program knows (ops of users), by its text.
// Messages, profiles and explanations name the user's line, never one of the library's own.
TEST_P(OpMatrix, BelongsToItsUsersLine) {
    const Row& row = this->row();
    for (const auto& shapes : row.all_shapes()) {
        Variables inputs = variables_for(draw_all(row, shapes, row.sweep[0], 1));
        Variable made = row.apply(inputs);  // holds the nodes
        for (Node* node : toposort({made}, inputs))
            EXPECT_TRUE(node->kind != NodeKind::Apply ||
                        std::string_view(node->site.file).starts_with("tests/"))
                << node->op->name << " at " << node->site.file << ":" << node->site.line;
    }
}

std::shared_ptr<const Opaque> opaque_of(const Variable& output, std::string_view text) {
    for (const Node* node : toposort({output}))
        for (const auto& value : node->attrs ? node->attrs->values : std::vector<AttrValue>())
            if (auto opaque = std::get_if<std::shared_ptr<const Opaque>>(&value);
                opaque && *opaque && (*opaque)->text() == text)
                return *opaque;
    return nullptr;
}

TEST_P(OpMatrix, TextReadsBack) {
    const Row& row = this->row();
    auto values = draw_all(row, row.all_shapes()[0], row.sweep[0], 1);
    Variables inputs = variables_for(values);
    Variable output = row.apply(inputs);
    PrintOptions options;
    options.inputs = inputs;
    auto find_opaque = [&](std::string_view text) { return opaque_of(output, text); };
    ParsedGraph parsed =
        parse_graph(print({output}, options), {.find_op = find_op, .find_opaque = find_opaque});
    EXPECT_EQ(graph_difference({output}, parsed.outputs, inputs, parsed.inputs), "") << row.op;
}

// Functions that build patterns must not look at types: they take wildcards.
TEST_P(OpMatrix, TakesWildcards) {
    Variables wild;
    for (size_t i = 0; i < row().arity; ++i) wild.push_back(wildcard(cat("w", i)));
    if (!row().elementwise()) return;
    EXPECT_TRUE(row().apply(wild).node().pattern);
}

std::string name_of(const testing::TestParamInfo<size_t>& info) {
    const auto& rows = all_rows();
    int number = 0;
    for (size_t i = 0; i < info.param; ++i) number += rows[i].op == rows[info.param].op;
    return number == 0 ? rows[info.param].op : cat(rows[info.param].op, "_", number + 1);
}

INSTANTIATE_TEST_SUITE_P(Rows, OpMatrix, testing::Range(size_t{0}, all_rows().size()), name_of);

// --- the ----------------------------------------------------------------------------------------

TEST(Catalogue, EveryOpHasARow) {
    std::set<std::string> tested;
    for (const auto& row : all_rows()) tested.insert(row.op);
    for (const auto& [family, records] : catalogue())
        for (const OpRecord* record : records)
            EXPECT_TRUE(tested.count(std::string(record->name)))
                << record->name << " (family " << family << ") has no row in tests/ops";
}

TEST(Catalogue, EveryRowHasAnOp) {
    for (const auto& row : all_rows())
        EXPECT_NE(find_op(row.op), nullptr) << row.op << " at line " << row.line;
}

TEST(Catalogue, RecordsAreComplete) {
    for (const auto& [family, records] : catalogue())
        for (const OpRecord* record : records) {
            EXPECT_FALSE(record->doc.empty()) << record->name;
            EXPECT_EQ(record->doc.back(), '.') << record->name;
            EXPECT_NE(record->type, nullptr) << record->name;
            std::set<std::string_view> names;
            for (const auto& argument : record->arguments) names.insert(argument.name);
            EXPECT_EQ(names.size(), record->arguments.size()) << record->name;
        }
}

}  // namespace
}  // namespace croton::test
