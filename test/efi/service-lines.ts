import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { profiles } from '../../src/firmware/index.js';

/** Lines of code of a service: its own, and with all declarations of src/firmware that it reaches. */
export interface ServiceLines {
  readonly name: string;
  readonly own: number;
  readonly behind: number;
}

export const root = fileURLToPath(new URL('../../', import.meta.url));
const firmware = path.join(root, 'src/firmware/');

/** Numbers of the lines on which a node has a token: neither blank lines nor comments count. */
export function linesOf(node: ts.Node): Set<string> {
  const source = node.getSourceFile();
  const lines = new Set<string>();
  const visit = (child: ts.Node): void => {
    if (ts.isJSDoc(child)) return;
    const children = child.getChildren(source);
    if (children.length > 0) {
      children.forEach(visit);
      return;
    }
    const at = child.getStart(source);
    if (at >= child.end) return;
    const first = source.getLineAndCharacterOfPosition(at).line;
    const last = source.getLineAndCharacterOfPosition(child.end).line;
    for (let line = first; line <= last; line++) lines.add(`${source.fileName}:${String(line)}`);
  };
  visit(node);
  return lines;
}

/** What is counted as one: a function, a constant, a method or a property of a class; never a whole class or a type. */
function isUnit(node: ts.Node): boolean {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isGetAccessor(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isConstructorDeclaration(node) ||
    (ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent))
  );
}

/** All units of some folders (absolute, with a slash behind) that a node uses, itself included. */
export function reach(checker: ts.TypeChecker, start: ts.Node, folders: readonly string[] = [firmware]): Set<ts.Node> {
  const reached = new Set<ts.Node>([start]);
  const pending = [start];
  const follow = (declaration: ts.Node): void => {
    if (!isUnit(declaration) || reached.has(declaration)) return;
    const file = path.normalize(declaration.getSourceFile().fileName);
    if (!folders.some((folder) => file.startsWith(folder))) return;
    reached.add(declaration);
    pending.push(declaration);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      let symbol = checker.getSymbolAtLocation(node);
      if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
      symbol?.declarations?.forEach(follow);
    }
    ts.forEachChild(node, visit);
  };
  for (let node = pending.pop(); node; node = pending.pop()) visit(node);
  return reached;
}

/** The object that a `serviceTable = { Name, 'Protocol.Name': value }` exports, by name: the value's declaration. */
function declaredServices(source: ts.SourceFile, checker: ts.TypeChecker): Map<string, ts.Node> {
  const found = new Map<string, ts.Node>();
  const visit = (node: ts.Node): void => {
    if (ts.isShorthandPropertyAssignment(node)) {
      const declaration = checker.getShorthandAssignmentValueSymbol(node)?.valueDeclaration;
      if (declaration) found.set(node.name.text, declaration);
    } else if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.initializer)) {
      const declaration = checker.getSymbolAtLocation(node.initializer)?.valueDeclaration;
      const name = ts.isStringLiteral(node.name) || ts.isIdentifier(node.name) ? node.name.text : '';
      if (declaration) found.set(name, declaration);
    }
    ts.forEachChild(node, visit);
  };
  for (const statement of source.statements) if (ts.isVariableStatement(statement)) visit(statement);
  return found;
}

/** The program of an entry file below the root, as tsconfig.json has it. */
export function programOf(entry: string): ts.Program {
  const config = ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  return ts.createProgram([path.join(root, entry)], { ...options, types: [] });
}

/** Every service of the profiles, in their order. */
export function serviceLines(program = programOf('src/firmware/index.ts')): ServiceLines[] {
  const services = serviceNodes(program);
  const checker = program.getTypeChecker();
  const names = [...new Set(profiles.flatMap((profile) => Object.keys(profile.services)))];
  return names.map((name) => {
    const node = services.get(name);
    if (!node) throw new Error(`no declaration of the service ${name} in src/firmware`);
    const all = new Set([...reach(checker, node)].flatMap((unit) => [...linesOf(unit)]));
    return { name, own: linesOf(node).size, behind: all.size };
  });
}

/** The declaration of each service, by name. */
export function serviceNodes(program: ts.Program): ReadonlyMap<string, ts.Node> {
  const checker = program.getTypeChecker();
  const services = new Map<string, ts.Node>();
  for (const source of program.getSourceFiles()) {
    const file = path.normalize(source.fileName).slice(firmware.length);
    if (!/^(boot-services|runtime-services|protocols)[/\\]/.test(file)) continue;
    for (const [name, node] of declaredServices(source, checker)) services.set(name, node);
  }
  return services;
}
