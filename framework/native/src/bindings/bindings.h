// The parts of the module, one function each.
#pragma once

#include "bindings/python.h"

namespace ms {

void bind_runtime(nb::module_& module);
void bind_tensor(nb::module_& module);
void bind_eager(nb::module_& module);
void bind_graph(nb::module_& module);

}  // namespace ms
