#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include <mutex>

#include "croton/backend/cpu/emit.hpp"
#include "croton/backend/cpu/generator.hpp"
#include "croton/base/error.hpp"

// Absent until the maths library is built in; its functions are then calls of helpers.
extern const unsigned char croton_maths_bitcode[] __attribute__((weak));
extern const std::size_t croton_maths_bitcode_size __attribute__((weak));

namespace croton::cpu {

using namespace llvm;

namespace {
// Passes that find nothing to do in code like ours, where addresses already advance by additions
// and constants are few.
void trim_passes() {
    auto& options = cl::getRegisteredOptions();
    for (const char* name : {"disable-lsr", "disable-constant-hoisting", "disable-mergeicmps",
                             "disable-partial-libcall-inlining", "disable-early-taildup"})
        if (auto found = options.find(name); found != options.end())
            found->second->addOccurrence(1, name, "true");
}

// What the machine has beside, or lacks of, what its processor's name stands for. Each feature that
// is told is looked up with all that it implies: told in full, they cost 0.3 ms a process.
std::string host_features(const Target& target, const std::string& triple, const std::string& cpu) {
    std::unique_ptr<MCSubtargetInfo> named(target.createMCSubtargetInfo(triple, cpu, ""));
    StringMap<bool> known;
    for (const SubtargetFeatureKV& feature : named->getAllProcessorFeatures())
        known[feature.Key] = named->getFeatureBits().test(feature.Value);
    std::string features;
    for (const auto& feature : sys::getHostCPUFeatures())
        if (auto found = known.find(feature.first());
            found != known.end() && found->second != feature.second)
            features +=
                cat(features.empty() ? "" : ",", feature.second ? "+" : "-", feature.first().str());
    return features;
}

std::unique_ptr<TargetMachine> make_machine(const Level& level) {
    static std::once_flag once;
    std::call_once(once, [] {
        InitializeNativeTarget();
        InitializeNativeTargetAsmPrinter();
        trim_passes();
    });
    std::string triple = sys::getProcessTriple(), error;
    const Target* target = TargetRegistry::lookupTarget(triple, error);
    if (!target) fail(ErrorKind::Compile, "LLVM has no code generator for ", triple, ": ", error);
    TargetOptions options;
    options.EnableFastISel = false;
    std::string cpu = level.native ? sys::getHostCPUName().str() : level.cpu;
    std::string features = level.native ? host_features(*target, triple, cpu) : "";
    return std::unique_ptr<TargetMachine>(
        target->createTargetMachine(triple, cpu, features, options, Reloc::PIC_, CodeModel::Small,
                                    CodeGenOptLevel::Default, true));
}

/// A processor's code generator with its passes, made once for many modules.
class Machine {
  public:
    explicit Machine(const Level& level) : target_(make_machine(level)), out_(bytes_) {}

    const TargetMachine& target() const { return *target_; }

    /// The module as an object file. (Passes leave nothing of one module to the next: each is told
    /// when a module begins and ends.)
    std::string write(Module& module) {
        if (!passes_) make_passes();
        bytes_.clear();
        passes_->run(module);
        return {bytes_.begin(), bytes_.end()};
    }

  private:
    void make_passes() {
        auto passes = std::make_unique<legacy::PassManager>();
        if (target_->addPassesToEmitFile(*passes, out_, nullptr, CodeGenFileType::ObjectFile, true))
            fail(ErrorKind::Compile, "LLVM cannot write object files for this machine");
        passes_ = std::move(passes);
    }

    std::unique_ptr<TargetMachine> target_;
    llvm::SmallVector<char, 0> bytes_;
    raw_svector_ostream out_;
    std::unique_ptr<legacy::PassManager> passes_;
};

/// What is dear to make and can be used again: a context with the maths library in it, and the
/// machines. One thread uses it at a time.
class Workbench {
  public:
    Workbench() : context_(std::make_unique<LLVMContext>()) {}

    std::unique_ptr<Module> build(std::span<const Source> sources, const Level& level,
                                  std::vector<Placement>& placements) {
        auto module = std::make_unique<Module>("croton", *context_);
        const TargetMachine& target = machine(level).target();
        module->setTargetTriple(target.getTargetTriple().str());
        module->setDataLayout(target.createDataLayout());
        Maths maths([this] { return library(); });
        placements = emit_kernels(*module, sources, level, maths);
#ifndef NDEBUG
        std::string problem;
        raw_string_ostream out(problem);
        if (verifyModule(*module, &out))
            fail(ErrorKind::Internal, "the code made for a kernel breaks LLVM's rules: ", problem);
#endif
        return module;
    }

    Object compile(std::span<const Source> sources, const Level& level) {
        Object result;
        auto module = build(sources, level, result.placements);
        result.bytes = machine(level).write(*module);
        uses_ += sources.size();
        return result;
    }

    /// Contexts never forget types and constants: an old one is thrown away.
    bool worn() const { return uses_ > 500; }

  private:
    // Read when a kernel calls for it: many do not.
    Module* library() {
        if (library_ || !&croton_maths_bitcode_size) return library_.get();
        StringRef bytes(reinterpret_cast<const char*>(croton_maths_bitcode),
                        croton_maths_bitcode_size);
        auto read = getLazyBitcodeModule(MemoryBufferRef(bytes, "croton_maths"), *context_);
        if (!read)
            fail(ErrorKind::Internal, "the maths library is broken: ", toString(read.takeError()));
        library_ = std::move(*read);
        return library_.get();
    }
    Machine& machine(const Level& level) {
        for (auto& [key, known] : machines_)
            if (key == level.key()) return *known;
        machines_.emplace_back(level.key(), std::make_unique<Machine>(level));
        return *machines_.back().second;
    }

    std::unique_ptr<LLVMContext> context_;
    std::unique_ptr<Module> library_;
    std::vector<std::pair<std::string, std::unique_ptr<Machine>>> machines_;
    size_t uses_ = 0;
};

/// Idle workbenches, as many as threads have ever compiled at once.
class Workshop {
  public:
    template <class Work>
    auto with_bench(Work work) {
        std::unique_ptr<Workbench> bench = take();
        if (!bench) bench = std::make_unique<Workbench>();
        auto result = work(*bench);
        if (!bench->worn()) {
            std::lock_guard lock(mutex_);
            idle_.push_back(std::move(bench));
        }
        return result;
    }

  private:
    std::unique_ptr<Workbench> take() {
        std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        auto bench = std::move(idle_.back());
        idle_.pop_back();
        return bench;
    }
    std::mutex mutex_;
    std::vector<std::unique_ptr<Workbench>> idle_;
};

Workshop& workshop() {
    static auto& instance = *new Workshop;  // threads may compile while the process ends
    return instance;
}

class Llvm final : public CodeGenerator {
  public:
    Object compile(std::span<const Source> sources, const Level& level) const override {
        return workshop().with_bench(
            [&](Workbench& bench) { return bench.compile(sources, level); });
    }

    std::string ir_text(const Source& source, const Level& level) const override {
        return workshop().with_bench([&](Workbench& bench) {
            std::string text;
            raw_string_ostream out(text);
            std::vector<Placement> placements;
            bench.build({&source, 1}, level, placements)->print(out, nullptr);
            return text;
        });
    }

    std::shared_ptr<const Code> link(std::string object) const override {
        return link_by_llvm(object);
    }
};
}  // namespace

}  // namespace croton::cpu

const croton::cpu::CodeGenerator* croton_code_generator() {
    static const auto& instance = *new croton::cpu::Llvm;
    return &instance;
}
