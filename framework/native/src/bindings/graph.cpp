#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.h"
#include "bindings/collected.h"
#include "graph/executable.h"
#include "graph/guards.h"
#include "graph/signature.h"

namespace ms {
namespace {

using Types = std::vector<std::pair<int64_t, nb::object>>;

OutputDescription parse_output(const nb::tuple& output) {
    const bool named = output.size() > 0 && PyUnicode_Check(nb::object(output[0]).ptr());
    const std::string kind = named ? nb::cast<std::string>(output[0]) : std::string();
    if (kind == "fresh" && output.size() == 3) {
        const nb::object shape = output[2];
        return {true, checked_code(nb::cast<int64_t>(output[1])),
                dims_from_python(shape.ptr(), "the shape of an output"), -1};
    }
    if (kind == "bound" && output.size() == 2) return {false, 0, {}, nb::cast<int64_t>(output[1])};
    throw Error(ErrorCode::kValue,
                std::string("an output must be ('fresh', code, shape) or ('bound', position), got ") +
                    nb::repr(output).c_str());
}

void make_executable(Executable* executable, uint64_t entry, int64_t arguments, std::vector<nb::object> bound,
                     const std::vector<nb::tuple>& outputs, std::vector<nb::object> constants, int64_t arena_bytes,
                     nb::object keepalive, const Types& signature, bool interruptible, bool recursive,
                     nb::object emit) {
    ExecutableDescription description{
        entry,         arguments, std::move(bound), {}, std::move(constants), arena_bytes, std::move(keepalive), {},
        interruptible, recursive, std::move(emit)};
    for (const auto& output : outputs) description.outputs.push_back(parse_output(output));
    for (const auto& [code, shape] : signature) {
        description.signature.emplace_back(code, dims_from_python(shape.ptr(), "a shape of the signature"));
    }
    ::new (executable) Executable(std::move(description));
}

}  // namespace

void bind_graph(nb::module_& module) {
    using namespace nb::literals;
    nb::class_<Executable>(module, "Executable", nb::type_slots(Collected<Executable>::slots),
                           "A compiled graph behind one native entry.")
        .def("__init__", make_executable, "entry_address"_a, "arguments"_a, "bound"_a, "outputs"_a, "constants"_a,
             "arena_bytes"_a, "keepalive"_a.none(), "signature"_a, "interruptible"_a = true, "recursive"_a = false,
             "emit"_a = nb::none())
        .def("__call__", [](Executable& self, const nb::args& arguments) { return self.call(arguments); });
    nb::class_<Guards>(module, "Guards", nb::type_slots(Collected<Guards>::slots),
                       "Python state that a compiled graph depends on.")
        .def(nb::init<const std::vector<Guards::Entry>&>(), "entries"_a)
        .def("check", &Guards::check)
        .def("__len__", &Guards::size);
    nb::class_<Signature>(module, "Signature", nb::type_slots(Collected<Signature>::slots),
                          "Types and values of a call's arguments.")
        .def("__hash__", [](const Signature& self) { return static_cast<int64_t>(self.hash() >> 1); })
        .def(
            "__eq__", [](const Signature& self, const Signature& other) { return self == other; }, nb::is_operator())
        .def("__repr__", &Signature::text);
    module.def("signature", [](nb::tuple args) { return Signature(std::move(args)); }, "args"_a);
    module.attr("MISSING") = missing();
}

}  // namespace ms
