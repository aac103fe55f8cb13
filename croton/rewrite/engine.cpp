#include "croton/rewrite/engine.hpp"

#include <algorithm>

namespace croton::rewrite {

namespace {
// A node whose inputs have changed is looked at again, and so are nodes so far above it. Rules look
// down as deep as their patterns are; node rules are trusted to look no further than this.
constexpr int most_reach = 3;
constexpr int node_rule_reach = 2;
}  // namespace

void Engine::enqueue(NodeId id) {
    settled_[id] = false;
    if (!queued_[id]) touched_.push_back(id);
    queued_[id] = true;
}

// Enters the node into the work list, and those users of it, of users, and so on, whose rules look
// down so far.
void Engine::touch(NodeId id) {
    if (!arena_.alive(id)) return;
    enqueue(id);
    touching_.assign(1, {id, 0});
    while (!touching_.empty()) {
        auto [node, distance] = touching_.back();
        touching_.pop_back();
        if (++distance > most_reach) continue;
        for (NodeId user : arena_.users(node)) {
            if (distance <= rules_of(arena_.op(user)).reach) enqueue(user);
            touching_.emplace_back(user, distance);
        }
    }
}

// What a step made is looked at too, not only what stands above it.
void Engine::touch_changed(size_t first_new) {
    queued_.resize(arena_.node_count(), false);
    settled_.resize(arena_.node_count(), false);
    for (size_t id = first_new; id < arena_.node_count(); ++id) enqueue(static_cast<NodeId>(id));
    arena_.take_disturbed(disturbed_);
    for (NodeId id : disturbed_) touch(id);
}

const Engine::OldAndNew& Engine::rules_of(const OpRecord* op) {
    if (auto known = op_rules_.find(op)) return **known;
    OldAndNew& made = *(op_rules_[op] = std::make_unique<OldAndNew>());
    for (const NodeRule* rule : index_->node_rules()) {
        if (left_out(rule->name) || (rule->concerns && !rule->concerns(*op))) continue;
        made.all.node_rules.push_back(rule);
        if (!old_index_ || !old_index_->has(rule)) made.added.node_rules.push_back(rule);
        made.reach = node_rule_reach;
    }
    for (const GuardedRule& row : index_->rows(op)) {
        if (left_out(row.rule().name)) continue;
        made.all.rows.push_back(&row);
        if (!old_index_ || !old_index_->has(row.table())) made.added.rows.push_back(&row);
        made.reach = std::max(made.reach, row.depth());
    }
    return made;
}

void Engine::run(const RuleSet& rules) {
    running_ = rules.name;
    expands_ = rules.expands;
    old_index_ = std::move(index_);
    index_ = rules.index ? rules.index : std::make_shared<const RuleIndex>(rules);
    op_rules_ = {};
    const auto sweep = arena_.order();
    queued_.assign(arena_.node_count(), false);
    settled_.resize(arena_.node_count(), false);
    for (NodeId id : sweep) queued_[id] = true;
    size_t before = static_cast<size_t>(count_);
    steps_allowed_ = before + 64 * sweep.size() + 10000;
    for (size_t next = 0; next < sweep.size(); ++next) {
        constexpr size_t ahead = 8;
        if (next + 2 * ahead < sweep.size()) {
            arena_.fetch_ahead(sweep[next + 2 * ahead]);
            arena_.fetch_origin_ahead(sweep[next + ahead]);
        }
        take(sweep[next]);
        for (size_t at = 0; at < touched_.size(); ++at) take(touched_[at]);
        touched_.clear();
    }
}

void Engine::take(NodeId id) {
    queued_[id] = false;
    rewrite_node(id);
    if (static_cast<size_t>(count_) > steps_allowed_)
        fail(ErrorKind::Internal, "rewriting '", running_,
             "' does not end: some of its rules undo each other; the last one was '", last_rule_,
             "'");
}

void Engine::rewrite_node(NodeId id) {
    if (arena_.kind(id) != NodeKind::Apply) return;
    // What nobody reads may have been replaced long ago: to replace it again would take the readers
    // of what stands for it, over and over.
    while (arena_.alive(id) && !exhausted()) {
        if (arena_.use_count(id) == 0) return arena_.pass_over(id);
        if (!visit(id)) return;
    }
}

bool Engine::visit(NodeId id) {
    const OldAndNew& known = rules_of(arena_.op(id));
    if (apply_any(settled_[id] ? known.added : known.all, id)) return true;
    settled_[id] = true;
    return false;
}

bool Engine::apply_any(const OpRules& rules, NodeId id) {
    if (rules.node_rules.empty() && rules.rows.empty()) return false;
    ++visits_;
    for (const NodeRule* rule : rules.node_rules)
        if (apply_node_rule(*rule, id)) return true;
    if (rules.rows.empty()) return false;
    const Glance glance(arena_, id);
    for (const GuardedRule* row : rules.rows)
        if (row->may_match(glance) && apply_rule(row->rule(), id)) return true;
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
    touch_changed(first_new);
    record(rule.name, keep_steps_ ? place_of(rule) : "", std::move(before), replacement, site);
    return true;
}

bool Engine::apply_node_rule(const NodeRule& rule, NodeId id) {
    if (rule.when && !rule.when(arena_, id)) return false;
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
        touch_changed(first_new);
        record(rule.name, keep_steps_ ? place_of(rule) : "", std::move(before), replacement, site);
        changed = true;
    }
    return changed;
}

void Engine::record(std::string_view rule, std::string where, std::string before, Value after,
                    Site site) {
    ++count_;
    last_rule_ = rule;
    if (!keep_steps_) return;
    steps_.push_back({count_, rule, std::move(where), std::move(before),
                      arena_.brief(arena_.resolve(after)), site});
}

}  // namespace croton::rewrite
