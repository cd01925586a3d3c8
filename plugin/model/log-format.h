/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon's log looks like: lines for people, or JSON for collectors. */
#ifndef MODEL_LOG_FORMAT_H
#define MODEL_LOG_FORMAT_H 1

/* The formats are patterns of Open vSwitch's logging, for the file and the
 * console; the system log is its own collector and stays as it is.  One line
 * of "json":
 *
 *      {"time":"2026-11-30T13:20:00.123Z","serial":7,"program":"vsubnet-mapper",
 *       "pid":4711,"thread":"main","module":"http","level":"WARN",
 *       "message":"..."}
 *
 * --verbose=PATTERN:... after it has the last word. */

/* Takes the format from "--log-format=NAME" or "--log-format NAME" among the
 * arguments, ahead of other options: --log-file already logs.  What is wrong
 * with it is for who parses the options to say. */
void log_format_early(int argc, char *argv[]);

/* NAME is "text" or "json".  Returns a message, which the caller frees, if it
 * is neither. */
char *log_format_set(const char *name);

#endif /* model/log-format.h */
