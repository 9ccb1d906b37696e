#include "graph/executable.h"

#include "base/small_array.h"
#include "memory/allocator.h"
#include "runtime/call.h"
#include "runtime/deep.h"
#include "runtime/interrupt.h"
#include "runtime/runtime.h"

namespace ms {
namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorCode::kValue, "Executable: " + what);
}

}  // namespace

// An arena for one call; it goes back to the idle ones, not to the allocator.
class Executable::Arena {
  public:
    explicit Arena(Executable& owner) : owner_(owner), memory_(nullptr) {
        if (owner.idle_arenas_.empty()) {
            memory_ = Allocator::instance().allocate(owner.arena_bytes_);
        } else {
            memory_ = owner.idle_arenas_.back();
            owner.idle_arenas_.pop_back();
        }
    }
    ~Arena() { owner_.idle_arenas_.push_back(memory_); }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    [[nodiscard]] void* data() const noexcept { return memory_; }

  private:
    Executable& owner_;
    void* memory_;
};

Executable::Executable(ExecutableDescription description)
    : entry_(reinterpret_cast<EntryFn>(description.entry)),
      argument_count_(static_cast<size_t>(description.arguments)),
      bound_(std::move(description.bound)),
      outputs_(std::move(description.outputs)),
      written_(bound_.size(), false),
      arena_bytes_(static_cast<size_t>(description.arena_bytes)),
      keepalive_(std::move(description.keepalive)),
      interruptible_(description.interruptible),
      recursive_(description.recursive),
      emit_(std::move(description.emit)) {
    if (!entry_) refuse("the entry address must not be 0");
    if (description.arguments < 0 || description.arena_bytes < 0)
        refuse("arguments and arena_bytes must not be negative");
    if (description.signature.size() != argument_count_ + bound_.size()) {
        refuse("the signature must have one (code, shape) for each of " + std::to_string(argument_count_) +
               " arguments and " + std::to_string(bound_.size()) + " bound tensors, got " +
               std::to_string(description.signature.size()));
    }
    for (auto& [code, shape] : description.signature) {
        signature_.push_back({checked_code(code), Layout::contiguous(std::move(shape))});
    }
    for (const auto& output : outputs_) {
        output_layouts_.push_back(output.fresh ? Layout::contiguous(output.shape) : LayoutRef());
        if (output.fresh) continue;
        if (output.bound < 0 || static_cast<size_t>(output.bound) >= bound_.size()) {
            refuse("a bound output must be in [0, " + std::to_string(bound_.size()) + "), got " +
                   std::to_string(output.bound));
        }
        written_[static_cast<size_t>(output.bound)] = true;
    }
    for (const auto& constant : description.constants) {
        constants_.push_back(contiguous_value(*checked_tensor(constant.ptr(), "a constant of an Executable")));
    }
    for (size_t i = 0; i < bound_.size(); ++i) {
        if (written_[i]) written_positions_.push_back(i);
        static_cast<void>(checked_tensor(bound_[i].ptr(), "a bound tensor"));
        check_bound(i);
    }
}

Executable::~Executable() {
    for (void* arena : idle_arenas_) Allocator::instance().free(arena, arena_bytes_);
}

void Executable::check_argument(size_t i, PyObject* argument) const {
    if (!is_tensor(argument)) {
        throw Error(ErrorCode::kType,
                    "argument " + std::to_string(i) + " must be a Tensor, got " + type_name(argument));
    }
    const auto& tensor = *as_tensor(argument);
    const auto& expected = signature_[i];
    if (expected.fits(tensor)) return;
    throw Error(ErrorCode::kValue,
                "argument " + std::to_string(i) + " must be " + type_text(expected.code, *expected.layout) + ", got " +
                    type_text(tensor.code, *tensor.layout) + "; the graph was compiled for the former");
}

void Executable::check_bound(size_t i) const {
    const auto& tensor = *as_tensor(bound_[i].ptr());
    const auto& expected = signature_[argument_count_ + i];
    if (!expected.fits(tensor)) {
        throw Error(ErrorCode::kRuntime, "bound tensor " + std::to_string(i) + " must be " +
                                             type_text(expected.code, *expected.layout) + ", got " +
                                             type_text(tensor.code, *tensor.layout) + "; compile the graph again");
    }
    if (written_[i] && !tensor.layout->is_contiguous()) {
        throw Error(ErrorCode::kRuntime,
                    "bound tensor " + std::to_string(i) +
                        " is written by the graph and must be contiguous; give it a contiguous storage");
    }
}

Executable::Held Executable::hold(const Tensor& tensor) {
    if (tensor.layout->is_contiguous()) return {tensor.storage, tensor.data};
    return copy(tensor);
}

Executable::Held Executable::copy(const Tensor& tensor) {
    auto made = copied_value(tensor);
    return {std::move(made.storage), made.data};
}

std::vector<Executable::Held> Executable::inputs(PyObject* arguments) {
    const auto count = static_cast<size_t>(PyTuple_GET_SIZE(arguments));
    if (count != argument_count_) {
        throw Error(ErrorCode::kType,
                    "the graph takes " + std::to_string(argument_count_) + " tensors, got " + std::to_string(count));
    }
    std::vector<Held> held;
    held.reserve(argument_count_ + bound_.size());
    for (size_t i = 0; i < argument_count_; ++i) {
        PyObject* argument = PyTuple_GET_ITEM(arguments, static_cast<Py_ssize_t>(i));
        check_argument(i, argument);
        held.push_back(hold(*as_tensor(argument)));
    }
    for (size_t i = 0; i < bound_.size(); ++i) {
        check_bound(i);
        held.push_back(hold(*as_tensor(bound_[i].ptr())));
    }
    separate(arguments, held);
    return held;
}

// The graph writes its bound tensors while it still reads its inputs: an input in the same storage is read from a copy.
void Executable::separate(PyObject* arguments, std::vector<Held>& held) {
    find_shared(held);
    for (size_t i = 0; i < argument_count_; ++i) {
        for (const size_t written : written_positions_) {
            if (held[i].storage.get() != held[argument_count_ + written].storage.get()) continue;
            held[i] = copy(*as_tensor(PyTuple_GET_ITEM(arguments, static_cast<Py_ssize_t>(i))));
            break;
        }
    }
    for (const size_t i : shared_bound_) held[argument_count_ + i] = copy(*as_tensor(bound_[i].ptr()));
}

// Looks for bound tensors that share storage; again only when one of them has got another storage.
void Executable::find_shared(const std::vector<Held>& held) {
    const auto same = [&](size_t i) { return seen_storages_[i] == held[argument_count_ + i].storage.get(); };
    bool known = seen_storages_.size() == bound_.size();
    for (size_t i = 0; known && i < bound_.size(); ++i) known = same(i);
    if (known) return;
    seen_storages_.clear();
    shared_bound_.clear();
    for (size_t i = 0; i < bound_.size(); ++i) {
        const auto* storage = held[argument_count_ + i].storage.get();
        for (const size_t written : written_positions_) {
            if (written == i || held[argument_count_ + written].storage.get() != storage) continue;
            if (written_[i]) {
                throw Error(ErrorCode::kRuntime,
                            "bound tensors " + std::to_string(written) + " and " + std::to_string(i) +
                                " share storage and the graph writes both; give each its own copy");
            }
            shared_bound_.push_back(i);
            break;
        }
    }
    for (size_t i = 0; i < bound_.size(); ++i) seen_storages_.push_back(held[argument_count_ + i].storage.get());
}

std::vector<TensorValue> Executable::fresh_outputs() const {
    std::vector<TensorValue> fresh;
    for (size_t i = 0; i < outputs_.size(); ++i) {
        if (outputs_[i].fresh) fresh.push_back(empty_value(output_layouts_[i], outputs_[i].code));
    }
    return fresh;
}

void Executable::fill_slots(void** slots, const std::vector<Held>& inputs,
                            const std::vector<TensorValue>& fresh) const {
    for (const auto& input : inputs) *slots++ = input.data;
    size_t next_fresh = 0;
    for (const auto& output : outputs_) {
        *slots++ =
            output.fresh ? fresh[next_fresh++].data : inputs[argument_count_ + static_cast<size_t>(output.bound)].data;
    }
    for (const auto& constant : constants_) *slots++ = constant.data;
}

void Executable::bump_written(const std::vector<Held>& inputs) const {
    for (size_t i = 0; i < bound_.size(); ++i) {
        if (written_[i]) inputs[argument_count_ + i].storage->bump_version();
    }
}

int32_t Executable::run(CallState& state, void** slots) const {
    const Interruptible interruptible(interruptible_);
    const MaybeReleaseGil unlocked(true);
    const LongCall announced;
    const auto* table = interruptible.runtime();
    if (!recursive_) return entry_(table, slots);
    int32_t code = 0;
    run_deep(state, [&] { code = entry_(table, slots); });
    return code;
}

EmitFunction Executable::emitter() const {
    if (!emit_.is_valid() || emit_.is_none()) return nullptr;
    return [this](int64_t site, int64_t count, void* const* values) {
        const nb::gil_scoped_acquire gil;
        auto addresses = checked(PyTuple_New(static_cast<Py_ssize_t>(count)));
        for (int64_t i = 0; i < count; ++i) {
            auto address = checked(PyLong_FromVoidPtr(values[i]));
            PyTuple_SET_ITEM(addresses.ptr(), static_cast<Py_ssize_t>(i), address.release().ptr());
        }
        emit_(site, addresses);
    };
}

nb::object Executable::call(nb::handle arguments) {
    const auto values = inputs(arguments.ptr());
    auto fresh = fresh_outputs();
    SmallArray<void*, 128> slots(values.size() + outputs_.size() + constants_.size() + 1);
    fill_slots(slots.data(), values, fresh);
    const Arena arena(*this);
    slots[slots.size() - 1] = arena.data();
    CallState state(emitter());
    const CallScope scope(&state);
    const int32_t code = run(state, slots.data());
    bump_written(values);
    check_call(state, code, "the compiled graph");
    auto results = checked(PyTuple_New(static_cast<Py_ssize_t>(fresh.size())));
    for (size_t i = 0; i < fresh.size(); ++i) {
        PyTuple_SET_ITEM(results.ptr(), static_cast<Py_ssize_t>(i), make_tensor(std::move(fresh[i])).release().ptr());
    }
    return results;
}

int Executable::traverse(visitproc visit, void* arg) const {
    for (const auto& tensor : bound_) Py_VISIT(tensor.ptr());
    Py_VISIT(keepalive_.ptr());
    Py_VISIT(emit_.ptr());
    return 0;
}

void Executable::clear() {
    keepalive_.reset();
    emit_.reset();
}

}  // namespace ms
