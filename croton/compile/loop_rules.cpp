#include "croton/compile/loop_rules.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "croton/compile/loop_associative.hpp"
#include "croton/compile/loops.hpp"
#include "croton/graph/listing.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/loop_segments.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::compile {

// --- the table ----------------------------------------------------------------------------------

namespace {
using Pass = Variables (*)(const Variables&, const LoopPass&);

LoopRule row(std::string_view name, LoopStage stage, std::string_view what, Pass apply,
             std::source_location site = std::source_location::current()) {
    return {name, what, stage, apply, site};
}

// A pass that asks for nothing but the graph.
template <Variables (*pass)(const Variables&)>
Variables over(const Variables& outputs, const LoopPass&) {
    return pass(outputs);
}

// One that asks whether the graph is the body of a loop too.
template <Variables (*pass)(const Variables&, bool)>
Variables over(const Variables& outputs, const LoopPass& around) {
    return pass(outputs, around.inside);
}
}  // namespace

const std::vector<LoopRule>& loop_rules() {
    using enum LoopStage;
    static const std::vector<LoopRule> table = {
        row("what loops read, rewritten first", Begin,
            "Gradients are taken of stabilised expressions, so a loop and the one that its "
            "gradient added may read two forms of one value: loops are compared when these are "
            "one.",
            [](const Variables& outputs, const LoopPass& pass) {
                return settle_inputs(outputs, pass.mode);
            }),
        row("last step of segments", Begin,
            "The last value of a loop that runs in segments is the last one of its last segment.",
            over<read_last_of_rest>),
        row("loops of one body", Tidy,
            "Loops that run one body over the same values are one loop: a loop and the one that "
            "its gradient added, which keeps more of each step.",
            over<merge_same_loops>),
        row("last value in place of all", Tidy,
            "A state of which only the last value is read is not kept for each step.",
            over<keep_last_values>),
        row("what nobody reads of a loop", Tidy,
            "Results that nobody reads, states that nothing read depends on, and inputs that are "
            "then not needed are dropped.",
            over<drop_unread>),
        row("equal inputs of a loop", Tidy,
            "A sequence or a constant that a loop is given twice is given once.",
            over<merge_equal_inputs>),
        row("equal states", Tidy,
            "States that begin equal and that each step keeps equal, as long as they are, are one.",
            over<merge_equal_states>),
        row("equal results of a loop", Tidy,
            "A value that is stacked twice, or stacked and traced, is kept once.",
            over<merge_equal_results>),
        row("what no step changes", Tidy,
            "A state that each step hands on as it is, is a constant, and what follows from it is "
            "computed before the loop. A constant that is stacked is repeated after it.",
            over<fix_what_stays>),
        row("steps behind the last one read", Read,
            "A loop does not run the steps behind the last one that is read, whether that is "
            "counted "
            "from the first step or from the last: of a gradient's way back too.",
            over<shorten_loops>),
        row("last steps in place of all", Read,
            "A loop runs the steps before the first one that is read without keeping anything, "
            "then "
            "the others. One that may end early hands older values on as states.",
            over<keep_last_steps>),
        row("every k-th step", Read,
            "A loop of which every k-th step is read keeps those: it runs in segments of k steps. "
            "Not where the steps are so cheap that beginning a segment costs more.",
            over<keep_every_kth>),
        row("few steps written out", Unroll,
            "A loop of one step, or of a few known ones, stands written out; inside of another "
            "loop also a longer one of a few numbers, so that the outer one may be a kernel.",
            over<unroll_loops>),
        row("work moved out of a loop", Leave,
            "Products that follow from sequences alone become one before the loop; sums of "
            "products over the steps become one after it, and so do results that no state depends "
            "on.",
            over<move_work_out>),
        row("part of each step", Join,
            "Where all who read a result take one part of each step, as x[:, 0] does, that part "
            "is kept. A loop that will be a kernel stays one.",
            over<keep_parts_of_steps>),
        row("loops over one length", Join,
            "Loops of as many steps that need nothing of each other are one, if they will be of "
            "one kind (kernels, or programs run step by step), stay so together, read from the "
            "same end, end after the same step, and do not drive each other's states out of "
            "registers or matrices out of the cache.",
            over<join_loops>),
        row("recurrences of one number", Kernel,
            "A state of one number, h = a h + b with what does not depend on it, is computed eight "
            "steps at a time (linear_steps); the largest or smallest of a sequence is a reduction.",
            [](const Variables& outputs, const LoopPass& pass) {
                return pass.inside ? outputs : without_recurrences(outputs);
            }),
        row("stacks in place of traces", Kernel,
            "A loop that will be a kernel stacks what was read of its traces: kernels store one "
            "value a step.",
            over<without_traces>),
        row("elements of small arrays", Kernel,
            "A loop over a few numbers in arrays of known sizes is a loop over scalars, which "
            "fits a kernel.",
            over<write_out_elements>),
    };
    return table;
}

std::string place_of(const LoopRule& rule) { return rewrite::place_of(rule.site); }

// --- loops as text ------------------------------------------------------------------------------

namespace {
std::string shown(const Variable& v, size_t length = 80) { return pp(v, {.max_length = length}); }

std::string listed(std::string_view word, const Variables& formal, const Variables& values) {
    std::string text;
    for (size_t i = 0; i < formal.size(); ++i)
        text += cat(", ", shown(formal[i]), " ", word, " ", shown(values[i], 40));
    return text;
}

// Formal values without a name are called by letter and number.
void name_formals(Loop& loop) {
    Substitution by;
    auto name = [&](Variables& formal, std::string_view letter) {
        for (size_t i = 0; i < formal.size(); ++i) {
            if (!formal[i].name().empty()) continue;
            Variable named = input(formal[i].type(), cat(letter, i));
            by.emplace(formal[i], named);
            formal[i] = named;
        }
    };
    name(loop.states, "s");
    name(loop.elements, "x");
    name(loop.fixed, "c");
    if (!by.empty()) loop.set_results(substitute(loop.results(), by));
}

// "scan, n times, h from 0, x in xs: h = tanh(h + x), all kept; stack sqr(h)"
std::string loop_text(Loop loop) {
    name_formals(loop);
    std::string text = cat(
        loop.name, ", ", shown(loop.steps, 40), " times", listed("from", loop.states, loop.initial),
        listed("in", loop.elements, loop.sequences), listed("as", loop.fixed, loop.constants));
    std::string_view before = ": ";
    auto add = [&](const std::string& part) {
        text += cat(before, part);
        before = "; ";
    };
    for (size_t i = 0; i < loop.states.size(); ++i)
        add(cat(shown(loop.states[i]), " = ", shown(loop.next[i]),
                loop.traced[i] ? ", all kept" : ""));
    for (const auto& v : loop.stacked) add(cat("stack ", shown(v)));
    if (loop.stop) add(cat("until ", shown(loop.stop)));
    return text;
}

using Texts = std::multiset<std::string>;

Texts loop_texts(const Variables& outputs) {
    Texts texts;
    for (Node* node : toposort(outputs))
        if (is_loop(*node)) texts.insert(loop_text(Loop(*node)));
    return texts;
}

std::string shown(const Texts& texts) {
    if (texts.empty()) return "no loop";
    return join(texts, "  |  ", [](const std::string& text) { return text; });
}

// Loops that differ, of both sides; all of them where one side has no others than the other.
void leave_common_out(Texts& a, Texts& b) {
    Texts only_a, only_b;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                        std::inserter(only_a, only_a.end()));
    std::set_difference(b.begin(), b.end(), a.begin(), a.end(),
                        std::inserter(only_b, only_b.end()));
    if (only_a.empty() || only_b.empty()) return;
    a = std::move(only_a);
    b = std::move(only_b);
}

// --- the walk -----------------------------------------------------------------------------------

class Walk {
  public:
    Walk(Rewriting& rewriting, bool inside)
        : rewriting_(rewriting), pass_{rewriting.mode, inside} {}

    /// Every row of the stage once. Whether that changed the graph.
    bool run(LoopStage stage, Variables& outputs) {
        bool changed = false;
        for (const LoopRule& rule : loop_rules())
            if (rule.stage == stage) changed |= apply(rule, outputs);
        return changed;
    }

    bool left_out(std::string_view name) const {
        const auto& excluded = rewriting_.mode.excluded;
        return std::find(excluded.begin(), excluded.end(), name) != excluded.end();
    }

  private:
    bool apply(const LoopRule& rule, Variables& outputs) {
        if (left_out(rule.name) || rewriting_.left() == 0) return false;
        Variables after = rule.apply(outputs, pass_);
        if (after == outputs) return false;
        ++rewriting_.taken;
        if (rewriting_.events) note(rule, outputs, after);
        outputs = std::move(after);
        return true;
    }

    void note(const LoopRule& rule, const Variables& before, const Variables& after) {
        auto old = loop_texts(before), fresh = loop_texts(after);
        Event event{static_cast<int>(rewriting_.taken),
                    std::string(rule.name),
                    place_of(rule),
                    "",
                    "",
                    {},
                    true};
        if (old != fresh) {
            leave_common_out(old, fresh);
            event.before = shown(old);
            event.after = shown(fresh);
        } else {  // what is read of them
            auto text = [](const Variable& v) { return shown(v, 200); };
            event.before = join(before, ", ", text);
            event.after = join(after, ", ", text);
        }
        rewriting_.events->push_back(std::move(event));
    }

    Rewriting& rewriting_;
    LoopPass pass_;
};

bool has_loops(const Variables& outputs) {
    auto order = toposort(outputs);
    return std::any_of(order.begin(), order.end(), [](Node* node) { return is_loop(*node); });
}
}  // namespace

Variables prepare_loops(const Variables& outputs, const Mode& mode, std::vector<Event>* events) {
    Rewriting rewriting{mode, events};
    return prepare_loops(outputs, rewriting);
}

Variables prepare_loops(const Variables& outputs, Rewriting& rewriting, bool inside) {
    if (!has_loops(outputs)) return outputs;
    using enum LoopStage;
    Walk walk(rewriting, inside);
    Variables result = outputs;
    auto tidy = [&] {
        bool changed = false;
        while (walk.run(Tidy, result)) changed = true;
        return changed;
    };
    auto rewrite = [&] {
        do result = rewrite_bodies(result, rewriting);
        while (tidy());
    };
    walk.run(Begin, result);
    tidy();
    if (walk.run(Read, result)) tidy();
    walk.run(Unroll, result);
    rewrite();
    if (walk.run(Leave, result)) {
        tidy();
        rewrite();
    }
    if (walk.run(Join, result)) {
        tidy();
        rewrite();
    }
    if (rewriting.mode.fuse && walk.run(Kernel, result)) result = rewrite_bodies(result, rewriting);
    return result;
}

}  // namespace croton::compile
