/* Sequences of calls that try one rule after another; `kind` has the attributes of the variables. */
#ifndef RULES_H
#define RULES_H

#include "../../../examples/lib/efi.h"

void attribute_rules(void);
void parameters(void);
void appending(void);
void deleting(void);
void enumerating(void);
void querying(void);
/* Bytes that a variable takes: what the store keeps beside name and data. */
void accounting(u32 kind);
void limits(u32 kind);
/* Fills the storage to its last byte. Only statuses and what is left of `Old` show: how much fits is the platform's. */
void filling(u32 kind);

#endif
