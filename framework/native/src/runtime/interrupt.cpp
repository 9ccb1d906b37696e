#include "runtime/interrupt.h"

#include <signal.h>

#include <atomic>

#include "bindings/python.h"
#include "runtime/runtime.h"

namespace ms {
namespace {

static_assert(std::atomic<bool>::is_always_lock_free);

// The table of the armed run: the common one with a flag of its own.
Runtime table{};
int32_t flag = 0;
std::atomic<bool> armed{false};
struct sigaction replaced{};  // Python's own handler, called after ours

void set_flag(bool cancel) noexcept {
    std::atomic_ref(flag).store(cancel ? 1 : 0, std::memory_order_relaxed);
}

void on_interrupt(int signal, siginfo_t* info, void* context) {
    if (armed.load()) set_flag(true);
    if ((replaced.sa_flags & SA_SIGINFO) != 0) {
        replaced.sa_sigaction(signal, info, context);
    } else {
        replaced.sa_handler(signal);
    }
}

nb::object attribute(const char* module, const char* name) {
    return nb::module_::import_(module).attr(name);
}

bool on_main_thread() {
    static const nb::object& threads = *new nb::object(attribute("threading", "main_thread"));
    // Asked of Python, because a fork on another thread makes that one the main thread.
    return nb::cast<unsigned long>(threads().attr("ident")) == PyThread_get_thread_ident();
}

bool raises_keyboard_interrupt() {
    static const nb::object& current = *new nb::object(attribute("signal", "getsignal"));
    static const nb::object& standard = *new nb::object(attribute("signal", "default_int_handler"));
    return current(SIGINT).is(standard);
}

// `signal.signal` puts Python's handler in the place of ours, so each run looks again.
bool handles_interrupts() {
    struct sigaction now{};
    if (sigaction(SIGINT, nullptr, &now) != 0) return false;
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_interrupt) return true;
    if (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN || !raises_keyboard_interrupt()) return false;
    replaced = now;
    now.sa_flags |= SA_SIGINFO;
    now.sa_sigaction = on_interrupt;
    return sigaction(SIGINT, &now, nullptr) == 0;
}

}  // namespace

Interruptible::Interruptible(bool wanted)
    : armed_(wanted && !armed.load() && on_main_thread() && handles_interrupts()) {
    if (!armed_) return;
    table = *ms::runtime();
    set_flag(is_cancelled(&table));
    table.cancel = &flag;
    armed.store(true);
}

Interruptible::~Interruptible() {
    if (armed_) armed.store(false);
}

const Runtime* Interruptible::runtime() const noexcept {
    return armed_ ? &table : ms::runtime();
}

void Interruptible::cancel(bool cancel) noexcept {
    set_flag(cancel);
}

void Interruptible::forget_all() noexcept {
    armed.store(false);
}

void raise_for_signals() {
    if (PyErr_CheckSignals() != 0) throw_python_error();
}

}  // namespace ms
