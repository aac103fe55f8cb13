// Loops of whose results some of the steps are read: see loops.hpp.
#include <algorithm>

#include "croton/compile/loop_readings.hpp"
#include "croton/compile/loops.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/shape.hpp"

namespace croton::compile {

namespace {
using BoundKind = Bound::Kind;

// The most that a number of steps can be, if it says so.
std::optional<int64_t> most(const Variable& steps) {
    static const OpRecord* minimum_op = find_op("minimum");
    if (auto number = known_integer(steps)) return number;
    if (!steps.is(*minimum_op)) return {};
    auto a = most(steps.input(0)), b = most(steps.input(1));
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}
Variable smaller(const Variable& steps, const Variable& other) {
    auto a = known_integer(steps), b = known_integer(other);
    return a && b ? whole_number(std::min(*a, *b)) : minimum(steps, other);
}
// Of so many steps all but `count`.
Variable all_but(const Variable& steps, const Variable& count) {
    auto n = known_integer(steps), left_out = known_integer(count);
    return n && left_out ? whole_number(std::max<int64_t>(*n - *left_out, 0))
                         : maximum(steps - count, int64_t{0});
}

void cut_sequences(Loop& loop, const SliceEnd& from, const SliceEnd& to) {
    for (Variable& v : loop.sequences) v = at(v, {Slice(from, to)}).named(v.name());
}

// --- readers of a loop with fewer steps ---------------------------------------------------------

/// What is added to bounds that count from the first row, and to those that count from the last.
struct Shift {
    int64_t front = 0, end = 0;
    Shift turned() const { return {-end, -front}; }
};

std::optional<Bound> shifted(const Bound& bound, const Shift& by, bool stop) {
    if (bound.kind != BoundKind::Number) return bound;
    bool front = bound.value >= 0;
    Bound moved = bound;
    moved.value += front ? by.front : by.end;
    if (front == (moved.value >= 0)) return moved;
    if (stop && moved.value == 0) return Bound{};  // x[:-3] without the three
    return {};                                     // reads nothing, in a way that nobody writes
}

// The index of a reader whose loop has lost steps; nothing where it cannot be had, or where an
// error would show other numbers than the user's.
std::optional<IndexItems> shifted(const Reading& reading, Shift by,
                                  const std::optional<int64_t>& steps) {
    const Reader& reader = reading.reader;
    if (reader.turned) by = by.turned();
    IndexItems items = reader.items;
    IndexItem& first = items[0];
    auto start = shifted(first.start, by, false), stop = shifted(first.stop, by, true);
    if (!start || !stop) return {};
    bool single = first.kind == IndexItem::Kind::Integer, moved = !(*start == first.start);
    bool exists = steps && reading.span &&
                  (reading.span->from.from_end ? reading.span->from.steps <= *steps
                                               : reading.span->to.steps <= *steps);
    if (single && moved && !exists) return {};
    first.start = *start;
    first.stop = *stop;
    return items;
}

std::optional<NewItems> shifted(const std::vector<Reading>& readings, const Shift& by,
                                const std::optional<int64_t>& steps) {
    NewItems all;
    for (const auto& reading : readings) {
        auto items = shifted(reading, by, steps);
        if (!items) return {};
        if (index_text(*items) != index_text(reading.reader.items))
            all.emplace_back(reading.reader.node, *items);
    }
    return all;
}

// --- steps behind the last one read -------------------------------------------------------------

/// How many steps are read from the first one on: so many, at most.
class Ends {
  public:
    void add(int64_t number) { number_ = std::max(number_, number); }
    /// False if the reader may need any step.
    bool add(const Reading& reading) {
        const Reader& reader = reading.reader;
        if (reading.span) {
            if (reading.span->from.from_end || reading.span->to.from_end) return false;
            add(reading.span->to.steps);
            return true;
        }
        const IndexItem& first = reader.items[0];
        if (reader.turned) return false;
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
    static bool follows_from_loops(const Variable& v) {
        auto below = toposort({v});
        return std::any_of(below.begin(), below.end(), [](Node* node) { return is_loop(*node); });
    }
    int64_t number_ = 0;
    std::vector<std::pair<Variable, bool>> ends_;  ///< an end, or a single position
};

/// A loop with fewer steps: up to some end, or all but the last few, and who then reads otherwise.
struct Shorter {
    std::optional<Ends> ends;
    int64_t left_out = 0;
    NewItems items;
    Variable steps(const Variable& all) const {
        return ends ? ends->value(all) : all_but(all, whole_number(left_out));
    }
};

std::optional<Shorter> up_to_an_end(const std::vector<Reading>& readings,
                                    const std::optional<int64_t>& bound) {
    Ends ends;
    for (const auto& reading : readings)
        if (!ends.add(reading)) return {};
    if (ends.is_number() && bound && *bound <= ends.number()) return {};
    return Shorter{ends, 0, {}};
}

// As bounds that count from the last step have it, or, of known numbers of steps, all bounds.
std::optional<Shorter> without_last(const std::vector<Reading>& readings,
                                    const std::optional<int64_t>& steps) {
    if (readings.empty()) return {};
    std::optional<int64_t> left_out;
    for (const auto& [reader, span] : readings) {
        if (!span || (!steps && !span->to.from_end)) return {};
        int64_t own = steps ? *steps - std::min(*steps, span->to.of(*steps)) : span->to.steps;
        left_out = left_out ? std::min(*left_out, own) : own;
    }
    if (*left_out <= 0) return {};
    auto items = shifted(readings, {0, *left_out}, steps);
    if (!items) return {};
    return Shorter{{}, *left_out, *items};
}

std::optional<Shorter> shorter(const Node& node, const Loop& loop, Parts& parts, bool inside) {
    if (loop.stop) return {};
    auto readings = readings_of(node, loop, parts, false);
    if (!readings || !of_steps(*readings, loop)) return {};
    auto found = up_to_an_end(*readings, most(loop.steps));
    if (!found) found = without_last(*readings, known_integer(loop.steps));
    if (found && inside && found->ends && !found->ends->is_number()) return {};
    return found;
}
}  // namespace

Variables shorten_loops(const Variables& outputs, bool inside) {
    Parts parts(outputs);
    FlatMap<const Node*, Shorter> shortened;
    Rereading reread;
    for (Node* node : parts.order()) {
        if (!is_loop(*node)) continue;
        auto found = shorter(*node, Loop(*node), parts, inside);
        if (!found) continue;
        reread.add(found->items);
        shortened.insert(node, *found);
    }
    if (shortened.size() == 0) return outputs;
    return parts.rebuilt([&](Node* node) {
        if (reread.make(node, parts.image)) return true;
        const Shorter* found = shortened.find(node);
        if (!found) return false;
        SiteScope scope(node->site);
        Loop loop = over_images(*node, parts.image);
        loop.steps = found->steps(loop.steps);
        cut_sequences(loop, {}, loop.steps);
        parts.image.set(node, applied(loop, node->site));
        return true;
    });
}

// --- steps before the first one read ------------------------------------------------------------

namespace {
constexpr int64_t worth_it = 64;  // steps that are not kept

/// A loop of which the first steps are not kept: so many, or all but the last `kept`.
struct Later {
    bool from_end = false;
    int64_t count = 0;
    NewItems items;
    Variable first(const Variable& steps) const {
        Variable number = whole_number(count);
        return from_end ? all_but(steps, number) : smaller(steps, number);
    }
};

// Of how many of the last steps all parts that are read are made.
std::optional<Later> last_steps(const std::vector<Reading>& readings,
                                const std::optional<int64_t>& bound) {
    int64_t count = 0;
    for (const auto& [reader, span] : readings) {
        if (!span || !span->from.from_end || !span->to.from_end) return {};
        count = std::max(count, span->from.steps);
    }
    if (bound && *bound - count < worth_it) return {};
    return Later{true, count, {}};
}

std::optional<Later> without_first(const std::vector<Reading>& readings, const Loop& loop) {
    auto steps = known_integer(loop.steps), bound = most(loop.steps);
    std::optional<int64_t> count;
    for (const auto& [reader, span] : readings) {
        if (!span || (!steps && span->from.from_end)) return {};
        int64_t own = steps ? std::min(*steps, span->from.of(*steps)) : span->from.steps;
        count = count ? std::min(*count, own) : own;
    }
    if (!count || *count < worth_it || (bound && *bound <= *count)) return {};
    auto items = shifted(readings, {-*count, 0}, steps);
    if (!items) return {};
    return Later{false, *count, *items};
}

std::optional<Later> later(const Node& node, const Loop& loop, Parts& parts) {
    auto readings = readings_of(node, loop, parts, true);
    if (!readings || readings->empty()) return {};
    bool turned = std::any_of(readings->begin(), readings->end(),
                              [](const Reading& reading) { return reading.reader.turned; });
    bool steps = of_steps(*readings, loop);
    auto found = turned && !steps ? std::nullopt : last_steps(*readings, most(loop.steps));
    return found || !steps ? found : without_first(*readings, loop);
}

// The first steps without keeping anything, then the others.
Variables in_two(const Loop& loop, const Later& what, Site site) {
    Loop before = loop, last = loop;
    before.steps = what.first(loop.steps);
    before.stacked.clear();
    before.traced.assign(loop.states.size(), false);
    cut_sequences(before, {}, before.steps);
    last.steps = what.from_end ? smaller(loop.steps, whole_number(what.count))
                               : all_but(loop.steps, whole_number(what.count));
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
            auto span = span_of(reader);
            if (!span || !span->from.from_end || !span->to.from_end || !reader.behind) return {};
            if (span->from.steps > most_kept) return {};
            counts[k] = std::max(counts[k], span->from.steps);
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
    FlatMap<const Node*, Later> later_loops;
    FlatMap<const Node*, Counts> counts_of_states;
    Rereading reread;
    for (Node* node : parts.order()) {
        if (!is_loop(*node)) continue;
        Loop loop(*node);
        if (loop.stop) {
            if (auto count = last_values_of(*node, loop, parts))
                counts_of_states.insert(node, *count);
        } else if (auto found = later(*node, loop, parts)) {
            reread.add(found->items);
            later_loops.insert(node, *found);
        }
    }
    if (later_loops.size() + counts_of_states.size() == 0) return outputs;
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
        if (reread.make(node, parts.image)) return true;
        const Later* found = later_loops.find(node);
        if (!found) return false;
        parts.image.set(node, in_two(over_images(*node, parts.image), *found, node->site));
        return true;
    });
}

}  // namespace croton::compile
