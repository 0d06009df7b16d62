/** What a package offers: every export of every entry point, as its declaration files say it, without comments. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

const printer = ts.createPrinter({ removeComments: true });

interface EntryPoint {
  /** `.` or `./name`. */
  readonly name: string;
  /** Path of its declaration file. */
  readonly types: string;
}

/** Entry points with types, but for `./~…`, which are outside of semantic versioning. */
function entryPoints(folder: string): EntryPoint[] {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const exported: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'exports') : {};
  return Object.entries(exported ?? {}).flatMap(([name, conditions]: [string, unknown]) => {
    const types: unknown =
      typeof conditions === 'object' && conditions !== null ? Reflect.get(conditions, 'types') : undefined;
    return typeof types === 'string' && !name.startsWith('./~') ? [{ name, types: join(folder, types) }] : [];
  });
}

/** The statement of a variable, or the declaration itself; as it is written, but for comments and `export`, `declare`. */
function declarationText(declaration: ts.Declaration): string {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
  return text.replace(/^(export |declare |default )+/, '');
}

function symbolText(checker: ts.TypeChecker, symbol: ts.Symbol, folder: string): string {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declarations = target.declarations ?? [];
  const [first] = declarations;
  if (first === undefined) return `${symbol.name}: unknown`;
  const { fileName } = first.getSourceFile();
  const inside = relative(join(folder, 'dist'), fileName);
  // Of another package: its own report has it.
  if (inside.startsWith(`..${sep}`)) return `export ${symbol.name} of another package`;
  const renamed = target.name === symbol.name ? '' : `export { ${target.name} as ${symbol.name} }\n`;
  return `${renamed}${declarations.map(declarationText).join('\n')}`;
}

/**
 * The report of the package in a folder.
 *
 * @throws Error if a declaration file is missing: the package is not built
 */
export function apiReport(folder: string): string {
  const entries = entryPoints(folder);
  const missing = entries.find(({ types }) => !existsSync(types));
  if (missing !== undefined) throw new Error(`${missing.types} is not there: build the packages first`);
  const program = ts.createProgram(
    entries.map(({ types }) => types),
    {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      skipLibCheck: true,
      noEmit: true,
      types: [],
    },
  );
  const checker = program.getTypeChecker();
  const sections = entries.map(({ name, types }) => {
    const source = program.getSourceFile(types);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
    const sorted = [...symbols].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return [`# ${name}`, ...sorted.map((symbol) => symbolText(checker, symbol, folder))].join('\n\n');
  });
  return `${sections.join('\n\n')}\n`;
}
