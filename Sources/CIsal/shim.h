// isa-l's inflate behind four functions: its state is a structure with arrays that are too long for Swift to import.
#ifndef CISAL_SHIM_H
#define CISAL_SHIM_H
#if defined(__x86_64__)

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

/// What a call of isal_inflate() did.
struct cisal_step {
    uint32_t consumed;
    uint32_t produced;
    /// Of isal_inflate(): 0, or what is wrong.
    int32_t status;
    /// Whether the member is whole, its checksum and size compared.
    int32_t is_end;
};

/// NULL without memory.
static inline void *cisal_new(void) { return malloc(sizeof(struct inflate_state)); }

static inline void cisal_free(void *state) { free(state); }

/// What is read next is the data of a gzip member, behind its header.
static inline void cisal_begin(void *state) {
    isal_inflate_init((struct inflate_state *)state);
    ((struct inflate_state *)state)->crc_flag = ISAL_GZIP_NO_HDR_VER;
}

static inline struct cisal_step cisal_inflate(
    void *pointer, const uint8_t *input, uint32_t input_count, uint8_t *output, uint32_t output_count) {
    struct inflate_state *state = (struct inflate_state *)pointer;
    // isa-l does not write through next_in; its type only lacks the const.
    state->next_in = (uint8_t *)input;
    state->avail_in = input_count;
    state->next_out = output;
    state->avail_out = output_count;
    int32_t status = isal_inflate(state);
    struct cisal_step step = {
        input_count - state->avail_in, output_count - state->avail_out, status,
        status == ISAL_DECOMP_OK && state->block_state == ISAL_BLOCK_FINISH,
    };
    return step;
}

#endif
#endif
