// Compiles the kernels of small graphs for each level of vectors: croton_precompile FILE. The file
// is of use to the libcroton that this program ran with.
#include <cstdio>

#include "croton/backend/cpu/precompiled.hpp"
#include "croton/base/error.hpp"
#include "croton/base/file.hpp"
#include "tools/precompile/kernels.hpp"

int main(int argc, char** argv) {
    using namespace croton;
    if (argc != 2) {
        std::fprintf(stderr, "croton_precompile FILE\n");
        return 2;
    }
    try {
        std::vector<kernel::Kernel> kernels;
        precompile::for_each_graph([&](const precompile::Graph& graph) {
            auto found = precompile::kernels_of(graph);
            kernels.insert(kernels.end(), found.begin(), found.end());
        });
        auto contents = precompile::compiled(kernels, cpu::portable_levels());
        std::string packed = cpu::Precompiled::pack(contents);
        AtomicFile file(argv[1]);
        file.write(packed);
        file.commit();
        std::printf("%zu pieces of code, %zu KiB\n", contents.size(), packed.size() / 1024);
    } catch (const Error& error) {
        std::fprintf(stderr, "croton_precompile: %s\n", error.what());
        return 1;
    }
}
