#include "croton/compile/pipeline.hpp"

#include <algorithm>

#include "croton/base/settings.hpp"
#include "croton/compile/fold.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/rewrite/engine.hpp"
#include "croton/rules/tables.hpp"

namespace croton::compile {

using rewrite::Engine;
using rewrite::Rules;
using rewrite::RuleSet;

namespace {
struct Stage {
    std::string name;
    RuleSet rules;
    Stage(std::string name, RuleSet set) : name(std::move(name)), rules(std::move(set)) {
        rules.index = std::make_shared<const rewrite::RuleIndex>(rules);
    }
};

std::vector<const rewrite::NodeRule*> with_folding() {
    std::vector<const rewrite::NodeRule*> all{&constant_folding()};
    for (const auto& rule : rules::node_rules()) all.push_back(&rule);
    return all;
}

std::vector<const rewrite::NodeRule*> with_expansion() {
    auto all = with_folding();
    all.push_back(&expansion());
    return all;
}

// The order of things. Stability comes while softmax and its kin are still one op each; what they
// are made of is simplified again after they are expanded; products take their scale and addend
// last.
const std::vector<Stage>& stages() {
    static const std::vector<Stage> table = {
        {"canonicalise",
         {"canonicalise",
          {&rules::algebra(), &rules::functions(), &rules::logic(), &rules::shape(),
           &rules::index(), &rules::reduce()},
          with_folding()}},
        {"stabilise",
         {"stabilise",
          {&rules::stability(), &rules::algebra(), &rules::functions(), &rules::logic(),
           &rules::shape(), &rules::reduce()},
          with_folding()}},
        {"expand",
         {"expand",
          {&rules::stability(), &rules::algebra(), &rules::functions(), &rules::logic(),
           &rules::shape(), &rules::index(), &rules::reduce()},
          with_expansion(),
          true}},
        {"products",
         {"products",
          {&rules::linalg(), &rules::specialise(), &rules::algebra(), &rules::functions(),
           &rules::logic(), &rules::shape()},
          with_folding()}},
    };
    return table;
}

RuleSet with_own(const RuleSet& set, const RuleSet& own) {
    RuleSet both = set;
    both.tables.insert(both.tables.end(), own.tables.begin(), own.tables.end());
    both.node_rules.insert(both.node_rules.end(), own.node_rules.begin(), own.node_rules.end());
    both.index = nullptr;  // another set, another index
    return both;
}

bool left_out(const Mode& mode, const std::string& name) {
    return std::find(mode.excluded.begin(), mode.excluded.end(), name) != mode.excluded.end();
}
}  // namespace

std::vector<std::string> stage_names() {
    std::vector<std::string> names;
    for (const auto& stage : stages()) names.push_back(stage.name);
    return names;
}

Variables rewrite_graph(const Variables& outputs, const Mode& mode, std::vector<Event>* events,
                        RewriteWork* work) {
    Rewriting rewriting{mode, events};
    return rewrite_graph(outputs, rewriting, work);
}

Variables rewrite_graph(const Variables& outputs, Rewriting& rewriting, RewriteWork* work) {
    const Mode& mode = rewriting.mode;
    std::vector<Event>* events = rewriting.events;
    rewrite::Arena arena(outputs);
    Engine engine(arena, events != nullptr);
    engine.limit = rewriting.left();
    engine.excluded.insert(mode.excluded.begin(), mode.excluded.end());
    size_t seen = 0;
    for (const auto& stage : stages()) {
        if (left_out(mode, stage.name)) continue;
        bool first = &stage == &stages().front();
        engine.run(first && mode.own_rules ? with_own(stage.rules, *mode.own_rules) : stage.rules);
        if (mode.check) verify(arena.extract());
        for (; seen < engine.steps().size(); ++seen) {
            const auto& step = engine.steps()[seen];
            events->push_back({static_cast<int>(rewriting.taken) + step.number,
                               std::string(step.rule), step.where, step.before, step.after,
                               step.site});
        }
        if (events)
            events->push_back({0, stage.name, "", "", cat(arena.live_count(), " nodes"), {}});
    }
    rewriting.taken += engine.step_count();
    if (work) *work = {engine.visit_count(), static_cast<size_t>(engine.step_count())};
    return arena.extract();
}

}  // namespace croton::compile
