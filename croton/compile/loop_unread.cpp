// What of a loop nobody reads: see loops.hpp.
#include <algorithm>

#include "croton/compile/loop_reads.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/traverse.hpp"

namespace croton::compile {

namespace {
class LastValues {
  public:
    explicit LastValues(const Variables& outputs)
        : outputs_(outputs), order_(toposort(outputs)), users_(outputs, order_) {}

    Variables run() {
        for (Node* node : order_)
            if (is_loop(*node)) look_at(node);
        if (untraced_.size() == 0) return outputs_;
        for (Node* node : order_) rebuild(node);
        return image_(outputs_);
    }

  private:
    void look_at(Node* node) {
        auto traced = attrs_of(*node).get<Ints>("traced");
        for (uint32_t i = 0; i < traced.size(); ++i)
            if (const auto& users = users_.of({node, i});
                traced[i] && !users.empty() && only_last(users))
                untraced_.insert({node, i});
    }

    // Whether a trace's users take its last value, as it is or behind the initial one.
    bool only_last(const std::vector<Node*>& users) {
        std::vector<Node*> readers, behind, between;
        for (Node* user : users) {
            auto items = user ? items_of(*user) : std::nullopt;
            if (!items) return false;
            if (picks_last(*items)) {
                readers.push_back(user);
            } else if (skips_first(*items)) {
                between.push_back(user);
                for (Node* next : users_.of({user, 0})) {
                    auto inner = next ? items_of(*next) : std::nullopt;
                    if (!inner || !picks_last(*inner)) return false;
                    behind.push_back(next);
                }
            } else {
                return false;
            }
        }
        for (Node* reader : readers) last_reads_.insert(reader);
        for (Node* reader : behind) last_reads_.insert(reader), behind_first_.insert(reader);
        for (Node* node : between) between_.insert(node);
        return true;
    }

    void rebuild(Node* node) {
        if (node->kind != NodeKind::Apply || between_.contains(node)) return;
        if (last_reads_.contains(node)) return rebuild_read(*node);
        if (is_loop(*node) && changes(*node)) return rebuild_loop(*node);
        image_.carry_over(node);
    }

    bool changes(const Node& node) const {
        for (uint32_t i = 0; i < node.types.size(); ++i)
            if (untraced_.contains({&node, i})) return true;
        return false;
    }

    void rebuild_loop(const Node& node) {
        Loop loop = over_images(node, image_);
        for (uint32_t i = 0; i < loop.states.size(); ++i)
            if (untraced_.contains({&node, i})) loop.traced[i] = false;
        image_.set(&node, applied(loop, node.site));
    }

    // x[-1, rest] of a trace that is not kept any more: the rest of the final state.
    void rebuild_read(Node& node) {
        bool behind = behind_first_.contains(&node);
        Variable source = behind ? node.inputs[0].input(0) : node.inputs[0];
        Variable state = image_(source);
        if (behind) state = if_run(state, image_(source.input(0)));
        Variables bounds;
        for (size_t i = 1; i < node.inputs.size(); ++i) bounds.push_back(image_(node.inputs[i]));
        image_.set({&node, 0}, rest_of(state, node, *items_of(node), bounds));
    }

    const Variables& outputs_;
    std::vector<Node*> order_;
    Users users_;
    ValueSet untraced_;
    NodeSet last_reads_, behind_first_;
    NodeSet between_;  ///< traces without the initial value, on their way to such readers
    Images image_;
};
}  // namespace

Variables keep_last_values(const Variables& outputs) { return LastValues(outputs).run(); }

namespace {
/// A loop without what nobody reads of it.
class Dropping {
  public:
    Dropping(const Node& node, Loop loop, const ValueSet& read)
        : node_(node), l_(std::move(loop)), read_(read) {}

    /// The loop's outputs, null where nobody reads them; nothing if all is needed.
    std::optional<Variables> run() {
        find_kept();
        bool all = std::all_of(state_kept_.begin(), state_kept_.end(), [](bool k) { return k; }) &&
                   std::all_of(stack_kept_.begin(), stack_kept_.end(), [](bool k) { return k; }) &&
                   keeps_all(l_.elements) && keeps_all(l_.fixed);
        if (all) return {};
        keep(state_kept_, {&l_.states, &l_.initial, &l_.next});
        std::vector<bool> traced;
        for (size_t i = 0; i < state_kept_.size(); ++i)
            if (state_kept_[i]) traced.push_back(l_.traced[i]);
        l_.traced = traced;
        keep(stack_kept_, {&l_.stacked});
        keep(needed(l_.elements), {&l_.elements, &l_.sequences});
        keep(needed(l_.fixed), {&l_.fixed, &l_.constants});
        return placed(applied(l_, node_.site));
    }

  private:
    bool is_read(size_t output) const { return read_.contains({&node_, uint32_t(output)}); }

    // States that something read depends on, and inputs that the body still needs.
    void find_kept() {
        size_t states = l_.states.size();
        for (size_t i = 0; i < states; ++i) state_kept_.push_back(is_read(i));
        Variables stacked;
        for (size_t j = 0; j < l_.stacked.size(); ++j) {
            stack_kept_.push_back(is_read(states + j));
            if (stack_kept_[j]) stacked.push_back(l_.stacked[j]);
        }
        for (bool changed = true; changed;) {
            Variables roots = stacked;
            if (l_.stop) roots.push_back(l_.stop);
            for (size_t i = 0; i < states; ++i)
                if (state_kept_[i]) roots.push_back(l_.next[i]);
            used_ = ValueSet(leaves(roots));
            changed = false;
            for (size_t i = 0; i < states; ++i)
                if (!state_kept_[i] && used_.contains(l_.states[i]))
                    state_kept_[i] = changed = true;
        }
    }

    std::vector<bool> needed(const Variables& formal) const {
        std::vector<bool> result;
        for (const auto& v : formal) result.push_back(used_.contains(v));
        return result;
    }
    bool keeps_all(const Variables& formal) const {
        return std::all_of(formal.begin(), formal.end(),
                           [&](const Variable& v) { return used_.contains(v); });
    }

    static void keep(const std::vector<bool>& kept, std::initializer_list<Variables*> lists) {
        for (Variables* list : lists) {
            Variables rest;
            for (size_t i = 0; i < kept.size(); ++i)
                if (kept[i]) rest.push_back((*list)[i]);
            *list = std::move(rest);
        }
    }

    Variables placed(const Variables& made) const {
        Variables outputs;
        size_t next = 0;
        for (const auto* list : {&state_kept_, &stack_kept_})
            for (bool kept : *list) outputs.push_back(kept ? made[next++] : Variable());
        if (l_.stop) outputs.push_back(made.back());
        return outputs;
    }

    const Node& node_;
    Loop l_;
    const ValueSet& read_;
    std::vector<bool> state_kept_, stack_kept_;
    ValueSet used_;  ///< leaves of what is kept of the body
};
}  // namespace

Variables drop_unread(const Variables& outputs) {
    ValueSet read(outputs);
    for (Node* node : toposort(outputs))
        for (const auto& v : node->inputs) read.insert(v);
    return change_loops(outputs, [&](const Node& node, Loop loop) {
        return Dropping(node, std::move(loop), read).run();
    });
}

}  // namespace croton::compile
