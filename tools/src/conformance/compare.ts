/** Compares what was found with what must be, prints the first differences and the counts; the exit code they mean. */
export function reportDifferences(
  expected: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
  print: (line: string) => void,
): number {
  const names = Object.keys(expected);
  const different = names.filter((name) => found[name] !== expected[name]);
  for (const name of different.slice(0, 20)) {
    print(`DIFFERENT ${name}: ${found[name] ?? 'nothing'} instead of ${expected[name]}`);
  }
  print(`${names.length} checked, ${different.length} different`);
  return names.length > 0 && different.length === 0 ? 0 : 1;
}
