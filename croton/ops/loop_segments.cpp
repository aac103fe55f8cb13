#include "croton/ops/loop_segments.hpp"

#include <algorithm>
#include <cmath>

#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/families.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/index_text.hpp"
#include "croton/ops/loop_saving.hpp"
#include "croton/ops/special.hpp"
#include "croton/ops/support.hpp"
#include "croton/ops/type_rules.hpp"

namespace croton {

namespace {
// As many full segments as leave at least one step, if there is any.
Variable full_segments(const Variable& steps, const Variable& length) {
    auto n = known_integer(steps), every = known_integer(length);
    if (n && every) return whole_number(*n > 0 ? (*n - 1) / *every : 0);
    return floor_div(maximum(sub(steps, int64_t{1}), int64_t{0}), length);
}

Variable difference(const Variable& x, const Variable& y) {
    auto a = known_integer(x), b = known_integer(y);
    return a && b ? whole_number(*a - *b) : sub(x, y);
}

// x[0:count * length] as `count` rows of `length`.
Variable in_rows(const Variable& x, const Variable& covered, const Variable& count,
                 const Variable& length) {
    std::vector<Arg> sizes{count, length};
    for (int axis = 1; axis < x.rank(); ++axis) sizes.emplace_back(size_along(x, axis));
    return reshape(at(x, {Slice({}, covered)}), sizes);
}

Variable in_one(const Variable& rows, const Variable& covered) {
    std::vector<Arg> sizes{covered};
    for (int axis = 2; axis < rows.rank(); ++axis) sizes.emplace_back(size_along(rows, axis));
    return reshape(rows, sizes);
}

class Segments {
  public:
    Segments(const Loop& loop, const Variable& length, Site site)
        : f_(loop),
          length_(length),
          site_(site),
          count_(full_segments(loop.steps, length)),
          covered_(product_of_sizes(count_, length)) {}

    Variables all() {
        keep_ends_ = false;
        return run();
    }
    Variables ends() {
        keep_ends_ = true;
        return run();
    }

  private:
    Variables run() {
        write_outer();
        Variables front = outer_.apply(site_), back = rest(front), result;
        size_t stack = f_.states.size();
        for (size_t i = 0; i < back.size(); ++i) {
            bool listed = i >= f_.states.size() || f_.traced[i];
            result.push_back(listed ? joined(front[stack++], back[i], i) : back[i]);
        }
        return result;
    }

    Variable joined(const Variable& front, const Variable& back, size_t i) const {
        bool trace = i < f_.states.size();
        if (keep_ends_) return joined_steps(front, expand_dims(at(back, {-1}), 0));
        return joined_steps(in_one(front, covered_), trace ? at(back, {Slice(1, {})}) : back);
    }

    Variable formal(const Variable& like, TensorType type) {
        return input(std::move(type), like.name(), site_);
    }

    // One segment: the loop over elements of the outer one.
    void write_outer() {
        outer_.name = cat(f_.name, " by segments");
        outer_.steps = count_;
        outer_.recompute = true;
        Loop inner = f_;
        inner.steps = segment_length();
        Dim rows = known_integer(length_) ? Dim(*known_integer(length_)) : Dim();
        for (size_t i = 0; i < f_.states.size(); ++i) {
            inner.initial[i] = formal(f_.states[i], f_.states[i].type());
            outer_.states.push_back(inner.initial[i]);
            outer_.initial.push_back(f_.initial[i]);
            outer_.traced.push_back(false);
        }
        for (size_t j = 0; j < f_.elements.size(); ++j) {
            TensorType type = f_.elements[j].type();
            type.dims.insert(type.dims.begin(), rows);
            inner.sequences[j] = formal(f_.elements[j], std::move(type));
            outer_.elements.push_back(inner.sequences[j]);
            outer_.sequences.push_back(in_rows(f_.sequences[j], covered_, count_, length_));
        }
        for (size_t k = 0; k < f_.fixed.size(); ++k) {
            inner.constants[k] = formal(f_.fixed[k], f_.fixed[k].type());
            outer_.fixed.push_back(inner.constants[k]);
            outer_.constants.push_back(f_.constants[k]);
        }
        take_segment(inner.apply(site_));
    }

    Variable segment_length() {
        if (known_integer(length_)) return length_;
        Variable inside = input(length_.type(), "steps of a segment", site_);
        outer_.fixed.push_back(inside);
        outer_.constants.push_back(length_);
        return inside;
    }

    void take_segment(const Variables& made) {
        for (size_t i = 0; i < made.size(); ++i) {
            bool state = i < f_.states.size(), trace = state && f_.traced[i];
            Variable last = trace || !state ? at(made[i], {-1}) : made[i];
            if (state) outer_.next.push_back(last);
            if (trace || !state)
                outer_.stacked.push_back(keep_ends_ ? last
                                         : trace    ? at(made[i], {Slice(1, {})})
                                                    : made[i]);
        }
    }

    Variables rest(const Variables& front) const {
        Loop after = f_;
        after.steps = difference(f_.steps, covered_);
        for (size_t i = 0; i < f_.states.size(); ++i) after.initial[i] = front[i];
        for (size_t j = 0; j < f_.sequences.size(); ++j)
            after.sequences[j] = at(f_.sequences[j], {Slice(covered_, {})});
        return after.apply(site_);
    }

    const Loop& f_;
    Variable length_;
    Site site_;
    Variable count_, covered_;  ///< segments, and the steps in them
    Loop outer_;
    bool keep_ends_ = false;
};
}  // namespace

Variables apply_in_segments(const Loop& loop, const Variable& length, Site site) {
    return Segments(loop, length, site).all();
}

Variables apply_and_keep_ends(const Loop& loop, const Variable& length, Site site) {
    return Segments(loop, length, site).ends();
}

Variable ends_of_segments(const Variable& rows, const Variable& done, int64_t length) {
    Variable every = whole_number(length);
    Variable covered = product_of_sizes(full_segments(done, every), every);
    return joined_steps(at(rows, {Slice(length - 1, covered, length)}),
                        expand_dims(at(rows, {-1}), 0));
}

// --- how long -----------------------------------------------------------------------------------

namespace {
// The square root rounded up, at least 1.
Variable root_of(const Variable& x) {
    Variable root = ceil(sqrt(cast(x, DType::Float64)));
    return maximum(cast(root, DType::Int64), int64_t{1});
}

Variable bytes_of(const Variables& values) {
    Variable total = whole_number(0);
    for (const auto& v : values) {
        Variable bytes = whole_number(static_cast<int64_t>(dtype_size(v.dtype())));
        for (int axis = 0; axis < v.rank(); ++axis)
            bytes = product_of_sizes(bytes, size_along(v, axis));
        total = sum_of_sizes(total, bytes);
    }
    return total;
}

// Values of the body as those of the first step, for their sizes.
Variables in_first_step(const Loop& loop, const Variables& values) {
    Substitution by;
    for (size_t i = 0; i < loop.states.size(); ++i) by.emplace(loop.states[i], loop.initial[i]);
    for (size_t j = 0; j < loop.elements.size(); ++j)
        by.emplace(loop.elements[j], at(loop.sequences[j], {0}));
    for (size_t k = 0; k < loop.fixed.size(); ++k) by.emplace(loop.fixed[k], loop.constants[k]);
    return substitute(values, by);
}
}  // namespace

Variable segments_by_root(const Variable& steps) {
    if (auto n = known_integer(steps))
        return whole_number(std::max<int64_t>(
            1, static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(*n))))));
    return root_of(steps);
}

Variable segments_by_bytes(const Loop& loop, int64_t bytes) {
    Variable states = bytes_of(loop.initial);
    Variable kept = sum_of_sizes(
        states, bytes_of(in_first_step(loop, dear_values(loop.results(), loop.formal()))));
    Variable best = root_of(floor_div(mul(loop.steps, states), maximum(kept, int64_t{1})));
    Variable fits = le(mul(loop.steps, kept), bytes);
    return where(fits, add(loop.steps, int64_t{1}), best);
}

// --- joined steps -------------------------------------------------------------------------------

namespace {
// Whether the index reads position -1 of the first axis.
bool reads_last(const IndexItems& items) {
    return !items.empty() && items[0].kind == IndexItem::Kind::Integer &&
           items[0].start == Bound{Bound::Kind::Number, -1};
}

bool skips_first_only(const IndexItems& items) {
    if (items.empty() || items[0].kind != IndexItem::Kind::Slice ||
        !(items[0].start == Bound{Bound::Kind::Number, 1}) || !(items[0].stop == Bound{}) ||
        !(items[0].step == Bound{}))
        return false;
    return std::all_of(items.begin() + 1, items.end(),
                       [](const IndexItem& item) { return item.whole(); });
}

bool named(const Variable& v, std::string_view op) {
    return v.kind() == NodeKind::Apply && v.op()->name == op;
}

bool is_zeros(const Variable& v) {
    if (!named(v, "full_like")) return false;
    const Array* value = constant_value(v.input(1));
    return value && value->cast(DType::Float64).item<double>() == 0;
}
}  // namespace

Variable gradient_of_last(const Variable& gradient) {
    if (!named(gradient, "set_index") || !is_zeros(gradient.input(0))) return {};
    AttrView attrs = attrs_of(gradient.node());
    IndexItems items = parse_index(attrs.get<std::string>("index"));
    const Variable& part = gradient.input(1);
    if (skips_first_only(items)) return gradient_of_last(part);
    if (!reads_last(items)) return {};
    items.erase(items.begin());
    if (std::all_of(items.begin(), items.end(), [](const IndexItem& i) { return i.whole(); }))
        return part;
    Variables inputs = gradient.node().inputs;
    inputs[0] = zeros_like(at(gradient.input(0), {-1}));
    return apply(*gradient.op(), std::move(inputs),
                 {{"index", index_text(items)}, {"mode", attrs.get<std::string>("mode")}})[0];
}

namespace {
types::Types joined_type(TypeContext& c) {
    for (size_t i : {0, 1}) settle_weak(c, i);
    if (c.type(0).rank() != c.type(1).rank() || c.type(0).rank() == 0)
        fail(ErrorKind::Type, "steps of one rank are joined, not ", c.type(0).text(), " and ",
             c.type(1).text());
    types::unify(c);
    TensorType type = c.type(1);
    const Dim &a = c.type(0).dims[0], &b = type.dims[0];
    type.dims[0] = a.known() && b.known() ? Dim(a.size() + b.size()) : Dim();
    return {type};
}

Cotangents joined_pullback(const Pullback& p) {
    if (Variable last = gradient_of_last(p.seed())) {
        Variable rest = zeros_like(p.input(1));
        return {{}, inc_subtensor(at(rest, {-1}), last)};
    }
    Variable middle = size_along(p.input(0), 0);
    return {at(p.seed(), {Slice({}, middle)}), at(p.seed(), {Slice(middle, {})})};
}

const OpRecord joined_steps_record{
    .name = "joined_steps",
    .doc =
        "Two lists of a loop's steps, one behind the other; the second is empty only if both are.",
    .arguments = {{"segments"}, {"rest"}},
    .type = joined_type,
    .compute = ExpandCompute{[](const Node& node) {
        return Variables{concatenate({node.inputs[0], node.inputs[1]}, 0)};
    }},
    .pullback = joined_pullback,
};
}  // namespace

Variable joined_steps(Arg segments, Arg rest) {
    return apply_one(joined_steps_record, {segments, rest});
}

Variables read_last_of_rest(const Variables& outputs) {
    Substitution by;
    for (Node* node : toposort(outputs)) {
        if (node->kind != NodeKind::Apply || node->op->name != "subtensor") continue;
        if (!node->inputs[0].is(joined_steps_record)) continue;
        if (!reads_last(parse_index(attrs_of(*node).get<std::string>("index")))) continue;
        Variables inputs = node->inputs;
        inputs[0] = inputs[0].input(1);
        by.emplace(Variable(node, 0), apply_like(*node, std::move(inputs))[0]);
    }
    return by.empty() ? outputs : substitute(outputs, by);
}

Family segment_records() { return {&joined_steps_record}; }

}  // namespace croton
