/* SPDX-License-Identifier: Apache-2.0 */
/* The service's own certificate authority and its server certificate. */

#include <config.h>

#include "mapper/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapper/file.h"
#include "model/credential.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(pki);

/* The name that programs verify. */
#define PKI_SERVICE_NAME "vsubnet-mapper"

struct identity {
    EVP_PKEY *key;
    X509 *cert;
};

static char *
openssl_error(const char *what)
{
    unsigned long code = ERR_get_error();
    char reason[256];

    ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return xasprintf("%s: %s", what, code ? reason : "unknown error");
}

static void
identity_destroy(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->cert);
    identity->key = NULL;
    identity->cert = NULL;
}

static char *
bio_steal(BIO *bio)
{
    char *data;
    long n = BIO_get_mem_data(bio, &data);
    char *copy = xmemdup0(data, n);

    model_wipe(data, n);
    BIO_free(bio);
    return copy;
}

static char *
key_to_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return bio_steal(bio);
}

static char *
cert_to_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, cert);
    return bio_steal(bio);
}

static bool
name_is_address(const char *name)
{
    struct in6_addr ip6;
    ovs_be32 ip4;

    return ip_parse(name, &ip4) || ipv6_parse(name, &ip6);
}

/* X509v3 text for the names that the server certificate carries. */
static char *
alternative_names(const struct sset *names)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char **sorted = sset_sort(names);

    ds_put_cstr(&s, "DNS:" PKI_SERVICE_NAME);
    for (size_t i = 0; i < sset_count(names); i++) {
        ds_put_format(&s, ",%s:%s",
                      name_is_address(sorted[i]) ? "IP" : "DNS", sorted[i]);
    }
    free(sorted);
    return ds_steal_cstr(&s);
}

static bool
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok;
}

static bool
set_serial_and_dates(X509 *cert, int days)
{
    unsigned char serial[16];

    if (RAND_bytes(serial, sizeof serial) != 1) {
        return false;
    }
    serial[0] &= 0x7f;          /* RFC 5280: positive. */
    BIGNUM *bn = BN_bin2bn(serial, sizeof serial, NULL);
    bool ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
    BN_free(bn);

    /* An hour back, for peers whose clock is behind. */
    return (ok
            && X509_gmtime_adj(X509_getm_notBefore(cert), -3600)
            && X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL));
}

/* Makes a key and a certificate for it.  With CA null it is self-signed and
 * an authority, otherwise a server's with ALT_NAMES. */
static char *
identity_create(const char *common_name, const struct identity *ca,
                const char *alt_names, int days, struct identity *new)
{
    new->key = EVP_EC_gen("P-256");
    new->cert = X509_new();
    if (!new->key || !new->cert) {
        identity_destroy(new);
        return openssl_error("generating a key failed");
    }

    X509 *cert = new->cert;
    X509 *issuer = ca ? ca->cert : cert;
    EVP_PKEY *signer = ca ? ca->key : new->key;
    X509_NAME *name = X509_get_subject_name(cert);
    bool ok = (X509_set_version(cert, X509_VERSION_3)
               && set_serial_and_dates(cert, days)
               && X509_NAME_add_entry_by_txt(
                   name, "CN", MBSTRING_ASC,
                   (const unsigned char *) common_name, -1, -1, 0)
               && X509_set_issuer_name(cert, X509_get_subject_name(issuer))
               && X509_set_pubkey(cert, new->key)
               && add_extension(cert, issuer, NID_subject_key_identifier,
                                "hash")
               && add_extension(cert, issuer, NID_authority_key_identifier,
                                "keyid:always"));
    if (ca) {
        ok = (ok
              && add_extension(cert, issuer, NID_basic_constraints,
                               "critical,CA:FALSE")
              && add_extension(cert, issuer, NID_key_usage,
                               "critical,digitalSignature")
              && add_extension(cert, issuer, NID_ext_key_usage, "serverAuth")
              && add_extension(cert, issuer, NID_subject_alt_name,
                               alt_names));
    } else {
        ok = (ok
              && add_extension(cert, issuer, NID_basic_constraints,
                               "critical,CA:TRUE,pathlen:0")
              && add_extension(cert, issuer, NID_key_usage,
                               "critical,keyCertSign,cRLSign"));
    }
    if (!ok || !X509_sign(cert, signer, EVP_sha256())) {
        identity_destroy(new);
        return openssl_error("making a certificate failed");
    }
    return NULL;
}

/* Reads KEY_NAME and CERT_NAME in DIR.  What is not there stays null. */
static char *
identity_load(const char *dir, const char *key_name, const char *cert_name,
              struct identity *identity)
{
    memset(identity, 0, sizeof *identity);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? cert_name : key_name;
        char *data;
        size_t size;
        int error = file_read(dir, name, &data, &size);

        if (error == ENOENT) {
            continue;
        } else if (error) {
            identity_destroy(identity);
            return xasprintf("%s/%s: %s", dir, name, ovs_strerror(error));
        }

        BIO *bio = BIO_new_mem_buf(data, size);
        if (i) {
            identity->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        } else {
            identity->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        }
        BIO_free(bio);
        model_wipe(data, size);
        free(data);
        if (i ? !identity->cert : !identity->key) {
            ERR_clear_error();
            identity_destroy(identity);
            return xasprintf("%s/%s: not a PEM %s", dir, name,
                             i ? "certificate" : "private key");
        }
    }
    return NULL;
}

static char *
identity_save(const char *dir, const char *key_name, const char *cert_name,
              const struct identity *identity)
{
    char *key = key_to_pem(identity->key);
    char *cert = cert_to_pem(identity->cert);
    const char *name = key_name;
    int error = file_write(dir, key_name, key, strlen(key), 0600);

    if (!error) {
        name = cert_name;
        error = file_write(dir, cert_name, cert, strlen(cert), 0644);
    }
    model_wipe(key, strlen(key));
    free(key);
    free(cert);
    return (error
            ? xasprintf("%s/%s: %s", dir, name, ovs_strerror(error))
            : NULL);
}

static char *
open_ca(const char *dir, struct identity *ca)
{
    char *error = identity_load(dir, "ca.key", "ca.pem", ca);

    if (error) {
        return error;
    }
    if (ca->cert) {
        if (ca->key && X509_check_private_key(ca->cert, ca->key) == 1) {
            return NULL;
        }
        ERR_clear_error();
        error = xasprintf("%s/ca.pem has no ca.key that fits it; restore the "
                          "key, or remove ca.pem to begin a new service that "
                          "no present host will trust", dir);
        identity_destroy(ca);
        return error;
    }

    identity_destroy(ca);
    error = identity_create("vSubnet mapping service CA", NULL, NULL,
                            PKI_CA_DAYS, ca);
    if (!error) {
        error = identity_save(dir, "ca.key", "ca.pem", ca);
        if (error) {
            identity_destroy(ca);
        } else {
            VLOG_INFO("made a certificate authority in %s", dir);
        }
    }
    return error;
}

/* Certificates end at the latest in the year 9999, RFC 5280. */
static time_t
asn1_seconds(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

/* When CERT is to be made again. */
static time_t
renewal_time(const X509 *cert)
{
    time_t begin = asn1_seconds(X509_get0_notBefore(cert));
    time_t end = asn1_seconds(X509_get0_notAfter(cert));

    return end - MIN(PKI_RENEW_DAYS * 86400, (end - begin) / 3);
}

/* Says why SERVER can't serve, or null if it can. */
static const char *
server_defect(const struct identity *ca, const struct sset *names,
              const struct identity *server)
{
    EVP_PKEY *ca_key = X509_get0_pubkey(ca->cert);
    const char *name;

    if (!server->key || !server->cert) {
        return "there is none";
    } else if (X509_check_private_key(server->cert, server->key) != 1) {
        return "its key is another one";
    } else if (X509_verify(server->cert, ca_key) != 1) {
        return "the authority is another one";
    } else if (X509_check_host(server->cert, PKI_SERVICE_NAME, 0, 0,
                               NULL) != 1) {
        return "it lacks the name " PKI_SERVICE_NAME;
    } else if (time(NULL) >= renewal_time(server->cert)) {
        return "it expires soon";
    }
    SSET_FOR_EACH (name, names) {
        if (name_is_address(name)
            ? X509_check_ip_asc(server->cert, name, 0) != 1
            : X509_check_host(server->cert, name, 0, 0, NULL) != 1) {
            return "the host has a new name or address";
        }
    }
    return NULL;
}

/* Makes and saves one because of DEFECT. */
static char *
make_server(const char *dir, const struct identity *ca, const char *alt_names,
            const char *defect, struct identity *server)
{
    char *error = identity_create(PKI_SERVICE_NAME, ca, alt_names,
                                  PKI_SERVER_DAYS, server);

    if (!error) {
        error = identity_save(dir, "server.key", "server.pem", server);
    }
    if (error) {
        identity_destroy(server);
    } else {
        VLOG_INFO("made a server certificate (%s) for %s", defect, alt_names);
    }
    return error;
}

static char *
open_server(const char *dir, const struct identity *ca,
            const struct sset *names, const char *alt_names,
            struct identity *server)
{
    char *error = identity_load(dir, "server.key", "server.pem", server);

    if (error) {
        VLOG_WARN("%s", error);
        free(error);
    }
    const char *defect = server_defect(ca, names, server);
    ERR_clear_error();
    if (!defect) {
        return NULL;
    }

    identity_destroy(server);
    return make_server(dir, ca, alt_names, defect, server);
}

/* Makes SERVER the one that is served. */
static void
adopt_server(struct pki *pki, const struct identity *server)
{
    char *leaf = cert_to_pem(server->cert);

    if (pki->server_key) {
        model_wipe(pki->server_key, strlen(pki->server_key));
    }
    free(pki->server_key);
    free(pki->server_pem);
    pki->server_key = key_to_pem(server->key);
    pki->server_pem = xasprintf("%s%s", leaf, pki->ca_pem);
    pki->server_ends = asn1_seconds(X509_get0_notAfter(server->cert));
    pki->renew_at = renewal_time(server->cert);
    free(leaf);
}

/* Returns true if a file of the server's is another one than last time. */
static bool
files_have_changed(struct pki *pki)
{
    static const char *const names[] = { "server.key", "server.pem" };
    bool changed = false;

    for (int i = 0; i < 2; i++) {
        char *path = xasprintf("%s/%s", pki->dir, names[i]);
        struct pki_file now;
        struct stat s;

        memset(&now, 0, sizeof now);
        if (!stat(path, &s)) {
            now.inode = s.st_ino;
            now.changed = s.st_mtim;
        }
        if (memcmp(&now, &pki->seen[i], sizeof now)) {
            pki->seen[i] = now;
            changed = true;
        }
        free(path);
    }
    return changed;
}

static bool
is_dns_name(const char *name)
{
    size_t n = strlen(name);

    return (n && n <= 253 && name[0] != '-' && name[0] != '.'
            && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] == '\0');
}

static void
fingerprint_of(X509 *cert, char fingerprint[65])
{
    unsigned char digest[32];
    unsigned int n;

    X509_digest(cert, EVP_sha256(), digest, &n);
    model_hex_encode(digest, sizeof digest, fingerprint);
}

char *
pki_open(const char *dir, const struct sset *names, struct pki *pki)
{
    struct identity ca = { .key = NULL };
    struct identity server = { .key = NULL };
    const char *name;

    memset(pki, 0, sizeof *pki);
    SSET_FOR_EACH (name, names) {
        if (!name_is_address(name) && !is_dns_name(name)) {
            return xasprintf("%s: neither a DNS name nor an address", name);
        }
    }

    char *error = open_ca(dir, &ca);
    if (!error) {
        pki->dir = xstrdup(dir);
        pki->alt_names = alternative_names(names);
        error = open_server(dir, &ca, names, pki->alt_names, &server);
    }
    if (!error) {
        fingerprint_of(ca.cert, pki->fingerprint);
        pki->ca_pem = cert_to_pem(ca.cert);
        pki->ca_ends = asn1_seconds(X509_get0_notAfter(ca.cert));
        adopt_server(pki, &server);
        files_have_changed(pki);
    }
    identity_destroy(&server);
    identity_destroy(&ca);
    return error;
}

void
pki_close(struct pki *pki)
{
    if (pki->server_key) {
        model_wipe(pki->server_key, strlen(pki->server_key));
    }
    free(pki->server_key);
    free(pki->server_pem);
    free(pki->ca_pem);
    free(pki->dir);
    free(pki->alt_names);
    memset(pki, 0, sizeof *pki);
}

/* Reads the CA, which has to be the one that this service began with. */
static char *
load_same_ca(const struct pki *pki, struct identity *ca)
{
    char *error = identity_load(pki->dir, "ca.key", "ca.pem", ca);
    char fingerprint[65];

    if (error) {
        return error;
    } else if (!ca->key || !ca->cert
               || X509_check_private_key(ca->cert, ca->key) != 1) {
        ERR_clear_error();
        return xasprintf("%s: ca.pem and the ca.key that fits it are needed",
                         pki->dir);
    }
    fingerprint_of(ca->cert, fingerprint);
    return (strcmp(fingerprint, pki->fingerprint)
            ? xasprintf("%s/ca.pem: another authority than at the start",
                        pki->dir)
            : NULL);
}

/* Takes what stands in the files, if it is good. */
static char *
take_files(struct pki *pki, const struct identity *ca,
           struct identity *server)
{
    const struct sset no_more = SSET_INITIALIZER(&no_more);
    char *error = identity_load(pki->dir, "server.key", "server.pem", server);

    if (!error) {
        const char *defect = server_defect(ca, &no_more, server);

        ERR_clear_error();
        error = (defect
                 ? xasprintf("%s/server.pem: not taken: %s", pki->dir, defect)
                 : NULL);
    }
    return error;
}

bool
pki_run(struct pki *pki)
{
    struct identity server = { .key = NULL };
    struct identity ca = { .key = NULL };
    bool renew = time(NULL) >= pki->renew_at;
    char *error;

    if (time_msec() < pki->next_look) {
        return false;
    }
    pki->next_look = time_msec() + PKI_LOOK_MS;
    if (!files_have_changed(pki) && !renew) {
        return false;
    }

    error = load_same_ca(pki, &ca);
    if (!error) {
        error = take_files(pki, &ca, &server);
        if (error && renew) {
            free(error);
            identity_destroy(&server);
            error = make_server(pki->dir, &ca, pki->alt_names,
                                "the last one expires soon", &server);
            files_have_changed(pki);
        } else if (!error) {
            VLOG_INFO("serving the certificate of %s/server.pem from now on",
                      pki->dir);
        }
    }
    if (!error) {
        adopt_server(pki, &server);
    } else {
        VLOG_WARN("%s; going on with the last certificate", error);
        pki->renew_at = MAX(pki->renew_at, time(NULL) + PKI_RETRY_S);
    }
    identity_destroy(&server);
    identity_destroy(&ca);
    bool changed = !error;
    free(error);
    return changed;
}

void
pki_wait(const struct pki *pki)
{
    poll_timer_wait_until(pki->next_look);
}

void
pki_local_names(struct sset *names)
{
    struct ifaddrs *list;
    char host[256];

    if (!gethostname(host, sizeof host) && memchr(host, 0, sizeof host)
        && is_dns_name(host)) {
        sset_add(names, host);
    }
    if (getifaddrs(&list)) {
        VLOG_WARN("getifaddrs: %s", ovs_strerror(errno));
        return;
    }
    for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
        char text[INET6_ADDRSTRLEN];

        if (!ifa->ifa_addr) {
            continue;
        } else if (ifa->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *sin = (void *) ifa->ifa_addr;

            inet_ntop(AF_INET, &sin->sin_addr, text, sizeof text);
            sset_add(names, text);
        } else if (ifa->ifa_addr->sa_family == AF_INET6) {
            const struct sockaddr_in6 *sin6 = (void *) ifa->ifa_addr;

            if (!IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr)) {
                inet_ntop(AF_INET6, &sin6->sin6_addr, text, sizeof text);
                sset_add(names, text);
            }
        }
    }
    freeifaddrs(list);

    /* Always, even on a host that has not brought loopback up. */
    sset_add(names, "127.0.0.1");
    sset_add(names, "::1");
}
