/* SPDX-License-Identifier: Apache-2.0 */
/* jansson and Open vSwitch's own JSON library, together in one program. */

#ifndef MODEL_JANSSON_H
#define MODEL_JANSSON_H 1

/* Both libraries export json_object(), json_array(), json_string(),
 * json_integer(), json_real() and json_equal(), and both declare enumerators
 * JSON_OBJECT and so on.  A program that links libopenvswitch and
 * -ljansson directly builds, and then crashes: its calls, and those inside
 * libjansson.so, reach Open vSwitch's functions.
 *
 * So the build makes a copy of libjansson.a whose six functions are named
 * jansson_*() (see plugin/model/automake.mk; never link -ljansson), and this
 * header, which replaces <jansson.h> everywhere, gives them their usual names
 * in the source.  It may be included together with Open vSwitch's headers, in
 * any order: a plain json_object() is then jansson's.  The type enumerators
 * are JANSSON_OBJECT and so on; most code needs only json_is_object(). */

#include "openvswitch/json.h"

#define json_object jansson_object
#define json_array jansson_array
#define json_string jansson_string
#define json_integer jansson_integer
#define json_real jansson_real
#define json_equal jansson_equal

#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_REAL JANSSON_REAL
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL

#include <jansson.h>

#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

/* jansson's own versions of these name the enumerators, so they would mean
 * Open vSwitch's now. */
#undef json_is_object
#undef json_is_array
#undef json_is_string
#undef json_is_integer
#undef json_is_real
#undef json_is_number
#undef json_is_true
#undef json_is_false
#undef json_is_boolean
#undef json_is_null
#undef json_boolean_value
#define MODEL_JSON_IS(JSON, TYPE) ((JSON) && json_typeof(JSON) == (TYPE))
#define json_is_object(JSON) MODEL_JSON_IS(JSON, JANSSON_OBJECT)
#define json_is_array(JSON) MODEL_JSON_IS(JSON, JANSSON_ARRAY)
#define json_is_string(JSON) MODEL_JSON_IS(JSON, JANSSON_STRING)
#define json_is_integer(JSON) MODEL_JSON_IS(JSON, JANSSON_INTEGER)
#define json_is_real(JSON) MODEL_JSON_IS(JSON, JANSSON_REAL)
#define json_is_number(JSON) (json_is_integer(JSON) || json_is_real(JSON))
#define json_is_true(JSON) MODEL_JSON_IS(JSON, JANSSON_TRUE)
#define json_is_false(JSON) MODEL_JSON_IS(JSON, JANSSON_FALSE)
#define json_is_boolean(JSON) (json_is_true(JSON) || json_is_false(JSON))
#define json_is_null(JSON) MODEL_JSON_IS(JSON, JANSSON_NULL)
#define json_boolean_value json_is_true

#endif /* model/jansson.h */
