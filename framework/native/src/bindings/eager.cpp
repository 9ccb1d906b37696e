#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.h"
#include "bindings/collected.h"
#include "eager/eager_op.h"
#include "eager/plan.h"
#include "eager/tape.h"

namespace ms {
namespace {

using Types = std::vector<std::pair<int64_t, nb::object>>;
using Steps = std::vector<std::tuple<uint64_t, Dims, Dims>>;
using Pairs = std::vector<std::pair<int64_t, int64_t>>;

void make_plan(Plan* plan, int64_t operands, const Types& outputs, Dims temporaries, std::vector<nb::object> constants,
               Pairs numbers, Steps steps, Pairs aliases, bool single, nb::object keepalive) {
    PlanDescription description{
        operands,           {},     std::move(temporaries), std::move(constants), std::move(numbers), std::move(steps),
        std::move(aliases), single, std::move(keepalive)};
    for (const auto& [code, shape] : outputs) {
        description.outputs.emplace_back(code, dims_from_python(shape.ptr(), "the shape of an output"));
    }
    ::new (plan) Plan(std::move(description));
}

nb::object call_plan(const Plan& plan, const nb::args& operands) {
    return plan.run(PySequence_Fast_ITEMS(operands.ptr()), operands.size(), "the plan");
}

}  // namespace

void bind_eager(nb::module_& module) {
    using namespace nb::literals;
    nb::class_<Plan>(module, "Plan", nb::type_slots(Collected<Plan>::slots),
                     "Kernel calls over operands, outputs and temporaries.")
        .def("__init__", make_plan, "operands"_a, "outputs"_a, "temporaries"_a, "constants"_a, "numbers"_a, "steps"_a,
             "aliases"_a, "single"_a, "keepalive"_a.none() = nb::none())
        .def("__call__", call_plan);
    module.attr("EagerOp") = create_eager_op_type();
    module.def("set_tape", set_tape, "tape"_a.none());
    module.def("get_tape", get_tape);
}

}  // namespace ms
