#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include "croton/backend/cpu/cpu.hpp"
#include "croton/backend/cpu/key.hpp"
#include "croton/backend/cpu/launch.hpp"
#include "croton/base/error.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/settings.hpp"
#include "croton/runtime/disk_cache.hpp"

namespace croton::cpu {

namespace {
using Programs = std::vector<std::shared_ptr<const Program>>;

class CpuKernels final : public runtime::KernelSet {
  public:
    CpuKernels(Programs programs, Level level)
        : programs_(std::move(programs)), level_(std::move(level)) {}

    kernel::Fault run(int index, const kernel::Launch& given, int64_t begin,
                      int64_t end) const override {
        return launch(*programs_[static_cast<size_t>(index)], given, begin, end);
    }

    std::unique_ptr<runtime::PreparedLaunch> prepare(int index,
                                                     const kernel::Launch& given) const override {
        return cpu::prepare(*programs_[static_cast<size_t>(index)], given);
    }

    std::string listing(int index) const override {
        const Program& program = *programs_[static_cast<size_t>(index)];
        return ir_text({&program.kernel, &program.plan}, level_);
    }

  private:
    Programs programs_;
    Level level_;
};

/// Programs in use anywhere in the process: equal kernels are compiled once.
class Table {
  public:
    std::shared_ptr<const Program> find(const std::string& key) {
        std::lock_guard lock(mutex_);
        auto found = programs_.find(key);
        return found == programs_.end() ? nullptr : found->second.lock();
    }

    void add(const std::string& key, const std::shared_ptr<const Program>& program) {
        std::lock_guard lock(mutex_);
        if (programs_.size() >= 2 * live_)
            live_ = std::max<size_t>(64, programs_.size() - drop_dead());
        programs_[key] = program;
    }

  private:
    size_t drop_dead() {
        return std::erase_if(programs_, [](const auto& entry) { return entry.second.expired(); });
    }
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<const Program>> programs_;
    size_t live_ = 64;
};

Table& table() {
    static auto& instance = *new Table;
    return instance;
}

void attach(Program& program, std::shared_ptr<const Code> code, const Placement& placement) {
    program.function = code->function(placement.symbol);
    program.first = placement.first;
    program.code = std::move(code);
}

// --- objects on disk: a line "key symbol first" for each kernel inside, an empty line, the object

constexpr std::string_view object_kind = "object";

std::string packed_object(const std::vector<std::string>& keys, const Object& object) {
    std::string content;
    for (size_t n = 0; n < keys.size(); ++n)
        content +=
            cat(keys[n], " ", object.placements[n].symbol, " ", object.placements[n].first, "\n");
    return content + "\n" + object.bytes;
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

// Under a key of its own: as the objects of compile().
Tailored make_tailored(const Program& program, const std::string& general, const Level& level,
                       const Fit& fit, bool only_known) {
    std::string key = content_hash(cat(general, " ", fit.text()));
    auto cache = runtime::DiskCache::current();
    auto linked = [](std::string bytes, const Placement& placement) {
        auto code = link_object(std::move(bytes));
        return Tailored{code->function(placement.symbol), placement.first, code};
    };
    if (auto content = cache ? cache->read(key, object_kind) : std::nullopt)
        if (auto known = unpacked_object(*content); known && known->kernels.size() == 1) try {
                return linked(std::move(known->bytes), known->kernels[0].second);
            } catch (const Error&) {  // not what its name says: built anew and replaced
            }
    if (only_known) return {};
    Plan plan = tailored_plan(program.plan, fit);
    Source source{&program.kernel, &plan};
    Object object = compile_object({&source, 1}, level);
    if (cache) cache->write({key}, object_kind, packed_object({key}, object));
    return linked(std::move(object.bytes), object.placements[0]);
}

void offer_tailoring(Program& program, const std::string& key, const Level& level) {
    bool loops = kernel::loop_section(program.kernel) != nullptr;
    if (loops || program.plan.scalar || !level.is_x86()) return;
    program.tailor =
        std::make_unique<Tailor>([&program, key, level](const Fit& fit, bool only_known) {
            return make_tailored(program, key, level, fit, only_known);
        });
}

/// One call of compile(): kernels by key, found or made.
class Job {
  public:
    Job(std::span<const kernel::Kernel> kernels, const Level& level)
        : level_(level), cache_(runtime::DiskCache::current()) {
        for (const auto& kernel : kernels) {
            keys_.push_back(kernel_key(kernel, level));
            auto& place = programs_[keys_.back()];
            if (!place) place = table().find(keys_.back());
            if (place) continue;
            check(kernel);
            auto program = make_program(kernel, level_);
            place = program;
            offer_tailoring(*program, keys_.back(), level_);
            if (!load(keys_.back(), *program)) missing_.push_back(keys_.back());
        }
        generate();
    }

    Programs programs() const {
        Programs result;
        for (const auto& key : keys_) result.push_back(programs_.at(key));
        return result;
    }
    int compiled() const { return static_cast<int>(missing_.size()); }
    int found() const { return static_cast<int>(keys_.size() - missing_.size()); }

  private:
    static void check(const kernel::Kernel& kernel) {
        try {
            kernel::verify(kernel);
        } catch (const Error& error) {
            fail(ErrorKind::Compile, "kernel ", kernel.name, " cannot be compiled: ", error.what());
        }
    }

    // From the disk. An object is linked once for all its kernels that this job asks for.
    bool load(const std::string& key, Program& program) {
        if (!cache_) return false;
        try {
            if (!loaded_.contains(key)) {
                auto content = cache_->read(key, object_kind);
                auto unpacked = content ? unpacked_object(*content) : std::nullopt;
                if (!unpacked) return false;
                auto code = link_object(std::move(unpacked->bytes));
                for (const auto& [other, placement] : unpacked->kernels)
                    loaded_.emplace(other, std::pair(code, placement));
            }
            auto found = loaded_.find(key);
            if (found == loaded_.end()) return false;
            attach(program, found->second.first, found->second.second);
        } catch (const Error&) {
            return false;  // not what its name says: built anew and replaced
        }
        table().add(key, programs_.at(key));
        return true;
    }

    // In one module, or in one for each of several threads: code generation is most of the work.
    void generate() {
        constexpr size_t least = 8;
        size_t threads = settings().threads > 0 ? static_cast<size_t>(settings().threads)
                                                : std::thread::hardware_concurrency();
        size_t parts = std::clamp<size_t>(missing_.size() / least, 1, std::max<size_t>(threads, 1));
        std::vector<std::future<void>> others;
        size_t share = (missing_.size() + parts - 1) / parts;
        for (size_t first = share; first < missing_.size(); first += share)
            others.push_back(std::async(std::launch::async, [this, first, share] {
                generate_part(first, std::min(first + share, missing_.size()));
            }));
        generate_part(0, std::min(share, missing_.size()));
        for (auto& other : others) other.get();
    }

    void generate_part(size_t first, size_t last) {
        if (first == last) return;
        std::vector<std::string> keys(missing_.begin() + static_cast<ptrdiff_t>(first),
                                      missing_.begin() + static_cast<ptrdiff_t>(last));
        std::vector<Source> sources;
        for (const auto& key : keys) {
            const Program& program = *programs_.at(key);
            sources.push_back({&program.kernel, &program.plan});
        }
        Object object = compile_object(sources, level_);
        if (cache_) cache_->write(keys, object_kind, packed_object(keys, object));
        auto code = link_object(std::move(object.bytes));
        for (size_t n = 0; n < keys.size(); ++n) {
            // Nobody else has seen the program yet.
            auto program = std::const_pointer_cast<Program>(programs_.at(keys[n]));
            attach(*program, code, object.placements[n]);
            table().add(keys[n], program);
        }
    }

    const Level& level_;
    std::shared_ptr<runtime::DiskCache> cache_;
    std::vector<std::string> keys_, missing_;
    std::map<std::string, std::shared_ptr<const Program>> programs_;
    std::map<std::string, std::pair<std::shared_ptr<const Code>, Placement>> loaded_;
};

class CpuBackend final : public runtime::Backend {
  public:
    std::string_view name() const override { return "cpu"; }

    std::shared_ptr<const runtime::KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                      runtime::CompileStats* stats) const override {
        auto start = std::chrono::steady_clock::now();
        Level level = find_level(settings().cpu_level);
        Job job(kernels, level);
        if (stats) {
            std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
            stats->seconds += spent.count();
            stats->compiled += job.compiled();
            stats->from_cache += job.found();
        }
        return std::make_shared<CpuKernels>(job.programs(), std::move(level));
    }
};
}  // namespace

std::unique_ptr<runtime::Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace croton::cpu
