// The compiler's own account of what it did.
#include <cstdio>

#include "croton/compile/build.hpp"

namespace croton::compile {

std::string Trace::text() const {
    std::ostringstream out;
    for (const auto& event : events) {
        char head[96];
        if (event.number == 0 && event.where.empty()) {
            out << "  -- " << event.what << ": " << event.after << "\n";
            continue;
        }
        std::string what = cat(event.of_loops ? "loop: " : "", event.what);
        std::snprintf(head, sizeof head, "%5d  %-28s %-28s ", event.number, what.c_str(),
                      event.where.c_str());
        out << head << event.before << "  ->  " << event.after;
        if (event.site.known()) out << "    " << event.site.text();
        out << "\n";
    }
    char times[160];
    if (from_cache)
        std::snprintf(times, sizeof times, "reading the program from the cache %.2f ms, ",
                      read_seconds * 1e3);
    else
        std::snprintf(times, sizeof times, "rewriting %.2f ms, scheduling %.2f ms, ",
                      rewrite_seconds * 1e3, schedule_seconds * 1e3);
    out << times;
    std::snprintf(
        times, sizeof times,
        "generating %.2f ms (%d kernels compiled, %d from the cache, %d when first run)\n",
        generate_seconds * 1e3, compiled_kernels, cached_kernels, late_kernels);
    out << times;
    return out.str();
}

}  // namespace croton::compile
