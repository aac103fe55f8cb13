// The extension module croton._core.
#include "croton/version.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

NB_MODULE(_core, m) {
    m.doc() = "Croton's library as Python sees it; the package croton gives it Theano's face.";
    nb::set_leak_warnings(false);  // modules keep classes alive at exit
    bind_errors(m);
    bind_types(m);
    bind_variables(m);
    bind_ops(m);
    bind_functions(m);
    bind_gradients(m);
    bind_controls(m);
    bind_scans(m);
    bind_user_ops(m);
    bind_optimizers(m);
    bind_files(m);
    bind_display(m);
    m.def("set_package_folder", set_package_folder, nb::arg("folder"),
          "Lines of files below this folder are never taken for the user's.");
}

}  // namespace croton::python
