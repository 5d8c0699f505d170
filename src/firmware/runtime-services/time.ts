import { Status } from '../../../firmware-tables/uefi/status.js';
import { Time, TimeCapabilities } from '../../../firmware-tables/uefi/time.js';
import { declared, service } from '../service.js';

/** What the clock shows at tick 0, in milliseconds of Unix time: runs are repeatable, so it does not follow the host. */
const startOfTime = Date.UTC(2026, 0, 1);
const ticksPerMillisecond = 1_000_000;

/** EFI_RUNTIME_SERVICES.GetTime(): virtual time, in UTC. UEFI 2.10 section 8.3.1. */
const GetTime = service({ Time: 'pointer', Capabilities: 'pointer' }, (fw, { Time: time, Capabilities }, show) => {
  if (time === 0n) return Status.INVALID_PARAMETER;
  const ticks = fw.host.now();
  const date = new Date(startOfTime + Math.floor(ticks / ticksPerMillisecond));
  const value = {
    Year: date.getUTCFullYear(),
    Month: date.getUTCMonth() + 1,
    Day: date.getUTCDate(),
    Hour: date.getUTCHours(),
    Minute: date.getUTCMinutes(),
    Second: date.getUTCSeconds(),
    Nanosecond: ticks % 1_000_000_000,
  };
  if (Capabilities !== 0n) {
    fw.guest.write(Capabilities, TimeCapabilities.encode({ Resolution: 1_000_000_000, Accuracy: 0, SetsToZero: 0 }));
  }
  fw.guest.write(time, Time.encode(value));
  show('Time', date.toISOString());
  return Status.SUCCESS;
});

/** Time services. UEFI 2.10 section 8.3. */
export const timeServices = {
  GetTime,
  SetTime: declared({ Time: 'pointer' }),
  GetWakeupTime: declared({ Enabled: 'pointer', Pending: 'pointer', Time: 'pointer' }),
  SetWakeupTime: declared({ Enable: 'boolean', Time: 'pointer' }),
};
