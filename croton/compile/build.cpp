#include "croton/compile/build.hpp"

#include "croton/compile/reference.hpp"
#include "croton/compile/translate.hpp"

namespace croton::compile {

Built build(const BuildRequest& request) {
    auto program = std::make_shared<runtime::Program>(
        translate(request.inputs, request.outputs, request.name));
    program->verify();
    generate(*program,
             runtime::backend(request.mode.backend == "cpu" ? "interp" : request.mode.backend));
    return {program, std::make_shared<Trace>()};
}

}  // namespace croton::compile
