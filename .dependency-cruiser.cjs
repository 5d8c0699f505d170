// The import directions of the house; test/architecture.test.ts runs them.
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|firmware-tables)/', pathNot: to },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'], viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only(
      'tables-stand-alone',
      '^firmware-tables/',
      '^firmware-tables/',
      'byte layouts import nothing outside themselves',
    ),
    only('bytes', '^src/bytes/', '^src/bytes/', 'sums and joins of bytes know nothing else'),
    only('memory', '^src/memory/', '^(src/memory|firmware-tables)/', 'memory knows layouts alone'),
    only(
      'cpu',
      '^src/cpu/',
      '^(src/(cpu|memory)|firmware-tables)/|^src/devices/clock\\.ts$',
      'the processor knows neither firmware nor devices; CPUID names the frequency of the clock',
    ),
    only('devices', '^src/devices/', '^(src/(devices|memory|bytes)|firmware-tables)/', 'devices know memory alone'),
    only('loaders', '^src/loaders/', '^(src/(loaders|memory|bytes)|firmware-tables)/', 'loaders know memory alone'),
    only(
      'firmware',
      '^src/firmware/',
      '^(src/(firmware|memory|bytes)|firmware-tables)/',
      'the firmware reaches the machine through its host interface',
    ),
    only(
      'xen',
      '^src/xen/',
      '^(src/(xen|memory)|firmware-tables)/|^src/devices/device\\.ts$',
      'the hypervisor reaches the machine through its host interface',
    ),
    only(
      'variables',
      '^src/variables/',
      '^(src/(variables|firmware|bytes)|firmware-tables)/',
      'the forms of a variable store know the firmware and no file',
    ),
    only(
      'boot',
      '^src/boot/',
      '^(src/(boot|firmware|xen|loaders|devices|cpu|memory|bytes)|firmware-tables)/',
      'doors lay out memory; they know no machine',
    ),
    {
      name: 'symbols',
      comment: 'who names addresses knows no probe',
      severity: 'error',
      from: { path: '^src/symbols/' },
      to: { path: '^src/(probe|ablate|report|cli|host)/' },
    },
    {
      name: 'core-below-faces',
      comment: 'nothing below imports the probes, the reports, the commands or the host',
      severity: 'error',
      from: {
        path: '^(firmware-tables|src/(bytes|memory|cpu|devices|loaders|firmware|variables|xen|boot|machine|platform))',
      },
      to: { path: '^src/(symbols|probe|report|cli|host)/' },
    },
    {
      name: 'one-importer-of-iced',
      severity: 'error',
      from: { pathNot: '^src/cpu/(iced|decoder)\\.ts$' },
      to: { path: 'iced-x86' },
    },
    {
      name: 'core-is-portable',
      comment: 'Node comes in through src/host and src/cli alone',
      severity: 'error',
      from: { path: '^(src|firmware-tables)/', pathNot: '^src/(host|cli)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'commands-are-leaves',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.tmp\\.ts$|^src/(cpu|loaders/decompress)/core/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  },
};
