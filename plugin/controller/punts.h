/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that the switch sends to the controller, each to whom it is for. */
#ifndef VSUBNET_PUNTS_H
#define VSUBNET_PUNTS_H 1

/* Every flow that sends frames up says for whom, by enum punt_kind, and has a
 * meter: what a guest can cause here is bounded before it arrives.  A handler
 * takes nothing in a frame for true. */

struct controller;
struct punt;

void punts_receive(struct controller *, const struct punt *);

#endif /* punts.h */
