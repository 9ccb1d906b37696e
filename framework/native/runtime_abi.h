/* The contract between kernels and the native runtime, version 5. Plain C, so that generated code can state it too. */
#ifndef MINDSPORE_NATIVE_RUNTIME_ABI_H
#define MINDSPORE_NATIVE_RUNTIME_ABI_H

#include <stddef.h>
#include <stdint.h>

#define MS_RUNTIME_ABI_VERSION 5

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Runtime Runtime;
typedef void (*RangeFn)(const Runtime*, void* context, int64_t begin, int64_t end);

struct Runtime {
    int64_t version;
    int64_t threads;
    /* Runs fn over [0, total) in chunks [i * grain, min((i + 1) * grain, total)); the borders depend on total and grain
     * alone, the thread that runs a chunk does not. Called from inside a chunk, it runs on the same thread. Not 0:
     * stopped, by cancel or by fail. */
    int32_t (*parallel_for)(const Runtime*, int64_t total, int64_t grain, RangeFn, void* context);
    /* Memory of this thread, 64-byte aligned; its contents are lost at the next call on this thread. NULL: no memory
     * (fail was called). */
    void* (*scratch)(const Runtime*, int64_t bytes);
    /* 64-byte aligned, given back with release. NULL: no memory (fail was called). */
    void* (*allocate)(const Runtime*, int64_t bytes);
    void (*release)(const Runtime*, void*);
    /* Remembers the first message of the running call and returns code, so that a kernel ends with `return rt->fail(rt,
     * 1, "why")`. Code 33 stands for an index out of bounds. */
    int32_t (*fail)(const Runtime*, int32_t code, const char* message);
    /* Not 0: stop soon. */
    const int32_t* cancel;
    /* Memory that the running call owns: a stack of 64-byte aligned blocks, freed when the call ends however it ends.
     * For the thread that runs the entry alone. */
    /* A block of at least `bytes` that begins with the first `used` bytes of `block` and takes its place; NULL for
     * `block` puts a new one on top. NULL: no memory (fail was called). */
    void* (*grow)(const Runtime*, void* block, int64_t used, int64_t bytes);
    /* How many blocks there are. */
    int64_t (*mark)(const Runtime*);
    /* Frees the blocks above the first `mark`. */
    void (*rewind)(const Runtime*, int64_t mark);
    /* Recursion. The memory of a function that may call itself, until its `leave`; `function` is its name for people.
     * NULL: too many are active or the native stack is almost used up (fail was called). */
    void* (*enter)(const Runtime*, int64_t bytes, const char* function);
    void (*leave)(const Runtime*);
    /* Hands the values of effect `site` (print, assert, raise) to the program, which copies them. For the thread that
     * runs the entry alone. Not 0: stop; what the program raised is remembered. */
    int32_t (*emit)(const Runtime*, int64_t site, int64_t count, void* const* values);
    /* What the processor has beyond its ISA level: bit 0 AVX512-BF16. */
    int64_t features;
};

/* 0 = done. Buffers are contiguous and aligned to their element type (not more: a tensor may start anywhere in its
 * storage). */
typedef int32_t (*KernelFn)(const Runtime*, void* const* buffers, const int64_t* params);
/* slots: arguments, bound, outputs, constants, arena. */
typedef int32_t (*EntryFn)(const Runtime*, void* const* slots);

/* One ahead-of-time kernel at one ISA level. `name` has no level suffix ("msk_add_f32"); `level` is "v2", "v3", "v4" or
 * "neon"; the symbol behind `fn` is name_level. `python -m mindspore.kernels.aot --output DIR --arch x86_64` writes
 * DIR/table.cpp (or table.c), which includes this header and defines the two names below, the objects, and their list
 * DIR/objects.txt (one path per line). */
typedef struct MsKernelEntry {
    const char* name;
    const char* level;
    KernelFn fn;
} MsKernelEntry;

extern const MsKernelEntry ms_kernel_table[];
extern const size_t ms_kernel_count;

#ifdef __cplusplus
}
#endif

#endif
