/*
 * uuid.c - the row and kernel of uuid(): random ones after RFC 4122, version 4.
 */
#include "engine/functions/helpers.h"
#include "engine/base/os.h"

static Status kernel_uuid(KernelCall *call) {
    Uuid *out = call->result->data;
    KERNEL_ROWS(call, row, {
        uint8_t *bytes = out[row].bytes;
        if (!os_random(bytes, sizeof(out[row].bytes))) {
            return error_set(call->err, ERR_GENERAL, "the system gives no random bytes");
        }
        bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    });
    return TRIB_OK;
}

static const Function rows[] = {
    {.id = TRIB_FN_uuid,
     .name = "uuid",
     .signature = "-> uuid",
     .stability = STABILITY_VOLATILE,
     .kernel = kernel_uuid,
     .family = "session",
     .help = "A random UUID."},
};

FUNCTION_TABLE(functions_uuid, rows);
