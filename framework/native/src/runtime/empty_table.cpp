// Stands in for the generated table while there is no generator: a module without ahead-of-time kernels.
#include "runtime_abi.h"

extern "C" {
const MsKernelEntry ms_kernel_table[] = {{"", "", nullptr}};
const size_t ms_kernel_count = 0;
}
