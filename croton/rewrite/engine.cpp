#include "croton/rewrite/engine.hpp"

#include <algorithm>
#include <unordered_map>

namespace croton::rewrite {

namespace {
// How far above a change a pattern may look down into it.
constexpr int pattern_depth = 4;

std::string place_text(std::string_view path, uint32_t line) {
    auto folder = path.rfind("croton/");
    if (folder != std::string_view::npos) path.remove_prefix(folder + 7);
    return cat(path, ":", line);
}

// The line of a row is where its left side was written: compilers place the row itself at the end
// of the table.
std::string place_text(const Rule& rule) {
    const Site& left = rule.left.site();
    if (left.known()) return place_text(left.file, left.line);
    return place_text(rule.site.file_name(), rule.site.line());
}
}  // namespace

struct Engine::Index {
    std::unordered_map<const OpRecord*, std::vector<const Rule*>> by_root;
    std::vector<const NodeRule*> node_rules;
};

void Engine::touch(NodeId id, int levels) {
    std::vector<std::pair<NodeId, int>> stack{{id, levels}};
    while (!stack.empty()) {
        auto [node, left] = stack.back();
        stack.pop_back();
        if (node >= queued_.size()) queued_.resize(arena_.node_count() + 64, false);
        if (queued_[node]) continue;  // its turn comes, and that of its users after it
        queued_[node] = true;
        queue_.push_back(node);
        // A value with many users (a shared input) would make every change walk them all; what
        // looks down from that far sees leaves only.
        if (left > 0 && arena_.kind(node) == NodeKind::Apply)
            for (NodeId user : arena_.possible_users(node))
                if (arena_.alive(user)) stack.emplace_back(user, left - 1);
    }
}

// What a rewrite made is looked at too, not only what stands above it.
void Engine::touch_new(size_t first) {
    for (size_t id = first; id < arena_.node_count(); ++id)
        if (arena_.alive(static_cast<NodeId>(id))) touch(static_cast<NodeId>(id), 0);
}

void Engine::run(const RuleSet& rules) {
    expands_ = rules.expands;
    Index index;
    for (const Rules* table : rules.tables)
        for (const Rule& rule : *table)
            if (!excluded.contains(rule.name)) index.by_root[rule.left.op()].push_back(&rule);
    for (const NodeRule* rule : rules.node_rules)
        if (!excluded.contains(rule->name)) index.node_rules.push_back(rule);
    queue_ = arena_.order();
    queued_.assign(arena_.node_count(), false);
    for (NodeId id : queue_) queued_[id] = true;
    size_t allowed = 64 * queue_.size() + 10000, before = static_cast<size_t>(count_);
    for (size_t next = 0; next < queue_.size(); ++next) {
        NodeId id = queue_[next];
        queued_[id] = false;
        while (arena_.alive(id) && arena_.kind(id) == NodeKind::Apply && !exhausted() &&
               visit(id, index)) {
        }
        if (static_cast<size_t>(count_) - before > allowed)
            fail(ErrorKind::Internal, "rewriting '", rules.name,
                 "' does not end; last rule: ", steps_.empty() ? "?" : steps_.back().rule);
        if (next > 4096 && next * 2 > queue_.size()) {  // forget the part that is done
            queue_.erase(queue_.begin(), queue_.begin() + static_cast<long>(next) + 1);
            next = static_cast<size_t>(-1);
        }
    }
}

bool Engine::visit(NodeId id, const Index& index) {
    for (const NodeRule* rule : index.node_rules)
        if (apply_node_rule(*rule, id)) return true;
    auto found = index.by_root.find(arena_.op(id));
    if (found == index.by_root.end()) return false;
    for (const Rule* rule : found->second)
        if (apply_rule(*rule, id)) return true;
    return false;
}

// A replacement must have the dtype and rank of the whole, and sizes that agree as far as is known.
bool Engine::keeps_type(Value old, const Variable& fresh) const {
    const TensorType &before = arena_.type(old), &after = fresh.type();
    if (before.dtype != after.dtype || before.rank() != after.rank()) return false;
    for (size_t i = 0; i < before.dims.size(); ++i)
        if (before.dims[i].known() && after.dims[i].known() && !(before.dims[i] == after.dims[i]))
            return false;
    return true;
}

bool Engine::brings_composites(const Variable& fresh) const {
    std::vector<const Node*> stack{fresh.node_pointer()};
    while (!stack.empty()) {
        const Node* node = stack.back();
        stack.pop_back();
        if (arena_.knows(node) || node->kind != NodeKind::Apply) continue;
        if (node->op->kind<ExpandCompute>()) return true;
        for (const auto& input : node->inputs) stack.push_back(input.node_pointer());
    }
    return false;
}

bool Engine::apply_rule(const Rule& rule, NodeId id) {
    auto found = match(rule, arena_, id);
    if (!found) return false;
    Value old{id, rule.left.index()};
    Variable fresh = instantiate(rule, *found);
    if (!fresh || !keeps_type(old, fresh)) return false;
    if (expands_ && brings_composites(fresh)) return false;
    size_t first_new = arena_.node_count();
    Value replacement = arena_.add(fresh);
    if (replacement == arena_.resolve(old)) return false;
    std::string before = keep_steps_ ? arena_.brief(old) : "";
    Site site = arena_.site(id);
    arena_.replace(old, replacement);
    touch_new(first_new);
    touch(arena_.resolve(replacement).node, pattern_depth);
    record(rule.name, keep_steps_ ? place_text(rule) : "", std::move(before), replacement, site);
    return true;
}

bool Engine::apply_node_rule(const NodeRule& rule, NodeId id) {
    SiteScope scope(arena_.site(id));
    Variables fresh = rule.apply(arena_, id);
    bool changed = false;
    for (uint32_t i = 0; i < fresh.size(); ++i) {
        if (!fresh[i]) continue;
        Value old{id, i};
        if (!keeps_type(old, fresh[i]))
            fail(ErrorKind::Internal, "rule '", rule.name, "' turns ", arena_.type(old).text(),
                 " into ", fresh[i].type().text());
        size_t first_new = arena_.node_count();
        Value replacement = arena_.add(fresh[i]);
        if (replacement == arena_.resolve(old)) continue;
        std::string before = keep_steps_ ? arena_.brief(old) : "";
        Site site = arena_.site(id);
        arena_.replace(old, replacement);
        touch_new(first_new);
        touch(arena_.resolve(replacement).node, pattern_depth);
        record(rule.name, keep_steps_ ? place_text(rule.site.file_name(), rule.site.line()) : "",
               std::move(before), replacement, site);
        changed = true;
    }
    return changed;
}

void Engine::record(std::string_view rule, std::string where, std::string before, Value after,
                    Site site) {
    ++count_;
    if (!keep_steps_) return;
    steps_.push_back({count_, rule, std::move(where), std::move(before),
                      arena_.brief(arena_.resolve(after)), site});
}

}  // namespace croton::rewrite
