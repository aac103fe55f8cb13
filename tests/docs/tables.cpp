// Tables of the pages, from the library's own.
#include "croton/base/format.hpp"
#include "croton/base/settings.hpp"
#include "croton/type/dtype.hpp"
#include "tests/docs/pages.hpp"

namespace croton::test {

namespace {
std::string row(const std::vector<std::string>& cells) {
    return cat("| ", join(cells, " | "), " |\n");
}

std::string head(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (size_t i = 0; i < cells.size(); ++i) line += "---|";
    return row(cells) + line + "\n";
}

std::vector<DType> dtypes() {
    std::vector<DType> all;
    for (int i = 0; i < dtype_count; ++i) all.push_back(static_cast<DType>(i));
    return all;
}

std::string names() {
    std::string text = head({"dtype", "short", "bytes", "unary functions (exp, sin) give"});
    for (DType d : dtypes())
        text += row({std::string(dtype_name(d)), std::string(dtype_short(d)),
                     std::to_string(dtype_size(d)), std::string(dtype_name(floating_result(d)))});
    return text;
}

std::string of_two() {
    std::vector<std::string> first{""};
    for (DType b : dtypes()) first.push_back(cat("**", dtype_short(b), "**"));
    std::string text = head(first);
    for (DType a : dtypes()) {
        std::vector<std::string> cells{cat("**", dtype_short(a), "**")};
        for (DType b : dtypes()) cells.emplace_back(dtype_short(promote(a, b)));
        text += row(cells);
    }
    return text;
}

std::string with_number() {
    const std::pair<const char*, DType> numbers[] = {{"True", DType::Bool},
                                                     {"2", DType::Int64},
                                                     {"2.5", DType::Float64},
                                                     {"2j", DType::Complex128}};
    std::string text = head({"array", "`True`", "`2`", "`2.5`", "`2j`"});
    for (DType a : dtypes()) {
        std::vector<std::string> cells{std::string(dtype_name(a))};
        for (const auto& number : numbers)
            cells.emplace_back(dtype_name(promote_weak(a, number.second)));
        text += row(cells);
    }
    return text;
}

std::string settings_table() {
    std::string text = head({"setting", "default", "takes", "meaning"});
    for (const auto& info : setting_infos()) {
        std::string shown = info.default_value.empty() ? "" : cat("`", info.default_value, "`");
        text += row({cat("`", info.name, "`"), shown, join(info.choices), info.doc});
    }
    return text;
}
}  // namespace

void add_tables(Generators& all) {
    all["dtypes"] = names;
    all["promotion of two arrays"] = of_two;
    all["promotion of an array and a number"] = with_number;
    all["settings"] = settings_table;
}

}  // namespace croton::test
