/*
 * spill.h - spill files: what does not fit in memory, compressed, encrypted, unnamed.
 *
 * SpillSpace  of one query: folder, key, limit, counters. Thread-safe. SpillFile   an O_TMPFILE
 * (mode 0600) to which blocks are appended, to be read back in any order.
 *             Blocks are LZ4-compressed (when that helps) and AES-256-GCM encrypted:
 *             key per query, nonce
 *             per block, file id and block number as associated data. One writer at a
 *             time; readers may be
 *             many once writing has ended.
 * Errors: ENOSPC, EIO, a wrong tag, SpillLimit: a clear error that names the folder; the query
 * ends, nothing remains on disk.
 */
#ifndef TRIB_SPILL_SPILL_H
#define TRIB_SPILL_SPILL_H

#include "engine/base/cancel.h"
#include "engine/base/grant.h"
#include "engine/base/text.h"

typedef struct SpillSpace SpillSpace;
typedef struct SpillFile SpillFile;

/* Before anything of the process uses OpenSSL through us: without a clean-up at exit, since workers and
 * connections may still be encrypting then. Does nothing when the program has started OpenSSL. */
void spill_process_start(void);
/* dir "" = $TMPDIR or /tmp. limit 0 = none. Nothing is created before the first write. */
Status spill_space_new(Str dir, int64_t limit, bool encrypt, CancelToken *cancel, SpillSpace **out,
                       Error *err) WARN_UNUSED;
void spill_space_free(SpillSpace *self);            /* all its files must have been closed */
uint64_t spill_space_bytes(const SpillSpace *self); /* written so far */

typedef struct SpillBlock {
    uint64_t offset;
    uint32_t stored, plain; /* bytes on disk, bytes decoded */
    uint32_t number;
} SpillBlock;

Status spill_file_new(SpillSpace *space, SpillFile **out, Error *err) WARN_UNUSED;
void spill_file_free(SpillFile *self);
/* Puts a file (NULL: nothing) into a list that begins at *list, which owns it then. Never fails. */
void spill_files_add(SpillFile **list, SpillFile *file);
void spill_files_free(SpillFile **list);
/* Appends one block (1 byte .. 4 MiB). */
Status spill_write(SpillFile *self, const void *data, uint32_t bytes, SpillBlock *out,
                   Error *err) WARN_UNUSED;
/* Reads a block back into room for block->plain bytes. */
Status spill_read(SpillFile *self, const SpillBlock *block, void *out, Error *err) WARN_UNUSED;
/* The block will not be read again: gives its disk space back where the file system can. */
void spill_discard(SpillFile *self, const SpillBlock *block);

#endif
