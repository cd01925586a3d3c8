/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the mapping service. */

#include <config.h>
#include "ctl/client.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/files.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "model/types.h"
#include "model/url.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"
#include "uuid.h"

/* The name in the service's certificate (DESIGN.md section 4.1). */
#define SERVICE_NAME "vsubnet-mapper"

struct client {
    struct svec urls;
    size_t current;             /* Index of the URL to try first. */
    size_t pinned;              /* The only one to try, or CLIENT_ANY_URL. */
    char *ca;
    char *credential;
    char *certificate;
    char *private_key;
    char *instance;
    char *if_match;             /* Or null. */
    unsigned int timeout;
};

struct client *
client_create(const struct svec *urls, const char *ca, const char *credential,
              unsigned int timeout)
{
    struct client *client = xzalloc(sizeof *client);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    svec_clone(&client->urls, urls);
    client->pinned = CLIENT_ANY_URL;
    client->ca = nullable_xstrdup(ca);
    client->credential = nullable_xstrdup(credential);
    client->timeout = timeout;
    return client;
}

static void
replace_secret(char **secret, const char *new)
{
    if (*secret) {
        model_wipe(*secret, strlen(*secret));
        free(*secret);
    }
    *secret = nullable_xstrdup(new);
}

void
client_destroy(struct client *client)
{
    if (client) {
        svec_destroy(&client->urls);
        replace_secret(&client->credential, NULL);
        free(client->ca);
        free(client->certificate);
        free(client->private_key);
        free(client->instance);
        free(client->if_match);
        free(client);
    }
}

void
client_set_ca(struct client *client, const char *ca)
{
    free(client->ca);
    client->ca = nullable_xstrdup(ca);
}

void
client_set_credential(struct client *client, const char *credential)
{
    replace_secret(&client->credential, credential);
}

void
client_set_certificate(struct client *client, const char *certificate,
                       const char *private_key)
{
    free(client->certificate);
    free(client->private_key);
    client->certificate = nullable_xstrdup(certificate);
    client->private_key = nullable_xstrdup(private_key);
}

void
client_set_instance(struct client *client, const char *instance)
{
    free(client->instance);
    client->instance = nullable_xstrdup(instance);
}

void
client_set_if_match(struct client *client, const char *tag)
{
    free(client->if_match);
    client->if_match = nullable_xstrdup(tag);
}

/* What is done, at whichever URL. */
struct request {
    const char *method;
    const char *path;
    const char *body;
    const char *key;            /* Makes doing it twice doing it once. */
    bool verify;
    bool (*cb)(const char *, size_t, void *aux);
    void *aux;
};

/* One attempt at one URL. */
struct attempt {
    CURL *curl;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char error[CURL_ERROR_SIZE];

    /* Where the body of the answer goes: here, or to a callback. */
    struct ds body;
    bool (*cb)(const char *, size_t, void *aux);
    void *aux;
};

static size_t
receive(char *data, size_t size, size_t n, void *attempt_)
{
    struct attempt *attempt = attempt_;
    long int status = 0;

    n *= size;
    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &status);
    if (attempt->cb && status == 200) {
        return attempt->cb(data, n, attempt->aux) ? n : 0;
    }
    if (attempt->body.length + n > CLIENT_ANSWER_MAX) {
        return 0;
    }
    ds_put_buffer(&attempt->body, data, n);
    return n;
}

static void
add_header(struct attempt *attempt, const char *name, const char *value)
{
    char *header = xasprintf("%s: %s", name, value);

    attempt->headers = curl_slist_append(attempt->headers, header);
    model_wipe(header, strlen(header));
    free(header);
}

/* Whom the connection goes to, and how that one proves who it is. */
static void
set_server(struct attempt *attempt, const struct client *client,
           const struct model_url *url, const char *path, bool verify)
{
    CURL *curl = attempt->curl;
    bool ip6 = strchr(url->host, ':');
    char *full = xasprintf("https://%s:%"PRIu16"%s", SERVICE_NAME, url->port,
                           path);
    char *to = xasprintf(ip6 ? "::[%s]:%"PRIu16 : "::%s:%"PRIu16,
                         url->host, url->port);

    attempt->connect_to = curl_slist_append(NULL, to);
    curl_easy_setopt(curl, CURLOPT_URL, full);
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, attempt->connect_to);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    /* Debian's libcurl trusts the system's CAs too, unless told not to. */
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    if (verify) {
        struct curl_blob ca = {
            .data = client->ca, .len = strlen(client->ca),
        };
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    } else {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    free(full);
    free(to);
}

static void
set_request(struct attempt *attempt, const struct client *client,
            const struct request *request)
{
    CURL *curl = attempt->curl;

    if (strcmp(request->method, "GET")) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
                         (long) strlen(request->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        add_header(attempt, "Content-Type", "application/json");
    }
    if (request->key) {
        add_header(attempt, "Idempotency-Key", request->key);
    }
    add_header(attempt, "Accept", "application/json, text/event-stream");
    if (client->instance) {
        add_header(attempt, "VSubnet-Instance", client->instance);
    }
    if (client->if_match && strcmp(request->method, "GET")) {
        add_header(attempt, "If-Match", client->if_match);
    }
    /* A credential goes only to who has proved to be the service. */
    if (client->credential && request->verify) {
        char *bearer = xasprintf("Bearer %s", client->credential);
        add_header(attempt, "Authorization", bearer);
        model_wipe(bearer, strlen(bearer));
        free(bearer);
    }
    if (client->certificate) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, client->certificate);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, client->private_key);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, attempt->headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     MIN(client->timeout, 5) * 1000L);
    if (!attempt->cb) {
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) client->timeout);
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, attempt->error);
}

static void
free_headers(struct attempt *attempt)
{
    for (struct curl_slist *h = attempt->headers; h; h = h->next) {
        model_wipe(h->data, strlen(h->data));
    }
    curl_slist_free_all(attempt->headers);
    curl_slist_free_all(attempt->connect_to);
}

/* Says why nobody answered at URL. */
static char *
describe_failure(const struct attempt *attempt, CURLcode code,
                 const char *url)
{
    const char *reason = (*attempt->error ? attempt->error
                          : curl_easy_strerror(code));
    long int os_errno = 0;

    curl_easy_getinfo(attempt->curl, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_COULDNT_CONNECT && os_errno) {
        return xasprintf("%s: %s", url, ovs_strerror(os_errno));
    } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
        return xasprintf("%s: not the mapping service that is meant (%s)",
                         url, reason);
    }
    return xasprintf("%s: %s", url, reason);
}

/* Stores the answer, or returns libcurl's error and puts it into words. */
static CURLcode
try_url(const struct client *client, const struct request *request,
        const char *url_s, struct client_answer *answer, char **errorp)
{
    struct attempt attempt = {
        .curl = curl_easy_init(),
        .body = DS_EMPTY_INITIALIZER,
        .cb = request->cb,
        .aux = request->aux,
    };
    struct model_url url;
    char *local_ip = NULL;

    *errorp = model_url_parse(url_s, &url);
    if (*errorp) {
        curl_easy_cleanup(attempt.curl);
        return CURLE_URL_MALFORMAT;
    }
    set_server(&attempt, client, &url, request->path, request->verify);
    set_request(&attempt, client, request);
    CURLcode code = curl_easy_perform(attempt.curl);
    if (code == CURLE_OK) {
        curl_easy_getinfo(attempt.curl, CURLINFO_RESPONSE_CODE,
                          &answer->status);
        curl_easy_getinfo(attempt.curl, CURLINFO_LOCAL_IP, &local_ip);
        answer->local_ip = nullable_xstrdup(local_ip);
        answer->size = attempt.body.length;
        answer->body = ds_steal_cstr(&attempt.body);
    } else {
        *errorp = describe_failure(&attempt, code, url_s);
    }
    ds_destroy(&attempt.body);
    model_url_destroy(&url);
    curl_easy_cleanup(attempt.curl);
    free_headers(&attempt);
    return code;
}

static char *
try_urls(struct client *client, const struct request *request,
         struct client_answer *answer)
{
    struct ds errors = DS_EMPTY_INITIALIZER;

    memset(answer, 0, sizeof *answer);
    for (size_t i = 0; i < client->urls.n; i++) {
        size_t index = (client->current + i) % client->urls.n;

        if (client->pinned != CLIENT_ANY_URL && client->pinned != index) {
            continue;
        }
        struct client_answer this = { .status = 0 };
        char *error;
        CURLcode code = try_url(client, request, client->urls.names[index],
                                &this, &error);

        if (code == CURLE_OK) {
            client_answer_destroy(answer);
            *answer = this;
            if (client->pinned == CLIENT_ANY_URL) {
                client->current = index;
            }
            if (answer->status != 503) {
                break;
            }
            continue;
        }
        ds_put_format(&errors, "%s%s", errors.length ? "; " : "", error);
        free(error);
    }
    if (answer->status) {
        ds_destroy(&errors);
        return NULL;
    }
    char *error = xasprintf("no mapping service answers: %s",
                            ds_cstr(&errors));
    ds_destroy(&errors);
    return error;
}

size_t
client_n_urls(const struct client *client)
{
    return client->urls.n;
}

size_t
client_current(const struct client *client)
{
    return client->current;
}

void
client_pin(struct client *client, size_t index)
{
    client->pinned = index;
}

const char *
client_url(const struct client *client)
{
    return client->urls.names[client->current];
}

char *
client_send(struct client *client, const char *method, const char *path,
            const json_t *body, struct client_answer *answer)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct request request = {
        .method = method, .path = path, .body = text, .verify = true,
    };
    char key[UUID_LEN + 1];
    struct uuid uuid;

    if (!strcmp(method, "POST")) {
        uuid_generate(&uuid);
        snprintf(key, sizeof key, UUID_FMT, UUID_ARGS(&uuid));
        request.key = key;
    }
    char *error = try_urls(client, &request, answer);

    if (text) {
        model_wipe(text, strlen(text));
        free(text);
    }
    if (!error && answer->size) {
        free(model_json_parse(answer->body, answer->size, CLIENT_ANSWER_MAX,
                              &answer->json));
    }
    return error;
}

char *
client_get_unverified(struct client *client, const char *path,
                      struct client_answer *answer)
{
    struct request request = { .method = "GET", .path = path };
    return try_urls(client, &request, answer);
}

char *
client_stream(struct client *client, const char *path,
              bool (*cb)(const char *, size_t, void *aux), void *aux)
{
    struct request request = {
        .method = "GET", .path = path, .verify = true, .cb = cb, .aux = aux,
    };
    struct client_answer answer;
    char *error = try_urls(client, &request, &answer);

    if (!error) {
        free(model_json_parse(answer.body, answer.size, CLIENT_ANSWER_MAX,
                              &answer.json));
        error = client_refusal(&answer);
        client_answer_destroy(&answer);
    }
    return error;
}

void
client_answer_destroy(struct client_answer *answer)
{
    if (answer->body) {
        model_wipe(answer->body, answer->size);
        free(answer->body);
    }
    json_decref(answer->json);
    free(answer->local_ip);
    memset(answer, 0, sizeof *answer);
}

char *
client_refusal(const struct client_answer *answer)
{
    if (answer->status >= 200 && answer->status < 300) {
        return NULL;
    }
    const char *code = json_string_value(json_object_get(answer->json,
                                                         "code"));
    const char *detail = json_string_value(json_object_get(answer->json,
                                                           "detail"));
    const char *field = json_string_value(json_object_get(answer->json,
                                                          "field"));
    if (!code) {
        return xasprintf("the service answered with HTTP status %ld",
                         answer->status);
    }
    /* The detail may begin with the field itself. */
    bool named = (field && detail
                  && !strncmp(field, detail, strlen(field)));
    return xasprintf("%s: %s%s%s", code, field && !named ? field : "",
                     field && !named ? ": " : "",
                     detail ? detail : "refused");
}

/* For commands. */

char *
ctl_path(const char *part, ...)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    va_list args;

    ds_put_cstr(&path, "/v1");
    va_start(args, part);
    for (; part; part = va_arg(args, const char *)) {
        char *escaped = curl_easy_escape(NULL, part, strlen(part));

        if (!*part || !strcmp(part, ".") || !strcmp(part, "..")) {
            ctl_usage("\"%s\": not a name", part);
        }
        ds_put_format(&path, "/%s", escaped);
        curl_free(escaped);
    }
    va_end(args);
    return ds_steal_cstr(&path);
}

struct client *
ctl_client(struct ctl *ctl)
{
    if (!ctl->client) {
        unsigned int timeout = ctl_uint_option(ctl, OPT_TIMEOUT, 1, 3600, 30);
        struct operator_config config;

        ctl_check("", operator_config_read(ctl_option(ctl, OPT_CONFIG),
                                           ctl_option(ctl, OPT_TOKEN_FILE),
                                           &config));
        ctl->client = client_create(&config.urls, config.ca, config.token,
                                    timeout);
        client_set_certificate(ctl->client, config.certificate,
                               config.private_key);
        operator_config_destroy(&config);
    }
    return ctl->client;
}

json_t *
ctl_request(struct ctl *ctl, const char *method, char *path, json_t *body)
{
    struct client_answer answer;

    ctl_check("", client_send(ctl_client(ctl), method, path, body, &answer));
    ctl_check("", client_refusal(&answer));
    if (answer.size && !answer.json) {
        ctl_fatal("the service's answer is not JSON");
    }
    json_t *json = json_incref(answer.json);
    client_answer_destroy(&answer);
    json_decref(body);
    free(path);
    return json;
}

json_t *
ctl_try(struct ctl *ctl, const char *path, const char *what)
{
    struct client_answer answer;
    char *error = client_send(ctl_client(ctl), "GET", path, NULL, &answer);
    json_t *json = NULL;

    if (!error) {
        error = client_refusal(&answer);
        if (!error && !answer.json) {
            error = xstrdup("the answer is not JSON");
        }
        json = error ? NULL : json_incref(answer.json);
        client_answer_destroy(&answer);
    }
    if (error) {
        error = output_printable(error);
        fflush(stdout);
        fprintf(stderr, "vsubnetctl: %s is not known: %s\n", what, error);
        free(error);
    }
    return json;
}

/* Appends to QUERY, which begins with '?' or is empty, "NAME=VALUE". */
static void
add_parameter(struct ds *query, const char *name, const char *value)
{
    char *escaped_name = curl_easy_escape(NULL, name, 0);
    char *escaped = curl_easy_escape(NULL, value, 0);

    ds_put_format(query, "%c%s=%s", query->length ? '&' : '?', escaped_name,
                  escaped);
    curl_free(escaped_name);
    curl_free(escaped);
}

/* What --filter says. */
static void
add_filters(const struct ctl *ctl, struct ds *query)
{
    const char *filter;
    size_t i;

    SVEC_FOR_EACH (i, filter, &ctl->options[OPT_FILTER]) {
        size_t n = strcspn(filter, "=");

        if (!n || !filter[n]) {
            ctl_usage("--filter %s: must be NAME=VALUE", filter);
        }
        char *name = xmemdup0(filter, n);
        add_parameter(query, name, filter + n + 1);
        free(name);
    }
}

/* GETs at most LIMIT items, 0 for all, with parameters QUERY, which it
 * destroys. */
static json_t *
get_list(struct ctl *ctl, char *path, struct ds *query, size_t limit)
{
    json_t *items = json_array();
    char *after = NULL;

    do {
        size_t length = query->length;

        if (after) {
            add_parameter(query, "after", after);
            free(after);
        }
        json_t *page = ctl_request(ctl, "GET",
                                   xasprintf("%s%s", path, ds_cstr(query)),
                                   NULL);
        ds_truncate(query, length);
        if (json_array_extend(items, json_object_get(page, "items"))) {
            ctl_fatal("the service's answer has no \"items\"");
        }
        after = nullable_xstrdup(json_string_value(json_object_get(page,
                                                                   "next")));
        json_decref(page);
    } while (after && (!limit || json_array_size(items) < limit));
    while (limit && json_array_size(items) > limit) {
        json_array_remove(items, json_array_size(items) - 1);
    }
    free(after);
    free(path);
    ds_destroy(query);
    return items;
}

json_t *
ctl_list(struct ctl *ctl, char *path)
{
    struct ds query = DS_EMPTY_INITIALIZER;

    return get_list(ctl, path, &query, 0);
}

json_t *
ctl_list_filtered(struct ctl *ctl, char *path, unsigned int limit)
{
    struct ds query = DS_EMPTY_INITIALIZER;

    if (limit) {
        ds_put_format(&query, "?limit=%u", limit);
    }
    add_filters(ctl, &query);
    return get_list(ctl, path, &query, limit);
}
