#include <chrono>
#include <map>
#include <mutex>

#include "croton/backend/cpu/cpu.hpp"
#include "croton/backend/cpu/key.hpp"
#include "croton/backend/cpu/launch.hpp"
#include "croton/base/settings.hpp"

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

    std::string listing(int index) const override {
        const Program& program = *programs_[static_cast<size_t>(index)];
        return ir_text({&program.kernel, &program.plan, "kernel"}, level_);
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

void attach(Program& program, std::shared_ptr<const Code> code, const std::string& prefix) {
    for (size_t s = 0; s < program.sections.size(); ++s) {
        program.sections[s].nest = code->function(section_symbol(prefix, s, false));
        if (has_lanes_form(program.kernel, s))
            program.sections[s].lanes = code->function(section_symbol(prefix, s, true));
    }
    program.code = std::move(code);
}

std::string prefix_of(const std::string& key) { return "k" + key; }

class CpuBackend final : public runtime::Backend {
  public:
    std::string_view name() const override { return "cpu"; }

    std::shared_ptr<const runtime::KernelSet> compile(std::span<const kernel::Kernel> kernels,
                                                      runtime::CompileStats* stats) const override {
        auto start = std::chrono::steady_clock::now();
        Level level = find_level(settings().cpu_level);
        std::map<std::string, std::shared_ptr<const Program>> known;
        std::vector<std::string> keys, missing;
        for (const auto& kernel : kernels) {
            keys.push_back(kernel_key(kernel, level));
            auto& place = known[keys.back()];
            if (place) continue;
            place = table().find(keys.back());
            if (place) continue;
            place = make_program(kernel);
            missing.push_back(keys.back());
        }
        if (!missing.empty()) generate(known, missing, level);
        Programs programs;
        for (const auto& key : keys) programs.push_back(known[key]);
        if (stats) {
            stats->seconds +=
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            stats->compiled += static_cast<int>(missing.size());
        }
        return std::make_shared<CpuKernels>(std::move(programs), std::move(level));
    }

  private:
    static void generate(std::map<std::string, std::shared_ptr<const Program>>& programs,
                         const std::vector<std::string>& keys, const Level& level) {
        std::vector<Source> sources;
        for (const auto& key : keys) {
            const Program& program = *programs[key];
            sources.push_back({&program.kernel, &program.plan, prefix_of(key)});
        }
        auto code = link_object(compile_object(sources, level));
        for (const auto& key : keys) {
            auto program = std::const_pointer_cast<Program>(programs[key]);
            attach(*program, code, prefix_of(key));
            table().add(key, program);
        }
    }
};
}  // namespace

std::unique_ptr<runtime::Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace croton::cpu
