import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { crc32 } from '../../bytes/crc32.js';
import { byteCount } from '../guest-access.js';
import { declared, service } from '../service.js';

const ticksPerSecond = 1_000_000_000;
const ticksPerMicrosecond = 1000;

/** EFI_BOOT_SERVICES.InstallConfigurationTable(): adds, replaces, or with Table NULL removes an entry. UEFI 2.10 section 7.5.6. */
const InstallConfigurationTable = service({ Guid: 'guid', Table: 'pointer' }, (fw, { Guid: guid, Table }) => {
  if (guid === undefined) return Status.INVALID_PARAMETER;
  const entries = fw.tables.configurationTables();
  const index = entries.findIndex((entry) => entry.guid === guid);
  if (index < 0 && Table === 0n) return Status.NOT_FOUND;
  if (Table === 0n) entries.splice(index, 1);
  else if (index < 0) entries.push({ guid, address: Table });
  else entries[index] = { guid, address: Table };
  const before = fw.tables.addresses.configurationTable;
  const allocate = (bytes: number): number | undefined => fw.pool.allocate(MemoryType.EfiRuntimeServicesData, bytes);
  if (!fw.tables.setConfigurationTables(entries, allocate)) return Status.OUT_OF_RESOURCES;
  if (fw.tables.addresses.configurationTable !== before) fw.pool.free(before);
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.CalculateCrc32(). UEFI 2.10 section 7.5.7. */
const CalculateCrc32 = service(
  { Data: 'pointer', DataSize: 'uintn', Crc32: 'pointer' },
  (fw, { Data, DataSize, Crc32 }, show) => {
    if (Data === 0n || DataSize === 0n || Crc32 === 0n) return Status.INVALID_PARAMETER;
    const sum = crc32(fw.guest.read(Data, byteCount(DataSize, Data)));
    fw.guest.writeU32(Crc32, sum);
    show('Crc32', `0x${sum.toString(16)}`);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.CopyMem(): the ranges may overlap. Returns nothing. UEFI 2.10 section 7.5.3. */
const CopyMem = service(
  { Destination: 'pointer', Source: 'pointer', Length: 'uintn' },
  (fw, { Destination, Source, Length }) => {
    fw.guest.write(Destination, fw.guest.read(Source, byteCount(Length, Source)));
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.SetMem(). Returns nothing. UEFI 2.10 section 7.5.4. */
const SetMem = service({ Buffer: 'pointer', Size: 'uintn', Value: 'uint32' }, (fw, { Buffer, Size, Value }) => {
  const length = byteCount(Size, Buffer);
  fw.guest.requireWritable(Buffer, length);
  fw.guest.write(Buffer, new Uint8Array(length).fill(Value & 0xff));
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.Stall(): microseconds. UEFI 2.10 section 7.5.2. */
const Stall = service({ Microseconds: 'uintn' }, (fw, { Microseconds }) => {
  fw.host.stall?.(Number(Microseconds) * ticksPerMicrosecond);
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.SetWatchdogTimer(): seconds until the machine is reset, 0 for never. UEFI 2.10 section 7.5.1. */
const SetWatchdogTimer = service(
  { Timeout: 'uintn', WatchdogCode: 'uint64', DataSize: 'uintn', WatchdogData: 'pointer' },
  (fw, { Timeout }) => {
    if (fw.host.watchdog === undefined) return Status.UNSUPPORTED;
    fw.host.watchdog(Timeout === 0n ? undefined : fw.host.now() + Number(Timeout) * ticksPerSecond);
    return Status.SUCCESS;
  },
);

/** Miscellaneous services. UEFI 2.10 section 7.5. */
export const miscServices = {
  InstallConfigurationTable,
  CalculateCrc32,
  CopyMem,
  SetMem,
  SetWatchdogTimer,
  Stall,
  GetNextMonotonicCount: declared({ Count: 'pointer' }),
};
