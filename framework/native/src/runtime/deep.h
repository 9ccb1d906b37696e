// A native stack that is large enough for recursion.
#pragma once

#include <functional>

namespace ms {

class CallState;

// Runs `work` of `call`: here when enough of this thread's stack is left for the deepest recursion that is allowed,
// else on a thread of its own. `call` learns how far the stack may be used.
void run_deep(CallState& call, const std::function<void()>& work);

}  // namespace ms
