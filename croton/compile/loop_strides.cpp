// Loops of whose steps every k-th is read: see loops.hpp.
#include "croton/compile/loop_readings.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
using BoundKind = Bound::Kind;

/// Of every `every` steps the one after `before` others is read: x[before::every].
struct Stride {
    int64_t before = 0, every = 0;
    NewItems items;
};

// x[start:stop:every] of all steps, as an index into the steps that are kept.
std::optional<IndexItems> in_kept(const Reader& reader, const Stride& stride) {
    IndexItems items = reader.items;
    IndexItem& first = items[0];
    auto kept = [&](const Bound& bound) {  // how many of them lie before the bound
        return Bound{BoundKind::Number,
                     (bound.value - stride.before + stride.every - 1) / stride.every};
    };
    if (first.kind != IndexItem::Kind::Slice || reader.turned ||
        first.stop.kind > BoundKind::Number || first.stop.value < 0 ||
        !(first.step == Bound{BoundKind::Number, stride.every}))
        return {};
    int64_t start = first.start.value;
    if (first.start.kind > BoundKind::Number || start < 0 || start % stride.every != stride.before)
        return {};
    if (start >= stride.every)
        first.start = kept(first.start);
    else
        first.start = {};
    if (first.stop.kind == BoundKind::Number) {
        if (first.stop.value < stride.before) return {};
        first.stop = kept(first.stop);
    }
    first.step = {};
    return items;
}

std::optional<Stride> stride_of(const std::vector<Reading>& readings) {
    if (readings.empty()) return {};
    const IndexItem& first = readings[0].reader.items[0];
    if (first.step.kind != BoundKind::Number || first.step.value < 2) return {};
    Stride stride{0, first.step.value, {}};
    if (first.start.kind == BoundKind::Number && first.start.value > 0)
        stride.before = first.start.value % stride.every;
    for (const auto& reading : readings) {
        auto items = in_kept(reading.reader, stride);
        if (!items) return {};
        stride.items.emplace_back(reading.reader.node, *items);
    }
    return stride;
}

/// A loop by segments of `every` steps, each of which keeps one step; and the rest up to one more.
class ByStride {
  public:
    ByStride(const Loop& loop, const Stride& stride, Site site)
        : f_(loop), stride_(stride), site_(site) {
        auto n = known_integer(f_.steps);
        segments_ = n ? whole_number(*n / stride.every) : floor_div(f_.steps, stride.every);
        covered_ = n ? whole_number(*n / stride.every * stride.every) : segments_ * stride.every;
    }

    /// What is kept of traces and stacks; null for final states.
    Variables rows() {
        write_segment();
        Variables front = applied(outer_, site_), back = rest(front), result;
        size_t stack = f_.states.size();
        for (size_t i = 0; i < f_.states.size() + f_.stacked.size(); ++i) {
            if (!listed(i)) {
                result.emplace_back();
                continue;
            }
            Variable rows = front[stack++];
            if (!back.empty()) rows = concatenate({rows, one_row(back[i], i)}, 0);
            result.push_back(rows);
        }
        return result;
    }

  private:
    bool listed(size_t output) const { return output >= f_.states.size() || f_.traced[output]; }

    Variables formal(const Variables& like, std::optional<int64_t> rows = {}) {
        Variables made;
        for (const auto& v : like) {
            TensorType type = v.type();
            if (rows) type.dims.insert(type.dims.begin(), Dim(*rows));
            made.push_back(input(std::move(type), v.name(), site_));
        }
        return made;
    }

    void write_segment() {
        outer_.name = f_.name;
        outer_.steps = segments_;
        outer_.recompute = f_.recompute;
        outer_.states = formal(f_.states);
        outer_.initial = f_.initial;
        outer_.traced.assign(f_.states.size(), false);
        outer_.elements = formal(f_.elements, stride_.every);
        for (const auto& v : f_.sequences) outer_.sequences.push_back(in_segments(v));
        outer_.fixed = formal(f_.fixed);
        outer_.constants = f_.constants;

        Variables up_to_row = part(outer_.states, 0, stride_.before + 1, true);
        Variables states;
        for (size_t i = 0; i < up_to_row.size(); ++i) {
            Variable last = listed(i) ? at(up_to_row[i], {-1}) : up_to_row[i];
            if (i < f_.states.size()) states.push_back(last);
            if (listed(i)) outer_.stacked.push_back(last);
        }
        bool more = stride_.before + 1 < stride_.every && !states.empty();
        outer_.next = more ? part(states, stride_.before + 1, stride_.every, false) : states;
    }

    Variable in_segments(const Variable& sequence) const {
        std::vector<Arg> sizes{segments_, stride_.every};
        for (int axis = 1; axis < sequence.rank(); ++axis)
            sizes.emplace_back(size_of(sequence, axis));
        return reshape(at(sequence, {Slice({}, covered_)}), sizes);
    }

    // Some of the steps of a segment.
    Variables part(const Variables& states, int64_t from, int64_t to, bool keep) const {
        Loop loop = f_;
        loop.steps = whole_number(to - from);
        loop.initial = states;
        for (size_t j = 0; j < loop.sequences.size(); ++j)
            loop.sequences[j] = at(outer_.elements[j], {Slice(from, to)});
        loop.constants = outer_.fixed;
        if (!keep) {
            loop.stacked.clear();
            loop.traced.assign(states.size(), false);
        }
        return applied(loop, site_);
    }

    Variable one_row(const Variable& listed, size_t output) const {
        int64_t row = stride_.before + (output < f_.states.size() ? 1 : 0);
        return at(listed, {Slice(row, row + 1)});
    }

    // No more steps than one row needs, which is there or not.
    Variables rest(const Variables& front) const {
        Loop loop = f_;
        auto n = known_integer(f_.steps);
        int64_t most = stride_.before + 1;
        if (n && *n % stride_.every < most) return {};
        loop.steps = n ? whole_number(most) : minimum(f_.steps - covered_, most);
        for (size_t i = 0; i < loop.initial.size(); ++i) loop.initial[i] = front[i];
        for (Variable& v : loop.sequences)
            v = at(at(v, {Slice(covered_, {})}), {Slice({}, loop.steps)});
        return applied(loop, site_);
    }

    const Loop& f_;
    const Stride& stride_;
    Site site_;
    Variable segments_, covered_;  ///< how many, and the steps in them
    Loop outer_;
};

// A segment that stays a loop takes a microsecond to begin (200 us for 2,000 products of 64 x 64 in
// segments of ten), or a tenth where it is a kernel: as much as a hundred steps of a few numbers,
// whose memory is little. A segment that is written out costs nothing.
bool worth_it(const Loop& loop, const Stride& stride) {
    constexpr int64_t written_out = 4, most_nodes = 200, long_enough = 32;
    auto order = toposort(loop.results(), loop.formal());
    auto nodes = static_cast<int64_t>(order.size());
    if (fits_scalars(loop)) return stride.every * nodes <= most_nodes;
    return stride.every <= written_out || stride.every >= long_enough;
}
}  // namespace

Variables keep_every_kth(const Variables& outputs, bool inside) {
    if (inside) return outputs;
    Parts parts(outputs);
    FlatMap<const Node*, Stride> strides;
    Rereading reread;
    for (Node* node : parts.order()) {
        if (!is_loop(*node)) continue;
        Loop loop(*node);
        auto readings = loop.stop ? std::nullopt : readings_of(*node, loop, parts, false);
        if (!readings || !of_steps(*readings, loop)) continue;
        auto stride = stride_of(*readings);
        if (!stride || !worth_it(loop, *stride)) continue;
        reread.add(stride->items);
        strides.insert(node, *stride);
    }
    if (strides.size() == 0) return outputs;
    FlatMap<ValueKey, Variable> behind;  // what stands for traces without the initial value
    return parts.rebuilt([&](Node* node) {
        SiteScope scope(node->site);
        if (const Variable* rows = node->inputs.empty() ? nullptr : behind.find(node->inputs[0])) {
            parts.image.set({node, 0}, *rows);
            return true;
        }
        if (reread.make(node, parts.image)) return true;
        const Stride* stride = strides.find(node);
        if (!stride) return false;
        Loop loop = over_images(*node, parts.image);
        Variables rows = ByStride(loop, *stride, node->site).rows();
        parts.image.set(node, rows);
        for (uint32_t i = 0; i < loop.states.size(); ++i)
            if (rows[i]) behind.insert({node, i}, rows[i]);
        return true;
    });
}

}  // namespace croton::compile
