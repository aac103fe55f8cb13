// What a user of an installed Croton compiles; it ends with 0 if all is well.
#include <iostream>
#include <vector>

#include "croton/base/error.hpp"
#include "croton/base/format.hpp"
#include "croton/version.hpp"

int main() {
    const std::vector<int64_t> shape{3, 4};
    try {
        croton::fail(croton::ErrorKind::Shape, "no room for ", croton::shape_text(shape));
    } catch (const croton::Error& error) {
        std::cout << "croton " << CROTON_VERSION << ": " << croton::error_name(error.kind()) << ": "
                  << error.what() << '\n';
        return std::string(error.what()) == "no room for (3, 4)" ? 0 : 1;
    }
}
