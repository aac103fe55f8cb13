#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <mutex>

#include "croton/backend/cpu/code_store.hpp"
#include "croton/backend/cpu/cpu.hpp"
#include "croton/backend/cpu/key.hpp"
#include "croton/backend/cpu/launch.hpp"
#include "croton/base/error.hpp"
#include "croton/base/hash.hpp"
#include "croton/base/settings.hpp"
#include "croton/runtime/threads.hpp"

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

void attach(Program& program, Form form, const KernelCode& code) {
    switch (form) {
        case Form::Whole: program.code = code; break;
        case Form::Rows: program.rows->set(code); break;
        case Form::Columns: program.columns->set(code); break;
    }
}

KernelCode make_code(const kernel::Kernel& kernel, const Plan& plan, const std::string& key,
                     const Level& level) {
    Source source{&kernel, &plan};
    return keep_code({&key, 1}, compile_object({&source, 1}, level), level)[0];
}

// Under a key of its own: as the objects of compile().
KernelCode make_tailored(const Program& program, const std::string& general, const Level& level,
                         const Fit& fit, bool only_known) {
    std::string key = content_hash(cat(general, " ", fit.text()));
    if (auto known = find_kept_code(key, level)) return *known;
    if (only_known) return {};
    return make_code(program.kernel, tailored_plan(program.plan, fit), key, level);
}

// Whichever form compile() does not make is made by the first launch that wants it.
void offer_forms(Program& program, const Level& level) {
    if (!has_two_forms(program.plan)) return;
    auto late = [&](Form form) {
        return std::make_unique<LateCode>([&program, form, level] {
            if (auto known = find_code(program.kernel, form, level)) return *known;
            return make_code(program.kernel, plan_of_form(program.plan, form),
                             code_key(program.kernel, form, level), level);
        });
    };
    program.rows = late(Form::Rows);
    program.columns = late(Form::Columns);
}

/// What compile() makes: of two forms the one that launches will probably want, if that can be
/// told.
std::optional<Form> form_to_make(const Program& program) {
    if (!program.rows) return Form::Whole;
    switch (program.kernel.folding) {
        case kernel::Folding::Unknown: break;
        case kernel::Folding::Rows: return Form::Rows;
        case kernel::Folding::Columns: return Form::Columns;
    }
    return {};
}

void offer_tailoring(Program& program, const std::string& key, const Level& level) {
    bool loops = kernel::loop_section(program.kernel) != nullptr;
    if (loops || program.plan.scalar || !level.is_x86()) return;
    program.tailor = std::make_unique<Tailor>(
        [&program, key, level](const Fit& fit, bool only_known) {
            return make_tailored(program, key, level, fit, only_known);
        },
        settings().tailor_from);
}

/// One call of compile(): kernels by key, found or made.
class Job {
  public:
    Job(std::span<const kernel::Kernel> kernels, const Level& level) : level_(level) {
        for (const auto& kernel : kernels) {
            keys_.push_back(cat(kernel_key(kernel, level), " ", settings().tailor_from));
            auto& place = programs_[keys_.back()];
            if (!place) place = table().find(keys_.back());
            if (!place) place = begin(kernel);
        }
        generate();
        for (const auto& [key, program] : programs_) table().add(key, program);
    }

    Programs programs() const {
        Programs result;
        for (const auto& key : keys_) result.push_back(programs_.at(key));
        return result;
    }
    int compiled() const { return static_cast<int>(missing_.size()); }
    int late() const { return late_; }
    int found() const { return static_cast<int>(keys_.size() - missing_.size()) - late_; }

  private:
    static void check(const kernel::Kernel& kernel) {
        try {
            kernel::verify(kernel);
        } catch (const Error& error) {
            fail(ErrorKind::Compile, "kernel ", kernel.name, " cannot be compiled: ", error.what());
        }
    }

    // With its code, where that is known; else it waits for it.
    std::shared_ptr<const Program> begin(const kernel::Kernel& kernel) {
        check(kernel);
        auto program = make_program(kernel, level_);
        offer_tailoring(*program, code_key(kernel, Form::Whole, level_), level_);
        offer_forms(*program, level_);
        if (auto form = form_to_make(*program))
            ask_for(program, *form);
        else
            ++late_;
        return program;
    }

    void ask_for(const std::shared_ptr<Program>& program, Form form) {
        std::string key = code_key(program->kernel, form, level_);
        auto waiting = waiting_.find(key);
        if (waiting != waiting_.end()) {
            waiting->second.programs.push_back(program);
        } else if (auto code = find_code(program->kernel, form, level_)) {
            attach(*program, form, *code);
        } else {
            missing_.push_back(key);
            waiting_[key] = {form, plan_of_form(program->plan, form), {program}};
        }
    }

    // A module for each of several threads: code generation is most of the work, and a module of
    // its own costs a tenth of what one kernel takes. What is long is given out first.
    void generate() {
        auto lengths = lengths_of(missing_);
        std::stable_sort(missing_.begin(), missing_.end(), [&](const auto& a, const auto& b) {
            return lengths.at(a) > lengths.at(b);
        });
        const auto most = static_cast<size_t>(std::min(runtime::thread_count(), most_modules));
        std::vector<Part> parts(std::clamp<size_t>(missing_.size(), 1, most));
        for (const auto& key : missing_) {
            auto least =
                std::min_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.length < b.length; });
            least->keys.push_back(key);
            least->length += lengths.at(key);
        }
        std::vector<std::future<void>> others;
        for (size_t part = 1; part < parts.size(); ++part)
            others.push_back(std::async(std::launch::async,
                                        [this, &keys = parts[part].keys] { generate(keys); }));
        generate(parts[0].keys);
        for (auto& other : others) other.get();
    }

    static constexpr int most_modules = 8;  // at once: each holds a context of LLVM's
    struct Part {
        std::vector<std::string> keys;
        size_t length = 0;
    };
    // In instructions: code is about as long.
    std::map<std::string, size_t> lengths_of(const std::vector<std::string>& keys) const {
        std::map<std::string, size_t> lengths;
        for (const auto& key : keys)
            for (const auto& section : waiting_.at(key).programs[0]->kernel.sections)
                lengths[key] += 1 + section.body.size();
        return lengths;
    }

    void generate(const std::vector<std::string>& keys) {
        if (keys.empty()) return;
        std::vector<Source> sources;
        for (const auto& key : keys) {
            const Missing& missing = waiting_.at(key);
            sources.push_back({&missing.programs[0]->kernel, &missing.plan});
        }
        auto codes = keep_code(keys, compile_object(sources, level_), level_);
        for (size_t n = 0; n < keys.size(); ++n) {
            const Missing& missing = waiting_.at(keys[n]);
            for (const auto& program : missing.programs) attach(*program, missing.form, codes[n]);
        }
    }

    const Level& level_;
    std::vector<std::string> keys_;     ///< of the kernels asked for
    std::vector<std::string> missing_;  ///< of code that has to be made
    int late_ = 0;                      ///< kernels whose first launch asks for code
    std::map<std::string, std::shared_ptr<const Program>> programs_;
    struct Missing {
        Form form;
        Plan plan;
        std::vector<std::shared_ptr<Program>> programs;
    };
    std::map<std::string, Missing> waiting_;  ///< by missing code
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
            stats->late += job.late();
        }
        return std::make_shared<CpuKernels>(job.programs(), std::move(level));
    }
};
}  // namespace

std::unique_ptr<runtime::Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace croton::cpu
