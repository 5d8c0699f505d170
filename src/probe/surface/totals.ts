import { descriptorOf } from './handed-out.js';
import type {
  SurfaceConfigurationTable,
  SurfaceField,
  SurfaceRecord,
  SurfaceStructure,
  SurfaceTotals,
} from './result.js';

const sumOf = <T>(list: readonly T[], value: (one: T) => number): number =>
  list.reduce((total, one) => total + value(one), 0);
const countOf = <T>(list: readonly T[], holds: (one: T) => boolean): number => list.filter(holds).length;

/** Fields that somebody is meant to read. */
export const fieldsProper = (structures: readonly SurfaceStructure[]): SurfaceField[] =>
  structures.flatMap(({ fields }) => fields.filter(({ padding }) => padding !== true));

/** A door's surface in figures. */
export function totalsOf(record: Omit<SurfaceRecord, 'totals'>): SurfaceTotals {
  const { structures, services, lookups, configurationTables, variables, hypercalls } = record;
  const fields = fieldsProper(structures);
  const descriptors = descriptorsOf(structures);
  const guids = new Map<string, boolean>();
  for (const { guid, found } of lookups) guids.set(guid, guids.get(guid) === true || found > 0);
  const named = new Map<string, boolean>();
  for (const { name, guid, found } of variables)
    named.set(`${guid} ${name}`, named.get(`${guid} ${name}`) === true || found > 0);
  return {
    services: services.length,
    serviceCalls: sumOf(services, ({ calls }) => calls),
    lookups: guids.size,
    lookupsFound: countOf([...guids.values()], (found) => found),
    configurationTables: configurationTables.length,
    configurationTablesCompared: countOf(configurationTables, ({ guidReads }) => guidReads > 0),
    configurationTablesTaken: countOf(configurationTables, ({ pointerReads }) => pointerReads > 0),
    variables: named.size,
    variablesFound: countOf([...named.values()], (found) => found),
    structures: structures.length,
    structuresRead: countOf(structures, ({ bytesRead }) => bytesRead > 0),
    fields: fields.length,
    fieldsRead: countOf(fields, ({ fieldReads }) => fieldReads > 0),
    fieldsSwept: countOf(fields, ({ reads, fieldReads }) => reads > 0 && fieldReads === 0),
    fieldsWritten: countOf(fields, ({ writes }) => writes > 0),
    bytes: sumOf(structures, ({ bytes }) => bytes),
    bytesRead: sumOf(structures, ({ bytesRead }) => bytesRead),
    bytesFieldRead: sumOf(structures, ({ bytesFieldRead }) => bytesFieldRead),
    reads: sumOf(structures, (structure) => sumOf(structure.fields, ({ reads }) => reads)),
    writes: sumOf(structures, (structure) => sumOf(structure.fields, ({ writes }) => writes)),
    memoryDescriptors: descriptors.size,
    memoryDescriptorsRead: countOf([...descriptors.values()], (read) => read),
    hypercalls: hypercalls.length,
    hypercallCalls: sumOf(hypercalls, ({ calls }) => calls),
    hypercallArgumentBytes: sumOf(hypercalls, ({ argumentBytes }) => argumentBytes ?? 0),
  };
}

/** Whether a field of each descriptor was read, by map and number. */
function descriptorsOf(structures: readonly SurfaceStructure[]): Map<string, boolean> {
  const descriptors = new Map<string, boolean>();
  for (const { name, fields } of structures) {
    for (const { name: field, fieldReads } of fields) {
      const descriptor = descriptorOf(name, field);
      if (descriptor === undefined) continue;
      const key = `${name}${descriptor}`;
      descriptors.set(key, descriptors.get(key) === true || fieldReads > 0);
    }
  }
  return descriptors;
}

const entryName = 'configuration table ';

/** The entries of the configuration table among the structures; a guest's entry comes after the set-up. */
export function configurationTablesOf(structures: readonly SurfaceStructure[]): SurfaceConfigurationTable[] {
  return structures
    .filter(({ name, provider }) => provider === 'firmware' && name.startsWith(entryName))
    .map(({ name, phase, fields }) => {
      const reads = (field: string): number => fields.find((one) => one.name === field)?.reads ?? 0;
      return {
        guid: name.slice(entryName.length),
        by: phase === 'set-up' ? 'firmware' : 'guest',
        guidReads: reads('VendorGuid'),
        pointerReads: reads('VendorTable'),
      };
    });
}
