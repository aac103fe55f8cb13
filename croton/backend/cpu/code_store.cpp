#include "croton/backend/cpu/code_store.hpp"

#include <map>
#include <mutex>
#include <sstream>

#include "croton/backend/cpu/key.hpp"
#include "croton/backend/cpu/precompiled.hpp"
#include "croton/base/error.hpp"
#include "croton/base/hash.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::cpu {

namespace {
// On disk: a line "key symbol first" for each kernel inside, an empty line, the object.
constexpr std::string_view object_kind = "object";

std::string packed_object(std::span<const std::string> keys, const Object& object) {
    std::string content;
    for (size_t n = 0; n < keys.size(); ++n)
        content +=
            cat(keys[n], " ", object.placements[n].symbol, " ", object.placements[n].first, "\n");
    return content + "\n" + object.bytes;
}

// Another machine may look into the same folder.
std::string kept_key(const std::string& key, const Level& level) {
    return level.native ? content_hash(cat(key, " ", machine_identity())) : key;
}

struct UnpackedObject {
    std::vector<std::pair<std::string, Placement>> kernels;
    std::string bytes;
};
/// Nothing if the content has no such form.
std::optional<UnpackedObject> unpacked_object(std::string_view content) {
    UnpackedObject result;
    for (;;) {
        size_t end = content.find('\n');
        if (end == std::string_view::npos) return {};
        std::istringstream line{std::string(content.substr(0, end))};
        content.remove_prefix(end + 1);
        if (end == 0) break;
        auto& [key, placement] = result.kernels.emplace_back();
        if (!(line >> key >> placement.symbol >> placement.first)) return {};
    }
    result.bytes = content;
    return result;
}

KernelCode code_at(const std::shared_ptr<const Code>& code, const Placement& placement) {
    return {code->function(placement.symbol), placement.first, code};
}

/// Code in use anywhere in the process.
class CodeTable {
  public:
    std::optional<KernelCode> find(const std::string& key) {
        std::lock_guard lock(mutex_);
        auto found = entries_.find(key);
        if (found == entries_.end()) return {};
        auto code = found->second.code.lock();
        if (!code) return {};
        return KernelCode{found->second.function, found->second.first, std::move(code)};
    }

    void add(const std::string& key, const KernelCode& code) {
        std::lock_guard lock(mutex_);
        if (entries_.size() >= 2 * live_)
            live_ = std::max<size_t>(64, entries_.size() - drop_dead());
        entries_[key] = {code.function, code.first, code.code};
    }

  private:
    struct Entry {
        SectionFunction function;
        int64_t first;
        std::weak_ptr<const Code> code;
    };
    size_t drop_dead() {
        return std::erase_if(entries_, [](const auto& e) { return e.second.code.expired(); });
    }
    std::mutex mutex_;
    std::map<std::string, Entry> entries_;
    size_t live_ = 64;
};

CodeTable& table() {
    static auto& instance = *new CodeTable;
    return instance;
}

// An object's other kernels are found under the same names, should somebody ask for them.
std::optional<KernelCode> unpack(const std::optional<std::string>& content,
                                 const std::string& key) {
    auto unpacked = content ? unpacked_object(*content) : std::nullopt;
    if (!unpacked) return {};
    std::optional<KernelCode> result;
    try {
        auto code = link_object(std::move(unpacked->bytes));
        for (const auto& [other, placement] : unpacked->kernels) {
            KernelCode found = code_at(code, placement);
            table().add(other, found);
            if (other == key) result = found;
        }
    } catch (const Error&) {  // not what its name says
        return {};
    }
    return result;
}

std::optional<KernelCode> find_precompiled(const kernel::Kernel& kernel, const Plan& plan,
                                           const Level& level) {
    auto lowest = portable(level);
    auto set = lowest ? Precompiled::current() : nullptr;
    if (!set) return {};
    std::string key = code_key(kernel, plan, *lowest);
    auto content = set->find(key);
    return content ? unpack(cat(key, " ", *content), key) : std::nullopt;
}
}  // namespace

std::string packed_code(const Object& object) {
    return cat(object.placements[0].symbol, " ", object.placements[0].first, "\n\n", object.bytes);
}

std::optional<KernelCode> find_kept_code(const std::string& key, const Level& level) {
    auto cache = runtime::DiskCache::current();
    if (!cache) return {};
    std::string kept = kept_key(key, level);
    auto code = table().find(kept);  // an object that was read for another of its kernels
    if (!code) code = unpack(cache->read(kept, object_kind), kept);
    if (code) table().add(key, *code);
    return code;
}

std::optional<KernelCode> find_code(const kernel::Kernel& kernel, const Plan& plan,
                                    const Level& level) {
    std::string key = code_key(kernel, plan, level);
    if (auto used = table().find(key)) return used;
    if (auto precompiled = find_precompiled(kernel, plan, level)) {
        table().add(key, *precompiled);
        return precompiled;
    }
    return find_kept_code(key, level);
}

std::vector<KernelCode> keep_code(std::span<const std::string> keys, Object object,
                                  const Level& level) {
    if (auto cache = runtime::DiskCache::current()) {
        std::vector<std::string> kept;
        for (const auto& key : keys) kept.push_back(kept_key(key, level));
        cache->write(kept, object_kind, packed_object(kept, object));
    }
    auto code = link_object(std::move(object.bytes));
    std::vector<KernelCode> result;
    for (size_t n = 0; n < keys.size(); ++n) {
        result.push_back(code_at(code, object.placements[n]));
        table().add(keys[n], result.back());
    }
    return result;
}

}  // namespace croton::cpu
