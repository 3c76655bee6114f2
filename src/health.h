#ifndef HEALTH_H
#define HEALTH_H

#include "api/request.h"

extern const struct op health_ops[];

#endif
