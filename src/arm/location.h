/*
 * Locations: the original's regions, the installation's own, and "global".
 */
#ifndef ARM_LOCATION_H
#define ARM_LOCATION_H

#include "api/request.h"

/* location_normal(arena, text, out, err): "West Europe" -> "westeurope". */
MUST_USE bool location_normal(struct arena *arena, view text, view *out, struct error *err);

/* location_known(services, name): ${name} is normal. */
bool location_known(const struct services *services, view name);

/* location_title(name): "westeurope" -> "West Europe"; a location of one's own is its own title. */
view location_title(view name);

/* location_at(i): The titles of the known regions, one after the other; empty at the end. */
view location_at(size_t i);

#endif
