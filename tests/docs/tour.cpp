// One expression at every stage, as docs/tour.md shows it. What depends on the machine is pinned:
// the vector width by the setting cpu_level; lines of rules' tables are left out.
#include <sstream>

#include "croton/base/settings.hpp"
#include "croton/compile/fuse.hpp"
#include "croton/compile/specialise.hpp"
#include "croton/croton.hpp"
#include "croton/graph/listing.hpp"
#include "tests/docs/pages.hpp"

namespace croton::test {

namespace {
/// Code compiled inside is for this level, without a cache.
class Pinned {
  public:
    explicit Pinned(const char* level)
        : level_(get_setting("cpu_level")), cache_(get_setting("cache_dir")) {
        set_setting("cpu_level", level);
        set_setting("cache_dir", "off");
    }
    ~Pinned() {
        set_setting("cpu_level", level_);
        set_setting("cache_dir", cache_);
    }

  private:
    std::string level_, cache_;
};

// The expression of the page, each node at its line of tour.py.
struct Example {
    Variable x, y;
};
Example example() {
    Example e;
    {
        SiteScope scope({"tour.py", 4, "x = T.fmatrix(\"x\")"});
        e.x = matrix<float>("x");
    }
    SiteScope scope({"tour.py", 5, "y = T.log(1 + T.exp(x)).sum(axis=1)"});
    e.y = sum(log(1 + exp(e.x)), 1);
    return e;
}

Function compiled() {
    Pinned pinned("sse2");
    Example e = example();
    return function({e.x}, e.y, {.name = "f"});
}

// Symbols are numbered through the process: a and b here.
std::string with_letters(std::string text, const Dims& dims) {
    char letter = 'a';
    for (Dim dim : dims) {
        std::string symbol = dim.text(), shown(1, letter++);
        for (size_t at; (at = text.find(symbol)) != text.npos;)
            text.replace(at, symbol.size(), shown);
    }
    return text;
}

std::string sizes_named() {
    Example e = example();
    auto named = compile::specialise({e.x}, {e.y}, true);
    return fenced("",
                  with_letters(print(named.outputs, {.name = "f"}), named.inputs[0].type().dims));
}

std::string rewriting() {
    std::string text;
    Function f = compiled();
    for (const auto& event : f.trace().events) {
        if (event.number == 0) {
            text += cat("-- ", event.what, ": ", event.after, "\n");
            continue;
        }
        std::string file = event.where.substr(0, event.where.rfind(':'));
        text += cat(event.number, "  ", event.what, "    ", file, "    ", event.before, "  ->  ",
                    event.after, "    ", event.site.text(), "\n");
    }
    return fenced("", text);
}

std::string groups() {
    Function f = compiled();
    std::string text;
    for (const auto& step : f.program().steps)
        text += cat(step.label, "    ", step.site.text(), "\n");
    return fenced("", text);
}

std::string program() {
    Function f = compiled();
    const auto& p = f.program();
    return fenced("",
                  with_letters(p.print(), p.values[static_cast<size_t>(p.inputs[0])].type.dims));
}

size_t count_of(std::string_view text, std::string_view word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
    return count;
}

// The beginning of the block that does most of the work, four elements at a time.
std::string machine_code() {
    std::string text = kernels_text(compiled(), true), most;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find("\n\n", at), text.size());
        std::string block = text.substr(at, end - at);
        if (count_of(block, "<4 x float>") > count_of(most, "<4 x float>")) most = block;
        at = end + 2;
    }
    std::istringstream lines(most);
    std::string shown;
    size_t count = 0;
    for (std::string line; std::getline(lines, line) && count < 16; ++count) shown += line + "\n";
    return fenced("llvm", shown + "  ...\n");
}

std::string call() { return fenced("", compiled()(full<float>({2, 3}, 0)).only().text()); }
}  // namespace

void add_tour(Generators& all) {
    all["tour: graph"] = [] { return fenced("", print({example().y}, {.name = "f"})); };
    all["tour: tree"] = [] { return fenced("", debugprint(example().y)); };
    all["tour: sizes"] = sizes_named;
    all["tour: rewriting"] = rewriting;
    all["tour: groups"] = groups;
    all["tour: kernel"] = [] { return fenced("", kernels_text(compiled())); };
    all["tour: program"] = program;
    all["tour: code"] = machine_code;
    all["tour: call"] = call;
}

}  // namespace croton::test
