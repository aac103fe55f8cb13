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

/// Code that is asked for: found, or made by several threads where there is enough of it.
class CodeMaker {
  public:
    explicit CodeMaker(const Level& level) : level_(level) {}

    /// Whether all of it is known. The kernel stays until the code is taken.
    bool ask(const kernel::Kernel& kernel, const Plan& plan, Form form) {
        size_t before = missing_.size();
        for (Plan& part : parts_of_form(kernel, plan, form)) {
            std::string key = code_key(kernel, part, level_);
            if (codes_.contains(key)) continue;
            auto known = find_code(kernel, part, level_);
            codes_[key] = known.value_or(KernelCode{});
            if (!known) missing_.push_back({key, &kernel, std::move(part)});
        }
        int64_t whole = 0;
        for (size_t n = before; n < missing_.size(); ++n)
            whole += missing_[n].length = code_length(kernel, missing_[n].plan);
        for (size_t n = before; n < missing_.size(); ++n) missing_[n].whole = whole;
        return missing_.size() == before;
    }

    // A module for each of several threads: code generation is most of the work, and a module of
    // its own costs a tenth of what one kernel takes. What is long is given out first.
    void generate() {
        std::vector<Missing*> order;
        for (Missing& missing : missing_) order.push_back(&missing);
        std::stable_sort(order.begin(), order.end(),
                         [](auto* a, auto* b) { return a->length > b->length; });
        const auto most = static_cast<size_t>(std::min(runtime::thread_count(), most_modules));
        std::vector<Share> shares(std::clamp<size_t>(order.size(), 1, most));
        for (Missing* missing : order) {
            auto least = std::min_element(
                shares.begin(), shares.end(),
                [](const Share& a, const Share& b) { return a.length < b.length; });
            least->list.push_back(missing);
            least->length += missing->length;
        }
        std::vector<std::future<void>> others;
        for (size_t n = 1; n < shares.size(); ++n)
            others.push_back(
                std::async(std::launch::async, [this, &list = shares[n].list] { generate(list); }));
        generate(shares[0].list);
        for (auto& other : others) other.get();
    }

    /// By section. What was asked for is there by now.
    SectionCodes codes(const kernel::Kernel& kernel, const Plan& plan, Form form) const {
        SectionCodes result;
        for (const Plan& part : parts_of_form(kernel, plan, form))
            result.resize(std::min(part.last_section, kernel.sections.size() - 1) + 1,
                          codes_.at(code_key(kernel, part, level_)));
        return result;
    }

  private:
    static constexpr int most_modules = 8;  // at once: each holds a context of LLVM's
    struct Missing {
        std::string key;
        const kernel::Kernel* kernel;
        Plan plan;
        int64_t length = 0, whole = 0;  ///< of this part, of all that its kernel lacks
    };
    struct Share {
        std::vector<Missing*> list;
        int64_t length = 0;
    };

    // Parts of a kernel stand side by side and in order: they go into one function.
    void generate(std::vector<Missing*>& list) {
        if (list.empty()) return;
        std::stable_sort(list.begin(), list.end(), [](auto* a, auto* b) {
            return std::pair(-a->whole, a) < std::pair(-b->whole, b);
        });
        std::vector<Source> sources;
        std::vector<std::string> keys;
        for (const Missing* missing : list) {
            sources.push_back({missing->kernel, &missing->plan});
            keys.push_back(missing->key);
        }
        auto codes = keep_code(keys, compile_object(sources, level_), level_);
        // Places in the map are there: threads write to different ones.
        for (size_t n = 0; n < keys.size(); ++n) codes_.find(keys[n])->second = codes[n];
    }

    const Level& level_;
    std::vector<Missing> missing_;
    std::map<std::string, KernelCode> codes_;  ///< by key; empty: still missing
};

void attach(Program& program, Form form, SectionCodes codes) {
    switch (form) {
        case Form::Whole: program.codes = std::move(codes); break;
        case Form::Rows: program.rows->set(std::move(codes)); break;
        case Form::Columns: program.columns->set(std::move(codes)); break;
    }
}

// Under a key of its own: as the objects of compile().
KernelCode make_tailored(const Program& program, const std::string& general, const Level& level,
                         const Fit& fit, bool only_known) {
    std::string key = content_hash(cat(general, " ", fit.text()));
    if (auto known = find_kept_code(key, level)) return *known;
    if (only_known) return {};
    Plan plan = tailored_plan(program.plan, fit);
    Source source{&program.kernel, &plan};
    return keep_code({&key, 1}, compile_object({&source, 1}, level), level)[0];
}

// Whichever form compile() does not make is made by the first launch that wants it.
void offer_forms(Program& program, const Level& level) {
    if (!has_two_forms(program.plan)) return;
    auto late = [&](Form form) {
        return std::make_unique<LateCode>([&program, form, level] {
            CodeMaker maker(level);
            maker.ask(program.kernel, program.plan, form);
            maker.generate();
            return maker.codes(program.kernel, program.plan, form);
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
    Job(std::span<const kernel::Kernel> kernels, const Level& level)
        : level_(level), maker_(level) {
        for (const auto& kernel : kernels) {
            keys_.push_back(cat(kernel_key(kernel, level), " ", settings().tailor_from));
            auto& place = programs_[keys_.back()];
            if (!place) place = table().find(keys_.back());
            if (!place) place = begin(kernel);
        }
        maker_.generate();
        for (const auto& [program, form] : asked_)
            attach(*program, form, maker_.codes(program->kernel, program->plan, form));
        for (const auto& [key, program] : programs_) table().add(key, program);
    }

    Programs programs() const {
        Programs result;
        for (const auto& key : keys_) result.push_back(programs_.at(key));
        return result;
    }
    int compiled() const { return compiled_; }
    int late() const { return late_; }
    int found() const { return static_cast<int>(keys_.size()) - compiled_ - late_; }

  private:
    static void check(const kernel::Kernel& kernel) {
        try {
            kernel::verify(kernel);
        } catch (const Error& error) {
            fail(ErrorKind::Compile, "kernel ", kernel.name, " cannot be compiled: ", error.what());
        }
    }

    // Its code is asked for, if it can be told which.
    std::shared_ptr<const Program> begin(const kernel::Kernel& kernel) {
        check(kernel);
        auto program = make_program(kernel, level_);
        offer_tailoring(*program, code_key(kernel, program->plan, level_), level_);
        offer_forms(*program, level_);
        auto form = form_to_make(*program);
        if (form) {
            if (!maker_.ask(program->kernel, program->plan, *form)) ++compiled_;
            asked_.emplace_back(program, *form);
        } else {
            ++late_;
        }
        return program;
    }

    const Level& level_;
    CodeMaker maker_;
    std::vector<std::string> keys_;  ///< of the kernels asked for
    int compiled_ = 0;
    int late_ = 0;  ///< kernels whose first launch asks for code
    std::map<std::string, std::shared_ptr<const Program>> programs_;
    std::vector<std::pair<std::shared_ptr<Program>, Form>> asked_;
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
