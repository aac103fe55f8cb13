#include "croton/compile/size_names.hpp"

#include <algorithm>

#include "croton/graph/op.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index_text.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

namespace {
constexpr int most_operations = 64;  // between sizes and what is made of them
constexpr size_t longest_sum = 16;

// In front of the rules by which sizes follow from others.
enum Rule : int64_t { broadcast_rule, slice_rule, quotient_rule };

std::optional<int64_t> number_in(const Variable& v) {
    const Array* value = constant_value(v);
    if (!value || value->size() != 1 || !is_integer(value->dtype())) return {};
    return value->cast(DType::Int64).item<int64_t>();
}
}  // namespace

// --- sums of products ---------------------------------------------------------------------------

SizeNames::Sum SizeNames::number(int64_t value) {
    return value == 0 ? Sum() : Sum{{Product(), value}};
}

SizeNames::Sum SizeNames::plus(Sum a, const Sum& b, int64_t times) {
    for (const auto& [product, count] : b) {
        int64_t& sum = a[product];
        sum += times * count;
        if (sum == 0) a.erase(product);
    }
    return a;
}

SizeNames::Sum SizeNames::times(const Sum& a, const Sum& b) {
    Sum result;
    for (const auto& [p, m] : a)
        for (const auto& [q, n] : b) {
            Product both;
            std::merge(p.begin(), p.end(), q.begin(), q.end(), std::back_inserter(both));
            // Beyond 64 bits it wraps, as the program's own numbers do.
            auto count = static_cast<uint64_t>(m) * static_cast<uint64_t>(n);
            result = plus(std::move(result), Sum{{both, static_cast<int64_t>(count)}});
        }
    return result;
}

// Only by a single product, and only without a rest in any term.
SizeNames::Known SizeNames::over(const Sum& a, const Sum& b) {
    if (b.size() != 1) return {};
    const auto& [q, n] = *b.begin();
    Sum result;
    for (const auto& [p, m] : a) {
        if (m % n != 0 || !std::includes(p.begin(), p.end(), q.begin(), q.end())) return {};
        Product rest;
        std::set_difference(p.begin(), p.end(), q.begin(), q.end(), std::back_inserter(rest));
        result[rest] = m / n;
    }
    return result;
}

// Sizes are not: neither is a sum of them.
bool SizeNames::never_negative(const Sum& a) {
    return std::all_of(a.begin(), a.end(), [](const auto& term) { return term.second > 0; });
}

SizeNames::Sum SizeNames::sum_of(Dim dim) {
    if (dim.known()) return number(dim.size());
    if (auto found = sums_.find(dim.code()); found != sums_.end()) return found->second;
    single_.emplace(dim.code(), dim);
    return {{Product{dim.code()}, 1}};
}

SizeNames::Sum SizeNames::count_of(const Dims& dims) {
    Sum result = number(1);
    for (Dim dim : dims) result = times(result, sum_of(dim));
    return result;
}

// --- sizes as values ----------------------------------------------------------------------------

SizeNames::Known SizeNames::value_of(const Variable& scalar) {
    int operations = most_operations;
    return value_of(scalar, operations);
}

// `operations` is how many may still be looked at: a sum that is doubled again and again would be
// walked as often as it counts its terms.
SizeNames::Known SizeNames::value_of(const Variable& scalar, int& operations) {
    if (auto value = number_in(scalar)) return number(*value);
    if (scalar.kind() != NodeKind::Apply || --operations < 0) return {};
    const Node& node = *scalar.node_pointer();
    std::string_view op = node.op->name;
    auto input = [&](size_t i) { return value_of(node.inputs[i], operations); };
    if (op == "size_of") {
        auto axis = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
        return sum_of(node.inputs[0].type().dims[axis]);
    }
    if (op == "subtensor") return picked_of(node, operations);
    if (op == "cast") return scalar.dtype() == DType::Int64 ? input(0) : Known();
    if (op != "mul" && op != "add" && op != "sub" && op != "minimum") return {};
    Known a = input(0), b = input(1);
    if (!a || !b) return {};
    Sum result;
    if (op == "minimum") return a == b ? a : Known();
    if (op == "mul") result = times(*a, *b);
    if (op == "add") result = plus(*a, *b);
    if (op == "sub") result = plus(*a, *b, -1);
    return result.size() <= longest_sum ? Known(result) : Known();
}

// One element of a vector, as in x.shape[-1].
SizeNames::Known SizeNames::picked_of(const Node& node, int& operations) {
    IndexItems items = parse_index(attrs_of(node).get<std::string>("index"));
    Dim length = node.inputs[0].rank() == 1 ? node.inputs[0].type().dims[0] : Dim();
    if (items.size() != 1 || items[0].kind != IndexItem::Kind::Integer ||
        items[0].start.kind != Bound::Kind::Number || !length.known())
        return {};
    int64_t at = items[0].start.value + (items[0].start.value < 0 ? length.size() : 0);
    if (at < 0 || at >= length.size()) return {};
    return element_of(node.inputs[0], static_cast<size_t>(at), operations);
}

SizeNames::Known SizeNames::element_of(const Variable& vector, size_t i, int& operations) {
    if (const Array* value = constant_value(vector))
        return is_integer(value->dtype())
                   ? number(value->cast(DType::Int64).at<int64_t>({static_cast<int64_t>(i)}))
                   : Known();
    if (is_make_vector(vector)) return value_of(vector.input(i), operations);
    if (vector.kind() == NodeKind::Apply && vector.node_pointer()->op->name == "shape")
        return sum_of(vector.input(0).type().dims[i]);
    return {};
}

// --- names --------------------------------------------------------------------------------------

Dim SizeNames::dim_of(const Sum& sum) {
    if (sum.empty()) return Dim(0);
    const auto& [product, count] = *sum.begin();
    if (sum.size() == 1 && product.empty()) return Dim(count);
    if (sum.size() == 1 && count == 1 && product.size() == 1) return single_.at(product[0]);
    auto [place, fresh] = dims_.try_emplace(sum);
    if (fresh) {
        place->second = Dim::fresh();
        sums_.emplace(place->second.code(), sum);
    }
    return place->second;
}

Dim SizeNames::dim_by(std::vector<int64_t> rule) {
    auto [place, fresh] = rules_.try_emplace(std::move(rule));
    if (fresh) place->second = Dim::fresh();
    return place->second;
}

void SizeNames::name(Node& node) {
    auto unknown = [&] {
        for (const auto& type : node.types)
            for (Dim dim : type.dims)
                if (dim.unknown()) return true;
        return false;
    };
    if (!unknown()) return;
    if (node.op->elementwise())
        name_broadcast(node, 0);
    else if (node.op->kind<ContractCompute>() || node.op->name == "matmul")
        name_broadcast(node, 2);
    else if (is_loop(node))
        name_steps(node);
    else if (node.op->name == "subtensor")
        name_slices(node);
    else if (node.op->name == "concatenate")
        name_joined(node);
    else if (node.op->name == "arange")
        name_range(node);
    else
        name_by_shape(node);
    for (auto& type : node.types)
        for (Dim& dim : type.dims)
            if (dim.unknown()) dim = Dim::fresh();
}

// Of ops that make an array of the sizes in their second input. What is left where a size is -1 is
// a quotient: dividing by nothing is an error when it runs.
void SizeNames::name_by_shape(Node& node) {
    if (node.inputs.size() != 2 || node.inputs[1].rank() != 1 || node.types.size() != 1) return;
    bool by_sizes = std::any_of(node.op->attributes.begin(), node.op->attributes.end(),
                                [](const AttrSpec& a) { return a.name == "sizes"; });
    if (!by_sizes) return;
    Dims& dims = node.types[0].dims;
    std::optional<size_t> rest;
    for (size_t i = 0; i < dims.size(); ++i) {
        int operations = most_operations;
        Known size = element_of(node.inputs[1], i, operations);
        if (size == number(-1) && node.op->name == "reshape") rest = i;
        if (dims[i].unknown() && size && never_negative(*size)) dims[i] = dim_of(*size);
    }
    if (!rest || !dims[*rest].unknown()) return;
    Dims others = dims;
    others[*rest] = Dim(1);
    if (std::any_of(others.begin(), others.end(), [](Dim d) { return d.unknown(); })) return;
    Sum whole = count_of(node.inputs[0].type().dims), counted = count_of(others);
    Known left = over(whole, counted);
    dims[*rest] = left ? dim_of(*left)
                       : dim_by({quotient_rule, dim_of(whole).code(), dim_of(counted).code()});
}

// All but so many elements have a size of their own, whichever end they are left out at; other
// slices of one size are equal if they are written in the same way.
void SizeNames::name_slices(Node& node) {
    Dims& dims = node.types[0].dims;
    const Dims& from = node.inputs[0].type().dims;
    auto written = [](const Bound& b) { return b.kind == Bound::Kind::Number; };
    size_t in = 0, out = 0;
    for (const IndexItem& item : parse_index(attrs_of(node).get<std::string>("index"))) {
        if (item.kind == IndexItem::Kind::Array) return;
        if (item.kind == IndexItem::Kind::NewAxis) ++out;
        if (item.kind == IndexItem::Kind::Integer) ++in;
        if (item.kind != IndexItem::Kind::Slice) continue;
        Dim whole = from[in++], &part = dims[out++];
        bool numbers = true;
        for (const Bound* b : {&item.start, &item.stop, &item.step})
            numbers &= b->kind != Bound::Kind::Input;
        if (!part.unknown() || !numbers) continue;
        int64_t start = written(item.start) ? item.start.value : 0,
                stop = written(item.stop) ? item.stop.value : 0,
                step = written(item.step) ? item.step.value : 1;
        bool cut = step == 1 && start >= 0 && (stop < 0 || !written(item.stop));
        Sum left = plus(sum_of(whole), number(start - stop), -1);
        if (cut && never_negative(left))
            part = dim_of(left);
        else if (cut)
            part = dim_by({slice_rule, whole.code(), start - stop});
        else
            part = dim_by({slice_rule, whole.code(), written(item.start), start, written(item.stop),
                           stop, step});
    }
}

void SizeNames::name_joined(Node& node) {
    auto axis = static_cast<size_t>(attrs_of(node).get<int64_t>("axis"));
    Dims& dims = node.types[0].dims;
    Sum whole;
    for (const auto& part : node.inputs)
        whole = plus(std::move(whole), sum_of(part.type().dims[axis]));
    for (size_t i = 0; i < dims.size(); ++i)
        if (dims[i].unknown()) dims[i] = i == axis ? dim_of(whole) : node.inputs[0].type().dims[i];
}

// Traces hold the initial state as well.
void SizeNames::name_steps(Node& node) {
    Loop loop(node);
    Known steps = value_of(loop.steps);
    if (!steps || !never_negative(*steps) || loop.stop) return;
    for (size_t i = 0; i < node.types.size(); ++i) {
        bool state = i < loop.states.size();
        if (state && !loop.traced[i]) continue;
        Dim& first = node.types[i].dims[0];
        if (first.unknown()) first = dim_of(state ? plus(*steps, number(1)) : *steps);
    }
}

void SizeNames::name_range(Node& node) {
    Known stop = value_of(node.inputs[1]);
    if (number_in(node.inputs[0]) == 0 && number_in(node.inputs[2]) == 1 && stop &&
        never_negative(*stop))
        node.types[0].dims[0] = dim_of(*stop);
}

// Where different sizes meet, one of them is 1 or both are the same: what comes out is the same
// wherever these meet. The last `own` axes do not broadcast.
void SizeNames::name_broadcast(Node& node, size_t own) {
    Dims& dims = node.types[0].dims;
    for (size_t axis = 0; axis + own < dims.size(); ++axis) {
        if (!dims[axis].unknown()) continue;
        std::vector<int64_t> met;
        for (const auto& v : node.inputs) {
            auto rank = static_cast<size_t>(v.rank());
            if (axis + rank < dims.size()) continue;
            Dim dim = v.type().dims[axis + rank - dims.size()];
            if (!dim.is_one()) met.push_back(dim.code());
        }
        std::sort(met.begin(), met.end());
        met.erase(std::unique(met.begin(), met.end()), met.end());
        met.insert(met.begin(), broadcast_rule);
        for (auto& type : node.types) type.dims[axis] = dim_by(met);
    }
}

}  // namespace croton::compile
