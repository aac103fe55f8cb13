#pragma once
// From graphs to programs: what function() calls.
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "croton/compile/specialise.hpp"
#include "croton/graph/variable.hpp"
#include "croton/runtime/program.hpp"

namespace croton::rewrite {
struct RuleSet;
}

namespace croton::compile {

/// How a function is compiled. Named modes are rows of the table in mode.cpp.
struct Mode {
    std::string name = "fast";
    bool rewrite = true;  ///< run the rewriting pipeline
    bool fuse = true;     ///< fuse kernels
    bool check = false;   ///< verify every step of rewriting and of running against the judge
    std::string backend = "cpu";  ///< back end of the kernels
    int64_t rule_limit = -1;  ///< stop rewriting after so many steps; -1: the setting rule_limit
    std::vector<std::string> excluded;  ///< names of rules and of pipeline steps that are left out
    /// The caller's rules, which run together with those that bring graphs into canonical form.
    std::shared_ptr<const rewrite::RuleSet> own_rules = nullptr;
    /// The same mode without the named rules or steps ("fuse", "log of softmax", ...).
    Mode excluding(std::vector<std::string> names) const;
    Mode limited(int64_t limit) const;
    /// The same mode with rules of one's own (rewrite/rule.hpp). Their tables must outlive the
    /// compilation; functions made with them are not taken from the disk cache.
    Mode with_rules(rewrite::RuleSet rules) const;
};

/// "quick", "fast", "check" or Theano's names for them (FAST_COMPILE, FAST_RUN, DebugMode). Usage
/// error listing the known ones otherwise.
Mode mode_named(std::string_view name);
/// The mode of the setting `mode`.
Mode default_mode();

/// One thing the compiler did, for explain().
struct Event {
    int number = 0;     ///< of rewriting steps, from 1; 0: a stage
    std::string what;   ///< rule, row of loops, or stage
    std::string where;  ///< file:line of the rule or row; "" for stages
    std::string before, after;
    Site site;              ///< the user's line
    bool of_loops = false;  ///< a row of loops, not a rule
};

struct Trace {
    std::vector<Event> events;  ///< of a build that was asked to keep them
    double rewrite_seconds = 0, schedule_seconds = 0, generate_seconds = 0;
    double read_seconds = 0;  ///< instead of rewriting and scheduling: a program from the disk
    int compiled_kernels = 0, cached_kernels = 0, late_kernels = 0;
    bool from_cache = false;  ///< rewritten, fused and planned by an earlier process
    std::string text() const;
};

struct Built {
    std::shared_ptr<const runtime::Program> program;
    std::shared_ptr<const Trace> trace;
    /// What `program` takes for granted of its arguments' sizes.
    std::vector<SizeAssumption> assumptions;
    bool assumed = true;  ///< built with assumptions (there may still be none)
    /// The program for calls that break an assumption, made at the first such call.
    std::function<std::shared_ptr<const runtime::Program>()> general;

    bool assumptions_hold(std::span<const Array> arguments) const;
};

struct BuildRequest {
    Variables inputs;  ///< leaves, shared variables included
    Variables outputs;
    /// (output, input): output j replaces input k after the call and may take over its memory.
    std::vector<std::pair<int, int>> updates;
    std::string name;
    Mode mode;
};

/// Runs the mode's pipeline. Errors as the stages give them.
Built build(const BuildRequest& request);

/// What rewriting did for `built`, found by doing it once more: rewriting is the same each time,
/// and most functions are never asked to explain themselves.
std::vector<Event> rewriting_events(const BuildRequest& request, const Built& built);

}  // namespace croton::compile
