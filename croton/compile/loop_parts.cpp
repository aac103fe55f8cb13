// Of each step of a loop what is read of it: see loops.hpp.
#include <algorithm>

#include "croton/compile/loop_kernel.hpp"
#include "croton/compile/loop_readings.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

namespace {
using BoundKind = Bound::Kind;

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
