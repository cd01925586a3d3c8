/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that is served. */

#include <config.h>

#include "mapper/certificate.h"

#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "openvswitch/list.h"
#include "timeval.h"
#include "util.h"

enum { CHAIN_MAX = 8 };

struct certificate {
    struct ovs_list list_node;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned int n;
    gnutls_privkey_t key;
    long long int until;        /* Of one that was replaced. */
};

/* The last one is served. */
static struct ovs_list certificates
    = OVS_LIST_INITIALIZER(&certificates);

static void
certificate_free(struct certificate *c)
{
    for (unsigned int i = 0; i < c->n; i++) {
        gnutls_pcert_deinit(&c->chain[i]);
    }
    gnutls_privkey_deinit(c->key);
    free(c);
}

static struct certificate *
current(void)
{
    return (ovs_list_is_empty(&certificates) ? NULL
            : CONTAINER_OF(ovs_list_back(&certificates), struct certificate,
                           list_node));
}

static gnutls_datum_t
datum(const char *pem)
{
    return (gnutls_datum_t) {
        .data = CONST_CAST(unsigned char *, (const unsigned char *) pem),
        .size = strlen(pem),
    };
}

char *
certificate_set(const char *chain_pem, const char *key_pem)
{
    struct certificate *c = xzalloc(sizeof *c);
    struct certificate *before = current();
    gnutls_datum_t chain = datum(chain_pem);
    gnutls_datum_t key = datum(key_pem);
    unsigned int n = CHAIN_MAX;
    struct certificate *old;

    int error = gnutls_privkey_init(&c->key);
    if (!error) {
        error = gnutls_privkey_import_x509_raw(c->key, &key,
                                               GNUTLS_X509_FMT_PEM, NULL, 0);
    }
    if (!error) {
        error = gnutls_pcert_list_import_x509_raw(c->chain, &n, &chain,
                                                  GNUTLS_X509_FMT_PEM, 0);
        c->n = error ? 0 : n;
    }
    if (error) {
        certificate_free(c);
        return xasprintf("server certificate: %s", gnutls_strerror(error));
    }

    if (before) {
        before->until = time_msec() + CERTIFICATE_KEEP_MS;
    }
    LIST_FOR_EACH_SAFE (old, list_node, &certificates) {
        if (time_msec() >= old->until) {
            ovs_list_remove(&old->list_node);
            certificate_free(old);
        }
    }
    ovs_list_push_back(&certificates, &c->list_node);
    return NULL;
}

void
certificate_clear(void)
{
    struct certificate *c;

    LIST_FOR_EACH_POP (c, list_node, &certificates) {
        certificate_free(c);
    }
}

int
certificate_retrieve(gnutls_session_t session OVS_UNUSED,
                     const gnutls_datum_t *authorities OVS_UNUSED,
                     int n_authorities OVS_UNUSED,
                     const gnutls_pk_algorithm_t *algorithms OVS_UNUSED,
                     int n_algorithms OVS_UNUSED, gnutls_pcert_st **chain,
                     unsigned int *n, gnutls_privkey_t *key)
{
    struct certificate *c = current();

    if (!c) {
        return -1;
    }
    *chain = c->chain;
    *n = c->n;
    *key = c->key;
    return 0;
}
