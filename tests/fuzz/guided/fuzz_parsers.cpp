// The readers of tests/fuzz/parsers.hpp under libFuzzer (clang): inputs that take new paths are
// kept. The first byte of an input chooses the reader. tests/README.md says how it is run.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/fuzz/parsers.hpp"

using namespace croton::test;

namespace {

// The samples are the first inputs: written into the folder that CROTON_FUZZ_SAMPLES names.
void write_samples(const std::string& folder) {
    for (size_t which = 0; which < parsers().size(); ++which)
        for (size_t i = 0; i < parsers()[which].samples.size(); ++i) {
            std::string name = parsers()[which].name + std::to_string(i);
            std::ofstream file(folder + "/" + name, std::ios::binary);
            file << static_cast<char>(which) << parsers()[which].samples[i];
        }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    if (const char* folder = std::getenv("CROTON_FUZZ_SAMPLES")) write_samples(folder);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const Parser& parser = parsers()[data[0] % parsers().size()];
    std::string wrong = parser.read({reinterpret_cast<const char*>(data) + 1, size - 1});
    if (wrong.empty()) return 0;
    std::fprintf(stderr, "%s: %s\n", parser.name.c_str(), wrong.c_str());
    std::abort();
}
