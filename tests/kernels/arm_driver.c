/* Runs kernels and entries on buffers that come through standard input, each between pages that may not be touched.
 * Numbers are 8 bytes. Buffers: count; then size, alignment, whether contents follow. Calls: count; then the function's number,
 * whether it is an entry, its buffers (-1: the table of functions), its parameters. Results: count, then numbers of buffers. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime_abi.h"

extern void* const functions[];

static void must(int fine, const char* what) {
    if (!fine) {
        fprintf(stderr, "%s\n", what);
        exit(2);
    }
}

static int64_t running, call;

static void stepped_aside(int signal) {
    (void)signal;
    fprintf(stderr, "call %lld, of function %lld, touched what is not its own\n", (long long)call, (long long)running);
    _exit(4);
}

static int64_t number(void) {
    int64_t value;
    must(fread(&value, sizeof value, 1, stdin) == 1, "the input ends too early");
    return value;
}

/* Memory that ends where a page begins that may not be touched, as far as its alignment allows. */
static void* place(int64_t bytes, int64_t align) {
    int64_t page = sysconf(_SC_PAGESIZE), pages = (bytes + page - 1) / page;
    pages = pages ? pages : 1;
    char* start = mmap(NULL, (pages + 2) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(start != MAP_FAILED, "no memory");
    must(!mprotect(start, page, PROT_NONE) && !mprotect(start + (pages + 1) * page, page, PROT_NONE), "mprotect");
    return start + page + (pages * page - bytes) / align * align;
}

static int32_t parallel_for(const Runtime* rt, int64_t total, int64_t grain, RangeFn fn, void* context) {
    grain = grain < 1 ? 1 : grain;
    for (int64_t chunk = (total + grain - 1) / grain; chunk-- > 0;) {
        int64_t begin = chunk * grain;
        fn(rt, context, begin, total - begin < grain ? total : begin + grain);
    }
    return 0;
}

static void* allocate(const Runtime* rt, int64_t bytes) {
    (void)rt;
    return place(bytes, 64);
}

static void release(const Runtime* rt, void* memory) {
    (void)rt;
    (void)memory;
}

static int32_t fail(const Runtime* rt, int32_t code, const char* message) {
    (void)rt;
    fprintf(stderr, "%s\n", message);
    return code;
}

int main(void) {
    static const int32_t cancel = 0;
    const Runtime runtime = {.version = MS_RUNTIME_ABI_VERSION,
                             .threads = 2,
                             .parallel_for = parallel_for,
                             .scratch = allocate,
                             .allocate = allocate,
                             .release = release,
                             .fail = fail,
                             .cancel = &cancel};
    int64_t count = number();
    void** memory = calloc(count + 1, sizeof *memory);
    int64_t* sizes = calloc(count + 1, sizeof *sizes);
    for (int64_t i = 0; i < count; i++) {
        sizes[i] = number();
        memory[i] = place(sizes[i], number());
        if (number()) must(fread(memory[i], 1, sizes[i], stdin) == (size_t)sizes[i], "the input ends too early");
    }
    signal(SIGSEGV, stepped_aside);
    for (int64_t calls = number(); call < calls; call++) {
        int64_t function = running = number(), entry = number(), used = number();
        void** buffers = calloc(used + 1, sizeof *buffers);
        for (int64_t i = 0; i < used; i++) {
            int64_t which = number();
            buffers[i] = which < 0 ? (void*)functions : memory[which];
        }
        int64_t given = number();
        int64_t* params = calloc(given + 1, sizeof *params);
        for (int64_t i = 0; i < given; i++) params[i] = number();
        int32_t code = entry ? ((EntryFn)functions[function])(&runtime, buffers)
                             : ((KernelFn)functions[function])(&runtime, buffers, params);
        if (code) {
            fprintf(stderr, "function %lld returned %d\n", (long long)function, code);
            return 3;
        }
        free(buffers);
        free(params);
    }
    for (int64_t results = number(); results > 0; results--) {
        int64_t which = number();
        must(fwrite(memory[which], 1, sizes[which], stdout) == (size_t)sizes[which], "the output is closed");
    }
    return 0;
}
