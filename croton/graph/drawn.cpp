#include "croton/graph/drawn.hpp"

#include <algorithm>
#include <cctype>

#include "croton/base/format.hpp"
#include "croton/graph/op.hpp"

namespace croton {

namespace {
constexpr size_t most_values = 8;

std::string padded(std::string text, size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}
std::string behind(const std::string& text, size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}
bool is_number(const std::string& size) {
    return !size.empty() && std::isdigit(static_cast<unsigned char>(size[0]));
}

/// The axes of all values, aligned at the last one.
class Columns {
  public:
    Columns(const std::vector<DrawnValue>& values, bool broadcast) {
        size_t rank = 0;
        for (const auto& value : values) rank = std::max(rank, value.sizes.size());
        widths_.resize(rank);
        clashes_.resize(rank);
        for (size_t axis = 0; axis < rank; ++axis) measure(values, axis, broadcast);
    }

    /// The type, and a line of marks for the axes that clash in it.
    std::pair<std::string, std::string> text(const DrawnValue& value) const {
        std::string type = value.head, marks(value.head.size(), ' ');
        size_t first = widths_.size() - value.sizes.size();
        for (size_t i = 0; i < value.sizes.size(); ++i) {
            const auto& size = value.sizes[i];
            size_t width = i == 0 ? size.size() : widths_[first + i];
            type += behind(size, width);
            bool clash = clashes_[first + i] && size != "1";
            marks += behind(std::string(size.size(), clash ? '^' : ' '), width);
            if (i + 1 == value.sizes.size()) break;
            std::string_view comma = value.tail == "]" ? "," : ", ";
            type += comma;
            marks += std::string(comma.size(), ' ');
        }
        return {type + value.tail, marks + std::string(value.tail.size(), ' ')};
    }
    bool clash() const {
        return std::find(clashes_.begin(), clashes_.end(), true) != clashes_.end();
    }

  private:
    // `axis` counts from the first of the longest value.
    void measure(const std::vector<DrawnValue>& values, size_t axis, bool broadcast) {
        std::string seen;
        for (const auto& value : values) {
            size_t missing = widths_.size() - value.sizes.size();
            if (axis < missing) continue;
            const auto& size = value.sizes[axis - missing];
            widths_[axis] = std::max(widths_[axis], size.size());
            if (!broadcast || !is_number(size) || size == "1") continue;
            if (!seen.empty() && seen != size) clashes_[axis] = true;
            seen = size;
        }
    }

    std::vector<size_t> widths_;
    std::vector<bool> clashes_;
};
}  // namespace

DrawnValue drawn_type(std::string label, const TensorType& type, Site site) {
    DrawnValue value{std::move(label), cat(dtype_short(type.dtype), "["), {}, "]", site};
    for (Dim dim : type.dims) value.sizes.push_back(dim.text());
    return value;
}

DrawnValue drawn_shape(std::string label, DType dtype, const Sizes& shape, Site site) {
    DrawnValue value{std::move(label), cat(dtype_short(dtype), " ("), {}, ")", site};
    for (int64_t size : shape) value.sizes.push_back(cat(size));
    if (shape.size() == 1) value.tail = ",)";  // as in NumPy
    return value;
}

std::string drawn(std::string_view message, const std::vector<DrawnValue>& all,
                  std::string_view expression, Site site, bool broadcast) {
    std::vector<DrawnValue> values(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_values)));
    Columns columns(values, broadcast);
    size_t label_width = 0, type_width = 0, site_width = 0;
    for (const auto& value : values) {
        label_width = std::max(label_width, value.label.size());
        type_width = std::max(type_width, columns.text(value).first.size());
        site_width = std::max(site_width, value.site.text().size());
    }
    std::string out = cat(message, "\n\n"), marks;
    for (const auto& value : values) {
        auto [type, marked] = columns.text(value);
        std::string row =
            cat("    ", padded(value.label, label_width), "    ", behind(type, type_width), "    ",
                padded(value.site.text(), site_width), "    ", value.site.code_text());
        out += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
        // The marks of the widest sizes cover those of the others.
        std::string line = std::string(8 + label_width, ' ') + behind(marked, type_width);
        marks.resize(std::max(marks.size(), line.size()), ' ');
        for (size_t i = 0; i < line.size(); ++i)
            if (line[i] == '^') marks[i] = '^';
    }
    if (columns.clash()) out += marks.substr(0, marks.find_last_of('^') + 1) + "\n";
    out += cat("    in ", expression);
    if (site.known()) {
        out += cat(" at ", site.text());
        if (auto code = site.code_text(); !code.empty()) out += "    " + code;
    }
    return out;
}

bool is_drawn(std::string_view message) { return message.find("\n\n") != std::string_view::npos; }

std::string shown_name(const OpRecord& op, const Attrs& attrs) {
    for (const auto& value : attrs.values)
        if (auto held = std::get_if<std::shared_ptr<const Opaque>>(&value); held && *held)
            return (*held)->text();
    return std::string(op.name);
}

std::string described(const Variable& variable) {
    if (!variable) return "nothing";
    std::string name = variable.name().empty() ? "a variable" : cat("'", variable.name(), "'");
    std::string made = variable.site().known() ? cat(", made at ", variable.site().text()) : "";
    return cat(name, " (", variable.type().text(), made, ")");
}

}  // namespace croton
