/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a MAC is when two nodes have a port for it. */
#ifndef VSUBNET_CLAIM_H
#define VSUBNET_CLAIM_H 1

/* A guest moves
 * =============
 *
 * While it does, both hosts have a port with its MAC, for milliseconds or (a
 * live migration copies memory first) for minutes.  The one that was attached
 * last has the MAC: its node claims it at once, and the other does not claim
 * it back.  The service counts moves: a binding's sequence grows with each
 * change of its node.  So a port is judged by the sequence that it knows, its
 * claim:
 *
 *      new:N       attached when the binding's sequence was N (0: none)
 *      held:N      had the MAC at N
 *      spoke:N     at N, being elsewhere, its guest spoke here
 *
 *                  attached
 *                     |
 *                     v        the service says: here
 *        .---------  new ------------------------------> held <--.
 *        |            |                                   |      |
 *        | moved since, or                    moved since |      | here
 *        | "announce" is set                              |      |
 *        v                                                v      |
 *     (waits)                                           (lost)   |
 *        | its guest sends                its guest announces |  |
 *        |  anything                                  itself  v  |
 *        `--------------------------------------------------> spoke
 *
 * A port that waits or is lost claims nothing, so that an older claim never
 * overrides a newer one, whichever controller was away meanwhile:
 *
 *   - "moved since": the binding is at another node with a sequence higher
 *     than the port knows.
 *
 *   - A port that was attached while this node could not hear of moves, and
 *     whose MAC has moved since, may be the newer or the older one.  It waits
 *     for its guest: where that runs, it sends.
 *
 *   - A port that had the MAC and lost it is where the guest was.  That it
 *     still sends says nothing (memory is being copied); only an announcement
 *     does: RARP, as hypervisors send it, gratuitous ARP, or an unsolicited
 *     neighbour advertisement.  So a migration that failed can be undone.
 *
 *   - With external_ids:vsubnet-activation=announce, on the Interface or for
 *     the host in Open_vSwitch, a port does not take a MAC from another node
 *     until its guest sends something: for live migration, whose destination
 *     is attached long before the guest runs there.
 *
 * The claim is kept on the Interface, external_ids:vsubnet-claim, so that it
 * survives restarts of all programs.  It goes with the Interface, and when
 * its device goes (no OpenFlow port): what comes then is newly attached.  So
 * is a port from which somebody removed that key.
 *
 * The claim also travels to the service, which refuses one that is not of the
 * binding's present sequence (`claim-outdated`).
 *
 * Only for ports whose MAC is known.  Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct local_port;
struct model_binding;

enum claim_word {
    CLAIM_NONE,                 /* Nothing known yet. */
    CLAIM_NEW,
    CLAIM_HELD,
    CLAIM_SPOKE,
};

struct claim {
    enum claim_word word;
    uint64_t sequence;
};

/* What 'port', whose MAC has 'binding' (or NULL), is to that MAC. */
enum claim_state {
    CLAIM_OTHERS,               /* An operator gave it to somebody else. */
    CLAIM_HERE,                 /* The service says that it is here. */
    CLAIM_WANTED,               /* This node claims it. */
    CLAIM_WAITS,                /* See above. */
    CLAIM_LOST,
};

enum claim_state claim_judge(const struct local_port *port,
                             const struct model_binding *binding,
                             uint32_t self);

/* True if frames for the MAC that are on this host go to 'port'. */
bool claim_is_ours(enum claim_state);

/* What the claim of 'port' is now that 'binding' is as it is.  'spoke': since
 * it was last asked, the guest gave the sign that was waited for. */
struct claim claim_next(const struct local_port *port,
                        const struct model_binding *binding, uint32_t self,
                        bool spoke);

bool claim_equals(struct claim, struct claim);

/* As in external_ids.  What is not understood is CLAIM_NONE. */
struct claim claim_parse(const char *);
char *claim_format(struct claim);       /* NULL for CLAIM_NONE. */

/* True if the frame, from 'mac', says by itself where 'mac' is: RARP,
 * gratuitous ARP, an unsolicited neighbour advertisement. */
bool claim_is_announcement(const void *frame, size_t len);

/* How often a guest is believed that it is here: at once, then after a pause
 * that doubles each time, up to CLAIM_PACE_MAX_MS, since each time costs all
 * hosts a change.  After ten such pauses it begins anew. */
enum {
    CLAIM_PACE_MIN_MS = 1000,
    CLAIM_PACE_MAX_MS = 60000,
};

struct claim_pace {
    long long int last;         /* When it was believed. */
    int pause;                  /* Since then; 0: it never was. */
};

/* Returns whether it is believed at 'now', and takes note of that. */
bool claim_pace_allows(struct claim_pace *, long long int now);

#endif /* claim.h */
