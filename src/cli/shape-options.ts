/** Options of the experiment: what stands around the processor (--platform), what a door hands over (--pvh, --subarch), dom0. */
import { HardwareSubarch } from '../../firmware-tables/linux/setup-header.js';
import type { Linux64Options, PvhOptions } from '../boot/boot-protocol.js';
import { platforms, type PlatformDescription } from '../platform-description.js';
import { UsageError } from './errors.js';
import type { Option } from './options.js';

export const platform: Option = {
  name: 'platform',
  value: 'NAME[,WORD...]',
  meaning:
    'uart (a serial port) or xen (what a PVH domain has: no devices); vga and rtc let the FADT leave out that there is neither, no-x2apic takes that mode away',
  byDefault: 'uart; xen with --xen',
};
export const pvh: Option = {
  name: 'pvh',
  value: 'KEY=VALUE[,...]',
  meaning:
    'the PVH door: version=0 of hvm_start_info (no memory map), flags=N (SIF_*: 1 privileged, 2 initial domain), at=ADDRESS for a kernel that may stand elsewhere (PHYS32_RELOC)',
};

export const subarch: Option = {
  name: 'subarch',
  value: 'NAME',
  meaning: 'the door linux64: hardware_subarch of boot_params, pc or xen (docs/xen-detection.md)',
  byDefault: 'pc',
};
export const dom0: Option = {
  name: 'dom0',
  value: 'FIRMWARE',
  meaning:
    'with --xen --door pvh: the guest is the initial domain, and the firmware under Xen is bios or efi (docs/xen-dom0.md)',
};

/** --subarch; undefined when it was not given. Throws UsageError. */
export function parseSubarch(text: string | undefined): Linux64Options | undefined {
  if (text === undefined) return undefined;
  if (text === 'pc' || text === 'xen') return { hardwareSubarch: HardwareSubarch[text] };
  throw new UsageError(`--subarch ${text}: the choices are pc and xen`);
}

/** --dom0 beside --xen; undefined when it was not given. Throws UsageError. */
export function parseDom0(text: string | undefined, xen: boolean): 'bios' | 'efi' | undefined {
  if (text === undefined) return undefined;
  if (!xen) throw new UsageError('--dom0 is for a guest of Xen: give --xen, too');
  if (text === 'bios' || text === 'efi') return text;
  throw new UsageError(`--dom0 ${text}: the choices are bios and efi`);
}

/** --platform beside --xen; undefined when it was not given. Throws UsageError. */
export function parsePlatform(text: string | undefined, xen: boolean): PlatformDescription | undefined {
  if (text === undefined) return undefined;
  const [name, ...words] = text.split(',');
  if (name !== 'uart' && name !== 'xen') throw new UsageError(`--platform ${text}: the platforms are uart and xen`);
  if (name === 'xen' && !xen) {
    throw new UsageError("--platform xen has no console but the hypervisor's: give --xen, too");
  }
  const unknown = words.find((word) => !['vga', 'rtc', 'no-x2apic'].includes(word));
  if (unknown !== undefined) {
    throw new UsageError(`--platform ${text}: behind the name come vga, rtc or no-x2apic, not "${unknown}"`);
  }
  const base: PlatformDescription = xen ? platforms[name === 'uart' ? 'xen-uart' : 'xen'] : platforms.uart;
  return {
    ...base,
    noVga: !words.includes('vga'),
    noRtc: !words.includes('rtc'),
    x2apic: base.x2apic && !words.includes('no-x2apic'),
  };
}

/** --pvh; undefined when it was not given. Throws UsageError. */
export function parsePvh(text: string | undefined): PvhOptions | undefined {
  if (text === undefined) return undefined;
  const result: { -readonly [Key in keyof PvhOptions]: PvhOptions[Key] } = {};
  for (const part of text.split(',')) {
    const [key, value = ''] = part.split('=', 2);
    if (key === 'version' && (value === '0' || value === '1')) result.version = value === '0' ? 0 : 1;
    else if (key === 'flags') result.flags = number(part, value);
    else if (key === 'at') result.loadAt = number(part, value);
    else throw new UsageError(`--pvh ${part}: give version=0, version=1, flags=N or at=ADDRESS`);
  }
  return result;
}

/** Decimal or, with 0x, hexadecimal; K, M and G multiply. 32 bits. */
function number(part: string, text: string): number {
  const match = /^(0x[0-9a-f]+|\d+)([KMG]?)$/i.exec(text);
  const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match?.[2]?.toUpperCase() ?? ''] ?? 1;
  const value = match === null ? NaN : Number(match[1]) * unit;
  if (Number.isInteger(value) && value < 2 ** 32) return value;
  throw new UsageError(`--pvh ${part}: give a number of 32 bits, such as 3, 0x4000000 or 64M`);
}
