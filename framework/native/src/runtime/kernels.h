// The ahead-of-time kernels that are linked in, by name and ISA level.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime_abi.h"

namespace ms {

// Chooses the level: the best of this machine, lowered by MS_ISA_LEVEL. Error when the processor is too old or the
// variable is wrong.
void initialize_kernels();

[[nodiscard]] std::string isa_level();
void set_isa_level(std::string_view level);
[[nodiscard]] std::vector<std::string> kernel_names();
// The kernel of the active level, or of the highest level below it that has one; null when there is none.
[[nodiscard]] KernelFn find_kernel(std::string_view name);

}  // namespace ms
