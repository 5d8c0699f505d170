// The page docs/linux-profile.md: what the results of the boots say of each entry of the profile. No boots here.
import { code, table } from '../markdown.mjs';
import { commandLine, entriesOf, isService, kernels, memoryMiB } from './settings.mjs';

const listed = (texts) => texts.map(code).join(', ');
const shortNames = { 'latest-cloud': 'latest' };
const short = (kernel) => shortNames[kernel] ?? kernel.replace('-cloud', '');

/** `protocol:LoadFile2` as people say it. */
const titleOf = (entry) =>
  isService(entry) ? code(entry) : `${entry.slice(0, entry.indexOf(':'))} ${code(entry.slice(entry.indexOf(':') + 1))}`;

const mostLines = 8;

/** Texts by kernel as one: what all kernels share is said once, what nobody has is ''. */
function merged(texts) {
  const groups = new Map();
  for (const kernel of kernels) {
    const text = texts(kernel);
    if (text !== undefined) groups.set(text, [...(groups.get(text) ?? []), short(kernel)]);
  }
  const all = [...groups];
  if (all.length === 1 && all[0][1].length === kernels.length) return all[0][0];
  return all.map(([text, names]) => `${names.join(', ')}: ${text}`).join('<br>');
}

/** Addresses are another thing in each kernel. */
const withoutAddresses = (line) => line.replace(/0x[0-9a-f]{5,}/gi, '0x...');

/** Who called: a symbol of the kernel, or the stub, which has none. */
function callerOf(from) {
  if (from === undefined) return undefined;
  if (from.startsWith('image+')) return 'the stub';
  return code(/ from (\w+)/.exec(from)?.[1] ?? from.replace(/\+.*/, ''));
}

const exitStatus = (reason) => /^Exit\((\w+)\)/.exec(reason)?.[1];
const oops = (lines) => lines.find((line) => line.startsWith('BUG: '));
const endsAlike = (one) => one.same || one.reason.startsWith('ResetSystem');
const changes = ({ lost, appeared, notCalled, called }) =>
  lost.length + appeared.length + notCalled.length + called.length > 0;
const boots = (one) => one.same === true || (one.outcome === 'powered-off' && one.userSpace);

/** How one boot ended, in a few words. */
function ending(one) {
  if (one.same) return 'boots as before';
  const { outcome, reason, userSpace } = one;
  const after = one.last === undefined ? 'at its first call' : `after ${code(one.last)}`;
  if (boots(one)) {
    const what = changes(one) ? ['with the differences below'] : [];
    if (!endsAlike(one)) what.push(`powers off by the ${reason}`);
    return what.length === 0 ? 'boots; nothing of it shows on the console' : `boots, ${what.join('; ')}`;
  }
  const where = userSpace ? ' after user space' : '';
  if (outcome === 'exited') return `gives up: ${exitStatus(reason) ?? reason}`;
  if (outcome === 'panicked') return `panics${where}: ${reason.replace('Kernel panic: ', '')}`;
  if (outcome === 'limit') return `never ends${where}: ${oops(one.appeared) ?? `hangs ${after}`}`;
  if (reason.startsWith('exception')) return `crashes ${after}`;
  return `${outcome}${where}: ${reason.replace(/ at RIP (\w+)\+\w+$/, ' in $1')}`;
}

/** Who needs an entry, by the boots without it. */
function verdict(results, entry) {
  const of = (kernel, way) => results[kernel].without[entry][way];
  const fails = (kernel, way) => of(kernel, way) !== undefined && !boots(of(kernel, way));
  const poorer = (one) => !one.same && (changes(one) || !endsAlike(one));
  const tests = {
    'to boot': (kernel) => fails(kernel, 'absent'),
    'for what is lost without it': (kernel) => !fails(kernel, 'absent') && poorer(of(kernel, 'absent')),
    'to boot: any other status is fatal': (kernel) => !fails(kernel, 'absent') && fails(kernel, 'unsupported'),
    'to be callable, whatever it answers': (kernel) => !fails(kernel, 'absent') && fails(kernel, 'null'),
    'when the stub gives up': (kernel) => results[kernel].alsoWithout[entry] !== undefined,
  };
  const needed = Object.entries(tests).flatMap(([title, test]) => {
    const found = kernels.filter(test);
    if (found.length === 0) return [];
    return [`${title}: ${found.length === kernels.length ? 'every kernel' : found.map(short).join(', ')}`];
  });
  return needed.length === 0 ? '**by nothing here**' : needed.join('<br>');
}

const count = ({ boot, runTime } = { boot: 0, runTime: 0 }) =>
  boot + runTime === 0 ? '-' : runTime === 0 ? `${boot}` : `${boot} + ${runTime}`;

function callsTable(results, profile) {
  return table(
    ['entry', ...kernels.map(short), 'first called by', 'needed'],
    entriesOf(profile).map((entry) => [
      titleOf(entry),
      ...kernels.map((kernel) => (isService(entry) ? count(results[kernel].calls[entry]) : '')),
      isService(entry) ? merged((kernel) => callerOf(results[kernel].calls[entry]?.from)) : '',
      verdict(results, entry),
    ]),
  );
}

const waysOf = (results, entry) => Object.keys(results[kernels[0]].without[entry]);
const wayTitles = { absent: 'absent', unsupported: 'EFI_UNSUPPORTED', null: 'NULL' };

function withoutTable(results, profile) {
  return table(
    ['entry', 'taken away', 'what happens'],
    entriesOf(profile).flatMap((entry) =>
      waysOf(results, entry).map((way, index) => [
        index === 0 ? titleOf(entry) : '',
        wayTitles[way],
        merged((kernel) => ending(results[kernel].without[entry][way])),
      ]),
    ),
  );
}

/** What a boot that reaches user space, or says why it does not, shows otherwise than the full one. */
function difference(one) {
  if (one.same) return [];
  const quote = (title, lines) =>
    lines?.length > 0 ? [`  - ${title}: ${lines.slice(0, mostLines).map(withoutAddresses).map(code).join(', ')}`] : [];
  const services = (title, names) => (names.length > 0 ? [`  - ${title}: ${listed(names)}`] : []);
  return [
    ...quote('lines that are missing', one.lost),
    ...quote('lines that are new', one.appeared.slice(0, 5)),
    ...services('no longer called', one.notCalled),
    ...services('called besides', one.called),
  ];
}

function differences(results, profile) {
  const parts = [];
  for (const entry of entriesOf(profile)) {
    const groups = new Map();
    for (const kernel of kernels) {
      const text = difference(results[kernel].without[entry].absent).join('\n');
      if (text !== '') groups.set(text, [...(groups.get(text) ?? []), short(kernel)]);
    }
    for (const [text, names] of groups) parts.push(`- ${titleOf(entry)} absent, ${names.join(', ')}\n${text}`);
  }
  return parts.join('\n');
}

function alsoTable(results) {
  const entries = [...new Set(kernels.flatMap((kernel) => Object.keys(results[kernel].alsoWithout)))];
  return table(
    ['entry', 'called when this is absent', 'taken away as well', 'what happens'],
    entries.flatMap((entry) =>
      ['absent', 'null'].map((way, index) => [
        index === 0 ? titleOf(entry) : '',
        index === 0
          ? merged((kernel) => results[kernel].alsoWithout[entry] && titleOf(results[kernel].alsoWithout[entry].cause))
          : '',
        wayTitles[way],
        merged((kernel) => results[kernel].alsoWithout[entry] && ending(results[kernel].alsoWithout[entry][way])),
      ]),
    ),
  );
}

/** What the protocols are for that a stub looks for and a machine may lack. By the sources of Linux. */
const protocolPurposes = {
  EFI_TCG2_PROTOCOL:
    'a TPM: measures the command line and the initrd, copies the event log; without it nothing is measured',
  EFI_CC_MEASUREMENT_PROTOCOL: 'the same for a confidential guest',
  EFI_MEMORY_ATTRIBUTE_PROTOCOL:
    'makes the unpacked kernel executable where memory is not; without it the stub relies on memory being executable, as it is here',
  EFI_RNG_PROTOCOL:
    'bits for KASLR and the random seed; without it the stub takes RDRAND and RDTSC, and hands no seed on',
  EFI_GRAPHICS_OUTPUT_PROTOCOL: 'a screen',
  EFI_UGA_DRAW_PROTOCOL: 'an old screen',
  EFI_PCI_IO_PROTOCOL: 'PCI devices with an option ROM; this machine has no PCI',
  OVMF_SEV_MEMORY_ACCEPTANCE_PROTOCOL: 'says that the kernel accepts memory itself; only beside unaccepted memory',
  APPLE_PROPERTIES_PROTOCOL: "properties of Apple's machines",
};

function lookUps(results) {
  const seen = new Map();
  for (const kernel of kernels)
    for (const { protocol, service, status, calls } of results[kernel].lookUps) {
      const key = `${protocol} ${status}`;
      const entry = seen.get(key) ?? { protocol, status, services: new Set(), calls: {} };
      entry.services.add(service);
      entry.calls[kernel] = (entry.calls[kernel] ?? 0) + calls;
      seen.set(key, entry);
    }
  return table(
    ['protocol', 'asked by', ...kernels.map(short), 'answer', 'what it would be for, by the sources of Linux'],
    [...seen.values()].map(({ protocol, services, status, calls }) => [
      code(protocol),
      listed([...services]),
      ...kernels.map((kernel) => calls[kernel] ?? '-'),
      status,
      status === 'EFI_SUCCESS' ? 'there' : (protocolPurposes[protocol] ?? ''),
    ]),
  );
}

/** Who in Linux would call what the profile lacks. By the sources of Linux, x86. */
const purposes = {
  RaiseTPL: 'nothing in Linux',
  RestoreTPL: 'nothing in Linux',
  CreateEvent: 'the stub with `video=efifb:list` alone, which waits for a key; asks for a screen first',
  SetTimer: 'as CreateEvent',
  WaitForEvent: 'as CreateEvent',
  CloseEvent: 'as CreateEvent',
  LocateHandleBuffer: 'new stubs, for screens and PCI devices; EFI_NOT_FOUND is the right answer of a machine without',
  Stall: 'no x86 stub',
  GetTime: 'no x86 kernel, which reads the RTC',
  SetTime: 'as GetTime',
  GetWakeupTime: 'as GetTime',
  SetWakeupTime: 'as GetTime',
  UpdateCapsule: 'the module efi-capsule-loader and reboots with a capsule',
  QueryCapsuleCapabilities: 'as UpdateCapsule',
  GetNextHighMonotonicCount: 'wrapped by the kernel, called by nothing',
  LoadImage: 'boot loaders; in Linux compressed kernels of other architectures',
  StartImage: 'as LoadImage',
  UnloadImage: 'as LoadImage',
  CopyMem: 'stubs of other architectures',
  SetMem: 'stubs of other architectures',
  CalculateCrc32: 'nothing in Linux',
  ConvertPointer: 'drivers that stay at run time, no operating system',
};

function lackingTable(results, slots, profile) {
  const rows = slots
    .filter((name) => !(name in profile.services) && name !== 'Reserved')
    .map((name) => {
      const ways = (way) =>
        merged((kernel) => results[kernel].lacking[name]?.[way] && ending(results[kernel].lacking[name][way]));
      const tried = ['present', 'null'].map((way) => [way, ways(way)]).filter(([, text]) => text !== '');
      return {
        name,
        calls: kernels.map((kernel) => count(results[kernel].calls[name])),
        tried: tried.map(([way, text]) => `${way === 'null' ? 'NULL' : way}: ${text}`).join('<br>'),
        purpose: purposes[name] ?? '',
      };
    });
  const known = rows.filter(({ calls, tried, purpose }) => calls.some((text) => text !== '-') || tried || purpose);
  const others = rows.filter((row) => !known.includes(row)).map(({ name }) => name);
  const shown = table(
    ['service', ...kernels.map(short), 'tried', 'who would call it, by the sources of Linux'],
    known.map(({ name, calls, tried, purpose }) => [code(name), ...calls, tried, purpose]),
  );
  return `${shown}\n\nCalled by no kernel, and there is nothing to offer yet: ${listed(others)}.`;
}

/**
 * The page, not yet formatted. `slots` are the names of all boot and run-time services. Throws when the results are not
 * those of the profile.
 */
export function page(results, profile, slots) {
  const wanted = entriesOf(profile).join();
  for (const kernel of kernels) {
    if (Object.keys(results[kernel]?.without ?? {}).join() !== wanted)
      throw new Error(
        `the results of ${kernel} are not those of this profile: node .ci/justify.mjs --write boots it anew`,
      );
  }
  return `<!-- generated: npm run docs, from .ci/justify/results.json; node .ci/justify.mjs --write boots anew -->

# The profile \`linux\`, justified

Each entry of the profile by what calls it and by what happens without it. Whatever does not name the sources of Linux was measured:
${kernels.length} kernels were booted through the door \`efi\` with the whole profile, then once more for each entry and each way
of taking it away. Command line \`${commandLine}\`, ${memoryMiB} MiB, an initramfs of busybox
whose first process mounts efivarfs, lists the variables, writes, reads and deletes one, asks for the free storage and powers off
(\`.ci/justify/init.sh\`); \`--strict\`.

${table(
  ['', 'release', 'SHA-256 of the image', 'with the whole profile'],
  kernels.map((kernel) => [
    short(kernel),
    results[kernel].release,
    code(results[kernel].sha256.slice(0, 16)),
    results[kernel].outcome,
  ]),
)}

Three ways of taking away:

- **absent**: a service is a function that returns EFI_UNSUPPORTED, or EFI_NOT_FOUND where that is what the specification has it say when
  nothing is there (LocateProtocol, LocateHandle, LocateDevicePath). No handle carries a protocol; a configuration table is not in the list.
- **EFI_UNSUPPORTED**: where absent means EFI_NOT_FOUND, the other answer.
- **NULL**: the slot of the service table (for the protocol \`SimpleTextOutput\` the System Table's ConOut) is a null pointer. No stub looks
  at it before the call: the processor goes to address 0, runs through the zeros there and dies where the first other bytes stand, the
  ACPI tables at 0xe0000. So the table names the last call before. A kernel has nothing mapped there and reports a null pointer.

## What calls each entry, and what needs it

Calls of one boot: before ExitBootServices, and after the + at run time. The stub has no symbols; the kernel's are its own.

${callsTable(results, profile)}

## What happens without it

${withoutTable(results, profile)}

### What such boots say

The lines of the console that the full boot has and this one has not, and the other way round, figures set aside; and services that are
no longer called, or called now. Not all lines of a long story, and no addresses.

${differences(results, profile)}

### Services that only a failing boot calls

No boot above calls these while all goes well. Here they are taken away together with what makes the stub give up.

${alsoTable(results)}

## What the stubs look for

Every protocol that a stub asked for in a full boot. What a machine may lack is answered with EFI_NOT_FOUND, and every kernel boots.

${lookUps(results)}

## What the profile lacks

Boot and run-time services outside the profile: whether anybody called them, and what changed when they were NULL or, all
in one boot, offered (present). A service that is not in the profile still is a function: it returns EFI_UNSUPPORTED
(LocateHandleBuffer: EFI_NOT_FOUND), and the log names it.

${lackingTable(results, slots, profile)}
`;
}
