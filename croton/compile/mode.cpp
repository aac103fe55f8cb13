#include "croton/base/settings.hpp"
#include "croton/compile/build.hpp"
#include "croton/rewrite/rule.hpp"

namespace croton::compile {

namespace {
struct ModeRow {
    std::string_view name, theano;
    Mode mode;
};

const std::vector<ModeRow>& mode_rows() {
    static const std::vector<ModeRow> rows = {
        {"quick",
         "FAST_COMPILE",
         {.name = "quick",
          .rewrite = false,
          .fuse = false,
          .check = false,
          .backend = "interp",
          .excluded = {}}},
        {"fast", "FAST_RUN", {.name = "fast", .excluded = {}}},
        {"check", "DebugMode", {.name = "check", .check = true, .excluded = {}}},
    };
    return rows;
}
}  // namespace

Mode Mode::excluding(std::vector<std::string> names) const {
    Mode result = *this;
    result.excluded.insert(result.excluded.end(), names.begin(), names.end());
    return result;
}

Mode Mode::limited(int64_t limit) const {
    Mode result = *this;
    result.rule_limit = limit;
    return result;
}

Mode Mode::with_rules(rewrite::RuleSet rules) const {
    Mode result = *this;
    result.own_rules = std::make_shared<const rewrite::RuleSet>(std::move(rules));
    return result;
}

Mode mode_named(std::string_view name) {
    for (const auto& row : mode_rows())
        if (name == row.name || name == row.theano) return row.mode;
    fail(ErrorKind::Usage, "there is no mode '", name,
         "'; known are: ", join(mode_rows(), ", ", [](const ModeRow& row) {
             return cat(row.name, " (", row.theano, ")");
         }));
}

Mode default_mode() {
    Mode mode = mode_named(settings().mode);
    if (mode.rule_limit < 0) mode.rule_limit = settings().rule_limit;
    return mode;
}

}  // namespace croton::compile
