#pragma once
// How traces of loops are read. For the sources of compile/ only.
#include <algorithm>
#include <optional>

#include "croton/compile/images.hpp"
#include "croton/graph/op.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/catalogue.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/index_text.hpp"
#include "croton/ops/loop.hpp"

namespace croton::compile {

inline const OpRecord* subtensor_op() {
    static const OpRecord* op = find_op("subtensor");
    return op;
}

// The items of basic indexing, or nothing.
inline std::optional<IndexItems> items_of(const Node& node) {
    if (node.kind != NodeKind::Apply || node.op != subtensor_op()) return {};
    return parse_index(attrs_of(node).get<std::string>("index"));
}

inline bool all_whole(const IndexItems& items, size_t from) {
    return std::all_of(items.begin() + static_cast<long>(from), items.end(),
                       [](const IndexItem& item) { return item.whole(); });
}

// x[1:], of all other axes all.
inline bool skips_first(const IndexItems& items) {
    return !items.empty() && items[0].kind == IndexItem::Kind::Slice &&
           items[0].start == Bound{Bound::Kind::Number, 1} && items[0].stop == Bound{} &&
           items[0].step == Bound{} && all_whole(items, 1);
}

// x[-1, ...]
inline bool picks_last(const IndexItems& items) {
    return !items.empty() && items[0].kind == IndexItem::Kind::Integer &&
           items[0].start == Bound{Bound::Kind::Number, -1};
}

// x[:-1], of all other axes all.
inline bool skips_last(const IndexItems& items) {
    return !items.empty() && items[0].kind == IndexItem::Kind::Slice && items[0].start == Bound{} &&
           items[0].stop == Bound{Bound::Kind::Number, -1} && items[0].step == Bound{} &&
           all_whole(items, 1);
}

// x[::-1], of all other axes all: the steps from the last to the first.
inline bool turns(const IndexItems& items) {
    return !items.empty() && items[0].kind == IndexItem::Kind::Slice && items[0].start == Bound{} &&
           items[0].stop == Bound{} && items[0].step == Bound{Bound::Kind::Number, -1} &&
           all_whole(items, 1);
}
inline bool is_turned(const Variable& v) {
    auto items = v.kind() == NodeKind::Apply ? items_of(v.node()) : std::nullopt;
    return items && turns(*items);
}

// A loop's last value behind the initial one: there is one if the loop has run at all.
inline Variable if_run(const Variable& last, const Variable& steps) {
    const Array* known = constant_value(steps);
    if (known && known->item<int64_t>() > 0) return last;
    return assert_(last, gt(steps, int64_t{0}), "the last value of a loop of no steps");
}

// What is left of x[-1, rest] when x[-1] is at hand.
inline Variable rest_of(const Variable& last, const Node& read, IndexItems items,
                        const Variables& bounds) {
    items.erase(items.begin());
    if (all_whole(items, 0)) return last;
    Variables inputs{last};
    inputs.insert(inputs.end(), bounds.begin(), bounds.end());
    return apply(*subtensor_op(), std::move(inputs), {{"index", index_text(items)}}, read.site)[0];
}

// The last value of what is stacked along the first axis.
inline Variable last_of(const Variable& stack) {
    std::string index = "-1";
    for (int axis = 1; axis < stack.rank(); ++axis) index += ", :";
    return apply(*subtensor_op(), {stack}, {{"index", index}})[0];
}

// The values after each step: of a trace all but the initial one.
inline Variable without_first(const Variable& trace) {
    std::string index = "1:";
    for (int axis = 1; axis < trace.rank(); ++axis) index += ", :";
    return apply(*subtensor_op(), {trace}, {{"index", index}})[0];
}

/// Who reads each value of a graph: a node, or null for the outputs.
class Users {
  public:
    Users(const Variables& outputs, const std::vector<Node*>& order) {
        for (Node* node : order)
            for (const auto& v : node->inputs) users_[v].push_back(node);
        for (const auto& v : outputs) users_[v].push_back(nullptr);
    }
    const std::vector<Node*>& of(ValueKey v) const {
        static const std::vector<Node*> none;
        auto found = users_.find(v);
        return found ? *found : none;
    }

  private:
    FlatMap<ValueKey, std::vector<Node*>> users_;
};

inline bool contains(const Variables& list, const Variable& v) {
    return std::find(list.begin(), list.end(), v) != list.end();
}
inline size_t place_in(const Variables& list, const Variable& v) {
    return static_cast<size_t>(std::find(list.begin(), list.end(), v) - list.begin());
}

/// What stands for a loop's inputs now in their place.
inline void take_images(Loop& loop, const Images& image) {
    loop.steps = image(loop.steps);
    for (auto* list : {&loop.initial, &loop.sequences, &loop.constants}) *list = image(*list);
}
inline Loop over_images(const Node& node, const Images& image) {
    Loop loop(node);
    take_images(loop, image);
    return loop;
}

/// Whether a state has the sizes of its next value for certain: what is not known is for the loop
/// to check, so such a loop must stay one.
inline bool keeps_sizes(const Variable& state, const Variable& next) {
    const Dims &a = state.type().dims, &b = next.type().dims;
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Dim& x, const Dim& y) { return x.certainly_equals(y); });
}

}  // namespace croton::compile
