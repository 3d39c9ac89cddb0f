/*
 * cursors.c - the open cursors of sessions, and which of them gives its connection up.
 *
 * When a statement needs a connection of a source and all are taken, the cursor of the same session
 * that nobody has read for the longest time is drained into a buffer: its connection comes free, its
 * rows stay. The request comes from a thread that may have outlived the session, hence the list of those
 * that live.
 *
 * Locks: the list's, then the session's cursor lock; inside, what execution_drain takes. A cursor
 * leaves its session's list before its execution is freed, which waits for a drain that is under way.
 */
#include "engine/base/os.h"
#include "engine/runtime/session.h"

static struct {
    pthread_mutex_t lock;
    _Atomic uint32_t stamp;
    Session *first;
} sessions = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* In a forked child the lock may be held by a thread that does not exist, and the sessions are the
 * parent's. */
static void sessions_enter(void) {
    if (os_lock_forked(&sessions.lock, &sessions.stamp)) sessions.first = NULL;
}

/* Under the session's cursor lock. */
static Statement *longest_idle(const Session *self, const Source *source) {
    Statement *found = NULL;
    for (Statement *at = self->cursors; at; at = at->cursor_next) {
        if (at->drained || !execution_is_reading(at->execution, source)) continue;
        if (!found || atomic_load(&at->read_ns) < atomic_load(&found->read_ns)) found = at;
    }
    return found;
}

static void cursors_exhausted(void *owner, const Source *source) {
    sessions_enter();
    Session *session = sessions.first;
    while (session && session != owner) session = session->next;
    if (session) {
        pthread_mutex_lock(&session->cursor_lock);
        Statement *idle = longest_idle(session, source);
        if (idle) idle->drained = execution_drain(idle->execution);
        pthread_mutex_unlock(&session->cursor_lock);
    }
    pthread_mutex_unlock(&sessions.lock);
}

void cursors_session_open(Session *self) {
    sessions_enter();
    self->next = sessions.first;
    sessions.first = self;
    self->listed = true;
    pthread_mutex_unlock(&sessions.lock);
    source_set_exhausted_hook(cursors_exhausted);
}

void cursors_session_close(Session *self) {
    if (!self->listed) return;
    sessions_enter();
    Session **place = &sessions.first;
    while (*place && *place != self) place = &(*place)->next;
    if (*place) *place = self->next;
    self->listed = false;
    pthread_mutex_unlock(&sessions.lock);
}

void cursor_open(Statement *self) {
    Session *session = self->session;
    cursor_touch(self);
    pthread_mutex_lock(&session->cursor_lock);
    self->drained = false;
    self->cursor_listed = true;
    self->cursor_next = session->cursors;
    session->cursors = self;
    pthread_mutex_unlock(&session->cursor_lock);
}

void cursor_touch(Statement *self) {
    atomic_store_explicit(&self->read_ns, os_now_ns(), memory_order_relaxed);
}

void cursor_close(Statement *self) {
    Session *session = self->session;
    if (!self->cursor_listed) return;
    pthread_mutex_lock(&session->cursor_lock);
    Statement **place = &session->cursors;
    while (*place && *place != self) place = &(*place)->cursor_next;
    if (*place) *place = self->cursor_next;
    self->cursor_listed = false;
    pthread_mutex_unlock(&session->cursor_lock);
}
