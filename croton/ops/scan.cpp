// From Theano's language about loops to the canonical form.
#include "croton/ops/scan.hpp"

#include <algorithm>
#include <unordered_map>

#include "croton/graph/drawn.hpp"
#include "croton/graph/traverse.hpp"
#include "croton/ops/arithmetic.hpp"
#include "croton/ops/cast.hpp"
#include "croton/ops/compare.hpp"
#include "croton/ops/control.hpp"
#include "croton/ops/create.hpp"
#include "croton/ops/index.hpp"
#include "croton/ops/loop.hpp"
#include "croton/ops/loop_segments.hpp"
#include "croton/ops/shape.hpp"
#include "croton/ops/support.hpp"

namespace croton {

namespace {
int64_t smallest(const Ints& values) { return *std::min_element(values.begin(), values.end()); }
int64_t largest(const Ints& values) { return *std::max_element(values.begin(), values.end()); }

std::string called(const Variable& v, std::string_view kind, size_t i) {
    return v.name().empty() ? cat(kind, " ", i) : cat("'", v.name(), "'");
}

// A plain number has the dtype that it would have as an array of its own.
Variable settled(const Variable& v) {
    if (!v.node().weak) return v;
    DType dtype = is_floating(v.dtype()) ? default_float() : v.dtype();
    return constant(constant_value(v)->cast(dtype), v.site());
}

// The next value in the state's dtype where no value is lost; else the type rule says what is
// wrong.
Variable fitted(const Variable& next, const Variable& state) {
    DType want = state.dtype();
    if (next.dtype() == want && !next.node().weak) return next;
    bool number = next.node().weak && is_floating(want) && !is_complex(next.dtype());
    return number || can_cast_safely(next.dtype(), want) ? cast(next, want) : next;
}

class Writer {
  public:
    Writer(const ScanBody& body, const ScanOptions& options, Site site)
        : body_(body), o_(options), site_(site) {
        loop_.name = o_.name.empty() ? "scan" : o_.name;
        loop_.truncate = o_.truncate_gradient;
    }

    /// All steps, in whatever way the options say.
    ScanResult run() {
        write();
        SiteScope scope(site_);
        if (Variable length = segment()) return results(apply_in_segments(loop_, length, site_));
        loop_.checkpoint = o_.checkpoint;
        loop_.checkpoint_bytes = o_.checkpoint_bytes;
        Variables made = loop_.apply(site_);
        for (size_t i = 0; i < loop_.states.size(); ++i)
            if (loop_.traced[i]) made[i] = at(made[i], {Slice(1, {})});
        return results(made);
    }

    /// The ends of segments of so many steps.
    ScanResult ends(int64_t every) {
        write();
        SiteScope scope(site_);
        if (loop_.stop || loop_.truncate > 0) return ends_of_counted_steps(every);
        return results(apply_and_keep_ends(loop_, constant(Array::scalar(every)), site_));
    }

    /// Final values of the states, which have one tap each.
    Variables finals() {
        write();
        SiteScope scope(site_);
        if (!shared_.empty()) {
            const SharedVariable& changed = shared_[0].first;
            fail(ErrorKind::Usage, loop_.name, ": the body changes the shared variable ",
                 changed.name().empty() ? "" : cat("'", changed.name(), "' "), "made at ",
                 changed.site().text(),
                 " (random draws do); write the loop with scan, which gives its updates");
        }
        loop_.traced.assign(loop_.states.size(), false);
        Variables made = loop_.apply(site_);
        made.resize(loop_.states.size());
        return made;
    }

  private:
    void write() {
        check_options();
        {
            SiteScope scope(site_);
            add_sequences();
            add_states();
        }
        StepResult result = body_result();
        SiteScope scope(site_);
        take_outputs(std::move(result));
        add_shared_states();
        close();
        settle_steps();
    }

    // Where it shows when the loop has run which steps count: they are picked from all then, and
    // the gradient cuts segments of its own.
    ScanResult ends_of_counted_steps(int64_t every) {
        loop_.checkpoint = every;
        Variables made = loop_.apply(site_);
        Variable done = loop_.stop ? made.back() : loop_.steps;
        for (size_t i = 0; i < loop_.states.size() + loop_.stacked.size(); ++i) {
            bool state = i < loop_.states.size();
            if (state && !loop_.traced[i]) continue;
            Variable rows = state ? at(made[i], {Slice(1, {})}) : made[i];
            made[i] = ends_of_segments(rows, done, every);
        }
        return results(made);
    }

    // The body's nodes belong to its own lines.
    StepResult body_result() const {
        SiteScopesAside aside;
        return body_(step_);
    }

    /// How long segments are; null where all is kept, and where it shows when a gradient is taken
    /// which steps count.
    Variable segment() const {
        if (o_.checkpoint == 0 && o_.checkpoint_bytes == 0) return {};
        if (loop_.stop || loop_.truncate > 0) return {};
        if (o_.checkpoint > 0) return constant(Array::scalar(o_.checkpoint));
        if (o_.checkpoint_bytes > 0) return segments_by_bytes(loop_, o_.checkpoint_bytes);
        return segments_by_root(loop_.steps);
    }

    [[noreturn]] void wrong(std::string_view what) const { fail(ErrorKind::Usage, "scan: ", what); }

    void check_options() const {
        if (o_.sequences.empty() && !o_.n_steps)
            wrong("neither sequences nor n_steps are given: how often should it run?");
        if (o_.truncate_gradient < -1 || o_.truncate_gradient == 0)
            wrong("truncate_gradient is a positive number of steps, or -1 for all");
        if (o_.checkpoint < checkpoint_sqrt)
            wrong("checkpoint is a number of steps, 0 or checkpoint_sqrt");
        if (o_.checkpoint_bytes < 0 || (o_.checkpoint_bytes > 0 && o_.checkpoint != 0))
            wrong("checkpoint_bytes is a number of bytes, and not given beside checkpoint");
    }

    // --- sequences ----------------------------------------------------------------------------

    void add_sequences() {
        for (size_t i = 0; i < o_.sequences.size(); ++i) add_sequence(o_.sequences[i], i);
    }

    // Each tap is a sequence of its own: a view that begins where the tap's first element lies.
    void add_sequence(const ScanSequence& sequence, size_t i) {
        std::string name = called(sequence.values, "sequence", i);
        if (!sequence.values) wrong(cat("sequence ", i, " is nothing"));
        Variable values = settled(sequence.values);
        if (values.rank() == 0)
            fail(ErrorKind::Type, "scan: ", name, " is a scalar (", described(values),
                 "); sequences are read along their first axis");
        if (sequence.taps.empty()) wrong(cat(name, " has no taps"));
        int64_t low = std::min<int64_t>(0, smallest(sequence.taps)),
                high = std::max<int64_t>(0, largest(sequence.taps));
        if (high > low) values = long_enough(values, high - low, name);
        if (!(values == sequence.values)) values.named(sequence.values.name());
        for (int64_t tap : sequence.taps) {
            Variable part = values;
            if (tap > low || tap < high)
                part = at(values, {Slice(tap > low ? SliceEnd(tap - low) : SliceEnd(),
                                         tap < high ? SliceEnd(tap - high) : SliceEnd())});
            if (o_.go_backwards) part = at(part, {Slice({}, {}, -1)});
            if (!(part == values)) part.named(values.name());
            loop_.sequences.push_back(part);
            TensorType type = part.type();
            type.dims.erase(type.dims.begin());
            Variable element = input(type, sequence.values.name(), site_);
            loop_.elements.push_back(element);
            step_.sequences.push_back(element);
        }
    }

    static Variable long_enough(const Variable& values, int64_t span, const std::string& name) {
        const Dim& length = values.type().dims[0];
        auto message = [&](const auto& have) {
            return cat("scan: ", name, " is too short for its taps: they span ", span + 1,
                       " positions", have);
        };
        if (length.known() && length.size() < span)
            fail(ErrorKind::Shape, message(cat(", it has ", length.size())));
        if (length.known()) return values;
        return assert_(values, size_of(values, 0) >= span, message(""));
    }

    // --- states -------------------------------------------------------------------------------

    /// An output that is handed to later steps: where its past values lie among the states. State
    /// `first` is the value one step ago, the next one that of two steps ago, and so on.
    struct Recurrent {
        size_t output, first, count;
    };

    void add_states() {
        for (size_t i = 0; i < o_.outputs_info.size(); ++i)
            if (o_.outputs_info[i].initial) add_state(o_.outputs_info[i], i);
        step_.constants = o_.non_sequences;
    }

    void add_state(const ScanOutput& output, size_t i) {
        std::string name = called(output.initial, "the initial value of output", i);
        Ints taps = output.taps;
        if (taps.empty()) wrong(cat(name, " has no taps"));
        if (largest(taps) >= 0)
            wrong(cat("taps of outputs are negative, those of ", name, " reach ", largest(taps),
                      ": what a step gives is not there before it"));
        std::sort(taps.begin(), taps.end());
        if (std::adjacent_find(taps.begin(), taps.end()) != taps.end())
            wrong(cat("a tap of ", name, " is given twice"));
        auto depth = static_cast<size_t>(-taps[0]);
        Variable initial = settled(output.initial);
        if (depth > 1) initial = rows_for(initial, depth, name);
        recurrent_.push_back({i, loop_.states.size(), depth});
        for (size_t back = 1; back <= depth; ++back) {
            Variable first =
                depth > 1 ? at(initial, {static_cast<int64_t>(depth - back)}) : initial;
            loop_.initial.push_back(first);
            loop_.states.push_back(input(first.type(), output.initial.name(), site_));
            loop_.traced.push_back(back == 1);
        }
        for (int64_t tap : output.taps)
            step_.states.push_back(loop_.states[recurrent_.back().first + size_t(-tap) - 1]);
    }

    static Variable rows_for(const Variable& initial, size_t depth, const std::string& name) {
        auto message = [&](const auto& have) {
            return cat("scan: ", name, " must have ", depth,
                       " values along its first axis, one for each step that its taps reach back",
                       have);
        };
        if (initial.rank() == 0)
            fail(ErrorKind::Type, message(cat("; it is a scalar: ", described(initial))));
        const Dim& rows = initial.type().dims[0];
        if (rows.known() && rows.size() < static_cast<int64_t>(depth))
            fail(ErrorKind::Shape, message(cat("; it has ", rows.size())));
        if (rows.known()) return initial;
        return assert_(initial, size_of(initial, 0) >= static_cast<int64_t>(depth), message(""));
    }

    // --- what the body gives ------------------------------------------------------------------

    void take_outputs(StepResult result) {
        if (!o_.outputs_info.empty() && result.outputs.size() != o_.outputs_info.size())
            wrong(cat("the body gives ", result.outputs.size(), " outputs, outputs_info has ",
                      o_.outputs_info.size()));
        for (size_t i = 0; i < result.outputs.size(); ++i)
            if (!result.outputs[i]) wrong(cat("output ", i, " of the body is nothing"));
        loop_.next.resize(loop_.states.size());
        places_.assign(result.outputs.size(), SIZE_MAX);
        for (const Recurrent& r : recurrent_) {
            places_[r.output] = r.first;
            loop_.next[r.first] = fitted(result.outputs[r.output], loop_.states[r.first]);
            for (size_t back = 1; back < r.count; ++back)
                loop_.next[r.first + back] = loop_.states[r.first + back - 1];
        }
        for (size_t i = 0; i < result.outputs.size(); ++i)
            if (places_[i] == SIZE_MAX) {
                places_[i] = SIZE_MAX - 1 - loop_.stacked.size();
                loop_.stacked.push_back(settled(result.outputs[i]));
            }
        updates_ = std::move(result.updates);
        if (result.until) loop_.stop = bool_scalar(result.until);
    }

    static Variable bool_scalar(const Variable& condition) {
        if (condition.rank() != 0 || is_complex(condition.dtype()))
            fail(ErrorKind::Type, "until: the condition is a bool scalar, not ",
                 described(condition));
        return condition.dtype() == DType::Bool ? condition : cast(condition, DType::Bool);
    }

    // --- shared variables that change -----------------------------------------------------------

    // Those that the body updates, and those that move on by themselves wherever they are used
    // (random streams), are states.
    void add_shared_states() {
        for (const auto& [variable, update] : updates_) add_shared(variable, update);
        for (const auto& leaf : leaves(loop_.results())) {
            if (leaf.kind() != NodeKind::Shared) continue;
            SharedVariable variable(leaf);
            if (Variable update = variable.default_update()) add_shared(variable, update);
        }
        if (!shared_formal_.empty()) replace_in_body(shared_formal_);
    }

    void add_shared(const SharedVariable& variable, const Variable& update) {
        if (shared_formal_.contains(variable)) return;
        Variable formal = input(variable.type(), variable.name(), site_);
        shared_formal_.emplace(variable, formal);
        shared_.emplace_back(variable, loop_.states.size());
        loop_.initial.push_back(variable);
        loop_.states.push_back(formal);
        loop_.traced.push_back(false);
        loop_.next.push_back(fitted(update, formal));
    }

    void replace_in_body(const Substitution& by) {
        loop_.set_results(substitute(loop_.results(), by));
    }

    // --- what comes from outside ----------------------------------------------------------------

    // Whatever depends on no formal input is computed once, outside, and handed in as a constant.
    void close() {
        Variables formal = loop_.states;
        formal.insert(formal.end(), loop_.elements.begin(), loop_.elements.end());
        Variables all = loop_.results();
        NodeSet inside;
        for (const auto& v : formal) inside.insert(v.node_pointer());
        auto order = toposort(all, formal);
        auto is_inside = [&](const Variable& v) { return inside.contains(v.node_pointer()); };
        for (Node* node : order)
            if (node->kind == NodeKind::Apply &&
                (node->op->facts.impure ||
                 std::any_of(node->inputs.begin(), node->inputs.end(), is_inside)))
                inside.insert(node);
        Substitution by;
        auto meet = [&](const Variable& v) {
            if (is_inside(v) || v.kind() == NodeKind::Constant || by.contains(v)) return;
            check_strict(v);
            SiteScopesAside aside;  // it stands for what was made there
            Variable fixed = input(v.type(), v.name(), v.site());
            by.emplace(v, fixed);
            loop_.constants.push_back(v);
            loop_.fixed.push_back(fixed);
        };
        for (Node* node : order)
            if (inside.contains(node))
                for (const auto& v : node->inputs) meet(v);
        for (const auto& v : all) meet(v);
        if (!by.empty()) replace_in_body(by);
    }

    void check_strict(const Variable& v) const {
        if (!o_.strict) return;
        for (const auto& leaf : leaves({v}))
            if (leaf.kind() == NodeKind::Shared &&
                std::find(o_.non_sequences.begin(), o_.non_sequences.end(), leaf) ==
                    o_.non_sequences.end() &&
                std::find(o_.non_sequences.begin(), o_.non_sequences.end(), v) ==
                    o_.non_sequences.end())
                wrong(cat("the body uses the shared variable ",
                          leaf.name().empty() ? "" : cat("'", leaf.name(), "' "), "made at ",
                          leaf.site().text(),
                          ", which is not among the non_sequences (strict is set)"));
    }

    // --- how often ----------------------------------------------------------------------------

    void settle_steps() {
        if (o_.n_steps) {
            const Variable& n = o_.n_steps;
            if (n.rank() != 0 || !is_integer(n.dtype()))
                fail(ErrorKind::Type, "scan: n_steps is an integer scalar, not ", described(n));
            loop_.steps = cast(n, DType::Int64);
            if (const Array* known = constant_value(n)) {
                int64_t count = known->cast(DType::Int64).item<int64_t>();
                if (count < 0)
                    fail(ErrorKind::Value, "scan: n_steps is ", count,
                         "; go_backwards reads sequences from their end");
                loop_.steps = constant(Array::scalar(count), n.site());
            }
        } else {
            loop_.steps = shortest();
        }
        if (o_.n_steps || loop_.sequences.size() > 1)
            for (Variable& sequence : loop_.sequences) sequence = cut(sequence);
    }

    Variable shortest() const {
        Variable steps = size_along(loop_.sequences[0], 0);
        for (size_t i = 1; i < loop_.sequences.size(); ++i) {
            Variable length = size_along(loop_.sequences[i], 0);
            if (o_.strict)
                steps = assert_(steps, eq(length, steps),
                                cat("scan: sequences have different lengths (strict is set): ",
                                    called(loop_.elements[0], "sequence", 0), " and ",
                                    called(loop_.elements[i], "sequence", i)));
            else if (!(length == steps))
                steps = minimum(steps, length);
        }
        return steps;
    }

    Variable cut(const Variable& sequence) const {
        const Dim& length = sequence.type().dims[0];
        const Array* steps = constant_value(loop_.steps);
        if (steps && length.known() && length.size() == steps->item<int64_t>()) return sequence;
        if (loop_.steps.kind() == NodeKind::Apply && loop_.steps == size_along(sequence, 0))
            return sequence;
        return at(sequence, {Slice({}, loop_.steps)}).named(sequence.name());
    }

    // --- what it gives ------------------------------------------------------------------------

    /// `made` holds the values of all steps for states that are traced.
    ScanResult results(const Variables& made) const {
        ScanResult result;
        for (size_t place : places_) {
            bool recurrent = place < loop_.states.size();
            size_t stack = loop_.states.size() + (SIZE_MAX - 1 - place);
            result.outputs.push_back(made[recurrent ? place : stack]);
        }
        for (const auto& [variable, state] : shared_) {
            result.updates.emplace_back(variable, made[state]);
            // A stream whose draws the loop makes moves on past all of them, updates given or not.
            if (variable.default_update()) variable.set_default_update(made[state]);
        }
        return result;
    }

    const ScanBody& body_;
    const ScanOptions& o_;
    Site site_;
    Loop loop_;
    Step step_;
    std::vector<Recurrent> recurrent_;
    std::vector<size_t> places_;  ///< of outputs: a state, or SIZE_MAX - 1 - a stack
    std::vector<std::pair<SharedVariable, Variable>> updates_;
    Substitution shared_formal_;
    std::vector<std::pair<SharedVariable, size_t>> shared_;  ///< with their states
};

}  // namespace

ScanResult scan(const ScanBody& body, const ScanOptions& options, std::source_location where) {
    return Writer(body, options, SiteScope::current_or(Site::of(where))).run();
}

ScanResult map(const ScanBody& body, const Variables& sequences, ScanOptions options,
               std::source_location where) {
    for (const auto& v : sequences) options.sequences.emplace_back(v);
    return scan(body, options, where);
}

ScanResult reduce(const ScanBody& body, const Variables& sequences, const Variables& initial,
                  ScanOptions options, std::source_location where) {
    for (const auto& v : sequences) options.sequences.emplace_back(v);
    for (const auto& v : initial) options.outputs_info.emplace_back(v);
    ScanResult result = scan(body, options, where);
    for (Variable& v : result.outputs) v = at(v, {-1});
    return result;
}

ScanResult foldl(const ScanBody& body, const Variables& sequences, const Variables& initial,
                 ScanOptions options, std::source_location where) {
    options.go_backwards = false;
    return reduce(body, sequences, initial, std::move(options), where);
}

ScanResult foldr(const ScanBody& body, const Variables& sequences, const Variables& initial,
                 ScanOptions options, std::source_location where) {
    options.go_backwards = true;
    return reduce(body, sequences, initial, std::move(options), where);
}

ScanResult scan_checkpoints(const ScanBody& body, const ScanOptions& options, int64_t save_every_n,
                            std::source_location where) {
    if (save_every_n < 1) fail(ErrorKind::Usage, "scan_checkpoints: save_every_n is at least 1");
    for (const auto& output : options.outputs_info)
        if (output.initial && output.taps != Ints{-1})
            fail(ErrorKind::Usage, "scan_checkpoints: taps of outputs other than -1");
    return Writer(body, options, SiteScope::current_or(Site::of(where))).ends(save_every_n);
}

// --- plain loops --------------------------------------------------------------------------------

namespace {
void check_count(const Variables& made, const Variables& initial, std::string_view who) {
    if (made.size() != initial.size())
        fail(ErrorKind::Usage, who, ": the body gives ", made.size(), " values for ",
             initial.size(), " states");
}
}  // namespace

Variables for_loop(Arg count, const Variables& initial,
                   const std::function<Variables(const Variable& i, const Variables& states)>& body,
                   std::source_location where) {
    Site site = SiteScope::current_or(Site::of(where));
    ScanOptions options{.n_steps = count, .name = "for_loop"};
    options.outputs_info.emplace_back(constant(Array::scalar(int64_t{0}), site).named("i"));
    for (const auto& v : initial) options.outputs_info.emplace_back(v);
    auto round = [&](const Step& step) {
        Variables states(step.states.begin() + 1, step.states.end());
        Variables made = body(step.states[0], states);
        check_count(made, initial, "for_loop");
        made.insert(made.begin(), add(step.states[0], number_at(1, site)));
        return StepResult(std::move(made));
    };
    Variables made = Writer(round, options, site).finals();
    made.erase(made.begin());
    return made;
}

Variables cond(Arg condition, const std::function<Variables()>& then,
               const std::function<Variables()>& otherwise) {
    return ifelse(condition, then(), otherwise());
}

// A loop that asks after each round, taken only if the question is answered with yes before the
// first one.
Variables while_loop(const std::function<Variable(const Variables& states)>& condition,
                     const std::function<Variables(const Variables& states)>& body,
                     const Variables& initial, Arg limit, std::source_location where) {
    Site site = SiteScope::current_or(Site::of(where));
    Variables begin;
    for (const auto& v : initial) begin.push_back(settled(v));
    ScanOptions options{.n_steps = limit, .name = "while_loop"};
    for (const auto& v : begin) options.outputs_info.emplace_back(v);
    auto round = [&](const Step& step) {
        Variables made = body(step.states);
        check_count(made, initial, "while_loop");
        for (size_t i = 0; i < made.size(); ++i) made[i] = fitted(made[i], step.states[i]);
        Variable again = condition(made);
        if (again.rank() != 0 || again.dtype() != DType::Bool)
            fail(ErrorKind::Type, "while_loop: the condition is a bool scalar, not ",
                 described(again));
        return StepResult(std::move(made), {}, logical_not(again));
    };
    Variables made = Writer(round, options, site).finals();
    Variable first = [&] {
        SiteScopesAside aside;
        return condition(begin);
    }();
    SiteScope scope(site);
    return ifelse(first, made, begin);
}

}  // namespace croton
