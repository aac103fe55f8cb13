#pragma once
// Where the user wrote an expression: carried by every node from creation to machine code.
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace croton {

/// A place in a user's program. Texts live as long as the process (literals or interned).
struct Site {
    const char* file = "";
    uint32_t line = 0;
    const char* code = "";  ///< the source line's text where known (Python), else ""

    bool known() const { return line != 0; }
    /// "train.py:41" (the folder is left out); "?" when unknown.
    std::string text() const;
    /// The text of the line: `code`, or what the source file says if it can still be read.
    std::string code_text() const;
    static Site of(const std::source_location& where) {
        return {where.file_name(), where.line(), ""};
    }
    friend bool operator==(const Site&, const Site&) = default;
};

/// A text that lives as long as the process; equal texts share one copy. Thread-safe.
const char* intern(std::string_view text);

/// While alive, nodes built on this thread take `site` whoever builds them: gradients, rewrites and
/// the Python binding attribute their nodes to the user's line this way. Scopes nest.
class SiteScope {
  public:
    explicit SiteScope(Site site);
    ~SiteScope();
    SiteScope(const SiteScope&) = delete;
    SiteScope& operator=(const SiteScope&) = delete;
    /// The innermost scope's site on this thread, or `otherwise` outside of every scope.
    static Site current_or(Site otherwise);

  private:
    friend class SiteScopesAside;
    Site site_;
    const SiteScope* previous_;
};

/// While alive, the scopes that were open on this thread do not count: what a user wrote is called
/// in the middle of what is built for him, and his lines are his own.
class SiteScopesAside {
  public:
    SiteScopesAside();
    ~SiteScopesAside();
    SiteScopesAside(const SiteScopesAside&) = delete;
    SiteScopesAside& operator=(const SiteScopesAside&) = delete;

  private:
    const SiteScope* previous_;
};

}  // namespace croton
