/** `pnpm check:packages`: every published package as its users will see it, by publint --strict. Needs a build. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packageFolders } from './repo-check/graph.js';

const root = process.cwd();
let problems = 0;
let checked = 0;
for (const folder of packageFolders(root)) {
  const directory = join(root, 'packages', folder);
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>;
  if (manifest['private'] === true) continue;
  const { messages, pkg } = await publint({ pkgDir: directory, strict: true, pack: false });
  checked += 1;
  for (const message of messages) {
    if (message.type === 'suggestion') continue;
    problems += 1;
    console.error(
      `${message.type}  packages/${folder}  ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
    );
  }
}
console.log(`${checked} packages checked, ${problems} problems`);
process.exitCode = problems === 0 && checked > 0 ? 0 : 1;
