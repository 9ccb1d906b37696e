// A flat list of kernel calls over operands, outputs and temporaries.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime_abi.h"
#include "tensor/tensor.h"

namespace ms {

// As Python gives it; buffers are numbered operands, outputs, temporaries, constants.
struct PlanDescription {
    int64_t operands;
    std::vector<std::pair<int64_t, Dims>> outputs;        // code, shape
    std::vector<int64_t> temporaries;                     // bytes
    std::vector<nb::object> constants;                    // tensors
    std::vector<std::pair<int64_t, int64_t>> numbers;     // operand, code of its cell
    std::vector<std::tuple<uint64_t, Dims, Dims>> steps;  // kernel address, buffers, params
    std::vector<std::pair<int64_t, int64_t>> aliases;     // output, buffer whose storage it shares
    bool single;
    nb::object keepalive;
};

class Plan {
  public:
    // Error(kValue) for anything out of range.
    explicit Plan(PlanDescription description);

    // Runs the steps; the operands are tensors, numbers where a cell was declared, or None (a null buffer). Errors name
    // `what`.
    [[nodiscard]] nb::object run(PyObject* const* operands, size_t count, const char* what) const;

    int traverse(visitproc visit, void* arg) const;
    void clear() { keepalive_.reset(); }

  private:
    enum class Group { kOperand, kOutput, kTemporary, kConstant };
    struct Output {
        int32_t code;
        LayoutRef layout;
        int64_t bytes;
        int64_t alias;  // buffer, or -1
    };
    struct Temporary {
        int64_t bytes;
        int64_t offset;  // in the block that all share; -1 when an output shares it
    };
    struct Step {
        KernelFn fn;
        size_t first_buffer;
        size_t buffer_count;
        size_t first_param;
    };
    class Run;

    [[nodiscard]] size_t checked_buffer(int64_t buffer, const char* what) const;
    [[nodiscard]] std::pair<Group, size_t> locate(size_t buffer) const noexcept;
    void add_outputs(const PlanDescription& description);
    void add_temporaries(const PlanDescription& description);
    void add_steps(const PlanDescription& description);
    [[nodiscard]] int32_t execute(const Runtime* rt, void* const* buffers) const;

    size_t operand_count_;
    size_t buffer_count_;
    std::vector<int32_t> number_codes_;  // per operand; -1 for tensors
    std::vector<Output> outputs_;
    std::vector<Temporary> temporaries_;
    int64_t temporary_bytes_ = 0;
    int64_t fixed_bytes_ = 0;  // of outputs and temporaries
    std::vector<TensorValue> constants_;
    std::vector<Step> steps_;
    std::vector<size_t> step_buffers_;
    std::vector<int64_t> step_params_;
    bool single_;
    nb::object keepalive_;
};

}  // namespace ms
