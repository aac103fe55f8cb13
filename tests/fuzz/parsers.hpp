#pragma once
// Everything that reads what others wrote: texts of graphs, kernels, types, attributes and indices,
// files of arrays. Whatever the bytes, a reader gives a value or an Error; what it gives comes back
// when it is written and read once more.
#include <string>
#include <string_view>
#include <vector>

namespace croton::test {

struct Parser {
    std::string name;
    std::vector<std::string> samples;  ///< good texts or files to begin with
    /// Reads the bytes. "" if they were refused by an Error or read and written back; else what is
    /// wrong. Anything thrown that is no Error gets out.
    std::string (*read)(std::string_view bytes);
};

/// All of them; samples are made on the first call.
const std::vector<Parser>& parsers();

}  // namespace croton::test
