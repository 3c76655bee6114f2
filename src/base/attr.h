/*
 * The three attributes that carry the discipline: a failure can't be ignored, a format can't
 * lie, an owner can't leak.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define AUTO(done) __attribute__((cleanup(done)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
