#pragma once
// A graph with its loops and who reads parts of their results. For the sources of compile/ only.
#include "croton/compile/loop_reads.hpp"

namespace croton::compile {

/// Who takes a part of a loop's output.
struct Reader {
    Node* node;
    IndexItems items;
    bool behind;          ///< of a trace's values after each step
    bool turned = false;  ///< of the steps from the last to the first
};

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

}  // namespace croton::compile
