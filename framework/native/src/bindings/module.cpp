#include "bindings/bindings.h"
#include "runtime/kernels.h"
#include "runtime/runtime.h"

NB_MODULE(_native, module) {
    nanobind::register_exception_translator([](const std::exception_ptr& pointer, void*) {
        try {
            std::rethrow_exception(pointer);
        } catch (const ms::Error& error) {
            ms::set_python_error(error);
        }
    });
    // Operators, types and cached plans live as long as the process; at exit they are no leak to report.
    nanobind::set_leak_warnings(false);
    module.doc() = "Tensors, eager dispatch and execution of compiled graphs.";
    ms::initialize_runtime();
    ms::initialize_kernels();
    ms::bind_runtime(module);
    ms::bind_tensor(module);
    ms::bind_eager(module);
    ms::bind_graph(module);
}
