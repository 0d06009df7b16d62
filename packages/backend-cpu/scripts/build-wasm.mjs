/**
 * Builds what `src/` imports from `src/generated/`: the WebAssembly modules of `assembly/` in hexadecimal, which gzip makes a
 * quarter smaller than base64 since bytes stay whole, and the worker as a script in a string, which Node starts without a file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { argv, chdir, cwd } from 'node:process';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const GENERATED = 'src/generated';

const FLAGS = [
  '-O3',
  '--converge',
  '--runtime',
  'stub',
  '--noAssert',
  '--importMemory',
  '--initialMemory',
  '1',
  '--maximumMemory',
  '65536',
  '--memoryBase',
  '0',
  '--use',
  'abort=',
  '--enable',
  'simd',
  '--enable',
  'threads',
  '--enable',
  'bulk-memory',
];

function writeModule(name, constant, text) {
  const source = `/** Built by scripts/build-wasm.mjs. */\nexport const ${constant}: string =\n  ${JSON.stringify(text)};\n`;
  writeFileSync(`${PACKAGE}${GENERATED}/${name}.ts`, source);
}

async function assemble(asc, entry, name, ...flags) {
  const before = cwd();
  chdir(PACKAGE); // asc looks for its entry from here
  const wasm = `${GENERATED}/${name}`;
  const { error, stderr } = await asc
    .main([entry, '--outFile', wasm, ...FLAGS, ...flags], {})
    .finally(() => chdir(before));
  if (error) throw new Error(`asc: ${stderr.toString()}`);
  return readFileSync(`${PACKAGE}${wasm}`);
}

/**
 * @param asc the AssemblyScript compiler
 * @param build esbuild's
 */
export async function generate(asc, build) {
  mkdirSync(`${PACKAGE}${GENERATED}`, { recursive: true });
  const kernels = await assemble(asc, 'assembly/index.ts', 'kernels.wasm');
  writeModule('wasm', 'WASM_HEX', kernels.toString('hex'));
  const relaxed = await assemble(asc, 'assembly/relaxed.ts', 'relaxed.wasm', '--enable', 'relaxed-simd');
  writeModule('relaxed-wasm', 'RELAXED_WASM_HEX', relaxed.toString('hex'));
  const { outputFiles } = await build({
    absWorkingDir: PACKAGE,
    entryPoints: ['src/worker.ts'],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'neutral',
    target: 'es2022',
  });
  writeModule('worker-source', 'WORKER_SOURCE', outputFiles[0].text.trim());
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { default: asc } = await import('assemblyscript/asc');
  const { build } = await import('esbuild');
  await generate(asc, build);
}
