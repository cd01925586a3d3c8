/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use the mapping service. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "model/jansson.h"
#include "model/types.h"
#include "util.h"

enum { CERTIFICATE_SIZE_LIMIT = 16384 };

static const struct output_column user_columns[] = {
    { "Name", "name" }, { "Role", "role" }, { "ID", "id" },
    { "Created", "created" }, { "Expires", "expires" },
    { "Certificate", "certificate" }, { NULL, NULL },
};

/* The text of a file that holds a certificate, which is no secret. */
static json_t *
read_certificate(const char *path)
{
    char text[CERTIFICATE_SIZE_LIMIT + 1];
    FILE *file = fopen(path, "r");

    if (!file) {
        ctl_fatal("%s: %s", path, ovs_strerror(errno));
    }
    size_t n = fread(text, 1, sizeof text, file);
    if (ferror(file)) {
        ctl_fatal("%s: %s", path, ovs_strerror(errno));
    }
    fclose(file);

    json_t *json = n < sizeof text ? json_stringn(text, n) : NULL;
    if (!json || !strstr(json_string_value(json), "BEGIN CERTIFICATE")) {
        ctl_fatal("%s: not a certificate in PEM form", path);
    }
    if (strstr(json_string_value(json), "PRIVATE KEY")) {
        ctl_fatal("%s: has a private key in it, which nobody else must see: "
                  "give a file with the certificate alone", path);
    }
    return json;
}

static void
check_role(const char *role)
{
    if (role && strcmp(role, "viewer") && strcmp(role, "operator")) {
        ctl_usage("--role %s: must be viewer or operator", role);
    }
}

void
ctl_user_add(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    const char *role = ctl_option(ctl, OPT_ROLE);
    const char *ttl = ctl_option(ctl, OPT_TTL);
    const char *certificate = ctl_option(ctl, OPT_CERTIFICATE);

    ctl_check("", model_check_name(name));
    check_role(role);
    json_t *body = json_pack("{s:s, s:s}", "name", name,
                             "role", role ? role : "viewer");
    if (ttl) {
        json_object_set_new(body, "ttl",
                            json_integer(ctl_parse_time("ttl", ttl)));
    }
    if (certificate) {
        json_object_set_new(body, "certificate",
                            read_certificate(certificate));
    }
    json_t *user = ctl_request(ctl, "POST", ctl_path("users", NULL), body);

    if (certificate || ctl_has(ctl, OPT_JSON)) {
        output_done(ctl, user, "user %s added", name);
    } else {
        char *s = output_value(json_object_get(user, "token"));
        puts(s);
        model_wipe(s, strlen(s));
        free(s);
    }
    json_decref(user);
}

void
ctl_user_set(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    const char *new_name = ctl_option(ctl, OPT_NAME);
    const char *role = ctl_option(ctl, OPT_ROLE);
    const char *ttl = ctl_option(ctl, OPT_TTL);
    json_t *body = json_object();

    check_role(role);
    if (new_name) {
        ctl_check("--name", model_check_name(new_name));
        json_object_set_new(body, "name", json_string(new_name));
    }
    if (role) {
        json_object_set_new(body, "role", json_string(role));
    }
    if (ttl && ttl[0]) {
        json_object_set_new(body, "ttl",
                            json_integer(ctl_parse_time("ttl", ttl)));
    } else if (ttl) {
        json_object_set_new(body, "expires", json_null());
    }
    if (!json_object_size(body)) {
        ctl_usage("nothing to set (see vsubnetctl user set --help)");
    }
    json_t *user = ctl_request(ctl, "PATCH", ctl_path("users", name, NULL),
                               body);
    output_done(ctl, user, "user %s changed", name);
    json_decref(user);
}

void
ctl_user_ls(struct ctl *ctl)
{
    ctl_show_list(ctl, ctl_list_filtered(ctl, ctl_path("users", NULL), 0),
                  user_columns);
}

void
ctl_user_show(struct ctl *ctl)
{
    json_t *user = ctl_request(ctl, "GET",
                               ctl_path("users", ctl_arg(ctl, 0), NULL),
                               NULL);

    ctl_show_record(ctl, user, user_columns);
    json_decref(user);
}

void
ctl_user_rm(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *answer = ctl_request(ctl, "DELETE",
                                 ctl_path("users", name, NULL), NULL);

    output_done(ctl, answer, "user %s removed", name);
    json_decref(answer);
}
