/* Finding the FADT and switching the machine off with it. ACPI 6.5 sections 5.2 and 4.8.3.7. */
#ifndef EXAMPLES_ACPI_H
#define EXAMPLES_ACPI_H

#include "types.h"

/* The I/O port of SLEEP_CONTROL_REG, or 0 when the RSDP leads to no hardware-reduced FADT. */
u16 acpi_sleep_port(u64 rsdp);

/* Enters the soft-off state (_S5, type 5) through that port. */
void acpi_power_off(u16 port);

#endif
