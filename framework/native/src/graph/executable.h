// A whole compiled graph behind one native entry.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/call.h"
#include "runtime_abi.h"
#include "tensor/tensor.h"

namespace ms {

class CallState;

struct OutputDescription {
    bool fresh;
    int32_t code;   // of a fresh output
    Dims shape;     // of a fresh output
    int64_t bound;  // position of the bound tensor that is written otherwise
};

struct ExecutableDescription {
    uint64_t entry;
    int64_t arguments;
    std::vector<nb::object> bound;
    std::vector<OutputDescription> outputs;
    std::vector<nb::object> constants;
    int64_t arena_bytes;
    nb::object keepalive;
    std::vector<std::pair<int64_t, Dims>> signature;  // of arguments, then bound
    bool interruptible;                               // may run so long that somebody presses Ctrl-C
    bool recursive;                                   // has functions that call themselves
    nb::object emit;  // (site, addresses of the values) of an effect; None for graphs without effects
};

class Executable {
  public:
    explicit Executable(ExecutableDescription description);
    ~Executable();
    Executable(const Executable&) = delete;
    Executable& operator=(const Executable&) = delete;

    // The fresh outputs. May run on several threads at once; each has its own arena.
    [[nodiscard]] nb::object call(nb::handle arguments);

    int traverse(visitproc visit, void* arg) const;
    void clear();

  private:
    struct Type {
        int32_t code;
        LayoutRef layout;
        [[nodiscard]] bool fits(const Tensor& tensor) const noexcept {
            return tensor.code == code && tensor.layout->same_shape(*layout);
        }
    };
    // Memory that stays alive during a run, whatever happens to the tensor while the GIL is free.
    struct Held {
        StorageRef storage;
        std::byte* data;
    };
    class Arena;

    void check_argument(size_t i, PyObject* argument) const;
    void check_bound(size_t i) const;
    [[nodiscard]] static Held hold(const Tensor& tensor);
    [[nodiscard]] static Held copy(const Tensor& tensor);
    [[nodiscard]] std::vector<Held> inputs(PyObject* arguments);
    void separate(PyObject* arguments, std::vector<Held>& held);
    void find_shared(const std::vector<Held>& held);
    [[nodiscard]] std::vector<TensorValue> fresh_outputs() const;
    void fill_slots(void** slots, const std::vector<Held>& inputs, const std::vector<TensorValue>& fresh) const;
    void bump_written(const std::vector<Held>& inputs) const;
    [[nodiscard]] int32_t run(CallState& state, void** slots) const;
    [[nodiscard]] EmitFunction emitter() const;

    EntryFn entry_;
    size_t argument_count_;
    std::vector<nb::object> bound_;
    std::vector<Type> signature_;
    std::vector<OutputDescription> outputs_;
    std::vector<LayoutRef> output_layouts_;
    std::vector<bool> written_;  // per bound tensor
    std::vector<size_t> written_positions_;
    std::vector<const void*> seen_storages_;  // of the bound tensors when their sharing was last looked at
    std::vector<size_t> shared_bound_;        // bound tensors that are read and share storage with a written one
    std::vector<TensorValue> constants_;
    size_t arena_bytes_;
    std::vector<void*> idle_arenas_;  // with the GIL held only
    nb::object keepalive_;
    bool interruptible_;
    bool recursive_;
    nb::object emit_;
};

}  // namespace ms
