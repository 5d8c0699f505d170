import path from 'node:path';
import ts from 'typescript';
import { linux, proposal } from '../../src/firmware/profiles.js';
import type { CodeLineFigures } from '../../src/probe/cost/code-lines.js';
import type { CodeLines } from '../../src/probe/cost/result.js';
import { linesOf, programOf, reach, root, serviceLines, serviceNodes } from './service-lines.js';

/** What is counted for each door: its own declaration, what serves its gates, and the folders that it may reach into. */
const withoutFirmware = ['src/boot', 'src/memory', 'firmware-tables'];
const withFirmware = [...withoutFirmware, 'src/firmware', 'src/bytes'];
const doorsWithout: Readonly<Record<string, readonly [file: string, name: string]>> = {
  pvh: ['src/boot/pvh.ts', 'pvh'],
  linux64: ['src/boot/linux64.ts', 'linux64'],
};
const doorsWith = {
  efi: [['src/boot/efi.ts', 'efi'], linux],
  proposal: [['src/boot/proposal.ts', 'proposalDoor'], proposal],
} as const;

/** What makes a domain of Xen: its folders, whole. */
const xenFolders = ['src/xen', 'firmware-tables/xen'];

/** Lines of code of each door and service, counted in this tree: neither blank lines nor comments, nor types alone. */
export function codeLines(): CodeLineFigures {
  const program = programOf('src/probe/observed-boot.ts');
  const checker = program.getTypeChecker();
  const services = serviceNodes(program);
  const lines = (starts: readonly ts.Node[], folders: readonly string[]): CodeLines[] => {
    const absolute = folders.map((folder) => path.join(root, folder, '/'));
    const units = starts.flatMap((start) => [...reach(checker, start, absolute)]);
    return byFolder(new Set(units.flatMap((unit) => [...linesOf(unit)])), folders);
  };
  const doors: Record<string, readonly CodeLines[]> = {};
  for (const [door, [[file, name], { services: offered }]] of Object.entries(doorsWith)) {
    const named = Object.keys(offered).flatMap((service) => services.get(service) ?? []);
    const serve = method(program, 'src/firmware/firmware.ts', 'serve');
    doors[door] = lines([declaration(program, file, name), serve, ...named], withFirmware);
  }
  for (const [door, [file, name]] of Object.entries(doorsWithout))
    doors[door] = lines([declaration(program, file, name)], withoutFirmware);
  return {
    doors,
    services: serviceLines(program).map(({ name, own, behind }) => ({ name, lines: own, behind })),
    xen: byFolder(new Set(sourcesIn(program, xenFolders).flatMap((source) => [...linesOf(source)])), xenFolders),
  };
}

function byFolder(lines: ReadonlySet<string>, folders: readonly string[]): CodeLines[] {
  return folders
    .map((name) => {
      const own = [...lines].filter((line) => path.normalize(line).startsWith(path.join(root, name, '/')));
      const files = new Set(own.map((line) => line.slice(0, line.lastIndexOf(':'))));
      return { name, files: files.size, lines: own.length };
    })
    .filter(({ lines: count }) => count > 0);
}

function sourcesIn(program: ts.Program, folders: readonly string[]): ts.SourceFile[] {
  return program
    .getSourceFiles()
    .filter(({ fileName }) =>
      folders.some((folder) => path.normalize(fileName).startsWith(path.join(root, folder, '/'))),
    );
}

function sourceOf(program: ts.Program, file: string): ts.SourceFile {
  const source = program.getSourceFile(path.join(root, file));
  if (source === undefined) throw new Error(`${file} is no part of the program: name the file that has it`);
  return source;
}

/** A constant or function of a file, by name. */
function declaration(program: ts.Program, file: string, name: string): ts.Node {
  for (const statement of sourceOf(program, file).statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name?.text === name) return statement;
    if (!ts.isVariableStatement(statement)) continue;
    const found = statement.declarationList.declarations.find((one) => one.name.getText() === name);
    if (found !== undefined) return found;
  }
  throw new Error(`${file} has no ${name}: name what enters the door`);
}

function method(program: ts.Program, file: string, name: string): ts.Node {
  for (const statement of sourceOf(program, file).statements) {
    if (!ts.isClassDeclaration(statement)) continue;
    const found = statement.members.find((member) => ts.isMethodDeclaration(member) && member.name.getText() === name);
    if (found !== undefined) return found;
  }
  throw new Error(`${file} has no method ${name}: name what serves gates`);
}
