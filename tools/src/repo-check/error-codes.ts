import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { sourceFiles } from './source-files.js';

const CODE = /^E_[A-Z0-9_]+$/;

/** A code that is only compared with, or only part of a type, is another file's. */
function isMade(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isLiteralTypeNode(parent)) return false;
  if (!ts.isBinaryExpression(parent)) return true;
  const { kind } = parent.operatorToken;
  return kind !== ts.SyntaxKind.EqualsEqualsEqualsToken && kind !== ts.SyntaxKind.ExclamationEqualsEqualsToken;
}

/** Error codes that one source file makes. */
function codesOf(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && CODE.test(node.text) && isMade(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Every error code that the packages make, with the folders of those that do, both sorted. The contract alone makes none. */
export function errorCodes(root: string, packages: readonly string[]): Map<string, string[]> {
  const makers = new Map<string, Set<string>>();
  for (const name of packages) {
    for (const file of sourceFiles(root, `packages/${name}/src`)) {
      if (file.includes('/testing/')) continue;
      for (const code of codesOf(file, readFileSync(join(root, file), 'utf8'))) {
        const names = makers.get(code) ?? new Set();
        makers.set(code, names.add(name));
      }
    }
  }
  const sorted = [...makers].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([code, names]) => [code, [...names].sort()]));
}
