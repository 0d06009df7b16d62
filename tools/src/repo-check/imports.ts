import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased by the compiler: `import type`, `export type`, or only `type` names. */
  readonly typeOnly: boolean;
  /** Names taken as values; `*` for a whole namespace. */
  readonly names: readonly string[];
}

interface Named {
  readonly isTypeOnly: boolean;
  readonly propertyName?: ts.ModuleExportName | undefined;
  readonly name: ts.ModuleExportName;
}

function valueNames(elements: readonly Named[]): string[] {
  return elements
    .filter((element) => !element.isTypeOnly)
    .map((element) => (element.propertyName ?? element.name).text);
}

function fromImport(node: ts.ImportDeclaration): { typeOnly: boolean; names: string[] } {
  const clause = node.importClause;
  if (clause === undefined) return { typeOnly: false, names: [] };
  if (clause.isTypeOnly) return { typeOnly: true, names: [] };
  const bindings = clause.namedBindings;
  const names = clause.name === undefined ? [] : ['default'];
  if (bindings === undefined) return { typeOnly: false, names };
  if (ts.isNamespaceImport(bindings)) return { typeOnly: false, names: ['*'] };
  names.push(...valueNames(bindings.elements));
  return { typeOnly: names.length === 0, names };
}

function fromExport(node: ts.ExportDeclaration): { typeOnly: boolean; names: string[] } {
  if (node.isTypeOnly) return { typeOnly: true, names: [] };
  if (node.exportClause === undefined || !ts.isNamedExports(node.exportClause))
    return { typeOnly: false, names: ['*'] };
  const names = valueNames(node.exportClause.elements);
  return { typeOnly: names.length === 0, names };
}

/** Every static and dynamic import and re-export of one file. */
export function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node, what: { typeOnly: boolean; names: string[] }): void => {
    if (!ts.isStringLiteralLike(specifier)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push({ specifier: specifier.text, line, ...what });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, fromImport(node));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node, node.moduleSpecifier, fromExport(node));
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined) add(node, specifier, { typeOnly: false, names: ['*'] });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, { typeOnly: true, names: [] });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Local name → module specifier of every named re-export (`export { a } from './b.js'`), values only. */
export function reExports(file: string, text: string): Map<string, string> {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const origins = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly || statement.moduleSpecifier === undefined) continue;
    if (!ts.isStringLiteral(statement.moduleSpecifier) || statement.exportClause === undefined) continue;
    if (!ts.isNamedExports(statement.exportClause)) continue;
    for (const element of statement.exportClause.elements) {
      if (!element.isTypeOnly) origins.set(element.name.text, statement.moduleSpecifier.text);
    }
  }
  return origins;
}
