// Loops of whose results parts are read: see loops.hpp.
#include <algorithm>

#include "croton/compile/loop_kernel.hpp"
#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
using BoundKind = Bound::Kind;

/// Who takes a part of a loop's output.
struct Reader {
    Node* node;
    IndexItems items;
    bool behind;  ///< of a trace's values after each step
};

/// A graph with its loops and who reads parts of them.
class Parts {
  public:
    explicit Parts(const Variables& outputs)
        : outputs_(outputs), order_(toposort(outputs)), users_(outputs, order_) {}

    const std::vector<Node*>& order() const { return order_; }
    bool is_read(const Node& node, size_t output) const {
        return !users_.of({&node, uint32_t(output)}).empty();
    }

    /// All who read it; nothing if somebody takes it as it is.
    std::optional<std::vector<Reader>> readers_of(const Node& node, size_t output, bool traced) {
        std::vector<Reader> readers;
        for (Node* user : users_.of({&node, uint32_t(output)})) {
            auto items = user ? items_of(*user) : std::nullopt;
            if (!items || items->empty()) return {};
            if (!traced || !skips_first(*items)) {
                readers.push_back({user, *items, false});
                continue;
            }
            for (Node* next : users_.of({user, 0})) {
                auto inner = next ? items_of(*next) : std::nullopt;
                if (!inner || inner->empty()) return {};
                readers.push_back({next, *inner, true});
            }
            between_.insert(user);
        }
        return readers;
    }

    /// The graph with nodes made otherwise: `make` says whether it gave a node an image.
    template <class Make>
    Variables rebuilt(const Make& make) {
        for (Node* node : order_) {
            if (node->kind != NodeKind::Apply || make(node)) continue;
            // Its length may be another one than it was: no names for sizes are kept.
            if (between_.contains(node) && !(image(node->inputs) == node->inputs))
                image.set(node, without_names(apply_like(*node, image(node->inputs))));
            else
                image.carry_over(node);
        }
        return image(outputs_);
    }

    Images image;

  private:
    static Variables without_names(Variables made) {
        for (Dim& dim : made[0].node_pointer()->types[0].dims)
            if (dim.unknown()) dim = Dim::fresh();
        return made;
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    Users users_;
    NodeSet between_;  ///< traces without the initial value, on their way to readers
};

std::optional<int64_t> known(const Variable& v) {
    const Array* value = constant_value(v);
    return value ? std::optional(value->item<int64_t>()) : std::nullopt;
}
Variable whole_number(int64_t value) { return constant(Array::scalar(value)); }

// The most that a number of steps can be, if it says so.
std::optional<int64_t> most(const Variable& steps) {
    static const OpRecord* minimum_op = find_op("minimum");
    if (auto number = known(steps)) return number;
    if (!steps.is(*minimum_op)) return {};
    auto a = most(steps.input(0)), b = most(steps.input(1));
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}
Variable smaller(const Variable& steps, const Variable& other) {
    auto a = known(steps), b = known(other);
    return a && b ? whole_number(std::min(*a, *b)) : minimum(steps, other);
}

// --- steps behind the last one read -------------------------------------------------------------

/// How many steps are read from the first one on: so many, at most.
class Ends {
  public:
    /// False if the reader may need any step.
    bool add(const Reader& reader) {
        const IndexItem& first = reader.items[0];
        if (first.kind == IndexItem::Kind::Integer) return reach(*reader.node, first.start, true);
        if (first.kind != IndexItem::Kind::Slice || !forwards(first)) return false;
        bool from_front = first.start == Bound{} || reach(*reader.node, first.start, false);
        return from_front && reach(*reader.node, first.stop, false);
    }
    bool is_number() const { return ends_.empty(); }
    int64_t number() const { return number_; }
    /// Of a loop of so many steps; ends that count from the last step need all.
    Variable value(const Variable& steps) const {
        Variable all = whole_number(number_);
        for (const auto& [end, single] : ends_)
            all = maximum(all, where(ge(end, int64_t{0}), end + int64_t{single}, steps));
        return smaller(steps, all);
    }

  private:
    // The bound, or the position at it; if it counts from the last step, all steps.
    bool reach(const Node& node, const Bound& bound, bool position) {
        if (bound.kind == BoundKind::Number) {
            number_ = std::max(number_, bound.value + position);
            return bound.value >= 0;
        }
        if (bound.kind != BoundKind::Input) return false;
        Variable end = node.inputs[1 + static_cast<size_t>(bound.value)];
        if (end.dtype() != DType::Int64 || follows_from_loops(end)) return false;
        ends_.emplace_back(end, position);
        return true;
    }
    static bool forwards(const IndexItem& item) {
        return item.step.kind == BoundKind::None ||
               (item.step.kind == BoundKind::Number && item.step.value > 0);
    }
    static bool follows_from_loops(const Variable& v) {
        auto below = toposort({v});
        return std::any_of(below.begin(), below.end(), [](Node* node) { return is_loop(*node); });
    }
    int64_t number_ = 0;
    std::vector<std::pair<Variable, bool>> ends_;  ///< an end, or a single position
};

// How many steps of a loop are read, where all that is read of it are parts that begin and end at
// steps counted from the first.
std::optional<Ends> ends_of(const Node& node, const Loop& loop, Parts& parts) {
    Ends ends;
    for (size_t k = 0; k < node.types.size(); ++k) {
        if (!parts.is_read(node, k)) continue;
        bool state = k < loop.states.size();
        if (state && !loop.traced[k]) return {};
        auto readers = parts.readers_of(node, k, state);
        if (!readers) return {};
        for (const auto& reader : *readers)
            if (reader.behind != state || !ends.add(reader)) return {};
    }
    return ends;
}

void cut_sequences(Loop& loop, const SliceEnd& from, const SliceEnd& to) {
    for (Variable& v : loop.sequences) v = at(v, {Slice(from, to)}).named(v.name());
}
}  // namespace

Variables shorten_loops(const Variables& outputs, bool inside) {
    Parts parts(outputs);
    FlatMap<const Node*, Ends> lengths;
    for (Node* node : parts.order()) {
        if (!is_loop(*node)) continue;
        Loop loop(*node);
        auto ends = loop.stop ? std::nullopt : ends_of(*node, loop, parts);
        if (!ends || (inside && !ends->is_number())) continue;
        auto bound = most(loop.steps);
        if (ends->is_number() && bound && *bound <= ends->number()) continue;
        lengths.insert(node, *ends);
    }
    if (lengths.size() == 0) return outputs;
    return parts.rebuilt([&](Node* node) {
        const Ends* ends = lengths.find(node);
        if (!ends) return false;
        SiteScope scope(node->site);
        Loop loop = over_images(*node, parts.image);
        loop.steps = ends->value(loop.steps);
        cut_sequences(loop, {}, loop.steps);
        parts.image.set(node, applied(loop, node->site));
        return true;
    });
}

// --- steps before the first one read ------------------------------------------------------------

namespace {
constexpr int64_t worth_it = 64;  // steps that are not kept

/// Of how many of the last steps all parts that are read are made.
std::optional<int64_t> last_steps_of(const Reader& reader) {
    const IndexItem& first = reader.items[0];
    auto from_end = [](const Bound& bound) {
        return bound.kind == BoundKind::Number && bound.value < 0;
    };
    if (!from_end(first.start)) return {};
    if (first.kind == IndexItem::Kind::Integer) return -first.start.value;
    bool forwards =
        first.step == Bound{} || (first.step.kind == BoundKind::Number && first.step.value > 0);
    bool ends = first.stop == Bound{} || from_end(first.stop);
    if (first.kind != IndexItem::Kind::Slice || !forwards || !ends) return {};
    return -first.start.value;
}

std::optional<int64_t> last_steps_of(const Node& node, const Loop& loop, Parts& parts) {
    int64_t count = 0;
    bool any = false;
    for (size_t k = 0; k < node.types.size(); ++k) {
        bool state = k < loop.states.size();
        if (!parts.is_read(node, k) || (state && !loop.traced[k])) continue;
        auto readers = parts.readers_of(node, k, state);
        if (!readers) return {};
        for (const auto& reader : *readers) {
            auto steps = last_steps_of(reader);
            if (!steps) return {};
            count = std::max(count, *steps);
        }
        any = true;
    }
    return any ? std::optional(count) : std::nullopt;
}

// All steps but the last `count` without keeping anything, then those.
Variables in_two(const Loop& loop, int64_t count, Site site) {
    auto steps = known(loop.steps);
    Loop before = loop, last = loop;
    before.steps = steps ? whole_number(std::max<int64_t>(*steps - count, 0))
                         : maximum(loop.steps - count, int64_t{0});
    before.stacked.clear();
    before.traced.assign(loop.states.size(), false);
    cut_sequences(before, {}, before.steps);
    last.steps = smaller(loop.steps, whole_number(count));
    cut_sequences(last, before.steps, {});
    if (!loop.states.empty()) last.initial = applied(before, site);
    return applied(last, site);
}

// --- of loops that may end early, whose last steps are not known before

constexpr int64_t most_kept = 8;
using Counts = std::vector<int64_t>;

/// Of each state how many of its last values are read; nothing if something else is.
std::optional<Counts> last_values_of(const Node& node, const Loop& loop, Parts& parts) {
    Counts counts(loop.states.size());
    for (size_t k = 0; k < loop.states.size() + loop.stacked.size(); ++k) {
        bool state = k < loop.states.size();
        if (!parts.is_read(node, k) || (state && !loop.traced[k])) continue;
        auto readers = state ? parts.readers_of(node, k, true) : std::nullopt;
        if (!readers) return {};
        for (const auto& reader : *readers) {
            auto steps = last_steps_of(reader);
            if (!steps || *steps > most_kept || !reader.behind) return {};
            counts[k] = std::max(counts[k], *steps);
        }
    }
    bool any = std::any_of(counts.begin(), counts.end(), [](int64_t count) { return count > 0; });
    return any ? std::optional(counts) : std::nullopt;
}

// Older values are states, each of which hands its value on: that costs no copy. Gives final
// states in place of traces, and the values that were kept of each.
struct Kept {
    Variables made, rows;
};
Kept keep_older(const Loop& loop, const Counts& counts, Site site) {
    Loop longer = loop;
    for (size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        longer.traced[i] = false;
        for (int64_t back = 1; back < counts[i]; ++back) {
            longer.next.push_back(back == 1 ? loop.states[i] : longer.states.back());
            longer.states.push_back(input(loop.states[i].type(), loop.states[i].name(), site));
            longer.initial.push_back(loop.initial[i]);
            longer.traced.push_back(false);
        }
    }
    Variables made = applied(longer, site);
    Kept kept;
    size_t older = loop.states.size();
    for (size_t i = 0; i < counts.size(); ++i) {
        kept.made.push_back(made[i]);
        if (counts[i] == 0) {
            kept.rows.emplace_back();
            continue;
        }
        Args values{made[i]};
        for (int64_t back = 1; back < counts[i]; ++back)
            values.insert(values.begin(), made[older++]);
        Variable there = minimum(made.back(), whole_number(counts[i]));
        kept.rows.push_back(at(stack(values), {Slice(counts[i] - there, {})}));
    }
    kept.made.insert(kept.made.end(), made.begin() + static_cast<long>(longer.states.size()),
                     made.end());
    return kept;
}
}  // namespace

Variables keep_last_steps(const Variables& outputs, bool inside) {
    if (inside) return outputs;
    Parts parts(outputs);
    FlatMap<const Node*, int64_t> counts;
    FlatMap<const Node*, Counts> counts_of_states;
    for (Node* node : parts.order()) {
        if (!is_loop(*node)) continue;
        Loop loop(*node);
        if (loop.stop) {
            if (auto count = last_values_of(*node, loop, parts))
                counts_of_states.insert(node, *count);
            continue;
        }
        auto count = last_steps_of(*node, loop, parts);
        auto bound = most(loop.steps);
        if (count && (!bound || *bound - *count >= worth_it)) counts.insert(node, *count);
    }
    if (counts.size() + counts_of_states.size() == 0) return outputs;
    FlatMap<ValueKey, Variable> rows;  // what stands for traces without the initial value
    return parts.rebuilt([&](Node* node) {
        SiteScope scope(node->site);
        if (const Variable* kept = node->inputs.empty() ? nullptr : rows.find(node->inputs[0])) {
            parts.image.set({node, 0}, *kept);
            return true;
        }
        if (const Counts* of_states = counts_of_states.find(node)) {
            Kept kept = keep_older(over_images(*node, parts.image), *of_states, node->site);
            parts.image.set(node, kept.made);
            for (uint32_t i = 0; i < kept.rows.size(); ++i)
                if (kept.rows[i]) rows.insert({node, i}, kept.rows[i]);
            return true;
        }
        const int64_t* count = counts.find(node);
        if (!count) return false;
        parts.image.set(node, in_two(over_images(*node, parts.image), *count, node->site));
        return true;
    });
}

// --- parts of each step -------------------------------------------------------------------------

namespace {
/// What is kept of an output in place of all of it.
struct Part {
    IndexItems items;             ///< of one step
    std::vector<Reader> readers;  ///< of that
    std::vector<Reader> last;     ///< of the final state
};

// What all readers take of each step, or nothing.
std::optional<Part> part_of(const std::vector<Reader>& readers, bool state) {
    Part part;
    for (const auto& reader : readers) {
        IndexItems rest(reader.items.begin() + 1, reader.items.end());
        if (state && picks_last(reader.items)) {
            part.last.push_back(reader);
            continue;
        }
        bool known = std::all_of(rest.begin(), rest.end(), [](const IndexItem& item) {
            bool basic =
                item.kind == IndexItem::Kind::Integer || item.kind == IndexItem::Kind::Slice;
            return basic && item.start.kind != BoundKind::Input &&
                   item.stop.kind != BoundKind::Input && item.step.kind != BoundKind::Input;
        });
        bool same = part.readers.empty() || index_text(rest) == index_text(part.items);
        if (!known || !same || reader.behind != state || all_whole(rest, 0)) return {};
        part.items = rest;
        part.readers.push_back(reader);
    }
    if (part.readers.empty()) return {};
    return part;
}

class Narrowing {
  public:
    explicit Narrowing(const Variables& outputs) : outputs_(outputs), parts_(outputs) {}

    Variables run() {
        for (Node* node : parts_.order())
            if (is_loop(*node)) look_at(node);
        if (narrowed_.size() == 0) return outputs_;
        return parts_.rebuilt([&](Node* node) { return make(*node); });
    }

  private:
    /// How a reader of all is one of a part, or of the final state.
    struct Read {
        ValueKey output;
        bool last, behind;
    };

    void look_at(Node* node) {
        Loop loop(*node);
        std::vector<std::optional<Part>> found;
        for (size_t k = 0; k < loop.states.size() + loop.stacked.size(); ++k) {
            bool state = k < loop.states.size();
            auto readers =
                state && !loop.traced[k] ? std::nullopt : parts_.readers_of(*node, k, state);
            found.push_back(readers ? part_of(*readers, state) : std::nullopt);
        }
        Loop narrow = narrowed(loop, found);
        // Kernels store values of their own space: they stay kernels.
        bool lost = (fits_kernel(loop) && !fits_kernel(narrow)) ||
                    (fits_scalars(loop) && !fits_scalars(narrow));
        if (lost || std::none_of(found.begin(), found.end(), [](auto& p) { return bool(p); }))
            return;
        for (uint32_t k = 0; k < found.size(); ++k)
            if (found[k]) note(*found[k], {node, k});
        narrowed_.insert(node, std::move(found));
    }

    void note(const Part& part, ValueKey output) {
        for (const auto& reader : part.readers)
            reads_.insert(reader.node, {output, false, reader.behind});
        for (const auto& reader : part.last)
            reads_.insert(reader.node, {output, true, reader.behind});
        for (const auto* list : {&part.readers, &part.last})
            for (const auto& reader : *list)
                if (reader.behind) gone_.insert(reader.node->inputs[0].node_pointer());
    }

    // The parts of states' values are stacked behind the other stacks.
    static Loop narrowed(Loop loop, const std::vector<std::optional<Part>>& found) {
        size_t states = loop.states.size();
        auto part = [](const Variable& v, const Part& p) {
            return apply(*subtensor_op(), {v}, {{"index", index_text(p.items)}})[0];
        };
        for (size_t k = 0; k < found.size(); ++k) {
            if (!found[k]) continue;
            if (k >= states) {
                loop.stacked[k - states] = part(loop.stacked[k - states], *found[k]);
                continue;
            }
            loop.traced[k] = false;
            loop.stacked.push_back(part(loop.next[k], *found[k]));
        }
        return loop;
    }

    bool make(Node& node) {
        if (gone_.contains(&node)) return true;
        if (const Read* read = reads_.find(&node)) return make_read(node, *read);
        auto found = narrowed_.find(&node);
        if (!found) return false;
        SiteScope scope(node.site);
        Loop loop = narrowed(over_images(node, parts_.image), *found);
        Variables made = applied(loop, node.site);
        size_t states = loop.states.size(), next = node.types.size() - bool(loop.stop);
        for (uint32_t k = 0; k < found->size(); ++k) {
            parts_.image.set({&node, k}, made[k]);
            if ((*found)[k]) stacks_.insert({&node, k}, made[k < states ? next++ : k]);
        }
        if (loop.stop) parts_.image.set({&node, static_cast<uint32_t>(found->size())}, made.back());
        return true;
    }

    bool make_read(Node& node, const Read& read) {
        SiteScope scope(node.site);
        IndexItems items = *items_of(node);
        Variables bounds;
        for (size_t i = 1; i < node.inputs.size(); ++i)
            bounds.push_back(parts_.image(node.inputs[i]));
        Variable value;
        if (read.last) {
            Variable source(const_cast<Node*>(read.output.node), read.output.index);
            Variable state = parts_.image(source);
            if (read.behind) state = if_run(state, state.input(0));
            value = rest_of(state, node, items, bounds);
        } else {
            const Variable& stack = *stacks_.find(read.output);
            IndexItems first(items.begin(), items.begin() + 1);
            for (int axis = 1; axis < stack.rank(); ++axis) first.push_back(IndexItem{});
            Variables inputs{stack};
            inputs.insert(inputs.end(), bounds.begin(), bounds.end());
            value = apply(*subtensor_op(), std::move(inputs), {{"index", index_text(first)}})[0];
        }
        parts_.image.set({&node, 0}, value);
        return true;
    }

    const Variables& outputs_;
    Parts parts_;
    FlatMap<const Node*, std::vector<std::optional<Part>>> narrowed_;
    FlatMap<const Node*, Read> reads_;
    NodeSet gone_;  ///< traces without the initial value
    FlatMap<ValueKey, Variable> stacks_;
};
}  // namespace

Variables keep_parts_of_steps(const Variables& outputs) { return Narrowing(outputs).run(); }

}  // namespace croton::compile
