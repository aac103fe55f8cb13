#pragma once
// The one declared table of settings: the only mutable global of Croton.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace croton {

/// Every setting, its default and its meaning. Read at start from the environment variable
/// CROTON_FLAGS ("floatX=float32,threads=1"); changed at run time through set_setting.
struct Settings {
    std::string float_x = "float64";   ///< default floating dtype: float64, float32, float16
    std::string mode = "fast";         ///< default mode: quick, fast, check
    std::string cpu_level = "native";  ///< native, sse2, avx2, avx512: the widest vectors used
    int64_t tailor_from = 1 << 18;     ///< elements of launches that may get code of their own
    int64_t threads = 0;               ///< worker threads of a call; 0: one a core
    std::string cache_dir;  ///< compiled code; empty: the user's cache folder; "off": none
    std::string
        precompiled;  ///< kernels that came with Croton; empty: beside libcroton; "off": none
    int64_t cache_megabytes = 1024;  ///< the cache is trimmed to this size
    int64_t rule_limit = -1;         ///< rewriting stops after so many steps (to bisect); -1: none
    std::string on_unused_input = "raise";  ///< raise, warn, ignore
    std::string warn_float64 = "ignore";    ///< ignore, warn, raise: creation of float64 variables
    bool profile = false;                   ///< profile every function
};

/// The settings in force. Not to be changed while another thread compiles.
Settings& settings();

/// Sets one by its public name (floatX, mode, cpu_level, ...). Usage error for unknown names, Value
/// error for a value that the setting does not take.
void set_setting(std::string_view name, std::string_view value);
/// The value as text. Usage error for unknown names.
std::string get_setting(std::string_view name);

struct SettingInfo {
    std::string name, doc, default_value;
    std::vector<std::string> choices;  ///< empty: free
};
/// All settings, for listings and documentation.
const std::vector<SettingInfo>& setting_infos();

}  // namespace croton
