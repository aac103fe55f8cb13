#include "croton/base/site.hpp"

#include <fstream>
#include <mutex>
#include <unordered_set>

#include "croton/base/format.hpp"

namespace croton {

namespace {
thread_local const SiteScope* innermost = nullptr;

std::string trimmed(const std::string& text) {
    auto first = text.find_first_not_of(" \t");
    if (first == std::string::npos) return "";
    auto last = text.find_last_not_of(" \t\r");
    return text.substr(first, last - first + 1);
}
}  // namespace

std::string Site::text() const {
    if (!known()) return "?";
    std::string_view path = file;
    auto slash = path.rfind('/');
    if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
    return cat(path, ":", line);
}

std::string Site::code_text() const {
    if (code[0] != '\0') return trimmed(code);
    if (!known()) return "";
    std::ifstream source(file);
    std::string text;
    for (uint32_t i = 0; i < line; ++i)
        if (!std::getline(source, text)) return "";
    return trimmed(text);
}

const char* intern(std::string_view text) {
    static std::mutex mutex;
    static auto& table = *new std::unordered_set<std::string>;
    std::lock_guard lock(mutex);
    return table.emplace(text).first->c_str();
}

SiteScope::SiteScope(Site site) : site_(site), previous_(innermost) { innermost = this; }

SiteScope::~SiteScope() { innermost = previous_; }

SiteScopesAside::SiteScopesAside() : previous_(innermost) { innermost = nullptr; }

SiteScopesAside::~SiteScopesAside() { innermost = previous_; }

Site SiteScope::current_or(Site otherwise) {
    const SiteScope* scope = innermost;
    return scope ? scope->site_ : otherwise;
}

}  // namespace croton
