#include "acpi.h"

#include "cpu.h"

/* 5.2.5.3 */
struct rsdp {
  char signature[8];
  u8 checksum, oem[6], revision;
  u32 rsdt, length;
  u64 xsdt;
} __attribute__((packed));

/* 5.2.6 */
struct header {
  char signature[4];
  u32 length;
  u8 rest[28];
} __attribute__((packed));

/* 5.2.9: of the FADT only the flags (offset 112) and SLEEP_CONTROL_REG (offset 244, a generic address structure). */
enum { FadtFlags = 112, FadtSleepControl = 244, FadtHwReduced = 1 << 20, SpaceSystemIo = 1 };

static u64 read(const u8 *at, int bytes) {
  u64 value = 0;
  memcpy(&value, at, (size_t)bytes);
  return value;
}

static const u8 *find_fadt(u64 address) {
  const struct rsdp *rsdp = (const struct rsdp *)address;
  if (rsdp == 0 || memcmp(rsdp->signature, "RSD PTR ", 8) != 0 || rsdp->revision < 2 || rsdp->xsdt == 0) return 0;
  const struct header *xsdt = (const struct header *)rsdp->xsdt;
  for (u32 offset = sizeof *xsdt; offset + 8 <= xsdt->length; offset += 8) {
    const struct header *table = (const struct header *)read((const u8 *)xsdt + offset, 8);
    if (memcmp(table->signature, "FACP", 4) == 0 && table->length >= FadtSleepControl + 12) return (const u8 *)table;
  }
  return 0;
}

u16 acpi_sleep_port(u64 rsdp) {
  const u8 *fadt = find_fadt(rsdp);
  if (fadt == 0 || (read(fadt + FadtFlags, 4) & FadtHwReduced) == 0) return 0;
  if (fadt[FadtSleepControl] != SpaceSystemIo) return 0;
  return (u16)read(fadt + FadtSleepControl + 4, 8);
}

void acpi_power_off(u16 port) {
  outb(port, 5 << 2 | 1 << 5); /* SLP_TYP 5, SLP_EN */
}
