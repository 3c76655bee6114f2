/*
 * Names of subjects and issuers: text as callers write it, and the Name (RFC 5280, section 4.1.2.4)
 * that stands in a certificate.
 *
 * The text is RFC 4514's with what the original's callers are used to: spaces around separators,
 * ";" beside ",", values in quotation marks ("" is one of them inside), S for a state, E for an
 * e-mail address, types by number ("2.5.4.3=x", with "OID." before it or not), several attributes
 * in one RDN ("CN=a+OU=b").  Types are found without regard to case.  The order of the text is the
 * order in the certificate, so that what is rendered from a certificate makes the same again.
 */
#ifndef PKI_SUBJECT_H
#define PKI_SUBJECT_H

#include "base/arena.h"
#include "base/error.h"

#define SUBJECT_TEXT_MAX 200 /* characters (reference of the data plane, section 10.3) */
#define SUBJECT_ATTRIBUTES_MAX 32

/*
 * subject_parse(text, arena, name, err):
 * The Name's DER.  ERR_BAD_PARAMETER: no such text; too long; a control character or NUL in it,
 * however it is written; a value empty or longer than X.520 lets it be (a common name: 64
 * characters), a country that is not two letters.  The empty text is the empty Name.
 */
MUST_USE bool subject_parse(view text, struct arena *arena, view *name, struct error *err);

/*
 * subject_text(name, arena, text, err):
 * A Name as the original shows it ("C=US, S=WA, L=Redmond, CN=contoso.com"): in the certificate's
 * order, types without a short name by number, values in quotation marks where they need it.  Never
 * fails for what a certificate holds: control characters and what is no text are shown as "\xx",
 * and what is longer than SUBJECT_SHOWN_MAX bytes is cut.
 */
#define SUBJECT_SHOWN_MAX 4096
MUST_USE bool subject_text(view name, struct arena *arena, view *text, struct error *err);

/* subject_has_nul(name): Is there a NUL in one of its values, or is it malformed? */
bool subject_has_nul(view name);

/* The Name that says nothing: SEQUENCE {}. */
#define SUBJECT_EMPTY V("\x30\x00")

#endif
