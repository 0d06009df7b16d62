/**
 * `node --import tsx tools/src/check-api.ts [--write]`: whether what the packages export is what `etc/<package>.api.txt` says,
 * so that no change of an API goes unseen. Needs a build. With --write the files are made anew.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiReport } from './api/report.js';
import { packageFolders } from './repo-check/graph.js';

const root = process.cwd();
const write = process.argv.includes('--write');
let different = 0;

/** The first line in which two texts differ. */
function firstDifference(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const at = now.findIndex((line, index) => line !== old[index]);
  const index = at < 0 ? now.length : at;
  return `line ${index + 1}: ${JSON.stringify(old[index] ?? '')} is now ${JSON.stringify(now[index] ?? '')}`;
}

const folders = packageFolders(root);
mkdirSync(join(root, 'etc'), { recursive: true });
for (const folder of folders) {
  const path = join(root, 'etc', `${folder}.api.txt`);
  const report = apiReport(join(root, 'packages', folder));
  if (write) {
    writeFileSync(path, report);
    continue;
  }
  let recorded = '';
  try {
    recorded = readFileSync(path, 'utf8');
  } catch {
    // A new package: all of it is different.
  }
  if (recorded === report) continue;
  different += 1;
  console.error(`etc/${folder}.api.txt  ${firstDifference(recorded, report)}`);
}
if (different > 0) console.error('If that is meant: pnpm build && pnpm api --write, and read the diff.');
console.log(`${folders.length} APIs ${write ? 'written' : `checked, ${different} different`}`);
process.exitCode = different === 0 && folders.length > 0 ? 0 : 1;
