#include "croton/compile/lower.hpp"

#include <algorithm>

#include "croton/kernel/builder.hpp"

namespace croton::compile {

using kernel::Builder;
using kernel::Scalar;
using kernel::SectionKind;
using runtime::AxisMap;

AxisMap aligned_map(int rank, int space) {
    AxisMap map(static_cast<size_t>(space), -1);
    for (int axis = 0; axis < rank; ++axis)
        map[map.size() - static_cast<size_t>(rank - axis)] = static_cast<int8_t>(axis);
    return map;
}

namespace {
AxisMap identity_map(int rank) {
    AxisMap map;
    for (int axis = 0; axis < rank; ++axis) map.push_back(static_cast<int8_t>(axis));
    return map;
}

// Axes along which an input certainly broadcasts: those it lacks or has with size 1.
uint64_t broadcast_axes(const TensorType& type, const AxisMap& map) {
    uint64_t axes = 0;
    for (size_t k = 0; k < map.size(); ++k)
        if (map[k] < 0 || type.dims[static_cast<size_t>(map[k])].is_one()) axes |= uint64_t{1} << k;
    return axes;
}

Lowered lower_scalar(const Node& node, const ScalarCompute& compute) {
    int rank = node.types[0].rank();
    Lowered result;
    Builder b(std::string(node.op->name), rank, 0);
    for (const auto& input : node.inputs) {
        result.maps.push_back(aligned_map(input.rank(), rank));
        b.input("", input.dtype(), broadcast_axes(input.type(), result.maps.back()));
    }
    int out = b.output("", node.types[0].dtype);
    b.begin(SectionKind::Map);
    std::vector<Scalar> loads;
    for (size_t i = 0; i < node.inputs.size(); ++i) loads.push_back(b.load(static_cast<int>(i)));
    b.store(out, compute.emit(b, loads, attrs_of(node)));
    result.maps.push_back(identity_map(rank));
    result.kernel = b.finish();
    return result;
}

}  // namespace

Scalar constant_scalar(Builder& b, const Array& value) {
    DType dtype = kernel::compute_dtype(value.dtype());
    if (is_complex(dtype)) return b.constant(dtype, value.item<std::complex<double>>());
    if (is_continuous(dtype)) return b.constant(dtype, value.item<double>());
    if (dtype == DType::UInt64) return b.constant(dtype, value.item<uint64_t>());
    return b.constant(dtype, value.item<int64_t>());
}

bool rejects_empty(const ReduceCompute& compute) {
    using enum kernel::Combine;
    auto combine = compute.combine;
    bool extreme = combine == Max || combine == Min || combine == ArgMax || combine == ArgMin;
    return extreme && !compute.bounded;
}

namespace {
Lowered lower_reduce(const Node& node, const ReduceCompute& compute) {
    const auto& axes = attrs_of(node).get<Ints>("axes");
    bool keepdims = attrs_of(node).get<bool>("keepdims");
    int rank = node.inputs[0].rank();
    auto reduced = [&](int axis) {
        return std::find(axes.begin(), axes.end(), axis) != axes.end();
    };
    Lowered result;
    AxisMap in, out;  // kernel axes: the kept ones, then the reduced ones
    for (int axis = 0; axis < rank; ++axis) {
        if (!reduced(axis)) {
            out.push_back(static_cast<int8_t>(in.size()));
            in.push_back(static_cast<int8_t>(axis));
        } else if (keepdims) {
            out.push_back(-1);
        }
    }
    int outer = static_cast<int>(in.size());
    for (int axis = 0; axis < rank; ++axis)
        if (reduced(axis)) in.push_back(static_cast<int8_t>(axis));
    Builder b(std::string(node.op->name), rank, outer);
    b.input("", node.inputs[0].dtype(), broadcast_axes(node.inputs[0].type(), in));
    int place = b.output("", node.types[0].dtype);
    b.begin(SectionKind::Reduce);
    auto sums = compute.combine == kernel::Combine::Sum || compute.combine == kernel::Combine::Prod;
    Scalar element = b.load(0);
    if (sums) element = b.cast(element, kernel::compute_dtype(node.types[0].dtype));
    Scalar folded = b.accumulate(compute.combine, element);
    b.begin(SectionKind::Outer);
    b.store(place, folded);
    result.maps = {in, out};
    result.kernel = b.finish();
    result.reject_empty = rejects_empty(compute);
    return result;
}

Lowered lower_indexed(const Node& node, const IndexedCompute& compute) {
    int rank = node.types[0].rank();
    Lowered result;
    Builder b(std::string(node.op->name), rank, 0);
    std::vector<int> tables;
    for (const auto& input : node.inputs) {
        tables.push_back(b.table("", input.dtype(), input.rank()));
        result.maps.push_back({});
    }
    int out = b.output("", node.types[0].dtype);
    b.begin(SectionKind::Map);
    std::vector<Scalar> index;
    for (int axis = 0; axis < rank; ++axis) index.push_back(b.index(axis));
    b.store(out, compute.emit(b, tables, index, node));
    result.maps.push_back(identity_map(rank));
    result.shape_map = identity_map(rank);
    result.kernel = b.finish();
    return result;
}
}  // namespace

Lowered lower_node(const Node& node) {
    Lowered result;
    if (auto scalar = node.op->kind<ScalarCompute>())
        result = lower_scalar(node, *scalar);
    else if (auto reduce = node.op->kind<ReduceCompute>())
        result = lower_reduce(node, *reduce);
    else if (auto indexed = node.op->kind<IndexedCompute>())
        result = lower_indexed(node, *indexed);
    else
        fail(ErrorKind::Internal, "op ", node.op->name, " is not made of a kernel");
    result.kernel.sites = {node.site};
    result.splittable = kernel::can_split(result.kernel);
    return result;
}

}  // namespace croton::compile
