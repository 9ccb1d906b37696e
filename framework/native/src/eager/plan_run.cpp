// One run of a Plan.
#include <optional>
#include <string>

#include "base/small_array.h"
#include "eager/plan.h"
#include "memory/allocator.h"
#include "runtime/call.h"
#include "runtime/interrupt.h"
#include "runtime/runtime.h"
#include "tensor/scalar.h"

namespace ms {
namespace {

// Below this many bytes in all, giving up the GIL and taking it again would cost more than it lets others do.
constexpr int64_t kReleaseGilBytes = int64_t{64} << 10;
constexpr size_t kFewBuffers = 16;

struct alignas(16) Cell {
    std::byte bytes[16];
};

class Block {
  public:
    explicit Block(int64_t bytes)
        : bytes_(static_cast<size_t>(bytes)),
          data_(bytes ? static_cast<std::byte*>(Allocator::instance().allocate(bytes_)) : nullptr) {}
    ~Block() { Allocator::instance().free(data_, bytes_); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    [[nodiscard]] std::byte* at(int64_t offset) const noexcept { return data_ + offset; }

  private:
    size_t bytes_;
    std::byte* data_;
};

}  // namespace

class Plan::Run {
  public:
    Run(const Plan& plan, PyObject* const* operands, const char* what)
        : plan_(plan),
          what_(what),
          operands_(operands),
          buffers_(plan.buffer_count_),
          cells_(plan.operand_count_),
          outputs_(plan.outputs_.size()),
          block_(plan.temporary_bytes_) {}

    [[nodiscard]] nb::object result() {
        read_operands();
        place_temporaries();
        place_constants();
        place_outputs();
        execute();
        return wrap();
    }

  private:
    void read_operands();
    void read_number(size_t i);
    void read_tensor(size_t i);
    void place_temporaries();
    void place_constants();
    void place_outputs();
    [[nodiscard]] TensorValue shared_value(const Output& output);
    [[nodiscard]] TensorValue operand_value(size_t i) const;
    void execute();
    [[nodiscard]] nb::object wrap();

    const Plan& plan_;
    const char* what_;
    PyObject* const* operands_;
    SmallArray<void*, kFewBuffers> buffers_;
    SmallArray<Cell, 4> cells_;
    SmallArray<TensorValue, 2> outputs_;
    Block block_;
    int64_t bytes_ = 0;
    std::vector<std::pair<size_t, TensorValue>> copies_;          // contiguous copies of operands
    std::vector<std::pair<size_t, StorageRef>> own_temporaries_;  // those that outputs share
};

void Plan::Run::read_operands() {
    bytes_ = plan_.fixed_bytes_;
    for (size_t i = 0; i < plan_.operand_count_; ++i) {
        if (is_tensor(operands_[i])) {
            read_tensor(i);
        } else if (operands_[i] == Py_None) {
            buffers_[i] = nullptr;
        } else {
            read_number(i);
        }
    }
}

void Plan::Run::read_tensor(size_t i) {
    if (plan_.number_codes_[i] >= 0) {
        throw Error(ErrorCode::kType,
                    "operand " + std::to_string(i) + " of " + what_ + " must be a number, got a tensor");
    }
    const auto& tensor = *as_tensor(operands_[i]);
    bytes_ += tensor.nbytes();
    if (tensor.layout->is_contiguous()) {
        buffers_[i] = tensor.data;
        return;
    }
    copies_.emplace_back(i, copied_value(tensor));
    buffers_[i] = copies_.back().second.data;
}

void Plan::Run::read_number(size_t i) {
    const int32_t code = plan_.number_codes_[i];
    if (code < 0) {
        throw Error(ErrorCode::kType, "operand " + std::to_string(i) + " of " + what_ + " must be a tensor, got " +
                                          type_name(operands_[i]));
    }
    element_from_number(operands_[i], code, cells_[i].bytes);
    buffers_[i] = cells_[i].bytes;
}

void Plan::Run::place_temporaries() {
    const size_t first = plan_.operand_count_ + plan_.outputs_.size();
    for (size_t i = 0; i < plan_.temporaries_.size(); ++i) {
        const auto& temporary = plan_.temporaries_[i];
        if (temporary.offset >= 0) {
            buffers_[first + i] = block_.at(temporary.offset);
        } else {
            own_temporaries_.emplace_back(i, Storage::allocate(static_cast<size_t>(temporary.bytes)));
            buffers_[first + i] = own_temporaries_.back().second->data();
        }
    }
}

void Plan::Run::place_constants() {
    const size_t first = plan_.buffer_count_ - plan_.constants_.size();
    for (size_t i = 0; i < plan_.constants_.size(); ++i) buffers_[first + i] = plan_.constants_[i].data;
}

TensorValue Plan::Run::operand_value(size_t i) const {
    for (const auto& [position, value] : copies_) {
        if (position == i) return value;
    }
    return value_of(*checked_tensor(operands_[i], "an operand whose storage an output shares"));
}

// The storage that `output` shares. A constant is copied: its memory belongs to every later call.
TensorValue Plan::Run::shared_value(const Output& output) {
    const auto [group, index] = plan_.locate(static_cast<size_t>(output.alias));
    if (group == Group::kOperand) return operand_value(index);
    if (group == Group::kOutput) return outputs_[index];
    if (group == Group::kTemporary) {
        for (const auto& [position, storage] : own_temporaries_) {
            if (position == index) return {storage, output.layout, storage->data(), output.code};
        }
    }
    auto copy = empty_value(plan_.constants_[index].layout, plan_.constants_[index].code);
    copy_large(plan_.constants_[index], copy);
    return copy;
}

void Plan::Run::place_outputs() {
    for (size_t i = 0; i < plan_.outputs_.size(); ++i) {
        const auto& output = plan_.outputs_[i];
        if (output.alias < 0) {
            outputs_[i] = empty_value(output.layout, output.code);
        } else {
            auto shared = shared_value(output);
            const auto first = static_cast<size_t>(shared.data - shared.storage->data());
            if (output.bytes > 0 && first + static_cast<size_t>(output.bytes) > shared.storage->bytes()) {
                throw Error(ErrorCode::kValue, "output " + std::to_string(i) + " of " + std::to_string(output.bytes) +
                                                   " bytes does not fit the storage that it shares");
            }
            outputs_[i] = {std::move(shared.storage), output.layout, shared.data, output.code};
        }
        buffers_[plan_.operand_count_ + i] = outputs_[i].data;
    }
}

void Plan::Run::execute() {
    CallState state;
    const CallScope scope(&state);
    int32_t code = 0;
    if (bytes_ < kReleaseGilBytes) {
        code = plan_.execute(runtime(), buffers_.data());
    } else {
        // Held while the GIL is free: another thread may give an operand other storage.
        SmallArray<StorageRef, kFewBuffers> held(plan_.operand_count_);
        for (size_t i = 0; i < plan_.operand_count_; ++i) {
            if (is_tensor(operands_[i])) held[i] = as_tensor(operands_[i])->storage;
        }
        const Interruptible interruptible(true);
        const MaybeReleaseGil unlocked(true);
        const LongCall announced;
        code = plan_.execute(interruptible.runtime(), buffers_.data());
    }
    check_call(state, code, what_);
}

nb::object Plan::Run::wrap() {
    if (plan_.single_) return make_tensor(std::move(outputs_[0]));
    auto tuple = checked(PyTuple_New(static_cast<Py_ssize_t>(outputs_.size())));
    for (size_t i = 0; i < outputs_.size(); ++i) {
        PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), make_tensor(std::move(outputs_[i])).release().ptr());
    }
    return tuple;
}

int32_t Plan::execute(const Runtime* rt, void* const* buffers) const {
    for (const auto& step : steps_) {
        SmallArray<void*, kFewBuffers> arguments(step.buffer_count);
        for (size_t i = 0; i < step.buffer_count; ++i) arguments[i] = buffers[step_buffers_[step.first_buffer + i]];
        if (const int32_t code = step.fn(rt, arguments.data(), step_params_.data() + step.first_param)) return code;
    }
    return 0;
}

nb::object Plan::run(PyObject* const* operands, size_t count, const char* what) const {
    if (count != operand_count_) {
        throw Error(ErrorCode::kType, std::string(what) + " takes " + std::to_string(operand_count_) +
                                          " operands, got " + std::to_string(count));
    }
    return Run(*this, operands, what).result();
}

}  // namespace ms
