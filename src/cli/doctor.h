/*
 * `strongroom doctor`: looks at one thing after the other that an installation needs, and says of
 * each that it is well or what to do.  It changes nothing.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "config.h"

/*
 * doctor(config, err):
 * One line a finding, on standard output, with colours on a terminal (unless NO_COLOR is set).
 * Advice, about what only some need, is no failure; ERR_BAD_REQUEST when something is wrong.
 */
MUST_USE bool doctor(const struct config *config, struct error *err);

#endif
