// Who reads which steps of loops: see loop_readings.hpp.
#include "croton/compile/loop_readings.hpp"

namespace croton::compile {

std::optional<std::vector<Reader>> Parts::readers_of(const Node& node, size_t output, bool traced,
                                                     bool through_turns) {
    std::vector<Reader> readers;
    bool all = add_readers({&node, uint32_t(output)}, {nullptr, {}, false}, traced, through_turns,
                           readers);
    return all ? std::optional(readers) : std::nullopt;
}

bool Parts::add_readers(ValueKey value, Reader like, bool traced, bool through_turns,
                        std::vector<Reader>& readers) {
    for (Node* user : users_.of(value)) {
        auto items = user ? items_of(*user) : std::nullopt;
        if (!items || items->empty()) return false;
        Reader reader = like;
        reader.node = user;
        reader.items = *items;
        bool skips = traced && !like.behind && !like.turned && skips_first(*items);
        bool turned = through_turns && !like.turned && turns(*items);
        if (!skips && !turned) {
            readers.push_back(reader);
            continue;
        }
        reader.behind |= skips;
        reader.turned |= turned;
        if (!add_readers({user, 0}, reader, traced, through_turns, readers)) return false;
        between_.insert(user);
    }
    return true;
}

namespace {
using BoundKind = Bound::Kind;

std::optional<Place> place_of(const Bound& bound, Place whole) {
    if (bound.kind == BoundKind::None) return whole;
    if (bound.kind != BoundKind::Number) return {};
    return bound.value >= 0 ? Place{bound.value, false} : Place{-bound.value, true};
}
}  // namespace

bool forwards(const IndexItem& item) {
    return item.step.kind == BoundKind::None ||
           (item.step.kind == BoundKind::Number && item.step.value > 0);
}

std::optional<Span> span_of(const Reader& reader) {
    const IndexItem& first = reader.items[0];
    bool single = first.kind == IndexItem::Kind::Integer;
    if (!single && (first.kind != IndexItem::Kind::Slice || !forwards(first))) return {};
    auto from = place_of(first.start, {0, false});
    auto to = place_of(first.stop, {0, true});
    if (!from || !to) return {};
    if (single) to = {from->from_end ? from->steps - 1 : from->steps + 1, from->from_end};
    return reader.turned ? Span{to->mirrored(), from->mirrored()} : Span{*from, *to};
}

std::optional<std::vector<Reading>> readings_of(const Node& node, const Loop& loop, Parts& parts,
                                                bool allowed) {
    std::vector<Reading> readings;
    for (size_t k = 0; k < node.types.size(); ++k) {
        if (!parts.is_read(node, k)) continue;
        bool state = k < loop.states.size();
        if (state && !loop.traced[k]) {
            if (allowed) continue;
            return {};
        }
        auto readers = parts.readers_of(node, k, state, true);
        if (!readers) return {};
        for (const auto& reader : *readers) readings.push_back({reader, span_of(reader)});
    }
    return readings;
}

bool of_steps(const std::vector<Reading>& readings, const Loop& loop) {
    return std::all_of(readings.begin(), readings.end(), [&](const Reading& reading) {
        const Variable* source = &reading.reader.node->inputs[0];
        while (!is_loop(source->node())) source = &source->node().inputs[0];
        return reading.reader.behind == (source->index() < loop.states.size());
    });
}

bool Rereading::make(Node* node, Images& image) const {
    const IndexItems* items = items_.find(node);
    if (!items) return false;
    SiteScope scope(node->site);
    Variable made =
        apply(*subtensor_op(), image(node->inputs), {{"index", index_text(*items)}}, node->site)[0];
    made.node_pointer()->types = node->types;  // the same rows
    image.set({node, 0}, made);
    return true;
}

}  // namespace croton::compile
