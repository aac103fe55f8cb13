#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/Orc/TaskDispatch.h>

#include <atomic>

#include "croton/backend/cpu/generator.hpp"
#include "croton/backend/cpu/helpers.hpp"
#include "croton/base/error.hpp"

namespace croton::cpu {

using namespace llvm;

namespace {
template <class T>
T unwrap(Expected<T> value, const char* what) {
    if (!value) fail(ErrorKind::Compile, "cannot ", what, ": ", toString(value.takeError()));
    return std::move(*value);
}
void check(llvm::Error error, const char* what) {
    if (error) fail(ErrorKind::Compile, "cannot ", what, ": ", toString(std::move(error)));
}

/// The process's linker. Only the helpers can be reached from linked code.
class Session {
  public:
    static Session& instance() {
        static auto& session = *new Session;  // code may run while the process ends
        return session;
    }

    orc::JITDylib& add(const std::string& object) {
        auto& library = session_.createBareJITDylib("code" + std::to_string(++count_));
        library.addToLinkOrder(helpers_);
        auto buffer = MemoryBuffer::getMemBufferCopy(object, library.getName());
        check(layer_.add(library, std::move(buffer)), "link compiled code");
        return library;
    }

    void remove(orc::JITDylib& library) {
        // An error here has nobody to go to: the code stays in memory.
        consumeError(session_.removeJITDylib(library));
    }

    SectionFunction find(orc::JITDylib& library, const std::string& symbol) {
        auto found = session_.lookup({&library}, session_.intern(symbol));
        return unwrap(std::move(found), "find compiled code").getAddress().toPtr<SectionFunction>();
    }

  private:
    Session()
        : session_(unwrap(orc::SelfExecutorProcessControl::Create(
                              nullptr, std::make_unique<orc::InPlaceTaskDispatcher>()),
                          "start the linker")),
          layer_(session_),
          helpers_(session_.createBareJITDylib("helpers")) {
        session_.setErrorReporter([](llvm::Error error) { consumeError(std::move(error)); });
        orc::SymbolMap symbols;
        for (const auto& helper : helpers())
            symbols[session_.intern(StringRef(helper.name.data(), helper.name.size()))] = {
                orc::ExecutorAddr::fromPtr(helper.address),
                JITSymbolFlags::Exported | JITSymbolFlags::Callable};
        check(helpers_.define(orc::absoluteSymbols(std::move(symbols))), "name the helpers");
    }

    orc::ExecutionSession session_;
    orc::ObjectLinkingLayer layer_;
    orc::JITDylib& helpers_;
    std::atomic<int64_t> count_{0};
};

class Linked final : public Code {
  public:
    explicit Linked(const std::string& object) : library_(Session::instance().add(object)) {}
    ~Linked() override { Session::instance().remove(library_); }
    SectionFunction function(const std::string& symbol) const override {
        return Session::instance().find(library_, symbol);
    }

  private:
    orc::JITDylib& library_;
};
}  // namespace

std::shared_ptr<const Code> link_by_llvm(const std::string& object) {
    return std::make_shared<Linked>(object);
}

}  // namespace croton::cpu
