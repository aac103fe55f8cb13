#include "croton/ops/index_text.hpp"

#include <algorithm>
#include <charconv>

#include "croton/base/error.hpp"

namespace croton {

namespace {
class Reader {
  public:
    explicit Reader(std::string_view text) : whole_(text), rest_(text) {}

    IndexItems items() {
        IndexItems result;
        skip();
        if (rest_.empty()) return result;
        do result.push_back(item());
        while (take(','));
        if (!rest_.empty()) malformed();
        return result;
    }

  private:
    IndexItem item() {
        skip();
        if (rest_.starts_with("new")) {
            rest_.remove_prefix(3);
            skip();
            return {IndexItem::Kind::NewAxis, {}, {}, {}};
        }
        if (take('@')) return {IndexItem::Kind::Array, {Bound::Kind::Input, inputs_++}, {}, {}};
        Bound first = bound();
        if (!take(':')) {
            if (first.kind == Bound::Kind::None) malformed();
            return {IndexItem::Kind::Integer, first, {}, {}};
        }
        Bound stop = bound();
        Bound step = take(':') ? bound() : Bound{};
        return {IndexItem::Kind::Slice, first, stop, step};
    }

    Bound bound() {
        skip();
        if (take('$')) return {Bound::Kind::Input, inputs_++};
        int64_t value = 0;
        auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (end == rest_.data()) return {};
        if (code != std::errc()) malformed();
        rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
        skip();
        return {Bound::Kind::Number, value};
    }

    bool take(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        skip();
        return true;
    }
    void skip() {
        while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    }
    [[noreturn]] void malformed() const {
        fail(ErrorKind::Value, "the index '", whole_, "' cannot be read at '", rest_,
             "'; an index looks like \"$:5, ::-1, 2, :\"");
    }

    std::string_view whole_, rest_;
    int64_t inputs_ = 0;
};

std::string bound_text(const Bound& bound) {
    switch (bound.kind) {
        case Bound::Kind::None: break;
        case Bound::Kind::Number: return std::to_string(bound.value);
        case Bound::Kind::Input: return "$";
    }
    return "";
}

std::string item_text(const IndexItem& item) {
    switch (item.kind) {
        case IndexItem::Kind::Integer: return bound_text(item.start);
        case IndexItem::Kind::Array: return "@";
        case IndexItem::Kind::NewAxis: return "new";
        case IndexItem::Kind::Slice: break;
    }
    std::string text = bound_text(item.start) + ":" + bound_text(item.stop);
    return item.step == Bound{} ? text : text + ":" + bound_text(item.step);
}
}  // namespace

IndexItems parse_index(std::string_view text) { return Reader(text).items(); }
std::string index_text(const IndexItems& items) { return join(items, ", ", item_text); }

SliceRange slice_range(std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step,
                       int64_t size) {
    CROTON_ASSERT(step != 0);
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    auto clip = [&](int64_t bound) {
        return bound < 0 ? std::max(bound + size, low) : std::min(bound, high);
    };
    int64_t first = start ? clip(*start) : (step > 0 ? low : high);
    int64_t end = stop ? clip(*stop) : (step > 0 ? high : low);
    uint64_t distance = 0, stride = step > 0 ? static_cast<uint64_t>(step)
                                             : uint64_t{0} - static_cast<uint64_t>(step);
    if (step > 0 && end > first) distance = static_cast<uint64_t>(end - first);
    if (step < 0 && first > end) distance = static_cast<uint64_t>(first - end);
    auto length = static_cast<int64_t>((distance + stride - 1) / stride);
    if (distance > 0 && distance <= stride) length = 1;  // the sum above may have wrapped
    return {first, step, length};
}

}  // namespace croton
