#pragma once
// Who reads which steps and which parts of loops' results. For the sources of compile/ only.
#include "croton/compile/loop_reads.hpp"

namespace croton::compile {

/// Who takes a part of a loop's output.
struct Reader {
    Node* node;
    IndexItems items;
    bool behind;          ///< of a trace's values after each step
    bool turned = false;  ///< of the steps from the last to the first
};

/// A graph with its loops and who reads them.
class Parts {
  public:
    explicit Parts(const Variables& outputs)
        : outputs_(outputs), order_(toposort(outputs)), users_(outputs, order_) {}

    const std::vector<Node*>& order() const { return order_; }
    bool is_read(const Node& node, size_t output) const {
        return !users_.of({&node, uint32_t(output)}).empty();
    }

    /// All who read it; nothing if somebody takes it as it is. With `through_turns` those who read
    /// x[::-1] are readers of x.
    std::optional<std::vector<Reader>> readers_of(const Node& node, size_t output, bool traced,
                                                  bool through_turns = false);

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
    bool add_readers(ValueKey value, Reader like, bool traced, bool through_turns,
                     std::vector<Reader>& readers);
    static Variables without_names(Variables made) {
        for (Dim& dim : made[0].node_pointer()->types[0].dims)
            if (dim.unknown()) dim = Dim::fresh();
        return made;
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    Users users_;
    NodeSet between_;  ///< traces without the initial value, or turned, on their way to readers
};

/// Before so many steps from the first one on, or before so many last ones.
struct Place {
    int64_t steps = 0;
    bool from_end = false;
    Place mirrored() const { return {steps, !from_end}; }
    /// From the first step on, of a loop of n steps.
    int64_t of(int64_t n) const { return from_end ? std::max<int64_t>(n - steps, 0) : steps; }
};
/// Steps [from, to).
struct Span {
    Place from, to;
};
/// Which steps a reader needs, if its bounds are numbers.
std::optional<Span> span_of(const Reader& reader);
/// Whether a slice goes from earlier rows to later ones.
bool forwards(const IndexItem& item);

struct Reading {
    Reader reader;
    std::optional<Span> span;
};
/// All that is read of a loop's steps; nothing if any step may be, or if final states are read and
/// that is not `allowed`.
std::optional<std::vector<Reading>> readings_of(const Node& node, const Loop& loop, Parts& parts,
                                                bool allowed);
/// Whether all of them read traces behind the initial value, or stacks.
bool of_steps(const std::vector<Reading>& readings, const Loop& loop);

/// Nodes that read otherwise than they did, but the same.
using NewItems = std::vector<std::pair<Node*, IndexItems>>;
class Rereading {
  public:
    void add(const NewItems& items) {
        for (const auto& [node, now] : items) items_.insert(node, now);
    }
    /// Makes the node's image if it is among them.
    bool make(Node* node, Images& image) const;

  private:
    FlatMap<const Node*, IndexItems> items_;
};

}  // namespace croton::compile
