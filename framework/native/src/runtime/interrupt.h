// Ctrl-C ends a long run on Python's main thread.
#pragma once

#include "runtime_abi.h"

namespace ms {

// While one lives on Python's main thread, and Python would turn SIGINT into KeyboardInterrupt, that signal also
// cancels what runs with `runtime()`; runs of other threads go on. Made and destroyed with the GIL held.
class Interruptible {
  public:
    explicit Interruptible(bool wanted);
    ~Interruptible();
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;

    [[nodiscard]] const Runtime* runtime() const noexcept;

    static void cancel(bool cancel) noexcept;
    static void forget_all() noexcept;

  private:
    bool armed_;
};

// Lets Python raise what a signal asks for; throws when it does.
void raise_for_signals();

}  // namespace ms
