// EagerOp: the callable behind every eager operator.
#pragma once

#include "bindings/python.h"

namespace ms {

// Creates the type; called once at import.
[[nodiscard]] nb::object create_eager_op_type();

}  // namespace ms
