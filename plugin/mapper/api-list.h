/* SPDX-License-Identifier: Apache-2.0 */
/* The API: lists, a page at a time. */

#ifndef MAPPER_API_LIST_H
#define MAPPER_API_LIST_H 1

/* A list answers {"items":[...],"next":"KEY"}.  "next" is there if there may
 * be more: the same request with the parameter after=KEY goes on behind it.
 * Items come in the order of their keys, so what is added or removed meanwhile
 * makes no other item come twice or not at all.
 *
 * "limit" says how many items a page may have.  Other parameters are members
 * of the items, which must have these values: compared as text, not heeding
 * case; in an array one element must; an empty value means null.  "address"
 * is the member "addresses", "label" is "labels".  Parameters that the list does not have are
 * refused.
 *
 * So that no request holds up the others, one looks at API_LIST_LOOK_MAX
 * rows at most: with filters, a page may be shorter than its limit, or empty,
 * and still have a "next".
 *
 *      static const char *const filters[] = { "name", NULL };
 *      struct api_list list;
 *
 *      if (api_list_begin(&list, call, filters)) {
 *          for (each row whose key is greater than list.after) {
 *              if (!api_list_more(&list)) {
 *                  break;
 *              }
 *              api_list_add(&list, JSON of the row, "%s", its key);
 *          }
 *          api_list_end(&list);
 *      }
 */

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "model/jansson.h"

struct api_call;

enum {
    API_LIST_DEFAULT = 10000,
    API_LIST_MAX = 10000,
    API_LIST_LOOK_MAX = 10000,
    API_LIST_FILTERS_MAX = 8,
};

struct api_list {
    struct api_call *call;
    size_t limit;
    char *after;                /* Key, or "". */
    const char *const *names;   /* Of filters. */
    char *values[API_LIST_FILTERS_MAX]; /* Null: any. */

    json_t *items;
    size_t n_looked;
    char *last;                 /* Key of the last row looked at. */
    bool more;
};

/* Reads the query.  FILTERS ends with a null.  False after answering 422. */
bool api_list_begin(struct api_list *, struct api_call *,
                    const char *const *filters);

/* Stores the number that list.after is, or NONE if there is none.  False,
 * after answering 422 and ending the list, if it is no number. */
bool api_list_after_number(struct api_list *, int64_t none, int64_t *);

/* False if the page ends before the next row. */
bool api_list_more(struct api_list *);

/* Takes over ITEM, which is left out if it does not pass the filters. */
void api_list_add(struct api_list *, json_t *item, const char *key, ...)
    OVS_PRINTF_FORMAT(3, 4);

/* Answers.  The body may have other members, too: then it is made by the first
 * and given the second. */
void api_list_end(struct api_list *);
json_t *api_list_body(const struct api_list *);
void api_list_end_body(struct api_list *, json_t *);

#endif /* mapper/api-list.h */
