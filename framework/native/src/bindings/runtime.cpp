#include "runtime/runtime.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.h"
#include "memory/allocator.h"
#include "runtime/kernels.h"

namespace ms {
namespace {

nb::dict memory_stats() {
    const auto stats = Allocator::instance().stats();
    nb::dict result;
    result["in_use"] = stats.in_use;
    result["peak"] = stats.peak;
    result["reserved_peak"] = stats.reserved_peak;
    result["cached"] = stats.cached;
    result["limit"] = stats.limit;
    result["blocks"] = stats.blocks;
    result["hits"] = stats.hits;
    result["system_blocks"] = stats.system_blocks;
    return result;
}

}  // namespace

void bind_runtime(nb::module_& module) {
    using namespace nb::literals;
    module.def("abi_version", [] { return MS_RUNTIME_ABI_VERSION; });
    module.def("isa_level", isa_level);
    module.def("set_isa_level", [](const std::string& level) { set_isa_level(level); }, "level"_a);
    module.def("kernel_names", kernel_names);
    module.def(
        "kernel_address", [](const std::string& name) { return reinterpret_cast<uintptr_t>(find_kernel(name)); },
        "name"_a);
    module.def("runtime_address", [] { return reinterpret_cast<uintptr_t>(runtime()); });
    module.def("set_num_threads", set_thread_count, "count"_a, nb::call_guard<nb::gil_scoped_release>());
    module.def("get_num_threads", thread_count);
    module.def("set_max_call_depth", set_max_call_depth, "depth"_a);
    module.def("get_max_call_depth", max_call_depth);
    module.def("set_cancel", set_cancel, "cancel"_a);
    module.def("memory_stats", memory_stats);
    module.def(
        "memory_reset_peaks", [](bool in_use, bool reserved) { Allocator::instance().reset_peaks(in_use, reserved); },
        "in_use"_a, "reserved"_a);
    module.def("memory_trim", [] { Allocator::instance().trim(); });
}

}  // namespace ms
