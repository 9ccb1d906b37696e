#include "tensor/tensor.h"

#include <nanobind/stl/string.h>

#include "bindings/bindings.h"
#include "tensor/attributes.h"
#include "tensor/operators.h"

namespace ms {
namespace {

void set_tensor_type(nb::handle type) {
    if (!PyType_Check(type.ptr()) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type.ptr()), tensor_base_type)) {
        throw Error(ErrorCode::kType,
                    std::string("the tensor type must be a subclass of TensorBase, got ") + nb::repr(type).c_str());
    }
    type.inc_ref();
    const nb::object previous = nb::steal(
        reinterpret_cast<PyObject*>(std::exchange(tensor_result_type, reinterpret_cast<PyTypeObject*>(type.ptr()))));
}

}  // namespace

void bind_tensor(nb::module_& module) {
    using namespace nb::literals;
    auto type = create_tensor_type();
    type.inc_ref();  // for tensor_result_type
    module.attr("TensorBase") = type;
    module.def("set_dtypes", set_dtypes, "types"_a);
    module.def("set_tensor_type", set_tensor_type, "type"_a);
    module.def("get_tensor_type", [] { return nb::borrow(reinterpret_cast<PyObject*>(tensor_result_type)); });
    module.def("get_operator", [](const std::string& slot) { return get_operator(slot); }, "slot"_a);
    module.def(
        "set_operator", [](const std::string& slot, nb::object function) { set_operator(slot, std::move(function)); },
        "slot"_a, "function"_a.none());
}

}  // namespace ms
