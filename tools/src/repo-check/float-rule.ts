import ts from 'typescript';
import type { Finding } from './source-files.js';

/** The only members of Math that map integers to integers exactly. */
const EXACT_MATH: ReadonlySet<string> = new Set([
  'abs',
  'ceil',
  'clz32',
  'floor',
  'imul',
  'max',
  'min',
  'sign',
  'trunc',
]);

const FLOAT_NAMES: ReadonlySet<string> = new Set(['Float16Array', 'Float32Array', 'Float64Array', 'parseFloat']);

const FLOAT_MEMBER = /^(get|set)Float(16|32|64)$/;

/** A line that is allowed to break the rule, with the reason its author gives. */
export interface FloatException {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export interface FloatReport {
  readonly findings: readonly Finding[];
  readonly exceptions: readonly FloatException[];
}

/** Exact in binary and harmless in integer code: an integer however it is written, or a negative power of two. */
function isExactLiteral(value: number): boolean {
  if (Number.isInteger(value)) return true;
  const inverse = 1 / value;
  return value > 0 && value < 1 && Number.isInteger(inverse) && Number.isInteger(Math.log2(inverse));
}

function isIntegerPower(node: ts.BinaryExpression): boolean {
  if (ts.isBigIntLiteral(node.left) || ts.isBigIntLiteral(node.right)) return true;
  if (!ts.isNumericLiteral(node.left) || !ts.isNumericLiteral(node.right)) return false;
  return Number.isSafeInteger(Number(node.left.text) ** Number(node.right.text));
}

/** Why a node is floating point, or undefined. */
function complaint(node: ts.Node): string | undefined {
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.kind;
    if (operator === ts.SyntaxKind.SlashToken || operator === ts.SyntaxKind.SlashEqualsToken) {
      return 'bare division; use divFloor of @ivit/dyadic';
    }
    if (operator === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return 'power of a variable';
    if (operator === ts.SyntaxKind.AsteriskAsteriskToken && !isIntegerPower(node)) return 'power of a variable';
  }
  if (ts.isNumericLiteral(node) && !isExactLiteral(Number(node.text))) {
    return `number ${node.getText()} is no integer and no power of two`;
  }
  if (!ts.isIdentifier(node)) return undefined;
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    if (FLOAT_MEMBER.test(node.text) || node.text === 'parseFloat') return `${node.text} makes a float`;
    return undefined;
  }
  if (FLOAT_NAMES.has(node.text)) return node.text;
  if (node.text !== 'Math') return undefined;
  if (!ts.isPropertyAccessExpression(parent) || parent.expression !== node) return 'Math used as a value';
  return EXACT_MATH.has(parent.name.text) ? undefined : `Math.${parent.name.text}`;
}

function usesBigInt(node: ts.Node): boolean {
  return ts.isBigIntLiteral(node) || (ts.isIdentifier(node) && /^Big(Int|Int64Array|Uint64Array)$/.test(node.text));
}

const MARK = /\/\/\s*(float-ok|bigint-ok):\s*(.*)$/;

/**
 * The no-float rule on one file: no float arrays, no inexact Math, no bare division, no fractions; with `hot`, no BigInt either.
 * A line is excused by `// float-ok: reason` (or `// bigint-ok: reason`) at its end or on a line of its own right above;
 * a mark that excuses nothing, or gives no reason, is a finding itself.
 */
export function checkFloats(file: string, text: string, hot: boolean): FloatReport {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const marks = new Map<number, { kind: string; reason: string; used: boolean; at: number }>();
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const match = MARK.exec(line);
    if (match === null) return;
    const alone = line.trimStart().startsWith('//');
    // A mark on a line of its own covers the next line that is code.
    let covered = index;
    if (alone) {
      covered += 1;
      while (covered < lines.length && (lines[covered] ?? '').trimStart().startsWith('//')) covered += 1;
    }
    marks.set(covered + 1, { kind: match[1] ?? '', reason: (match[2] ?? '').trim(), used: false, at: index + 1 });
  });

  const findings: Finding[] = [];
  const report = (node: ts.Node, rule: 'float-ok' | 'bigint-ok', message: string): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const mark = marks.get(line);
    if (mark?.kind === rule) mark.used = true;
    else findings.push({ file, line, rule: rule === 'float-ok' ? 'no-float' : 'no-bigint', message });
  };
  const visit = (node: ts.Node): void => {
    const message = complaint(node);
    if (message !== undefined) report(node, 'float-ok', message);
    if (hot && usesBigInt(node)) report(node, 'bigint-ok', 'BigInt in a package of hot loops');
    ts.forEachChild(node, visit);
  };
  visit(source);

  const exceptions: FloatException[] = [];
  for (const mark of marks.values()) {
    if (!mark.used) findings.push({ file, line: mark.at, rule: 'stale-mark', message: `${mark.kind} excuses nothing` });
    else if (mark.reason === '')
      findings.push({ file, line: mark.at, rule: 'no-reason', message: `${mark.kind} without a reason` });
    else exceptions.push({ file, line: mark.at, reason: mark.reason });
  }
  return { findings, exceptions };
}
