#include "eager/plan.h"

#include <algorithm>
#include <limits>

#include "memory/allocator.h"

namespace ms {
namespace {

constexpr int64_t kUnaliased = -1;

int64_t rounded_up(int64_t bytes) {
    constexpr auto kStep = static_cast<int64_t>(kAlignment);
    return (bytes + kStep - 1) / kStep * kStep;
}

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorCode::kValue, "Plan: " + what);
}

std::string range_text(int64_t got, size_t limit) {
    return " must be in [0, " + std::to_string(limit) + "), got " + std::to_string(got);
}

}  // namespace

Plan::Plan(PlanDescription description) : single_(description.single), keepalive_(std::move(description.keepalive)) {
    if (description.operands < 0)
        refuse("the number of operands must not be negative, got " + std::to_string(description.operands));
    operand_count_ = static_cast<size_t>(description.operands);
    buffer_count_ =
        operand_count_ + description.outputs.size() + description.temporaries.size() + description.constants.size();
    number_codes_.assign(operand_count_, -1);
    for (const auto& [operand, code] : description.numbers) {
        if (operand < 0 || operand >= description.operands)
            refuse("a number's operand" + range_text(operand, operand_count_));
        number_codes_[static_cast<size_t>(operand)] = checked_code(code);
    }
    for (const auto& constant : description.constants) {
        constants_.push_back(contiguous_value(*checked_tensor(constant.ptr(), "a constant of a Plan")));
    }
    if (single_ && description.outputs.size() != 1) {
        refuse("single needs exactly one output, got " + std::to_string(description.outputs.size()));
    }
    add_outputs(description);
    add_temporaries(description);
    add_steps(description);
}

size_t Plan::checked_buffer(int64_t buffer, const char* what) const {
    if (buffer < 0 || static_cast<size_t>(buffer) >= buffer_count_) refuse(what + range_text(buffer, buffer_count_));
    return static_cast<size_t>(buffer);
}

std::pair<Plan::Group, size_t> Plan::locate(size_t buffer) const noexcept {
    if (buffer < operand_count_) return {Group::kOperand, buffer};
    buffer -= operand_count_;
    if (buffer < outputs_.size()) return {Group::kOutput, buffer};
    buffer -= outputs_.size();
    if (buffer < temporaries_.size()) return {Group::kTemporary, buffer};
    return {Group::kConstant, buffer - temporaries_.size()};
}

void Plan::add_outputs(const PlanDescription& description) {
    for (const auto& [code, shape] : description.outputs) {
        auto layout = Layout::contiguous(shape);
        const int64_t bytes = layout->size() * itemsize_of(checked_code(code));
        outputs_.push_back({static_cast<int32_t>(code), std::move(layout), bytes, kUnaliased});
    }
    for (const auto& [output, buffer] : description.aliases) {
        if (output < 0 || static_cast<size_t>(output) >= outputs_.size())
            refuse("an alias's output" + range_text(output, outputs_.size()));
        const size_t target = checked_buffer(buffer, "an alias's buffer");
        const bool earlier =
            target < operand_count_ + static_cast<size_t>(output) || target >= operand_count_ + outputs_.size();
        if (!earlier)
            refuse("output " + std::to_string(output) +
                   " may share the storage of an earlier output only, got buffer " + std::to_string(buffer));
        if (target < operand_count_ && number_codes_[target] >= 0)
            refuse("an output cannot share the storage of number operand " + std::to_string(buffer));
        outputs_[static_cast<size_t>(output)].alias = buffer;
    }
    for (const auto& output : outputs_) fixed_bytes_ += output.alias == kUnaliased ? output.bytes : 0;
}

void Plan::add_temporaries(const PlanDescription& description) {
    for (const int64_t bytes : description.temporaries) {
        if (bytes < 0) refuse("the bytes of a temporary must not be negative, got " + std::to_string(bytes));
        temporaries_.push_back({bytes, 0});
    }
    for (const auto& output : outputs_) {
        if (output.alias == kUnaliased) continue;
        const auto [group, index] = locate(static_cast<size_t>(output.alias));
        if (group == Group::kTemporary) temporaries_[index].offset = -1;
    }
    for (auto& temporary : temporaries_) {
        fixed_bytes_ += temporary.bytes;
        if (temporary.offset < 0) continue;
        temporary.offset = temporary_bytes_;
        temporary_bytes_ += rounded_up(temporary.bytes);
    }
}

void Plan::add_steps(const PlanDescription& description) {
    for (const auto& [address, buffers, params] : description.steps) {
        if (address == 0)
            refuse("the kernel address of step " + std::to_string(steps_.size()) + " is 0: the kernel does not exist");
        steps_.push_back(
            {reinterpret_cast<KernelFn>(address), step_buffers_.size(), buffers.size(), step_params_.size()});
        for (const int64_t buffer : buffers) step_buffers_.push_back(checked_buffer(buffer, "a step's buffer"));
        step_params_.insert(step_params_.end(), params.begin(), params.end());
    }
    // A step without params must still receive a valid pointer.
    step_params_.push_back(0);
}

int Plan::traverse(visitproc visit, void* arg) const {
    Py_VISIT(keepalive_.ptr());
    return 0;
}

}  // namespace ms
