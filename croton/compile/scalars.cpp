#include "croton/compile/scalars.hpp"

#include <algorithm>
#include <numeric>

#include "croton/compile/fuse_graph.hpp"
#include "croton/compile/reference.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/index.hpp"

namespace croton::compile {

namespace {
constexpr int64_t most_elements = 64;

Sizes sizes_of(const TensorType& type) {
    Sizes sizes;
    for (Dim dim : type.dims) sizes.push_back(dim.size());
    return sizes;
}

// Adding to a part of an array: what moves elements, and then adds.
bool adds_to_part(const Node& node) {
    static const OpRecord* write_op = find_op("set_index");
    return node.op == write_op && attrs_of(node).get<std::string>("mode") == "add";
}

// Ops that put elements of their inputs somewhere and compute nothing.
bool only_moves(const Node& node) {
    static const OpRecord *join_op = find_op("concatenate"), *write_op = find_op("set_index"),
                          *vector_op = find_op("make_vector"), *spread_op = find_op("broadcast_to");
    return node.op->kind<ViewCompute>() || node.op == join_op || node.op == vector_op ||
           node.op == spread_op || (node.op == write_op && !adds_to_part(node));
}

bool is_product(const Node& node) {
    return is_matrix_product(node) && node.inputs[0].rank() == 2 && node.inputs[1].rank() == 2;
}

// The position in its own elements of what stands at a position of a larger space that it
// broadcasts to.
size_t broadcast_position(const Sizes& own, const Sizes& space, int64_t position) {
    int64_t result = 0, stride = 1;
    for (size_t back = 1; back <= space.size(); ++back) {
        int64_t size = space[space.size() - back], index = position % size;
        position /= size;
        if (back > own.size()) continue;
        int64_t mine = own[own.size() - back];
        if (mine != 1) result += index * stride;
        stride *= mine;
    }
    return static_cast<size_t>(result);
}

Elements elementwise(const Node& node, const std::vector<Elements>& inputs) {
    Sizes space = sizes_of(node.types[0]);
    Elements result;
    for (int64_t i = 0; i < element_count(space); ++i) {
        Variables scalars;
        for (size_t k = 0; k < inputs.size(); ++k)
            scalars.push_back(
                inputs[k][broadcast_position(sizes_of(node.inputs[k].type()), space, i)]);
        result.push_back(apply_like(node, std::move(scalars))[0]);
    }
    return result;
}

const OpRecord* pair_op(kernel::Combine combine) {
    switch (combine) {
        case kernel::Combine::Sum: return find_op("add");
        case kernel::Combine::Prod: return find_op("mul");
        case kernel::Combine::Max: return find_op("maximum");
        case kernel::Combine::Min: return find_op("minimum");
        case kernel::Combine::Any: return find_op("logical_or");
        case kernel::Combine::All: return find_op("logical_and");
        case kernel::Combine::ArgMax:
        case kernel::Combine::ArgMin: return nullptr;
    }
    return nullptr;
}

// Elements that fold together, for each element of the result: what the same reduction over their
// numbers says.
Elements reduced(const Node& node, const std::vector<Elements>& inputs) {
    const OpRecord* pair = pair_op(node.op->kind<ReduceCompute>()->combine);
    const auto& axes = attrs_of(node).get<Ints>("axes");
    Sizes shape = sizes_of(node.inputs[0].type());
    Sizes kept;
    for (size_t axis = 0; axis < shape.size(); ++axis)
        kept.push_back(std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) == axes.end()
                           ? shape[axis]
                           : 1);
    Elements result(static_cast<size_t>(element_count(kept)));
    for (int64_t i = 0; i < element_count(shape); ++i) {
        Variable& total = result[broadcast_position(kept, shape, i)];
        const Variable& element = inputs[0][static_cast<size_t>(i)];
        total = total ? apply(*pair, {total, element}, {}, node.site)[0] : element;
    }
    return result;
}

Elements product(const Node& node, const std::vector<Elements>& inputs) {
    Sizes a = sizes_of(node.inputs[0].type()), b = sizes_of(node.inputs[1].type());
    auto at = [](const Elements& list, int64_t row, int64_t column, int64_t width) {
        return list[static_cast<size_t>(row * width + column)];
    };
    Elements result;
    for (int64_t i = 0; i < a[0]; ++i)
        for (int64_t j = 0; j < b[1]; ++j) {
            Variable sum;
            for (int64_t k = 0; k < a[1]; ++k) {
                Variable part = at(inputs[0], i, k, a[1]) * at(inputs[1], k, j, b[1]);
                sum = sum ? sum + part : part;
            }
            result.push_back(sum);
        }
    return result;
}

// The op is run on the numbers of the elements; inputs that say where (shapes, bounds) are
// constants.
Elements moved(const Node& node, const std::vector<Elements>& inputs) {
    std::vector<const Variable*> by_number;
    Variables numbered;
    for (size_t k = 0; k < inputs.size(); ++k) {
        const TensorType& type = node.inputs[k].type();
        if (constant_value(node.inputs[k]) && !(type.dtype == node.types[0].dtype)) {
            numbered.push_back(node.inputs[k]);
            continue;
        }
        Array numbers = Array::empty(DType::Int64, sizes_of(type));
        for (size_t i = 0; i < inputs[k].size(); ++i) {
            numbers.data_as<int64_t>()[i] = static_cast<int64_t>(by_number.size());
            by_number.push_back(&inputs[k][i]);
        }
        numbered.push_back(constant(numbers));
    }
    Array places = evaluate({apply_like(node, std::move(numbered))[0]})[0];
    Elements result;
    for (int64_t number : places.to_vector<int64_t>())
        result.push_back(*by_number[static_cast<size_t>(number)]);
    return result;
}

// The element of y, if any, that goes to each element of x: the same write of the numbers of y into
// an array of -1.
Elements added(const Node& node, const std::vector<Elements>& inputs) {
    Array numbers = Array::empty(DType::Int64, sizes_of(node.inputs[1].type()));
    std::iota(numbers.data_as<int64_t>(), numbers.data_as<int64_t>() + numbers.size(), 0);
    Array nowhere = Array::empty(DType::Int64, sizes_of(node.types[0]));
    std::fill_n(nowhere.data_as<int64_t>(), nowhere.size(), -1);
    Args bounds(node.inputs.begin() + 2, node.inputs.end());
    auto index = attrs_of(node).get<std::string>("index");
    Array places = evaluate({set_index(nowhere, numbers, bounds, index, "set")})[0];
    Elements result = inputs[0];
    for (size_t i = 0; i < result.size(); ++i)
        if (int64_t from = places.data_as<int64_t>()[i]; from >= 0)
            result[i] = result[i] + inputs[1][static_cast<size_t>(from)];
    return result;
}

// Sizes and bounds must be known now, and they are not of the dtype of what is moved.
bool can_move(const Node& node) {
    if (!only_moves(node) && !adds_to_part(node)) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const Variable& v) {
        bool says_where = v.dtype() == DType::Int64 && node.types[0].dtype != DType::Int64;
        return !says_where || constant_value(v);
    });
}
}  // namespace

std::optional<int64_t> few_elements(const TensorType& type) {
    int64_t count = 1;
    for (Dim dim : type.dims) {
        if (!dim.known() || dim.size() == 0) return {};
        count *= dim.size();
        if (count > most_elements) return {};
    }
    return count;
}

bool has_scalars(const Node& node) {
    if (node.kind == NodeKind::Constant) return few_elements(node.types[0]).has_value();
    if (node.kind != NodeKind::Apply || node.op->facts.impure || node.types.size() != 1)
        return false;
    if (!few_elements(node.types[0])) return false;
    // Bounds and shapes may be longer than what is written out: they are never elements.
    if (can_move(node)) return true;
    for (const auto& v : node.inputs)
        if (!few_elements(v.type())) return false;
    if (auto reduce = node.op->kind<ReduceCompute>()) return pair_op(reduce->combine) != nullptr;
    return node.op->elementwise() || is_product(node);
}

Elements scalars_of(const Node& node, const std::vector<Elements>& inputs) {
    SiteScope scope(node.site);
    if (node.op->elementwise()) return elementwise(node, inputs);
    if (node.op->kind<ReduceCompute>()) return reduced(node, inputs);
    if (is_product(node)) return product(node, inputs);
    if (adds_to_part(node)) return added(node, inputs);
    return moved(node, inputs);
}

}  // namespace croton::compile
