#include "croton/base/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>

#include "croton/base/error.hpp"

namespace croton {

namespace {
struct SettingRow {
    SettingInfo info;
    std::function<std::string(const Settings&)> get;
    std::function<void(Settings&, std::string_view)> set;
};

SettingRow row(std::string name, std::string Settings::* field, std::vector<std::string> choices,
               std::string doc) {
    Settings defaults;
    return {{name, std::move(doc), defaults.*field, std::move(choices)},
            [field](const Settings& s) { return s.*field; },
            [field](Settings& s, std::string_view value) { s.*field = std::string(value); }};
}

SettingRow row(std::string name, int64_t Settings::* field, int64_t least, std::string doc) {
    Settings defaults;
    return {{name, std::move(doc), std::to_string(defaults.*field), {}},
            [field](const Settings& s) { return std::to_string(s.*field); },
            [field, name, least](Settings& s, std::string_view value) {
                int64_t number = 0;
                auto [end, code] =
                    std::from_chars(value.data(), value.data() + value.size(), number);
                if (code != std::errc() || end != value.data() + value.size())
                    fail(ErrorKind::Value, "setting ", name, " takes a whole number, not '", value,
                         "'");
                if (number < least)
                    fail(ErrorKind::Value, "setting ", name, " takes a number from ", least,
                         " on, not ", number);
                s.*field = number;
            }};
}

SettingRow row(std::string name, bool Settings::* field, std::string doc) {
    return {{name, std::move(doc), "False", {"True", "False", "true", "false", "1", "0"}},
            [field](const Settings& s) { return s.*field ? "True" : "False"; },
            [field](Settings& s, std::string_view value) {
                s.*field = value == "True" || value == "true" || value == "1";
            }};
}

const std::vector<SettingRow>& setting_rows() {
    static const std::vector<SettingRow> rows = {
        row("floatX", &Settings::float_x, {"float64", "float32", "float16"},
            "default floating dtype"),
        row("mode", &Settings::mode,
            {"quick", "fast", "check", "FAST_COMPILE", "FAST_RUN", "DebugMode"},
            "default mode of functions"),
        row("cpu_level", &Settings::cpu_level, {"native", "sse2", "avx2", "avx512"},
            "the widest vector instructions that compiled code uses"),
        row("tailor_from", &Settings::tailor_from, 1,
            "elements from which on frequent launches get code of their own, once they have run 64 "
            "times as many"),
        row("threads", &Settings::threads, 0, "worker threads of a call; 0: one a core"),
        row("cache_dir", &Settings::cache_dir, {}, "folder of compiled code; 'off' for none"),
        row("precompiled", &Settings::precompiled, {},
            "file of kernels compiled when Croton was built, by default beside the library; "
            "'off' for none"),
        row("cache_megabytes", &Settings::cache_megabytes, 0, "size that the cache is trimmed to"),
        row("rule_limit", &Settings::rule_limit, -1,
            "rewriting stops after so many steps; -1: never"),
        row("on_unused_input", &Settings::on_unused_input, {"raise", "warn", "ignore"},
            "what an input that no output needs does"),
        row("warn_float64", &Settings::warn_float64, {"ignore", "warn", "raise"},
            "what creating a float64 variable does"),
        row("profile", &Settings::profile, "profile every function"),
    };
    return rows;
}

const SettingRow& find(std::string_view name) {
    for (const auto& row : setting_rows())
        if (row.info.name == name) return row;
    fail(ErrorKind::Usage, "there is no setting '", name, "'; known are: ",
         join(setting_rows(), ", ", [](const SettingRow& row) { return row.info.name; }));
}

void set_in(Settings& target, std::string_view name, std::string_view value) {
    const auto& row = find(name);
    const auto& choices = row.info.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
        fail(ErrorKind::Value, "setting ", name, " takes ", join(choices), ", not '", value, "'");
    row.set(target, value);
}

Settings from_environment() {
    Settings result;
    const char* flags = std::getenv("CROTON_FLAGS");
    std::string_view rest = flags ? flags : "";
    while (!rest.empty()) {
        auto comma = rest.find(',');
        auto item = rest.substr(0, comma);
        auto equals = item.find('=');
        if (equals == std::string_view::npos)
            fail(ErrorKind::Usage, "CROTON_FLAGS: '", item, "' is not of the form name=value");
        set_in(result, item.substr(0, equals), item.substr(equals + 1));
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    return result;
}
}  // namespace

Settings& settings() {
    static Settings table = from_environment();
    return table;
}

void set_setting(std::string_view name, std::string_view value) { set_in(settings(), name, value); }
std::string get_setting(std::string_view name) { return find(name).get(settings()); }

const std::vector<SettingInfo>& setting_infos() {
    static const std::vector<SettingInfo> infos = [] {
        std::vector<SettingInfo> result;
        for (const auto& row : setting_rows()) result.push_back(row.info);
        return result;
    }();
    return infos;
}

}  // namespace croton
