/* It lives in base, where commands reach it, too; rows include it from here. */
#ifndef API_PERCENT_H
#define API_PERCENT_H

#include "base/percent.h"

#endif
