/*
 * binary.c - rows and kernels of varbinary: hexadecimal, UTF-8, digests.
 */
#include "engine/functions/helpers.h"

#include <openssl/evp.h>
#include <xxhash.h>

static Status kernel_to_hex(KernelCall *call) {
    static const char digits[] = "0123456789ABCDEF";
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        char *out = row_text(call, row, bytes.len * (uint64_t)2, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        for (size_t i = 0; i < bytes.len; i++) {
            out[i * 2] = digits[(uint8_t)bytes.data[i] >> 4];
            out[i * 2 + 1] = digits[(uint8_t)bytes.data[i] & 15];
        }
        row_view(call, row, out, bytes.len * 2);
    });
    return TRIB_OK;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Status kernel_from_hex(KernelCall *call) {
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        size_t len = text.len / 2;
        bool good = text.len % 2 == 0;
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        for (size_t i = 0; i < len && good; i++) {
            int high = hex_digit(text.data[i * 2]);
            int low = hex_digit(text.data[i * 2 + 1]);
            good = high >= 0 && low >= 0;
            out[i] = (char)(high * 16 + low);
        }
        if (!good) row_error(call, row, ERR_INVALID_ARGUMENT);
        row_view(call, row, out, good ? len : 0);
    });
    return TRIB_OK;
}

static Status kernel_to_utf8(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        row_view(call, row, text.data, text.len);
    });
    return TRIB_OK;
}

/* Bytes that are not UTF-8 become U+FFFD, one per byte, as utf8_next steps over them. */
static Status utf8_repair(KernelCall *call, uint32_t row, Str bytes) {
    char *out = kernel_text(call, row, bytes.len * (uint64_t)3);
    size_t written = 0;
    if (out == NULL) return row_text_failed(call, row);
    for (size_t at = 0; at < bytes.len;) {
        int32_t c = utf8_next(bytes.data, bytes.len, &at);
        written += utf8_put(out + written, c < 0 ? 0xfffd : (uint32_t)c);
    }
    row_view(call, row, out, written);
    return TRIB_OK;
}

static Status kernel_from_utf8(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        if (utf8_valid(bytes.data, bytes.len)) {
            row_view(call, row, bytes.data, bytes.len);
        } else {
            TRY(utf8_repair(call, row, bytes));
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- digests */

static Status digest(KernelCall *call, const char *name) {
    Status status = TRIB_OK;
    EVP_MD *method = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (method == NULL || context == NULL) {
        status = error_set(call->err, ERR_GENERAL, "the digest %s is not available", name);
    }
    KERNEL_ROWS(call, row, {
        uint8_t out[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        if (status != TRIB_OK) break;
        Str bytes = arg_text(call, 0, row);
        if (!EVP_DigestInit_ex(context, method, NULL) ||
            !EVP_DigestUpdate(context, bytes.data, bytes.len) ||
            !EVP_DigestFinal_ex(context, out, &len)) {
            status = error_set(call->err, ERR_GENERAL, "the digest %s failed", name);
            break;
        }
        status = kernel_put_text(call, row, (const char *)out, len);
    });
    EVP_MD_CTX_free(context);
    EVP_MD_free(method);
    return status;
}

static Status kernel_md5(KernelCall *call) {
    return digest(call, "MD5");
}

static Status kernel_sha256(KernelCall *call) {
    return digest(call, "SHA256");
}

/* Eight bytes, the most significant first, seed 0. */
static Status kernel_xxhash64(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        XXH64_canonical_t out;
        XXH64_canonicalFromHash(&out, XXH64(bytes.data, bytes.len, 0));
        row_view(call, row, (const char *)out.digest, sizeof(out.digest));
    });
    return TRIB_OK;
}

#define BINARY(ID, SIGNATURE, RAISES, HELP)                                           \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = kernel_##ID, .family = "binary", .help = HELP                       \
    }

static const Function rows[] = {
    BINARY(to_hex, "varbinary -> varchar", false, "The bytes as hexadecimal digits."),
    BINARY(from_hex, "varchar -> varbinary", true, "The bytes that hexadecimal digits spell."),
    BINARY(to_utf8, "varchar -> varbinary", false, "The text as UTF-8."),
    BINARY(from_utf8, "varbinary -> varchar", false,
           "The text that UTF-8 spells; wrong bytes become U+FFFD."),
    BINARY(md5, "varbinary -> varbinary", false, "The MD5 digest, 16 bytes."),
    BINARY(sha256, "varbinary -> varbinary", false, "The SHA-256 digest, 32 bytes."),
    BINARY(xxhash64, "varbinary -> varbinary", false, "The 64-bit xxHash, 8 bytes."),
};

FUNCTION_TABLE(functions_binary, rows);
